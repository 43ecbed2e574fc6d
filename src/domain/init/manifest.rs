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
        .map(|kind| format!("{}: {0}/   # {1}×{1} pixels, on a transparent ground\n", kind.plural(), kind.side()))
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
# The codes that this repository is the source of truth for; all others are left alone.
owns: [{pattern}]

# Every PNG of a folder is declared, by its name: {folder}/{sample}.png is {kind}/{sample}.
# The samples are there to be replaced.
{sections}
# Never deleted or replaced, declared or not.
# protect: [\"{kind}/{sample}\"]

# Left alone although `owns` matches them.
# ignore: [\"{kind}/{sample}\"]

{policy}
{rules}"
    )
}

fn policy(owns: &Owned) -> &'static str {
    if owns.pattern().is_everything() {
        "# `owns` matches every code, so that entries of others are only kept because of this.\npolicy:\n  prune: false\n"
    } else {
        "# How far apply may go.\n\
         # policy:\n\
         #   prune: false      # keep owned entries that are not declared; the default is to delete them\n\
         #   max_deletes: 3    # of each kind; the default is 10 or half of what is owned, whichever is less\n"
    }
}

fn rules(owns: &Owned) -> &'static str {
    if owns.is_plain() {
        "# The art rules, as `brandctl rules` explains them: error, warn or off.\n# rules:\n#   low-contrast: off\n"
    } else {
        "# The art rules, as `brandctl rules` explains them: error, warn or off. The codes of `owns` are not plain.\n\
         rules:\n  code-style: off\n"
    }
}
