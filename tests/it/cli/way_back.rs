//! Before the second removal of a run, an image whose bytes are known must read back: a copy is worth what downloads are worth.

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;

use crate::common::{Brand, art, each, found};

/// A placeholder of the right size for every image, from the `from`-th download on.
fn placeholder(from: u32) -> Faults {
    format!("download {from}+ image 24x24").parse().unwrap()
}

fn removed(brand: &Brand) -> usize {
    let commands = brand.portal.requests().into_iter().flat_map(|request| request.commands);
    commands.filter(|command| command.method.ends_with(".delete")).count()
}

const APPLY: &str = "apply --yes --settle 0.1 --max-deletes 9";

/// Replaces alone, and every download is a placeholder: the first pair shows it.
#[test]
fn replaces_stop_after_the_first_pair() {
    let brand = Brand::new().in_step(4);
    for number in 0..4 {
        brand.draw(&format!("icon/acme-{number:02}"), &art(Kind::Icon, 100 + number));
    }
    brand.fail(placeholder(1));
    let output = brand.json(APPLY).ends_with(3);
    assert_eq!(removed(&brand), 1);
    assert!(output.json.to_string().contains("copies of old images cannot be trusted"), "{}", output.json);
    // The three others are what they were.
    for number in 1..4 {
        assert_eq!(brand.image(&format!("icon/acme-{number:02}")).unwrap(), art(Kind::Icon, number));
    }
}

/// A create reads back otherwise: nothing is removed after the first.
#[test]
fn a_create_that_does_not_read_back_stops_the_deletes() {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 50);
    for number in 0..3 {
        brand.undeclare(&format!("icon/acme-{number:02}"));
    }
    brand.fail(placeholder(1));
    let output = brand.json(APPLY).ends_with(3);
    assert_eq!(removed(&brand), 0, "{}", output.json);
    assert_eq!(brand.codes().len(), 4);
    brand.fail(Faults::none());
    brand.json(APPLY).ends_with(0);
    assert_eq!(brand.codes(), ["icon/acme-new"]);
}

/// The placeholder begins once all is read: an unchanged entry shows it before anything is written.
#[test]
fn an_unchanged_entry_that_does_not_read_back_stops_everything() {
    each([("deletes", 4), ("replaces", 4)], |(what, from)| {
        let brand = Brand::new().in_step(3);
        brand.plan().ends_with(0);
        for number in 0..2 {
            let address = format!("icon/acme-{number:02}");
            if what == "deletes" {
                brand.undeclare(&address)
            } else {
                brand.draw(&address, &art(Kind::Icon, 99 + number))
            }
        }
        // The plan downloads what changes, which is two; the next is the proof.
        brand.fail(placeholder(from - 1));
        let output = brand.json(APPLY).ends_with(1);
        assert!(output.json.to_string().contains("is unchanged, but its download is another image"), "{}", output.json);
        assert_eq!(brand.write_requests().len(), 0);
        brand.fail(Faults::none());
        brand.json(APPLY).ends_with(0);
    });
}

/// One removal needs no proof, a run that only deletes has none, and who asks for it does without.
#[test]
fn where_there_is_nothing_to_prove_it_by_a_run_goes_on() {
    // One delete.
    let brand = Brand::new().in_step(2);
    brand.undeclare("icon/acme-00");
    brand.json(APPLY).ends_with(0);
    // Deletes alone, of all there is.
    let brand = Brand::new().in_step(3);
    (0..3).for_each(|number| brand.undeclare(&format!("icon/acme-{number:02}")));
    brand.json(&format!("{APPLY} --allow-empty")).ends_with(0);
    assert!(brand.codes().is_empty());
}

#[test]
fn whoever_takes_the_loss_does_without_the_proof() {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 50);
    (0..3).for_each(|number| brand.undeclare(&format!("icon/acme-{number:02}")));
    brand.fail(placeholder(1));
    brand.json(&format!("{APPLY} --allow-unbacked")).ends_with(3);
    assert_eq!(brand.codes(), ["icon/acme-new"], "it reads back otherwise, and all is done");
}

/// No image can be downloaded at all: adds that the portal answered are applied, and known by their answers.
#[test]
fn a_portal_without_downloads_stays_usable() {
    let brand = Brand::new().declares("icon/acme-a", 1).declares("icon/acme-b", 2).portal_has("icon/acme-old", 9);
    brand.fail("download every status 401 no".parse().unwrap());
    let output = brand.json("apply --yes --settle 0.1 --only icon/acme-a --only icon/acme-b").ends_with(0);
    let warned = found(&output.json, "warning").into_iter().filter(|finding| finding["rule"] == "not-read-back");
    assert_eq!(warned.count(), 2, "{}", output.json);
    // Known as long as the state lasts.
    let again = brand.json("plan --only icon/acme-a --only icon/acme-b").ends_with(0);
    assert!(again.changes().is_empty() && again.json["unknown"].as_array().unwrap().is_empty(), "{}", again.json);
    assert!(brand.json("history").json["runs"][0]["ended"] == "finished");
    // What was there before is unknown.
    brand.json("plan").ends_with(1);
    std::fs::remove_dir_all(brand.path(".brandctl")).unwrap();
    let lost = brand.json("plan --only icon/acme-a").ends_with(1);
    assert_eq!(lost.json["unknown"].as_array().unwrap().len(), 1);
    // Changed knowingly, it is known again, and nothing is changed twice.
    brand.json("apply --yes --settle 0.1 --only icon/acme-a --allow-unbacked").ends_with(0);
    brand.json("plan --only icon/acme-a --allow-unbacked").ends_with(0);
    let writes = brand.write_requests().len();
    brand.json("apply --yes --settle 0.1 --only icon/acme-a --allow-unbacked").ends_with(0);
    assert_eq!(brand.write_requests().len(), writes);
}

