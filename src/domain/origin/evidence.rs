//! The evidence for the origin of each change: the history of its codes and images.

use std::collections::{BTreeMap, BTreeSet};

use super::code_history::{self, CodeHistory, OldManifest};
use super::lfs::lfs_pointer;
use super::past::{Blob, Located, ObjectId, Past, beside};
use super::places::Places;
use super::{ChangedBy, LastCommit, PastRun};
use crate::domain::asset::Address;
use crate::domain::diff::{After, Change};
use crate::domain::plan::Plan;
use crate::domain::state::{Content, DesiredState, Selection};

/// The evidence for the origins of a plan's changes. It grows: what must be read from the history depends on what is
/// known so far.
#[derive(Debug)]
pub(crate) struct OriginEvidence<'a> {
    pub(super) past: &'a Past,
    pub(super) plan: &'a Plan,
    pub(super) desired: &'a DesiredState,
    /// The newest first.
    pub(super) runs: &'a [PastRun],
    pub(super) histories: BTreeMap<Address, CodeHistory>,
    /// Where paths lead today.
    pub(super) places: Places,
    /// The contents that were read from the history; `None` for those that this clone does not have.
    pub(super) contents: BTreeMap<ObjectId, Option<Content>>,
    /// The first commits of the versions that the portal has.
    pub(super) seen: BTreeSet<usize>,
}

impl<'a> OriginEvidence<'a> {
    /// The evidence that the names of contents give, before any content is read. `runs` are those of this portal, the newest
    /// first; `locate` says where paths lead that do not lead to themselves.
    pub(crate) fn new(
        past: &'a Past,
        plan: &'a Plan,
        desired: &'a DesiredState,
        only: &Selection,
        runs: &'a [PastRun],
        locate: &dyn Fn(&BTreeSet<String>) -> BTreeMap<String, Located>,
    ) -> Self {
        let (histories, contents) = (BTreeMap::new(), BTreeMap::new());
        let files = desired.entries().values().map(|entry| beside(past.manifest(), &entry.file)).collect();
        let places = Places::of(locate(&files));
        let mut evidence = Self { past, plan, desired, runs, histories, places, contents, seen: BTreeSet::new() };
        let differs: BTreeSet<_> = plan
            .diff
            .changes
            .iter()
            .map(|change| &change.address)
            .chain(plan.diff.unknown.iter().map(|unknown| &unknown.address))
            .chain(plan.diff.conflicts.iter().filter_map(|finding| finding.address.as_ref()))
            .map(Address::folded)
            .collect();
        let oldest = past.oldest();
        for (address, entry) in desired.entries() {
            // The portal may have older bytes that look the same, which prove nothing about this commit.
            let is_same = plan.diff.kept.get(address).is_some_and(|held| held.sha256 == entry.content.sha256);
            if only.admits(address) && !differs.contains(&address.folded()) && is_same {
                let names = evidence.names(&entry.content, Some(&entry.png));
                evidence.seen.extend(names.iter().filter_map(|name| oldest.get(name)).max().copied());
            }
        }
        evidence
    }

    /// The codes whose old declarations must be read, each with its present file.
    pub(crate) fn unsettled(&self) -> BTreeMap<Address, Option<String>> {
        let changes = self.plan.diff.changes.iter();
        let unsettled = changes.filter(|change| change.action.before().is_none() || self.is_unmatched(change));
        unsettled.map(|change| (change.live_address(), self.file(&change.live_address()))).collect()
    }

