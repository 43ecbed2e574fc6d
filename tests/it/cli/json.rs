//! What every command prints as JSON, however it ends: `Brand::json` holds each document against its schema and its header
//! against the process.

use std::fs;
use std::path::PathBuf;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use serde_json::{Value, json};

use crate::common::{Brand, art, conforms, each, found, one_pixel_off};

/// One field of every change, by address.
fn by_change(document: &Value, field: &str) -> Value {
    let changes = document["changes"].as_array().unwrap().iter();
    changes.map(|change| (change["address"].as_str().unwrap().to_owned(), change[field].clone())).collect()
}

fn report(brand: &Brand, name: &str) -> Value {
    let document = serde_json::from_str(&fs::read_to_string(brand.path(name)).unwrap()).unwrap();
    conforms(&document);
    document
}

/// The folder of the runs.
fn runs(brand: &Brand) -> PathBuf {
    let portals = fs::read_dir(brand.path(".brandctl")).unwrap().map(|item| item.unwrap().path().join("runs"));
    portals.into_iter().find(|runs| runs.is_dir()).unwrap()
}

#[test]
fn a_line_that_asks_for_json_anywhere_gets_it_also_when_it_is_wrong() {
    let lines = [
        ("plan --nope --format json", "plan", "unexpected argument '--nope' found"),
        ("--format json drift --timeout x", "drift", "invalid value 'x' for '--timeout <SECONDS>'"),
        ("list --format=json --only", "list", "a value is required for '--only <GLOB>'"),
        ("apply --format xml --format json", "apply", "invalid value 'xml' for '--format <FORMAT>'"),
        ("log add --format json", "log add", "required arguments were not provided: --entity <TYPE:ID>"),
        ("validate --report x.pdf --format json", "validate", "the extension does not name a format"),
        ("list --report x.xml --format json", "list", "this command does not write xml reports"),
        ("plan --report brand.yaml --report-url x --format json", "plan", "--report"),
        ("show --format json", "show", "<PLAN|RUN>"),
        ("history x --format json", "history", "unexpected argument 'x' found"),
        ("init --ci nope --format json", "init", "invalid value 'nope'"),
        ("usage --format json", "usage", "--entity"),
        ("export --format json", "export", "<DIR>"),
        ("restore --format json", "restore", "<RUN|PLAN>"),
        ("doctor x --format json", "doctor", "unexpected argument 'x'"),
        ("rules nope --format json", "rules", "invalid value 'nope'"),
        ("schema nope --format json", "schema", "invalid value 'nope'"),
        ("sandbox --listen nope --format json", "sandbox", "invalid value 'nope'"),
        ("completions bash --format json", "completions", "this command has `human`"),
        ("man --format json", "man", "this command has `human`"),
        ("pln --format json", "", "unrecognized subcommand 'pln'"),
        ("--format json", "", "requires a subcommand"),
    ];
    each(lines, |(line, command, message)| {
        let brand = Brand::new();
        let output = brand.run(line.split(' ')).ends_with(1);
        conforms(&output.json);
        assert_eq!(output.stderr, "", "{line}");
        assert_eq!((&output.json["exit_code"], &output.json["ok"]), (&json!(1), &json!(false)), "{line}");
        assert_eq!(output.json["command"].as_str().unwrap_or_default(), command, "{line}");
        let [finding] = output.json["findings"].as_array().unwrap().as_slice() else { panic!("{line}: {output:?}") };
        assert_eq!((&finding["rule"], &finding["severity"]), (&json!("usage"), &json!("error")), "{line}");
        assert!(finding["message"].as_str().unwrap().contains(message), "{line}: {finding}");
        assert!(!output.stdout.contains("u001b"), "{line}: {output:?}");
    });
}

#[test]
fn help_and_version_stay_text() {
    let brand = Brand::new();
    for line in ["--help --format json", "plan --format json --help", "--version --format json"] {
        let output = brand.command().args(line.split(' ')).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !text.starts_with('{') && text.contains("brandctl"), "{line}: {text}");
    }
}