/// Every output names it before anything else, with what brings an image back.
#[test]
fn a_code_without_an_image_is_said_first() {
    let brand = Brand::new().in_step(2).declares("icon/acme-new", 7);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.json("apply --yes --settle 0.1 --only icon/acme-new").ends_with(0);
    brand.fail("any every refuse *.add 400 FILE_SAVE_ERROR".parse().unwrap());
    let line = "apply --yes --settle 0.1 --report r.md --report r.html --report r.xml --report r.json";
    let output = brand.run(line.split(' ')).ends_with(3);
    assert!(brand.image("icon/acme-00").is_none());
    let run = output.stdout.lines().skip_while(|line| !line.starts_with("Plan: ")).nth(2).unwrap();
    assert!(run.starts_with("icon/acme-00 is missing on the portal: `brandctl restore "), "{}", output.stdout);
    assert!(output.stderr.contains("error[missing]: icon/acme-00 is missing on the portal"), "{output:?}");
    let text = |name: &str| std::fs::read_to_string(brand.path(name)).unwrap();
    let first = text("r.md").lines().find(|line| line.starts_with("**")).unwrap().to_owned();
    assert!(first.contains("`icon/acme-00` is missing on the portal: `brandctl restore "), "{first}");
    assert!(text("r.html").contains("icon/acme-00 is missing on the portal: <code>brandctl restore "));
    assert!(text("r.xml").contains("icon/acme-00 is missing on the portal"));
    let report: serde_json::Value = serde_json::from_str(&text("r.json")).unwrap();
    assert_eq!(
        (&found(&report, "error")[0]["rule"], &found(&report, "error")[0]["address"]),
        (&"missing".into(), &"icon/acme-00".into())
    );
    assert_eq!(report["missing"], serde_json::json!(["icon/acme-00"]));
    assert_eq!(report["findings"][0]["rule"], "missing");
    // What it says brings it back.
    brand.fail(Faults::none());
    let command = output.stdout.split('`').find(|part| part.starts_with("brandctl restore ")).unwrap();
    brand.json(&format!("{} --yes --settle 0.1", command.strip_prefix("brandctl ").unwrap())).ends_with(0);
    assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 0));
}

/// Four deletes beside one entry that stays; from then on a placeholder comes for every image.
fn deletes_behind_a_placeholder() -> Brand {
    let brand = Brand::new().in_step(5);
    brand.plan().ends_with(0);
    (0..4).for_each(|number| brand.undeclare(&format!("icon/acme-{number:02}")));
    brand
}

#[test]
fn a_saved_plan_and_a_part_of_it_are_proven_as_well() {
    let brand = deletes_behind_a_placeholder();
    // The portal is read through the proxy from the first plan on.
    std::fs::remove_dir_all(brand.path(".brandctl")).unwrap();
    brand.json("list").ends_with(0);
    brand.fail(placeholder(1));
    brand.run(["plan", "-o", "plan.json", "--max-deletes", "9"]);
    for line in [
        "apply plan.json --settle 0.1 --max-deletes 9",
        "apply --yes --settle 0.1 --max-deletes 9 --only icon/acme-0[0-3]",
    ] {
        let output = brand.json(line);
        assert_ne!(output.code, 0, "{line}: {}", output.json);
        assert!(removed(&brand) <= 1, "{line}: {}", output.json);
        assert!(brand.codes().len() >= 4, "{line}: {:?}", brand.codes());
    }
}

/// What came for an image in its place is not taken for it later, and no copy of that run is promised.
#[test]
fn a_placeholder_is_not_remembered() {
    let brand = Brand::new().in_step(3);
    (0..3).for_each(|number| brand.draw(&format!("icon/acme-{number:02}"), &art(Kind::Icon, 100 + number)));
    brand.fail(placeholder(1));
    let output = brand.run("apply --yes --settle 0.1".split(' ')).ends_with(3);
    assert!(!output.stdout.contains("puts the old image back"), "{}", output.stdout);
    assert!(
        output.stderr.contains("its copy may come from something between this machine and the portal"),
        "{}",
        output.stderr
    );
    brand.fail(Faults::none());
    // The first pair is as declared.
    assert_eq!(brand.plan().ends_with(0).changes(), ["replace icon/acme-01", "replace icon/acme-02"]);
}

/// Another state folder set both codes to one image that is declared for both. The first one knows other images of them.
#[test]
fn what_another_state_folder_applied_is_taken_over() {
    let brand = Brand::new().declares("icon/acme-a", 1).declares("icon/acme-b", 2);
    brand.apply().ends_with(0);
    for code in ["icon/acme-a", "icon/acme-b"] {
        brand.draw(code, &art(Kind::Icon, 50));
    }
    brand.json("apply --yes --settle 0.1 --state-dir other").ends_with(0);
    brand.plan().ends_with(1);
    brand.apply_with("--allow-unbacked").ends_with(0);
    assert!(brand.plan().ends_with(0).changes().is_empty());
    assert!(brand.plan().ends_with(0).changes().is_empty());
}

/// The old image is gone, the new one was refused, and then the portal is no more.
#[test]
fn a_code_is_said_to_be_missing_also_where_nothing_can_be_read_any_more() {
    let brand = Brand::new().in_step(2);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.plan().ends_with(0);
    brand.fail("write 1 refuse *.add 400 FILE_SAVE_ERROR; batch 5+ drop-before".parse().unwrap());
    let output = brand.json("apply --yes --settle 0.1 --timeout 5").ends_with(3);
    assert_eq!(found(&output.json, "error")[0]["rule"], "missing", "{:?}", found(&output.json, "error"));
    assert!(output.json.to_string().contains("FILE_SAVE_ERROR"), "{}", output.json);
}
