//! The reports that are written for other programs and for code hosts: Markdown, JUnit, the unified diff. Each is read as
//! its readers read it. The same reports are shown in a browser by tests/external/browser.

mod annotations;
mod counts;
mod diff;
mod hostile;
mod junit;
mod markdown;

use brandctl::domain::list::{ListEntry, ListReport, Management};
use brandctl::domain::report::{Report, Validation};
use brandctl::domain::state::{Content, Reading};

/// A portal that holds what a report declares.
fn inventory(report: &Report) -> ListReport {
    let entries = report.art.iter().map(|piece| ListEntry {
        address: piece.address.clone(),
        management: Management::Managed,
        reading: Reading::Known(Content::of(piece.bytes.as_ref().unwrap())),
    });
    let contents = report.art.iter().map(|piece| piece.bytes.clone().unwrap());
    ListReport {
        portal: report.portal.clone(),
        manifest: Some(report.manifest.clone()),
        entries: entries.collect(),
        findings: report.findings.clone(),
        contents: contents.map(|bytes| (Content::of(&bytes).sha256, bytes)).collect(),
        ..ListReport::default()
    }
}

/// A check that found what a report says.
fn validation(report: &Report) -> Validation {
    Validation {
        manifest: report.manifest.clone(),
        images: report.art.len(),
        findings: report.findings.clone(),
        art: report.art.clone(),
        ..Validation::default()
    }
}
