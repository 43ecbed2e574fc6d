//! The text of a new manifest.

use crate::domain::asset::Kind;
use crate::domain::yaml::double_quoted;

use super::{Owned, PinnedPortal};

/// The manifest, which names the file `schema` to editors.
pub(super) fn text(owns: &Owned, portal: Option<&PinnedPortal>, schema: &str) -> String {
    let pattern = double_quoted(owns.pattern().as_str());
    let sample = owns.code();
    let kinds: Vec<Kind> = owns.samples().iter().map(|address| address.kind).collect();
    let sections: String = kinds
        .iter()
        .map(|kind| format!("{}: {0}/   # {1}×{1} pixels, on a transparent background\n", kind.plural(), kind.side()))
        .collect();
    let first = kinds.first().copied().unwrap_or(Kind::Icon);
    let (kind, folder) = (first.name(), first.plural());
    let portal = match portal {
        Some(portal) => format!("portal: {}   # any other portal is refused\n", double_quoted(portal.host())),
        None => "# portal: acme.bitrix24.com   # refuse any other portal\n".to_owned(),
    };
    let (policy, rules) = (policy(owns), rules(owns));
    format!(
        "\
# yaml-language-server: $schema=./{schema}
version: 1
{portal}
# The codes that this repository is the source of truth for. brandctl leaves all others alone.
owns: [{pattern}]

# Every PNG in a folder is declared under its file name: {folder}/{sample}.png is {kind}/{sample}.
# Replace the samples with your own art.
{sections}
# Entries that are never deleted or replaced, declared or not.
# protect: [\"{kind}/{sample}\"]

# Entries that brandctl leaves alone although `owns` matches them.
# ignore: [\"{kind}/{sample}\"]

{policy}
{rules}"
    )
}

fn policy(owns: &Owned) -> &'static str {
    if owns.pattern().is_everything() {
        "# `owns` matches every code. With `prune: true`, apply would also delete entries that others added.\n\
         policy:\n  prune: false\n"
    } else {
        "# Limits for apply.\n\
         # policy:\n\
         #   prune: false      # keep owned entries that are not declared; the default is to delete them\n\
         #   max_deletes: 3    # of each kind; the default is 10, or half of the owned entries if that is less\n"
    }
}

fn rules(owns: &Owned) -> &'static str {
    if owns.is_plain() {
        "# The level of each art rule: error, warn or off. `brandctl rules` explains them.\n# rules:\n#   low-contrast: off\n"
    } else {
        "# The level of each art rule: error, warn or off. `brandctl rules` explains them. `code-style` is off because of `owns`.\n\
         rules:\n  code-style: off\n"
    }
}
