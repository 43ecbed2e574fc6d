//! The guards: what a plan must pass before it may be applied. Only they can make an [`ApprovedPlan`].

use super::asset::{Address, Kind};
use super::diff::{Action, Change, Unbacked};
use super::evidence::Usage;
use super::finding::Finding;
use super::ownership::{Ownership, Prune, Unmanaged};
use super::plan::Plan;
use crate::text::plural;

mod bounds;

pub(crate) use bounds::FolderCheckout;
pub use bounds::{Allowances, CountsByKind, Empty, InUse, IncompleteCheckout, KindCounts};

/// The guards, by the names that plans and reports record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guard {
    /// Deletes of a kind whose folder may not be checked out completely.
    Checkout,
    /// More deletes of one kind than allowed.
    MaxDeletes,
    /// Deletes of a kind that declares nothing.
    AllowEmpty,
    /// A change to a protected code.
    Protect,
    /// A change to an entry whose old image is unknown.
    Unbacked,
    /// A delete of an icon that log entries name, or that unreadable log entries may name.
    InUse,
}

impl Guard {
    /// The name that plans and reports record.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::MaxDeletes => "max_deletes",
            Self::AllowEmpty => "allow_empty",
            Self::Protect => "protect",
            Self::Unbacked => "unbacked",
            Self::InUse => "in_use",
        }
    }
}

/// The decision of a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It found no reason to refuse the plan.
    Passed,
    /// It would have refused, but an option allows it.
    Allowed,
    /// It refuses: nothing is written.
    Refused,
}

impl Outcome {
    /// Its name in output.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Allowed => "allowed",
            Self::Refused => "refused",
        }
    }
}

/// The decision of one guard about a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which guard.
    pub guard: Guard,
    /// What it decided.
    pub outcome: Outcome,
    /// Why, in one sentence.
    pub message: String,
    /// What to do when it refused.
    pub help: Option<String>,
    /// The entries it is about.
    pub addresses: Vec<Address>,
}

/// A plan and the decision of each guard about it.
#[derive(Debug, Clone)]
pub struct Evaluated {
    plan: Plan,
    unbacked: Unbacked,
    verdicts: Vec<Verdict>,
    obstacles: Vec<Finding>,
}

/// A plan that passed its guards. It cannot be made in another way, and apply accepts only this type.
#[derive(Debug, Clone)]
pub struct ApprovedPlan {
    plan: Plan,
    unbacked: Unbacked,
}

impl ApprovedPlan {
    /// The plan.
    pub(crate) const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether it may be applied without a copy of each old image.
    pub(crate) const fn unbacked(&self) -> Unbacked {
        self.unbacked
    }
}

/// The reason why a plan may not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It has conflicts that must be resolved by hand, or steps that the manifest does not cover.
    Findings(Vec<Finding>),
    /// A guard refused; the verdicts say which.
    Guards,
}

/// The default limit of deletes: ten, or half of the owned entries if that is less, but at least one.
pub(crate) fn default_max_deletes(owned: usize) -> usize {
    (owned / 2).clamp(1, 10)
}

/// Evaluates `plan` with every guard.
pub fn evaluate(plan: Plan, ownership: &Ownership, counts_by_kind: &CountsByKind, allowances: Allowances) -> Evaluated {
    let checked = counts_by_kind.iter().filter_map(|(kind, counts)| checkout(&plan, *kind, counts, allowances));
    let mut verdicts: Vec<_> = checked.collect();
    for (kind, counts) in counts_by_kind {
        verdicts.push(max_deletes(&plan, *kind, counts, allowances));
        verdicts.extend(allow_empty(&plan, *kind, counts, allowances));
    }
    verdicts.extend(protect(&plan, ownership));
    verdicts.extend(unbacked(&plan, allowances));
    verdicts.extend(in_use(&plan, allowances));
    let mut obstacles = plan.diff.conflicts.clone();
    obstacles.extend(outside(&plan, ownership));
    obstacles.extend(incomplete(&plan));
    Evaluated { plan, unbacked: allowances.unbacked, verdicts, obstacles }
}

