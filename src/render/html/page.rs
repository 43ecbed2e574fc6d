//! The page around a body: style sheet, script, and the policy that allows only these two.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::gallery::Gallery;
use crate::text::escape;

const STYLE: &str = concat!(
    include_str!("page.css"),
    include_str!("card.css"),
    include_str!("timeline.css"),
    include_str!("portal.css")
);

/// The script of a page about changes or a manifest's art.
pub(super) const REPORT: &str = include_str!("page.js");

/// The script of a page about what a portal holds.
pub(super) const PORTAL: &str = include_str!("portal.js");

/// The class of a page whose entries are drawn only when they come near: so a page with thousands opens as quickly. A
/// shorter page is drawn completely, so that one screenshot of it has everything.
pub(super) fn is_many(entries: usize) -> Option<&'static str> {
    const MANY: usize = 120;
    (entries > MANY).then_some("many")
}

/// A page without its images.
pub(super) struct Page {
    /// Its title, as found: it is escaped here.
    pub(super) title: String,
    /// The id of the target of the link that skips the top.
    pub(super) to: &'static str,
    /// One of [`REPORT`] and [`PORTAL`].
    pub(super) script: &'static str,
    pub(super) body: Markup,
}

impl Page {
    pub(super) fn with_images(self, images: &Gallery) -> String {
        let style = format!("{}{}", slim(STYLE), images.style);
        let script = slim(self.script);
        let policy = format!(
            "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            hash(&style),
            hash(&script)
        );
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { (escape(&self.title)) " · brandctl" }
                    style { (PreEscaped(style)) }
                }
                body {
                    a.skip href={ "#" (self.to) } { "Skip to the images" }
                    (self.body)
                    script { (PreEscaped(script)) }
                }
            }
        }
        .into_string()
    }
}

/// The hash by which the policy knows a style sheet or a script.
fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

/// A style sheet or script of ours without indentation and comment lines, to keep the page small.
fn slim(text: &str) -> String {
    let mut slim = String::with_capacity(text.len());
    for line in text.lines().map(str::trim) {
        let comment = line.starts_with("//") || (line.starts_with("/*") && line.ends_with("*/"));
        if !line.is_empty() && !comment {
            slim.push_str(line);
            slim.push('\n');
        }
    }
    slim
}
