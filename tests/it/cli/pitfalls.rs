//! Bugs that other reconcilers had, each with the test that ours does not have it. The names say who had it.

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};

use crate::common::{Brand, MANIFEST, art, one_pixel_off, reencoded};

#[test]
fn octodns_guards_hold_at_every_size() {
    for count in [1, 2, 9] {
        let brand = Brand::new().in_step(count);
        for number in 0..count {
            brand.undeclare(&format!("icon/acme-{number:02}"));
        }
        let refused = brand.writing_nothing(|| brand.both("apply --yes").ends_with(4)).refused();
        let expected = if count == 1 { vec!["allow_empty"] } else { vec!["max_deletes", "allow_empty"] };
        assert_eq!(refused, expected, "{count} of {count}");
        // Each is its own key: one does not open the other.
        if count > 1 {
            let refused = brand.writing_nothing(|| brand.both("apply --yes --allow-empty").ends_with(4)).refused();
            assert_eq!(refused, ["max_deletes"]);
        }
        let most = format!("--max-deletes {count}");
        let refused = brand.writing_nothing(|| brand.both(&format!("apply --yes {most}")).ends_with(4)).refused();
        assert_eq!(refused, ["allow_empty"]);
        brand.apply_with(&format!("--allow-empty {most}")).ends_with(0);
        assert!(brand.codes().is_empty());
    }
}

#[test]
fn octodns_the_default_bound_is_half_of_what_is_owned_and_at_least_one() {
    for (owned, deleted, code) in [(2, 1, 0), (3, 1, 0), (3, 2, 4), (9, 4, 0), (9, 5, 4), (30, 10, 0), (30, 11, 4)] {
        let brand = Brand::new().in_step(owned);
        for number in 0..deleted {
            brand.undeclare(&format!("icon/acme-{number:02}"));
        }
        assert_eq!(brand.plan().code, code, "{deleted} of {owned}");
    }
}

#[test]
fn deck_an_icon_folder_that_is_gone_wants_nothing_deleted() {
    let brand = Brand::new().in_step(2);
    std::fs::remove_dir_all(brand.path("icons")).unwrap();
    brand.writing_nothing(|| {
        let output = brand.both("apply --yes --allow-empty --max-deletes 9").ends_with(1);
        assert_eq!(output.errors(), ["folder-unreadable"]);
    });
}

#[test]
fn safe_settings_plan_and_drift_write_nothing() {
    let brand = Brand::new()
        .in_step(3)
        .declares("icon/acme-new", 9)
        .portal_has("icon/acme-old", 8)
        .portal_has("icon/acme-NEW", 7);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.writing_nothing(|| {
        for line in [
            "validate",
            "plan",
            "plan --refresh",
            "plan -o plan.json",
            "plan --allow-empty --allow-unbacked --max-deletes 99",
            "drift",
            "drift --allow-unbacked",
            "list",
            "list --refresh --system",
            "export out --overwrite",
            "plan --against out",
            "doctor",
            "log list --entity deal:12",
            "log get 1",
        ] {
            brand.both(line);
        }
    });
    // An apply that is refused or has nobody to ask writes nothing either.
    brand.writing_nothing(|| {
        brand.run(["apply"]).ends_with(1);
        brand.run(["apply", "--yes", "--max-deletes", "0"]).ends_with(4);
    });
}

