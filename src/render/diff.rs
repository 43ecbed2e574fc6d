//! The plan as a unified diff of two manifests: the portal as it is observed, and as it is desired. Every code has the
//! facts of its image as its value, so an image that changes is a line that changes. What was compared and stays is
//! what the portal holds, on both sides; what was not compared is on neither.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use similar::{ChangeTag, TextDiff};

use super::origin;
use super::style::{BOLD, CREATE, DELETE, DIM};
use crate::domain::asset::{Address, Kind};
use crate::domain::diff::Change;
use crate::domain::plan::Plan;
use crate::domain::png;
use crate::domain::report::Report;
use crate::domain::state::Content;
use crate::domain::yaml::scalar;
use crate::text::{escape, escaped, plural};

/// How many lines stay as they are around those that change.
const CONTEXT: usize = 3;

/// The diff; empty without a plan, and where nothing differs. What could not be fetched is shown above it, because
/// nothing is known of how it differs.
pub fn report(report: &Report) -> String {
    let Some(plan) = &report.plan else { return String::new() };
    let mut text = String::new();
    for unknown in &plan.diff.unknown {
        let (address, why) = (escaped(&unknown.address), escape(&unknown.why));
        let _ = writeln!(text, "{DIM}# left alone: {address}: {why}{DIM:#}");
    }
    let origins = origin::ShownOrigins::of(report);
    for change in &plan.diff.changes {
        if let Some(origin) = origins.get(&change.address) {
            let address = escaped(&change.address);
            let _ = writeln!(text, "{DIM}# {address}: {}{DIM:#}", origin::in_words(origin));
        }
    }
    if plan.unnamed() > 0 && !plan.diff.changes.is_empty() {
        let stay = plural(plan.unnamed(), "entry that stays is", "entries that stay are");
        let _ = writeln!(text, "{DIM}# {stay} not shown: what was saved only counts them{DIM:#}");
    }
    let (observed, desired) = sides(plan, report);
    let diff = TextDiff::from_lines(&observed, &desired);
    let mut unified = diff.unified_diff();
    let mut hunks = unified.context_radius(CONTEXT).iter_hunks().peekable();
    if hunks.peek().is_some() {
        let manifest = if report.manifest.is_empty() { "the plan" } else { &report.manifest };
        let _ = writeln!(text, "{BOLD}--- observed: {}{BOLD:#}", escape(&plan.portal));
        let _ = writeln!(text, "{BOLD}+++ desired: {}{BOLD:#}", escape(manifest));
    }
    for hunk in hunks {
        let _ = writeln!(text, "{DIM}{}{DIM:#}", hunk.header());
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            let _ = match change.tag() {
                ChangeTag::Equal => writeln!(text, " {line}"),
                ChangeTag::Delete => writeln!(text, "{DELETE}-{line}{DELETE:#}"),
                ChangeTag::Insert => writeln!(text, "{CREATE}+{line}{CREATE:#}"),
            };
        }
    }
    text
}

/// The codes and the facts of their images, by address.
type State = BTreeMap<Address, String>;

/// The portal as it is observed and as it is desired.
fn sides(plan: &Plan, report: &Report) -> (String, String) {
    let (mut observed, mut desired) = (State::new(), State::new());
    let size = |content: &Content| dimensions(plan.contents.get(&content.sha256)?);
    for change in &plan.diff.changes {
        let before = change.action.before().map(|_| change.comparable_before());
        let after = change.action.after().map(|after| &after.content);
        // What is known of one image alone must not look like a difference.
        let sizes = match (before.flatten(), after) {
            (Some(before), Some(after)) => size(before).zip(size(after)).unzip(),
            (before, after) => (before.and_then(size), after.and_then(size)),
        };
        if let Some(before) = before {
            let facts = before.map_or("unknown".to_owned(), |content| facts(content, sizes.0));
            observed.insert(change.live_address(), facts + &renamed(change, "to"));
        }
        if let Some(after) = after {
            desired.insert(change.address.clone(), facts(after, sizes.1) + &renamed(change, "from"));
        }
    }
    let art: BTreeMap<_, _> = report.art.iter().map(|piece| (&piece.address, piece.bytes.as_ref())).collect();
    for (address, content) in &plan.diff.kept {
        // It looks like its art, so it is as wide and as high.
        let facts = facts(content, art.get(address).copied().flatten().and_then(dimensions));
        observed.insert(address.clone(), facts.clone());
        desired.insert(address.clone(), facts);
    }
    (yaml(&observed), yaml(&desired))
}

/// The other half of a rename, as a remark behind a value of YAML.
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

fn yaml(state: &State) -> String {
    let mut text = String::new();
    for kind in Kind::ALL {
        let mut entries = state.iter().filter(|(address, _)| address.kind == kind).peekable();
        if entries.peek().is_some() {
            let _ = writeln!(text, "{}:", kind.plural());
        }
        for (address, facts) in entries {
            let _ = writeln!(text, "  {}: {facts}", scalar(address.code.as_str()));
        }
    }
    text
}
