use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::diff::Change;
use brandctl::domain::finding::Finding;
use brandctl::domain::ownership::Unmanaged;
use brandctl::domain::report::{FailureKind, Report, Subject};
use brandctl::domain::retry::Class;
use brandctl::domain::step::{StepOutcome, StepResult};
use brandctl::render::markdown::{self, MAX_COMMENT_BYTES};
use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;

use crate::shared::scenes;

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

/// Asserts that nothing but what this program writes is markup, and nothing that came from elsewhere is outside a code
/// span.
pub(crate) fn is_inert(comment: &str) -> Seen {
    let seen = seen(comment);
    for html in &seen.html {
        let ours = ["<!-- brandctl ", "<details><summary>", "</details>", "<br>", "<sub>", "</sub>"];
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
        insta::assert_snapshot!("inventory", markdown::list(&super::inventory(&scenes::plan()), None));
    });
    let seen = is_inert(&markdown::report(&scenes::plan(), "plan", Some("https://ci.example/1/plan.html")));
    assert_eq!(seen.links, ["https://ci.example/1/plan.html"]);
}

/// Words of a message are text; what a host could link, mention or format is code.
#[test]
fn prose_is_text_and_holds_no_reference() {
    let comment = |message: &str| {
        let findings = vec![Finding::warning("low-contrast", message).in_file("icons/a.png")];
        let report = Report { plan: None, guards: Vec::new(), findings, ..scenes::plan() };
        is_inert(&markdown::report(&report, "plan", None))
    };
    let plain =
        comment("the drawing is 12 pixels wide (of 24), is it? A logo's corner – half of it: 5.2 %; see brand.yaml");
    assert!(
        plain.text.contains(
            "the drawing is 12 pixels wide (of 24), is it? A logo's corner – half of it: 5.2 %; see brand.yaml"
        )
    );
    assert_eq!(comment("declare `low-contrast: off`, or darken it").code[2..], ["icons/a.png", "low-contrast: off"]);
    for odd in [
        "@octocat",
        "(@octocat)",
        "#1",
        "GH-1",
        "(gh-12)",
        "acme/art#1",
        "acme/art@3f60c40ab1",
        "3f60c40",
        "https://x.example",
        "www.x.example",
        "a@b.example",
        "!12",
        "%3",
        "~bug",
        "&4",
        "$5",
        ":smile:",
        "**b**",
        "_i_",
        "~~s~~",
        "[x](y)",
        "<b>",
        "a|b",
        "\\*",
        "$\\alpha$",
        "^1",
        "*",
        "=x=",
        "{+a+}",
    ] {
        let seen = comment(&format!("see {odd} there"));
        assert!(seen.text.contains("see ") && seen.text.contains(" there"), "{odd}: {seen:?}");
        // A bracket around a word stays text.
        let word = odd.strip_prefix('(').and_then(|odd| odd.strip_suffix(')')).unwrap_or(odd);
        let shown = word.replace('|', "\\u{7c}");
        assert!(seen.code.iter().any(|code| code.contains(shown.as_str())), "{odd}: {seen:?}");
    }
    // Backticks in what is quoted, and without a partner.
    for odd in ["`a`@b`", "`", "``", "`a``b`", "a`@octocat", "`@a` `#1"] {
        comment(odd);
    }
}

#[test]
fn a_comment_without_a_page_says_how_to_get_to_the_images() {
    let hint = "`--report-url`";
    assert!(markdown::report(&scenes::plan(), "plan", None).trim_end().ends_with("</sub>"));
    assert!(!markdown::report(&scenes::plan(), "plan", Some("https://ci.example/plan.html")).contains(hint));
    let mut nothing = scenes::plan();
    nothing.plan.as_mut().unwrap().diff.changes.clear();
    assert!(!markdown::report(&nothing, "plan", None).contains(hint));
}

#[test]
fn a_code_that_is_missing_is_the_headline_and_inert() {
    let mut report = scenes::failed();
    report.run.as_mut().unwrap().missing = ["icon/acme-chat".parse().unwrap()].into();
    let comment = markdown::report(&report, "apply", None);
    let said = "**icon/acme-chat is missing on the portal: `brandctl restore 20261122T101500Z-1 icon/acme-chat` puts the old image back.**";
    assert_eq!(comment.lines().nth(3), Some(said));
    let names = scenes::names();
    report.run.as_mut().unwrap().missing = names.iter().map(|name| Address::new(Kind::Icon, Code::new(name))).collect();
    is_inert(&markdown::report(&report, "apply", None));
}

