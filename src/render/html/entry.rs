//! What the page shows of one entry, from any source: a change of a plan, a declared image, something unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::gallery::{Gallery, Picture};
use crate::domain::asset::{Address, Digest};
use crate::domain::diff::{self, Change};
use crate::domain::finding::Finding;
use crate::domain::origin::{LastCommit, Origin};
use crate::domain::plan::Plan;
use crate::domain::png::{Comparison, compare};
use crate::domain::report::{Report, Run, Validation};
use crate::domain::rules::Piece;
use crate::domain::step::{StepOutcome, StepResult};
use crate::render::origin::ShownOrigins;
use crate::render::{reason, usage};
use crate::text::quote;

/// The maximum number of characters of a portal's text in the sentence of a card: a code may have 255.
const MAX_SPELLING_CHARS: usize = 255;

/// The action on an entry, as the page sorts and filters it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CardAction {
    Create,
    Replace,
    Delete,
    /// A delete and a create of images that look the same.
    Rename,
    /// Its content could not be fetched, so nothing is done.
    Unknown,
    /// It is left as it is.
    Keep,
    /// It was not compared: it is shown alone.
    Declared,
}

impl CardAction {
    /// The actions that the page counts, in their order.
    pub(super) const COUNTED: [Self; 6] =
        [Self::Create, Self::Replace, Self::Delete, Self::Rename, Self::Unknown, Self::Keep];

    /// The word that people read; also its class.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Rename => "rename",
            Self::Unknown => "unknown",
            Self::Keep => "unchanged",
            Self::Declared => "declared",
        }
    }

    /// Whether there is one image to show, and nothing to compare it with.
    pub(super) const fn has_one_image(self) -> bool {
        matches!(self, Self::Create | Self::Delete | Self::Declared)
    }

    pub(super) fn is_change(self) -> bool {
        !matches!(self, Self::Keep | Self::Declared)
    }
}

/// One image of an entry, or why there is none to see.
#[derive(Debug, Clone)]
pub(super) enum Side {
    /// The image is missing: not yet there, or no longer.
    Absent,
    /// The image cannot be shown, and why.
    Unseen(&'static str),
    /// The image can be shown.
    Seen(Box<Picture>),
}

impl Side {
    pub(super) fn picture(&self) -> Option<&Picture> {
        match self {
            Self::Seen(picture) => Some(picture),
            Self::Absent | Self::Unseen(_) => None,
        }
    }
}

/// The state of a change on the portal now, as far as this report knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShownState {
    /// What is planned: it was applied, or no run has begun.
    AsPlanned,
    /// What was there before.
    AsBefore,
    /// Something else, or it is not known what.
    Otherwise,
}

impl ShownState {
    fn of(address: &Address, run: Option<&Run>) -> Self {
        let Some(run) = run else { return Self::AsPlanned };
        match run.steps.get(address).map(|step| step.outcome) {
            Some(StepOutcome::Applied) => Self::AsPlanned,
            Some(StepOutcome::Skipped | StepOutcome::Recovered) => Self::AsBefore,
            Some(StepOutcome::Failed | StepOutcome::Unknown) | None => Self::Otherwise,
        }
    }
}

/// The card that the page shows for one entry.
#[derive(Debug)]
pub(super) struct Card<'a> {
    pub(super) address: &'a Address,
    /// The old name, of a rename.
    pub(super) renamed_from: Option<&'a Address>,
    pub(super) action: CardAction,
    /// Why, in a sentence with raw text in it; empty where its action and its images say it.
    pub(super) why: String,
    /// Who moved, of both halves of a rename.
    pub(super) origins: Vec<&'a Origin>,
    /// Who changed its file, as far as Git says.
    pub(super) changed_by: Option<&'a LastCommit>,
    pub(super) before: Side,
    pub(super) after: Side,
    /// How both differ, and the class of the picture of that.
    pub(super) comparison: Option<(Comparison, String)>,
    pub(super) findings: Vec<&'a Finding>,
    /// The outcome of its step, and of the old name's.
    pub(super) steps: Vec<(&'a Address, &'a StepResult)>,
    /// What the portal shows now.
    pub(super) ending: ShownState,
    /// What it shows under the old name, of a rename.
    pub(super) old_ending: ShownState,
}

