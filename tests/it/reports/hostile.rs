//! Text that would be a command in some format is shown in it, and does nothing: the same names through every format.

use brandctl::domain::report::Report;
use brandctl::render::json::{self, ListDocument, PlanDocument};
use brandctl::render::{
    codequality, diff, github, html, human, junit, list, markdown, picture::Pictures, sarif, screen::Screen, terraform,
};

use super::diff::plain;
use super::markdown::is_inert;
use super::{inventory, validation};
use crate::shared::{header, scenes};

/// Every text that a command can print or write about a report, by its format.
fn formats(report: &Report) -> Vec<(&'static str, String)> {
    let (validation, inventory) = (validation(report), inventory(report));
    vec![
        ("plan", human::plan(report, &Screen::default())),
        ("drift", human::drift(report, &Screen::default())),
        ("plan diff", diff::report(report)),
        (
            "plan json",
            json::print::<PlanDocument>(&header(), report.portal.as_deref(), report, &report.findings).unwrap(),
        ),
        ("plan html", html::report(report, "plan")),
        ("plan md", markdown::report(report, "plan", None)),
        ("plan xml", junit::report(report, "plan")),
        ("plan github", github::report(report, "plan")),
        ("drift github", github::report(report, "drift")),
        ("plan codequality", codequality::report(report, "plan").unwrap()),
        ("list", list::list(&inventory, list::Systems::Named, &Screen::default())),
        ("list json", json::print::<ListDocument>(&header(), None, &inventory, &inventory.findings).unwrap()),
        ("list html", html::list(&inventory)),
        ("list md", markdown::list(&inventory, None)),
        ("validate", human::validation(&validation, &Pictures::new(), &Screen::default())),
        ("validate json", json::print_validation(&header(), &validation).unwrap()),
        ("validate html", html::validation(&validation)),
        ("validate md", markdown::validation(&validation, None)),
        ("validate xml", junit::validation(&validation)),
        ("validate sarif", sarif::validation(&validation).unwrap()),
        ("validate github", github::validation(&validation)),
        ("validate codequality", codequality::validation(&validation).unwrap()),
    ]
}

#[test]
fn no_format_passes_on_what_moves_a_cursor_or_turns_text() {
    for (format, text) in formats(&scenes::hostile()) {
        // The styles are the program's own.
        let text =
            if ["plan", "drift", "plan diff", "list", "validate"].contains(&format) { plain(&text) } else { text };
        let moving = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200d}\u{feff}".contains(c);
        assert_eq!(text.chars().find(|c| moving(*c)), None, "{format}");
        assert!(text.to_lowercase().contains("202e"), "{format} shows that something was there");
    }
}

#[test]
fn each_format_holds_names_as_text() {
    for (format, text) in formats(&scenes::hostile()) {
        match format.rsplit(' ').next().unwrap() {
            "md" => drop(is_inert(&text)),
            "xml" => {
                let document = roxmltree::Document::parse(&text).unwrap();
                let known = ["testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out"];
                for element in document.descendants().filter(roxmltree::Node::is_element) {
                    assert!(known.contains(&element.tag_name().name()), "{element:?}");
                }
            }
            "github" => {
                let (commands, summary): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with("::"));
                assert!(commands.len() > 10 && summary.len() <= 2, "{format}: {text}");
                for line in commands {
                    let properties = line.split_once(' ').unwrap().1.split("::").next().unwrap();
                    let keys = properties.split(',').map(|pair| pair.split('=').next().unwrap());
                    let unknown = keys.filter(|key| !["file", "line", "col", "title"].contains(key)).count();
                    assert_eq!(unknown, 0, "{line}");
                }
                assert!(!summary.join("").contains("##["), "{summary:?}");
            }
            "codequality" => drop(super::annotations::issues(&text)),
            "json" | "sarif" => drop(serde_json::from_str::<serde_json::Value>(&text).unwrap()),
            "html" => {
                assert_eq!((text.matches("<script").count(), text.matches("</style>").count()), (1, 1), "{format}");
                assert!(!text.contains("<img") && !text.contains("<x>"), "{format}");
            }
            _ => {}
        }
    }
}

/// The counts hold no name.
#[test]
fn counts_are_numbers() {
    let text = terraform::report(&scenes::hostile()).unwrap();
    assert_eq!(text, "{\n  \"create\": 0,\n  \"update\": 11,\n  \"delete\": 0\n}\n");
}

#[test]
fn the_longest_code_is_whole_or_cut_off_with_a_sign() {
    let longest = "x".repeat(255);
    for (format, text) in formats(&scenes::hostile()) {
        assert!(text.contains(&longest) || text.contains(&format!("{}…", "x".repeat(75))), "{format}");
    }
}
