//! GitHub's workflow commands: each finding and each change becomes an annotation of the line in a pull request.
//!
//! GitHub shows at most ten annotations of each level of a step; the log has all of them.

use std::fmt::Write as _;

use anstyle::Style;

use crate::domain::report::{Report, Validation};

use super::annotation::{self, Annotation, AnnotationLevel};
use super::outcome::Headline;
use super::summary;
use crate::text::{escape, escaped};

/// The result of `validate`: a command a finding, and a summary for the log.
pub fn validation(validation: &Validation) -> String {
    commands(&annotation::of_validation(validation)) + &summary::summary(validation, [Style::new(); 2])
}

/// The result of `command`, as the user typed it: a workflow command a finding and a change, and a summary for the log.
pub fn report(report: &Report, command: &str) -> String {
    commands(&annotation::of_report(report, command)) + &line(&Headline::of_report(report, command).text)
}

fn commands(annotations: &[Annotation<'_>]) -> String {
    let mut text = String::new();
    for annotation in annotations {
        let _ = write!(
            text,
            "::{} ",
            match annotation.level {
                AnnotationLevel::Error => "error",
                AnnotationLevel::Warning => "warning",
                AnnotationLevel::Notice => "notice",
            }
        );
        if let Some(path) = annotation.path {
            let _ = write!(text, "file={},", property(path.trim_start_matches("./")));
        }
        if let Some(place) = annotation.place {
            let _ = write!(text, "line={},col={},", place.line, place.column);
            if let Some(end) = annotation.end_column {
                let _ = write!(text, "endLine={},endColumn={end},", place.line);
            }
        }
        let title = property(&format!("brandctl: {}", annotation.check));
        let _ = writeln!(text, "title={title}::{}", data(&sentence(annotation)));
    }
    text
}

/// The message with the entry it is about and what to do, which an annotation has no other place for.
fn sentence(annotation: &Annotation<'_>) -> String {
    let entry = annotation.address.map(|address| format!(" ({})", escaped(address)));
    let help = annotation.help.map(|help| format!("\nhelp: {}", escape(help)));
    format!("{}{}{}", escape(&annotation.message), entry.unwrap_or_default(), help.unwrap_or_default())
}

/// A line of the log that is not a command, with any names in it.
fn line(text: &str) -> String {
    format!("{}.\n", escape(text))
}

/// The text after the second `::`: escaped so that it stays one line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which a colon or a comma would end.
fn property(text: &str) -> String {
    data(&escape(text)).replace(':', "%3A").replace(',', "%2C")
}