impl Evaluated {
    /// The plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The decisions of the guards.
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// Approves the plan if it has no conflict and no step outside the manifest, and no guard refuses it.
    pub(crate) fn approve(self) -> Result<ApprovedPlan, Refusal> {
        if !self.obstacles.is_empty() {
            return Err(Refusal::Findings(self.obstacles));
        }
        if self.verdicts.iter().any(|verdict| verdict.outcome == Outcome::Refused) {
            return Err(Refusal::Guards);
        }
        Ok(ApprovedPlan { plan: self.plan, unbacked: self.unbacked })
    }
}

/// The steps that the manifest does not cover. The diff never makes such a step. A saved plan may hold some, because
/// the manifest was changed since, or because the plan was written by hand.
fn outside(plan: &Plan, ownership: &Ownership) -> Vec<Finding> {
    let mut findings = Vec::new();
    for change in &plan.diff.changes {
        let mut addresses = vec![change.live_address()];
        if addresses.first() != Some(&change.address) {
            addresses.push(change.address.clone());
        }
        for address in addresses {
            if let Err(why) = ownership.of(&address) {
                let why = match why {
                    Unmanaged::KindAbsent => format!("the manifest has no `{}`", address.kind.plural()),
                    Unmanaged::NotOwned | Unmanaged::NotPruned | Unmanaged::Protected | Unmanaged::Reserved => {
                        "no pattern of `owns` matches it".to_owned()
                    }
                    Unmanaged::Ignored => "a pattern of `ignore` matches it".to_owned(),
                };
                findings
                    .push(uncovered(address, &format!("the plan changes it, but the manifest does not own it: {why}")));
            }
        }
        if matches!(change.action, Action::Delete(_)) && ownership.prune == Prune::Keep {
            let what = "the plan deletes it, but `prune` is off in the manifest";
            findings.push(uncovered(change.address.clone(), what));
        }
    }
    findings
}

fn uncovered(address: Address, what: &str) -> Finding {
    Finding::error("plan-outside-manifest", format!("{address}: {what}"))
        .about(address)
        .help("make a new plan with the current manifest")
}

/// The steps whose new image is missing. Neither a new plan nor a saved plan that was read has any, and apply relies on
/// that.
fn incomplete(plan: &Plan) -> impl Iterator<Item = Finding> {
    let lacks = |change: &&Change| {
        change.action.after().is_some_and(|after| !plan.contents.contains_key(&after.content.sha256))
    };
    plan.diff.changes.iter().filter(lacks).map(|change| {
        let message = format!("the plan lacks the new image of {}", change.address);
        Finding::error("plan-incomplete", message).about(change.address.clone())
    })
}

impl Verdict {
    /// The verdict on changes that are refused, or allowed by an option.
    fn on(guard: Guard, addresses: Vec<Address>, refused: bool, message: String, help: impl Into<String>) -> Self {
        let outcome = if refused { Outcome::Refused } else { Outcome::Allowed };
        Self { guard, outcome, message, help: refused.then(|| help.into()), addresses }
    }

    const fn passed(guard: Guard, message: String) -> Self {
        Self { guard, outcome: Outcome::Passed, message, help: None, addresses: Vec::new() }
    }
}

/// The entries with changes that `matches`.
fn changed(plan: &Plan, matches: impl Fn(&Change) -> bool) -> Vec<Address> {
    plan.diff.changes.iter().filter(|change| matches(change)).map(|change| change.address.clone()).collect()
}

fn deleted(plan: &Plan, kind: Kind) -> Vec<Address> {
    changed(plan, |change| change.address.kind == kind && matches!(change.action, Action::Delete(_)))
}

/// The guard of deletes of a kind whose folder may lack committed files: a file that is only not checked out is still
/// declared.
fn checkout(plan: &Plan, kind: Kind, counts: &KindCounts, allowances: Allowances) -> Option<Verdict> {
    let FolderCheckout::Incomplete { why, help } = &counts.checkout else { return None };
    let addresses = deleted(plan, kind);
    let message = format!("{} would be deleted, and {why}", plural(addresses.len(), kind.name(), kind.plural()));
    let help = format!("{help}; if the deletes are intended, pass --allow-incomplete-checkout");
    let refused = allowances.checkout == IncompleteCheckout::Refuse;
    (!addresses.is_empty()).then(|| Verdict::on(Guard::Checkout, addresses, refused, message, help))
}

