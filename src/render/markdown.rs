//! Markdown for the comment of a pull request: short enough for every code host, and without anything that such a host
//! would draw, link or notify anyone about.
//!
//! Words of a message are text. A name, and every word that a host could interpret, such as `@user`, `#123` or an
//! address, is in a code span, the one place where neither Markdown nor the hosts' own references apply. Images are left
//! out, because hosts strip those that are inside a text; a link leads to the page that has them.

use std::fmt::Write as _;

mod words;

use super::outcome::{self, Headline};
use super::reason::unmanaged;
use super::{heading, origin, reason, usage};
use crate::domain::asset::Address;
use crate::domain::diff::{Action, Change};
use crate::domain::finding::Finding;
use crate::domain::guard::{self, Verdict};
use crate::domain::list::{ListReport, Management};
use crate::domain::origin::common_reason;
use crate::domain::plan::Plan;
use crate::domain::report::{Heading, Report, Run, Subject, Validation};
use crate::domain::step::StepOutcome;
use words::{code, headline, prose, whole};

/// The most bytes of a comment: hosts take 65,536 characters, and a tool may add some of its own.
pub const MAX_COMMENT_BYTES: usize = 60_000;

/// The most rows that are seen without a click.
const MAX_OPEN_ROWS: usize = 25;

/// The result of `command` (as the user typed it: `plan`). `page` is where the page with the images will be.
pub fn report(report: &Report, command: &str, page: Option<&str>) -> String {
    let title = report.portal.as_deref().unwrap_or("no portal was read");
    let images = page.map(|page| ("The images, side by side", page));
    let outcome = Headline::of_report(report, command);
    let about = About { subject: &report.subject, manifest: &report.manifest, heading: &report.heading };
    let mut comment = Comment::new(command, about, title, &outcome, images);
    let counts = outcome::counts_below(report, command).map(|(what, counts)| format!("{what}: {counts}"));
    for sentence in [counts, moved(report)].into_iter().flatten() {
        let _ = write!(comment.text, "{sentence}.\n\n");
    }
    let puts_back = report.plan.as_ref().is_some_and(|plan| !plan.diff.changes.is_empty());
    if command == "restore" && puts_back {
        let _ = write!(comment.text, "{}\n\n", prose(outcome::NEXT_APPLY_UNDOES));
    }
    if let Some(evidence) = report.plan.as_ref().and_then(|plan| plan.evidence.as_ref()) {
        let looked = usage::coverage(&evidence.coverage);
        let _ = write!(comment.text, "{}\n\n", looked.lines().map(prose).collect::<Vec<_>>().join("<br>"));
    }
    if let Some(run) = &report.run {
        let folder = code(&run.folder.display().to_string());
        let _ = write!(comment.text, "Run {}: the old images and the journal are in {folder}.\n\n", code(&run.id));
    }
    let (errors, warnings): (Vec<_>, Vec<_>) = report.findings.iter().partition(|finding| finding.is_error());
    comment.list("Errors", FINDINGS, errors.into_iter().map(finding));
    let shown = report.guards.iter().filter(|verdict| verdict.outcome != guard::Outcome::Passed);
    comment.list("Guards", "| guard | outcome | why |\n|---|---|---|\n", shown.map(verdict));
    if let Some(run) = &report.run {
        run_lists(&mut comment, run, report.plan.as_ref());
    }
    if let Some(plan) = &report.plan {
        changes(&mut comment, plan, report);
        let unknown = plan.diff.unknown.iter();
        let rows = unknown.map(|unknown| format!("| {} | {} |\n", name(&unknown.address), prose(&unknown.why)));
        comment.list("Unknown, left alone", ENTRIES, rows);
    }
    comment.list("Warnings", FINDINGS, warnings.into_iter().map(finding));
    if let Some(plan) = &report.plan {
        comment.folded("Unmanaged, left alone", ENTRIES, left_alone(plan));
    }
    let has_images = report.plan.as_ref().is_some_and(|plan| !plan.diff.changes.is_empty());
    comment.finish(page.is_none() && has_images)
}

fn run_lists(comment: &mut Comment, run: &Run, plan: Option<&Plan>) {
    comment.list("Not applied", "| | entry | why |\n|---|---|---|\n", not_applied(run));
    let restores = plan.into_iter().flat_map(|plan| outcome::restores(run, plan));
    let rows = restores.map(|(address, command)| format!("| {} | {} |\n", name(address), whole(&command)));
    comment.list("To put the old images back", "| entry | command |\n|---|---|\n", rows);
}