/// The entries of a report: the changes in the plan's order, what is unknown, what is left as it is; and of what was
/// not compared, those that have a message.
pub(super) fn of_report<'a>(report: &'a Report, gallery: &mut Gallery) -> Vec<Card<'a>> {
    let findings = by_address(&report.findings);
    let Some(plan) = &report.plan else { return of_art(&report.art, &findings, gallery) };
    let art: BTreeMap<_, _> = report.art.iter().map(|piece| (piece.address.folded(), piece)).collect();
    let mut entries = Vec::new();
    // The other half of a rename shows both.
    let shown = plan.diff.changes.iter().filter(|change| change.rename.is_none() || change.action.after().is_some());
    let origins = ShownOrigins::of(report);
    entries.extend(shown.map(|change| of_change(change, plan, (report, origins), &findings, gallery)));
    for unknown in &plan.diff.unknown {
        let piece = art.get(&unknown.address.folded());
        entries.push(Card {
            why: format!("left alone: {}", unknown.why),
            before: Side::Unseen("could not be fetched"),
            after: piece.map_or(Side::Absent, |piece| declared(piece, gallery)),
            ..Card::new(&unknown.address, CardAction::Unknown, &findings)
        });
    }
    for address in plan.diff.kept.keys() {
        // What looks the same is drawn from the art.
        let after = art.get(&address.folded()).map_or(Side::Unseen("not available"), |piece| declared(piece, gallery));
        entries.push(Card { after, ..Card::new(address, CardAction::Keep, &findings) });
    }
    let has_findings = |piece: &&Piece| findings.contains_key(&piece.address);
    entries.extend(
        uncompared(report)
            .into_iter()
            .filter(has_findings)
            .map(|piece| of_piece(piece, CardAction::Declared, &findings, gallery)),
    );
    entries
}

/// The declared entries that are not in the plan, because a selection or a conflict kept them from being compared.
/// A plan that only counts what stays does not hold it.
pub(super) fn uncompared(report: &Report) -> Vec<&Piece> {
    let Some(plan) = &report.plan else { return Vec::new() };
    if plan.unnamed() > 0 {
        return Vec::new();
    }
    let changed = plan.diff.changes.iter().map(|change| &change.address);
    let unknown = plan.diff.unknown.iter().map(|unknown| &unknown.address);
    let shown: BTreeSet<_> = changed.chain(unknown).chain(plan.diff.kept.keys()).map(Address::folded).collect();
    report.art.iter().filter(|piece| !shown.contains(&piece.address.folded())).collect()
}

/// The entries of a manifest that was checked.
pub(super) fn of_validation<'a>(validation: &'a Validation, gallery: &mut Gallery) -> Vec<Card<'a>> {
    of_art(&validation.art, &by_address(&validation.findings), gallery)
}

/// The declared entries when nothing is compared, with those whose file could not be read: a finding says so.
fn of_art<'a>(art: &'a [Piece], findings: &Findings<'a>, gallery: &mut Gallery) -> Vec<Card<'a>> {
    let mut entries: Vec<_> =
        art.iter().map(|piece| of_piece(piece, CardAction::Declared, findings, gallery)).collect();
    let read: BTreeSet<_> = art.iter().map(|piece| &piece.address).collect();
    let unread = findings.keys().filter(|address| !read.contains(*address));
    entries.extend(unread.map(|address| Card {
        after: Side::Unseen("could not be read"),
        ..Card::new(address, CardAction::Declared, findings)
    }));
    entries.sort_by_key(|entry| entry.address);
    entries
}

type Findings<'a> = BTreeMap<&'a Address, Vec<&'a Finding>>;

fn by_address(findings: &[Finding]) -> Findings<'_> {
    let mut by_address = Findings::new();
    for finding in findings {
        if let Some(address) = &finding.address {
            by_address.entry(address).or_default().push(finding);
        }
    }
    by_address
}

impl<'a> Card<'a> {
    fn new(address: &'a Address, action: CardAction, findings: &Findings<'a>) -> Self {
        Self {
            address,
            renamed_from: None,
            action,
            why: String::new(),
            origins: Vec::new(),
            changed_by: None,
            before: Side::Absent,
            after: Side::Absent,
            comparison: None,
            findings: findings.get(address).cloned().unwrap_or_default(),
            steps: Vec::new(),
            ending: ShownState::AsPlanned,
            old_ending: ShownState::AsPlanned,
        }
    }
}

fn of_piece<'a>(piece: &'a Piece, action: CardAction, findings: &Findings<'a>, gallery: &mut Gallery) -> Card<'a> {
    Card {
        why: format!("`{}`", piece.file),
        after: declared(piece, gallery),
        ..Card::new(&piece.address, action, findings)
    }
}