#[test]
fn what_fails_before_it_began_is_json_too() {
    let brand = Brand::new().in_step(1);
    let line = "plan --sandbox=x -f nowhere.yaml";
    assert_eq!(brand.json(line).ends_with(1).errors(), ["manifest-unreadable"]);
    assert_eq!(brand.json("show nope").ends_with(1).errors(), ["run"]);
    assert_eq!(brand.json("init").ends_with(1).json["findings"].as_array().unwrap().len(), 2);
    assert_eq!(brand.json("sandbox --sandbox").ends_with(1).errors(), ["sandbox"]);
    assert!(brand.json("schema").ends_with(0).json["schemas"].as_array().unwrap().len() > 12);
    // One run of two cannot be read: the other is listed, and an error says so.
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.apply().ends_with(0);
    let runs = runs(&brand);
    fs::create_dir(runs.join("20200101T000000Z")).unwrap();
    fs::write(runs.join("20200101T000000Z/journal.jsonl"), "{}\n").unwrap();
    let history = brand.json("history").ends_with(1);
    assert_eq!((history.errors(), history.json["runs"].as_array().unwrap().len()), (vec!["run".to_owned()], 1));
}

#[test]
fn standard_output_counts_a_report_that_failed_and_the_reports_do_not() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    for (line, code) in [
        ("plan", 0),
        ("drift", 2),
        ("validate", 0),
        ("list", 0),
        ("apply --yes", 0),
        ("export out --overwrite", 0),
        ("show plan.json", 0),
    ] {
        if line == "show plan.json" {
            brand.save_plan();
        }
        let output = brand.json(&format!("{line} --report r.json --report nowhere/x.json")).ends_with(1);
        assert_eq!(output.errors(), ["output"], "{line}: {output:?}");
        assert_eq!(output.json["ok"], false);
        let report = report(&brand, "r.json");
        assert_eq!((&report["exit_code"], &report["ok"]), (&json!(code), &json!(true)), "{line}");
        assert_eq!(report["command"], output.json["command"], "{line}");
    }
    // What a plan says with 2 is not a failure.
    assert_eq!(brand.declares("icon/acme-b", 2).json("drift").ends_with(2).json["ok"], true);
}

#[test]
fn a_change_says_how_much_of_the_image_changes() {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 9);
    brand.draw("icon/acme-00", &one_pixel_off(Kind::Icon, 0));
    brand.undeclare("icon/acme-01");
    brand.undeclare("icon/acme-02");
    brand.draw("icon/acme-two", &art(Kind::Icon, 2));
    let plan = brand.json("plan --max-deletes 9").ends_with(0);
    let one = json!({"changed": 1, "total": 576});
    assert_eq!(
        by_change(&plan.json, "pixels"),
        json!({"icon/acme-00": one, "icon/acme-01": null, "icon/acme-02": null, "icon/acme-new": null, "icon/acme-two": null})
    );
    // The delete and the create of one image are a rename, and nothing else.
    let summary = &plan.json["summary"];
    let counts = ["create", "replace", "delete", "renames", "applied"].map(|field| summary[field].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 1, 1, 0], "{summary}");
    let done = brand.apply_with("--max-deletes 9").ends_with(0);
    let counts = ["applied", "failed", "missing"].map(|field| done.json["summary"][field].as_u64().unwrap());
    assert_eq!(counts, [4, 0, 0], "{}", done.json["summary"]);
    assert_eq!(
        by_change(&done.json, "live"),
        json!({"icon/acme-00": "new", "icon/acme-01": "absent", "icon/acme-02": "absent", "icon/acme-new": "new", "icon/acme-two": "new"})
    );
    assert_eq!(done.json["changes"][0]["pixels"], one);
    // A run's folder keeps outcomes, and not what the portal had then.
    let run = done.json["run"]["id"].as_str().unwrap();
    let shown = brand.json(&format!("show {run}")).ends_with(0).json;
    assert_eq!(by_change(&shown, "outcome"), by_change(&done.json, "outcome"));
    assert_eq!((&shown["summary"]["applied"], shown["changes"][0].get("live")), (&json!(4), None));
    assert_eq!(shown["made_by"], shown["tool"]);
}

/// `icon/acme-00` is to be replaced and `icon/acme-new` created, while the portal fails like this.
fn failing(faults: &str) -> Value {
    let brand = Brand::new().in_step(2).declares("icon/acme-new", 7);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.plan().ends_with(0);
    brand.fail(faults.parse::<Faults>().unwrap());
    brand.json("apply --yes --settle 0.1 --timeout 5").json
}

