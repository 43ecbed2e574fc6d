//! The summary of `validate`: what was checked, what was found, and the command that explains it.

use std::collections::BTreeSet;

use anstyle::Style;

use crate::domain::finding::{Finding, Severity};
use crate::domain::report::Validation;
use crate::domain::rules::RULES;
use crate::text::plural;

/// The summary; its first word is in one of two styles, for a check that passed or did not.
pub(super) fn summary(validation: &Validation, [good, bad]: [Style; 2]) -> String {
    let (style, word) = if validation.passed() { (good, "Valid") } else { (bad, "Not valid") };
    let images = plural(validation.images, "image", "images");
    let (errors, warnings) = (validation.count(Severity::Error), validation.count(Severity::Warning));
    if errors + warnings == 0 {
        return format!("{style}{word}{style:#}: {images}.\n");
    }
    let warnings_said = plural(warnings, "warning", "warnings");
    let found = match errors {
        0 => warnings_said,
        _ => format!("{}, {warnings_said}", plural(errors, "error", "errors")),
    };
    let files: BTreeSet<_> = validation.findings.iter().filter_map(|finding| finding.path.as_deref()).collect();
    let files = plural(files.len(), "file", "files");
    let is_denied = |finding: &Finding| !finding.is_error() && validation.fails(finding);
    let denied = if validation.findings.iter().any(is_denied) { " Warnings are denied." } else { "" };
    let mut text = format!("{style}{word}{style:#}: {images}, {found} in {files}.{denied}\n");
    // One rule is enough as an example: the command is the same for all.
    if let Some(finding) = validation.findings.iter().find(|found| RULES.iter().any(|rule| rule.id == found.rule)) {
        text.push_str(&format!("`brandctl rules {}` explains a rule.\n", finding.rule));
    }
    text
}
