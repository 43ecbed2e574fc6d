//! `plan --against`: an export stands for the portal, for who has no credentials. Such a plan is shown and never applied.

use std::fs;

use brandctl::domain::asset::Kind;
use brandctl::format::Document;
use brandctl::sandbox::faults::{FaultAction, On, When};
use serde_json::Value;

use super::export::tree;
use crate::common::{Brand, MANIFEST, art, found};

/// A brand that differs from its portal in every way, and an export of that portal in `snapshot`.
fn brand() -> Brand {
    let brand = Brand::new()
        .in_step(6)
        .declares("icon/acme-new", 20)
        .declares("icon/acme-changed", 21)
        .portal_has("icon/acme-changed", 22)
        .portal_has("icon/acme-gone", 23)
        .portal_has("icon/other", 24)
        .portal_has("logo/other", 25);
    brand.json("export snapshot").ends_with(0);
    brand
}

/// The brand without anything that the environment could say of a portal.
fn offline(brand: Brand) -> Brand {
    let _ = fs::remove_dir_all(brand.path(".brandctl"));
    brand.with_webhook(None)
}

fn rewrite_snapshot(brand: &Brand, change: impl FnOnce(&mut Value)) {
    let path = brand.path("snapshot/portal.json");
    let mut snapshot = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut snapshot);
    fs::write(path, serde_json::to_vec(&snapshot).unwrap()).unwrap();
}

#[test]
fn it_is_the_plan_that_the_portal_itself_would_get() {
    let brand = brand();
    let real = brand.both("plan --detailed-exitcode").ends_with(2);
    let brand = offline(brand);
    let requests = brand.portal.requests().len();
    let plan = brand.both("plan --against snapshot --detailed-exitcode").ends_with(2);
    assert_eq!(brand.portal.requests().len(), requests, "the portal was asked");
    assert!(!brand.path(".brandctl").exists(), "a state folder was made");
    assert_eq!(plan.changes(), ["replace icon/acme-changed", "delete icon/acme-gone", "create icon/acme-new"]);
    assert_eq!(plan.changes(), real.changes());
    for key in ["summary", "unmanaged", "guards", "portal"] {
        assert_eq!(plan.json[key], real.json[key], "{key}");
    }
    assert_eq!((&plan.json["against"], &real.json["against"]), (&Value::from("export"), &Value::Null));
    let said = "This plan was made against an export of PORTAL: it can be shown, but not applied.\n";
    let (real, next) = real.stdout.split_once("\nNext:\n").unwrap();
    assert_eq!(plan.stdout, format!("{real}{said}"));
    assert!(next.contains("brandctl apply"), "{next}");
}

#[test]
fn an_open_run_is_left_as_it_is() {
    let brand = brand();
    brand.apply_with("--only acme-new").ends_with(0);
    let state = || tree(&brand.path(".brandctl"));
    let (journal, bytes) = state().into_iter().find(|(path, _)| path.ends_with("journal.jsonl")).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (begun, _) = text.trim_end().rsplit_once('\n').unwrap();
    fs::write(brand.path(".brandctl").join(journal), format!("{begun}\n")).unwrap();
    let before = state();
    let plan = brand.both("plan --against snapshot").ends_with(0);
    assert!(state() == before && !plan.stderr.contains("run"), "{}", plan.stderr);
    // One that looks at the portal settles it.
    brand.json("plan").ends_with(0);
    assert!(state() != before, "the run was not open");
}

#[test]
fn the_options_of_a_plan_work() {
    let brand = offline(brand());
    let plan = brand.json("plan --against snapshot --only icon/acme-n*").ends_with(0);
    assert_eq!(plan.changes(), ["create icon/acme-new"]);
    let plan = brand.both("plan --against snapshot --only acme-nowhere").ends_with(1);
    assert_eq!(plan.errors(), ["only-matches-nothing"]);
    assert_eq!(brand.both("plan --against snapshot --max-deletes 0").ends_with(4).refused(), ["max_deletes"]);
    brand
        .run(["plan", "--against", "snapshot", "--format", "diff", "--report", "p.html", "--report", "p.md"])
        .ends_with(0);
    for report in ["p.html", "p.md"] {
        let text = fs::read_to_string(brand.path(report)).unwrap();
        assert!(text.contains("against an export: it can be shown, but not applied"), "{report}");
    }
    for line in ["plan --against snapshot --sandbox", "plan --against snapshot --refresh", "apply --against snapshot"] {
        let output = brand.run(line.split(' ')).ends_with(1);
        assert!(output.stderr.contains("--against"), "{line}: {}", output.stderr);
    }
    brand.undeclare("icon/acme-new");
    fs::write(brand.path("icons/acme-new.png"), "no PNG").unwrap();
    assert_eq!(brand.both("plan --against snapshot").ends_with(1).errors(), ["png-format"]);
}

