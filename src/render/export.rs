//! What was exported, for people: what is left alone and why, then counts and the next step.

use std::fmt::Write as _;
use std::path::Path;

use crate::domain::export::{ExportItem, ExportOutcome, MANIFEST};
use crate::domain::report::ExportReport;

use super::style::{DIM, REPLACE, shown};
use crate::text::{escape, escaped, first_names, plural, shell_word};

/// The most left-out entries that are named.
const MAX_LEFT_OUT: usize = 5;

/// The most files that a command to type names.
const MAX_ADDED: usize = 4;

/// The most entries that are named one by one.
const MAX_NAMED: usize = 20;

/// The entries that the manifest ignores, and a summary. Empty when nothing was written.
pub(crate) fn exported(report: &ExportReport) -> String {
    if report.written.is_empty() {
        return String::new();
    }
    let mut text = summary(report);
    let manifest = escaped(Path::new(&report.folder).join(MANIFEST).display());
    if report.written.iter().any(|file| file == MANIFEST) {
        let _ = writeln!(text, "`brandctl plan -f {manifest}` has nothing to do now.");
    } else if report.has_errors() {
        text.push_str("No manifest was written.\n");
    } else {
        text.push_str("There is nothing to declare, so no manifest was written.\n");
    }
    text
}

/// The entries that were taken into a repository, each with its file, and what to do next.
pub(crate) fn taken(report: &ExportReport) -> String {
    let mut text = String::new();
    let mut unchanged = 0;
    for ExportItem { address, outcome } in &report.items {
        match outcome {
            ExportOutcome::Declared(file) if report.written.contains(&file.path) => {
                let _ = writeln!(text, "  {} {DIM}->{DIM:#} {}", shown(address), escape(&file.path));
            }
            _ => unchanged += 1,
        }
    }
    let taken = report.items.len() - unchanged;
    if report.has_errors() && report.written.is_empty() {
        return String::new();
    }
    let portal = escape(report.portal.as_deref().unwrap_or_default());
    if taken == 0 {
        let are = plural(unchanged, "entry already looks", "entries already look");
        return format!("Nothing to take from {portal}: {are} the same here.\n");
    }
    let same = if unchanged == 0 { String::new() } else { format!("; {unchanged} already look the same here") };
    let _ = writeln!(text, "\nTook {} from {portal}{same}.", plural(taken, "image", "images"));
    let manifest = report.written.iter().find(|file| report.items.iter().all(|item| !has_file(item, file)));
    if let Some(manifest) = manifest {
        let _ = writeln!(text, "In {}, only the lines of these entries were changed.", escape(manifest));
    }
    let files: Vec<_> = report.written.iter().map(|file| shown_file(&report.folder, file)).collect();
    let files = if files.len() > MAX_ADDED { shown_file(&report.folder, ".") } else { files.join(" ") };
    let _ = writeln!(text, "Review the change with `git status`, then commit it: `git add {files}`.");
    text
}

/// A written file as a word of a command line.
fn shown_file(folder: &str, file: &str) -> String {
    let path = Path::new(folder.strip_prefix("./").unwrap_or(folder)).join(file);
    let path = path.strip_prefix(".").unwrap_or(&path).display().to_string();
    escape(&shell_word(if path.is_empty() { "." } else { &path })).into_owned()
}

fn has_file(item: &ExportItem, file: &str) -> bool {
    matches!(&item.outcome, ExportOutcome::Declared(declared) if declared.path == file)
}

/// The entries that the manifest ignores, and counts.
pub(super) fn summary(report: &ExportReport) -> String {
    let mut text = String::new();
    let aside: Vec<_> = report.items.iter().filter_map(|item| Some((item, why(item)?))).collect();
    for (item, why) in aside.iter().take(MAX_NAMED) {
        let _ = writeln!(text, "  {REPLACE}ignored{REPLACE:#}  {}  {DIM}{}{DIM:#}", shown(&item.address), escape(why));
    }
    if aside.len() > MAX_NAMED {
        let _ = writeln!(text, "  … and {} more: --format json lists all", aside.len() - MAX_NAMED);
    }
    if !aside.is_empty() {
        text.push('\n');
    }
    let count = |which: fn(&ExportOutcome) -> bool| report.items.iter().filter(|item| which(&item.outcome)).count();
    let declared = count(|outcome| matches!(outcome, ExportOutcome::Declared(_)));
    let left_out = count(|outcome| matches!(outcome, ExportOutcome::LeftOut));
    let _ = write!(
        text,
        "Exported {} of {} to {}: {declared} declared, {} ignored",
        plural(report.items.len() - left_out, "custom entry", "custom entries"),
        escape(report.portal.as_deref().unwrap_or_default()),
        escape(&report.folder),
        aside.len()
    );
    if left_out > 0 {
        let _ = write!(text, ", {left_out} left out");
    }
    text.push_str(".\n");
    if left_out > 0 {
        let is_left_out = |item: &&ExportItem| matches!(item.outcome, ExportOutcome::LeftOut);
        let names: Vec<_> = report.items.iter().filter(is_left_out).map(|item| shown(&item.address)).collect();
        let names = first_names(names.iter(), MAX_LEFT_OUT);
        let _ = writeln!(text, "{DIM}Left out, because no pattern matches them (case counts): {names}{DIM:#}");
    }
    text
}

/// The reason why the manifest ignores an entry.
fn why(item: &ExportItem) -> Option<&str> {
    match &item.outcome {
        ExportOutcome::SetAside(_, why) | ExportOutcome::Unfetched(why) => Some(why),
        ExportOutcome::Declared(_) | ExportOutcome::LeftOut => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::Finding;

    #[test]
    fn a_manifest_that_could_not_be_made_is_not_taken_for_none_that_is_needed() {
        let written = vec!["portal.json".to_owned()];
        let empty = ExportReport { written, ..ExportReport::default() };
        assert!(exported(&empty).ends_with("There is nothing to declare, so no manifest was written.\n"));
        let findings = vec![Finding::error("manifest-text", "the manifest is larger than 8 MiB".to_owned())];
        let too_large = ExportReport { findings, ..empty };
        assert!(exported(&too_large).ends_with(".\nNo manifest was written.\n"));
    }
}
