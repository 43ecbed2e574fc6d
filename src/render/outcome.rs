//! How a command ended, in a sentence: what stands at the top of a page and of a comment.

use super::counted;
use crate::domain::plan::Plan;
use crate::domain::report::{Fate, Report, Validation};
use crate::domain::{finding::Finding, inventory::Inventory};

/// A sentence, and how it is meant.
pub(super) struct Outcome {
    pub(super) tone: Tone,
    pub(super) text: String,
}

/// How an outcome is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Pending,
    Warn,
    Bad,
}

impl Tone {
    /// The word for it in a style sheet.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Pending => "pending",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

impl Outcome {
    fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }

    /// Of a command that compares or writes.
    pub(super) fn of_report(report: &Report) -> Self {
        let mut outcome = Self::of_portal(report);
        if report.against.is_some() {
            outcome.text.push_str(", against an export: it can be shown, not applied");
        }
        outcome
    }

    fn of_portal(report: &Report) -> Self {
        if report.stale {
            return Self::new(Tone::Bad, "The plan is stale: nothing was written");
        }
        if let Some(run) = &report.run {
            let applied = run.steps.values().filter(|step| step.fate == Fate::Applied).count();
            return if applied == run.steps.len() {
                Self::new(Tone::Good, format!("Applied {} and read back", counted(applied, "change", "changes")))
            } else {
                Self::new(Tone::Bad, format!("Not everything was applied: {applied} of {}", run.steps.len()))
            };
        }
        let errors = errors(&report.findings);
        if errors > 0 {
            return Self::new(Tone::Bad, format!("{}: nothing can be applied", counted(errors, "error", "errors")));
        }
        let Some(plan) = &report.plan else { return Self::new(Tone::Bad, "It did not come to a plan") };
        let changes = counted(plan.changes.len(), "change", "changes");
        if report.refused() {
            Self::new(Tone::Bad, format!("{changes} planned, and a guard refuses"))
        } else if !plan.unknown.is_empty() {
            Self::new(Tone::Warn, format!("{changes} planned; {} could not be read", plan.unknown.len()))
        } else if plan.changes.is_empty() {
            Self::new(Tone::Good, "Nothing to do")
        } else {
            Self::new(Tone::Pending, format!("{changes} planned"))
        }
    }

    /// Of `validate`.
    pub(super) fn of_validation(validation: &Validation) -> Self {
        let errors = errors(&validation.findings);
        let warnings = validation.findings.len() - errors;
        let images = counted(validation.images, "image", "images");
        let mut found = Vec::new();
        if errors > 0 {
            found.push(counted(errors, "error", "errors"));
        }
        if warnings > 0 {
            found.push(counted(warnings, "warning", "warnings"));
        }
        let text = [vec![images], found].concat().join(", ");
        match (validation.passed(), warnings) {
            (false, _) => Self::new(Tone::Bad, format!("Not valid: {text}")),
            (true, 0) => Self::new(Tone::Good, format!("Valid: {text}")),
            (true, _) => Self::new(Tone::Warn, format!("Valid: {text}")),
        }
    }

    /// Of `list`.
    pub(super) fn of_inventory(inventory: &Inventory) -> Self {
        if inventory.portal.is_none() {
            return Self::new(Tone::Bad, "The portal was not read");
        }
        let (custom, system) = (inventory.custom(), inventory.entries.len() - inventory.custom());
        let text = format!("{custom} custom, {system} system");
        match (inventory.has_errors(), inventory.unknown()) {
            (_, unknown @ 1..) => Self::new(Tone::Warn, format!("{text}; {unknown} could not be read")),
            (true, 0) => Self::new(Tone::Bad, text),
            (false, 0) => Self::new(Tone::Good, text),
        }
    }
}

fn errors(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.is_error()).count()
}

/// How many creates and deletes are renames, as an aside; nothing where none is.
pub(super) fn renames(plan: &Plan) -> String {
    match plan.changes.iter().filter(|change| change.rename.is_some()).count() / 2 {
        0 => String::new(),
        count => format!(" (of these {} as a create and a delete)", counted(count, "rename", "renames")),
    }
}

/// What a plan comes to, in numbers.
pub(super) fn counts(plan: &Plan) -> String {
    let counts = plan.counts();
    let mut text = format!("{} to create, {} to replace, {} to delete", counts.create, counts.replace, counts.delete);
    text.push_str(&renames(plan));
    text.push_str(&format!(
        "; {} unchanged, {} unmanaged, {} system",
        plan.unchanged,
        plan.unmanaged.len(),
        plan.system
    ));
    text
}