fn changes(comment: &mut Comment, plan: &Plan, report: &Report) {
    if report.is_stale() {
        // The reasons were true of the portal before it changed.
        let changes = plan.diff.changes.iter();
        let rows = changes.map(|change| format!("| `{}` | {} |\n", symbol(change), name(&change.address)));
        return comment.list("Planned, and not written", "| | entry |\n|---|---|\n", rows);
    }
    let origins = origin::ShownOrigins::of(report);
    let rows = reason::rows(plan).into_iter().map(|row| {
        let change = row.change;
        let mut why = reason::of_row(&row, plan, code, name);
        if let Some(origin) = origins.get(&change.address) {
            let _ = write!(why, "<br>{}: {}", origin.kind.name(), prose(&origin.why));
        }
        if let Some(last) = report.changed_by.get(&change.address) {
            // Hosts link a commit that is named in text.
            let _ = write!(why, "<br>declared file last changed by {} in {}", code(&last.author), last.short());
        }
        let symbol = if row.old.is_some() { "~" } else { symbol(change) };
        format!("| `{symbol}` | {} | {why} |\n", name(&change.address))
    });
    comment.list("Changes", "| | entry | why |\n|---|---|---|\n", rows);
}

/// The line about origins; a reason may hold text from Git.
fn moved(report: &Report) -> Option<String> {
    match common_reason(&report.origins) {
        Some(why) => Some(format!("Who moved is unknown: {}", prose(why))),
        None => origin::summary(report),
    }
}

/// The result of `validate`.
pub fn validation(validation: &Validation, page: Option<&str>) -> String {
    let outcome = Headline::of_validation(validation);
    let images = page.map(|page| ("The images, as the portal draws them", page));
    let about = About { subject: &validation.subject, manifest: &validation.manifest, heading: &validation.heading };
    let mut comment = Comment::new("validate", about, &validation.manifest, &outcome, images);
    let (errors, warnings): (Vec<_>, Vec<_>) = validation.findings.iter().partition(|finding| finding.is_error());
    comment.list("Errors", FINDINGS, errors.into_iter().map(finding));
    comment.list("Warnings", FINDINGS, warnings.into_iter().map(finding));
    comment.finish(false)
}

/// The result of `list`. Entries that come with the product are counted only.
pub fn list(list: &ListReport, page: Option<&str>) -> String {
    let title = list.portal.as_deref().unwrap_or("no portal was read");
    let images = page.map(|page| ("The images, as the portal draws them", page));
    let manifest = list.manifest.as_deref().unwrap_or_default();
    let about = About { subject: &list.subject, manifest, heading: &list.heading };
    let mut comment = Comment::new("list", about, title, &Headline::of_list(list), images);
    let (errors, warnings): (Vec<_>, Vec<_>) = list.findings.iter().partition(|finding| finding.is_error());
    comment.list("Errors", FINDINGS, errors.into_iter().map(finding));
    let custom = list.entries.iter().filter(|entry| entry.management != Management::System);
    comment.list(
        "Entries",
        "| entry | standing |\n|---|---|\n",
        custom.map(|entry| format!("| {} | {} |\n", name(&entry.address), entry.management.name())),
    );
    comment.list("Warnings", FINDINGS, warnings.into_iter().map(finding));
    comment.finish(false)
}

const FINDINGS: &str = "| rule | about | what |\n|---|---|---|\n";
const ENTRIES: &str = "| entry | why |\n|---|---|\n";

/// The subject of a comment, with its time and commit.
#[derive(Clone, Copy)]
struct About<'a> {
    subject: &'a Subject,
    manifest: &'a str,
    heading: &'a Heading,
}

/// A comment that grows and stays below [`MAX_COMMENT_BYTES`].
struct Comment {
    text: String,
    lists: Vec<List>,
}

/// A table under a title.
struct List {
    title: String,
    head: &'static str,
    rows: Vec<String>,
    is_folded: bool,
}

impl Comment {
    /// The first line is a marker by which tools find the comment again, to replace it. It stays the same from run to
    /// run, for any result, and differs between commands, portals and manifests. If a report does not name its subject,
    /// the manifest's own name is used.
    fn new(command: &str, about: About<'_>, title: &str, outcome: &Headline, images: Option<(&str, &str)>) -> Self {
        let About { subject, manifest, heading } = about;
        let portal = subject.portal.as_deref().map_or_else(|| "-".to_owned(), marked);
        let named = if subject.manifest.is_empty() { manifest } else { &subject.manifest };
        let mut text = format!("<!-- brandctl {command} {portal} {} -->\n", marked(named));
        let _ = write!(text, "### brandctl {command}: {}\n\n**{}.**", code(title), headline(&outcome.text));
        if let Some((link, page)) = images {
            let _ = write!(text, " [{link}](<{page}>)");
        }
        text.push_str("\n\n");
        // Hosts link a commit that is named in text.
        let commit = heading::commit(heading).map(|commit| format!("Commit {commit}"));
        let made: Vec<_> = commit.into_iter().chain(heading::began(heading).map(|time| time.short)).collect();
        if !made.is_empty() {
            let _ = write!(text, "{} · {}\n\n", made.join(" · "), heading::PROGRAM);
        }
        Self { text, lists: Vec::new() }
    }

    /// A table, folded away where it is long.
    fn list(&mut self, title: &str, head: &'static str, rows: impl Iterator<Item = String>) {
        let rows: Vec<String> = rows.collect();
        let is_folded = rows.len() > MAX_OPEN_ROWS;
        self.lists.push(List { title: title.to_owned(), head, rows, is_folded });
    }

