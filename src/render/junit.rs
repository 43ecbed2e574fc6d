//! JUnit XML, as Jenkins and GitLab read it: every file that was checked is a test case, the manifest first.
//!
//! What fails the check is a failure, and a file has at most one, with all that was found in it. Other warnings are
//! output of a test case that passed, since JUnit has no word for them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::domain::finding::{Finding, Severity};
use crate::domain::report::Validation;

use super::inert;

const SUITE: &str = "brandctl validate";

/// What `validate` found.
#[must_use]
pub fn validation(validation: &Validation) -> String {
    let mut cases: BTreeMap<&str, Vec<&Finding>> = validation.files().into_iter().map(|file| (file, vec![])).collect();
    // A finding about no file is one about what the manifest says.
    let mut manifest = Vec::new();
    for finding in &validation.findings {
        match finding.path.as_deref() {
            Some(path) if path != validation.manifest => cases.entry(path).or_default().push(finding),
            _ => manifest.push(finding),
        }
    }
    let mut text = String::new();
    let mut failures = 0;
    let tests = cases.len() + 1;
    for (file, findings) in std::iter::once((validation.manifest.as_str(), manifest)).chain(cases) {
        failures += usize::from(case(&mut text, file, &findings, validation));
    }
    let counts = format!(r#"tests="{tests}" failures="{failures}" errors="0""#);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{SUITE}\" {counts}>\n  \
         <testsuite name=\"{SUITE}\" {counts} skipped=\"0\">\n{text}  </testsuite>\n</testsuites>\n"
    )
}

/// Writes a file's test case, and says whether it failed.
fn case(text: &mut String, file: &str, findings: &[&Finding], validation: &Validation) -> bool {
    let _ = write!(text, "    <testcase classname=\"{SUITE}\" name=\"{}\"", escaped(file));
    let (failing, passing): (Vec<_>, Vec<_>) =
        findings.iter().copied().partition(|finding| validation.fails(finding.severity));
    if findings.is_empty() {
        text.push_str("/>\n");
        return false;
    }
    text.push_str(">\n");
    if let Some((first, others)) = failing.split_first() {
        let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
        let _ = writeln!(
            text,
            "      <failure type=\"{}\" message=\"{}{more}\">{}</failure>",
            escaped(first.rule),
            escaped(&first.message),
            escaped_lines(&failing)
        );
    }
    if !passing.is_empty() {
        let _ = writeln!(text, "      <system-out>{}</system-out>", escaped_lines(&passing));
    }
    text.push_str("    </testcase>\n");
    !failing.is_empty()
}

/// Findings as lines, the way compilers write them.
fn escaped_lines(findings: &[&Finding]) -> String {
    let lines: Vec<_> = findings.iter().map(|finding| escaped(&line(finding))).collect();
    lines.join("\n")
}

fn line(finding: &Finding) -> String {
    let mut text = finding.path.clone().unwrap_or_default();
    if let Some(place) = &finding.place {
        let _ = write!(text, ":{}:{}", place.line, place.column);
    }
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let separator = if text.is_empty() { "" } else { ": " };
    let _ = write!(text, "{separator}{word}[{}]: {}", finding.rule, finding.message);
    if let Some(address) = &finding.address {
        let _ = write!(text, " ({address})");
    }
    if let Some(help) = &finding.help {
        let _ = write!(text, "; help: {help}");
    }
    text
}

/// Text for an element or a quoted attribute. What XML 1.0 cannot hold at all, most control characters and two that are
/// no characters, is spelt out by [`inert`].
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in inert(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            _ => safe.push(character),
        }
    }
    safe
}
