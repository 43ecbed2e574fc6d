//! The art rules for people: a line for each, the full explanation of one, and the table in docs/rules.md.

use std::fmt::Write as _;

use crate::domain::manifest::Level;
use crate::domain::rules::{ArtRule, RULES};

use super::style::BOLD;

/// A line for each rule: its id, its default level and why it exists.
pub fn list(rules: &[&ArtRule]) -> String {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rules {
        let _ = writeln!(text, "{BOLD}{:width$}{BOLD:#}  {:5}  {}", rule.id, rule.default.name(), rule.why);
    }
    text.push_str("\n`brandctl rules ID` explains a rule, or any other finding, and how to fix it.\n");
    text
}

/// The full explanation of one rule.
pub(crate) fn story(rule: &ArtRule) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{BOLD}{}{BOLD:#}: {} by default", rule.id, rule.default.name());
    let setting = if rule.adjustable {
        let names = Level::ALL.map(Level::name);
        let other = Level::ALL.into_iter().find(|level| *level != rule.default).unwrap_or(Level::Off);
        format!("in the manifest, to {}: `rules: {{{}: {}}}`", names.join(", "), rule.id, other.name())
    } else if RULES.iter().any(|art| art.id == rule.id) {
        "cannot be lowered: the portal refuses or damages such images".to_owned()
    } else {
        "cannot be set in the manifest".to_owned()
    };
    for (title, what) in [("why", rule.why), ("fix", rule.fix), ("source", rule.source), ("set", setting.as_str())] {
        let _ = writeln!(text, "\n  {BOLD}{title:6}{BOLD:#}  {what}");
    }
    text
}

/// The rules as a table in Markdown.
pub fn markdown(rules: &[ArtRule]) -> String {
    let mut text = "| rule | default | why |\n|---|---|---|\n".to_owned();
    for rule in rules {
        let fixed = if rule.adjustable { "" } else { ", fixed" };
        let _ = writeln!(text, "| `{}` | {}{fixed} | {} |", rule.id, rule.default.name(), rule.why);
    }
    text
}
