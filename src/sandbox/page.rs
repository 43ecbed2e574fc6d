//! The page at `/`, which shows the portal's entries in a browser.
//!
//! The options of a sandbox can name a function that draws the page. The one here is the default: its page has no
//! script and loads only the portal's own images.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::world::{Row, World, has_entry};
use crate::domain::asset::Kind;

/// The most custom entries of a kind that are shown, because a browser has to draw them all.
const MAX_SHOWN: usize = 1000;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#333}\
    table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dfe0e3}\
    td:first-child{width:5rem}img{display:block}.icon{background:#2fc6f6;border-radius:50%;padding:4px}\
    .logo{background:rgba(47,198,246,.2);border-radius:12px;padding:10px}\
    code{font-size:1em;overflow-wrap:anywhere;white-space:pre-wrap;unicode-bidi:isolate}.system{color:#828b95}";

/// A page, and its policy for the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HtmlPage {
    pub(crate) html: String,
    /// The `Content-Security-Policy` that is sent with it; the page may state the rest itself.
    pub(crate) policy: String,
}

/// A copy of what a portal holds, so that the portal can continue while its page is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalContents {
    pub(crate) kinds: Vec<KindContents>,
}

/// The entries of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KindContents {
    pub(crate) kind: Kind,
    /// The codes that come with the product.
    pub(crate) system: Vec<String>,
    /// The custom entries, in the order in which they were added.
    pub(crate) custom: Vec<CustomEntry>,
}

/// A custom entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomEntry {
    /// The code as it was spelt when it was added.
    pub(crate) code: String,
    pub(crate) path: String,
    pub(crate) content: Bytes,
    /// When it was added, if that was recorded.
    pub(crate) added: Option<Timestamp>,
    /// Whether a system code hides it.
    pub(crate) hidden: bool,
}

impl HtmlPage {
    /// The names and values of the headers that it is sent with.
    pub(super) fn headers(self) -> [(&'static str, String); 3] {
        [
            ("content-security-policy", self.policy),
            ("x-content-type-options", "nosniff".to_owned()),
            ("referrer-policy", "no-referrer".to_owned()),
        ]
    }
}

impl PortalContents {
    pub(super) fn of(world: &World) -> Self {
        let of_kind = |kind| {
            let system: Vec<_> =
                world.system_codes(kind).filter(|code| has_entry(kind, code)).map(ToOwned::to_owned).collect();
            let codes: HashSet<&str> = world.system_codes(kind).collect();
            let entry = |row: &Row| CustomEntry {
                code: row.code.clone(),
                path: row.path.clone(),
                content: row.content.clone(),
                added: row.added,
                hidden: codes.contains(row.code.as_str()),
            };
            KindContents { kind, custom: world.rows(kind).map(entry).collect(), system }
        };
        Self { kinds: Kind::ALL.into_iter().map(of_kind).collect() }
    }
}

/// The page that is drawn by default.
pub(super) fn plain(contents: &PortalContents) -> HtmlPage {
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "brandctl sandbox" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "brandctl sandbox" }
                p { "What this portal holds now. Reload the page to see changes." }
                @for of_kind in &contents.kinds { (section(of_kind)) }
            }
        }
    }
    .into_string();
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; img-src 'self'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HtmlPage { html, policy }
}

fn section(of_kind: &KindContents) -> Markup {
    let KindContents { kind, system, custom } = of_kind;
    html! {
        h2 id=(kind.plural()) { (kind.plural()) ": " (custom.len()) " custom, " (system.len()) " system" }
        table {
            tr { th { "image" } th { "code" } th { "origin" } }
            @for CustomEntry { code, path, hidden, .. } in custom.iter().take(MAX_SHOWN) {
                tr {
                    td { img class=(kind.name()) src=(path) width=(kind.side()) height=(kind.side()) alt="" loading="lazy"; }
                    td { code { (code) } }
                    td { @if *hidden { "custom, hidden by a system code" } @else { "custom" } }
                }
            }
            @if custom.len() > MAX_SHOWN {
                tr { td {} td { "and " (custom.len() - MAX_SHOWN) " more custom entries" } td {} }
            }
            @for code in system {
                tr class="system" { td {} td { code { (code) } } td { "system" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::WorldChange;
    use super::*;

    fn world(codes: impl IntoIterator<Item = String>) -> World {
        let mut world = World::default();
        for code in codes {
            let content = b"no picture".to_vec().into();
            world.apply(WorldChange::Add {
                kind: Kind::Icon,
                code,
                path: "/upload/crm/1/2/3".to_owned(),
                content,
                added: None,
            });
        }
        world
    }

    #[test]
    fn every_entry_is_shown_and_nothing_of_a_code_is_markup() {
        let page = plain(&PortalContents::of(&world(["acme-call".to_owned(), "<script>\"'&".to_owned()]))).html;
        assert!(page.contains("<code>acme-call</code>"), "{page}");
        assert!(page.contains("<code>&lt;script&gt;&quot;'&amp;</code>") && !page.contains("<script"), "{page}");
        assert!(page.contains("icons: 2 custom, 50 system") && page.contains("logos: 0 custom, 40 system"), "{page}");
        assert!(page.contains("src=\"/upload/crm/1/2/3\"") && !page.contains("http"), "{page}");
    }

    #[test]
    fn it_says_what_it_leaves_out() {
        let page = plain(&PortalContents::of(&world((0..MAX_SHOWN + 7).map(|number| format!("acme-{number}"))))).html;
        assert_eq!(page.matches("<img").count(), MAX_SHOWN);
        assert!(page.contains("icons: 1007 custom") && page.contains("and 7 more custom entries"), "{page}");
    }

    #[test]
    fn the_policy_allows_its_own_style() {
        let page = plain(&PortalContents::of(&world([])));
        let style =
            page.html.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map(|(style, _)| style);
        assert_eq!(style, Some(STYLE));
        let [(_, policy), ..] = page.headers();
        assert!(policy.starts_with("default-src 'none'; img-src 'self'; style-src 'sha256-"), "{policy}");
    }
}
