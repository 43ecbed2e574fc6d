//! A report as one HTML file: self-contained, so that it can be mailed, kept as an artifact and opened from a disk.
//!
//! The page is whole without its script: every entry with its images before and after and their changed pixels, the
//! guards, the findings, the timeline. The script adds what moves: filters, swipe and onion skin, the other grounds, an overview.
//!
//! Each distinct image is in the page once, as a class of its style sheet (gallery.rs). A policy allows nothing but this
//! one style sheet, this one script and images that are in the page; so there are no `style` and no `on…` attributes.

mod card;
mod entry;
mod gallery;
mod page;
mod portal;
mod summary;
#[cfg(test)]
mod tests;
mod timeline;

pub use portal::{Holding, Origin, holdings, inventory};

use maud::html;

use crate::domain::report::{Report, Validation};
use entry::Action;
use gallery::Gallery;
use page::Page;

/// What `command` (as the user typed it: `plan`, `apply`) found out and did, as a page.
#[must_use]
pub fn report(report: &Report, command: &str) -> String {
    let mut gallery = Gallery::default();
    let entries = entry::of_report(report, &mut gallery);
    let (changes, kept): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry.action != Action::Keep);
    let portal = report.portal.as_deref().unwrap_or(&report.manifest);
    let body = html! {
        (summary::of_report(report, command, &entries))
        main id="changes" tabindex="-1" {
            (card::tools(&entries))
            @if !changes.is_empty() { h2 { @if report.plan.is_some() { "Changes" } @else { "The art" } } }
            (card::cards(&changes))
            (timeline::section(&changes, &kept))
            @if !kept.is_empty() {
                h2 id="unchanged" { "Left as they are" }
                (card::tiles(&kept))
            }
        }
    };
    Page { title: format!("{command} · {portal}"), to: "changes", script: page::REPORT, body }.with_images(&gallery)
}

/// What `validate` found, as a page: the manifest's art with its findings.
#[must_use]
pub fn validation(validation: &Validation) -> String {
    let mut gallery = Gallery::default();
    let entries = entry::of_validation(validation, &mut gallery);
    let all: Vec<_> = entries.iter().collect();
    let body = html! {
        (summary::of_validation(validation, &entries))
        main id="changes" tabindex="-1" {
            (card::tools(&entries))
            h2 { "The art" }
            (card::cards(&all))
            (timeline::section(&all, &[]))
        }
    };
    Page { title: format!("validate · {}", validation.manifest), to: "changes", script: page::REPORT, body }
        .with_images(&gallery)
}
