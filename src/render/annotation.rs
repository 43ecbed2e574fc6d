//! What a report shows beside files in a pull request: every finding, every change, and every guard that refuses.
//!
//! GitHub's workflow commands and GitLab's Code Quality are two spellings of the same list. A change is shown at the line
//! that declares its code, because code hosts show no lines of a PNG; if one line declares several codes, as that of a
//! folder does, it is shown at its file. A delete has no line of its own, and is shown at the manifest.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::domain::asset::{Address, Digest};
use crate::domain::diff::Action;
use crate::domain::finding::{Finding, Place, Severity};
use crate::domain::guard::{self, Verdict};
use crate::domain::origin::OriginKind;
use crate::domain::plan::Plan;
use crate::domain::report::{Report, Validation};
use crate::domain::rules::Piece;
use crate::domain::step::{StepOutcome, StepResult};

use super::origin::{self, ShownOrigins};
use super::outcome;
use super::reason::{self, PlanRow, rows};

/// How much attention an annotation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AnnotationLevel {
    /// It stops the command, or something could not be determined.
    Error,
    /// Worth checking: a warning, a delete, a change made on the portal.
    Warning,
    /// As planned.
    Notice,
}

impl From<Severity> for AnnotationLevel {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Error,
            Severity::Warning => Self::Warning,
        }
    }
}

/// A remark on a file. Its texts are raw.
#[derive(Debug)]
pub(super) struct Annotation<'a> {
    pub(super) level: AnnotationLevel,
    /// The rule of a finding, the action of a change, or the guard.
    pub(super) check: Cow<'a, str>,
    /// The file, if the remark is about one.
    pub(super) path: Option<&'a str>,
    pub(super) place: Option<&'a Place>,
    /// The column after the place's last character.
    pub(super) end_column: Option<usize>,
    pub(super) address: Option<&'a Address>,
    pub(super) message: Cow<'a, str>,
    pub(super) help: Option<&'a str>,
    /// The same in every run that finds the same, on any line; no two annotations of a list share one.
    pub(super) fingerprint: String,
}

/// Those of `validate`.
pub(super) fn of_validation(validation: &Validation) -> Vec<Annotation<'_>> {
    let mut prints = Fingerprints::default();
    validation.findings.iter().map(|finding| of_finding(finding, &validation.source, &mut prints)).collect()
}

/// Those of `command`, as the user typed it. GitHub shows only the first few of each level, so that changes precede the
/// warnings about art.
pub(super) fn of_report<'a>(report: &'a Report, command: &str) -> Vec<Annotation<'a>> {
    let mut prints = Fingerprints::default();
    let (errors, warnings): (Vec<_>, Vec<_>) = report.findings.iter().partition(|finding| finding.is_error());
    let mut all: Vec<_> = errors.into_iter().map(|finding| of_finding(finding, &report.source, &mut prints)).collect();
    if report.run.is_none() {
        let refused = report.guards.iter().filter(|verdict| verdict.outcome == guard::Outcome::Refused);
        all.extend(refused.map(|verdict| of_guard(verdict, report, command, &mut prints)));
    }
    // Of a stale plan, nothing is known of any entry.
    if let Some(plan) = report.plan.as_ref().filter(|_| !report.is_stale()) {
        all.extend(of_plan(plan, report, command, &mut prints));
    }
    all.extend(warnings.into_iter().map(|finding| of_finding(finding, &report.source, &mut prints)));
    all
}

fn of_finding<'a>(finding: &'a Finding, source: &str, prints: &mut Fingerprints) -> Annotation<'a> {
    Annotation {
        level: finding.severity.into(),
        check: Cow::Borrowed(&finding.rule),
        path: finding.path.as_deref(),
        place: finding.place.as_ref(),
        end_column: finding.place.as_ref().and_then(|place| place.end_column(source)),
        address: finding.address.as_ref(),
        message: Cow::Borrowed(&finding.message),
        help: finding.help.as_deref(),
        fingerprint: prints.of_finding(finding),
    }
}

/// A guard that refuses. It does not affect `drift`, which writes nothing.
fn of_guard<'a>(verdict: &'a Verdict, report: &'a Report, command: &str, prints: &mut Fingerprints) -> Annotation<'a> {
    let level = if command == "drift" { AnnotationLevel::Warning } else { AnnotationLevel::Error };
    let name = verdict.guard.name();
    Annotation {
        level,
        check: format!("guard {name}").into(),
        path: Some(&report.manifest),
        place: None,
        end_column: None,
        address: None,
        message: Cow::Borrowed(&verdict.message),
        help: verdict.help.as_deref(),
        fingerprint: prints.of(&["guard", name, &verdict.message]),
    }
}

