//! What lies on the way between a portal and brandctl, and answers a download with something that the portal never stored.

use std::fs;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;

use super::ownership::kept;
use crate::common::{Brand, Output, art, each, found};

/// What image services, hotlink guards and filters put in the place of a 24×24 PNG.
const SUBSTITUTES: [(&str, &str); 6] = [
    ("a GIF", r#"status 200 "GIF89a\u0001\u0000\u0001\u0000" image/gif"#),
    ("a WebP", r#"status 200 "RIFF\u001a\u0000\u0000\u0000WEBPVP8L" image/webp"#),
    ("a pixel", "image 1x1"),
    ("a larger image", "image 48x48"),
    ("a logo's size", "image 60x60"),
    ("a header cut off", "truncate 20"),
];

/// An image whose header is whole: `add` would take it.
const CUT: (&str, &str) = ("an image cut off", "truncate 60");

/// An image that is right in all respects, and another.
const PLACEHOLDER: (&str, &str) = ("a placeholder", "image 24x24");

/// One to create, one to replace, one to delete, one in step.
fn work() -> Brand {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 9);
    change(&brand);
    brand
}

/// The same on a portal that an earlier run made, which is known by its journal alone.
fn applied() -> Brand {
    let brand = Brand::new();
    for mark in 0..3 {
        brand.draw(&format!("icon/acme-0{mark}"), &art(Kind::Icon, mark));
    }
    brand.apply().ends_with(0);
    let brand = brand.declares("icon/acme-new", 9);
    change(&brand);
    fs::remove_dir_all(state(&brand).join("cache")).unwrap();
    brand
}

fn change(brand: &Brand) {
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
}

const OLD: [&str; 3] = ["icon/acme-00", "icon/acme-01", "icon/acme-02"];

fn state(brand: &Brand) -> std::path::PathBuf {
    let mut portals = fs::read_dir(brand.path(".brandctl")).unwrap().map(|entry| entry.unwrap().path());
    portals.find(|path| path.is_dir()).unwrap()
}

fn answer(brand: &Brand, when: &str, action: &str) {
    brand.fail(format!("download {when} {action}").parse().unwrap());
}

fn unknown(output: &Output) -> Vec<&str> {
    output.json["unknown"].as_array().unwrap().iter().map(|entry| entry["address"].as_str().unwrap()).collect()
}

/// The digests that the cache has noted.
fn cached(brand: &Brand) -> String {
    let index = brand.path(".brandctl").exists().then(|| state(brand).join("cache/index.json"));
    index.and_then(|index| fs::read_to_string(index).ok()).unwrap_or_default()
}

/// The next apply without anything on the way does what is declared, and keeps what the portal really had.
#[track_caller]
fn converges(brand: &Brand) {
    brand.fail(Faults::none());
    let output = brand.apply().ends_with(0);
    assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-02", "icon/acme-new"]);
    assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 99));
    let mut expected = [art(Kind::Icon, 0), art(Kind::Icon, 1)];
    expected.sort();
    assert_eq!(kept(&output), expected);
}

#[test]
fn what_no_portal_stores_is_unknown_and_changes_nothing() {
    each([SUBSTITUTES.as_slice(), &[CUT]].concat(), |(what, action)| {
        let brand = work();
        answer(&brand, "every", action);
        for line in ["plan", "drift"] {
            let output = brand.writing_nothing(|| brand.both(line).ends_with(1));
            assert_eq!(output.changes(), ["create icon/acme-new"], "{what}: {line}: {output:?}");
            assert_eq!(unknown(&output), OLD, "{what}: {output:?}");
            assert!(output.text().contains("icon/acme-01"), "{what}: {output:?}");
        }
        assert_eq!(brand.codes(), OLD);
        assert!(!cached(&brand).contains("sha256"), "{what}: {}", cached(&brand));
    });
}

#[test]
fn what_no_portal_stores_is_not_cached() {
    each([SUBSTITUTES.as_slice(), &[CUT]].concat(), |(what, action)| {
        let brand = work();
        answer(&brand, "every", action);
        brand.plan();
        brand.fail(Faults::none());
        let changes = ["replace icon/acme-00", "delete icon/acme-01", "create icon/acme-new"];
        assert_eq!(brand.plan().changes(), changes, "{what}");
    });
}