#[test]
fn what_the_portal_has_at_the_end_is_what_was_read_and_no_guess() {
    // Both the new and the old image are refused.
    let gone = failing("any every refuse crm.timeline.icon.add 400 FILE_SAVE_ERROR");
    assert_eq!(gone["missing"], json!(["icon/acme-00"]));
    assert_eq!(by_change(&gone, "live"), json!({"icon/acme-00": "absent", "icon/acme-new": "absent"}));
    assert_eq!(by_change(&gone, "outcome"), json!({"icon/acme-00": "failed", "icon/acme-new": "failed"}));
    assert_eq!(by_change(&gone, "wrote"), json!({"icon/acme-00": true, "icon/acme-new": false}));
    assert_eq!(gone["findings"][0]["rule"], "missing", "{gone:#}");
    let counts = ["applied", "failed", "missing"].map(|field| gone["summary"][field].as_u64().unwrap());
    assert_eq!(counts, [0, 2, 1]);
    // The portal takes everything, and is never read again.
    let unread = failing("batch 5+ drop-before");
    assert!(by_change(&unread, "live").as_object().unwrap().values().all(|live| live == "unknown"), "{unread:#}");
}

#[test]
fn junit_says_what_is_missing_first() {
    let brand = Brand::new().in_step(2).declares("icon/acme-", 7);
    brand.draw("icon/acme-01", &art(Kind::Icon, 99));
    brand.fail("any every refuse *.add 400 FILE_SAVE_ERROR".parse().unwrap());
    brand.json("apply --yes --settle 0.1 --report r.xml").ends_with(3);
    let xml = fs::read_to_string(brand.path("r.xml")).unwrap();
    let first = xml.split("<testcase").nth(1).unwrap();
    assert!(first.contains("name=\"icon/acme-01\""), "{xml}");
    assert!(first.contains("<failure type=\"missing\" message=\"icon/acme-01 is missing on the portal: "), "{xml}");
    assert!(first.contains("brandctl restore "), "{xml}");
}

#[test]
fn what_was_printed_is_not_a_saved_plan_and_says_so() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    fs::write(brand.path("printed.json"), brand.json("plan").ends_with(0).stdout).unwrap();
    for line in ["show printed.json", "apply printed.json", "restore printed.json --yes"] {
        let output = brand.json(line).ends_with(1);
        let message = found(&output.json, "error")[0]["message"].as_str().unwrap();
        assert!(message.contains("save a plan with `brandctl plan -o FILE`"), "{line}: {message}");
    }
}

#[test]
fn a_saved_plan_has_no_header_and_is_the_same_each_time() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    let saved = |name: &str| {
        brand.run(["plan", "-o", name]).ends_with(0);
        fs::read(brand.path(name)).unwrap()
    };
    let (first, second) = (saved("a.json"), saved("b.json"));
    assert_eq!(first, second);
    let document: Value = serde_json::from_slice(&first).unwrap();
    assert_eq!(document["format_version"], 1);
    assert!(document.get("started").is_none() && document.get("exit_code").is_none());
    let printed = brand.json("show a.json").ends_with(0).json;
    assert_eq!((&printed["format_version"], &printed["plan_sha256"]), (&json!(2), &document["plan_sha256"]));
}