#[test]
fn it_is_saved_and_shown_and_never_applied() {
    let brand = brand();
    brand.json("plan --against snapshot -o plan.json").ends_with(0);
    let shown = brand.both("show plan.json").ends_with(0);
    insta::assert_snapshot!(shown.out(), @"
    warning[low-contrast]: 8 findings of this rule
      + create   -/+ replace   - delete

    -/+ icon/acme-changed  looks different (208 of 576 pixels)
      - icon/acme-gone     owned, not declared
      + icon/acme-new      not on the portal

    Plan: 1 to create, 1 to replace, 1 to delete.
          6 unchanged, 2 unmanaged (-v lists them), 90 system.
    This plan was made against an export of PORTAL: it can be shown, but not applied.
    ");
    assert_eq!((&shown.json["against"], shown.changes().len()), (&Value::from("export"), 3));

    // With the credentials of an administrator, and the portal just as it was exported.
    for line in ["apply plan.json", "restore plan.json --yes"] {
        let output = brand.writing_nothing(|| brand.both(line).ends_with(1));
        assert_eq!(output.errors(), ["plan"], "{line}");
        assert!(output.stderr.contains("it was made against an export"), "{line}: {}", output.stderr);
    }
    assert!(brand.apply_saved("plan.json").stderr.is_empty());

    let saved: Value = serde_json::from_slice(&fs::read(brand.path("plan.json")).unwrap()).unwrap();
    for forged in [Value::Null, Value::from("portal")] {
        let mut plan = saved.clone();
        plan["against"] = forged;
        fs::write(brand.path("forged.json"), plan.to_string()).unwrap();
        let output = brand.writing_nothing(|| brand.both("apply forged.json").ends_with(1));
        assert_eq!(output.errors(), ["plan"]);
    }
    let mut plan = saved;
    plan.as_object_mut().unwrap().remove("against");
    fs::write(brand.path("forged.json"), plan.to_string()).unwrap();
    let output = brand.writing_nothing(|| brand.both("apply forged.json").ends_with(1));
    insta::assert_snapshot!(output.err(), @"
    error[plan]: forged.json cannot be used: it was altered after it was saved: its content does not match its digest
      = help: make a new one with `brandctl plan -o`
    ");

    // A new digest makes a new plan: it is compared with the portal as any other. What it would
    // replace is not where an export says it is, so its preconditions go by the images themselves.
    let mut document: Document = serde_json::from_value(plan).unwrap();
    document.plan_sha256 = None;
    document.plan_sha256 = Some(document.digest().unwrap());
    fs::write(brand.path("forged.json"), serde_json::to_vec(&document).unwrap()).unwrap();
    brand.seed("icon/acme-changed", &art(Kind::Icon, 99));
    let output = brand.writing_nothing(|| brand.json("apply forged.json").ends_with(5));
    assert_eq!(output.errors(), ["plan-stale"]);
}

#[test]
fn an_altered_export_is_an_error_and_never_a_plan() {
    let brand = offline(brand());
    let image = brand.path("snapshot/icons/acme-gone.png");
    let whole = fs::read(&image).unwrap();
    let refused = |what: &str, rule: &str| {
        let output = brand.both("plan --against snapshot").ends_with(1);
        assert_eq!(output.errors(), [rule], "{what}");
        assert!(output.changes().is_empty() && output.stdout.is_empty(), "{what}: {output:?}");
        output
    };
    fs::write(&image, art(Kind::Icon, 77)).unwrap();
    let output = refused("other bytes", "export-altered");
    assert!(
        output.stderr.contains("`icons/acme-gone.png` does not have the bytes that were exported"),
        "{}",
        output.stderr
    );
    fs::remove_file(&image).unwrap();
    let output = refused("missing", "export-altered");
    assert!(output.stderr.contains("`icons/acme-gone.png` cannot be read"), "{}", output.stderr);
    fs::write(&image, &whole).unwrap();

    let snapshot = fs::read(brand.path("snapshot/portal.json")).unwrap();
    let paths = ["../icons/acme-new.png", "/etc/hostname", "icons/../../icons/acme-new.png", "C:\\x", ""];
    // Several spellings of one file would be read and kept several times.
    for path in paths.into_iter().chain(["icons//acme-00.png", "./icons/acme-00.png", "icons/./acme-00.png"]) {
        rewrite_snapshot(&brand, |snapshot| snapshot["entries"][0]["file"] = path.into());
        let output = refused(path, "export-altered");
        assert!(output.stderr.contains("is not a path inside it"), "{path}: {}", output.stderr);
    }
    fs::write(brand.path("snapshot/portal.json"), &snapshot).unwrap();
    rewrite_snapshot(&brand, |snapshot| {
        let mut again = snapshot["entries"][0].clone();
        again["code"] = "acme-again".into();
        snapshot["entries"].as_array_mut().unwrap().push(again);
    });
    let output = refused("named twice", "export-altered");
    assert!(output.stderr.contains("several entries have the file `icons/acme-00.png`"), "{}", output.stderr);

    for text in [&b""[..], b"{}", b"[]", &snapshot[..snapshot.len() / 2], br#"{"format_version":9}"#] {
        fs::write(brand.path("snapshot/portal.json"), text).unwrap();
        refused("no snapshot", "export-unreadable");
    }
    fs::remove_file(brand.path("snapshot/portal.json")).unwrap();
    let output = refused("no portal.json", "export-unreadable");
    assert!(output.stderr.contains("name a folder that `brandctl export` wrote"), "{}", output.stderr);
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_export_is_not_followed() {
    let brand = offline(brand());
    let image = brand.path("snapshot/icons/acme-gone.png");
    let elsewhere = brand.path("elsewhere.png");
    fs::rename(&image, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &image).unwrap();
    let output = brand.both("plan --against snapshot").ends_with(1);
    assert!(output.stderr.contains("`icons/acme-gone.png` is a link to a place outside it"), "{}", output.stderr);
}

#[test]
fn what_was_not_exported_is_unknown_and_named() {
    let brand = Brand::new().in_step(3).portal_has("icon/acme-gone", 9).failing(
        On::Download,
        When::Nth(1),
        FaultAction::Html(404),
    );
    let lost = found(&brand.json("export lost").ends_with(1).json, "error")[0]["address"].as_str().unwrap().to_owned();
    let plan = brand.both("plan --against lost").ends_with(1);
    assert_eq!(plan.json["unknown"][0]["address"], lost.as_str());
    assert!(plan.json["unknown"][0]["why"].as_str().unwrap().contains("it could not be fetched: "), "{plan:?}");
    brand.json("export part --only acme-00").ends_with(0);
    let plan = brand.both("plan --against part").ends_with(1);
    assert_eq!(plan.json["unknown"].as_array().unwrap().len(), 3);
    assert_eq!(plan.json["unknown"][0]["why"], "it was left out of the export");
    assert_eq!(plan.json["summary"]["unchanged"], 1);
}

#[test]
fn the_pin_is_held_against_the_exports_portal() {
    let brand = brand();
    brand.rewrite(format!("{MANIFEST}portal: \"{}\"\n", brand.portal.address()));
    brand.json("plan --against snapshot").ends_with(0);
    brand.rewrite(format!("{MANIFEST}portal: other.example\n"));
    let output = brand.both("plan --against snapshot").ends_with(1);
    assert_eq!(output.errors(), ["portal-pin"]);
    insta::assert_snapshot!(output.err(), @"
    warning[low-contrast]: 8 findings of this rule
      = help: `brandctl validate` lists them one by one

    error[portal-pin]: the export is of PORTAL, but the manifest is for other.example only
      = help: name an export of that portal, or add this one to `portal`
    ");
}

/// A pull request may bring any snapshot: it takes no more memory than some times its own length.
#[cfg(target_os = "linux")]
#[test]
fn a_huge_snapshot_is_refused_within_bounds() {
    let brand = offline(brand());
    let nested = format!("{{\"format_version\":1,\"x\":{}", "[".repeat(1_000_000));
    let many = format!("{{\"format_version\":1,\"x\":[{}[]]}}", "[],".repeat(20_000_000));
    let entries = format!(
        "{{\"format_version\":1,\"portal\":\"a\",\"sandbox\":false,\"entries\":[{}{{}}]}}",
        "[],".repeat(20_000_000)
    );
    let large = " ".repeat(65 << 20);
    for (text, told) in [
        (nested, "EOF while parsing"),
        (many, "unknown field `x`"),
        (entries, "expected"),
        (large, "it is larger than 64 MiB"),
    ] {
        fs::write(brand.path("snapshot/portal.json"), text).unwrap();
        let line = format!("ulimit -v {}; exec {} plan --against snapshot", 700 << 10, env!("CARGO_BIN_EXE_brandctl"));
        let output = std::process::Command::new("bash")
            .args(["-c", &line])
            .current_dir(brand.folder.path())
            .env_clear()
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && stderr.contains(told), "{told}: {:?} {stderr}", output.status);
    }
}
