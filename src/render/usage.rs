//! Whether codes are in use, for people.

use std::fmt::Write as _;

use crate::domain::evidence::{Coverage, Usage};
use crate::domain::usage::UsageReport;

use super::style::{BOLD, CREATE, DIM, REPLACE, brief, shown};
use crate::text::{escape, escaped, plural};

/// A line for each code, with some of the log entries that name it, and what was searched.
pub(crate) fn report(report: &UsageReport) -> String {
    let mut text = String::new();
    let Some(evidence) = &report.evidence else {
        if report.is_complete {
            text.push_str("Nothing would be deleted or replaced: there is no code to check.\n");
        }
        return text;
    };
    let width = evidence.usages.keys().map(|address| shown(address).chars().count()).max().unwrap_or(0).min(60);
    for (address, usage) in &evidence.usages {
        let (style, word, more) = match usage {
            Usage::Used { log_entries, .. } => (REPLACE, "used", at_least(*log_entries)),
            Usage::NotSeen => (CREATE, "not seen", String::new()),
            Usage::Unknown { why } => (BOLD, "unknown", escaped(why)),
        };
        let line = format!("{:width$}  {style}{word:8}{style:#}  {more}", shown(address));
        let _ = writeln!(text, "{}", line.trim_end());
        if let Usage::Used { samples, .. } = usage {
            for sample in samples {
                let (item, title) = (brief(&sample.item), brief(&sample.title));
                let _ = writeln!(text, "  {DIM}log entry {} of {item}{DIM:#}  {title}", sample.id);
            }
        }
    }
    let _ = writeln!(text, "\n{}", coverage(&evidence.coverage));
    if evidence.usages.iter().any(|(_, usage)| *usage == Usage::NotSeen) {
        text.push_str("Only these items were searched: a code that is not seen there may be in use elsewhere.\n");
    }
    text
}

/// The coverage in words: what was read, and what was not.
pub(super) fn coverage(coverage: &Coverage) -> String {
    let Coverage { items, asked, read, cut, unreadable, not_reached, log_entries, troubles } = coverage;
    if items.is_empty() {
        return "No log entry was read: none can name these codes.".to_owned();
    }
    let entries = match log_entries {
        1 => "1 log entry".to_owned(),
        count => format!("{count} log entries"),
    };
    let mut text = format!("Searched {}: {entries}; ", brief(&items.join(", ")));
    let _ = write!(text, "{read} of {} read completely", plural(*asked, "item", "items"));
    for (count, what) in [(cut, "in part"), (unreadable, "unreadable"), (not_reached, "not reached")] {
        if *count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text.push('.');
    for trouble in troubles {
        let more = if trouble.count > trouble.items.len() { " and others" } else { "" };
        let _ = write!(text, "\n  unreadable: {}{more}: {}", brief(&trouble.items.join(", ")), escape(&trouble.why));
    }
    text
}

/// The use in a few words, for the reason of a change. `quoted` escapes what comes from a portal or a file.
pub(super) fn in_brief(usage: &Usage, quoted: impl Fn(&str) -> String) -> String {
    match usage {
        Usage::Used { log_entries, samples } => {
            let such = samples.first().map(|sample| format!(", such as {} of {}", sample.id, quoted(&sample.item)));
            format!("in use: {}{}", at_least(*log_entries), such.unwrap_or_default())
        }
        Usage::NotSeen => "not seen in use".to_owned(),
        // A warning gives the reason once for all of them.
        Usage::Unknown { .. } => "use unknown".to_owned(),
    }
}

fn at_least(log_entries: u64) -> String {
    format!("at least {log_entries} log {}", if log_entries == 1 { "entry" } else { "entries" })
}
