//! The bytes that brandctl itself last added under each code, and what they prove: if the same image arrives for
//! entries whose images are known to differ, it does not belong to any of them.
//!
//! Journals are hostile input. They can only make a reading unknown here, and never decide what an entry holds.

use std::collections::{BTreeMap, BTreeSet};

use super::asset::{Address, Digest, FoldedCode, Kind};
use super::journal::RunState;
use super::request::{Said, Write};
use super::state::{Content, Listed};

/// The digest of the image that was last added under each code, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastKnown(BTreeMap<(Kind, FoldedCode), Digest>);

impl LastKnown {
    /// What the runs on one portal left, the oldest first.
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a RunState>) -> Self {
        let mut known = Self::default();
        for (code, left) in runs.into_iter().flat_map(RunState::left) {
            known.set(code, left);
        }
        known
    }

    /// Forgets the codes that are about to be written to.
    pub(crate) fn intend(&mut self, commands: &[Write]) {
        for write in commands {
            self.set(write.address().folded(), None);
        }
    }

    /// Forgets a code that already was as planned, and that this run did not write to.
    pub(crate) fn forget(&mut self, address: &Address) {
        self.set(address.folded(), None);
    }

    /// Records the images that these writes are known to have added.
    pub(crate) fn answered(&mut self, commands: &[Write], answers: &[Said]) {
        for (write, said) in commands.iter().zip(answers) {
            if let (Write::Add { address, sha256 }, Said::Done) = (write, said) {
                self.set(address.folded(), Some(*sha256));
            }
        }
    }

    fn set(&mut self, code: (Kind, FoldedCode), left: Option<Digest>) {
        match left {
            Some(digest) => self.0.insert(code, digest),
            None => self.0.remove(&code),
        };
    }

    fn digest(&self, address: &Address) -> Option<Digest> {
        self.0.get(&address.folded()).copied()
    }

    /// The places in `read` of images that the portal cannot have stored there, each with the reason: the same bytes
    /// arrived from different paths, for entries whose bytes were different when they were last added. It is normal
    /// that entries share a path, or an image that was added under each of them. It is also normal that one entry
    /// changed, because other users may change it.
    pub(crate) fn substituted(&self, read: &[(&Listed, &Content)]) -> BTreeMap<usize, String> {
        let mut places: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
        for (place, (_, content)) in read.iter().enumerate() {
            places.entry(content.sha256).or_default().push(place);
        }
        let mut substituted = BTreeMap::new();
        for places in places.into_values() {
            let listed = places.iter().filter_map(|place| read.get(*place)).map(|(listed, _)| *listed);
            if let Some(why) = self.why_substituted(listed) {
                substituted.extend(places.into_iter().map(|place| (place, why.clone())));
            }
        }
        substituted
    }

    /// Why the image that arrived for all these entries does not belong to any of them; `None` where that is not known.
    fn why_substituted<'a>(&self, entries: impl Iterator<Item = &'a Listed>) -> Option<String> {
        let known: Vec<_> = entries.filter_map(|listed| Some((listed, self.digest(&listed.address)?))).collect();
        let paths: BTreeSet<_> = known.iter().map(|(listed, _)| listed.file_uri.as_str()).collect();
        let ((one, digest), rest) = known.split_first()?;
        // With two paths and two digests, two entries differ in both.
        let (other, _) = rest.iter().find(|(_, other)| other != digest)?;
        (paths.len() > 1).then(|| {
            format!(
                "the same image was downloaded for {} and {}, but their images were different when brandctl last added \
                 them: either the same image was uploaded for both, or a proxy answers in the portal's place; check both on \
                 the portal; if the image really is the same, --allow-unbacked can replace or delete the entry",
                one.address, other.address
            )
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::domain::journal::{Ending, FORMAT_VERSION, JournalEntry, Line};
    use crate::domain::step::{StepOutcome, StepResult};

    fn listed(address: &str, file_uri: &str) -> Listed {
        Listed { address: address.parse().unwrap(), system: false, file_uri: file_uri.to_owned() }
    }

    fn add(address: &str, image: &str) -> Write {
        Write::Add { address: address.parse().unwrap(), sha256: Digest::of(image.as_bytes()) }
    }

    fn delete(address: &str) -> Write {
        Write::Delete { address: address.parse().unwrap() }
    }

    fn step(address: &str, outcome: StepOutcome, wrote: bool) -> JournalEntry {
        JournalEntry::Step { address: address.parse().unwrap(), result: StepResult { outcome, why: None, wrote } }
    }

    fn intent(commands: Vec<Write>) -> JournalEntry {
        JournalEntry::Intent { request: 1, commands }
    }

    fn run(entries: impl IntoIterator<Item = JournalEntry>) -> RunState {
        let begin = JournalEntry::Begin {
            format_version: FORMAT_VERSION,
            run: "r".to_owned(),
            portal: "p".to_owned(),
            plan_sha256: Digest::of(b"plan"),
            commit: None,
            command: None,
        };
        let mut state = RunState::begin(Line { at: "2026-01-01T00:00:00Z".to_owned(), entry: begin }).unwrap();
        entries.into_iter().for_each(|entry| state.add(entry, None).unwrap());
        state
    }

    /// A run that added these images.
    fn added(images: &[(&str, &str)]) -> RunState {
        let intents = intent(images.iter().map(|(address, image)| add(address, image)).collect());
        let steps = images.iter().map(|(address, _)| step(address, StepOutcome::Applied, true));
        run(std::iter::once(intents).chain(steps))
    }

    fn known(runs: &[RunState], address: &str) -> Option<Digest> {
        LastKnown::of(runs).digest(&address.parse().unwrap())
    }

    fn image(name: &str) -> Option<Digest> {
        Some(Digest::of(name.as_bytes()))
    }

    /// The places of the entries that are not believed when one image comes for all of these paths.
    fn doubted(runs: &[RunState], entries: &[(&str, &str)]) -> Vec<usize> {
        let content = Content::of(b"one image");
        let listed: Vec<_> = entries.iter().map(|(address, path)| listed(address, path)).collect();
        let read: Vec<_> = listed.iter().map(|listed| (listed, &content)).collect();
        LastKnown::of(runs).substituted(&read).into_keys().collect()
    }

    #[test]
    fn what_was_added_last_is_known_in_any_letter_case() {
        let runs = [added(&[("icon/a", "1"), ("logo/a", "2")]), added(&[("icon/A", "3")])];
        assert_eq!((known(&runs, "icon/a"), known(&runs, "logo/A")), (image("3"), image("2")));
        assert_eq!(known(&runs, "icon/b"), None);
    }

    #[test]
    fn what_a_later_run_may_have_changed_is_forgotten() {
        let first = added(&[("icon/a", "1")]);
        let writes = || intent(vec![delete("icon/a"), add("icon/a", "2")]);
        for (later, expected) in [
            (run([]), image("1")),
            (run([step("icon/a", StepOutcome::Applied, true)]), image("1")),
            (run([writes(), step("icon/a", StepOutcome::Skipped, false)]), image("1")),
            (run([writes(), step("icon/a", StepOutcome::Failed, false)]), image("1")),
            (run([writes(), step("icon/a", StepOutcome::Applied, true)]), image("2")),
            (run([writes()]), None),
            (run([writes(), step("icon/a", StepOutcome::Unknown, false)]), None),
            (run([writes(), step("icon/a", StepOutcome::Failed, true)]), None),
            (run([intent(vec![delete("icon/a")]), step("icon/a", StepOutcome::Applied, true)]), None),
            // It is not known which of the two it is.
            (run([writes(), intent(vec![add("icon/a", "3")]), step("icon/a", StepOutcome::Applied, true)]), None),
            // The old image was sent last.
            (
                run([writes(), intent(vec![add("icon/a", "1")]), step("icon/a", StepOutcome::Recovered, true)]),
                image("1"),
            ),
            (
                run([writes(), step("icon/A", StepOutcome::Applied, true), step("icon/a", StepOutcome::Applied, true)]),
                None,
            ),
        ] {
            let runs = [first.clone(), later];
            assert_eq!(known(&runs, "icon/a"), expected, "{runs:?}");
        }
    }

    #[test]
    fn an_end_says_nothing_of_an_image() {
        let end = JournalEntry::End { applied: 1, not_applied: 0, how: Ending::Finished };
        assert_eq!(known(&[added(&[("icon/a", "1")]), run([end])], "icon/a"), image("1"));
    }

    #[test]
    fn one_image_for_entries_that_are_known_to_differ_is_not_believed() {
        let runs = [added(&[("icon/a", "1"), ("icon/b", "2"), ("icon/c", "1")])];
        assert_eq!(doubted(&runs, &[("icon/a", "/1"), ("icon/b", "/2")]), [0, 1]);
        let with_unknown = [("icon/new", "/0"), ("icon/a", "/1"), ("icon/b", "/2")];
        assert_eq!(doubted(&runs, &with_unknown), [0, 1, 2], "also for entries without a known image");
        assert_eq!(doubted(&runs, &[("icon/a", "/1"), ("icon/b", "/1"), ("icon/c", "/2")]), [0, 1, 2]);
    }

    #[test]
    fn one_image_may_be_that_of_several_entries() {
        let runs = [added(&[("icon/a", "1"), ("icon/b", "2"), ("icon/c", "1")])];
        for entries in [
            &[("icon/a", "/1")][..],
            &[("icon/a", "/1"), ("icon/c", "/2")],
            &[("icon/a", "/1"), ("icon/new", "/2")],
            &[("icon/x", "/1"), ("icon/y", "/2")],
            &[("icon/a", "/1"), ("icon/b", "/1"), ("icon/new", "/2")],
        ] {
            assert_eq!(doubted(&runs, entries), [] as [usize; 0], "{entries:?}");
        }
        let interim = added(&[("icon/a", "9"), ("icon/b", "9"), ("icon/c", "9")]);
        let all = [("icon/a", "/1"), ("icon/b", "/2"), ("icon/c", "/3")];
        assert_eq!(doubted(&[runs[0].clone(), interim], &all), [] as [usize; 0], "they got the same image since");
    }

    #[test]
    fn other_images_are_believed() {
        let known = LastKnown::of(&[added(&[("icon/a", "1"), ("icon/b", "2")])]);
        let (a, b, c) = (listed("icon/a", "/1"), listed("icon/b", "/2"), listed("icon/c", "/3"));
        let (one, two) = (Content::of(b"one"), Content::of(b"two"));
        assert!(known.substituted(&[(&a, &one), (&b, &two), (&c, &one)]).is_empty());
        let why = known.substituted(&[(&c, &two), (&a, &one), (&b, &one)]);
        assert_eq!(why.keys().copied().collect::<Vec<_>>(), [1, 2]);
        assert!(
            why.values().all(|why| why.starts_with("the same image was downloaded for icon/a and icon/b, but")),
            "{why:?}"
        );
    }

    #[test]
    fn a_run_that_goes_on_knows_what_was_answered() {
        let mut known = LastKnown::of(&[added(&[("icon/a", "1"), ("icon/b", "2")])]);
        let writes = [delete("icon/a"), add("icon/a", "3"), add("icon/b", "4"), add("icon/c", "5")];
        known.intend(&writes);
        assert_eq!(known, LastKnown::default());
        known.answered(&writes, &[Said::Done, Said::Done, Said::NotRun, Said::Done]);
        let digest = |address: &str| known.digest(&address.parse().unwrap());
        assert_eq!((digest("icon/a"), digest("icon/b"), digest("icon/c")), (image("3"), None, image("5")));
    }
}
