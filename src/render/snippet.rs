//! Findings for people: what and where, the line with a mark under it, and what to do.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use anstyle::AnsiColor;

use crate::domain::finding::{Finding, Place};

use super::picture::{self, Pictures};
use super::screen::Screen;
use super::style::{BOLD, DIM, REPLACE};
use crate::text::{escape, escaped, is_plain};

/// The indent of a drawn image, in cells.
const INDENT: usize = 4;

/// The maximum length of text that is shown, in bytes; of a longer text only the place is shown.
const MAX_SHOWN: usize = 400;

/// The indentation of a message's lines after the first.
const HANGING: usize = 2;

/// The width before the text of a help, next to the line numbers: a manifest has at most five-digit ones.
const HELP: usize = 5 + " = help: ".len();

/// The maximum number of images that are drawn: with more, the findings would be lost among them.
const MAX_DRAWN: usize = 20;

/// Renders findings one after another, with ANSI styles, for `screen`. `source` is the text of the manifest, which is
/// called `name`. An image of `pictures` is drawn under the last finding about it.
pub(crate) fn findings(findings: &[Finding], name: &str, source: &str, pictures: &Pictures, screen: &Screen) -> String {
    let renderer = screen.columns.map_or_else(Renderer::styled, |columns| Renderer::styled().term_width(columns));
    let mut text = String::new();
    let mut drawn = 0;
    let mut rest = findings.iter().peekable();
    while let Some(finding) = rest.next() {
        text.push_str(&one(&renderer, finding, name, source, screen));
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
        let more = pictures.len() - drawn;
        text.push_str(&format!("{DIM}{more} more of these images are not drawn{DIM:#}\n\n"));
    }
    text
}

fn one(renderer: &Renderer, finding: &Finding, name: &str, manifest: &str, screen: &Screen) -> String {
    let mut elements: Vec<Element<'_>> = Vec::new();
    if let Some(path) = &finding.path {
        let source = if path == name { manifest } else { "" };
        match &finding.place {
            Some(place) => {
                // Places on the same line are marked in the same snippet.
                let (beside, elsewhere): (Vec<_>, Vec<_>) =
                    finding.related.iter().partition(|(related, _)| related.line == place.line);
                let beside: Vec<_> = beside.into_iter().map(SnippetMark::related).collect();
                elements.push(located(path, &SnippetMark { place, label: None }, &beside, source));
                for related in elsewhere {
                    elements.push(located(path, &SnippetMark::related(related), &[], source));
                }
            }
            None => {
                let entry = finding.address.as_ref().map(|address| format!(" ({address})")).unwrap_or_default();
                elements.push(Origin::path(escaped(format!("{path}{entry}"))).into());
                if let Some(place) = &finding.declared {
                    elements.push(located(name, &SnippetMark { place, label: Some("declared here") }, &[], manifest));
                }
            }
        }
    }
    if elements.is_empty() {
        return bare(finding, screen);
    }
    if let Some(help) = &finding.help {
        elements.push(Level::HELP.message(screen.beside(HELP, &escape(help))).into());
    }
    let rule = escape(&finding.rule);
    let label = format!("{}[{rule}]: ", finding.severity.name());
    let said = screen.wrapped(&format!("{label}{}", escape(&finding.message)), HANGING);
    let message: Vec<_> = said.trim_end().get(label.len()..).unwrap_or_default().lines().map(str::trim_start).collect();
    let level = if finding.is_error() { Level::ERROR } else { Level::WARNING };
    let title = level.primary_title(message.join("\n")).id(&*rule);
    reindent(&renderer.render(&[title.elements(elements)]), label.len(), message.len())
}

/// A rendered finding whose title takes `count` lines. The renderer begins those after the first below the first's text,
/// which leaves them no room where the rule has a long name.
fn reindent(rendered: &str, label: usize, count: usize) -> String {
    let (below, hanging) = (" ".repeat(label), " ".repeat(HANGING));
    let lines = rendered.lines().enumerate().map(|(number, line)| match line.strip_prefix(&below) {
        Some(rest) if (1..count).contains(&number) => format!("{hanging}{rest}"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A finding about no file: it has no line to show.
fn bare(finding: &Finding, screen: &Screen) -> String {
    let style = if finding.is_error() { AnsiColor::BrightRed.on_default() } else { REPLACE }.bold();
    let (word, rule, message) = (finding.severity.name(), escape(&finding.rule), escape(&finding.message));
    let said = format!("{style}{word}[{rule}]{style:#}{BOLD}: {message}{BOLD:#}");
    let mut text = screen.wrapped(&said, HANGING);
    if let Some(help) = &finding.help {
        text.push_str(&screen.wrapped(&format!("  = {BOLD}help{BOLD:#}: {}", escape(help)), 4));
    }
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// A place to mark: with a label, or as the finding's own.
struct SnippetMark<'a> {
    place: &'a Place,
    label: Option<&'a str>,
}

impl<'m> SnippetMark<'m> {
    fn related((place, what): &'m (Place, String)) -> Self {
        Self { place, label: Some(what) }
    }

    fn annotation<'a>(&self, span: Range<usize>) -> Annotation<'a> {
        match self.label {
            Some(label) => AnnotationKind::Context.span(span).label(escaped(label)),
            None => AnnotationKind::Primary.span(span),
        }
    }
}

/// The line of a place with its mark and those of others on it; if it cannot be shown, only the place.
fn located<'a>(path: &str, mark: &SnippetMark<'_>, beside: &[SnippetMark<'_>], source: &str) -> Element<'a> {
    let place = mark.place;
    let Some((text, span)) = lines(place, source) else {
        return Origin::path(escaped(path)).line(place.line).char_column(place.column).into();
    };
    let others = beside.iter().filter_map(|other| Some(other.annotation(lines(other.place, source)?.1)));
    let annotations = std::iter::once(mark.annotation(span)).chain(others);
    Snippet::source(text).path(escaped(path)).line_start(place.line).annotations(annotations).into()
}

/// The lines around a place, with the place's span in them. Only these are rendered: a manifest can have very many.
fn lines(place: &Place, source: &str) -> Option<(String, Range<usize>)> {
    let Range { start, end } = place.bytes.clone();
    if start >= end {
        return None;
    }
    // No more than would be shown: a line can be as long as the file, with thousands of findings on it.
    let before = source.as_bytes().get(start.saturating_sub(MAX_SHOWN)..start)?;
    let first = match before.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => start - before.len() + at + 1,
        None if before.len() == start => 0,
        None => return None,
    };
    let after = source.as_bytes().get(start..source.len().min(start + MAX_SHOWN + 1))?;
    // A span over several lines is marked on its first. A Windows line ending is not part of it.
    let last = match after.iter().position(|byte| *byte == b'\n') {
        Some(at) => start + at,
        None if start + after.len() == source.len() => source.len(),
        None => return None,
    };
    let last = if source.get(first..last)?.ends_with('\r') { last - 1 } else { last };
    let end = end.min(last).max(start);
    let text = source.get(first..last)?;
    (text.len() <= MAX_SHOWN && end > start).then(|| (blanked(text), start - first..end - first))
}

/// The source without characters that would move the terminal's cursor or reorder its text: they are blanked byte for
/// byte, so that every place stays where it is.
fn blanked(source: &str) -> String {
    let mut safe = String::with_capacity(source.len());
    for character in source.chars() {
        if character == '\t' || is_plain(character) {
            safe.push(character);
        } else {
            safe.extend(std::iter::repeat_n('.', character.len_utf8()));
        }
    }
    safe
}
