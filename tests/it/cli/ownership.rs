//! The table of who may touch what, a row a test.

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};

use crate::common::{Brand, art, one_pixel_off, reencoded};

#[test]
fn a_declared_code_that_is_a_system_code_is_an_error_also_but_for_case() {
    for system in ["acme-sys", "ACME-Sys"] {
        let brand = Brand::new().declares("icon/acme-sys", 1).declares("icon/acme-other", 2);
        brand.portal.make_system(Kind::Icon, system).unwrap();
        brand.writing_nothing(|| {
            for line in ["plan", "drift", "apply --yes"] {
                let output = brand.both(line);
                assert_eq!((output.code, output.errors()), (1, vec!["code-reserved".to_owned()]), "{line}");
                assert!(output.stderr.contains("brand.yaml") && output.stderr.contains(system), "{}", output.stderr);
            }
        });
    }
}

#[test]
fn a_hidden_entry_under_a_system_code_is_never_deleted() {
    let brand = Brand::new().in_step(1).portal_has("icon/acme-old", 5);
    brand.portal.make_system(Kind::Icon, "acme-old").unwrap();
    let output = brand.apply().ends_with(0);
    assert!(output.changes().is_empty());
    assert_eq!(output.json["summary"]["system"], 91);
    assert!(brand.write_requests().is_empty());
}

#[test]
fn what_owns_does_not_match_is_listed_and_left() {
    let brand = Brand::new().in_step(1).portal_has("icon/other-app", 5).portal_has("logo/ACME-big", 6);
    let output = brand.plan().ends_with(0);
    assert_eq!(output.json["unmanaged"][0], serde_json::json!({"address": "icon/other-app", "why": "not-owned"}));
    assert_eq!(output.json["unmanaged"][1]["address"], "logo/ACME-big");
    insta::assert_snapshot!(brand.run(["plan"]).stdout, @"Nothing to do. 1 unchanged, 2 unmanaged (-v lists them), 90 system.");
    brand.writing_nothing(|| brand.apply().ends_with(0));
}

#[test]
fn what_ignore_matches_is_left_although_owned() {
    let brand = Brand::new().in_step(1).portal_has("icon/acme-lab-1", 5).with("ignore: [\"icon/acme-lab-*\"]");
    let output = brand.plan().ends_with(0);
    assert_eq!(output.json["unmanaged"][0], serde_json::json!({"address": "icon/acme-lab-1", "why": "ignored"}));
    brand.writing_nothing(|| brand.apply().ends_with(0));
    // Ignored and declared cannot both be meant.
    brand.draw("icon/acme-lab-1", &art(Kind::Icon, 9));
    assert_eq!(brand.plan().ends_with(1).errors(), ["code-ignored"]);
}

