//! GitHub's workflow commands: each finding becomes an annotation of the line in a pull request.
//!
//! GitHub shows at most ten errors and ten warnings of a step as annotations; the log has all of them.

use std::fmt::Write as _;

use anstyle::Style;

use crate::domain::finding::Finding;
use crate::domain::report::Validation;

use super::summary;
use crate::text::{escape, escaped};

/// The result of `validate`: a command a finding, and a summary for the log.
pub fn validation(validation: &Validation) -> String {
    let mut text = String::new();
    for finding in &validation.findings {
        let _ = write!(text, "::{} ", finding.severity.name());
        if let Some(path) = &finding.path {
            let _ = write!(text, "file={},", property(path));
        }
        if let Some(place) = &finding.place {
            let _ = write!(text, "line={},col={},", place.line, place.column);
            if let Some(end) = place.end_column(&validation.source) {
                let _ = write!(text, "endLine={},endColumn={end},", place.line);
            }
        }
        let title = property(&format!("brandctl: {}", finding.rule));
        let _ = writeln!(text, "title={title}::{}", data(&sentence(finding)));
    }
    text + &summary::summary(validation, [Style::new(); 2])
}

/// The message with the entry it is about and what to do, which an annotation has no other place for.
fn sentence(finding: &Finding) -> String {
    let entry = finding.address.as_ref().map(|address| format!(" ({})", escaped(address)));
    let help = finding.help.as_ref().map(|help| format!("\nhelp: {}", escape(help)));
    format!("{}{}{}", escape(&finding.message), entry.unwrap_or_default(), help.unwrap_or_default())
}

/// The text after the second `::`: escaped so that it stays one line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which a colon or a comma would end.
fn property(text: &str) -> String {
    data(&escape(text)).replace(':', "%3A").replace(',', "%2C")
}