#[test]
fn history_knows_which_run_holds_an_old_image() {
    let brand = Brand::new().in_step(2);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.apply().ends_with(0);
    let history = brand.json("history").ends_with(0).json;
    let listed = history["runs"].as_array().unwrap();
    let copies = |run: &Value| {
        let changes = run["changes"].as_array().unwrap().iter().filter(|change| change["copy"] == true);
        changes.map(|change| change["address"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let last = &listed[listed.len() - 1];
    assert_eq!(copies(last), ["icon/acme-00"]);
    let change = &last["changes"][0];
    assert_eq!((&change["action"], &change["outcome"]), (&json!("replace"), &json!("applied")));
    assert!(change["old_sha256"].is_string());
    // A copy that is gone is not promised.
    fs::remove_dir_all(runs(&brand).join(last["run"].as_str().unwrap()).join("old")).unwrap();
    assert!(
        brand.json("history").ends_with(0).json["runs"].as_array().unwrap().iter().all(|run| copies(run).is_empty())
    );
}

#[test]
fn restore_and_export_write_reports() {
    let brand = Brand::new().in_step(1);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    let run = brand.apply().ends_with(0).json["run"]["id"].as_str().unwrap().to_owned();
    let reports = "--report r.json --report r.html --report r.md --report r.xml";
    let restored = brand.json(&format!("restore {run} --yes --settle 0.1 {reports}")).ends_with(0);
    assert_eq!(
        (restored.fates(), &restored.json["command"]),
        (vec!["applied icon/acme-00".to_owned()], &json!("restore"))
    );
    assert_eq!(report(&brand, "r.json")["changes"], restored.json["changes"]);
    let text = |name: &str| fs::read_to_string(brand.path(name)).unwrap();
    assert!(text("r.html").contains("brandctl <b>restore</b>") && text("r.md").contains("### brandctl restore:"));
    assert!(text("r.xml").contains("name=\"brandctl restore\""), "{}", text("r.xml"));
    let exported = brand.json("export out --report e.json").ends_with(0);
    assert_eq!(report(&brand, "e.json")["entries"], exported.json["entries"]);
    let refused = brand.json("export out --report e.html").ends_with(1);
    assert!(refused.stdout.contains("this command does not write html reports; it writes json"), "{refused:?}");
}

#[test]
fn standard_output_has_one_document() {
    let brand = Brand::new().in_step(1).declares("icon/acme-new", 40);
    let plan = brand.run(["plan", "-o", "-"]).ends_with(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&plan).unwrap()["format_version"], 1);
    let both = brand.run(["plan", "-o", "-", "--format", "json"]).ends_with(1).stdout;
    let both: Value = serde_json::from_str(&both).unwrap();
    assert_eq!(found(&both, "error")[0]["rule"], "usage", "{both}");
}

/// A portal that refuses every write.
#[test]
fn what_was_not_applied_is_an_error_with_its_first_reason() {
    let refusing = || {
        let brand = Brand::new().declares("icon/acme-a", 1).declares("icon/acme-b", 2);
        brand.fail("write 1+ error 400 ACCESS_DENIED \"nothing may be written\"".parse().unwrap());
        brand
    };
    let output = refusing().json("apply --yes --settle 0.1").ends_with(1);
    assert_eq!(output.errors(), ["not-applied"], "{}", output.json);
    let message = found(&output.json, "error")[0]["message"].as_str().unwrap();
    assert!(message.starts_with("2 of 2 changes were not applied; icon/acme-a: "), "{message}");
    assert!(message.contains("nothing may be written"), "{message}");
    assert_eq!(output.json["summary"]["applied"], 0);

    let brand = refusing();
    let output = brand.run("apply --yes --settle 0.1 --report x.md --report x.xml".split(' ')).ends_with(1);
    assert!(output.stdout.contains("Not everything was applied: 0 of 2 changes"), "{output:?}");
    assert!(!output.text().contains("not-applied"), "{output:?}");
    let read = |name: &str| fs::read_to_string(brand.path(name)).unwrap();
    assert!(read("x.md").contains("`not-applied`"), "{}", read("x.md"));
    assert!(!read("x.xml").contains("not-applied"), "{}", read("x.xml"));
}

#[test]
fn only_the_terminal_counts_the_findings_of_a_rule() {
    let brand = Brand::new().declares("icon/acme-A", 1).declares("icon/acme-B", 2);
    let document = brand.json("plan --report x.md").ends_with(0).json;
    let styles: Vec<_> =
        found(&document, "warning").into_iter().filter(|finding| finding["rule"] == "code-style").collect();
    let paths: Vec<_> = styles.iter().map(|finding| finding["path"].as_str()).collect();
    assert!(paths.len() == 2 && paths.iter().all(Option::is_some), "{document}");
    let comment = fs::read_to_string(brand.path("x.md")).unwrap();
    assert_eq!(comment.matches("`code-style`").count(), 2, "{comment}");
    let told = brand.run(["plan"]).ends_with(0).stderr;
    assert_eq!(told.matches("warning[code-style]: 2 findings of this rule").count(), 1, "{told}");
}

#[test]
fn a_rename_counts_once_in_the_history_too() {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 9);
    brand.undeclare("icon/acme-02");
    brand.draw("icon/acme-two", &art(Kind::Icon, 2));
    let applied = brand.json("apply --yes --max-deletes 9").ends_with(0).json["summary"]["applied"].clone();
    let history = brand.json("history").json;
    assert_eq!(applied, json!(2));
    assert_eq!((&history["runs"][0]["applied"], &history["runs"][0]["not_applied"]), (&applied, &json!(0)));
    assert!(brand.run(["history"]).stdout.contains("  applied 2 changes"), "{history}");
}