#[test]
fn the_mark_stays_the_same_whatever_came_of_it() {
    let mark =
        |report: &Report, command: &str| markdown::report(report, command, None).lines().next().unwrap().to_owned();
    let subject = Subject { portal: Some("acme.bitrix24.com".to_owned()), manifest: "brand/brand.yaml".to_owned() };
    let whole = Report { subject, ..scenes::plan() };
    let mut failed = whole.clone();
    (failed.plan, failed.portal) = (None, None);
    failed.manifest = "/home/runner/work/brand/brand.yaml".to_owned();
    assert_eq!(mark(&whole, "plan"), "<!-- brandctl plan acme.bitrix24.com brand/brand.yaml -->");
    assert_eq!(mark(&failed, "plan"), mark(&whole, "plan"));
    assert_ne!(mark(&whole, "drift"), mark(&whole, "plan"));
    failed.subject.portal = Some("other.bitrix24.com".to_owned());
    assert_ne!(mark(&failed, "plan"), mark(&whole, "plan"), "two portals, two comments");
    failed.subject.portal = None;
    failed.subject.manifest = "a--><b> ---x.yaml".to_owned();
    assert_eq!(mark(&failed, "plan"), "<!-- brandctl plan - a-%2D%3E%3Cb%3E%20-%2D-x.yaml -->");
    failed.subject.portal = Some("--><script>".to_owned());
    is_inert(&markdown::report(&failed, "plan", None));
}

#[test]
fn a_run_that_went_wrong_says_where_it_is_and_how_to_go_back() {
    let mut report = scenes::run();
    let run = report.run.as_mut().unwrap();
    let plan = report.plan.as_mut().unwrap();
    let hostile = Address::new(Kind::Icon, Code::new("acme-'; rm -rf ~ #`|"));
    let replaced = plan.diff.changes.iter().find(|change| change.action.before().is_some()).unwrap();
    let lost = Change { address: hostile.clone(), ..replaced.clone() };
    run.steps
        .insert(hostile, StepResult { outcome: StepOutcome::Failed, why: Some("refused".to_owned()), wrote: true });
    plan.diff.changes.push(lost);
    let seen = is_inert(&markdown::report(&report, "apply", None));
    let (id, folder) = (report.run.as_ref().unwrap().id.clone(), report.run.unwrap().folder.display().to_string());
    assert!(seen.code.contains(&id) && seen.code.contains(&folder), "{:?}", seen.code);
    let restore = format!("brandctl restore {id} 'icon/acme-'\\''; rm -rf ~ #`\\u{{7c}}'");
    assert!(seen.code.contains(&restore), "{restore}\n{:?}", seen.code);
}

#[test]
fn a_stale_plan_says_nothing_of_what_is_on_the_portal_now() {
    let error = Finding::error("plan-stale", "it already matches the plan");
    let report = Report { failure: Some(FailureKind::Stale), findings: vec![error], ..scenes::plan() };
    let comment = markdown::report(&report, "apply", None);
    assert!(comment.contains("**The plan is stale: nothing was written.**"), "{comment}");
    assert!(
        comment.contains("Planned, not written: 2 to create") && comment.contains("| `+` | `icon/acme-fax` |\n"),
        "{comment}"
    );
    for claim in ["not on the portal", "looks different", "not declared"] {
        assert!(!comment.contains(claim), "{claim}");
    }
}

#[test]
fn the_first_sentence_says_how_it_ended() {
    let sentence = |report: &Report, command: &str| {
        let comment = markdown::report(report, command, None);
        comment.lines().nth(3).unwrap().trim_matches('*').to_owned()
    };
    let with = |rule: &'static str, report: Report| {
        let findings = vec![Finding::error(rule, "told elsewhere")];
        let failure = match rule {
            "declined" => Some(FailureKind::Declined),
            "unasked" => Some(FailureKind::Unasked),
            "portal" => Some(FailureKind::Portal(Class::Transient)),
            "interrupted" => Some(FailureKind::Interrupted),
            _ => None,
        };
        Report { findings, failure, guards: Vec::new(), ..report }
    };
    let nothing = || Report { plan: None, ..scenes::plan() };
    let interrupted = |report| with("interrupted", report);
    for (report, command, told) in [
        (with("declined", scenes::plan()), "apply", "Declined: nothing was written."),
        (with("unasked", nothing()), "apply", "Could not ask for approval: nothing was written."),
        (with("portal", nothing()), "apply", "The portal could not be read: nothing was written."),
        (with("portal", nothing()), "plan", "The portal could not be read: nothing can be applied."),
        (with("portal", nothing()), "drift", "The portal could not be read: nothing was compared."),
        (with("credentials", nothing()), "drift", "1 error: nothing was compared."),
        (with("code-respelt", scenes::plan()), "plan", "1 error: nothing can be applied."),
        (
            with("code-respelt", scenes::plan()),
            "drift",
            "1 error; 9 entries differ from the manifest, as far as was compared.",
        ),
        (interrupted(nothing()), "plan", "Interrupted: nothing was planned."),
        (interrupted(nothing()), "drift", "Interrupted: nothing was compared."),
        (interrupted(scenes::plan()), "apply", "Interrupted: nothing was written."),
        (interrupted(scenes::run()), "apply", "Interrupted: 7 of 9 changes applied."),
        (scenes::plan(), "plan", "Plan: 2 to create, 5 to replace, 1 to delete, 1 to rename; a guard refuses it."),
        (
            scenes::plan(),
            "drift",
            "Drift: 8 of 11 declared entries differ; 1 undeclared entry on the portal; a guard would stop apply.",
        ),
        (scenes::plan(), "restore", "Restore: 9 to put back, 3 already as before; a guard refuses it."),
        (scenes::run(), "restore", "Not everything was put back: 7 of 9."),
    ] {
        assert_eq!(sentence(&report, command), told);
    }
    let lost = scenes::hostile();
    let unknown = lost.plan.as_ref().unwrap().diff.unknown.len();
    assert!(unknown > 0 && markdown::report(&lost, "plan", None).contains(&format!(" system, {unknown} unknown.")));
}

