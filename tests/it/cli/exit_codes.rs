//! The table of exit codes, and which one wins: the same for people and for programs.

use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};

use crate::common::{Brand, art, found};

/// Downloads fail, so that an entry's content is unknown.
fn blind(brand: Brand) -> Brand {
    brand.failing(On::Download, When::Every, FaultAction::Html(404))
}

#[test]
fn zero_when_nothing_is_to_do() {
    let brand = Brand::new().in_step(2);
    for line in ["validate", "plan", "plan --detailed-exitcode", "drift", "apply --yes"] {
        let output = brand.writing_nothing(|| brand.both(line));
        assert_eq!(output.code, 0, "{line}: {output:?}");
    }
    insta::assert_snapshot!(brand.run(["plan"]).stdout, @"Nothing to do. 2 unchanged, 0 unmanaged, 90 system.");
    insta::assert_snapshot!(brand.run(["drift"]).stdout, @"No drift: PORTAL matches the manifest. 2 unchanged, 0 unmanaged, 90 system.");
}

#[test]
fn two_when_and_only_when_changes_are_listed() {
    let brand = Brand::new().in_step(2).declares("icon/acme-new", 9);
    brand.writing_nothing(|| {
        assert_eq!(brand.both("plan").code, 0);
        for line in ["plan --detailed-exitcode", "drift"] {
            let output = brand.both(line);
            assert_eq!((output.code, output.changes()), (2, vec!["create icon/acme-new".to_owned()]), "{line}");
        }
        for line in ["plan --detailed-exitcode --only acme-00", "drift --only acme-00"] {
            let output = brand.both(line);
            assert_eq!((output.code, output.changes()), (0, vec![]), "{line}");
        }
    });
}

#[test]
fn one_for_an_error_whatever_the_format() {
    let brand = Brand::new().in_step(1).manifest("version: 1\nowns: [\"acme-*\"]\nlogo: {}\n");
    for line in ["validate", "plan", "plan --detailed-exitcode", "drift", "apply --yes"] {
        let output = brand.writing_nothing(|| brand.both(line));
        assert_eq!((output.code, output.errors()), (1, vec!["unknown-key".to_owned()]), "{line}");
    }
}

#[test]
fn one_for_a_typing_error_in_the_flags() {
    let brand = Brand::new().in_step(1);
    for line in ["plan --onyl x", "drift --detailed-exitcode", "aply", "", "plan --format xml", "apply --rps"] {
        let output = brand.run(line.split_whitespace()).ends_with(1);
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{line}: {output:?}");
    }
    assert!(brand.portal.requests().is_empty());
    for line in ["--help", "plan --help", "apply -h", "--version"] {
        let output = brand.run(line.split_whitespace()).ends_with(0);
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{line}: {output:?}");
    }
}

#[test]
fn one_without_credentials() {
    let brand = Brand::new().in_step(1).with_webhook(None);
    for line in ["plan", "drift", "apply --yes"] {
        let output = brand.both(line);
        assert_eq!((output.code, output.errors()), (1, vec!["credentials".to_owned()]), "{line}");
        assert!(output.stderr.contains("BITRIX24_WEBHOOK_URL"), "{line}: {}", output.stderr);
    }
    brand.both("validate").ends_with(0);
}

#[test]
fn one_when_nobody_can_be_asked() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    let output = brand.writing_nothing(|| brand.both("apply").ends_with(1));
    insta::assert_snapshot!(output.out(), @"");
    insta::assert_snapshot!(output.err(), @"
    error[unasked]: cannot ask: stdin is not a terminal
      = help: pass --yes to go on without asking, or apply a saved plan
    ");
}

#[test]
fn one_when_something_could_not_be_determined_even_with_changes() {
    let brand = blind(Brand::new().in_step(1).declares("icon/acme-new", 9));
    brand.writing_nothing(|| {
        for line in ["plan", "plan --detailed-exitcode", "drift"] {
            let output = brand.both(line);
            assert_eq!(output.code, 1, "{line}");
            assert_eq!(output.changes(), ["create icon/acme-new"]);
            assert_eq!(output.json["unknown"][0]["address"], "icon/acme-00");
        }
    });
    // What is known is done all the same.
    let once = FaultAction::Status { code: 404, body: String::new(), content_type: "text/plain".to_owned() };
    brand.fail(Faults::one(On::Download, When::Nth(1), once));
    let output = brand.apply().ends_with(1);
    assert_eq!(output.fates(), ["applied icon/acme-new"]);
}