#[test]
fn what_no_portal_stores_is_no_part_of_an_export_or_a_list() {
    each([SUBSTITUTES.as_slice(), &[CUT]].concat(), |(what, action)| {
        let brand = work();
        answer(&brand, "every", action);
        let output = brand.json("list").ends_with(1);
        assert_eq!(output.json["summary"]["unknown"], 3, "{what}: {output:?}");
        let output = brand.json("export out").ends_with(1);
        assert_eq!(output.errors(), ["unknown-content"; 3], "{what}: {output:?}");
        assert!(output.text().contains("icon/acme-00"), "{what}: {output:?}");
        assert!(!brand.path("out/icons/acme-00.png").exists(), "{what}");
        // What the portal could have stored is set aside, and declared by nobody.
        assert_eq!(brand.path("out/ignored/icons/acme-00.png").exists(), what == CUT.0, "{what}");
    });
}

#[test]
fn nothing_is_removed_on_such_a_reading_from_whichever_download_on() {
    let forms = [SUBSTITUTES.as_slice(), &[CUT]].concat();
    each(forms.into_iter().flat_map(|form| ["1+", "2+", "3+"].map(|when| (form, when))), |((what, action), when)| {
        let brand = work();
        answer(&brand, when, action);
        let output = brand.apply();
        // What could be read is changed by right; what was added cannot be read back.
        assert!([1, 3].contains(&output.code), "{what}, {when}: {output:?}");
        let unread = unknown(&output).len();
        assert_eq!(unread, 4 - when[..1].parse::<usize>().unwrap(), "{what}, {when}: {output:?}");
        for (mark, address) in (0..).zip(OLD) {
            let image = brand.image(address);
            let lives = image == Some(art(Kind::Icon, mark));
            assert!(lives || kept(&output).contains(&art(Kind::Icon, mark)), "{what}, {when}: {address}: {output:?}");
            assert!(lives || !unknown(&output).contains(&address), "{what}, {when}: {address}: {output:?}");
        }
        brand.fail(Faults::none());
        brand.apply().ends_with(0);
        assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-02", "icon/acme-new"], "{what}, {when}");
        assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 99), "{what}, {when}");
    });
}

#[test]
fn one_image_for_entries_that_were_added_with_different_ones_is_unknown() {
    let brand = applied();
    let before = cached(&brand);
    answer(&brand, "every", PLACEHOLDER.1);
    for line in ["plan", "drift", "plan --refresh"] {
        let output = brand.writing_nothing(|| brand.both(line).ends_with(1));
        assert_eq!(
            (output.changes(), unknown(&output)),
            (vec!["create icon/acme-new".to_owned()], OLD.to_vec()),
            "{line}"
        );
        let told = "the same image was downloaded for icon/acme-00 and icon/acme-01, but their images were different when \
                    brandctl last added them: either the same image was uploaded for both, or a proxy answers in the portal's place";
        assert!(output.json["unknown"][2]["why"].as_str().unwrap().starts_with(told), "{line}: {output:?}");
    }
    let output = brand.json("list").ends_with(1);
    assert_eq!(output.json["summary"]["unknown"], 3, "{output:?}");
    let output = brand.json("export out").ends_with(1);
    assert_eq!(output.errors(), ["unknown-content"; 3], "{output:?}");
    assert_eq!(cached(&brand), before, "nothing of it is cached");
    assert!(!state(&brand).join("cache/blobs").exists());
    brand.fail(Faults::none());
    let changes = ["replace icon/acme-00", "delete icon/acme-01", "create icon/acme-new"];
    assert_eq!(brand.plan().ends_with(0).changes(), changes);
    brand.apply().ends_with(0);
}

#[test]
fn an_apply_leaves_such_entries_alone_also_where_a_cache_knows_them() {
    for warm in [false, true] {
        let brand = applied();
        if warm {
            brand.plan().ends_with(0);
        }
        brand.undeclare("icon/acme-new");
        answer(&brand, "every", PLACEHOLDER.1);
        let output = brand.writing_nothing(|| brand.apply().ends_with(1));
        let expected: &[&str] = if warm { &OLD[..2] } else { &OLD };
        assert_eq!((output.changes(), unknown(&output)), (vec![], expected.to_vec()), "{output:?}");
        brand.draw("icon/acme-new", &art(Kind::Icon, 9));
        converges(&brand);
    }
}

/// Somebody uploaded one image by hand for entries that were added with different ones.
fn uploaded() -> (Brand, Vec<u8>) {
    let (brand, image) = (applied(), art(Kind::Icon, 70));
    brand.undeclare("icon/acme-new");
    for code in ["acme-00", "acme-01"] {
        brand.portal.remove(Kind::Icon, code).unwrap();
        brand.seed(&format!("icon/{code}"), &image);
    }
    (brand, image)
}

