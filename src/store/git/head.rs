//! The files that the current commit tracks, and those that its checkout leaves out.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::super::root::Checkout;
use super::process::{is_shallow, output};
use crate::domain::finding::Problem;
use crate::domain::origin::past::ObjectId;
use crate::ops::ports::NoHistory;

/// Something that a commit tracks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tracked {
    /// A file, by its content.
    File(ObjectId),
    /// A link, by its target.
    Link(ObjectId),
    /// A folder.
    Folder,
    /// Another repository, at a commit of it.
    Submodule(ObjectId),
}

/// A file in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Indexed {
    /// It should be checked out.
    Wanted,
    /// It was left out of the checkout (the skip-worktree bit).
    LeftOut,
}

/// The commit that a checkout is at; `None` before the first one.
pub(crate) fn head(checkout: &Checkout) -> Result<Option<ObjectId>, NoHistory> {
    is_shallow(checkout)?;
    match output(checkout, ["rev-parse", "--verify", "HEAD"]) {
        Ok(id) => match ObjectId::parse(String::from_utf8_lossy(&id).trim()) {
            Some(id) => Ok(Some(id)),
            None => Err(NoHistory::Unreadable(Problem::new("the output of `git rev-parse` cannot be understood"))),
        },
        // Git explains the error (the branch is new, or cannot be read) only for the current branch, not for a name.
        Err(_) => match output(checkout, ["log", "-1", "--format=%H"]) {
            Err(NoHistory::Outside(_)) => Ok(None),
            Err(why) => Err(why),
            Ok(_) => Err(NoHistory::Unreadable(Problem::new("Git does not say which commit is checked out"))),
        },
    }
}

/// The items that `commit` tracks at these paths, from the top of the checkout. For a path that ends in `/`, the items
/// in that folder; for a path in a submodule, the submodule.
pub(crate) fn tree(
    checkout: &Checkout,
    commit: &ObjectId,
    paths: &BTreeSet<String>,
) -> Result<BTreeMap<String, Tracked>, NoHistory> {
    // The top itself has no path.
    let top = || output(checkout, ["ls-tree", "-z", commit.as_str()]);
    let mut text = if paths.contains("") || paths.contains("/") { top()? } else { Vec::new() };
    let below: Vec<&String> = paths.iter().filter(|path| !matches!(path.as_str(), "" | "/")).collect();
    for paths in below.chunks(MAX_PATHS) {
        let arguments = ["ls-tree", "-z", commit.as_str(), "--"].into_iter().map(OsString::from);
        text.extend(output(checkout, arguments.chain(paths.iter().map(OsString::from)))?);
    }
    let entries = text.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    // A file whose name is not UTF-8 cannot be declared by a manifest.
    Ok(entries.filter_map(|entry| tracked(std::str::from_utf8(entry).ok()?)).collect())
}

/// How many paths are asked for at once: the length of a command line is limited.
const MAX_PATHS: usize = 200;

/// `100644 blob <id>\t<path>`
pub(super) fn tracked(entry: &str) -> Option<(String, Tracked)> {
    let (facts, path) = entry.split_once('\t')?;
    let mut facts = facts.split(' ');
    let (mode, _, id) = (facts.next()?, facts.next()?, ObjectId::parse(facts.next()?)?);
    let tracked = match mode {
        "040000" => Tracked::Folder,
        "120000" => Tracked::Link(id),
        "160000" => Tracked::Submodule(id),
        _ => Tracked::File(id),
    };
    Some((path.to_owned(), tracked))
}

/// The index at and below a path from the top of the checkout; the whole index for an empty path. Nothing in the work
/// tree is read.
pub(crate) fn index(checkout: &Checkout, path: &str) -> Result<BTreeMap<String, Indexed>, NoHistory> {
    let path = if path.is_empty() { "." } else { path };
    let text = output(checkout, ["ls-files", "-z", "-v", "--cached", "--", path])?;
    Ok(indexed(&text))
}

/// `<tag> <path>`, each with a NUL at its end.
pub(super) fn indexed(text: &[u8]) -> BTreeMap<String, Indexed> {
    let entries = text.split(|byte| *byte == 0).filter_map(|entry| std::str::from_utf8(entry).ok()?.split_once(' '));
    let indexed = entries.map(|(tag, path)| {
        // A lower-case letter: Git treats the file as unchanged without looking at it (`--assume-unchanged`).
        let is_taken_as_is = tag.starts_with(|letter: char| letter.is_ascii_lowercase());
        let state = if is_taken_as_is || tag == "S" { Indexed::LeftOut } else { Indexed::Wanted };
        (path.to_owned(), state)
    });
    indexed.collect()
}

/// Whether anything in a folder, named from the top of the checkout, differs between the commit and the index, or is
/// neither tracked nor ignored. The work tree's files are not compared.
pub(crate) fn is_touched(checkout: &Checkout, folder: &str) -> bool {
    const TOUCHED: [&[&str]; 2] = [
        &["diff-index", "--cached", "--name-only", "--ignore-submodules=all", "HEAD"],
        &["ls-files", "--others", "--exclude-standard"],
    ];
    let folder = if folder.is_empty() { "." } else { folder };
    TOUCHED.iter().any(|list| {
        let arguments = list.iter().copied().chain(["--", folder]);
        output(checkout, arguments).map_or(true, |files| !files.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tree_lists_is_told_apart_and_what_is_not_a_listing_is_passed_over() {
        let id = "d00491fd7e5bb6fa28c517a0bb32b8b506539d4d";
        let named = |path: &str, tracked| Some((path.to_owned(), tracked));
        let object = ObjectId::parse(id);
        let Some(object) = object else { return assert!(object.is_some()) };
        assert_eq!(tracked(&format!("100755 blob {id}\ta\tb")), named("a\tb", Tracked::File(object.clone())));
        assert_eq!(tracked(&format!("120000 blob {id}\tl")), named("l", Tracked::Link(object.clone())));
        assert_eq!(tracked(&format!("160000 commit {id}\ts")), named("s", Tracked::Submodule(object)));
        assert_eq!(tracked(&format!("040000 tree {id}\tf")), named("f", Tracked::Folder));
        for odd in ["", "100644 blob\tx", "100644 blob 12\tx", &format!("100644 blob {id} x")] {
            assert_eq!(tracked(odd), None, "{odd}");
        }
    }
}
