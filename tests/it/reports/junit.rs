use brandctl::domain::finding::Finding;
use brandctl::domain::report::{FailureKind, Report};
use brandctl::domain::step::StepOutcome;
use brandctl::render::junit;
use roxmltree::Document;

use crate::shared::scenes;

/// The test cases by their name, each with what it ended in.
fn cases(text: &str) -> Vec<(String, Option<(String, String)>)> {
    let document = Document::parse(text).unwrap();
    let cases: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
        .map(|case| {
            let ending = case.children().find(|node| node.is_element() && !node.has_tag_name("system-out"));
            let ending = ending.map(|ending| {
                (ending.tag_name().name().to_owned(), ending.attribute("message").unwrap_or_default().to_owned())
            });
            (case.attribute("name").unwrap().to_owned(), ending)
        })
        .collect();
    for suite in document.descendants().filter(|node| node.tag_name().name().starts_with("testsuite")) {
        for (attribute, word) in [("failures", "failure"), ("errors", "error")] {
            let count = cases.iter().filter(|(_, ending)| ending.as_ref().is_some_and(|(is, _)| is == word)).count();
            assert_eq!(suite.attribute(attribute), Some(&*count.to_string()), "{word}");
        }
        assert_eq!(suite.attribute("tests"), Some(&*cases.len().to_string()));
    }
    cases
}

#[test]
fn what_differs_fails_and_the_rest_is_one_case_that_passes() {
    let text = junit::report(&scenes::plan(), "drift");
    let cases = cases(&text);
    assert_eq!(cases.len(), 10, "a rename is one");
    assert_eq!(cases.iter().filter(|(_, ending)| ending.is_some()).count(), 9);
    assert_eq!(cases[0], ("icon/acme-call".to_owned(), Some(("failure".to_owned(), cases[0].1.clone().unwrap().1))));
    assert!(cases[0].1.as_ref().unwrap().1.starts_with("replace: looks different ("), "{cases:?}");
    assert_eq!(cases[9], ("everything else".to_owned(), None));
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("drift_junit", text) });
}

#[test]
fn what_is_unknown_or_could_not_be_found_out_is_an_error() {
    let unknown = cases(&junit::report(&scenes::hostile(), "drift"));
    let lost = unknown.iter().find(|(name, _)| name == "logo/acme-lost").unwrap();
    assert_eq!(lost.1.as_ref().unwrap().0, "error");
    let mut report = scenes::plan();
    report.plan = None;
    report.findings.push(brandctl::domain::finding::Finding::error("portal", "nobody answers"));
    assert_eq!(
        cases(&junit::report(&report, "drift")),
        [("everything else".to_owned(), Some(("error".to_owned(), "nobody answers".to_owned())))]
    );
}

#[test]
fn what_stops_a_command_stops_its_report_too() {
    let rest = |report: &Report, command: &str| {
        let (name, ending) = cases(&junit::report(report, command)).pop().unwrap();
        assert_eq!(name, "everything else");
        ending
    };
    // A guard refuses: `plan` ends with 4, and `drift` does not care.
    let (word, message) = rest(&scenes::plan(), "plan").unwrap();
    assert_eq!((word.as_str(), message.starts_with("guard protect: refused: ")), ("failure", true), "{message}");
    assert_eq!(rest(&scenes::plan(), "drift"), None);
    // A run whose rest was never sent.
    let mut report = scenes::run();
    let run = report.run.as_mut().unwrap();
    for step in run.steps.values_mut().filter(|step| step.outcome != StepOutcome::Applied) {
        step.outcome = StepOutcome::Skipped;
    }
    assert_eq!(rest(&report, "apply"), Some(("failure".to_owned(), "Not everything was applied: 7 of 9".to_owned())));
    report.failure = Some(FailureKind::Interrupted);
    report.findings = vec![Finding::error("interrupted", "interrupted before 2 changes were sent")];
    assert_eq!(
        rest(&report, "apply").unwrap(),
        ("error".to_owned(), "interrupted before 2 changes were sent".to_owned())
    );
}

#[test]
fn of_a_stale_plan_no_entry_is_judged() {
    let error = Finding::error("plan-stale", "it already matches the plan");
    let report = Report { failure: Some(FailureKind::Stale), findings: vec![error], ..scenes::plan() };
    let text = junit::report(&report, "apply");
    let cases = cases(&text);
    let words: Vec<_> = cases.iter().map(|(_, ending)| ending.as_ref().unwrap().0.as_str()).collect();
    assert_eq!(words, [vec!["skipped"; 9], vec!["error"]].concat());
    assert!(!text.contains("not on the portal") && text.contains("create: planned, and not sent"), "{text}");
}

#[test]
fn a_run_fails_where_a_step_did_not_end_as_planned() {
    let cases = cases(&junit::report(&scenes::run(), "apply"));
    let ended: Vec<_> =
        cases.iter().filter_map(|(name, ending)| Some((name.as_str(), ending.as_ref()?.0.as_str()))).collect();
    assert_eq!(ended, [("icon/acme-chat", "failure"), ("logo/acme-courier", "error")]);
}