#[test]
fn a_long_list_gets_the_room_that_others_leave() {
    let mut report = scenes::thousand();
    let plan = report.plan.as_mut().unwrap();
    for number in 0..5000 {
        let address = Address::new(Kind::Icon, Code::new(format!("acme-more-{number}")));
        plan.diff.changes.push(Change { address, ..plan.diff.changes[0].clone() });
    }
    let filled = |report: &Report| markdown::report(report, "plan", None).len();
    let all = MAX_COMMENT_BYTES - 200..MAX_COMMENT_BYTES;
    assert!(all.contains(&filled(&report)), "{}", filled(&report));
    // Two long ones share it, and the short one is shown whole.
    let more = (0..5000).map(|number| Finding::warning("clipped", format!("{number} pixels are outside")));
    report.findings = more.collect();
    report.findings.push(Finding::error("png-size", "the only error"));
    assert!(all.contains(&filled(&report)), "{}", filled(&report));
    let comment = markdown::report(&report, "plan", None);
    assert!(comment.contains("the only error"));
    let rows: Vec<usize> = seen(&comment).rows.iter().map(|(_, rows)| *rows).collect();
    assert!(rows.iter().filter(|rows| **rows > 200).count() == 2, "{rows:?}");
}

#[test]
fn a_thousand_changes_are_cut_off_with_their_count() {
    let comment = markdown::report(&scenes::thousand(), "plan", None);
    assert!(comment.len() < MAX_COMMENT_BYTES, "{}", comment.len());
    let seen = is_inert(&comment);
    assert!(comment.contains("<details><summary>Changes: 1000</summary>"));
    let [(3, rows)] = seen.rows[..] else { panic!("{:?}", seen.rows) };
    assert!(rows > 200, "{rows}");
    // The table's head is a row too.
    assert!(comment.contains(&format!("… and {} more.", 1000 - (rows - 1))), "{rows} rows");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// For any number of changes, findings and others' entries, with any names.
    #[test]
    fn no_comment_is_too_long_or_does_anything(
        names in prop::collection::vec(r#"[-a-z`|<>@#\\/\[\]()!*_~:.&; \n\u{202e}]{1,60}"#, 1..12),
        copies in 1_usize..400,
    ) {
        let mut report = scenes::hostile();
        let plan = report.plan.as_mut().unwrap();
        let (pattern, unknown) = (plan.diff.changes[0].clone(), plan.diff.unknown[0].clone());
        for (number, name) in (0..copies).flat_map(|number| names.iter().map(move |name| (number, name))) {
            let address = Address::new(Kind::Icon, Code::new(format!("{name}{number}")));
            let mut change = pattern.clone();
            change.address = address.clone();
            plan.diff.changes.push(change);
            plan.diff.unmanaged.push((address.clone(), Unmanaged::NotOwned));
            let mut lost = unknown.clone();
            (lost.address, lost.why) = (address.clone(), name.clone());
            plan.diff.unknown.push(lost);
            report.findings.push(Finding::error("png-size", name).about(address).help(name));
        }
        let comment = markdown::report(&report, "plan", None);
        prop_assert!(comment.len() < MAX_COMMENT_BYTES, "{}", comment.len());
        let lines = |start: &str| is_inert(&comment).html.iter().filter(|html| html.starts_with(start)).count();
        prop_assert_eq!(lines("<details>"), lines("</details>"));
    }
}

#[test]
fn a_restore_says_how_long_it_stays() {
    let note = "The next `brandctl apply` undoes this restore, unless you change the repository too.";
    assert!(markdown::report(&scenes::plan(), "restore", None).contains(note));
    assert!(!markdown::report(&scenes::plan(), "plan", None).contains(note));
}
