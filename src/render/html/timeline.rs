//! A mock of the CRM timeline: log entries and activities as they look with given images. Where an image comes from is
//! the caller's: a class of the page's style sheet here, an address elsewhere.
//!
//! As the portal draws it: an icon in a circle of 24 pixels on a round marker, white for log entries, blue, green or red
//! for activities; a logo of 60 pixels on a tile of 80; cards in the portal's own colours, in dark pages too.

use maud::{Markup, html};

use super::card::{image, name};
use super::entry::{Card, CardAction, ShownState, Side};
use crate::domain::asset::{Address, Kind};
use crate::text::escape;

/// The maximum number of entries of a kind: the mock shows how they look, the cards show each of them.
const MAX_SHOWN: usize = 6;

/// The grounds of markers and tiles, in the order in which the mock uses them.
const MARKERS: [&str; 3] = ["blue", "green", "red"];
const TILES: [&str; 4] = ["sky", "rose", "grey", "sand"];

/// An entry with the markup of its image, and its note.
pub(super) struct TimelineItem<'a> {
    pub(super) address: &'a Address,
    pub(super) picture: Markup,
    pub(super) note: Markup,
}

/// The mock of changes, filled up with unchanged entries, and the choice between before and after.
pub(super) fn section(changes: &[&Card<'_>], kept: &[&Card<'_>]) -> Markup {
    let shown: Vec<TimelineItem<'_>> = changes.iter().chain(kept).flat_map(|entry| of_entry(entry)).collect();
    let two = changes.iter().any(|entry| entry.action.is_change());
    html! {
        @if !shown.is_empty() {
            section.mock aria-labelledby="timeline" {
                h2 id="timeline" { "In the timeline" }
                @if two {
                    fieldset.when {
                        legend { "Show it" }
                        label { input type="radio" name="when" id="was"; " before" }
                        label { input type="radio" name="when" id="now" checked; " after" }
                    }
                }
                (timeline(&shown, if two { "the changed ones first" } else { "the first by code" }))
            }
        }
    }
}

/// An entry as the timeline has it: a rename is two codes, because entries that name the old one stay there without an
/// image.
fn of_entry<'a>(entry: &'a Card<'_>) -> Vec<TimelineItem<'a>> {
    const NONE: &Side = &Side::Absent;
    match (entry.action, entry.renamed_from) {
        (CardAction::Rename, Some(old)) => vec![
            changing(entry.address, NONE, &entry.after, entry.ending),
            changing(old, &entry.before, NONE, entry.old_ending),
        ],
        // It is not changed.
        (CardAction::Unknown, _) => vec![TimelineItem {
            address: entry.address,
            picture: html! { i.p.none {} },
            note: html! { ", whose image could not be fetched" },
        }],
        (action, _) if action.is_change() => vec![changing(entry.address, &entry.before, &entry.after, entry.ending)],
        _ => vec![TimelineItem {
            address: entry.address,
            picture: drawn(entry.address, &entry.after, ""),
            note: html! {},
        }],
    }
}

/// Both images of an entry in one place, each with its note; the style sheet shows those of the time that is chosen.
fn changing<'a>(address: &'a Address, before: &Side, after: &Side, ending: ShownState) -> TimelineItem<'a> {
    let is_absent = |side: &Side| matches!(side, Side::Absent);
    let (now, note) = match ending {
        ShownState::AsPlanned if is_absent(after) => (&Side::Absent, ", which is deleted"),
        ShownState::AsPlanned => (after, ""),
        ShownState::AsBefore if is_absent(before) => (&Side::Absent, ", which was not created"),
        ShownState::AsBefore => (before, ", which is as before"),
        ShownState::Otherwise => (&Side::Absent, ", whose step did not end as planned"),
    };
    TimelineItem {
        address,
        picture: html! { (drawn(address, before, "was")) (drawn(address, now, "now")) },
        note: html! {
            @if is_absent(before) { span.was { ", which does not exist yet" } }
            @if !note.is_empty() { span.now { (note) } }
        },
    }
}

fn drawn(address: &Address, side: &Side, when: &str) -> Markup {
    match side {
        Side::Seen(picture) => image(&format!("{} {when}", picture.class), &escape(address.code.as_str())),
        Side::Absent | Side::Unseen(_) => html! { i class={ "p none " (when) } {} },
    }
}

/// Log entries and activities that use the icons, the activities with the logos in their cards. If not all are shown,
/// `which` says which ones are.
pub(super) fn timeline(all: &[TimelineItem<'_>], which: &str) -> Markup {
    let of = |kind| all.iter().filter(move |one| one.address.kind == kind);
    let shown = |kind| of(kind).take(MAX_SHOWN).collect::<Vec<_>>();
    let (icons, logos) = (shown(Kind::Icon), shown(Kind::Logo));
    let rows = icons.len().max(logos.len());
    let counts: Vec<_> = [(Kind::Icon, icons.len()), (Kind::Logo, logos.len())]
        .into_iter()
        .filter(|(kind, shown)| *shown < of(*kind).count())
        .map(|(kind, shown)| format!("{shown} of {} {}", of(kind).count(), kind.plural()))
        .collect();
    html! {
        @if !counts.is_empty() { p.which { (counts.join(", ")) ": " (which) } }
        div.timelines {
            @if !icons.is_empty() {
                ol.timeline aria-label="Log entries" {
                    @for icon in &icons { (log_entry(icon)) }
                }
            }
            ol.timeline aria-label="Activities" {
                @for (row, (marker, tile)) in (0..rows).zip(MARKERS.iter().cycle().zip(TILES.iter().cycle())) {
                    (activity(pick(&icons, row), marker, pick(&logos, row), tile))
                }
            }
        }
    }
}

/// The item of a row; the list starts over if there are fewer of one kind than of the other.
fn pick<'a>(shown: &[&'a TimelineItem<'a>], row: usize) -> Option<&'a TimelineItem<'a>> {
    shown.get(row % shown.len().max(1)).copied()
}

fn log_entry(icon: &TimelineItem<'_>) -> Markup {
    html! {
        li.log {
            span.marker.white { (icon.picture) }
            div.paper {
                p.line { strong { "Log entry" } time { "10:24" } }
                p { "Its icon is " (name(icon.address)) (icon.note) }
            }
        }
    }
}

fn activity(icon: Option<&TimelineItem<'_>>, marker: &str, logo: Option<&TimelineItem<'_>>, tile: &str) -> Markup {
    html! {
        li.activity {
            span class={ "marker " (marker) } { @if let Some(icon) = icon { (icon.picture) } }
            div.paper {
                p.line { strong { "Activity" } time { "10:31" } }
                div.body {
                    @if let Some(logo) = logo { span class={ "logotile " (tile) } { (logo.picture) } }
                    p {
                        @if let Some(icon) = icon { "Its icon is " (name(icon.address)) (icon.note) br; }
                        @if let Some(logo) = logo { "Its logo is " (name(logo.address)) (logo.note) }
                    }
                }
            }
        }
    }
}
