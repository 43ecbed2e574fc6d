//! The entries as cards: one for each, with everything that the page shows of it, and the tools that filter them.

use std::fmt::Write as _;

use maud::{Markup, html};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::entry::{Card, CardAction, ShownState, Side};
use crate::domain::asset::{Address, Kind};
use crate::domain::finding::Finding;
use crate::domain::origin::LastCommit;
use crate::domain::png::{Area, Comparison};
use crate::domain::step::StepResult;
use crate::render::prose::{ProsePart, parts};
use crate::text::{escape, escaped};

/// The id of an entry's card: what a deep link names, percent-encoded as a browser does it in its address bar (the
/// fragment percent-encode set of the URL standard), and what would end or escape it there.
pub(super) fn anchor(address: &Address) -> String {
    const ENCODED: AsciiSet = CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'#').add(b'%');
    utf8_percent_encode(&address.to_string(), &ENCODED).to_string()
}

/// The name of an entry as the page shows it: no character of it can act, and its text direction ends with it.
pub(super) fn name(address: &Address) -> Markup {
    html! { bdi { (escaped(address)) } }
}

/// A message: text in backticks is code.
pub(super) fn prose(message: &str) -> Markup {
    html! {
        @for part in parts(message) {
            @match part {
                ProsePart::Text(text) => (escape(text)),
                ProsePart::Code(code) => code { (escape(code)) },
            }
        }
    }
}

/// An image at the size that the page magnifies to, with its label for screen readers.
pub(super) fn image(class: &str, label: &str) -> Markup {
    html! { i class={ "p " (class) } role="img" aria-label=(label) {} }
}

