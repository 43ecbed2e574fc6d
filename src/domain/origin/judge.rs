//! The judgement of the evidence: where each change comes from.

use std::collections::BTreeSet;

use super::code_history::CodeHistory;
use super::evidence::OriginEvidence;
use super::past::{Ancestors, Blob, ObjectId};
use super::{Origin, OriginKind, Origins, PastOutcome, PastRun};
use crate::domain::asset::Address;
use crate::domain::diff::{Action, After, Change};

const ELSEWHERE: &str = "its file is in another repository, such as a submodule, whose history is not read";
const SHALLOW: &str = "the clone is shallow, so older versions are missing";
const NOT_HERE: &str = "contents of older commits could not be read";

/// The commits that are known to have been applied.
struct Known<'a> {
    /// The commits that are older than what the portal has.
    shown: Ancestors,
    /// The commits that the portal or a run has, and all older ones.
    reached: Ancestors,
    /// The runs that applied everything, and what they applied.
    whole: Vec<(&'a str, Ancestors)>,
    /// Whether there is any.
    any: bool,
}

impl OriginEvidence<'_> {
    /// The origin of every change.
    pub(crate) fn judge(&mut self) -> Origins {
        let matched: Vec<usize> = self
            .plan
            .diff
            .changes
            .iter()
            .filter_map(|change| self.version_of(&change.live_address(), change.comparable_before()?))
            .collect();
        self.seen.extend(matched);
        let runs = self.runs.iter().filter_map(|run| self.place(run));
        let known = Known {
            shown: self.past.ancestors_of(self.seen.iter().flat_map(|commit| self.past.parents(*commit))),
            reached: self.past.ancestors_of(self.seen.iter().copied().chain(runs)),
            whole: self.runs.iter().filter_map(|run| Some((run.id.as_str(), self.whole(run)?))).collect(),
            any: !self.seen.is_empty() || self.runs.iter().any(|run| self.place(run).is_some()),
        };
        let judged = self.plan.diff.changes.iter().map(|change| (change.address.clone(), self.origin(change, &known)));
        judged.collect()
    }

    fn origin(&self, change: &Change, known: &Known<'_>) -> Origin {
        match &change.action {
            Action::Create(after) => self.absent(change, after, known),
            Action::Replace(..) | Action::Delete(_) => self.present(change, known),
        }
    }

    /// The origin of an entry that the portal has.
    fn present(&self, change: &Change, known: &Known<'_>) -> Origin {
        let address = change.live_address();
        let Some(live) = change.comparable_before() else { return unknown("its image could not be fetched") };
        if let Some(origin) = self.changed_since_last_run(&address, change.action.after()) {
            return origin;
        }
        if let Some(commit) = self.version_of(&address, live) {
            return self.at(OriginKind::Pending, commit, |at| format!("the portal has the version of commit {at}"));
        }
        if let Some((run, PastOutcome::Put(content))) = self.last_run(&address)
            && content.same_appearance(live)
        {
            return of(OriginKind::Pending, format!("run {run} added it, and no commit in this history has it"));
        }
        self.unlike_every_version(&address, change, known)
    }

    /// The origin of an entry whose image on the portal was never committed.
    fn unlike_every_version(&self, address: &Address, change: &Change, known: &Known<'_>) -> Origin {
        let files = self.files(address);
        let versions: Vec<_> = files.iter().flat_map(|file| self.past.versions(file)).collect();
        let declared = change.action.after().is_some() && *address == change.address;
        if files.iter().any(|file| self.places.is_elsewhere(file)) {
            return unknown(ELSEWHERE);
        }
        if declared && versions.is_empty() && self.places.why_unfollowed(self.past, &files).is_none() {
            return of(OriginKind::Pending, "its image is not committed");
        }
        if let Some(why) = self.why_inconclusive(address) {
            return unknown(why);
        }
        if versions.is_empty() {
            return of(
                OriginKind::Drifted,
                "it was never declared: it was added on the portal, or was not owned before",
            );
        }
        if declared
            && let Some(run) = self.newest_run()
            && !versions.iter().any(|(commit, _)| known.reached.has(*commit))
        {
            return of(OriginKind::Pending, format!("it was declared after run {}, the last known run", run.id));
        }
        let contents: BTreeSet<_> = versions.iter().map(|(_, id)| id).collect();
        match contents.len() {
            1 => of(OriginKind::Drifted, "the portal's image is not the one that was committed"),
            count => {
                of(OriginKind::Drifted, format!("the portal's image is not one of the {count} that were committed"))
            }
        }
    }

    /// The origin of an entry that the portal has, if the last run left it in another state.
    fn changed_since_last_run(&self, address: &Address, after: Option<&After>) -> Option<Origin> {
        let (run, outcome) = self.last_run(address)?;
        let why = match (outcome, after) {
            (PastOutcome::Put(content), Some(after)) if content.same_appearance(&after.content) => {
                format!("after run {run} added the declared image")
            }
            (PastOutcome::Deleted, None) => format!("after run {run} deleted it, it was added again"),
            _ => return None,
        };
        Some(of(OriginKind::Drifted, why))
    }

    /// The origin of an entry that the portal does not have, if its last run shows it.
    fn lost_since_last_run(&self, address: &Address, after: &After) -> Option<Origin> {
        let (run, outcome) = self.last_run(address)?;
        let why = match outcome {
            PastOutcome::Put(content) if content.same_appearance(&after.content) => {
                return Some(of(OriginKind::Vanished, format!("after run {run} added it")));
            }
            PastOutcome::Put(_) => format!("its image changed after run {run}"),
            PastOutcome::Deleted => format!("it was declared again after run {run}"),
            PastOutcome::Failed => format!("run {run} did not apply it"),
            PastOutcome::Unknown => return None,
        };
        Some(of(OriginKind::Pending, why))
    }

    /// The origin of an entry that the portal does not have.
    fn absent(&self, change: &Change, after: &After, known: &Known<'_>) -> Origin {
        if let Some(origin) = self.lost_since_last_run(&change.address, after) {
            return origin;
        }
        let path = self.path(&after.file);
        if self.places.is_elsewhere(&path) {
            return unknown(ELSEWHERE);
        }
        let Some(drawn) = self.last(&self.places.leads_to(path), &change.address, &after.content) else {
            return of(OriginKind::Pending, "its image is not committed");
        };
        match self.histories.get(&change.address) {
            Some(CodeHistory { since: Some(listed), incomplete, .. }) => {
                self.absent_since(change, after, [drawn, *listed], *incomplete, known)
            }
            Some(CodeHistory { incomplete: false, .. }) => of(OriginKind::Pending, "its declaration is not committed"),
            _ => unknown(NOT_HERE),
        }
    }

    /// The origin of an entry that the portal does not have, though its image and its declaration are committed.
    fn absent_since(
        &self,
        change: &Change,
        after: &After,
        [drawn, listed]: [usize; 2],
        incomplete: bool,
        known: &Known<'_>,
    ) -> Origin {
        // The log has children before parents: the newer half of a declaration is the one that comes first.
        let newer = drawn.min(listed);
        let within = |reached: &Ancestors| reached.has(drawn) && reached.has(listed);
        if within(&known.shown) {
            return self.at(OriginKind::Vanished, newer, |at| {
                format!("declared since commit {at}, and the portal has an image that was committed later")
            });
        }
        if let Some((run, _)) = known.whole.iter().find(|(_, commits)| within(commits)) {
            return self.at(OriginKind::Vanished, newer, |at| {
                format!("declared since commit {at}, and run {run} applied everything")
            });
        }
        // Under an earlier name of its file, the same image may have been applied and be gone since.
        if self.version_of(&change.address, &after.content).is_some_and(|oldest| known.reached.has(oldest))
            && !within(&known.reached)
        {
            return unknown("its image was committed before under another name, and may have been applied");
        }
        if known.any && !incomplete && !within(&known.reached) {
            return self.at(OriginKind::Pending, newer, |at| match self.newest_run() {
                Some(_) => format!("declared since commit {at}, which no known run included"),
                None => format!("declared since commit {at}, and the portal has no image from that commit or later"),
            });
        }
        unknown(if self.past.is_shallow() {
            SHALLOW
        } else if incomplete {
            NOT_HERE
        } else if known.any {
            "it was not committed before the images on the portal, and may never have been applied"
        } else {
            "no apply is known: the state folder has no run, and the portal has no committed image"
        })
    }

    /// The commits that a run applied completely, if it did.
    fn whole(&self, run: &PastRun) -> Option<Ancestors> {
        let ancestors = self.past.ancestors_of([self.place(run).filter(|_| run.complete)?]);
        let had = |file: &str| self.past.touches(file).iter().any(|touch| ancestors.has(touch.commit));
        let file = |file: &str| self.places.leads_to(self.path(file));
        let declared = self.desired.entries().values().filter(|entry| had(&file(&entry.file))).count();
        // The run may have left out a declared entry, and looked at one that is no longer declared: the numbers would
        // be equal.
        (run.looked_at >= declared && !self.past.has_lost_art_since(&ancestors)).then_some(ancestors)
    }

    /// The reason why it is inconclusive that no version of a code equals an image.
    fn why_inconclusive(&self, address: &Address) -> Option<&'static str> {
        let files = self.files(address);
        let touches = || files.iter().flat_map(|file| self.past.touches(file));
        if let Some(why) = self.places.why_unfollowed(self.past, &files) {
            return Some(why);
        }
        let unread = |blob: &Blob| matches!(blob, Blob::Is(id) if self.contents.get(id).is_none_or(Option::is_none));
        let incomplete = self.histories.get(address).is_some_and(|history| history.incomplete);
        if self.past.is_shallow() {
            Some(SHALLOW)
        } else if incomplete || touches().any(|touch| unread(&touch.blob)) {
            Some(NOT_HERE)
        } else {
            None
        }
    }

    /// The action on an entry by the newest run that concerned it.
    fn last_run(&self, address: &Address) -> Option<(&str, &PastOutcome)> {
        let key = address.folded();
        self.runs.iter().find_map(|run| Some((run.id.as_str(), run.done.get(&key)?)))
    }

    /// The newest run whose commit is in the history.
    fn newest_run(&self) -> Option<&PastRun> {
        self.runs.iter().find(|run| self.place(run).is_some())
    }

    fn place(&self, run: &PastRun) -> Option<usize> {
        run.commit.as_ref().and_then(|commit| self.past.place(commit))
    }

    fn at(&self, kind: OriginKind, commit: usize, why: impl Fn(&str) -> String) -> Origin {
        let id = self.past.id(commit);
        Origin { kind, why: why(id.map_or("?", ObjectId::short)), commit: id.map(ToString::to_string) }
    }
}

