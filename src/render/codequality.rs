//! GitLab's Code Quality report: an array of findings, which a merge request shows and compares with its target branch.
//!
//! GitLab takes a fingerprint that is in both branches' reports for a finding that is not new.

use serde::Serialize;

use crate::domain::report::{Report, Validation};
use crate::text::escape;

use super::annotation::{self, Annotation, AnnotationLevel};
use super::json::pretty;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    /// Relative to the root of the repository.
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// The result of `validate`.
pub fn validation(validation: &Validation) -> serde_json::Result<String> {
    issues(annotation::of_validation(validation), &validation.manifest)
}

/// The result of `command`, as the user typed it.
pub fn report(report: &Report, command: &str) -> serde_json::Result<String> {
    issues(annotation::of_report(report, command), &report.manifest)
}

fn issues(annotations: Vec<Annotation<'_>>, manifest: &str) -> serde_json::Result<String> {
    pretty(&annotations.into_iter().map(|annotation| issue(annotation, manifest)).collect::<Vec<_>>())
}

/// What is not about a file is about what the manifest says. A file that has no lines needs one.
fn issue(annotation: Annotation<'_>, manifest: &str) -> Issue {
    let entry = annotation.address.map(|address| format!(" ({address})")).unwrap_or_default();
    let help = annotation.help.map(|help| format!("; help: {help}")).unwrap_or_default();
    Issue {
        description: escape(&format!("{}{entry}{help}", annotation.message)).into_owned(),
        check_name: annotation.check.into_owned(),
        fingerprint: annotation.fingerprint,
        severity: match annotation.level {
            AnnotationLevel::Error => "critical",
            AnnotationLevel::Warning => "minor",
            AnnotationLevel::Notice => "info",
        },
        location: Location {
            path: annotation.path.unwrap_or(manifest).trim_start_matches("./").to_owned(),
            lines: Lines { begin: annotation.place.map_or(1, |place| place.line) },
        },
    }
}