/// The counts, the filters and the choices of how images are shown. The script turns the counts into buttons and shows
/// the rest.
pub(super) fn tools(entries: &[Card<'_>]) -> Markup {
    let of = |action| entries.iter().filter(|entry| entry.action == action).count();
    let with_findings = entries.iter().filter(|entry| !entry.findings.is_empty()).count();
    html! {
        div.tools role="search" aria-label="Narrow down" {
            ul.chips aria-label="What is here" {
                @for action in CardAction::COUNTED.into_iter().filter(|action| of(*action) > 0) {
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

/// The entries under their heading; the script hides both when none of them is left.
pub(super) fn group(heading: &str, id: &str, entries: &Markup) -> Markup {
    section(heading, id, None, entries)
}

fn section(heading: &str, id: &str, count: Option<usize>, entries: &Markup) -> Markup {
    html! {
        section.group aria-labelledby=(id) {
            h2 id=(id) { (heading) @if let Some(count) = count { " " span { (count) } } }
            (entries)
        }
    }
}

/// The changes, those of an action together: first those with two images to compare.
pub(super) fn changes(entries: &[Card<'_>]) -> Markup {
    const ORDER: [(CardAction, &str); 5] = [
        (CardAction::Replace, "Replace"),
        (CardAction::Rename, "Rename"),
        (CardAction::Delete, "Delete"),
        (CardAction::Create, "Create"),
        (CardAction::Unknown, "Unknown"),
    ];
    html! {
        @for (action, heading) in ORDER {
            @let of_action: Vec<_> = entries.iter().filter(|entry| entry.action == action).collect();
            @if !of_action.is_empty() { (section(heading, &format!("of-{}", action.word()), Some(of_action.len()), &cards(&of_action))) }
        }
    }
}

/// The cards of entries: one below the other if images are side by side, or several in a row if each has one image.
pub(super) fn cards(entries: &[&Card<'_>]) -> Markup {
    html! {
        @for one_action in entries.chunk_by(|a, b| a.action.has_one_image() == b.action.has_one_image()) {
            @if one_action.iter().all(|entry| entry.action.has_one_image()) {
                @for of_kind in one_action.chunk_by(|a, b| a.address.kind == b.address.kind) {
                    div class={ "grid " (of_kind.first().map_or("", |entry| entry.address.kind.plural())) } {
                        @for entry in of_kind { (card(entry)) }
                    }
                }
            } @else {
                @for entry in one_action { (card(entry)) }
            }
        }
    }
}

/// One card. A page can have thousands: what all cards of an action share is not here but in the style sheet, or comes
/// from the script.
fn card(entry: &Card<'_>) -> Markup {
    let address = entry.address;
    html! {
        article class={ "card " (entry.action.word()) " " (address.kind.name()) } id=(anchor(address)) {
            (heading(entry))
            @if !entry.why.is_empty() { p { (prose(&entry.why)) } }
            @for origin in &entry.origins { p.origin { b { (origin.kind.name()) } ": " (prose(&origin.why)) } }
            @if let Some(last) = entry.changed_by { (changed_by(last)) }
            @for (address, step) in &entry.steps { (fate(step, entry.renamed_from.map(|_| *address))) }
            @if entry.action.is_change() && !(entry.action == CardAction::Create && matches!(entry.before, Side::Absent)) {
                figure.before { (side(entry, &entry.before, "")) }
            }
            (after(entry))
            @if let Some((comparison, class)) = &entry.comparison {
                figure.diff {
                    i class={ "p " (class) } {}
                    b { (comparison.changed) " px" } " " (share(comparison)) span { (place(comparison)) }
                }
            }
            (findings(&entry.findings))
        }
    }
}

/// Who last changed the declared file (the portal does not record who changes an entry there): a name may hold anything, and its text direction ends with it.
fn changed_by(last: &LastCommit) -> Markup {
    html! { p.by { "declared file last changed by " bdi { (escape(&last.author)) } " in " code { (escape(last.short())) } } }
}

fn heading(entry: &Card<'_>) -> Markup {
    html! {
        @match entry.renamed_from {
            Some(old) => h3 { bdi id=(anchor(old)) { (escaped(old)) } " → " (name(entry.address)) },
            None => h3 { (escaped(entry.address)) },
        }
    }
}

/// The image after. A delete leaves none; how its step ended is said in words.
fn after(entry: &Card<'_>) -> Markup {
    if entry.action == CardAction::Delete {
        return Markup::default();
    }
    html! {
        @if entry.ending == ShownState::AsPlanned { figure { (side(entry, &entry.after, "unknown")) } }
        @else { figure.planned { (side(entry, &entry.after, "unknown")) } }
    }
}

/// One image of a card. `absent` is the text for an image that does not exist.
fn side(entry: &Card<'_>, side: &Side, absent: &str) -> Markup {
    html! {
        @match side {
            Side::Seen(picture) => {
                i class={ "p " (picture.class) } {}
                (picture.size) " B"
                @if let Some(misfit) = picture.misfit(entry.address.kind) { ", " (misfit) }
            }
            Side::Absent => { i.p.none {} (absent) }
            Side::Unseen(why) => { i.p.none {} (why) }
        }
    }
}

/// The tiles of entries that do not change.
pub(super) fn tiles(entries: &[&Card<'_>]) -> Markup {
    html! {
        div.tiles {
            @for entry in entries {
                article class={ "tile unchanged " (entry.address.kind.name()) } id=(anchor(entry.address)) {
                    @match &entry.after {
                        Side::Seen(picture) => i class={ "p " (picture.class) } {},
                        Side::Absent | Side::Unseen(_) => i.p.none {},
                    }
                    (heading(entry))
                    (findings(&entry.findings))
                }
            }
        }
    }
}

/// The findings of an entry, each with its file and its help.
fn findings(findings: &[&Finding]) -> Markup {
    html! {
        @if !findings.is_empty() {
            ul.findings {
                @for finding in findings { li class=(finding.severity.name()) { (said(finding, &html! {})) } }
            }
        }
    }
}

/// The message of a finding. `about` names the entry, if that is not clear from the place.
pub(super) fn said(finding: &Finding, about: &Markup) -> Markup {
    html! {
        b { (finding.severity.name()) } " " code { (escape(&finding.rule)) } " " (about) (prose(&finding.message))
        @if let Some(path) = &finding.path {
            span.at { " in " bdi { (escape(path)) @if let Some(place) = &finding.place { ":" (place.line) ":" (place.column) } } }
        }
        @if let Some(help) = &finding.help { small { (prose(help)) } }
    }
}

/// The result of a step; `named` says which, where a card has two.
fn fate(step: &StepResult, named: Option<&Address>) -> Markup {
    let word = step.outcome.name();
    html! {
        p class={ "fate " (word) } {
            b { (word) }
            @if let Some(address) = named { " " (name(address)) }
            @if let Some(why) = &step.why { ": " (prose(why)) }
        }
    }
}

/// The share of the image that differs, to a tenth of a percent. A difference is never 0 %, and never 100 % if some
/// pixels are the same.
fn share(comparison: &Comparison) -> String {
    let Comparison { changed, total, .. } = comparison;
    let total = (*total).max(1);
    let tenths = (changed * 2000 + total) / (2 * total);
    let (least, most) = (usize::from(*changed > 0), if *changed < total { 999 } else { 1000 });
    let tenths = tenths.clamp(least, most);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// The place where it differs, and whether that can be seen at all.
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