    fn folded(&mut self, title: &str, head: &'static str, rows: impl Iterator<Item = String>) {
        self.lists.push(List { title: title.to_owned(), head, rows: rows.collect(), is_folded: true });
    }

    /// The whole comment. The lists share the available room: the short ones are shown completely, and the long ones get
    /// the rest. `hints` adds how a comment gets to the images.
    fn finish(self, hints: bool) -> String {
        const HINT: &str = "<sub>To see the images, add `--report plan.html` and `--report-url` with the address where it \
            will be.</sub>\n";
        let hint = if hints { HINT } else { "" };
        let Self { mut text, lists } = self;
        let mut lists: Vec<_> = lists.into_iter().filter(|list| !list.rows.is_empty()).map(|list| (list, 0)).collect();
        let frames: usize = lists.iter().map(|(list, _)| list.written(0).len()).sum();
        let mut room = MAX_COMMENT_BYTES.saturating_sub(text.len() + frames + hint.len() + 1);
        let mut by_length: Vec<_> = lists.iter_mut().collect();
        by_length.sort_by_key(|(list, _)| list.length());
        let mut left = by_length.len();
        for (list, share) in by_length {
            *share = list.length().min(room / left);
            room -= *share;
            left -= 1;
        }
        for (list, share) in lists {
            text.push_str(&list.written(share));
        }
        text + hint
    }
}

impl List {
    fn length(&self) -> usize {
        self.rows.iter().map(String::len).sum()
    }

    /// The rows that fit into `room` bytes, in their frame, and the number of rows that do not.
    fn written(&self, room: usize) -> String {
        let Self { title, head, rows, is_folded } = self;
        let mut text = match is_folded {
            true => format!("<details><summary>{title}: {}</summary>\n\n{head}", rows.len()),
            false => format!("**{title}**\n\n{head}"),
        };
        let (mut shown, mut used) = (0, 0);
        for row in rows {
            used += row.len();
            if used > room {
                break;
            }
            text.push_str(row);
            shown += 1;
        }
        text.push('\n');
        if shown < rows.len() {
            let _ = write!(text, "… and {} more.\n\n", rows.len() - shown);
        }
        if *is_folded {
            text.push_str("</details>\n\n");
        }
        text
    }
}

/// A name in a comment of HTML, which `--` could end.
fn marked(name: &str) -> String {
    let mut marked = String::new();
    for character in name.chars().take(words::MAX_NAME_CHARS) {
        if character.is_ascii_alphanumeric() || "._/:".contains(character) || character == '-' && !marked.ends_with('-')
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

const fn symbol(change: &Change) -> &'static str {
    match change.action {
        Action::Create(_) => "+",
        Action::Replace(..) => "-/+",
        Action::Delete(_) => "-",
    }
}

fn name(address: &Address) -> String {
    code(&address.to_string())
}

fn finding(finding: &Finding) -> String {
    let file = finding.path.as_ref().map(|path| match &finding.place {
        Some(place) => code(&format!("{path}:{}:{}", place.line, place.column)),
        None => code(path),
    });
    let about: Vec<_> = finding.address.as_ref().map(name).into_iter().chain(file).collect();
    let about = if about.is_empty() { "–".to_owned() } else { about.join("<br>") };
    let help = finding.help.as_ref().map(|help| format!("<br>help: {}", prose(help))).unwrap_or_default();
    format!("| {} | {about} | {}{help} |\n", code(&finding.rule), prose(&finding.message))
}

fn verdict(verdict: &Verdict) -> String {
    /// The most entries that are named one by one.
    const MAX_NAMED: usize = 10;
    let bold = if verdict.outcome == guard::Outcome::Refused { "**" } else { "" };
    let word = verdict.outcome.name();
    let mut why = prose(&verdict.message);
    let named: Vec<_> = verdict.addresses.iter().take(MAX_NAMED).map(name).collect();
    if !named.is_empty() {
        let _ = write!(why, "<br>{}", named.join(", "));
    }
    if verdict.addresses.len() > MAX_NAMED {
        let _ = write!(why, " and {} more", verdict.addresses.len() - MAX_NAMED);
    }
    if let Some(help) = &verdict.help {
        let _ = write!(why, "<br>help: {}", prose(help));
    }
    format!("| `{}` | {bold}{word}{bold} | {why} |\n", verdict.guard.name())
}

fn not_applied(run: &Run) -> impl Iterator<Item = String> {
    run.steps.iter().filter(|(_, step)| step.outcome != StepOutcome::Applied).map(|(address, step)| {
        let why = step.why.as_deref().map_or_else(|| "–".to_owned(), prose);
        format!("| {} | {} | {why} |\n", step.outcome.name(), name(address))
    })
}

fn left_alone(plan: &Plan) -> impl Iterator<Item = String> {
    plan.diff
        .unmanaged
        .iter()
        .map(|(address, why)| format!("| {} | {} |\n", name(address), prose(&unmanaged(address.kind, *why))))
}