#[test]
fn the_flag_changes_such_entries_knowingly_and_keeps_what_came() {
    each(["apply --yes", "apply plan.json"], |apply| {
        let (brand, image) = uploaded();
        let output = brand.json("plan --allow-unbacked").ends_with(0);
        assert_eq!(output.changes(), ["replace icon/acme-00", "delete icon/acme-01"], "{output:?}");
        let changes = output.json["changes"].as_array().unwrap();
        assert!(changes.iter().all(|change| change["reason"] == "unbacked"), "{output:?}");
        let shown = brand.run(["plan", "--allow-unbacked", "-o", "plan.json"]).ends_with(0);
        assert!(shown.stdout.contains("the download may be another entry's image"), "{}", shown.stdout);
        if apply.ends_with("json") {
            let refused = brand.writing_nothing(|| brand.apply_saved("plan.json").ends_with(4));
            assert_eq!(refused.refused(), ["unbacked"]);
        }
        let output = brand.json(&format!("{apply} --allow-unbacked --settle 0.1")).ends_with(0);
        assert_eq!(output.fates(), ["applied icon/acme-00", "applied icon/acme-01"], "{output:?}");
        assert_eq!(kept(&output), std::slice::from_ref(&image));
        assert!(!output.text().contains("for a copy"), "{output:?}");
        let run = output.json["run"]["id"].as_str().unwrap();
        let restored = brand.json(&format!("restore {run} --yes --settle 0.1")).ends_with(0);
        let told = "the copy of icon/acme-00 in run";
        let warned = found(&restored.json, "warning")[0]["message"].as_str().unwrap();
        assert!(warned.starts_with(told) && warned.ends_with("may be another entry's image"), "{restored:?}");
        for code in ["icon/acme-00", "icon/acme-01"] {
            assert_eq!(brand.image(code), Some(image.clone()), "{code}");
        }
    });
}

/// What is declared may be just what came for several entries: that says nothing of what they have.
#[test]
fn what_came_for_several_entries_is_no_declared_image() {
    let (brand, image) = uploaded();
    brand.draw("icon/acme-00", &image);
    assert_eq!(unknown(&brand.plan().ends_with(1)), ["icon/acme-00", "icon/acme-01"]);
    let output = brand.apply_with("--allow-unbacked").ends_with(0);
    assert_eq!(output.fates(), ["applied icon/acme-00", "applied icon/acme-01"], "{output:?}");
    assert_eq!(kept(&output), [image]);
}

/// The image that a plan would keep a copy of is another by then, and nobody could tell.
#[test]
fn such_an_entry_that_was_added_anew_since_is_not_removed_by_a_saved_plan() {
    let (brand, image) = uploaded();
    brand.run(["plan", "--allow-unbacked", "-o", "plan.json"]).ends_with(0);
    brand.portal.remove(Kind::Icon, "acme-01").unwrap();
    brand.seed("icon/acme-01", &image);
    let output = brand.writing_nothing(|| brand.apply_saved("plan.json --allow-unbacked").ends_with(5));
    assert_eq!(output.errors(), ["plan-stale"], "{output:?}");
}

/// The same image under several codes is what somebody may well want for a while.
#[test]
fn codes_that_share_interim_art_get_their_own_and_share_it_again() {
    let codes = ["icon/acme-a", "icon/acme-b", "icon/acme-c"];
    let brand = Brand::new();
    let declare = |marks: [u8; 3]| {
        for (code, mark) in codes.into_iter().zip(marks) {
            brand.draw(code, &art(Kind::Icon, mark));
        }
    };
    for marks in [[7, 7, 7], [1, 2, 3], [7, 7, 7], [2, 1, 7], [7, 2, 1]] {
        declare(marks);
        let output = brand.apply().ends_with(0);
        assert_eq!(output.count("applied"), output.changes().len(), "{marks:?}: {output:?}");
        for (code, mark) in codes.into_iter().zip(marks) {
            assert_eq!(brand.image(code).unwrap(), art(Kind::Icon, mark), "{marks:?}: {code}");
        }
        fs::remove_dir_all(state(&brand).join("cache")).unwrap();
        assert!(brand.plan().ends_with(0).changes().is_empty(), "{marks:?}");
    }
}

