use brandctl::render::diff;

use crate::shared::scenes;

/// What a stream without colour prints.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_plan_reads_as_a_diff_of_manifests() {
    let text = plain(&diff::report(&scenes::plan()));
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("plan_diff", text) });
    assert_eq!(text, plain(&diff::report(&scenes::plan())), "it is the same every time");
    // A replace is a line that changes, an entry that stays is one that does not.
    let lines = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((lines("-  "), lines("+  ")), (7, 8));
    assert!(text.contains("\n   acme-paid: {sha256: "), "{text}");
}

#[test]
fn nothing_that_differs_is_nothing_to_print() {
    let mut report = scenes::plan();
    report.plan.as_mut().unwrap().diff.changes.clear();
    assert_eq!(diff::report(&report), "");
    report.plan = None;
    assert_eq!(diff::report(&report), "");
}

#[test]
fn both_sides_are_yaml() {
    let text = plain(&diff::report(&scenes::hostile()));
    for side in ["-", "+"] {
        let state: String = text
            .lines()
            .filter(|line| !line.starts_with("@@") && !line.starts_with('#'))
            .filter(|line| !line.starts_with("---") && !line.starts_with("+++"))
            .filter(|line| line.starts_with([' ', side.chars().next().unwrap()]))
            .map(|line| format!("{}\n", &line[1..]))
            .collect();
        let read: serde_json::Value = serde_saphyr::from_str(&state).unwrap_or_else(|error| panic!("{error}\n{state}"));
        assert_eq!(read["icons"].as_object().unwrap().len(), scenes::names().len(), "{state}");
    }
}
