//! What code hosts show beside files: GitHub's workflow commands, GitLab's Code Quality, and its counts of a plan.

use std::collections::BTreeSet;

use brandctl::domain::finding::{Finding, Place};
use brandctl::domain::report::{FailureKind, Report};
use brandctl::render::{codequality, github, terraform};
use serde_json::{Value, json};

use crate::shared::scenes;

/// The workflow commands of a text, as the level and what follows it.
fn commands(text: &str) -> Vec<(&str, &str)> {
    let commands = text.lines().filter_map(|line| line.strip_prefix("::"));
    commands.map(|command| command.split_once(' ').unwrap()).collect()
}

fn of_level<'a>(text: &'a str, level: &str) -> Vec<&'a str> {
    commands(text).into_iter().filter(|(is, _)| *is == level).map(|(_, rest)| rest).collect()
}

/// Code Quality as GitLab reads it: an array of objects with these members only.
pub(super) fn issues(text: &str) -> Vec<Value> {
    let issues: Vec<Value> = serde_json::from_str(text).unwrap();
    for issue in &issues {
        let members: Vec<_> = issue.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["description", "check_name", "fingerprint", "severity", "location"]);
        for member in ["description", "check_name", "fingerprint"] {
            assert!(issue[member].as_str().is_some_and(|text| !text.is_empty()), "{issue}");
        }
        assert!(["info", "minor", "critical"].contains(&issue["severity"].as_str().unwrap()), "{issue}");
        let path = issue["location"]["path"].as_str().unwrap();
        assert!(!path.is_empty() && !path.starts_with("./"), "{issue}");
        assert!(issue["location"]["lines"]["begin"].as_u64().is_some_and(|line| line > 0), "{issue}");
    }
    let prints: BTreeSet<_> = issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), issues.len(), "each has a fingerprint of its own");
    issues
}

#[test]
fn a_plan_has_a_command_a_change_and_ends_with_its_counts() {
    let text = github::report(&scenes::plan(), "plan");
    assert_eq!(of_level(&text, "error").len(), 1, "the guard that refuses");
    let warnings = of_level(&text, "warning");
    assert!(warnings[0].contains("title=brandctl%3A delete::delete: owned, not declared (icon/acme-fallen)"), "{text}");
    assert!(warnings[1].contains("title=brandctl%3A low-contrast::"), "changes precede the warnings about art: {text}");
    assert_eq!(of_level(&text, "notice").len(), 8, "a rename is one");
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("plan_github", text) });
}

#[test]
fn what_stops_nothing_is_no_error() {
    let drift = github::report(&scenes::plan(), "drift");
    assert_eq!(of_level(&drift, "error"), [""; 0], "a guard does not affect drift");
    assert!(of_level(&drift, "warning").iter().any(|command| command.contains("guard protect")), "{drift}");
    assert_eq!(of_level(&drift, "notice"), [""; 0], "who moved is unknown: {drift}");
}

#[test]
fn a_run_has_a_command_a_step_that_did_not_end_as_planned() {
    let run = github::report(&scenes::run(), "apply");
    let errors = of_level(&run, "error");
    assert_eq!(errors.len(), 2, "{run}");
    assert!(errors[0].contains("the portal refused the new image") && errors[0].contains("(icon/acme-chat)"), "{run}");
    assert_eq!(of_level(&run, "notice"), [""; 0], "what was applied needs no attention");
    let skipped = github::report(&scenes::failed(), "apply");
    assert_eq!((of_level(&skipped, "error").len(), of_level(&skipped, "warning").len()), (3, 3), "{skipped}");
}

#[test]
fn of_a_stale_plan_nothing_is_annotated_but_the_reason() {
    let error = Finding::error("plan-stale", "it already matches the plan");
    let report = Report { failure: Some(FailureKind::Stale), findings: vec![error], guards: vec![], ..scenes::plan() };
    assert_eq!(commands(&github::report(&report, "apply")).len(), 1);
    assert_eq!(issues(&codequality::report(&report, "apply").unwrap()).len(), 1);
}

#[test]
fn a_change_is_shown_at_the_line_that_declares_it_alone() {
    let mut report = scenes::plan();
    report.source = "icons:\n  acme-call: icons/call.png\n".to_owned();
    let piece = report.art.iter_mut().find(|piece| piece.address.to_string() == "icon/acme-call").unwrap();
    piece.place = Place { line: 2, column: 3, bytes: 9..18 };
    let text = github::report(&report, "plan");
    assert!(text.contains("file=brand.yaml,line=2,col=3,endLine=2,endColumn=12,title=brandctl%3A replace::"), "{text}");
    assert!(text.contains("file=icons/acme-sign.png,title=brandctl%3A replace::"), "of a shared line: {text}");
    let issues = issues(&codequality::report(&report, "plan").unwrap());
    let call = issues.iter().find(|issue| issue["description"].as_str().unwrap().contains("(icon/acme-call)")).unwrap();
    assert_eq!(call["location"], json!({"path": "brand.yaml", "lines": {"begin": 2}}));
}

/// GitLab takes a finding with a known fingerprint for an old one.
#[test]
fn a_fingerprint_outlives_lines_and_knows_images() {
    let prints = |report: &Report| -> BTreeSet<String> {
        let issues = issues(&codequality::report(report, "drift").unwrap());
        issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let before = scenes::plan();
    let mut moved = before.clone();
    for (line, piece) in moved.art.iter_mut().enumerate() {
        piece.place = Place { line: line + 40, column: 3, bytes: 0..0 };
    }
    moved.findings[0].place = Some(Place { line: 9, column: 1, bytes: 0..0 });
    assert_eq!(prints(&before), prints(&moved));
    let mut other = before.clone();
    let changes = &mut other.plan.as_mut().unwrap().diff.changes;
    changes[0].action = changes[1].action.clone();
    assert_eq!(prints(&before).difference(&prints(&other)).count(), 1, "another image is another finding");
}

#[test]
fn nothing_found_is_an_empty_array() {
    assert_eq!(codequality::report(&Report::default(), "drift").unwrap(), "[]\n");
    assert_eq!(codequality::validation(&Default::default()).unwrap(), "[]\n");
}

#[test]
fn gitlab_counts_a_rename_as_an_update() {
    let counts = |report: &Report| serde_json::from_str::<Value>(&terraform::report(report).unwrap()).unwrap();
    assert_eq!(counts(&scenes::plan()), json!({"create": 2, "update": 6, "delete": 1}));
    let mut report = scenes::plan();
    report.plan.as_mut().unwrap().diff.changes.clear();
    assert_eq!(counts(&report), json!({"create": 0, "update": 0, "delete": 0}));
    report.findings.push(Finding::error("code-respelt", "the portal spells it otherwise"));
    assert_eq!(counts(&report), json!({}), "zero would be wrong");
    assert_eq!(counts(&Report::default()), json!({}));
}