    /// Adds the old versions of the manifest, the newest first.
    pub(crate) fn read_manifests(
        &mut self,
        wanted: &BTreeMap<Address, Option<String>>,
        versions: &[OldManifest<'_>],
        locate: &dyn Fn(&BTreeSet<String>) -> BTreeMap<String, Located>,
    ) {
        self.histories = code_history::code_histories(wanted, versions);
        let files = self.histories.values().flat_map(|history| &history.files);
        self.places.extend(locate(&files.cloned().collect()));
    }

    /// The contents that live images must be compared with, because no version has the live image's name.
    pub(crate) fn unread(&self) -> BTreeSet<ObjectId> {
        let unmatched = self.plan.diff.changes.iter().filter(|change| self.is_unmatched(change));
        let files = unmatched.flat_map(|change| self.files(&change.live_address()));
        files.flat_map(|file| self.past.versions(&file).map(|(_, id)| id.clone()).collect::<Vec<_>>()).collect()
    }

    /// Whether the live image of a change is known and equals no version that is known so far.
    fn is_unmatched(&self, change: &Change) -> bool {
        let live = change.comparable_before();
        live.is_some_and(|live| self.version_of(&change.live_address(), live).is_none())
    }

    /// Adds contents, `None` for those that this clone does not have.
    pub(crate) fn read_contents(&mut self, contents: impl IntoIterator<Item = (ObjectId, Option<Content>)>) {
        self.contents.extend(contents);
    }

    /// A path of the manifest, from the root of the repository.
    pub(super) fn path(&self, file: &str) -> String {
        beside(self.past.manifest(), file)
    }

    /// The file that a code is declared with now.
    fn file(&self, address: &Address) -> Option<String> {
        self.desired.entries().get(address).map(|entry| self.path(&entry.file))
    }

    /// Every file that a code was declared with, as far as that was read, and what they lead to through links.
    pub(super) fn files(&self, address: &Address) -> BTreeSet<String> {
        let old = self.histories.get(address).map(|history| history.files.clone()).unwrap_or_default();
        let named = old.into_iter().chain(self.file(address));
        named.flat_map(|file| [self.places.leads_to(file.clone()), file]).collect()
    }

    /// The oldest commit in which a code has a version that equals this image.
    pub(super) fn version_of(&self, address: &Address, live: &Content) -> Option<usize> {
        let bytes = self.plan.contents.get(&live.sha256).map(AsRef::as_ref);
        self.files(address).iter().filter_map(|file| self.first(file, live, bytes)).max()
    }

    /// The oldest commit in which a file has this content.
    fn first(&self, file: &str, content: &Content, bytes: Option<&[u8]>) -> Option<usize> {
        let names = self.names(content, bytes);
        self.past.versions(file).filter(|(_, id)| self.is(id, &names, content)).map(|(commit, _)| commit).last()
    }

    /// The newest commit that gave a declared file this content.
    pub(super) fn last(&self, file: &str, address: &Address, content: &Content) -> Option<usize> {
        let bytes = self.desired.entries().get(address).map(|entry| entry.png.as_ref());
        let names = self.names(content, bytes);
        self.past.versions(file).find(|(_, id)| self.is(id, &names, content)).map(|(commit, _)| commit)
    }

    fn is(&self, id: &ObjectId, names: &[ObjectId], content: &Content) -> bool {
        names.contains(id)
            || self.contents.get(id).and_then(Option::as_ref).is_some_and(|version| version.same_appearance(content))
    }

    /// The names that Git gives a content: as it is, and as LFS keeps it.
    fn names(&self, content: &Content, bytes: Option<&[u8]>) -> Vec<ObjectId> {
        let pointer = lfs_pointer(&content.sha256, content.size);
        bytes.into_iter().chain([pointer.as_bytes()]).filter_map(|bytes| self.past.name(bytes)).collect()
    }

    /// The last commit that changed the file of each change: that gave a declared file its present content, or removed
    /// the file of an entry that is no longer declared. If the history was cut off at that commit, it is unknown.
    pub(crate) fn changed_by(&self) -> ChangedBy {
        let changes = self.plan.diff.changes.iter();
        changes.filter_map(|change| Some((change.address.clone(), self.last_commit(change)?))).collect()
    }

    fn last_commit(&self, change: &Change) -> Option<LastCommit> {
        let commit = match change.action.after() {
            Some(after) => self.gave(&change.address, after)?,
            None => self.removed(&change.address)?,
        };
        let (id, author) = (self.past.id(commit)?, self.past.author(commit)?);
        (!self.past.is_cut_off_at(commit)).then(|| LastCommit { commit: id.to_string(), author: author.to_owned() })
    }

    /// The newest commit of a declared file, if it has the present content.
    fn gave(&self, address: &Address, after: &After) -> Option<usize> {
        let path = self.path(&after.file);
        if self.places.is_elsewhere(&path) {
            return None;
        }
        let newest = self.past.touches(&self.places.leads_to(path)).first()?;
        let bytes = self.desired.entries().get(address).map(|entry| entry.png.as_ref());
        let names = self.names(&after.content, bytes);
        matches!(&newest.blob, Blob::Is(id) if names.contains(id)).then_some(newest.commit)
    }

    /// The newest commit of the files that a code was declared with, if it removed one.
    fn removed(&self, address: &Address) -> Option<usize> {
        let files = self.files(address);
        let newest =
            files.iter().filter_map(|file| self.past.touches(file).first()).min_by_key(|touch| touch.commit)?;
        (newest.blob == Blob::Gone).then_some(newest.commit)
    }

    /// How many declared images are not committed as they are.
    pub(crate) fn uncommitted(&self) -> usize {
        let is_committed = |file: &str, content, bytes| {
            let path = self.path(file);
            self.places.is_elsewhere(&path) || self.first(&self.places.leads_to(path), content, Some(bytes)).is_some()
        };
        let entries = self.desired.entries().values();
        entries.filter(|entry| !is_committed(&entry.file, &entry.content, &entry.png)).count()
    }
}
