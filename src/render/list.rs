//! What a portal holds, for people: a line for each entry, and counts.

use anstyle::Style;

use crate::domain::list::{ListEntry, ListReport, Management};
use crate::domain::state::Reading;

use super::screen::Screen;
use super::style::{BOLD, CREATE, DELETE, DIM, REPLACE, shown, widest};

/// The handling of entries that come with the product: listed one by one, or counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Systems {
    /// Only counted.
    Counted,
    /// Named after the others.
    Named,
}

/// The entries as a table, and a line of counts. Empty when the portal was not reached.
pub fn list(list: &ListReport, systems: Systems, screen: &Screen) -> String {
    let mut text = String::new();
    if list.portal.is_none() {
        return text;
    }
    let named: Vec<_> = list
        .entries
        .iter()
        .filter(|entry| systems == Systems::Named || entry.management != Management::System)
        .collect();
    let words = named.iter().map(|entry| entry.management.name().len()).max().unwrap_or(0).max("unmanaged".len());
    let width = widest(named.iter().map(|entry| &entry.address)).max("ADDRESS".len());
    if !named.is_empty() {
        let facts = format!("{BOLD}{:words$}  {:>7}  SHA256{BOLD:#}", "STANDING", "BYTES");
        text.push_str(&screen.row(0, &format!("{BOLD}ADDRESS{BOLD:#}"), width, &facts));
    }
    for entry in named {
        text.push_str(&screen.row(0, &shown(&entry.address), width, &facts(entry, words)));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&screen.wrapped(&format!("{}.", counts(list, systems)), 0));
    text
}

/// What is known of an entry; `words` is the width of the longest standing.
fn facts(entry: &ListEntry, words: usize) -> String {
    let style = match entry.management {
        Management::Managed => CREATE,
        Management::Undeclared => DELETE,
        Management::Protected => REPLACE,
        Management::Custom => Style::new(),
        Management::Ignored | Management::Unmanaged | Management::System => DIM,
    };
    let word = entry.management.name();
    match (&entry.reading, entry.reading.comparable()) {
        (Reading::NotNeeded, _) => format!("{style}{word}{style:#}"),
        (_, None) => format!("{style}{word:words$}{style:#}  {:>7}  ?", "?"),
        (_, Some(content)) => {
            let digest = content.sha256.to_string();
            let digest = digest.get(..12).unwrap_or(&digest);
            let remark = if content.appearance.is_none() { "  not a sound PNG" } else { "" };
            format!("{style}{word:words$}{style:#}  {:>7}  {digest}{remark}", content.size)
        }
    }
}

/// The counts of a list; the usual ones are shown also when they are 0.
fn counts(list: &ListReport, systems: Systems) -> String {
    let usual: &[Management] = match list.manifest {
        Some(_) => &[Management::Managed, Management::Unmanaged, Management::System],
        None => &[Management::Custom, Management::System],
    };
    let mut parts: Vec<String> = Management::ALL
        .into_iter()
        .map(|management| (management, list.count(management)))
        .filter(|(management, count)| *count > 0 || usual.contains(management))
        .map(|(management, count)| match (management, systems) {
            (Management::System, Systems::Counted) if count > 0 => format!("{count} system (--system lists them)"),
            _ => format!("{count} {}", management.name()),
        })
        .collect();
    if list.unknown() > 0 {
        parts.push(format!("{} unknown", list.unknown()));
    }
    parts.join(", ")
}