#[test]
fn safe_settings_plan_and_drift_need_no_administrator_and_apply_says_so_before_it_writes() {
    let brand = Brand::new().declares("icon/acme-new", 9).without_rights();
    assert_eq!(brand.plan().ends_with(0).changes(), ["create icon/acme-new"]);
    brand.both("drift").ends_with(2);
    brand.writing_nothing(|| {
        let output = brand.both("apply --yes").ends_with(1);
        insta::assert_snapshot!(output.out(), @"
          + create

          + icon/acme-new  not on the portal

        Plan: 1 to create, 0 to replace, 0 to delete.
              0 unchanged, 0 unmanaged, 90 system.
        ");
        insta::assert_snapshot!(output.err(), @"
        portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
        warning[low-contrast]: the image has little contrast: 1.3:1 on the blue marker of activities (#2fc6f6), 1.4:1 on the white marker of log entries
        --> icons/acme-new.png (icon/acme-new)
         = help: draw it in a darker colour, or give it a dark outline

        error[portal]: the user behind these credentials is not an administrator, and only administrators may write
          = help: use a webhook that an administrator of the portal made
        ");
    });
}

#[test]
fn kubectl_removing_the_last_logo_is_seen() {
    let brand = Brand::new().in_step(1).portal_has("logo/acme-last", 5);
    let output = brand.both("drift").ends_with(2);
    assert_eq!(output.changes(), ["delete logo/acme-last"]);
    assert_eq!(brand.both("plan").ends_with(4).refused(), ["allow_empty"]);
    brand.apply_with("--allow-empty").ends_with(0);
    assert_eq!(brand.codes(), ["icon/acme-00"]);
}

#[test]
fn kubectl_only_bounds_every_delete() {
    let brand = Brand::new()
        .in_step(4)
        .portal_has("icon/acme-old-1", 50)
        .portal_has("icon/acme-old-2", 51)
        .portal_has("logo/acme-old-1", 52)
        .portal_has("icon/other", 53);
    for (only, expected) in [
        ("--only icon/acme-old-1", vec!["delete icon/acme-old-1"]),
        ("--only icon/acme-old-* --max-deletes 9", vec!["delete icon/acme-old-1", "delete icon/acme-old-2"]),
        ("--only acme-old-1 --allow-empty", vec!["delete icon/acme-old-1", "delete logo/acme-old-1"]),
        ("--only acme-00", vec![]),
    ] {
        assert_eq!(brand.both(&format!("plan {only}")).ends_with(0).changes(), expected, "{only}");
    }
    // What `owns` does not match is not reached by asking for it.
    brand.writing_nothing(|| {
        let output = brand.both("apply --yes --only other --only icon/*").ends_with(1);
        assert_eq!(output.errors(), ["only-matches-nothing"]);
    });
    brand.apply_with("--only icon/acme-old-1").ends_with(0);
    assert!(!brand.codes().contains(&"icon/acme-old-1".to_owned()));
    assert_eq!(brand.codes().len(), 7);
}

#[test]
fn terraform_protection_outlives_the_entry() {
    let brand = Brand::new().in_step(2).with("protect: [acme-00]");
    brand.undeclare("icon/acme-00");
    brand.writing_nothing(|| {
        for line in ["apply --yes", "apply --yes --max-deletes 9 --allow-empty --allow-unbacked"] {
            assert_eq!(brand.both(line).ends_with(4).refused(), ["protect"], "{line}");
        }
    });
}

#[test]
fn peribolos_max_deletes_stops_a_widened_scope() {
    let mut brand = Brand::new().in_step(2);
    for number in 0..30 {
        brand = brand.portal_has(&format!("icon/other-{number}"), number);
    }
    brand.rewrite(MANIFEST.replace("acme-*", "*"));
    brand.writing_nothing(|| assert_eq!(brand.both("apply --yes").ends_with(1).errors(), ["prune-unstated"]));
    brand.rewrite(format!("{}policy: {{prune: true}}\n", MANIFEST.replace("acme-*", "*")));
    brand.writing_nothing(|| assert_eq!(brand.both("apply --yes").ends_with(4).refused(), ["max_deletes"]));
}

#[test]
fn deck_apply_then_plan_is_empty() {
    let brand = Brand::new()
        .in_step(3)
        .declares("icon/acme-new", 9)
        .declares("logo/acme-new", 9)
        .portal_has("icon/acme-Call", 7)
        .declares("icon/acme-call", 7)
        .portal_has("icon/acme-old", 6);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    let output = brand.apply().ends_with(0);
    assert_eq!(
        output.changes(),
        [
            "replace icon/acme-00",
            "replace icon/acme-call",
            "create icon/acme-new",
            "delete icon/acme-old",
            "create logo/acme-new"
        ]
    );
    let empty = || {
        brand.writing_nothing(|| {
            for line in ["plan --detailed-exitcode", "plan --detailed-exitcode --refresh", "drift", "apply --yes"] {
                assert!(brand.both(line).ends_with(0).changes().is_empty(), "{line}");
            }
        });
    };
    empty();
    brand.portal.rotate_uris().unwrap();
    empty();
    brand.seed("icon/acme-new", &reencoded(Kind::Icon, 9));
    brand.seed("logo/acme-new", &reencoded(Kind::Logo, 9));
    empty();
}

#[test]
fn okta_one_pixel_is_one_replace() {
    let brand = Brand::new().in_step(5);
    brand.plan().ends_with(0);
    brand.draw("icon/acme-03", &one_pixel_off(Kind::Icon, 3));
    let output = brand.apply().ends_with(0);
    assert_eq!(output.fates(), ["applied icon/acme-03"]);
    // And the other way round: somebody else uploaded another image under the same code.
    brand.seed("icon/acme-01", &one_pixel_off(Kind::Icon, 1));
    let output = brand.both("drift").ends_with(2);
    assert_eq!(output.changes(), ["replace icon/acme-01"]);
}

#[test]
fn slack_emoji_a_vanished_code_is_created_again() {
    let brand = Brand::new().in_step(3);
    brand.plan().ends_with(0);
    brand.portal.remove(Kind::Icon, "acme-01").unwrap();
    assert_eq!(brand.apply().ends_with(0).fates(), ["applied icon/acme-01"]);
    assert_eq!(brand.codes().len(), 3);
}

#[test]
fn deck_a_rename_works_in_any_order() {
    for (old, new) in [("acme-a", "acme-b"), ("acme-b", "acme-a")] {
        let brand = Brand::new()
            .portal_has(&format!("icon/{old}"), 1)
            .declares(&format!("icon/{new}"), 1)
            .declares("icon/acme-stays", 2)
            .portal_has("icon/acme-stays", 2);
        let output = brand.plan().ends_with(0);
        for change in output.json["changes"].as_array().unwrap() {
            assert!(change["rename"].is_string(), "{change}");
        }
        assert!(brand.run(["plan"]).stdout.contains(&format!("renamed from icon/{old}")));
        brand.apply().ends_with(0);
        assert_eq!(brand.codes(), [format!("icon/{new}"), "icon/acme-stays".to_owned()]);
    }
}

#[test]
fn deck_two_codes_swap_their_images() {
    let brand = Brand::new()
        .declares("icon/acme-a", 1)
        .declares("icon/acme-b", 2)
        .portal_has("icon/acme-a", 2)
        .portal_has("icon/acme-b", 1);
    assert_eq!(brand.apply().ends_with(0).changes(), ["replace icon/acme-a", "replace icon/acme-b"]);
    assert_eq!(brand.image("icon/acme-a").unwrap(), art(Kind::Icon, 1));
    assert_eq!(brand.image("icon/acme-b").unwrap(), art(Kind::Icon, 2));
}

#[test]
fn octodns_one_bad_step_does_not_stop_the_others() {
    let brand = Brand::new().in_step(2).declares("icon/acme-b", 50).declares("icon/acme-c", 51).failing(
        On::Inner("*.add".to_owned()),
        When::Nth(1),
        FaultAction::RefuseCommand {
            method: "*.add".to_owned(),
            code: "FILE_SAVE_ERROR".to_owned(),
            description: "File not saved".to_owned(),
            status: 400,
        },
    );
    brand.undeclare("icon/acme-00");
    let output = brand.apply().ends_with(3);
    assert_eq!(output.fates(), ["applied icon/acme-00", "failed icon/acme-b", "failed icon/acme-c"]);
    brand.fail(Faults::none());
    brand.apply().ends_with(0);
    assert_eq!(brand.codes(), ["icon/acme-01", "icon/acme-b", "icon/acme-c"]);
}

#[test]
fn deck_numbers_that_would_hang_are_refused() {
    let brand = Brand::new().in_step(1);
    for options in ["--rps 0", "--rps=-1", "--rps nan", "--rps inf", "--rps x", "--timeout 0", "--timeout=-5"] {
        let output = brand.run(["plan"].into_iter().chain(options.split(' '))).ends_with(1);
        assert!(output.stderr.contains(options.split([' ', '=']).next().unwrap()), "{options}: {}", output.stderr);
    }
    brand.run(["apply", "--yes", "--settle=-1"]).ends_with(1);
    assert!(brand.portal.requests().is_empty());
}

#[test]
fn crest_every_byte_of_every_image_arrives() {
    // Base64 with `+` and `/`, in a batch and alone.
    let mut brand = Brand::new();
    for mark in 0..60 {
        brand = brand.declares(&format!("logo/acme-{mark:02}"), mark * 4);
    }
    brand.apply().ends_with(0);
    for mark in 0..60 {
        assert_eq!(brand.image(&format!("logo/acme-{mark:02}")).unwrap(), art(Kind::Logo, mark * 4));
    }
    let brand = Brand::new().declares("logo/acme-a", 3).failing(On::Any, When::Every, FaultAction::NotAllowedInBatch);
    brand.apply().ends_with(0);
    assert_eq!(brand.image("logo/acme-a").unwrap(), art(Kind::Logo, 3));
}

#[test]
fn dnscontrol_ignored_and_system_entries_survive_single_calls_too() {
    let brand = Brand::new()
        .in_step(2)
        .with("ignore: [\"acme-lab-*\"]\nprotect: [acme-brand]")
        .declares("icon/acme-new", 9)
        .declares("icon/acme-brand", 20)
        .portal_has("icon/acme-brand", 20)
        .portal_has("icon/acme-lab-1", 21)
        .portal_has("icon/other", 22)
        .failing(On::Any, When::Every, FaultAction::NotAllowedInBatch);
    brand.portal.make_system(Kind::Icon, "acme-sys").unwrap();
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
    let output = brand.apply().ends_with(0);
    assert_eq!(output.fates(), ["applied icon/acme-00", "applied icon/acme-01", "applied icon/acme-new"]);
    assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-brand", "icon/acme-lab-1", "icon/acme-new", "icon/other"]);
    let touched: Vec<_> = brand
        .write_requests()
        .iter()
        .filter(|r| r.wrote)
        .flat_map(|r| r.commands.clone())
        .filter_map(|c| c.code)
        .collect();
    assert!(touched.iter().all(|code| ["acme-00", "acme-01", "acme-new"].contains(&code.as_str())), "{touched:?}");
}

#[test]
fn a_null_in_the_list_and_a_stale_list_are_no_news() {
    let brand = Brand::new().in_step(2).declares("icon/acme-new", 9);
    brand.portal.set_null_element(true);
    brand.portal.set_stale_icon_list(true);
    let output = brand.apply().ends_with(0);
    assert_eq!(output.fates(), ["applied icon/acme-new"]);
    brand.portal.set_stale_icon_list(false);
    assert!(brand.plan().ends_with(0).changes().is_empty());
}