fn of(kind: OriginKind, why: impl Into<String>) -> Origin {
    Origin { kind, why: why.into(), commit: None }
}

fn unknown(why: &str) -> Origin {
    of(OriginKind::Unknown, why)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::{LastCommit, code_history::OldManifest, past::Past};
    use super::*;
    use crate::domain::asset::Kind;
    use crate::domain::diff::{Before, Diff, Reason};
    use crate::domain::finding::Place;
    use crate::domain::manifest;
    use crate::domain::plan::{Contents, Plan};
    use crate::domain::png::testing::rgba;
    use crate::domain::state::{Content, Desired, DesiredState, Selection};

    const MANIFEST: &str = "version: 1\nowns: [\"*\"]\npolicy: {prune: true}\nicons: icons/\n";

    fn png(mark: u8) -> Arc<[u8]> {
        rgba(24, 24, |x, y| if x.min(y) > 3 { [mark, 80, 160, 255] } else { [0; 4] }).into()
    }

    fn address(code: &str) -> Address {
        format!("icon/{code}").parse().unwrap()
    }

    /// A log of commits, the oldest first: which images each of them gave to which codes. The first one has the manifest.
    fn past(commits: &[Vec<(&str, u8)>], shallow: bool) -> Past {
        past_without(commits, shallow, None)
    }

    /// The same, where a commit also removed a code's image.
    fn past_without(commits: &[Vec<(&str, u8)>], shallow: bool, removed: Option<(usize, &str)>) -> Past {
        let id = |number: usize| ObjectId::parse(&format!("{:040x}", number + 1)).unwrap();
        let mut past = Past::new("brand.yaml", shallow);
        for (number, images) in commits.iter().enumerate().rev() {
            past.add_commit(
                id(number),
                number.checked_sub(1).map(id).into_iter().collect(),
                &format!("Author {number}"),
            );
            for (code, mark) in images {
                past.add_touch(format!("icons/{code}.png"), Blob::Is(past.name(&png(*mark)).unwrap()));
            }
            if let Some((_, code)) = removed.filter(|(commit, _)| *commit == number) {
                past.add_touch(format!("icons/{code}.png"), Blob::Gone);
            }
            if number == 0 {
                past.add_touch("brand.yaml".to_owned(), Blob::Is(past.name(MANIFEST.as_bytes()).unwrap()));
            }
        }
        past
    }

    /// The judgement of `a`, where the portal has `live`; `b` is on the portal as it is declared.
    fn judged(
        past: &Past,
        declared: &[(&str, u8)],
        live: Option<u8>,
        runs: &[PastRun],
        at_hand: bool,
    ) -> Option<Origin> {
        looked_up(past, declared, live, runs, at_hand).map(|(origin, _)| origin)
    }

    /// The same, with who changed the file of `a`.
    fn looked_up(
        past: &Past,
        declared: &[(&str, u8)],
        live: Option<u8>,
        runs: &[PastRun],
        at_hand: bool,
    ) -> Option<(Origin, Option<LastCommit>)> {
        let ownership = manifest::parse(MANIFEST.as_bytes(), "brand.yaml").0.unwrap().ownership();
        let entries = declared.iter().map(|(code, mark)| {
            let (png, place) = (png(*mark), Place { line: 1, column: 1, bytes: 0..0 });
            (address(code), Desired { file: format!("icons/{code}.png"), place, content: Content::of(&png), png })
        });
        let desired = DesiredState::declared(ownership, entries.collect());
        let after = desired.entries().get(&address("a"));
        let after = after.map(|entry| After { file: entry.file.clone(), content: entry.content.clone() });
        let before = live.map(|mark| Before {
            code: crate::domain::asset::Code::new("a"),
            file_uri: String::new(),
            content: Some(Content::of(&png(mark))),
        });
        let (action, reason) = match (before, after) {
            (None, Some(after)) => (Action::Create(after), Reason::Absent),
            (Some(before), Some(after)) => {
                if before.content.as_ref() == Some(&after.content) {
                    return None;
                }
                (Action::Replace(before, after), Reason::LooksDifferent)
            }
            (Some(before), None) => (Action::Delete(before), Reason::Undeclared),
            (None, None) => return None,
        };
        let changes = vec![Change { address: address("a"), action, reason, rename: None }];
        let kept = desired.entries().iter().filter(|(kept, _)| **kept != address("a"));
        let kept = kept.map(|(address, entry)| (address.clone(), entry.content.clone())).collect();
        let plan = Plan::new("p".to_owned(), Diff { changes, kept, ..Diff::default() }, Contents::new());
        let mut evidence = OriginEvidence::new(past, &plan, &desired, &Selection::All, runs, &|_| BTreeMap::new());
        let wanted = evidence.unsettled();
        let versions: Vec<_> = past.versions("brand.yaml").map(|(commit, _)| commit).collect();
        let old = |commit: &usize| OldManifest { commit: *commit, path: "brand.yaml", text: Some(MANIFEST.as_bytes()) };
        evidence.read_manifests(&wanted, &versions.iter().map(old).collect::<Vec<_>>(), &|_| BTreeMap::new());
        let all: BTreeMap<_, _> =
            (0..=u8::MAX).map(|mark| (past.name(&png(mark)).unwrap(), Content::of(&png(mark)))).collect();
        let unread = evidence.unread().into_iter();
        let read: Vec<_> = unread.map(|id| (id.clone(), all.get(&id).filter(|_| at_hand).cloned())).collect();
        evidence.read_contents(read);
        let origin = evidence.judge().remove(&address("a"))?;
        Some((origin, evidence.changed_by().remove(&address("a"))))
    }

    #[test]
    fn who_changed_a_file_is_known_by_its_last_commit() {
        let author = |past: &Past, declared: Option<u8>, live: Option<u8>| {
            let declared: Vec<_> = declared.map(|mark| ("a", mark)).into_iter().chain([("b", 9)]).collect();
            let (_, last) = looked_up(past, &declared, live, &[], true).unwrap();
            last.map(|last| (last.commit, last.author))
        };
        let by = |number: usize| Some((format!("{:040x}", number + 1), format!("Author {number}")));
        let commits = [vec![("a", 1), ("b", 9)], vec![("a", 2)], vec![("b", 8)], vec![("b", 9)]];
        let whole = past(&commits, false);
        assert_eq!(author(&whole, Some(2), Some(1)), by(1), "replaced");
        assert_eq!(author(&whole, Some(2), None), by(1), "created");
        assert_eq!(author(&whole, Some(3), Some(1)), None, "what is in the file now was never committed");
        assert_eq!(author(&whole, Some(1), Some(2)), None, "nor is it what the last commit has");
        assert_eq!(author(&whole, None, Some(2)), None, "the file still exists: it was not removed");
        let removed = past_without(&commits, false, Some((2, "a")));
        assert_eq!(author(&removed, None, Some(2)), by(2), "deleted");
        // The first commit that a shallow clone has seems to bring everything.
        assert_eq!(author(&past(&commits, true), Some(2), Some(1)), by(1));
        assert_eq!(author(&past(&commits[..1], true), Some(1), None), None);
    }

    fn run(commit: usize, looked_at: usize, done: Option<PastOutcome>) -> PastRun {
        PastRun {
            id: "r".to_owned(),
            commit: ObjectId::parse(&format!("{:040x}", commit + 1)),
            complete: true,
            looked_at,
            done: done.into_iter().map(|done| ((Kind::Icon, address("a").code.folded()), done)).collect(),
        }
    }

    #[test]
    fn runs_say_what_commits_cannot() {
        let past = past(&[vec![("a", 1)], vec![("a", 2), ("b", 3)]], false);
        let declared = [("a", 2), ("b", 3)];
        let kind = |live, run: PastRun| judged(&past, &declared, live, &[run], true).unwrap().kind;
        let content = |mark| Content::of(&png(mark));
        for (expected, live, run) in [
            (OriginKind::Vanished, None, run(1, 2, None)),
            (OriginKind::Unknown, None, run(1, 1, None)),
            (OriginKind::Vanished, None, run(0, 1, Some(PastOutcome::Put(content(2))))),
            (OriginKind::Pending, None, run(0, 1, Some(PastOutcome::Put(content(1))))),
            (OriginKind::Pending, None, run(0, 1, Some(PastOutcome::Deleted))),
            (OriginKind::Pending, None, run(1, 2, Some(PastOutcome::Failed))),
            (OriginKind::Pending, Some(9), run(1, 2, Some(PastOutcome::Put(content(9))))),
            (OriginKind::Drifted, Some(9), run(1, 2, Some(PastOutcome::Put(content(2))))),
        ] {
            assert_eq!(kind(live, run.clone()), expected, "{live:?} {run:?}");
        }
        // Declared since the last run that is known, and never seen since.
        let later = self::past(&[vec![("z", 1)], vec![("a", 2)]], false);
        let judged = |runs: &[PastRun]| judged(&later, &[("a", 2)], Some(9), runs, true).unwrap().kind;
        assert_eq!(judged(&[run(0, 0, None)]), OriginKind::Pending);
        assert_eq!(judged(&[]), OriginKind::Drifted);
    }

    #[test]
    fn what_is_not_declared_is_pending_only_if_it_once_was() {
        let past = past(&[vec![("a", 1), ("b", 3)]], false);
        assert_eq!(judged(&past, &[("b", 3)], Some(1), &[], true).unwrap().kind, OriginKind::Pending);
        assert_eq!(judged(&past, &[("b", 3)], Some(2), &[], true).unwrap().kind, OriginKind::Drifted);
        let never = self::past(&[vec![("b", 3)]], false);
        assert!(judged(&never, &[("b", 3)], Some(1), &[], true).unwrap().why.contains("never declared"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Exactly the images that were committed are pending; without the history, the origin is unknown.
        #[test]
        fn a_live_image_is_pending_if_and_only_if_it_was_committed(
            marks in proptest::collection::vec(0..6_u8, 1..6),
            live in 0..8_u8,
            shallow: bool,
            at_hand: bool,
        ) {
            let commits: Vec<_> = marks.iter().map(|mark| vec![("a", *mark)]).collect();
            let past = past(&commits, shallow);
            let last = *marks.last().unwrap();
            let expected = match (marks.contains(&live), shallow || !at_hand) {
                (_, _) if live == last => None,
                // No names are known here but those of LFS: contents must be read.
                (true, _) if at_hand => Some(OriginKind::Pending),
                (false, false) => Some(OriginKind::Drifted),
                _ => Some(OriginKind::Unknown),
            };
            let origin = judged(&past, &[("a", last)], Some(live), &[], at_hand);
            prop_assert_eq!(origin.map(|origin| origin.kind), expected);
        }

        /// An absent entry vanished if something newer is on the portal, and is pending if all of that is older.
        #[test]
        fn an_absent_entry_is_judged_by_what_the_portal_shows(order in proptest::collection::vec(0..3_u8, 1..6)) {
            let mut commits = vec![vec![("a", 0), ("b", 0)]];
            let (mut a, mut b) = ((0, 0), (0, 0));
            for (number, who) in order.iter().enumerate() {
                let (commit, mark) = (number + 1, u8::try_from(number).unwrap() + 1);
                let mut images = Vec::new();
                if *who != 1 {
                    a = (commit, mark);
                    images.push(("a", mark));
                }
                if *who != 0 {
                    b = (commit, mark);
                    images.push(("b", mark));
                }
                commits.push(images);
            }
            let origin = judged(&past(&commits, false), &[("a", a.1), ("b", b.1)], None, &[], true).unwrap();
            let expected = match a.0.cmp(&b.0) {
                std::cmp::Ordering::Less => OriginKind::Vanished,
                std::cmp::Ordering::Equal => OriginKind::Unknown,
                std::cmp::Ordering::Greater => OriginKind::Pending,
            };
            prop_assert_eq!(origin.kind, expected, "{}", origin.why);
        }
    }
}
