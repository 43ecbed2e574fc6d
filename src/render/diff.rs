//! The plan as a unified diff of two manifests: the portal as it is observed, and as it is desired. Every code has the
//! facts of its image as its value, so a changed image is a changed line. What was compared and stays is on both sides as
//! the portal holds it; what was not compared is on neither.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use similar::udiff::UnifiedHunkHeader;
use similar::{DiffOp, DiffTag};

use super::origin::GroupedOrigins;
use super::reason::rows;
use super::style::{BOLD, CREATE, DELETE, DIM};
use crate::domain::asset::{Address, Kind};
use crate::domain::diff::Change;
use crate::domain::plan::Plan;
use crate::domain::png;
use crate::domain::report::Report;
use crate::domain::state::Content;
use crate::domain::yaml::scalar;
use crate::text::{escape, escaped, plural};

/// The number of unchanged lines around those that change.
const CONTEXT: usize = 3;

/// The diff; empty without a plan, and if nothing differs. Comments above it list what could not be fetched, because it
/// is unknown how that differs.
pub fn report(report: &Report) -> String {
    let Some(plan) = &report.plan else { return String::new() };
    let mut text = remarks(plan, report);
    let lines = lines(plan, report);
    let hunks = similar::group_diff_ops(ops(&lines), CONTEXT);
    if hunks.iter().flatten().any(|op| op.tag() != DiffTag::Equal) {
        let manifest = if report.manifest.is_empty() { "the plan" } else { &report.manifest };
        let _ = writeln!(text, "{BOLD}--- observed: {}{BOLD:#}", escape(&plan.portal));
        let _ = writeln!(text, "{BOLD}+++ desired: {}{BOLD:#}", escape(manifest));
        let (old, new) = (side(&lines, DiffTag::Delete), side(&lines, DiffTag::Insert));
        hunks.iter().for_each(|hunk| write_hunk(&mut text, hunk, &old, &new));
    }
    text
}

/// What a diff cannot show, as comments.
fn remarks(plan: &Plan, report: &Report) -> String {
    let mut text = String::new();
    for unknown in &plan.diff.unknown {
        let (address, why) = (escaped(&unknown.address), escape(&unknown.why));
        let _ = writeln!(text, "{DIM}# left alone: {address}: {why}{DIM:#}");
    }
    let origins = GroupedOrigins::of(report, plan);
    for row in rows(plan) {
        if let Some(moved) = origins.beside(&row) {
            let _ = writeln!(text, "{DIM}# {}: {moved}{DIM:#}", escaped(&row.change.address));
        }
    }
    if let Some(moved) = origins.summary() {
        let _ = writeln!(text, "{DIM}# {moved}{DIM:#}");
    }
    if plan.unnamed() > 0 && !plan.diff.changes.is_empty() {
        let stay = plural(plan.unnamed(), "entry that stays is", "entries that stay are");
        let _ = writeln!(text, "{DIM}# {stay} not shown: a saved plan only counts them{DIM:#}");
    }
    text
}

/// A line of both sides, or of one of them.
struct DiffLine {
    tag: DiffTag,
    text: String,
}

/// The lines of both sides, in one order: the two halves of what is replaced or renamed stand together.
fn lines(plan: &Plan, report: &Report) -> Vec<DiffLine> {
    let entries = entries(plan, report);
    let mut lines = Vec::new();
    for kind in Kind::ALL {
        let of_kind = || entries.iter().filter(|(address, _)| address.kind == kind).map(|(_, entry)| entry);
        let has_old = of_kind().any(|entry| entry.observed.is_some());
        let has_new = of_kind().any(|entry| entry.desired.is_some());
        let heading = || format!("{}:", kind.plural());
        match (has_old, has_new) {
            (true, true) => lines.push(DiffLine { tag: DiffTag::Equal, text: heading() }),
            (true, false) => lines.push(DiffLine { tag: DiffTag::Delete, text: heading() }),
            (false, true) => lines.push(DiffLine { tag: DiffTag::Insert, text: heading() }),
            (false, false) => {}
        }
        for entry in of_kind() {
            match (&entry.observed, &entry.desired) {
                (Some(old), Some(new)) if old == new => {
                    lines.push(DiffLine { tag: DiffTag::Equal, text: old.clone() });
                }
                (old, new) => {
                    lines.extend(old.clone().map(|text| DiffLine { tag: DiffTag::Delete, text }));
                    lines.extend(new.clone().map(|text| DiffLine { tag: DiffTag::Insert, text }));
                }
            }
        }
    }
    lines
}

