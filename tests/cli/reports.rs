//! `--report`: files beside what is printed, whatever comes of the command.

use std::fs;

use brandctl::domain::asset::Kind;
use brandctl::domain::document;
use serde_json::Value;

use crate::common::{Brand, art};

fn text(brand: &Brand, name: &str) -> String {
    fs::read_to_string(brand.path(name)).unwrap()
}

/// The failures, the errors and the test cases that a JUnit report counts.
#[track_caller]
fn failures(brand: &Brand, name: &str) -> (usize, usize, usize) {
    let text = text(brand, name);
    let document = roxmltree::Document::parse(&text).unwrap();
    let count = |name| document.root_element().attribute(name).unwrap().parse().unwrap();
    (count("failures"), count("errors"), count("tests"))
}

/// Holds JSON against a schema.
#[track_caller]
fn hold(schema: &Value, text: &str) {
    let json: Value = serde_json::from_str(text).unwrap();
    let wrong: Vec<_> = jsonschema::validator_for(schema).unwrap().iter_errors(&json).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A page is whole: it begins and ends, and its style sheet holds images.
#[track_caller]
fn page(brand: &Brand, name: &str) -> String {
    let page = fs::read_to_string(brand.path(name)).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</script></body></html>"), "{name}");
    page
}

#[test]
fn every_command_writes_what_it_found_and_keeps_its_exit_code() {
    let brand = Brand::new().in_step(2).declares("icon/acme-new", 40);
    brand.seed("icon/acme-00", &art(Kind::Icon, 77));
    let plan = brand.both("plan --report plan.html --report json=plan.txt").ends_with(0);
    let written: Value = serde_json::from_slice(&fs::read(brand.path("plan.txt")).unwrap()).unwrap();
    assert_eq!(written["changes"], plan.json["changes"]);
    assert_eq!(written["plan_sha256"], plan.json["plan_sha256"]);
    let html = page(&brand, "plan.html");
    assert!(html.contains("id=\"icon/acme-new\"") && html.contains("2 changes planned"), "create and replace");
    assert_eq!(html.matches("data:image/png").count(), 5, "two new ones, an old one, what differs, one that stays");

    let all =
        "drift --report drift.html --report comment.md --report junit=drift --report-url https://ci.example/drift.html";
    brand.run(all.split(' ')).ends_with(2);
    let comment = text(&brand, "comment.md");
    assert!(comment.starts_with("<!-- brandctl drift brand.yaml -->\n"), "{comment}");
    assert!(comment.contains("[The images, side by side](<https://ci.example/drift.html>)"), "{comment}");
    assert_eq!(failures(&brand, "drift"), (2, 0, 3));
    assert!(page(&brand, "drift.html").contains("brandctl <b>drift</b>"));
    brand.run(["validate", "--report", "validate.html"]).ends_with(0);
    assert!(page(&brand, "validate.html").contains("Valid: 3 images"));
    brand.apply_with("--report apply.html").ends_with(0);
    assert!(page(&brand, "apply.html").contains("Applied 2 changes and read back"));
}

#[test]
fn a_command_that_fails_writes_its_reports_too() {
    let brand = Brand::new().in_step(1).with_webhook(None);
    brand.run(["plan", "--report", "plan.html", "--report", "plan.json"]).ends_with(1);
    assert!(page(&brand, "plan.html").contains("1 error: nothing can be applied"));
    let json: Value = serde_json::from_slice(&fs::read(brand.path("plan.json")).unwrap()).unwrap();
    assert_eq!(json["errors"].as_array().map(Vec::len), Some(1), "{json}");
    brand.run("drift --report drift.md --report drift.xml".split(' ')).ends_with(1);
    assert!(text(&brand, "drift.md").contains("**1 error: nothing can be applied.**"));
    assert_eq!(failures(&brand, "drift.xml"), (0, 1, 1));
    brand.run("list --report list.md --report list.json --report list.html".split(' ')).ends_with(1);
    assert!(text(&brand, "list.md").contains("**The portal was not read.**"));
    assert!(page(&brand, "list.html").contains("The portal was not read"));
    hold(&document::list_schema(), &text(&brand, "list.json"));
    hold(&document::schema(), &text(&brand, "plan.json"));
    brand.rewrite("version: 1\n");
    let all = "validate --report validate.html --report v.json --report v.md --report v.xml --report v.sarif";
    brand.run(all.split(' ')).ends_with(1);
    hold(&document::validation_schema(), &text(&brand, "v.json"));
    assert!(text(&brand, "v.md").contains("**Not valid: "));
    assert_eq!(failures(&brand, "v.xml").1, 0);
    assert!(text(&brand, "v.sarif").contains("\"version\": \"2.1.0\""));
    assert!(page(&brand, "validate.html").contains("Not valid"));
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_and_stops_nothing() {
    let brand = Brand::new().declares("icon/acme-new", 40);
    let output = brand.run(["apply", "--yes", "--report", "missing/apply.html"]).ends_with(1);
    assert!(output.text().contains("the report cannot be written to missing/apply.html"), "{output:?}");
    assert_eq!(brand.codes(), ["icon/acme-new"]);
}

#[test]
fn a_format_that_is_not_known_is_a_usage_error() {
    let brand = Brand::new().in_step(1);
    let output = brand.writing_nothing(|| brand.run(["plan", "--report", "plan.pdf"])).ends_with(1);
    assert!(output.stderr.contains("end it in .html or .json"), "{output:?}");
    for (line, told) in [
        ("plan --report x.sarif", "this command has no sarif report: it has .html, .json, .md, .xml"),
        ("list --report x.xml", "this command has no xml report: it has .html, .json, .md"),
        ("apply --yes --report sarif=x", "this command has no sarif report: it has .html, .json, .md, .xml"),
        ("plan --report x.md --report-url http://ci.example/x.html", "an address that begins with https://"),
        ("plan --report-url https://ci.example/x.html", "--report"),
        ("apply --yes --format diff", "`--format diff` is for `plan`, `drift` and `show` only"),
        ("list --format diff", "`--format diff` is for `plan`, `drift` and `show` only"),
        ("validate --format diff", "this command has `human`, `json`, `github`, `sarif` and `junit`"),
    ] {
        let output = brand.writing_nothing(|| brand.run(line.split(' '))).ends_with(1);
        assert!(output.stderr.contains(told) && output.stdout.is_empty(), "{line}: {output:?}");
        assert!(!brand.path("x").exists() && !brand.path("x.md").exists() && !brand.path("x.sarif").exists());
    }
}

#[test]
fn a_saved_plan_is_shown_again_in_every_format_also_when_it_is_stale() {
    let brand = Brand::new().in_step(1).declares("icon/acme-new", 40);
    let fresh = brand.run("plan -o plan.json --report fresh.md --report fresh.html".split(' ')).ends_with(0);
    let diff = brand.run(["plan", "--format", "diff"]).ends_with(0).stdout;
    assert!(diff.contains("\n+  acme-new: {sha256: "), "{diff}");
    brand.seed("icon/acme-new", &art(Kind::Icon, 77));
    let all = "show plan.json --report shown.md --report shown.html --report shown.json --report shown.xml";
    let shown = brand.run(all.split(' ')).ends_with(0);
    assert!(shown.stdout.ends_with(&fresh.stdout), "{shown:?}");
    assert_eq!(text(&brand, "shown.md"), text(&brand, "fresh.md"));
    assert!(page(&brand, "shown.html").contains("1 change planned"));
    assert_eq!(failures(&brand, "shown.xml"), (1, 0, 2));
    hold(&document::schema(), &text(&brand, "shown.json"));
    let changed =
        |diff: &str| diff.lines().filter(|line| line.starts_with("+  ")).map(ToOwned::to_owned).collect::<Vec<_>>();
    assert_eq!(changed(&brand.run(["show", "plan.json", "--format", "diff"]).ends_with(0).stdout), changed(&diff));
    let unwritten = brand.run(["show", "plan.json", "--report", "missing/x.md"]).ends_with(1);
    assert!(unwritten.stderr.contains("the report cannot be written to missing/x.md"), "{unwritten:?}");
}

#[test]
fn a_run_is_shown_again_with_what_became_of_it() {
    let brand = Brand::new().declares("icon/acme-new", 40);
    brand.apply().ends_with(0);
    let id = brand.json("history").json["runs"][0]["run"].as_str().unwrap().to_owned();
    brand.run(["show", &id, "--report", "run.md", "--report", "run.html", "--report", "run.xml"]).ends_with(0);
    assert!(text(&brand, "run.md").contains("**Applied 1 change and read back.**"));
    assert!(page(&brand, "run.html").contains("brandctl <b>apply</b>"));
    assert_eq!(failures(&brand, "run.xml"), (0, 0, 2));
}

#[test]
fn a_list_is_written_with_the_images_that_it_found_also_from_the_cache() {
    let brand = Brand::new().in_step(2).portal_has("icon/payroll", 9);
    for _ in 0..2 {
        brand.run("list --report list.html --report list.md".split(' ')).ends_with(0);
        let html = page(&brand, "list.html");
        assert_eq!(html.matches("data:image/png").count(), 3);
        assert!(html.contains("<code>payroll</code>") && html.contains("3 custom, 87 system"));
    }
    assert!(text(&brand, "list.md").contains("| `icon/payroll` | unmanaged |"));
}
