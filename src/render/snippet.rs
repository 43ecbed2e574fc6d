//! Findings for people: what and where, the line with a mark under it, and what to do.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use anstyle::{AnsiColor, Style};

use crate::domain::finding::{Finding, Place, Severity};

use super::inert;
use super::picture::{self, Pictures};

/// How far from the margin an image is drawn, in cells.
const INDENT: usize = 4;

/// The longest stretch of text that is shown, in bytes; of a longer one only its place is told.
const MAX_SHOWN: usize = 400;

/// The most images that are drawn: past that, nobody would find the findings among them.
const MAX_DRAWN: usize = 20;

/// Renders findings one after another, with ANSI styles. `source` is the text of the manifest, which is called `name`.
/// An image of `pictures` is drawn under the last finding about it.
#[must_use]
pub fn findings(findings: &[Finding], name: &str, source: &str, pictures: &Pictures) -> String {
    let renderer = Renderer::styled();
    let mut text = String::new();
    let mut drawn = 0;
    let mut rest = findings.iter().peekable();
    while let Some(finding) = rest.next() {
        text.push_str(&one(&renderer, finding, name, source));
        text.push('\n');
        let path = finding.path.as_ref();
        if rest.peek().is_none_or(|next| next.path.as_ref() != path)
            && drawn < MAX_DRAWN
            && let Some(image) = path.and_then(|path| pictures.get(path))
        {
            text.push_str(&picture::cells(image, INDENT));
            drawn += 1;
        }
        text.push('\n');
    }
    if pictures.len() > drawn {
        let dim = Style::new().dimmed();
        text.push_str(&format!("{dim}{} more of these images are not drawn{dim:#}\n\n", pictures.len() - drawn));
    }
    text
}

fn one(renderer: &Renderer, finding: &Finding, name: &str, manifest: &str) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    if let Some(path) = &finding.path {
        let source = if path == name { manifest } else { "" };
        match &finding.place {
            Some(place) => {
                let mark = |lines: &Lines| AnnotationKind::Primary.span(lines.span.clone());
                elements.push(located(path, place, source, mark));
                for (related, what) in &finding.related {
                    let mark = |lines: &Lines| AnnotationKind::Context.span(lines.span.clone()).label(inert(what));
                    elements.push(located(path, related, source, mark));
                }
            }
            None => {
                let entry = finding.address.as_ref().map(|address| format!(" ({address})")).unwrap_or_default();
                elements.push(Origin::path(inert(&format!("{path}{entry}"))).into());
                if let Some(declared) = &finding.declared {
                    let mark = |lines: &Lines| AnnotationKind::Context.span(lines.span.clone()).label("declared here");
                    elements.push(located(name, declared, manifest, mark));
                }
            }
        }
    }
    if elements.is_empty() {
        return bare(finding);
    }
    if let Some(help) = &finding.help {
        elements.push(Level::HELP.message(inert(help)).into());
    }
    let title = level.primary_title(inert(&finding.message)).id(finding.rule);
    renderer.render(&[title.elements(elements)])
}

/// A finding about no file: there is nothing to draw beside it.
fn bare(finding: &Finding) -> String {
    let (style, word) = match finding.severity {
        Severity::Error => (AnsiColor::BrightRed.on_default().bold(), "error"),
        Severity::Warning => (AnsiColor::Yellow.on_default().bold(), "warning"),
    };
    let bold = Style::new().bold();
    let mut text = format!("{style}{word}[{}]{style:#}{bold}: {}{bold:#}", finding.rule, inert(&finding.message));
    if let Some(help) = &finding.help {
        text.push_str(&format!("\n  = {bold}help{bold:#}: {}", inert(help)));
    }
    text
}

/// The lines around a place, with the place's span in them.
struct Lines {
    text: String,
    span: Range<usize>,
}

fn located<'a>(path: &str, place: &Place, source: &str, mark: impl Fn(&Lines) -> Annotation<'a>) -> Element<'a> {
    match lines(place, source) {
        Some(lines) => {
            let annotation = mark(&lines);
            Snippet::source(lines.text).path(inert(path)).line_start(place.line).annotation(annotation).into()
        }
        None => Origin::path(inert(path)).line(place.line).char_column(place.column).into(),
    }
}

/// Only the lines that a place touches are rendered: a manifest can have very many.
fn lines(place: &Place, source: &str) -> Option<Lines> {
    let Range { start, end } = place.bytes.clone();
    if start >= end {
        return None;
    }
    let first = source.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let line_end =
        |from: usize| source.get(from..).and_then(|rest| rest.find('\n')).map_or(source.len(), |at| from + at);
    // A span over several lines is marked on its first.
    let last = line_end(start);
    let end = end.min(last).max(start);
    let text = source.get(first..last)?;
    (text.len() <= MAX_SHOWN && end > start).then(|| Lines { text: blanked(text), span: start - first..end - first })
}

/// What would move the terminal's cursor or reorder its text is blanked byte for byte, so that every place stays
/// where it is.
fn blanked(source: &str) -> String {
    let mut safe = String::with_capacity(source.len());
    for character in source.chars() {
        if character == '\t' || inert(character.encode_utf8(&mut [0; 4])).chars().eq([character]) {
            safe.push(character);
        } else {
            safe.extend(std::iter::repeat_n('.', character.len_utf8()));
        }
    }
    safe
}
