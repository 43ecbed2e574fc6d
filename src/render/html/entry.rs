//! What the page shows of one entry, whatever it came from: a change of a plan, a declared image, something unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::gallery::{Gallery, Picture};
use crate::domain::asset::{Address, Digest};
use crate::domain::diff::{self, Change};
use crate::domain::finding::Finding;
use crate::domain::image::{Comparison, compare};
use crate::domain::origin::Origin;
use crate::domain::plan::Plan;
use crate::domain::report::{Report, StepResult, Validation};
use crate::domain::rules::Piece;
use crate::render::{inert, origin, reason, usage};

/// What happens to an entry, as the page sorts and filters it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    Create,
    Replace,
    Delete,
    /// A delete and a create of images that look the same.
    Rename,
    /// Its content could not be fetched, so nothing is done.
    Unknown,
    /// It is left as it is.
    Keep,
    /// Nothing was compared: it is checked alone.
    Declared,
}

impl Action {
    /// Those that tell one entry from another.
    pub(super) const TOLD: [Self; 6] =
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

    pub(super) fn is_change(self) -> bool {
        !matches!(self, Self::Keep | Self::Declared)
    }
}

/// One image of an entry, or why there is none to see.
#[derive(Debug, Clone)]
pub(super) enum Side {
    /// There is no image there: not yet, or no more.
    Absent,
    /// There is one that cannot be shown, and why.
    Unseen(&'static str),
    /// There is one.
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

/// What the page shows of one entry.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) address: &'a Address,
    /// The old name, of a rename.
    pub(super) renamed_from: Option<&'a Address>,
    pub(super) action: Action,
    /// Why, in a sentence.
    pub(super) why: String,
    /// Who moved, of both halves of a rename.
    pub(super) origins: Vec<&'a Origin>,
    pub(super) before: Side,
    pub(super) after: Side,
    /// How both differ, and the class of the picture of that.
    pub(super) comparison: Option<(Comparison, String)>,
    pub(super) findings: Vec<&'a Finding>,
    /// What became of its step, and of the old name's.
    pub(super) steps: Vec<&'a StepResult>,
}

/// The entries of a report: the changes in the plan's order, what is unknown, then what is left as it is.
pub(super) fn of_report<'a>(report: &'a Report, gallery: &mut Gallery) -> Vec<Entry<'a>> {
    let findings = by_address(&report.findings);
    let art: BTreeMap<_, _> = report.art.iter().map(|piece| (piece.address.folded(), piece)).collect();
    let mut entries = Vec::new();
    let mut told = BTreeSet::new();
    if let Some(plan) = &report.plan {
        for change in &plan.changes {
            told.insert(change.address.folded());
            let halves = (change.rename.as_ref(), change.action.after());
            if let (Some(_), None) = halves {
                // The other half of the rename shows both.
                continue;
            }
            entries.push(of_change(change, plan, report, &findings, gallery));
        }
        for unknown in &plan.unknown {
            told.insert(unknown.address.folded());
            let piece = art.get(&unknown.address.folded());
            entries.push(Entry {
                why: format!("left alone: {}", inert(&unknown.why)),
                before: Side::Unseen("could not be fetched"),
                after: piece.map_or(Side::Absent, |piece| declared(piece, gallery)),
                ..Entry::new(&unknown.address, Action::Unknown, &findings)
            });
        }
    }
    let kept = report.art.iter().filter(|piece| !told.contains(&piece.address.folded()));
    // Without a plan nothing was compared.
    let action = if report.plan.is_some() { Action::Keep } else { Action::Declared };
    entries.extend(kept.map(|piece| of_piece(piece, action, &findings, gallery)));
    entries
}

/// The entries of a manifest that was checked.
pub(super) fn of_validation<'a>(validation: &'a Validation, gallery: &mut Gallery) -> Vec<Entry<'a>> {
    let findings = by_address(&validation.findings);
    validation.art.iter().map(|piece| of_piece(piece, Action::Declared, &findings, gallery)).collect()
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

impl<'a> Entry<'a> {
    fn new(address: &'a Address, action: Action, findings: &Findings<'a>) -> Self {
        Self {
            address,
            renamed_from: None,
            action,
            why: String::new(),
            origins: Vec::new(),
            before: Side::Absent,
            after: Side::Absent,
            comparison: None,
            findings: findings.get(address).cloned().unwrap_or_default(),
            steps: Vec::new(),
        }
    }
}

fn of_piece<'a>(piece: &'a Piece, action: Action, findings: &Findings<'a>, gallery: &mut Gallery) -> Entry<'a> {
    Entry { why: inert(&piece.file), after: declared(piece, gallery), ..Entry::new(&piece.address, action, findings) }
}

fn declared(piece: &Piece, gallery: &mut Gallery) -> Side {
    match &piece.bytes {
        None => Side::Unseen("too large"),
        Some(bytes) => seen(bytes, gallery),
    }
}

fn seen(bytes: &[u8], gallery: &mut Gallery) -> Side {
    gallery.take(bytes).map_or(Side::Unseen("no sound PNG"), |picture| Side::Seen(Box::new(picture)))
}

fn of_change<'a>(
    change: &'a Change,
    plan: &'a Plan,
    report: &'a Report,
    findings: &Findings<'a>,
    gallery: &mut Gallery,
) -> Entry<'a> {
    let action = match (&change.action, &change.rename) {
        (diff::Action::Create(_), Some(_)) => Action::Rename,
        (diff::Action::Create(_), None) => Action::Create,
        (diff::Action::Replace(..), _) => Action::Replace,
        (diff::Action::Delete(_), _) => Action::Delete,
    };
    let mut entry = Entry::new(&change.address, action, findings);
    let mut show = |digest: Option<Digest>| match digest {
        None => Side::Unseen("could not be fetched"),
        Some(digest) => plan.contents.get(&digest).map_or(Side::Unseen("not at hand"), |bytes| seen(bytes, gallery)),
    };
    // A rename's old image is that of the entry that is deleted.
    let other = change.rename.as_ref().and_then(|old| plan.changes.iter().find(|other| other.address == *old));
    let old = change.action.before().or_else(|| other.and_then(|other| other.action.before()));
    entry.before = old.map_or(Side::Absent, |before| show(before.content.as_ref().map(|content| content.sha256)));
    entry.after = change.action.after().map_or(Side::Absent, |after| show(Some(after.content.sha256)));
    entry.renamed_from = other.map(|other| &other.address);
    if action == Action::Replace
        && let (Some(before), Some(after)) = (entry.before.picture(), entry.after.picture())
        && let Some(comparison) = compare(&before.image, &after.image)
        && let Some(class) = gallery.take_comparison(&comparison)
    {
        entry.comparison = Some((comparison, class));
    }
    entry.why = if action == Action::Rename {
        "the same image under another code".to_owned()
    } else {
        reason::in_words(change, inert)
    };
    // The card of a rename stands for the code that goes, too.
    for usage in [Some(change), other].into_iter().flatten().filter_map(|change| plan.usage(change)) {
        entry.why.push_str(&format!("; {}", usage::in_brief(&usage, inert)));
    }
    let addresses = [Some(&change.address), entry.renamed_from];
    entry.origins = addresses.into_iter().flatten().filter_map(|address| origin::of(report, address)).collect();
    if let Some(run) = &report.run {
        entry.steps = addresses.into_iter().flatten().filter_map(|address| run.steps.get(address)).collect();
    }
    entry
}
