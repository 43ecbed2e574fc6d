//! The origin of a difference: a commit that is not applied yet, or a change made on the portal.
//!
//! Git is the record. A *version* of a code is a content that a file had in any commit that the present one comes from,
//! branches that were merged included, of those files that the manifest ever declared the code with ([`code_history`]). Two
//! images are equal when they look the same; a file that Git keeps elsewhere (LFS) is known by its SHA-256 alone.
//!
//! An *apply is known* where a run in the state folder has a commit, and where the portal itself shows one: an entry
//! that equals a version was written by an apply at the commit that has it first, or later. But such an entry may also
//! have been on the portal before it was committed, for example with an export. So it is evidence for older commits
//! only.
//!
//! | change | origin | when |
//! |---|---|---|
//! | replace, delete | pending | the live image equals a version of the code as the portal spells it |
//! | | pending | a run in the state folder put it there, from files that were never committed |
//! | replace | pending | the declaration was never committed |
//! | | pending | runs are known, and every version is newer than each apply that is known |
//! | | drifted | otherwise: it equals no version |
//! | delete | drifted | the code was never declared, or the live image equals no version |
//! | create | vanished | the newest run that spoke of it put the very same image there |
//! | | pending | that run put another image there, deleted it, or did not get it done |
//! | | pending | the declaration is not committed |
//! | | vanished | its commit is older than an apply that the portal shows, or no newer than a whole run |
//! | | pending | its commit is newer than every apply that is known |
//! | | unknown | no apply is known at all, or it may not have covered the entry |
//! | any | unknown | there is no history, it is cut off (shallow), or contents of it are not here, and that matters |
//!
//! A run is whole when it was finished, everything in it applied, nothing uncommitted beside it, and it looked at as
//! many entries as its commit declared: one of `--only` or of `restore` is not. The portal does not show `--only`:
//! if one code is applied alone while an older one was never applied, the older one is reported as vanished.

pub mod code_history;
mod evidence;
mod judge;
mod lfs;
pub mod past;
mod places;

use std::collections::BTreeMap;

use super::asset::{Address, FoldedCode, Kind};
use super::plan::Plan;
use super::state::Content;
pub(crate) use evidence::OriginEvidence;
pub(crate) use lfs::{committed, lfs_pointer};
use past::ObjectId;

/// The side that changed: the repository or the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum OriginKind {
    /// The repository: a declared state was not applied yet.
    Pending,
    /// The portal: it holds something that was never committed.
    Drifted,
    /// The portal: it lost something that was applied.
    Vanished,
    /// It is unknown.
    Unknown,
}

impl OriginKind {
    /// All of them, in the order in which they are counted.
    pub(crate) const ALL: [Self; 4] = [Self::Pending, Self::Drifted, Self::Vanished, Self::Unknown];

    /// Its name in output.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Drifted => "drifted",
            Self::Vanished => "vanished",
            Self::Unknown => "unknown",
        }
    }
}

/// The origin of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Which side changed.
    pub(crate) kind: OriginKind,
    /// How that is known, or why it is not.
    pub(crate) why: String,
    /// The commit that shows it.
    pub(crate) commit: Option<String>,
}

/// The last commit that changed a file, and who made it. Whoever commits chooses the name, which may hold anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCommit {
    /// The commit, as Git names it.
    pub commit: String,
    /// The author's name, without an address.
    pub author: String,
}

impl LastCommit {
    /// The beginning of the commit's name, as people write it.
    pub(crate) fn short(&self) -> &str {
        self.commit.get(..10).unwrap_or(&self.commit)
    }
}

/// The last commit of the declared file of each change, where Git knows one.
pub type ChangedBy = BTreeMap<Address, LastCommit>;

/// An earlier run of this portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastRun {
    /// Its id.
    pub(crate) id: String,
    /// The commit that the manifest was at.
    pub(crate) commit: Option<ObjectId>,
    /// Whether it was finished with everything applied, from committed files only.
    pub(crate) complete: bool,
    /// How many declared entries it looked at.
    pub(crate) looked_at: usize,
    /// Its outcome for each entry that it planned to change.
    pub(crate) done: BTreeMap<(Kind, FoldedCode), PastOutcome>,
}

/// The outcome of a run for an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PastOutcome {
    /// Since then it had this image.
    Put(Content),
    /// Since then it was gone.
    Deleted,
    /// It was not done as planned.
    Failed,
    /// Its outcome was never determined.
    Unknown,
}

/// The origin of every change of a plan, by its address.
pub type Origins = BTreeMap<Address, Origin>;

/// Every change of unknown origin, for one reason.
pub(crate) fn unknown(plan: &Plan, why: &str) -> Origins {
    let origin = Origin { kind: OriginKind::Unknown, why: why.to_owned(), commit: None };
    plan.diff.changes.iter().map(|change| (change.address.clone(), origin.clone())).collect()
}

/// The reason, where every origin is unknown for the same one.
pub(crate) fn common_reason(origins: &Origins) -> Option<&str> {
    let first = origins.values().next()?;
    let same = origins.values().all(|origin| origin.kind == OriginKind::Unknown && origin.why == first.why);
    same.then_some(first.why.as_str())
}
