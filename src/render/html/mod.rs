//! A report as one HTML file: self-contained, so that it can be mailed, kept as an artifact and opened from a disk.
//!
//! The page is complete without its script: every entry with its images before and after and their changed pixels, the
//! guards, the findings, the timeline. The script adds interaction: filters, swipe and onion skin, the other grounds, an
//! overview.
//!
//! A page can hold a thousand small icons, so a card is short: what all cards of an action share is not in each of them.
//! The style sheet says it; if there is a script, it writes it into the card, for screen readers and links.
//!
//! Each distinct image is in the page once, as a class of its style sheet (gallery.rs). A policy allows only this style
//! sheet, this script and images that are in the page; so there are no `style` and no `on…` attributes.

mod card;
mod entry;
mod gallery;
mod page;
mod portal;
mod summary;
#[cfg(test)]
mod tests;
mod timeline;

pub use portal::{Holding, HoldingOrigin, holdings, list};

use maud::{Markup, html};

use crate::domain::report::{Report, Validation};
use crate::text::plural;
use entry::{Card, CardAction};
use gallery::Gallery;
use page::{Page, is_many};

/// The result of `command` (as the user typed it: `plan`, `apply`), as a page.
pub fn report(report: &Report, command: &str) -> String {
    let mut gallery = Gallery::default();
    let entries = entry::of_report(report, &mut gallery);
    let of = |wanted: fn(CardAction) -> bool| entries.iter().filter(|entry| wanted(entry.action)).collect::<Vec<_>>();
    let (changes, kept) = (of(CardAction::is_change), of(|action| action == CardAction::Keep));
    let alone = of(|action| action == CardAction::Declared);
    let portal = report.portal.as_deref().unwrap_or(&report.manifest);
    let body = html! {
        (summary::of_report(report, command, &entries))
        (main(&entries, &html! {
            (card::changes(&entries))
            @if report.plan.is_none() && !alone.is_empty() { (card::group("The art", "of-art", &card::cards(&alone))) }
            (timeline::section(if report.plan.is_some() { &changes } else { &alone }, &kept))
            @if !kept.is_empty() { (card::group("Unchanged", "unchanged", &card::tiles(&kept))) }
            (not_shown(report, &alone))
        }))
    };
    Page { title: format!("{command} · {portal}"), to: "changes", script: page::REPORT, body }.with_images(&gallery)
}

/// The main part of a page: the tools, and what they narrow down.
fn main(entries: &[Card<'_>], content: &Markup) -> Markup {
    html! {
        main id="changes" tabindex="-1" class=[is_many(entries.len())] { (card::tools(entries)) (content) }
    }
}

/// The declared entries that were not compared, and how many entries the page does not show.
fn not_shown(report: &Report, alone: &[&Card<'_>]) -> Markup {
    let Some(plan) = &report.plan else { return Markup::default() };
    let (unnamed, unshown) = (plan.unnamed(), entry::uncompared(report).len() - alone.len());
    html! {
        @if unnamed > 0 {
            p.remark { (plural(unnamed, "unchanged entry", "unchanged entries")) " not shown: a saved plan only counts them" }
        }
        @if !alone.is_empty() { (card::group("Not compared", "uncompared", &card::cards(alone))) }
        @if unshown > 0 {
            p.remark { (plural(unshown, "declared entry", "declared entries")) " not compared and not shown: outside the selection" }
        }
    }
}

/// The result of `validate`, as a page: the manifest's art with its findings.
pub fn validation(validation: &Validation) -> String {
    let mut gallery = Gallery::default();
    let entries = entry::of_validation(validation, &mut gallery);
    let all: Vec<_> = entries.iter().collect();
    let body = html! {
        (summary::of_validation(validation, &entries))
        (main(&entries, &html! {
            (card::group("The art", "of-art", &card::cards(&all)))
            (timeline::section(&all, &[]))
        }))
    };
    Page { title: format!("validate · {}", validation.manifest), to: "changes", script: page::REPORT, body }
        .with_images(&gallery)
}
