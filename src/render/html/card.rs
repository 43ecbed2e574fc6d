//! The entries as cards: one each, with everything that is to be seen of it, and the tools that narrow them down.

use std::fmt::Write as _;

use maud::{Markup, html};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::entry::{Action, Entry, Side};
use crate::domain::asset::{Address, Kind};
use crate::domain::finding::Finding;
use crate::domain::image::{Area, Comparison};
use crate::domain::report::{Fate, StepResult};
use crate::render::inert;

/// The id of an entry's card: what a deep link names, percent-encoded as a browser does it in its address bar (the
/// fragment percent-encode set of the URL standard), and what would end or escape it there.
pub(super) fn anchor(address: &Address) -> String {
    const ENCODED: AsciiSet = CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'#').add(b'%');
    utf8_percent_encode(&address.to_string(), &ENCODED).to_string()
}

/// The name of an entry as the page shows it: no character of it can act, and its direction ends with it.
pub(super) fn name(address: &Address) -> Markup {
    html! { bdi { (inert(&address.to_string())) } }
}

/// An image at the size that the page magnifies to, with what a screen reader says of it.
pub(super) fn image(class: &str, label: &str) -> Markup {
    html! { i class={ "p " (class) } role="img" aria-label=(label) {} }
}

/// Counts, filters and the choices of how images are shown. The script makes the counts press and shows the rest.
pub(super) fn tools(entries: &[Entry<'_>]) -> Markup {
    let of = |action| entries.iter().filter(|entry| entry.action == action).count();
    let with_findings = entries.iter().filter(|entry| !entry.findings.is_empty()).count();
    html! {
        div.tools role="search" aria-label="Narrow down" {
            ul.chips aria-label="What is here" {
                @for action in Action::TOLD.into_iter().filter(|action| of(*action) > 0) {
                    li class=(action.word()) data-action=(action.word()) {
                        span.mark {} " " b { (of(action)) } " " (action.word())
                    }
                }
                @for kind in Kind::ALL {
                    @let count = entries.iter().filter(|entry| entry.address.kind == kind).count();
                    @if count > 0 {
                        li data-kind=(kind.name()) { b { (count) } " " @if count == 1 { (kind.name()) } @else { (kind.plural()) } }
                    }
                }
                @if with_findings > 0 { li data-findings="" { b { (with_findings) } " with findings" } }
            }
            div.choices hidden {
                label { span { "Search" } input type="search" id="search" placeholder="code, reason, finding" autocomplete="off" spellcheck="false" aria-keyshortcuts="/"; kbd { "/" } }
                label { span { "Size" } select id="size" { option value="fit" { "fit" } option value="8" { "8×" } option value="16" { "16×" } } }
                label { span { "Ground" } select id="ground" {
                    option value="checker" { "checker" } option value="portal" { "portal" } option value="light" { "light" } option value="dark" { "dark" }
                } }
                label { span { "Page" } select id="theme" { option value="" { "as the system" } option value="light" { "light" } option value="dark" { "dark" } } }
                p.shown role="status" id="shown" {}
            }
        }
        nav.glance aria-label="Every entry at a glance" hidden {}
    }
}

/// Entries with their images side by side.
pub(super) fn cards(entries: &[&Entry<'_>]) -> Markup {
    html! { @for entry in entries { (card(entry)) } }
}

fn card(entry: &Entry<'_>) -> Markup {
    let address = entry.address;
    html! {
        article class={ "card " (entry.action.word()) " " (address.kind.name()) } id=(anchor(address)) tabindex="-1" {
            (heading(entry))
            div.row {
                (sides(entry))
                @if let Some((comparison, class)) = &entry.comparison {
                    figure.diff {
                        (image(class, &changed(comparison)))
                        figcaption { b { (comparison.changed) " px" } " " (share(comparison)) span { (place(comparison)) } }
                    }
                }
            }
            (findings(&entry.findings))
        }
    }
}

fn heading(entry: &Entry<'_>) -> Markup {
    let address = entry.address;
    html! {
        header {
            span.mark {}
            h3 {
                @if entry.action.is_change() { em { (entry.action.word()) } " " }
                @if let Some(old) = entry.renamed_from { span id=(anchor(old)) { (name(old)) } " → " }
                a href={ "#" (anchor(address)) } { (name(address)) }
            }
            p { (entry.why) }
            @for origin in &entry.origins { p.origin { b { (origin.kind.name()) } ": " (inert(&origin.why)) } }
            @for step in &entry.steps { (fate(step)) }
        }
    }
}

fn sides(entry: &Entry<'_>) -> Markup {
    html! {
        @if entry.action.is_change() {
            (side(entry, &entry.before, "before", "not there yet"))
            (side(entry, &entry.after, "after", if entry.action == Action::Unknown { "unknown" } else { "deleted" }))
        } @else {
            (side(entry, &entry.after, "", ""))
        }
    }
}

/// One image of a card. `absent` says what it means that there is none.
fn side(entry: &Entry<'_>, side: &Side, when: &str, absent: &str) -> Markup {
    html! {
        figure class=(if when.is_empty() { "after" } else { when }) {
            @match side {
                Side::Seen(picture) => {
                    (image(&picture.class, format!("{} {when}", inert(entry.address.code.as_str())).trim_end()))
                    figcaption { b { (when) } " " (picture.size) " B" }
                }
                Side::Absent => { i.p.none {} figcaption { b { (when) } " " (absent) } }
                Side::Unseen(why) => { i.p.none {} figcaption { b { (when) } " " (why) } }
            }
        }
    }
}

/// Entries that nothing happens to: a tile each.
pub(super) fn tiles(entries: &[&Entry<'_>]) -> Markup {
    html! {
        div.tiles {
            @for entry in entries {
                article class={ "tile unchanged " (entry.address.kind.name()) } id=(anchor(entry.address)) tabindex="-1" {
                    @match &entry.after {
                        Side::Seen(picture) => (image(&picture.class, &inert(entry.address.code.as_str()))),
                        Side::Absent | Side::Unseen(_) => i.p.none {},
                    }
                    h3 { a href={ "#" (anchor(entry.address)) } { (name(entry.address)) } }
                    (findings(&entry.findings))
                }
            }
        }
    }
}

/// Findings, each with its way out.
pub(super) fn findings(findings: &[&Finding]) -> Markup {
    html! {
        @if !findings.is_empty() {
            ul.findings {
                @for finding in findings {
                    li class=(severity(finding)) {
                        b { (severity(finding)) } " " code { (finding.rule) } " " (inert(&finding.message))
                        @if let Some(help) = &finding.help { small { (inert(help)) } }
                    }
                }
            }
        }
    }
}

pub(super) fn severity(finding: &Finding) -> &'static str {
    if finding.is_error() { "error" } else { "warning" }
}

fn fate(step: &StepResult) -> Markup {
    let word = word(step.fate);
    html! { p class={ "fate " (word) } { b { (word) } @if let Some(why) = &step.why { ": " (inert(why)) } } }
}

/// What became of a step, in a word; also its class.
pub(super) const fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Applied => "applied",
        Fate::Failed => "failed",
        Fate::Skipped => "skipped",
        Fate::Recovered => "recovered",
        Fate::Unknown => "unknown",
    }
}

fn changed(comparison: &Comparison) -> String {
    format!("{} of {} pixels differ", comparison.changed, comparison.total)
}

/// How much of the image differs. What differs at all is never 0 %, and what is not all of it never 100 %.
fn share(comparison: &Comparison) -> String {
    let Comparison { changed, total, .. } = comparison;
    let tenths = (changed * 1000).div_ceil((*total).max(1));
    let tenths = if changed < total { tenths.min(999) } else { tenths };
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Where it differs, and whether that can be seen at all.
fn place(comparison: &Comparison) -> String {
    let Some(Area { left, top, right, bottom }) = comparison.area else {
        return "same pixels, other colour profile or depth".to_owned();
    };
    let mut text = format!("x {left}–{right}, y {top}–{bottom}");
    if comparison.faint > 0 {
        let _ = write!(text, ", {} hardly visible", comparison.faint);
    }
    text
}