/// The entries whose image is unknown, and the changes that are still to be made, or were not made as planned.
fn of_plan<'a>(plan: &'a Plan, report: &'a Report, command: &str, prints: &mut Fingerprints) -> Vec<Annotation<'a>> {
    let places = ChangePlaces::of(report);
    let unknown = plan.diff.unknown.iter().map(|unknown| Annotation {
        level: AnnotationLevel::Error,
        check: "unknown".into(),
        message: format!("its image on the portal is unknown: {}", unknown.why).into(),
        fingerprint: prints.of(&["unknown", &unknown.address.to_string()]),
        ..places.at(&unknown.address, None)
    });
    let mut all: Vec<_> = unknown.collect();
    let is_reported = |row: &PlanRow<'_>| {
        let about =
            |finding: &Finding| finding.rule == "missing" && finding.address.as_ref() == Some(&row.change.address);
        report.findings.iter().any(about)
    };
    let origins = ShownOrigins::of(report);
    for row in rows(plan).into_iter().filter(|row| !is_reported(row)) {
        let ended = report.run.as_ref().and_then(|run| outcome::decided_of(run, row)).map(|(_, step)| step);
        let (level, message) = match ended {
            Some(StepResult { outcome: StepOutcome::Applied, .. }) => continue,
            Some(step) => of_step(&row, step),
            None => of_row(&row, plan, origins, command),
        };
        let [before, after] = [
            row.halves().find_map(|half| half.action.before()?.content.as_ref()),
            row.change.action.after().map(|after| &after.content),
        ]
        .map(|content| content.map(|content| content.sha256.to_string()).unwrap_or_default());
        let address = &row.change.address;
        let parts = ["change", row.action(), &address.to_string(), &before, &after];
        let file = row.change.action.after().map(|after| after.file.as_str());
        all.push(Annotation {
            level,
            check: row.action().into(),
            message: message.into(),
            fingerprint: prints.of(&parts),
            ..places.at(address, file)
        });
    }
    all.sort_by_key(|annotation| annotation.level);
    all
}

/// A step that did not end as planned.
fn of_step(row: &PlanRow<'_>, step: &StepResult) -> (AnnotationLevel, String) {
    let (level, ended) = match step.outcome {
        StepOutcome::Failed => (AnnotationLevel::Error, "failed"),
        StepOutcome::Recovered => (AnnotationLevel::Error, "failed, and the old image is back"),
        StepOutcome::Unknown => (AnnotationLevel::Error, "sent, but it is unknown whether it was applied"),
        StepOutcome::Skipped => (AnnotationLevel::Warning, "not sent"),
        StepOutcome::Applied => (AnnotationLevel::Notice, "applied"),
    };
    let why = step.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    (level, format!("{}: {ended}{why}", row.action()))
}

/// A change that is not made yet. `drift` warns also if it is unknown who moved.
fn of_row(row: &PlanRow<'_>, plan: &Plan, origins: ShownOrigins<'_>, command: &str) -> (AnnotationLevel, String) {
    let why = reason::of_row(row, plan, ToOwned::to_owned, ToString::to_string);
    let moved: Vec<_> = row.halves().filter_map(|half| origins.get(&half.address)).collect();
    let kind =
        moved.iter().find(|origin| origin.kind != OriginKind::Pending).or(moved.first()).map(|origin| origin.kind);
    let is_delete = row.old.is_none() && matches!(row.change.action, Action::Delete(_));
    let level = match kind {
        Some(OriginKind::Drifted | OriginKind::Vanished) => AnnotationLevel::Warning,
        _ if is_delete => AnnotationLevel::Warning,
        Some(OriginKind::Unknown) | None if command == "drift" => AnnotationLevel::Warning,
        Some(OriginKind::Unknown | OriginKind::Pending) | None => AnnotationLevel::Notice,
    };
    let said = moved.first().map(|origin| format!("; {}", origin::in_words(origin))).unwrap_or_default();
    (level, format!("{}: {why}{said}", row.action()))
}

/// Where the entries of a report are declared.
struct ChangePlaces<'a> {
    report: &'a Report,
    art: BTreeMap<&'a Address, &'a Piece>,
    /// How many entries each line declares.
    shared: BTreeMap<(usize, usize), usize>,
}

impl<'a> ChangePlaces<'a> {
    fn of(report: &'a Report) -> Self {
        let mut shared = BTreeMap::new();
        for piece in &report.art {
            *shared.entry((piece.place.line, piece.place.column)).or_default() += 1;
        }
        Self { report, art: report.art.iter().map(|piece| (&piece.address, piece)).collect(), shared }
    }

    /// An annotation of the entry, with neither message nor level: at the line that declares it, else at its file, else
    /// at `file`, or at the manifest.
    fn at(&self, address: &'a Address, file: Option<&'a str>) -> Annotation<'a> {
        let piece = self.art.get(address).copied();
        let is_alone =
            |piece: &&Piece| self.shared.get(&(piece.place.line, piece.place.column)).is_some_and(|count| *count == 1);
        let place = piece.filter(is_alone).map(|piece| &piece.place);
        let file = match place {
            Some(_) => None,
            None => piece.map(|piece| piece.file.as_str()).or(file),
        };
        Annotation {
            level: AnnotationLevel::Notice,
            check: Cow::Borrowed(""),
            path: Some(file.unwrap_or(&self.report.manifest)),
            place,
            end_column: place.and_then(|place| place.end_column(&self.report.source)),
            address: Some(address),
            message: Cow::Borrowed(""),
            help: None,
            fingerprint: String::new(),
        }
    }
}

/// Fingerprints that stay the same when lines move, and distinguish equal findings by their order.
#[derive(Default)]
pub(super) struct Fingerprints(BTreeMap<Digest, usize>);

impl Fingerprints {
    pub(super) fn of_finding(&mut self, finding: &Finding) -> String {
        let address = finding.address.as_ref().map(ToString::to_string).unwrap_or_default();
        let path = finding.path.as_deref().unwrap_or_default();
        self.of(&[&finding.rule, path, &address, &finding.message])
    }

    fn of(&mut self, parts: &[&str]) -> String {
        let digest = Digest::of_parts(&parts.iter().map(|part| part.as_bytes()).collect::<Vec<_>>());
        let count = self.0.entry(digest).or_default();
        *count += 1;
        format!("{digest}:{count}")
    }
}
