//! Whether a folder that declares art holds what is committed there. A sparse checkout, a submodule that was not
//! fetched or a clone without a checkout lacks files that are still declared; entries whose file is missing from the
//! folder would be deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::committed::{below, is_declared_by_folder};
use super::files::place::{self, with_slashes};
use super::git::{self, Indexed, Tracked};
use super::repository::Repository;
use super::root::{Checkout, Surroundings, surroundings};
use crate::domain::finding::Problem;
use crate::domain::guard::{CountsByKind, FolderCheckout};
use crate::domain::manifest::{Manifest, Section};
use crate::domain::origin::past::ObjectId;
use crate::domain::plan::Plan;
use crate::ops::ports::NoHistory;
use crate::text::{plural, shell_word};

impl Repository {
    /// Notes for each kind that a plan deletes entries of whether its folder is completely checked out. A map names its
    /// entries itself, so its deletions are left as they are.
    pub(crate) fn judge_checkout(&self, manifest: &Manifest, plan: &Plan, counts_by_kind: &mut CountsByKind) {
        for (kind, counts) in counts_by_kind.iter_mut().filter(|(kind, _)| plan.deletes(**kind) > 0) {
            if let Some(Section::Folder { path, .. }) = manifest.section(*kind) {
                let folder = self.base().path_of(path);
                counts.checkout = match gap(&folder, self.path()) {
                    Ok(None) => FolderCheckout::Whole,
                    Ok(Some(Gap { what, help })) => incomplete(format!("the checkout {what} `{path}`"), &help),
                    Err(no_history) => {
                        let (why, help) = words(no_history);
                        incomplete(format!("it is unknown whether all of `{path}` is checked out: {why}"), &help)
                    }
                };
            }
        }
    }
}

impl Repository {
    /// What to do about a missing file or folder of the manifest, if Git tracks it and it was just not checked out.
    pub(super) fn why_left_out(&self, path: &str) -> Option<String> {
        let file = self.base().path_of(path);
        let nearest = file.ancestors().skip(1).find_map(|above| place::real(above).ok())?;
        let Surroundings::Checkout(checkout) = surroundings(&nearest) else { return None };
        let commit = git::head(&checkout).ok()??;
        let path = below(checkout.top(), &nearest).filter(|_| place::is_absent(&file))?;
        let rest = file.strip_prefix(file.ancestors().skip(1).find(|above| place::real(above).is_ok())?).ok()?;
        let named = as_folder(&path) + &with_slashes(rest);
        let tree = git::tree(&checkout, &commit, &with_folders_above(&named)).ok()?;
        if let Some(name) = submodule(&tree, &named) {
            return Some(format!("fetch its submodule: `git submodule update --init -- {}`", shell_word(name)));
        }
        let index = git::index(&checkout, &named).ok()?;
        let is_left_out = index.values().any(|state| *state == Indexed::LeftOut);
        is_left_out.then(|| {
            "Git tracks it, but this sparse checkout leaves it out: add it with `git sparse-checkout add`".to_owned()
        })
    }
}

fn incomplete(why: String, help: &str) -> FolderCheckout {
    FolderCheckout::Incomplete { why, help: help.to_owned() }
}

/// The reason why Git does not answer, and what to do about it.
fn words(no_history: NoHistory) -> (String, String) {
    match no_history {
        NoHistory::Outside(why) => (why, OTHERWISE.to_owned()),
        NoHistory::Unreadable(Problem { message, help }) => (message, help.unwrap_or_else(|| OTHERWISE.to_owned())),
    }
}

/// What to do if Git gives no advice.
const OTHERWISE: &str = "run it in a folder where `git status` works";

/// The part of a folder that a checkout lacks.
struct Gap {
    /// For example "leaves out 2 files of".
    what: String,
    /// How to get it.
    help: String,
}

impl Gap {
    fn new(what: impl Into<String>, help: impl Into<String>) -> Option<Self> {
        Some(Self { what: what.into(), help: help.into() })
    }
}

/// The part of a folder of art that its checkout lacks; the error is the reason why Git does not know.
fn gap(folder: &Path, manifest: &Path) -> Result<Option<Gap>, NoHistory> {
    let unreadable = |_| NoHistory::Unreadable(Problem::new("it cannot be found"));
    let folder = place::real(folder).map_err(unreadable)?;
    let checkout = match surroundings(&folder) {
        Surroundings::Plain => return Ok(None),
        Surroundings::Unusable(why) => return Err(NoHistory::Unreadable(Problem::new(why))),
        Surroundings::Checkout(checkout) => checkout,
    };
    let path = below(checkout.top(), &folder).ok_or_else(unnamed)?;
    let Some(commit) = git::head(&checkout)? else {
        return Ok(of_index(&checkout, &git::index(&checkout, &path)?, &path));
    };
    if let Some(gap) = of_commit(&checkout, &commit, &path, manifest)? {
        return Ok(Some(gap));
    }
    of_outer(&checkout, &commit, &folder)
}

