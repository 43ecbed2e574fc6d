use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::finding::Finding;
use brandctl::domain::ownership::Unmanaged;
use brandctl::domain::report::Report;
use brandctl::render::markdown::{self, LONGEST};
use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;

use crate::scenes;

/// What a code host sees in a comment: the HTML that is not shown but taken for markup, the links, and the text outside
/// code, where it looks for mentions and addresses.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) html: Vec<String>,
    pub(crate) links: Vec<String>,
    pub(crate) text: String,
    pub(crate) code: Vec<String>,
    /// The rows of every table, by the count of their cells.
    pub(crate) rows: Vec<(usize, usize)>,
}

pub(crate) fn seen(comment: &str) -> Seen {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    let arena = Arena::new();
    let mut seen = Seen::default();
    for node in parse_document(&arena, comment, &options).descendants() {
        match &node.data.borrow().value {
            NodeValue::HtmlBlock(block) => seen.html.extend(block.literal.lines().map(ToOwned::to_owned)),
            NodeValue::HtmlInline(html) => seen.html.push(html.clone()),
            NodeValue::Link(link) | NodeValue::Image(link) => seen.links.push(link.url.clone()),
            NodeValue::Text(text) => seen.text.push_str(text),
            NodeValue::Code(code) => seen.code.push(code.literal.clone()),
            NodeValue::CodeBlock(block) => panic!("a block of code: {}", block.literal),
            NodeValue::Table(table) => seen.rows.push((table.num_columns, table.num_rows)),
            NodeValue::TaskItem(_) | NodeValue::FootnoteDefinition(_) | NodeValue::Item(_) => {
                panic!("a list: {comment}")
            }
            _ => {}
        }
    }
    seen
}

/// Nothing but what this program writes is markup, and nothing that came from elsewhere is outside a code span.
pub(crate) fn is_inert(comment: &str) -> Seen {
    let seen = seen(comment);
    for html in &seen.html {
        let ours = ["<!-- brandctl ", "<details><summary>", "</details>", "<br>"];
        assert!(ours.iter().any(|ours| html.starts_with(ours)), "{html}");
    }
    let mark = comment.lines().next().unwrap();
    assert!(mark.ends_with(" -->") && mark.matches("--").count() == 2, "{mark}");
    assert!(!seen.text.contains(['@', '<', '`', '\\']) && !seen.text.contains("://"), "{}", seen.text);
    assert!(!seen.text.contains("www."), "{}", seen.text);
    let moving = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200d}\u{feff}".contains(c);
    assert_eq!(comment.chars().find(|c| moving(*c)), None);
    assert!(!comment.contains("data:image"));
    seen
}

#[test]
fn a_comment_reads_as_it_should() {
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("plan", markdown::report(&scenes::plan(), "plan", Some("https://ci.example/1/plan.html")));
        insta::assert_snapshot!("run", markdown::report(&scenes::run(), "apply", None));
        insta::assert_snapshot!("validation", markdown::validation(&scenes::validation(), None));
        insta::assert_snapshot!("inventory", markdown::inventory(&crate::inventory(&scenes::plan()), None));
    });
    let seen = is_inert(&markdown::report(&scenes::plan(), "plan", Some("https://ci.example/1/plan.html")));
    assert_eq!(seen.links, ["https://ci.example/1/plan.html"]);
}

#[test]
fn the_mark_stays_the_same_whatever_came_of_it() {
    let mark =
        |report: &Report, command: &str| markdown::report(report, command, None).lines().next().unwrap().to_owned();
    let mut failed = scenes::plan();
    (failed.plan, failed.portal) = (None, None);
    assert_eq!(mark(&scenes::plan(), "plan"), "<!-- brandctl plan brand.yaml -->");
    assert_eq!(mark(&failed, "plan"), mark(&scenes::plan(), "plan"));
    assert_ne!(mark(&scenes::plan(), "drift"), mark(&scenes::plan(), "plan"));
    failed.manifest = "a--><b> ---x.yaml".to_owned();
    assert_eq!(mark(&failed, "plan"), "<!-- brandctl plan a-%2D%3E%3Cb%3E%20-%2D-x.yaml -->");
}

#[test]
fn a_thousand_changes_are_cut_off_with_their_count() {
    let comment = markdown::report(&scenes::thousand(), "plan", None);
    assert!(comment.len() < LONGEST, "{}", comment.len());
    let seen = is_inert(&comment);
    assert!(comment.contains("<details><summary>Changes: 1000</summary>"));
    let [(3, rows)] = seen.rows[..] else { panic!("{:?}", seen.rows) };
    assert!(rows > 200, "{rows}");
    // The table's head is a row too.
    assert!(comment.contains(&format!("… and {} more.", 1000 - (rows - 1))), "{rows} rows");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// However many changes, findings and others' entries there are, and whatever they are called.
    #[test]
    fn no_comment_is_too_long_or_does_anything(
        names in prop::collection::vec(r#"[-a-z`|<>@#\\/\[\]()!*_~:.&; \n\u{202e}]{1,60}"#, 1..12),
        copies in 1_usize..400,
    ) {
        let mut report = scenes::hostile();
        let plan = report.plan.as_mut().unwrap();
        let (pattern, unknown) = (plan.changes[0].clone(), plan.unknown[0].clone());
        for (number, name) in (0..copies).flat_map(|number| names.iter().map(move |name| (number, name))) {
            let address = Address::new(Kind::Icon, Code::new(format!("{name}{number}")));
            let mut change = pattern.clone();
            change.address = address.clone();
            plan.changes.push(change);
            plan.unmanaged.push((address.clone(), Unmanaged::NotOwned));
            let mut lost = unknown.clone();
            (lost.address, lost.why) = (address.clone(), name.clone());
            plan.unknown.push(lost);
            report.findings.push(Finding::error("png-size", name).about(address).help(name));
        }
        let comment = markdown::report(&report, "plan", None);
        prop_assert!(comment.len() < LONGEST, "{}", comment.len());
        let lines = |start: &str| is_inert(&comment).html.iter().filter(|html| html.starts_with(start)).count();
        prop_assert_eq!(lines("<details>"), lines("</details>"));
    }
}
