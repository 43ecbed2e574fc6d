//! The manifest of an export, as text that reads back as the same manifest.

use std::fmt::Write as _;

use crate::domain::asset::{Code, Kind};
use crate::domain::quote::looks_secret;
use crate::domain::rules::TRANSPARENT_BACKGROUND;
use crate::domain::scope::Pattern;
use crate::domain::yaml::scalar;
use crate::text::{escape, plural};

use super::names::SCHEMA;

/// The contents of a manifest.
pub(super) struct Draft<'a> {
    pub(super) portal: &'a str,
    /// Whether it is pinned to that portal.
    pub(super) pinned: bool,
    pub(super) owns: &'a [Pattern],
    /// Whether `owns` was made from the codes, because no option sets it.
    pub(super) derived: bool,
    /// Code and file of each kind.
    pub(super) declared: Vec<(Kind, Vec<(&'a Code, &'a str)>)>,
    /// The entries that are left alone, and why.
    pub(super) ignore: &'a [(Pattern, String)],
    /// How many declared images have no transparent pixel.
    pub(super) opaque: usize,
}

pub(super) fn text(draft: &Draft<'_>) -> String {
    let mut text = format!("# yaml-language-server: $schema={SCHEMA}\n");
    let _ = writeln!(text, "# What {} held when `brandctl export` read it.\nversion: 1", comment(draft.portal));
    if draft.pinned {
        let _ = writeln!(text, "portal: {}", scalar(draft.portal));
    }
    text.push_str(&owned(draft));
    for (kind, entries) in &draft.declared {
        if !entries.is_empty() {
            let _ = writeln!(text, "\n{}:", kind.plural());
        }
        for (code, file) in entries {
            let _ = writeln!(text, "  {}: {}", scalar(code.as_str()), scalar(file));
        }
    }
    if !draft.ignore.is_empty() {
        text.push_str("\n# brandctl leaves these entries alone. The comment above each says why.\nignore:\n");
    }
    for (pattern, why) in draft.ignore {
        let _ = writeln!(text, "  # {}\n  - {}", comment(why), scalar(pattern.as_str()));
    }
    if draft.opaque > 0 {
        let images = plural(draft.opaque, "image has", "images have");
        let _ = writeln!(
            text,
            "\n# {images} no transparent pixel; the portal accepted this anyway.\nrules:\n  {TRANSPARENT_BACKGROUND}: warn"
        );
    }
    text
}

/// The owned codes, and the policy that goes with them.
fn owned(draft: &Draft<'_>) -> String {
    let mut text = "\n".to_owned();
    if draft.derived {
        text.push_str(
            "# The codes that were exported, one by one, so that brandctl never changes what others add to the portal.\n\
             # If every code with a prefix is yours, write a pattern instead, for example \"acme-*\".\n",
        );
    }
    text.push_str("owns:\n");
    for pattern in draft.owns {
        let _ = writeln!(text, "  - {}", scalar(pattern.as_str()));
    }
    if draft.owns.iter().any(Pattern::is_everything) {
        text.push_str(
            "\n# `owns` also matches everything that others add to the portal. With `prune: true`, apply deletes what is not declared.\n\
             policy:\n  prune: false\n",
        );
    }
    text
}

/// Text escaped so that it cannot end its comment.
fn comment(text: &str) -> String {
    if looks_secret(text) {
        return "(hidden: it looks like a password)".to_owned();
    }
    escape(text).into_owned()
}
