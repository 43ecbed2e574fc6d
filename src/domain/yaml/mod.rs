//! YAML: text → a tree of values that know their spelling and their place, and texts → scalars that read back.
//!
//! The room knows no particular file: a [`YamlFile`] holds the file's name and the ids of its findings.
//! [`read`](read()) finds the faults that any YAML can have (syntax, duplicate keys, aliases, tags), and continues
//! after a finding if there is still a tree. Faults of a manifest are found in the tree, by `manifest`.
//!
//! The tree is built from the events of serde-saphyr's parser. Its deserializer was considered and not used: through
//! serde, an unresolved alias or an unknown tag ends the reading, so that not everything is reported at once, and a
//! plain scalar arrives as the number or the null that it stands for, without its spelling (`1.50:` is a code here).
//! Aliases share what they refer to, so an alias bomb costs no memory; height and size are still bounded, so that
//! walking the tree is fast.
//!
//! Similarly, [`scalar`](scalar()) is not its serializer's: every file that is written here has comments, which the serializer
//! cannot place, and a scalar has to be safe to look at and must not look like a webhook, for which it has no setting.

mod read;
mod scalar;
mod syntax;
mod tree;

use super::finding::Finding;

pub(in crate::domain) use read::read;
pub(crate) use scalar::{double_quoted, scalar};
pub(in crate::domain) use tree::{MapEntry, Node, Shape};

/// The most collections within collections. A manifest needs three.
const MAX_HEIGHT: usize = 32;

/// The most values in the tree, counting aliased values each time. 10,000 entries need 20,000 to 40,000.
const MAX_SIZE: usize = 1_000_000;

/// The words that findings use for the file that is read.
pub(in crate::domain) struct YamlFile {
    /// What it is: "manifest".
    pub(in crate::domain) name: &'static str,
    /// How deep it is nested at most: "three levels".
    pub(in crate::domain) levels: &'static str,
    /// What to write into an empty one.
    pub(in crate::domain) empty_help: &'static str,
    pub(in crate::domain) checks: YamlChecks,
}

/// The ids of the findings that any YAML can have.
pub(in crate::domain) struct YamlChecks {
    pub(in crate::domain) syntax: &'static str,
    pub(in crate::domain) empty: &'static str,
    pub(in crate::domain) duplicate_key: &'static str,
}

impl YamlFile {
    /// The finding for a file without content; `what` follows its name: "is empty".
    pub(in crate::domain) fn nothing(&self, what: &str) -> Finding {
        Finding::error(self.checks.empty, format!("the {} {what}", self.name)).help(self.empty_help)
    }
}

/// The lines of a text as YAML counts them: a lone carriage return ends one too.
pub(in crate::domain) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}