/// The lines as operations on the two sides.
fn ops(lines: &[DiffLine]) -> Vec<DiffOp> {
    let (mut ops, mut old_index, mut new_index) = (Vec::new(), 0, 0);
    for same in lines.chunk_by(|a, b| a.tag == b.tag) {
        let len = same.len();
        let tag = same.first().map_or(DiffTag::Equal, |line| line.tag);
        ops.push(match tag {
            DiffTag::Delete => DiffOp::Delete { old_index, old_len: len, new_index },
            DiffTag::Insert => DiffOp::Insert { old_index, new_index, new_len: len },
            DiffTag::Equal | DiffTag::Replace => DiffOp::Equal { old_index, new_index, len },
        });
        old_index += if tag == DiffTag::Insert { 0 } else { len };
        new_index += if tag == DiffTag::Delete { 0 } else { len };
    }
    ops
}

/// The lines of one side.
fn side(lines: &[DiffLine], tag: DiffTag) -> Vec<&str> {
    let of_side = lines.iter().filter(|line| line.tag == tag || line.tag == DiffTag::Equal);
    of_side.map(|line| line.text.as_str()).collect()
}

fn write_hunk(text: &mut String, hunk: &[DiffOp], old: &[&str], new: &[&str]) {
    let _ = writeln!(text, "{DIM}{}{DIM:#}", UnifiedHunkHeader::new(hunk));
    for op in hunk {
        let (tag, old_lines, new_lines) = op.as_tag_tuple();
        let shown = if tag == DiffTag::Insert { new.get(new_lines) } else { old.get(old_lines) };
        for line in shown.unwrap_or_default() {
            let _ = match tag {
                DiffTag::Delete => writeln!(text, "{DELETE}-{line}{DELETE:#}"),
                DiffTag::Insert => writeln!(text, "{CREATE}+{line}{CREATE:#}"),
                DiffTag::Equal | DiffTag::Replace => writeln!(text, " {line}"),
            };
        }
    }
}

/// An entry of both sides, as a line of YAML each; a rename is one entry.
#[derive(Default)]
struct DiffEntry {
    observed: Option<String>,
    desired: Option<String>,
}

/// The entries, by the address that they will have.
fn entries(plan: &Plan, report: &Report) -> BTreeMap<Address, DiffEntry> {
    let mut entries: BTreeMap<Address, DiffEntry> = BTreeMap::new();
    let size = |content: &Content| dimensions(plan.contents.get(&content.sha256)?);
    let line = |address: &Address, facts: String| format!("  {}: {facts}", scalar(address.code.as_str()));
    let changes = rows(plan).into_iter().flat_map(|row| {
        std::iter::once((&row.change.address, row.change)).chain(row.old.map(|old| (&row.change.address, old)))
    });
    for (place, change) in changes {
        let before = change.action.before().map(|_| change.comparable_before());
        let after = change.action.after().map(|after| &after.content);
        // A fact that is known of one image only must not look like a difference.
        let sizes = match (before.flatten(), after) {
            (Some(before), Some(after)) => size(before).zip(size(after)).unzip(),
            (before, after) => (before.and_then(size), after.and_then(size)),
        };
        let entry = entries.entry(place.clone()).or_default();
        if let Some(before) = before {
            let facts = before.map_or("unknown".to_owned(), |content| facts(content, sizes.0));
            entry.observed = Some(line(&change.live_address(), facts + &renamed(change, "to")));
        }
        if let Some(after) = after {
            entry.desired = Some(line(&change.address, facts(after, sizes.1) + &renamed(change, "from")));
        }
    }
    let art: BTreeMap<_, _> = report.art.iter().map(|piece| (&piece.address, piece.bytes.as_ref())).collect();
    for (address, content) in &plan.diff.kept {
        // It looks like its art, so it has the same width and height.
        let facts = facts(content, art.get(address).copied().flatten().and_then(dimensions));
        let line = Some(line(address, facts));
        entries.insert(address.clone(), DiffEntry { observed: line.clone(), desired: line });
    }
    entries
}

/// The other half of a rename, as a comment after a value of YAML.
fn renamed(change: &Change, word: &str) -> String {
    change.rename.as_ref().map(|other| format!(" # renamed {word} {}", escaped(other))).unwrap_or_default()
}

/// The facts of an image, as a value of YAML.
fn facts(content: &Content, size: Option<(u32, u32)>) -> String {
    let mut facts = format!("sha256: {}, size: {}", content.sha256, content.size);
    if content.appearance.is_none() {
        facts.push_str(", sound: false");
    } else if let Some((width, height)) = size {
        let _ = write!(facts, ", dimensions: {width}x{height}");
    }
    format!("{{{facts}}}")
}

/// The width and height of the image in some bytes.
fn dimensions(bytes: &Arc<[u8]>) -> Option<(u32, u32)> {
    png::header(bytes).ok().map(|header| (header.width, header.height))
}