fn declared(piece: &Piece, gallery: &mut Gallery) -> Side {
    match &piece.bytes {
        None => Side::Unseen("too large"),
        Some(bytes) => seen(bytes, gallery),
    }
}

fn seen(bytes: &[u8], gallery: &mut Gallery) -> Side {
    gallery.take(bytes).map_or(Side::Unseen("not a sound PNG"), |picture| Side::Seen(Box::new(picture)))
}

fn of_change<'a>(
    change: &'a Change,
    plan: &'a Plan,
    (report, origins): (&'a Report, ShownOrigins<'a>),
    findings: &Findings<'a>,
    gallery: &mut Gallery,
) -> Card<'a> {
    let action = match (&change.action, &change.rename) {
        (diff::Action::Create(_), Some(_)) => CardAction::Rename,
        (diff::Action::Create(_), None) => CardAction::Create,
        (diff::Action::Replace(..), _) => CardAction::Replace,
        (diff::Action::Delete(_), _) => CardAction::Delete,
    };
    let mut entry = Card::new(&change.address, action, findings);
    let lost = if report.run.is_some() {
        "not available: a run keeps only old images, and the file has changed"
    } else {
        "not available"
    };
    let mut show = |digest: Option<Digest>| match digest {
        None => Side::Unseen("could not be fetched"),
        Some(digest) => plan.contents.get(&digest).map_or(Side::Unseen(lost), |bytes| seen(bytes, gallery)),
    };
    // A rename's old image is that of the entry that is deleted.
    let other = change.rename.as_ref().and_then(|old| plan.diff.changes.iter().find(|other| other.address == *old));
    let old = change.action.before().or_else(|| other.and_then(|other| other.action.before()));
    entry.before = old.map_or(Side::Absent, |before| show(before.content.as_ref().map(|content| content.sha256)));
    entry.after = change.action.after().map_or(Side::Absent, |after| show(Some(after.content.sha256)));
    entry.renamed_from = other.map(|other| &other.address);
    entry.why = match action {
        CardAction::Rename => "the same image under another code".to_owned(),
        CardAction::Create => String::new(),
        _ => reason::in_words(change, |text| quote(text, MAX_SPELLING_CHARS)),
    };
    describe_difference(&mut entry, change, gallery);
    // The card of a rename also stands for the code that is deleted.
    for usage in [Some(change), other].into_iter().flatten().filter_map(|change| plan.usage(change)) {
        let link = if entry.why.is_empty() { "" } else { "; " };
        entry.why.push_str(&format!("{link}{}", usage::in_brief(&usage, |text| quote(text, MAX_SPELLING_CHARS))));
    }
    follow_up(&mut entry, report, origins);
    entry
}

/// Adds who moved, how the steps ended, and what the portal shows now.
fn follow_up<'a>(entry: &mut Card<'a>, report: &'a Report, origins: ShownOrigins<'a>) {
    let run = report.run.as_ref();
    let addresses = [Some(entry.address), entry.renamed_from].into_iter().flatten();
    entry.origins = addresses.clone().filter_map(|address| origins.get(address)).collect();
    entry.changed_by = report.changed_by.get(entry.address);
    entry.steps = addresses.filter_map(|address| Some((address, run?.steps.get(address)?))).collect();
    entry.ending = ShownState::of(entry.address, run);
    entry.old_ending = entry.renamed_from.map_or(entry.ending, |old| ShownState::of(old, run));
}

/// Says how the images of a replace differ: in numbers and a picture, or in words if these would mislead.
fn describe_difference(entry: &mut Card<'_>, change: &Change, gallery: &mut Gallery) {
    if entry.action != CardAction::Replace {
        return;
    }
    let (Some(before), Some(after)) = (entry.before.picture(), entry.after.picture()) else { return };
    if before.class == after.class {
        entry.why.push_str("; the image is the same, byte for byte");
    } else if before.image.appearance() == after.image.appearance() {
        entry.why.push_str("; the image looks the same");
    } else if let Some(comparison) = compare(&before.image, &after.image) {
        let said = change.reason == diff::Reason::LooksDifferent && change.live_address() == change.address;
        entry.comparison = gallery.take_comparison(&comparison).map(|class| (comparison, class));
        if said && entry.comparison.is_some() {
            entry.why.clear();
        }
    } else {
        entry.why.push_str(" (another size)");
    }
}