#[test]
fn four_when_a_guard_refuses_and_the_plan_is_saved_all_the_same() {
    let brand = Brand::new().in_step(4).with("policy: {max_deletes: 1}");
    for number in 0..2 {
        brand.undeclare(&format!("icon/acme-{number:02}"));
    }
    brand.writing_nothing(|| {
        for line in ["plan", "plan --detailed-exitcode", "plan -o plan.json", "apply --yes"] {
            let output = brand.both(line);
            assert_eq!((output.code, output.refused()), (4, vec!["max_deletes".to_owned()]), "{line}: {output:?}");
            assert_eq!(output.changes(), ["delete icon/acme-00", "delete icon/acme-01"]);
        }
        // Drift knows no guards.
        assert_eq!(brand.both("drift").code, 2);
        // The saved plan meets the guard again, and says so in every format.
        let output = brand.both("apply plan.json").ends_with(4);
        insta::assert_snapshot!(output.out(), @"
          - delete

          - icon/acme-00  owned, not declared
          - icon/acme-01  owned, not declared

        guard max_deletes: refused: 2 of 4 owned icons would be deleted; at most 1 may be
            icon/acme-00
            icon/acme-01
          help: if this is intended, pass --max-deletes 2

        Plan: 0 to create, 0 to replace, 2 to delete.
              2 unchanged, 0 unmanaged, 90 system.
        ");
        insta::assert_snapshot!(output.err(), @"portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL");
    });
    brand.json("apply plan.json --max-deletes 2").ends_with(0);
    assert_eq!(brand.codes(), ["icon/acme-02", "icon/acme-03"]);
}

#[test]
fn an_error_wins_over_a_guard_when_planning_and_loses_to_it_when_applying() {
    let brand = blind(Brand::new().in_step(2).portal_has("icon/acme-brand", 7).with("protect: [acme-brand]"));
    brand.undeclare("icon/acme-00");
    brand.undeclare("icon/acme-01");
    // acme-brand would be deleted, which `protect` refuses; it cannot be fetched either.
    brand.rewrite("version: 1\nowns: [\"acme-*\"]\nicons: icons/\nprotect: [acme-brand]\npolicy: {max_deletes: 0}\n");
    brand.draw("icon/acme-00", &art(brandctl::domain::asset::Kind::Icon, 0));
    brand.portal.remove(brandctl::domain::asset::Kind::Icon, "acme-01").unwrap();
    brand.writing_nothing(|| {
        let options = "--allow-unbacked";
        let refused = brand.both(&format!("plan {options}")).ends_with(4);
        assert_eq!(refused.refused(), ["max_deletes", "protect"]);
        let options = "--allow-unbacked --only acme-brand --only nothing-like-it";
        assert_eq!(brand.both(&format!("plan {options}")).code, 1);
        assert_eq!(brand.both(&format!("plan {options} --detailed-exitcode")).code, 1);
        assert_eq!(brand.both(&format!("drift {options}")).code, 1);
        assert_eq!(brand.both(&format!("apply --yes {options}")).code, 4);
    });
}

#[test]
fn three_when_something_was_written_and_something_was_not() {
    let brand = Brand::new().in_step(1).declares("icon/acme-new", 9).failing(
        On::Inner("*.delete".to_owned()),
        When::Nth(1),
        FaultAction::RefuseCommand {
            method: "*.delete".to_owned(),
            code: "ACCESS_DENIED".to_owned(),
            description: "Access denied".to_owned(),
            status: 400,
        },
    );
    brand.undeclare("icon/acme-00");
    let output = brand.apply().ends_with(3);
    assert_eq!(output.fates(), ["failed icon/acme-00", "applied icon/acme-new"]);
    assert!(output.json["changes"][0]["why"].as_str().unwrap().contains("ACCESS_DENIED"));
    // The next one has only what failed, and nothing took effect: an error.
    let output = brand.apply().ends_with(1);
    assert_eq!(output.fates(), ["failed icon/acme-00"]);
    brand.fail(Faults::none());
    let human = brand.run(["apply", "--yes"]).ends_with(0);
    assert!(human.stdout.contains("Applied 1 change"), "{}", human.stdout);
}

#[test]
fn json_is_whole_when_the_portal_is_down() {
    let down = "http://127.0.0.1:9/rest/1/abcdefgh12345678/";
    let brand = Brand::new().in_step(1).with_webhook(Some(down));
    for line in ["plan --timeout 2", "drift --timeout 2", "apply --yes --timeout 2"] {
        let output = brand.both(line);
        assert_eq!((output.code, output.errors()), (1, vec!["portal".to_owned()]), "{line}: {output:?}");
        assert!(found(&output.json, "error")[0]["message"].as_str().unwrap().contains("127.0.0.1:9"), "{output:?}");
        assert!(!output.text().contains("abcdefgh12345678"));
    }
}

#[test]
fn json_is_whole_before_two_three_and_four() {
    // Each of these was parsed and held against the schema by `json`.
    let brand = Brand::new().in_step(3);
    brand.undeclare("icon/acme-00");
    assert_eq!(brand.json("plan --detailed-exitcode").code, 2);
    assert_eq!(brand.json("drift").code, 2);
    brand.undeclare("icon/acme-01");
    assert_eq!(brand.json("plan --detailed-exitcode").code, 4);
    let output = brand.json("plan --detailed-exitcode");
    for key in ["changes", "unmanaged", "unknown", "guards", "summary", "missing", "findings", "plan_sha256", "portal"]
    {
        assert!(output.json.get(key).is_some(), "{key} is missing");
    }
    assert_eq!(output.json["format_version"], 2);
    assert!(output.json.get("contents").is_none(), "digests only on standard output");
}
