//! Markdown for the comment of a pull request: short enough for every code host, with nothing in it that such a host
//! would draw, link or send to anybody.
//!
//! Whatever comes from a portal, a file or a server stands in a code span, the one place where neither Markdown nor the
//! hosts' own `@mentions` and `#references` are looked for. Images are left out, because hosts strip those that are
//! inside a text; a link leads to the page that has them.

use std::fmt::Write as _;

use super::outcome::{self, Outcome};
use super::{in_pairs, inert, origin, reason, unmanaged, usage};
use crate::domain::asset::Address;
use crate::domain::diff::Action;
use crate::domain::finding::Finding;
use crate::domain::guard::{self, Verdict};
use crate::domain::inventory::{Inventory, Standing};
use crate::domain::origin::common_reason;
use crate::domain::plan::Plan;
use crate::domain::report::{Fate, Report, Run, Validation};

/// No comment is longer, in bytes: hosts take 65,536 characters, and a tool may add some of its own.
pub const LONGEST: usize = 60_000;

/// What is kept free for the frames of the lists that are still to come.
const FRAMES: usize = 4_000;

/// The most rows that are seen without a click.
const OPEN: usize = 25;

/// The longest name or message, in characters: a code may have 255.
const LONGEST_NAME: usize = 300;

/// What `command` (as the user typed it: `plan`) found out and did. `page` is where the page with the images will be.
#[must_use]
pub fn report(report: &Report, command: &str, page: Option<&str>) -> String {
    let title = report.portal.as_deref().unwrap_or("no portal was read");
    let mut comment = Comment::new(command, &report.manifest, title, &Outcome::of_report(report), page);
    if let Some(plan) = &report.plan {
        let _ = write!(comment.text, "{}.\n\n", outcome::counts(plan));
        if let Some(moved) = moved(report) {
            let _ = write!(comment.text, "{moved}.\n\n");
        }
        if let Some(looked) = plan.evidence.as_ref().map(|evidence| usage::coverage(&evidence.coverage)) {
            let _ = write!(comment.text, "{}\n\n", looked.lines().map(code).collect::<Vec<_>>().join("<br>"));
        }
    }
    let (errors, warnings): (Vec<_>, Vec<_>) = report.findings.iter().partition(|finding| finding.is_error());
    comment.list("Errors", FINDINGS, errors.into_iter().map(finding));
    let told = report.guards.iter().filter(|verdict| verdict.outcome != guard::Outcome::Passed);
    comment.list("Guards", "| guard | outcome | why |\n|---|---|---|\n", told.map(verdict));
    if let Some(run) = &report.run {
        comment.list("Not applied", "| | entry | why |\n|---|---|---|\n", not_applied(run));
    }
    if let Some(plan) = &report.plan {
        comment.list(
            "Changes",
            "| | entry | why |\n|---|---|---|\n",
            in_pairs(plan).into_iter().map(|change| {
                let symbol = match change.action {
                    Action::Create(_) => "+",
                    Action::Replace(..) => "-/+",
                    Action::Delete(_) => "-",
                };
                let mut why = reason::in_full(change, plan, code, name);
                if let Some(origin) = origin::of(report, &change.address) {
                    let _ = write!(why, "<br>{}: {}", origin.kind.name(), code(&origin.why));
                }
                format!("| `{symbol}` | {} | {why} |\n", name(&change.address))
            }),
        );
        comment.list(
            "Unknown, left alone",
            ENTRIES,
            plan.unknown.iter().map(|unknown| format!("| {} | {} |\n", name(&unknown.address), code(&unknown.why))),
        );
    }
    comment.list("Warnings", FINDINGS, warnings.into_iter().map(finding));
    if let Some(plan) = &report.plan {
        comment.folded("Unmanaged, left alone", ENTRIES, left_alone(plan));
    }
    comment.text
}

/// Who moved; a reason may hold words of Git.
fn moved(report: &Report) -> Option<String> {
    match common_reason(&report.origins) {
        Some(why) => Some(format!("Who moved is unknown: {}", code(why))),
        None => origin::summary(report),
    }
}

/// What `validate` found.
#[must_use]
pub fn validation(validation: &Validation, page: Option<&str>) -> String {
    let outcome = Outcome::of_validation(validation);
    let mut comment = Comment::new("validate", &validation.manifest, &validation.manifest, &outcome, page);
    let (errors, warnings): (Vec<_>, Vec<_>) = validation.findings.iter().partition(|finding| finding.is_error());
    comment.list("Errors", FINDINGS, errors.into_iter().map(finding));
    comment.list("Warnings", FINDINGS, warnings.into_iter().map(finding));
    comment.text
}

/// What `list` found. Entries that come with the product are counted only.
#[must_use]
pub fn inventory(inventory: &Inventory, page: Option<&str>) -> String {
    let title = inventory.portal.as_deref().unwrap_or("no portal was read");
    let manifest = inventory.manifest.as_deref().unwrap_or_default();
    let mut comment = Comment::new("list", manifest, title, &Outcome::of_inventory(inventory), page);
    let (errors, warnings): (Vec<_>, Vec<_>) = inventory.findings.iter().partition(|finding| finding.is_error());
    comment.list("Errors", FINDINGS, errors.into_iter().map(finding));
    let custom = inventory.entries.iter().filter(|held| held.standing != Standing::System);
    comment.list(
        "Entries",
        "| entry | standing |\n|---|---|\n",
        custom.map(|held| format!("| {} | {} |\n", name(&held.address), held.standing.name())),
    );
    comment.list("Warnings", FINDINGS, warnings.into_iter().map(finding));
    comment.text
}

