//! Timeline log entries for people.

use std::fmt::Write as _;

use crate::domain::logmessage::{Entity, LogEntry};

use super::style::{BOLD, brief};
use crate::text::{escape, plural};

/// A line for each entry, and a count. Long texts are cut: only a single entry is shown completely.
pub fn list(entries: &[LogEntry], entity: Entity) -> String {
    let mut text = String::new();
    let cells: Vec<[String; 5]> = entries
        .iter()
        .map(|entry| {
            [entry.id.to_string(), brief(&entry.created), author(entry), brief(&entry.icon), brief(&entry.title)]
        })
        .collect();
    let heads = ["ID", "CREATED", "AUTHOR", "ICON", "TITLE"];
    let widest = |column: usize| {
        let cells = cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heads.get(column).map(|head| head.len())).max().unwrap_or(0).min(60)
    };
    let [id, created, author, icon] = [0, 1, 2, 3].map(widest);
    let line = |[a, b, c, d, e]: [&str; 5]| format!("{a:>id$}  {b:created$}  {c:author$}  {d:icon$}  {e}");
    if !cells.is_empty() {
        let _ = writeln!(text, "{BOLD}{}{BOLD:#}", line(heads));
    }
    for row in &cells {
        let _ = writeln!(text, "{}", line(row.each_ref().map(String::as_str)));
    }
    if !cells.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "{} of {entity}.", plural(entries.len(), "log entry", "log entries"));
    text
}

/// One entry with all its fields.
pub(crate) fn entry(entry: &LogEntry) -> String {
    let mut text = String::new();
    let fields = [
        ("id", entry.id.to_string()),
        ("created", entry.created.clone()),
        ("author", author(entry)),
        ("icon", entry.icon.clone()),
        ("title", entry.title.clone()),
        ("text", entry.text.clone()),
    ];
    for (name, value) in fields {
        let mut lines = value.lines();
        let _ = writeln!(text, "{BOLD}{name:7}{BOLD:#}  {}", escape(lines.next().unwrap_or_default()));
        for line in lines {
            let _ = writeln!(text, "         {}", escape(line));
        }
    }
    text
}

fn author(entry: &LogEntry) -> String {
    entry.author.map(|author| format!("user {author}")).unwrap_or_default()
}
