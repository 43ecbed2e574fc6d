//! What a portal holds, as a page: its entries in the mock timeline, each with its image, its code to copy and its facts.
//! `list` and the sandbox draw their page here.

use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::card::{anchor, image, name};
use super::gallery::Gallery;
use super::page::{self, Page, is_many};
use super::summary::{general_findings, outcome, ran};
use super::timeline::{TimelineItem, timeline};
use crate::domain::asset::{Address, Kind};
use crate::domain::list::{ListReport, Management};
use crate::domain::report::Heading;
use crate::render::outcome::Headline;
use crate::text::escape;

/// The maximum number of custom entries of a kind whose image is drawn, to spare the browser. Every entry is listed.
const MAX_DRAWN: usize = 2000;

/// The note on an entry whose image is not drawn for that reason.
const TOO_MANY: &str = "its image is not drawn: there are too many entries";

/// One entry of a portal.
#[derive(Debug, Clone, Copy)]
pub struct Holding<'a> {
    /// Kind and code.
    pub address: &'a Address,
    /// Where it comes from.
    pub origin: HoldingOrigin<'a>,
    /// The bytes of its image, as far as they are known.
    pub bytes: Option<&'a [u8]>,
    /// When it was added, as people read it; empty when that is not known.
    pub added: &'a str,
}

/// The origin of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldingOrigin<'a> {
    /// It comes with the product.
    System,
    /// A custom entry, with a remark to show.
    Custom(&'a str),
}

/// The result of `list`, as a page.
pub fn list(list: &ListReport) -> String {
    let holdings: Vec<_> = list
        .entries
        .iter()
        .map(|entry| Holding {
            address: &entry.address,
            origin: match entry.management {
                Management::System => HoldingOrigin::System,
                management => HoldingOrigin::Custom(management.name()),
            },
            bytes: entry.reading.comparable().and_then(|content| list.contents.get(&content.sha256)).map(AsRef::as_ref),
            added: "",
        })
        .collect();
    let portal = list.portal.as_deref().unwrap_or("no portal was read");
    let top = html! {
        (outcome(&Headline::of_list(list)))
        section.panels aria-label="What to know first" { (general_findings(&list.findings, &[])) }
    };
    draw(("list", &list.heading), portal, &top, &holdings)
}

/// The entries of a portal that `command` runs; `remark` is shown at the top.
pub fn holdings(command: &str, remark: &str, holdings: &[Holding<'_>]) -> String {
    let custom = holdings.iter().filter(|holding| holding.origin != HoldingOrigin::System).count();
    let top = html! {
        p.outcome { (custom) " custom, " (holdings.len() - custom) " system" }
        p.remark { (remark) }
    };
    draw((command, &Heading::default()), "What this portal holds", &top, holdings)
}

fn draw((command, when): (&str, &Heading), title: &str, top: &Markup, holdings: &[Holding<'_>]) -> String {
    let mut gallery = Gallery::default();
    let (custom, system): (Vec<&Holding<'_>>, Vec<_>) =
        holdings.iter().partition(|holding| holding.origin != HoldingOrigin::System);
    let drawn = drawn(&custom, &mut gallery);
    let shown: Vec<_> = drawn
        .iter()
        .filter_map(|(holding, picture)| {
            let (picture, _) = picture.as_ref().ok()?;
            Some(TimelineItem { address: holding.address, picture: picture.clone(), note: html! {} })
        })
        .collect();
    let body = html! {
        header.top {
            (ran(command, when, None))
            h1 { bdi { (escape(title)) } }
            (top)
        }
        main id="entries" tabindex="-1" class=[is_many(holdings.len())] {
            (search())
            @if !shown.is_empty() {
                section.mock aria-labelledby="timeline" { h2 id="timeline" { "In the timeline" } (timeline(&shown, "the first by code")) }
            }
            @for kind in Kind::ALL {
                @let of_kind = drawn.iter().filter(|(holding, _)| holding.address.kind == kind).collect::<Vec<_>>();
                @if !of_kind.is_empty() { (group(kind, &of_kind)) }
            }
            @if !system.is_empty() {
                section.group aria-labelledby="system" {
                    h2 id="system" { (system.len()) " that come with the product" }
                    ul.holdings.system { @for holding in &system { (row(holding, &Err(""))) } }
                }
            }
        }
        p.said role="status" id="said" {}
    };
    Page { title: format!("{command} · {title}"), to: "entries", script: page::PORTAL, body }.with_images(&gallery)
}

/// The custom entries by kind, each with its image.
fn drawn<'a>(custom: &[&'a Holding<'a>], gallery: &mut Gallery) -> Vec<(&'a Holding<'a>, Drawn)> {
    let mut drawn = Vec::with_capacity(custom.len());
    for kind in Kind::ALL {
        let of_kind = custom.iter().filter(|holding| holding.address.kind == kind).enumerate();
        drawn.extend(of_kind.map(|(index, holding)| {
            let picture = if index < MAX_DRAWN { picture(holding, gallery) } else { Err(TOO_MANY) };
            (*holding, picture)
        }));
    }
    drawn
}

fn search() -> Markup {
    html! {
        div.tools role="search" aria-label="Narrow down" hidden {
            div.choices {
                label { span { "Search" } input type="search" id="search" placeholder="code" autocomplete="off" spellcheck="false" aria-keyshortcuts="/"; kbd { "/" } }
                p.shown role="status" id="shown" {}
            }
        }
    }
}

/// The custom entries of a kind.
fn group(kind: Kind, drawn: &[&(&Holding<'_>, Drawn)]) -> Markup {
    html! {
        section.group aria-labelledby=(kind.plural()) {
            h2 id=(kind.plural()) { (drawn.len()) " custom " @if drawn.len() == 1 { (kind.name()) } @else { (kind.plural()) } }
            ul.holdings { @for (holding, picture) in drawn { (row(holding, picture)) } }
        }
    }
}

/// The image of an entry, with its dimensions where its kind has others; or why there is none to see.
type Drawn = Result<(Markup, Option<String>), &'static str>;

fn picture(holding: &Holding<'_>, gallery: &mut Gallery) -> Drawn {
    let bytes = holding.bytes.ok_or("its image was not read")?;
    let picture = gallery.take(bytes).ok_or("not a sound PNG")?;
    Ok((image(&picture.class, &escape(holding.address.code.as_str())), picture.misfit(holding.address.kind)))
}

fn row(holding: &Holding<'_>, picture: &Drawn) -> Markup {
    let Holding { address, origin, added, .. } = holding;
    html! {
        li.holding class=(address.kind.name()) id=(anchor(address)) tabindex="-1" {
            @match picture {
                Ok((picture, _)) if address.kind == Kind::Icon => span.marker.blue { (picture) },
                Ok((picture, _)) => span.logotile.sky { (picture) },
                Err(_) => span.spot {},
            }
            div {
                code { (escape(address.code.as_str())) }
                small {
                    (address.kind.name())
                    @if let HoldingOrigin::Custom(word) = origin { ", " (word) }
                    @match picture {
                        Ok((_, Some(misfit))) => { ", " (misfit) }
                        Err(why) if !why.is_empty() => { ", " (why) }
                        Ok((_, None)) | Err(_) => {}
                    }
                    @if !added.is_empty() { ", added " time datetime=(added) { (added) } }
                }
            }
            // The code itself cannot always be shown as it is.
            button.copy type="button" data-code=(utf8_percent_encode(address.code.as_str(), NON_ALPHANUMERIC)) hidden { "Copy" span.unseen { " " (name(address)) } }
        }
    }
}