/// The files of the index that the folder lacks because they were left out on purpose.
fn of_index(checkout: &Checkout, index: &BTreeMap<String, Indexed>, path: &str) -> Option<Gap> {
    let left_out = |(file, state): &(&String, &Indexed)| {
        **state == Indexed::LeftOut && is_art_in(path, file) && is_missing(checkout, file)
    };
    let count = index.iter().filter(left_out).count();
    let what = format!("leaves out {} that Git tracks in", plural(count, "file", "files"));
    Gap::new(what, "widen the sparse checkout with `git sparse-checkout add`, or run `git sparse-checkout disable`")
        .filter(|_| count > 0)
}

/// The part of the checkout's commit that the folder at `path` lacks.
fn of_commit(checkout: &Checkout, commit: &ObjectId, path: &str, manifest: &Path) -> Result<Option<Gap>, NoHistory> {
    let tree = git::tree(checkout, commit, &with_folders_above(path))?;
    if let Some(name) = submodule(&tree, path) {
        let help = format!("run `git submodule update --init -- {}`", shell_word(name));
        return Ok(Gap::new(format!("lacks the submodule `{name}`, and with it"), help));
    }
    let index = git::index(checkout, path)?;
    if let Some(gap) = of_index(checkout, &index, path) {
        return Ok(Some(gap));
    }
    // A tracked file that is neither in the index nor in the folder was deleted, unless the index was never filled.
    let deleted = |file: &&String| is_art_in(path, file) && !index.contains_key(*file) && is_missing(checkout, file);
    if tree.keys().any(|file| deleted(&file)) && is_unfilled(checkout, commit, manifest)? {
        return Ok(Gap::new("does not have the files that Git tracks in", "run `git reset` and `git checkout -- .`"));
    }
    Ok(None)
}

/// The part of its submodule's recorded commit that the folder lacks: the commit in the repository around it.
fn of_outer(checkout: &Checkout, commit: &ObjectId, folder: &Path) -> Result<Option<Gap>, NoHistory> {
    let Some(Surroundings::Checkout(outer)) = checkout.top().parent().map(surroundings) else { return Ok(None) };
    let name = below(outer.top(), checkout.top()).ok_or_else(unnamed)?;
    let Some(present) = git::head(&outer)? else { return Ok(None) };
    let tree = git::tree(&outer, &present, &BTreeSet::from([name.clone()]))?;
    let recorded = match tree.get(&name) {
        Some(Tracked::Submodule(recorded)) if recorded != commit => recorded,
        _ => return Ok(None),
    };
    let path = below(checkout.top(), folder).ok_or_else(unnamed)?;
    let tree = git::tree(checkout, recorded, &BTreeSet::from([as_folder(&path)]))?;
    if !tree.keys().any(|file| is_art_in(&path, file) && is_missing(checkout, file)) {
        return Ok(None);
    }
    let help = format!("run `git submodule update -- {}`, or commit it", shell_word(&name));
    Ok(Gap::new(
        format!("has the submodule `{name}` at a commit other than the recorded one, and lacks files of"),
        help,
    ))
}

/// The submodule at or above a path, according to a tree.
fn submodule<'a>(tree: &'a BTreeMap<String, Tracked>, path: &str) -> Option<&'a str> {
    let holds = |above: &str| path == above || path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
    let found = tree.iter().find(|(at, tracked)| matches!(tracked, Tracked::Submodule(_)) && holds(at));
    found.map(|(at, _)| at.as_str())
}

/// Whether a path is that of a PNG directly in a folder.
fn is_art_in(folder: &str, path: &str) -> bool {
    let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
    above == folder && is_declared_by_folder(name)
}

fn is_missing(checkout: &Checkout, path: &str) -> bool {
    !place::is_taken(&checkout.top().join(path))
}

/// Whether nothing was ever checked out the usual way, as after `git clone --no-checkout`: the index is empty, or lacks the
/// manifest although it is committed.
fn is_unfilled(checkout: &Checkout, commit: &ObjectId, manifest: &Path) -> Result<bool, NoHistory> {
    let manifest = below(checkout.top(), manifest);
    if let Some(manifest) = &manifest
        && git::tree(checkout, commit, &BTreeSet::from([manifest.clone()]))?.contains_key(manifest)
    {
        return Ok(git::index(checkout, manifest)?.is_empty());
    }
    Ok(git::index(checkout, "")?.is_empty())
}

/// A folder as a path whose content `git ls-tree` lists, and the folders above it, because one may be a submodule.
fn with_folders_above(path: &str) -> BTreeSet<String> {
    let above = path.match_indices('/').filter_map(|(end, _)| path.get(..end)).chain([path]);
    let above = above.filter(|above| !above.is_empty()).map(str::to_owned);
    above.chain([as_folder(path)]).collect()
}

/// A folder as a path whose content `git ls-tree` lists.
fn as_folder(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}/") }
}

fn unnamed() -> NoHistory {
    NoHistory::Unreadable(Problem::new("it has a name that is not UTF-8"))
}