#[test]
fn what_protect_matches_is_neither_deleted_nor_replaced() {
    let brand = Brand::new().in_step(1).portal_has("logo/acme-brand", 5).with("protect: [\"logo/acme-brand*\"]");
    brand.writing_nothing(|| {
        // Not declared: the entry would go.
        let output = brand.both("apply --yes").ends_with(4);
        assert_eq!(
            (output.changes(), output.refused()),
            (vec!["delete logo/acme-brand".to_owned()], vec!["allow_empty".to_owned(), "protect".to_owned()])
        );
        insta::assert_snapshot!(output.out(), @"
          - delete

          - logo/acme-brand  owned, not declared

        guard allow_empty: refused: the manifest declares no logos, which deletes 1
            logo/acme-brand
          help: if this is intended, pass --allow-empty

        guard protect: refused: 1 entry protected by `protect` would be changed
            logo/acme-brand
          help: if this is intended, remove the pattern from `protect` first

        Plan: 0 to create, 0 to replace, 1 to delete.
              1 unchanged, 0 unmanaged, 90 system.
        ");
        // Declared with another image.
        brand.draw("logo/acme-brand", &art(Kind::Logo, 6));
        let output = brand.both("apply --yes").ends_with(4);
        assert_eq!(
            (output.changes(), output.refused()),
            (vec!["replace logo/acme-brand".to_owned()], vec!["protect".to_owned()])
        );
        insta::assert_snapshot!(output.out(), @"
          -/+ replace

        -/+ logo/acme-brand  looks different (1264 of 3600 pixels)

        guard protect: refused: 1 entry protected by `protect` would be changed
            logo/acme-brand
          help: if this is intended, remove the pattern from `protect` first

        Plan: 0 to create, 1 to replace, 0 to delete.
              1 unchanged, 0 unmanaged, 90 system.
        ");
        // Declared with the same image: nothing to refuse.
        brand.draw("logo/acme-brand", &art(Kind::Logo, 5));
        brand.both("apply --yes").ends_with(0);
    });
    // The way out.
    brand.draw("logo/acme-brand", &art(Kind::Logo, 6));
    brand.rewrite(crate::common::MANIFEST);
    assert_eq!(brand.apply().ends_with(0).fates(), ["applied logo/acme-brand"]);
}

#[test]
fn a_protected_code_is_protected_in_other_case_too() {
    let brand = Brand::new().portal_has("icon/acme-Brand", 5).declares("icon/acme-brand", 5);
    for protect in ["acme-Brand", "acme-brand"] {
        brand.rewrite(format!("{}protect: [{protect}]\n", crate::common::MANIFEST));
        let output = brand.writing_nothing(|| brand.both("apply --yes").ends_with(4));
        assert_eq!(output.refused(), ["protect"], "{protect}");
    }
}

#[test]
fn what_may_be_created_may_be_protected() {
    let brand = Brand::new().declares("logo/acme-brand", 5).with("protect: [\"logo/acme-brand\"]");
    assert_eq!(brand.apply().ends_with(0).fates(), ["applied logo/acme-brand"]);
}

#[test]
fn what_looks_the_same_is_unchanged() {
    let brand = Brand::new().declares("icon/acme-a", 1).declares("logo/acme-b", 2);
    brand.seed("icon/acme-a", &reencoded(Kind::Icon, 1));
    brand.seed("logo/acme-b", &reencoded(Kind::Logo, 2));
    let output = brand.writing_nothing(|| brand.apply().ends_with(0));
    assert_eq!(output.json["summary"]["unchanged"], 2);
}

#[test]
fn what_looks_different_is_replaced_and_its_old_bytes_are_kept() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    let old = one_pixel_off(Kind::Icon, 1);
    brand.seed("icon/acme-a", &old);
    insta::assert_snapshot!(brand.run(["plan"]).stdout, @"
      -/+ replace

    -/+ icon/acme-a  looks different (1 of 576 pixels)

    Plan: 0 to create, 1 to replace, 0 to delete.
          0 unchanged, 0 unmanaged, 90 system.

    Next:
      brandctl apply              make these changes
      brandctl plan -o plan.json  save them, to apply exactly this plan later
    ");
    let output = brand.apply().ends_with(0);
    assert_eq!(output.fates(), ["applied icon/acme-a"]);
    assert_eq!(brand.image("icon/acme-a").unwrap(), art(Kind::Icon, 1));
    assert_eq!(kept(&output), [old]);
}

/// The portal stores nothing without a PNG's signature: such an answer is a proxy's page, and says nothing of the image.
#[test]
fn a_page_in_place_of_an_image_is_no_reason_to_replace_it() {
    for page in ["<html>log in</html>", "{\"error\": \"gone\"}"] {
        let brand = Brand::new().declares("icon/acme-a", 1);
        brand.seed("icon/acme-a", page.as_bytes());
        let output = brand.apply().ends_with(1);
        assert_eq!(output.json["unknown"][0]["address"], "icon/acme-a");
        assert!(brand.write_requests().is_empty());
        assert_eq!(brand.image("icon/acme-a").unwrap(), page.as_bytes());
    }
}

/// The old images in the run's folder.
pub(crate) fn kept(output: &crate::common::Output) -> Vec<Vec<u8>> {
    let folder = output.json["run"]["folder"].as_str().unwrap();
    let folder = output.folder.join(folder);
    let mut kept: Vec<_> = std::fs::read_dir(folder.join("old"))
        .unwrap()
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    kept.sort();
    kept
}

#[test]
fn a_code_spelt_in_other_case_is_one_replace() {
    for mark in [1, 2] {
        let brand = Brand::new().declares("icon/acme-call", 1).portal_has("icon/acme-Call", mark);
        let output = brand.plan().ends_with(0);
        assert_eq!(output.changes(), ["replace icon/acme-call"]);
        assert_eq!(output.json["changes"][0]["before"]["code"], "acme-Call");
        assert_eq!(output.json["changes"][0]["reason"], if mark == 1 { "respelt" } else { "looks-different" });
        assert!(brand.run(["plan"]).stdout.contains("spelt `acme-Call` on the portal"));
        assert_eq!(brand.apply().ends_with(0).fates(), ["applied icon/acme-call"]);
        assert_eq!(brand.live(), [("icon/acme-call".to_owned(), art(Kind::Icon, 1))]);
        assert!(brand.plan().ends_with(0).changes().is_empty());
    }
}

#[test]
fn a_code_spelt_in_other_case_that_is_not_owned_is_an_error() {
    let brand = Brand::new().declares("icon/acme-call", 1).declares("icon/acme-b", 2).portal_has("icon/Acme-Call", 1);
    brand.writing_nothing(|| {
        for line in ["plan", "drift", "apply --yes"] {
            let output = brand.both(line);
            assert_eq!((output.code, output.errors()), (1, vec!["code-respelt".to_owned()]), "{line}");
            assert!(output.stderr.contains("Acme-Call"), "{}", output.stderr);
        }
    });
}

#[test]
fn what_is_owned_and_not_declared_is_deleted_and_kept_when_prune_is_on() {
    let brand = Brand::new().in_step(2).portal_has("icon/acme-old", 5);
    insta::assert_snapshot!(brand.run(["plan"]).stdout, @"
      - delete

      - icon/acme-old  owned, not declared

    Plan: 0 to create, 0 to replace, 1 to delete.
          2 unchanged, 0 unmanaged, 90 system.

    Next:
      brandctl apply              make these changes
      brandctl plan -o plan.json  save them, to apply exactly this plan later
    ");
    let output = brand.apply().ends_with(0);
    assert_eq!((output.fates(), kept(&output)), (vec!["applied icon/acme-old".to_owned()], vec![art(Kind::Icon, 5)]));
    assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-01"]);
}

#[test]
fn what_is_owned_and_not_declared_stays_when_prune_is_off() {
    let brand = Brand::new().in_step(1).portal_has("icon/acme-old", 5).with("policy: {prune: false}");
    let output = brand.plan().ends_with(0);
    assert_eq!(output.json["unmanaged"][0], serde_json::json!({"address": "icon/acme-old", "why": "not-pruned"}));
    brand.writing_nothing(|| brand.apply().ends_with(0));
}

#[test]
fn what_is_declared_and_absent_is_created() {
    let brand = Brand::new().declares("icon/acme-a", 1).declares("logo/acme-a", 2);
    insta::assert_snapshot!(brand.run(["plan"]).stdout, @"
      + create

      + icon/acme-a  not on the portal
      + logo/acme-a  not on the portal

    Plan: 2 to create, 0 to replace, 0 to delete.
          0 unchanged, 0 unmanaged, 90 system.

    Next:
      brandctl apply              make these changes
      brandctl plan -o plan.json  save them, to apply exactly this plan later
    ");
    let human = brand.run(["apply", "--yes"]).ends_with(0);
    assert!(human.stdout.ends_with("Applied 2 changes and read back.\n"), "{}", human.stdout);
    let expected = [("icon/acme-a".to_owned(), art(Kind::Icon, 1)), ("logo/acme-a".to_owned(), art(Kind::Logo, 2))];
    assert_eq!(brand.live(), expected);
}

#[test]
fn what_could_not_be_fetched_is_unknown_and_never_changed() {
    let brand = Brand::new().declares("icon/acme-a", 1).portal_has("icon/acme-a", 2).portal_has("icon/acme-old", 3);
    brand.fail(Faults::one(On::Download, When::Every, FaultAction::Html(404)));
    brand.writing_nothing(|| {
        for line in ["plan", "drift", "apply --yes"] {
            let output = brand.both(line);
            assert_eq!(output.code, 1, "{line}");
            assert!(output.changes().is_empty());
            let unknown: Vec<_> =
                output.json["unknown"].as_array().unwrap().iter().map(|entry| &entry["address"]).collect();
            assert_eq!(unknown, ["icon/acme-a", "icon/acme-old"]);
            assert!(output.text().contains("icon/acme-old"), "{output:?}");
        }
    });
}

#[test]
fn what_could_not_be_fetched_is_changed_knowingly_with_allow_unbacked() {
    let brand = Brand::new().declares("icon/acme-a", 1).portal_has("icon/acme-a", 2).portal_has("icon/acme-old", 3);
    // Reading back what was written works again.
    let failing = |times: u64| {
        (1..=times).fold(Faults::none(), |faults, n| {
            faults.and(
                On::Download,
                When::Nth(n),
                FaultAction::Status { code: 404, body: String::new(), content_type: "text/plain".to_owned() },
            )
        })
    };
    brand.fail(Faults::one(On::Download, When::Every, FaultAction::Html(404)));
    let output = brand.writing_nothing(|| brand.both("plan --allow-unbacked").ends_with(0));
    assert_eq!(output.changes(), ["replace icon/acme-a", "delete icon/acme-old"]);
    let guard = output.json["guards"].as_array().unwrap().iter().find(|guard| guard["guard"] == "unbacked").unwrap();
    assert_eq!(guard["outcome"], "allowed");
    brand.fail(failing(2));
    let output = brand.apply_with("--allow-unbacked");
    assert_eq!(output.fates(), ["applied icon/acme-a", "applied icon/acme-old"], "{output:?}");
    assert_eq!(brand.live(), [("icon/acme-a".to_owned(), art(Kind::Icon, 1))]);
}

#[test]
fn a_kind_that_the_manifest_does_not_name_is_left_whole() {
    let brand = Brand::new()
        .manifest("version: 1\nowns: [\"acme-*\"]\nicons: icons/\n")
        .declares("icon/acme-a", 1)
        .portal_has("logo/acme-old", 2);
    let output = brand.apply().ends_with(0);
    assert_eq!(output.changes(), ["create icon/acme-a"]);
    assert_eq!(output.json["unmanaged"][0], serde_json::json!({"address": "logo/acme-old", "why": "kind-absent"}));
    assert_eq!(brand.codes(), ["icon/acme-a", "logo/acme-old"]);
}

#[test]
fn one_code_in_both_kinds_is_two_entries() {
    let brand = Brand::new().in_step(1).portal_has("logo/acme-00", 9);
    brand.rewrite("version: 1\nowns: [\"icon/acme-*\"]\nicons: icons/\nlogos: {}\n");
    brand.writing_nothing(|| brand.apply().ends_with(0));
}
