//! The page at `/`: what the portal holds, for whoever has a browser. It has no script and fetches nothing but the
//! portal's own images.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::world::World;
use crate::domain::asset::Kind;

/// The most custom entries of a kind that are shown: a browser has to draw them all.
const MOST: usize = 1000;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#333}\
    table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dfe0e3}\
    td:first-child{width:5rem}img{display:block}.icon{background:#2fc6f6;border-radius:50%;padding:4px}\
    .logo{background:rgba(47,198,246,.2);border-radius:12px;padding:10px}\
    code{font-size:1em;overflow-wrap:anywhere;white-space:pre-wrap;unicode-bidi:isolate}.system{color:#828b95}";

/// What is shown, copied, so that the portal goes on while it is drawn.
pub(super) struct Contents {
    kinds: Vec<Shown>,
}

struct Shown {
    kind: Kind,
    system: Vec<String>,
    /// Code and path of the custom entries, as far as they are shown.
    custom: Vec<(String, String)>,
    custom_count: usize,
}

/// The headers of the page, by their names.
pub(super) fn headers() -> [(&'static str, String); 3] {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; img-src 'self'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    [
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff".to_owned()),
        ("referrer-policy", "no-referrer".to_owned()),
    ]
}

impl Contents {
    pub(super) fn of(world: &World) -> Self {
        let shown = |kind| Shown {
            kind,
            system: world.system_codes(kind).map(ToOwned::to_owned).collect(),
            custom: world.rows(kind).take(MOST).map(|row| (row.code.clone(), row.path.clone())).collect(),
            custom_count: world.rows(kind).count(),
        };
        Self { kinds: Kind::ALL.into_iter().map(shown).collect() }
    }

    /// The whole page.
    pub(super) fn page(&self) -> String {
        html! {
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
                    p { "What this portal holds now. Load the page again to see what has changed." }
                    @for shown in &self.kinds { (shown.section()) }
                }
            }
        }
        .into_string()
    }
}

impl Shown {
    fn section(&self) -> Markup {
        let Self { kind, system, custom, custom_count } = self;
        let hidden: HashSet<&str> = system.iter().map(String::as_str).collect();
        html! {
            h2 id=(kind.plural()) { (kind.plural()) ": " (custom_count) " custom, " (system.len()) " system" }
            table {
                tr { th { "image" } th { "code" } th { "origin" } }
                @for (code, path) in custom {
                    tr {
                        td { img class=(kind.name()) src=(path) width=(kind.side()) height=(kind.side()) alt="" loading="lazy"; }
                        td { code { (code) } }
                        td { @if hidden.contains(code.as_str()) { "custom, hidden by a system code" } @else { "custom" } }
                    }
                }
                @if custom.len() < *custom_count {
                    tr { td {} td { "and " (custom_count - custom.len()) " more custom ones" } td {} }
                }
                @for code in system {
                    tr class="system" { td {} td { code { (code) } } td { "system" } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::Change;
    use super::*;

    fn world(codes: impl IntoIterator<Item = String>) -> World {
        let mut world = World::default();
        for code in codes {
            let content = b"no picture".to_vec().into();
            world.apply(Change::Add { kind: Kind::Icon, code, path: "/upload/crm/1/2/3".to_owned(), content });
        }
        world
    }

    #[test]
    fn every_entry_is_shown_and_nothing_of_a_code_is_markup() {
        let page = Contents::of(&world(["acme-call".to_owned(), "<script>\"'&".to_owned()])).page();
        assert!(page.contains("<code>acme-call</code>"), "{page}");
        assert!(page.contains("<code>&lt;script&gt;&quot;'&amp;</code>") && !page.contains("<script"), "{page}");
        assert!(page.contains("icons: 2 custom, 49 system") && page.contains("logos: 0 custom, 38 system"), "{page}");
        assert!(page.contains("src=\"/upload/crm/1/2/3\"") && !page.contains("http"), "{page}");
    }

    #[test]
    fn it_says_what_it_leaves_out() {
        let page = Contents::of(&world((0..MOST + 7).map(|number| format!("acme-{number}")))).page();
        assert_eq!(page.matches("<img").count(), MOST);
        assert!(page.contains("icons: 1007 custom") && page.contains("and 7 more custom ones"), "{page}");
    }

    #[test]
    fn the_policy_allows_its_own_style() {
        let page = Contents::of(&world([])).page();
        let style =
            page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map(|(style, _)| style);
        assert_eq!(style, Some(STYLE));
        let [(_, policy), ..] = headers();
        assert!(policy.starts_with("default-src 'none'; img-src 'self'; style-src 'sha256-"), "{policy}");
    }
}