const FINDINGS: &str = "| rule | about | what |\n|---|---|---|\n";
const ENTRIES: &str = "| entry | why |\n|---|---|\n";

/// A comment that grows and stays below [`LONGEST`].
struct Comment {
    text: String,
}

impl Comment {
    /// The first line is a mark by which tools find the comment again, to write over it: it stays the same from run to
    /// run, whatever came of them.
    fn new(command: &str, manifest: &str, title: &str, outcome: &Outcome, page: Option<&str>) -> Self {
        let mut text = format!("<!-- brandctl {command} {} -->\n", marked(manifest));
        let _ = write!(text, "### brandctl {command}: {}\n\n**{}.**", code(title), outcome.text);
        if let Some(page) = page {
            let _ = write!(text, " [The images, side by side](<{page}>)");
        }
        text.push_str("\n\n");
        Self { text }
    }

    /// A table, folded away where it is long.
    fn list(&mut self, title: &str, head: &str, rows: impl Iterator<Item = String>) {
        let rows: Vec<String> = rows.collect();
        if rows.len() > OPEN {
            self.folded(title, head, rows.into_iter());
        } else if !rows.is_empty() {
            let _ = write!(self.text, "**{title}**\n\n");
            self.rows(head, &rows);
        }
    }

    fn folded(&mut self, title: &str, head: &str, rows: impl Iterator<Item = String>) {
        let rows: Vec<String> = rows.collect();
        if !rows.is_empty() {
            let _ = write!(self.text, "<details><summary>{title}: {}</summary>\n\n", rows.len());
            self.rows(head, &rows);
            self.text.push_str("</details>\n\n");
        }
    }

    /// As many rows as fit into half of what is left, so that no list takes the room of all others.
    fn rows(&mut self, head: &str, rows: &[String]) {
        let end = self.text.len() + LONGEST.saturating_sub(FRAMES + self.text.len()) / 2;
        self.text.push_str(head);
        let mut told = 0;
        for row in rows {
            if self.text.len() + row.len() > end {
                break;
            }
            self.text.push_str(row);
            told += 1;
        }
        self.text.push('\n');
        if told < rows.len() {
            let _ = write!(self.text, "… and {} more.\n\n", rows.len() - told);
        }
    }
}

/// A name in a comment of HTML, which `--` could end.
fn marked(name: &str) -> String {
    let mut marked = String::new();
    for character in name.chars().take(LONGEST_NAME) {
        if character.is_ascii_alphanumeric() || "._/".contains(character) || character == '-' && !marked.ends_with('-')
        {
            marked.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                let _ = write!(marked, "%{byte:02X}");
            }
        }
    }
    marked
}

/// Text in a code span that it cannot end, nor the cell of the table around it.
fn code(text: &str) -> String {
    let mut shown = inert(text).replace('|', "\\u{7c}");
    if let Some((end, _)) = shown.char_indices().nth(LONGEST_NAME) {
        shown.truncate(end);
        shown.push('…');
    }
    // A span of nothing, or of spaces alone, is no span.
    if shown.trim().is_empty() {
        return "–".to_owned();
    }
    // A span ends with as many backticks as it began with; a space beside them is no part of it.
    let longest = shown.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{shown}{space}{fence}")
}

fn name(address: &Address) -> String {
    code(&address.to_string())
}

fn finding(finding: &Finding) -> String {
    let place = match (&finding.address, &finding.path, &finding.place) {
        (Some(address), ..) => name(address),
        (None, Some(path), Some(place)) => code(&format!("{path}:{}:{}", place.line, place.column)),
        (None, Some(path), None) => code(path),
        (None, None, _) => "–".to_owned(),
    };
    let help = finding.help.as_ref().map(|help| format!("<br>help: {}", code(help))).unwrap_or_default();
    format!("| {} | {place} | {}{help} |\n", code(&finding.rule), code(&finding.message))
}

fn verdict(verdict: &Verdict) -> String {
    /// The most entries that are named one by one.
    const MOST: usize = 10;
    let word = match verdict.outcome {
        guard::Outcome::Passed => "passed",
        guard::Outcome::Allowed => "allowed",
        guard::Outcome::Refused => "**refused**",
    };
    let mut why = code(&verdict.message);
    let named: Vec<_> = verdict.addresses.iter().take(MOST).map(name).collect();
    if !named.is_empty() {
        let _ = write!(why, "<br>{}", named.join(", "));
    }
    if verdict.addresses.len() > MOST {
        let _ = write!(why, " and {} more", verdict.addresses.len() - MOST);
    }
    if let Some(help) = &verdict.help {
        let _ = write!(why, "<br>help: {}", code(help));
    }
    format!("| `{}` | {word} | {why} |\n", verdict.guard.name())
}

fn not_applied(run: &Run) -> impl Iterator<Item = String> {
    run.steps.iter().filter(|(_, step)| step.fate != Fate::Applied).map(|(address, step)| {
        let word = match step.fate {
            Fate::Applied => "applied",
            Fate::Failed => "failed",
            Fate::Skipped => "skipped",
            Fate::Recovered => "recovered",
            Fate::Unknown => "unknown",
        };
        format!("| {word} | {} | {} |\n", name(address), code(step.why.as_deref().unwrap_or_default()))
    })
}

fn left_alone(plan: &Plan) -> impl Iterator<Item = String> {
    plan.unmanaged.iter().map(|(address, why)| {
        let why = unmanaged(address.kind, *why).replace('`', "");
        format!("| {} | {why} |\n", name(address))
    })
}