#[test]
fn one_entry_that_somebody_replaced_by_hand_is_an_ordinary_difference() {
    let brand = applied();
    brand.seed("icon/acme-02", &art(Kind::Icon, 50));
    let output = brand.json("plan --max-deletes 5").ends_with(0);
    assert!(output.changes().contains(&"replace icon/acme-02".to_owned()), "{output:?}");
    // Two entries share the image of which one is not of an earlier run.
    brand.seed("icon/acme-00", &art(Kind::Icon, 50));
    brand.seed("icon/acme-other", &art(Kind::Icon, 50));
    brand.undeclare("icon/acme-02");
    brand.portal.remove(Kind::Icon, "acme-02").unwrap();
    assert!(brand.json("plan --max-deletes 5").ends_with(0).changes().contains(&"delete icon/acme-other".to_owned()));
}

// ---- Stored bytes that are not a sound PNG ----

fn broken() -> Vec<Vec<u8>> {
    let whole = art(Kind::Icon, 1);
    let mut flipped = whole.clone();
    let at = flipped.len() - 20;
    flipped[at] ^= 1;
    vec![whole[..whole.len() / 2].to_vec(), whole[..60].to_vec(), flipped, [&whole[..], b"tail"].concat()]
}

#[test]
fn stored_bytes_that_are_not_sound_are_left_alone() {
    each(broken(), |bytes| {
        let brand = Brand::new().declares("icon/acme-a", 1);
        for address in ["icon/acme-a", "icon/acme-b"] {
            brand.seed(address, &bytes);
        }
        for line in ["plan", "drift", "apply --yes --settle 0.1"] {
            let output = brand.writing_nothing(|| brand.both(line).ends_with(1));
            assert_eq!((output.changes(), unknown(&output)), (vec![], vec!["icon/acme-a", "icon/acme-b"]), "{line}");
            assert!(output.stdout.contains("left alone: the download is not a sound PNG"), "{output:?}");
            assert!(output.text().contains("--allow-unbacked"), "{output:?}");
        }
    });
}

#[test]
fn stored_bytes_that_are_not_sound_are_changed_knowingly_kept_and_put_back_byte_for_byte() {
    each(broken(), |bytes| {
        let brand = Brand::new().declares("icon/acme-a", 1).declares("icon/acme-c", 3).portal_has("icon/acme-c", 3);
        brand.seed("icon/acme-a", &bytes);
        brand.seed("icon/acme-b", &bytes);
        let output = brand.json("plan --allow-unbacked").ends_with(0);
        assert_eq!(output.json["changes"][0]["reason"], "unsound");
        let output = brand.apply_with("--allow-unbacked").ends_with(0);
        assert_eq!(output.fates(), ["applied icon/acme-a", "applied icon/acme-b"]);
        assert_eq!(
            (kept(&output), brand.codes()),
            (vec![bytes.clone()], vec!["icon/acme-a".into(), "icon/acme-c".into()])
        );
        assert_eq!(brand.image("icon/acme-a").unwrap(), art(Kind::Icon, 1));
        let run = output.json["run"]["id"].as_str().unwrap();
        let restored = brand.json(&format!("restore {run} --yes --settle 0.1")).ends_with(0);
        let warned = &found(&restored.json, "warning")[0]["message"];
        assert_eq!(*warned, format!("the copy of icon/acme-a in run {run} is not a sound PNG"));
        assert_eq!((brand.image("icon/acme-a"), brand.image("icon/acme-b")), (Some(bytes.clone()), Some(bytes)));
        // What is back already is in step.
        let again = brand.json(&format!("restore {run} --yes --settle 0.1")).ends_with(0);
        assert!(again.changes().is_empty(), "{again:?}");
    });
}

#[test]
fn a_saved_plan_that_changes_them_needs_the_flag_again() {
    let bytes = art(Kind::Icon, 1)[..60].to_vec();
    let brand = Brand::new().declares("icon/acme-a", 1);
    brand.seed("icon/acme-a", &bytes);
    brand.run(["plan", "-o", "plan.json", "--allow-unbacked"]).ends_with(0);
    let output = brand.writing_nothing(|| brand.apply_saved("plan.json").ends_with(4));
    assert_eq!(output.refused(), ["unbacked"]);
    let output = brand.apply_saved("plan.json --allow-unbacked").ends_with(0);
    assert_eq!((output.fates(), kept(&output)), (vec!["applied icon/acme-a".to_owned()], vec![bytes]));
}
