//! Collects findings about one manifest: names the file, keeps their number bounded and their snippets free of secrets.

use crate::domain::finding::{Finding, Place};

use super::checks::TOO_MANY;
use crate::domain::quote::looks_secret;
use crate::domain::yaml::lines;

/// How many errors, and how many warnings, are reported one by one.
const LIMIT: usize = 1000;

#[derive(Debug)]
pub(super) struct Collector<'a> {
    name: &'a str,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    left_off: usize,
}

impl<'a> Collector<'a> {
    /// A collector without findings, for the file that the user calls `name`.
    pub(super) const fn new(name: &'a str) -> Self {
        Self { name, errors: Vec::new(), warnings: Vec::new(), left_off: 0 }
    }

    /// Adds a finding, or only counts it when there are too many.
    pub(super) fn push(&mut self, mut finding: Finding) {
        if finding.address.as_ref().is_some_and(|address| looks_secret(address.code.as_str())) {
            finding.address = None;
        }
        let list = if finding.is_error() { &mut self.errors } else { &mut self.warnings };
        if list.len() < LIMIT {
            list.push(finding.in_file(self.name));
        } else {
            self.left_off += 1;
        }
    }

    /// Whether further errors are only counted, so that they need no message.
    pub(super) const fn is_full(&self) -> bool {
        self.errors.len() >= LIMIT
    }

    /// All findings, in the order of their places.
    ///
    /// Where a webhook is written in or next to a line that would be shown, the place keeps its line and column and
    /// its byte range is empty, which means: show no snippet.
    pub(super) fn finish(self, text: &str) -> Vec<Finding> {
        let mut findings = self.errors;
        findings.extend(self.warnings);
        findings.sort_by_key(|finding| finding.place.as_ref().map(|place| (place.line, place.column)));
        if looks_secret(text) {
            let secret: Vec<usize> =
                lines(text).zip(1..).filter(|(line, _)| looks_secret(line)).map(|(_, number)| number).collect();
            for finding in &mut findings {
                hide_snippets(finding, &secret);
            }
        }
        if self.left_off > 0 {
            let what = format!("{} more findings are not listed", self.left_off);
            findings.push(Finding::warning(TOO_MANY, what).in_file(self.name));
        }
        findings
    }
}

/// Renderers show the lines of all places of a finding, and lines between them when they are few.
fn hide_snippets(finding: &mut Finding, secret: &[usize]) {
    let Finding { place, related, .. } = finding;
    let mut places: Vec<&mut Place> = place.iter_mut().chain(related.iter_mut().map(|(place, _)| place)).collect();
    if places.iter().any(|place| secret.iter().any(|line| line.abs_diff(place.line) <= 2)) {
        for place in &mut places {
            place.bytes.end = place.bytes.start;
        }
    }
}