fn max_deletes(plan: &Plan, kind: Kind, counts: &KindCounts, allowances: Allowances) -> Verdict {
    let addresses = deleted(plan, kind);
    let (deletes, owned) = (addresses.len(), counts.owned);
    let bound = allowances.max_deletes.unwrap_or_else(|| default_max_deletes(owned));
    let kind = if owned == 1 { kind.name() } else { kind.plural() };
    let message = format!("{deletes} of {owned} owned {kind} would be deleted; at most {bound} may be");
    if deletes <= bound {
        return Verdict::passed(Guard::MaxDeletes, message);
    }
    let help = format!("if this is intended, pass --max-deletes {deletes}");
    Verdict::on(Guard::MaxDeletes, addresses, true, message, help)
}

fn allow_empty(plan: &Plan, kind: Kind, counts: &KindCounts, allowances: Allowances) -> Option<Verdict> {
    let addresses = deleted(plan, kind);
    (counts.declared == 0 && !addresses.is_empty()).then(|| {
        let (kind, deletes) = (kind.plural(), addresses.len());
        let message = format!("the manifest declares no {kind}, which deletes {deletes}");
        let refused = allowances.empty == Empty::Refuse;
        Verdict::on(Guard::AllowEmpty, addresses, refused, message, "if this is intended, pass --allow-empty")
    })
}

fn protect(plan: &Plan, ownership: &Ownership) -> Option<Verdict> {
    let protects = |address: &Address| ownership.protect.matches(address);
    let addresses = changed(plan, |change| {
        change.action.before().is_some() && (protects(&change.address) || protects(&change.live_address()))
    });
    let message = format!("{} protected by `protect` would be changed", plural(addresses.len(), "entry", "entries"));
    let help = "if this is intended, remove the pattern from `protect` first";
    (!addresses.is_empty()).then(|| Verdict::on(Guard::Protect, addresses, true, message, help))
}

fn unbacked(plan: &Plan, allowances: Allowances) -> Option<Verdict> {
    let addresses = changed(plan, |change| change.removes_unknown());
    let entries = plural(addresses.len(), "entry", "entries");
    let message = format!("{entries} would be changed without a sound copy of the old image");
    let help = "fix the downloads, or pass --allow-unbacked to accept the loss of the old images";
    let refused = allowances.unbacked == Unbacked::Keep;
    (!addresses.is_empty()).then(|| Verdict::on(Guard::Unbacked, addresses, refused, message, help))
}

/// The guard of icons in use, if the use of codes was looked for. A replace leaves the code in place, so only deletes
/// are judged; a rename contains one. An unknown use refuses the delete, even if the icon was not seen in what could be
/// read: a user who requests the check wants an answer. The use of a logo can never be known. A refusal would force the
/// user to pass `--allow-in-use`, which would also allow deleting icons in use, so the plan only shows it.
fn in_use(plan: &Plan, allowances: Allowances) -> Vec<Verdict> {
    let icons = |is: fn(&Usage) -> bool| {
        changed(plan, |change| {
            let is_deleted = change.address.kind == Kind::Icon && matches!(change.action, Action::Delete(_));
            is_deleted && plan.usage(change).is_some_and(|usage| is(&usage))
        })
    };
    let counted = |icons: &[Address]| plural(icons.len(), "icon", "icons");
    let refused = allowances.in_use == InUse::Refuse;
    let mut verdicts = Vec::new();
    let used = icons(|usage| matches!(usage, Usage::Used { .. }));
    if !used.is_empty() {
        let message = format!("log entries name {} that would be deleted", counted(&used));
        let help = "keep the code declared, or pass --allow-in-use: the log entries will be shown without their icon";
        verdicts.push(Verdict::on(Guard::InUse, used, refused, message, help));
    }
    let unknown = icons(|usage| matches!(usage, Usage::Unknown { .. }));
    if !unknown.is_empty() {
        let message = format!("the use of {} that would be deleted could not be determined", counted(&unknown));
        let help = "fix what could not be read, or pass --allow-in-use";
        verdicts.push(Verdict::on(Guard::InUse, unknown, refused, message, help));
    }
    let all = icons(|_| true);
    if verdicts.is_empty() && !all.is_empty() {
        let message = format!("no log entry that was read names {} that would be deleted", counted(&all));
        verdicts.push(Verdict::passed(Guard::InUse, message));
    }
    verdicts
}

#[cfg(test)]
mod tests;
