//! `--report`: files beside what is printed, whatever comes of the command.

use std::fs;

use brandctl::domain::asset::Kind;
use serde_json::Value;

use crate::common::{Brand, art};

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

    brand.run(["drift", "--report", "drift.html"]).ends_with(2);
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
    brand.rewrite("version: 1\n");
    brand.run(["validate", "--report", "validate.html"]).ends_with(1);
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
}
