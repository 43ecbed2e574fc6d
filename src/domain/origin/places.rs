//! The places that the paths of a history lead to today, through links, and the effect on their versions.

use std::collections::{BTreeMap, BTreeSet};

use super::past::{Blob, Located, Past};

/// The paths that do not simply lead to themselves.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<String, Located>);

impl Places {
    /// The places of paths.
    pub(super) const fn of(located: BTreeMap<String, Located>) -> Self {
        Self(located)
    }

    /// Adds more of them.
    pub(super) fn extend(&mut self, located: BTreeMap<String, Located>) {
        self.0.extend(located);
    }

    /// The path that a path leads to today, through links.
    pub(super) fn leads_to(&self, path: String) -> String {
        match self.0.get(&path) {
            Some(Located::Linked { path, .. }) => path.clone(),
            Some(Located::Elsewhere) | None => path,
        }
    }

    /// Whether a path leads out of this repository's history.
    pub(super) fn is_elsewhere(&self, path: &str) -> bool {
        self.0.get(path) == Some(&Located::Elsewhere)
    }

    /// The reason why versions of these files may be ones that the log does not have.
    pub(super) fn why_unfollowed(&self, past: &Past, files: &BTreeSet<String>) -> Option<&'static str> {
        let count_odd = |path: &str| past.touches(path).iter().filter(|touch| touch.blob == Blob::Odd).count();
        // A link that always led where it leads today has the versions of the file that it leads to.
        let is_followed = |link: &String| past.covers(link) && count_odd(link) <= 1;
        let is_unfollowed = |file: &String| match self.0.get(file) {
            Some(Located::Linked { links, .. }) => count_odd(file) > 1 || !links.iter().all(is_followed),
            Some(Located::Elsewhere) | None => count_odd(file) > 0,
        };
        if files.iter().any(is_unfollowed) {
            Some("a version of its file is a link, which cannot be compared")
        } else if !files.iter().all(|file| past.covers(file)) {
            Some("it was declared with a file in a folder whose history was not read")
        } else {
            None
        }
    }
}
