//! What must hold of a case that was played, judged by everything that happened on the portal, in its order.
//!
//! An image that was on the portal when a run began is at its end on the portal, or in a copy that `restore` puts back, or was
//! removed by somebody else, or by a late request after somebody else had done its step. What is allowed beside that is what
//! docs/safety.md says is left: see [`Judge::why_lost`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use brandctl::domain::asset::{Address, Digest};
use brandctl::store::runs::{self, StoredRun};

use super::case::Scope;
use super::play::{Aftermath, Played, SETTLE, manifest};
use super::world::{Actor, Asked, Entry, Happening, Key, Request, Who, World, key, shown};

/// What went wrong, one fault a line.
pub(super) fn faults(after: &Aftermath) -> Vec<String> {
    let judge = Judge::of(after);
    let mut faults = judge.deletes();
    faults.extend(judge.adds());
    faults.extend(judge.windows());
    faults.extend(judge.successes());
    faults.extend(judge.end());
    faults
}

struct Judge<'a> {
    after: &'a Aftermath,
    world: &'a World,
    log: Vec<(Duration, Happening)>,
    requests: Vec<Request>,
    /// Of each apply, when it began.
    begins: BTreeMap<usize, usize>,
    ends: BTreeMap<usize, (usize, Option<i32>)>,
    /// Of each request: when it was asked for, when it arrived, when it was answered.
    asked: BTreeMap<usize, usize>,
    arrived: BTreeMap<usize, (usize, BTreeSet<Key>)>,
    answered: BTreeMap<usize, (usize, Vec<bool>)>,
    calm: usize,
    /// The copies of each repository: code and digest.
    copies: BTreeMap<Actor, BTreeSet<(Key, Digest)>>,
}

/// The copies in run folders that `restore` would put back, by the codes that it would put them under.
fn copies(folder: &std::path::Path) -> BTreeSet<(Key, Digest)> {
    let mut copies = BTreeSet::new();
    for run in stored(folder) {
        let images = run.old_images().unwrap();
        let plan = std::fs::read(run.folder().join("plan.json")).unwrap();
        let plan: serde_json::Value = serde_json::from_slice(&plan).unwrap();
        for change in plan["changes"].as_array().unwrap() {
            let Ok(address) = change["address"].as_str().unwrap_or_default().parse::<Address>() else { continue };
            let Some(digest) = change["before"]["content"]["sha256"].as_str() else { continue };
            let digest: Digest = digest.parse().unwrap();
            if let Some(bytes) = images.get(&digest) {
                assert_eq!(Digest::of(bytes), digest, "a copy is not what its name says");
                copies.insert((key(address.kind, &address.code.to_string()), digest));
            }
        }
    }
    copies
}

fn stored(folder: &std::path::Path) -> Vec<StoredRun> {
    let Ok(runs) = runs::of_all_portals(&folder.join(".brandctl")) else { return Vec::new() };
    runs.into_iter().map(Result::unwrap).collect()
}

impl<'a> Judge<'a> {
    fn of(after: &'a Aftermath) -> Self {
        let world = after.world.as_ref();
        let mut judge = Self {
            after,
            world,
            log: world.log.borrow().clone(),
            requests: world.requests.borrow().clone(),
            begins: BTreeMap::new(),
            ends: BTreeMap::new(),
            asked: BTreeMap::new(),
            arrived: BTreeMap::new(),
            answered: BTreeMap::new(),
            calm: usize::MAX,
            copies: after.folders.iter().map(|(actor, folder)| (*actor, copies(folder.path()))).collect(),
        };
        for (at, (_, happening)) in judge.log.iter().enumerate() {
            match happening {
                Happening::Begins { life, .. } => drop(judge.begins.insert(*life, at)),
                Happening::Ends { life, code } => drop(judge.ends.insert(*life, (at, *code))),
                Happening::Asks { request, .. } => drop(judge.asked.insert(*request, at)),
                Happening::Arrives { request, absent } => {
                    judge.arrived.insert(*request, (at, absent.clone()));
                }
                Happening::Answered { request, done } => {
                    judge.answered.insert(*request, (at, done.clone()));
                }
                Happening::Calm => judge.calm = at,
                _ => {}
            }
        }
        judge
    }

    fn played(&self, life: usize) -> &Played {
        &self.after.played[life]
    }

    fn wanted(&self, life: usize) -> BTreeMap<Key, (String, Vec<u8>)> {
        let Played { actor, version, .. } = self.played(life);
        manifest(&self.world.case, *actor, *version)
    }

    /// Whose the apply is that put an entry there.
    fn putter(&self, by: Who) -> Option<(usize, Actor)> {
        match by {
            Who::Request { life, .. } => Some((life, self.played(life).actor)),
            Who::Nobody | Who::Somebody => None,
        }
    }

    /// As of when an apply last saw the lists before it asked for a request.
    fn last_look(&self, life: usize, before: usize) -> Option<usize> {
        self.log[..before].iter().rev().find_map(|(_, happening)| match happening {
            Happening::Looks { life: looker, as_of } if *looker == life => Some(*as_of),
            _ => None,
        })
    }

    /// As of when an apply last read what is under a code, before that: a list shows all codes, `get` those that it is asked for.
    fn last_read(&self, life: usize, before: usize, key: &Key) -> usize {
        let reads = self.log[..before].iter().enumerate().rev();
        let mut reads = reads.filter_map(|(at, (_, happening))| match happening {
            Happening::Looks { life: reader, as_of } if *reader == life => Some(*as_of),
            Happening::Gets { life: reader, keys } if *reader == life && keys.contains(key) => Some(at),
            _ => None,
        });
        reads.next().unwrap_or_default()
    }

    /// Each removal by a request of ours.
    fn deletes(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (at, (_, happening)) in self.log.iter().enumerate() {
            let Happening::Deleted { who: Who::Request { life, request }, key, entry, is_system } = happening else {
                continue;
            };
            let (life, request) = (*life, *request);
            if let Some(why) = is_untouchable(&entry.code, *is_system)
                && !self.came_unseen(life, request, entry)
            {
                faults.push(format!("[{at}] apply {life} removed {}/{}, which is {why}", key.0, entry.code));
            }
            if let Some(why) = self.why_lost(at, life, request, key, entry) {
                faults.push(format!("[{at}] apply {life} lost {}/{entry:?}: {why}", key.0));
            }
        }
        faults
    }

    /// Whether an entry came, or became what it is, after the look that is made before each request that deletes: what is left
    /// is one round trip, and what a request may do that is carried out late.
    fn came_unseen(&self, life: usize, request: usize, entry: &Entry) -> bool {
        let asked = self.asked[&request];
        if entry.since > asked {
            return true;
        }
        let before = (0..request).rev().find(|at| self.requests[*at].life == life);
        let since = before.map_or(self.begins[&life], |before| self.asked[&before]);
        self.looks_between(life, since, asked) && entry.since >= self.last_look(life, asked).unwrap_or_default()
    }

    /// Whether an apply looked at the lists between.
    fn looks_between(&self, life: usize, from: usize, to: usize) -> bool {
        let mut looks = self.log[from..to].iter();
        looks.any(|(_, what)| matches!(what, Happening::Looks { life: looker, .. } if *looker == life))
    }

    /// Why an image is lost that a request removed; `None` when it is not, or when nobody promised that it would not be.
    fn why_lost(&self, at: usize, life: usize, request: usize, key: &Key, entry: &Entry) -> Option<&'static str> {
        let Played { actor, unbacked, .. } = self.played(life);
        let digest = Digest::of(&entry.bytes);
        if self.copies[actor].contains(&(key.clone(), digest)) {
            return None;
        }
        let (asked, begins) = (self.asked[&request], self.begins[&life]);
        match self.putter(entry.by) {
            // The run's own image: it is declared, or in a copy, and was not there when it began.
            Some((by, _)) if by == life => return None,
            // It is back under its code.
            _ if self.is_back(life, key, entry) => return None,
            // Somebody else's, which came too late to be seen, or which a list of an earlier moment did not show.
            _ if self.came_unseen(life, request, entry) => return None,
            _ => {}
        }
        if self.was_misled(at, life, request, entry, *unbacked) {
            return None;
        }
        Some(if entry.since < begins {
            "it was there when the run began, and there is no copy"
        } else if entry.since < asked {
            "it came before the look that is due right before the request, and there is no copy"
        } else {
            "it came while a request was open"
        })
    }

    /// Whether an apply put an image back where it was.
    fn is_back(&self, life: usize, key: &Key, entry: &Entry) -> bool {
        self.log[self.begins[&life]..].iter().any(|(_, happening)| match happening {
            Happening::Added { who: Who::Request { life: adder, .. }, key: added, entry: new } => {
                *adder == life && added == key && new.bytes == entry.bytes && new.since > entry.since
            }
            _ => false,
        })
    }

    /// Whether something on the way showed another image in place of this one, so that nothing could be known: of the
    /// first removal of a run, where only some images are shown wrongly, or where the run has nothing to prove the way
    /// back with; or whether the user takes it that the image is lost.
    fn was_misled(&self, at: usize, life: usize, request: usize, entry: &Entry, unbacked: bool) -> bool {
        let lies = self.world.lies.borrow();
        let lie = lies.iter().find(|(liar, uri, _)| *liar == life && *uri == entry.uri);
        let Some((_, _, passes)) = lie else { return false };
        if unbacked {
            return true;
        }
        let is_partial = self.world.case.proxy.as_ref().is_some_and(|proxy| proxy.scope == Scope::Some);
        let removed = |(_, happening): &&(Duration, Happening)| matches!(happening, Happening::Deleted { who: Who::Request { life: remover, .. }, .. } if *remover == life);
        let removals = self.log[..=at].iter().filter(removed).count();
        *passes && (is_partial || removals < 2 || !self.has_proof(life, request))
    }

    /// Whether a run has an image whose bytes are known: an unchanged entry, or a new one that the portal said it added before
    /// this request.
    fn has_proof(&self, life: usize, request: usize) -> bool {
        let plan = self.played(life).report.plan.as_ref();
        let asked = self.asked[&request];
        let wanted = self.wanted(life);
        let is_new = |asked: &Asked| {
            asked.png.as_deref().is_some_and(|png| wanted.get(&asked.key).is_some_and(|(_, bytes)| bytes == png))
        };
        let added = |(answered, (at, done)): (&usize, &(usize, Vec<bool>))| {
            let Request { life: adder, commands } = &self.requests[*answered];
            *adder == life && *at < asked && commands.iter().zip(done).any(|(command, done)| *done && is_new(command))
        };
        plan.is_some_and(|plan| plan.diff.unchanged > 0) || self.answered.iter().any(added)
    }

    /// Each image that a request of ours put there: one that is declared, or the one that was there before.
    fn adds(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (at, (_, happening)) in self.log.iter().enumerate() {
            let Happening::Added { who: Who::Request { life, .. }, key, entry } = happening else { continue };
            let wanted = self.wanted(*life);
            if wanted.get(key).is_some_and(|(code, bytes)| *code == entry.code && **bytes == *entry.bytes) {
                continue;
            }
            self.world.count("old images put back");
            let digest = Digest::of(&entry.bytes);
            if !self.copies[&self.played(*life).actor].contains(&(key.clone(), digest)) {
                faults.push(format!("[{at}] apply {life} added {}/{entry:?}, which nobody wants", key.0));
            }
        }
        faults
    }

    /// While a request without an answer may still be carried out, nothing else is sent for its codes, but the new image of the
    /// step to a code that has none.
    fn windows(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for open in self.arrived.keys() {
            let later = self.asked.range(open + 1..).map(|(later, _)| *later);
            faults.extend(later.filter_map(|later| self.disregards(later, *open)));
        }
        faults
    }

    /// How a request disregards the window of one before it.
    fn disregards(&self, later: usize, open: usize) -> Option<String> {
        let (first, second) = (&self.requests[open], &self.requests[later]);
        let (sent, decided) = (self.arrived[&open].0, self.asked[&later]);
        let (reached, absent) = self.arrived.get(&later)?;
        let is_open = self.answered.get(&open).is_none_or(|(answered, _)| *answered > decided);
        let passed = self.log[decided].0.saturating_sub(self.log[sent].0);
        let is_same = self.played(first.life).actor == self.played(second.life).actor;
        if !is_same || !is_open || passed >= SETTLE || self.was_put_forward(sent, *reached) {
            return None;
        }
        // What completes a replace is sent even where the journal cannot be written: then nobody can know of it later.
        let is_add = first.commands.iter().all(|asked| asked.png.is_some());
        let Played { lacks_journal, code, .. } = self.played(first.life);
        // The journal of a run that is killed as it sends a request again knows when it was sent first.
        let is_dated_back = code.is_none() && self.world.sent_again.borrow().contains(&open);
        if first.life != second.life && ((is_add && *lacks_journal) || is_dated_back) {
            return None;
        }
        let wanted = self.wanted(second.life);
        let is_free = |asked: &Asked| {
            let is_absent = || absent.contains(&asked.key);
            let was_absent = || !self.held(self.last_read(second.life, decided, &asked.key)).contains_key(&asked.key);
            let is_wanted = wanted.get(&asked.key).map(|(_, bytes)| bytes.as_slice()) == asked.png.as_deref();
            first.life == second.life && asked.png.is_some() && is_wanted && (is_absent() || was_absent())
        };
        let is_about = |asked: &&Asked| first.commands.iter().any(|other| other.key == asked.key);
        let touched: Vec<_> = second.commands.iter().filter(is_about).filter(|asked| !is_free(asked)).collect();
        (!touched.is_empty()).then(|| {
            let (late, early) = (second.life, first.life);
            format!(
                "[{decided}] request {later} of apply {late} asks for {touched:?} {passed:?} after request {open} of apply \
                 {early}, which had no answer"
            )
        })
    }

    /// Whether the clock was set forward meanwhile: then a window is over before its time.
    fn was_put_forward(&self, from: usize, to: usize) -> bool {
        let jumps = self.log[from..to].iter();
        jumps.into_iter().any(|(_, happening)| matches!(happening, Happening::Jumps { seconds } if *seconds > 0))
    }

    /// What the portal held when so much had happened.
    fn held(&self, as_of: usize) -> BTreeMap<Key, Entry> {
        let mut held = BTreeMap::new();
        let is_first = |(_, what): &&(Duration, Happening)| matches!(what, Happening::Added { who: Who::Nobody, .. });
        let first = self.log.iter().take_while(is_first).count();
        for (_, happening) in &self.log[..as_of.max(first)] {
            match happening {
                Happening::Added { key, entry, .. } => drop(held.insert(key.clone(), entry.clone())),
                Happening::Deleted { key, .. } => drop(held.remove(key)),
                _ => {}
            }
        }
        held
    }

    /// What an apply that ended with 0 says is true: each step of it is as planned when it last looked, and no code that it
    /// was to fill lacks its image because of a request of its own.
    fn successes(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (life, (ended, code)) in &self.ends {
            let Some(plan) = self.played(*life).report.plan.as_ref().filter(|_| *code == Some(0)) else { continue };
            let (now, wanted) = (self.held(*ended), self.wanted(*life));
            for change in &plan.diff.changes {
                let key = key(change.address.kind, &change.address.code.to_string());
                let found = self.held(self.last_read(*life, *ended, &key)).get(&key).map(image);
                if found != wanted.get(&key).cloned() {
                    let (address, found) = (&change.address, in_words(found.as_ref()));
                    faults.push(format!("apply {life} ended with 0, and {address} is {found} as it last saw it"));
                }
            }
            let missing = wanted.keys().filter(|key| !now.contains_key(*key) && self.removed(*life, key, *ended));
            faults.extend(missing.map(|(kind, code)| {
                format!("apply {life} ended with 0, and {kind}/{code} is missing by its own hand")
            }));
        }
        faults
    }

    /// Whether the last one that removed a code before that was this apply, or another one of the same repository.
    fn removed(&self, life: usize, key: &Key, before: usize) -> bool {
        let remover = self.log[..before].iter().rev().find_map(|(_, happening)| match happening {
            Happening::Deleted { who, key: removed, .. } if removed == key => Some(*who),
            _ => None,
        });
        let remover = remover.and_then(|who| self.putter(who));
        remover.is_some_and(|(_, actor)| actor == self.played(life).actor)
    }

    /// After everything has calmed down: one or two plain applies end with what is declared, the one after them has nothing to
    /// do, and every run is closed.
    fn end(&self) -> Vec<String> {
        let last: Vec<_> = self.after.last.iter().map(|life| self.played(*life)).collect();
        let codes: Vec<_> = last.iter().map(|played| played.code).collect();
        let mut faults = Vec::new();
        let (goal, is_blocked) = self.goal();
        let is_idle =
            last.last().and_then(|played| played.report.plan.as_ref()).is_some_and(|plan| plan.diff.changes.is_empty());
        let is_right = match is_blocked {
            true => codes.iter().all(|code| *code == Some(1)),
            false => codes[1..].iter().all(|code| *code == Some(0)) && is_idle,
        };
        if !is_right {
            let blocked = if is_blocked { ", though something is in the way" } else { "" };
            faults.push(format!("the last applies ended with {codes:?}{blocked}"));
            faults.extend(last.iter().flat_map(|played| findings(played)));
        }
        let now = self.held(self.log.len());
        for key in goal.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
            let (is, should) = (now.get(key).map(image), goal.get(key).cloned());
            if is != should {
                let (is, should) = (in_words(is.as_ref()), in_words(should.as_ref()));
                faults.push(format!("at the end {}/{} is {is} and should be {should}", key.0, key.1));
            }
        }
        let runs = stored(self.after.folders[&Actor::Us].path());
        let open = runs.iter().filter(|run| run.state.ended.is_none());
        faults.extend(open.map(|run| format!("the run {} is still open", run.state.run)));
        faults
    }

    /// What the portal must hold at the end, and whether something is in the way of the manifest: what is declared over
    /// somebody else's is an error, and then nothing is written.
    fn goal(&self) -> (BTreeMap<Key, (String, Vec<u8>)>, bool) {
        let (wanted, before) = (self.wanted(self.after.last[0]), self.held(self.calm));
        let system = self.world.system.borrow();
        let is_system = |key: &Key| system.iter().any(|(kind, code)| super::world::key(*kind, code) == *key);
        let is_theirs = |key: &Key, entry: &Entry| is_system(key) || is_untouchable(&entry.code, false).is_some();
        let blocks = |key: &Key| is_system(key) || before.get(key).is_some_and(|entry| is_theirs(key, entry));
        let is_blocked = wanted.keys().any(blocks);
        let stays = before.iter().filter(|(key, entry)| is_blocked || is_theirs(key, entry));
        let mut goal: BTreeMap<_, _> = stays.map(|(key, entry)| (key.clone(), image(entry))).collect();
        if !is_blocked {
            goal.extend(wanted);
        }
        (goal, is_blocked)
    }
}

/// Spelling and image.
fn image(entry: &Entry) -> (String, Vec<u8>) {
    (entry.code.clone(), entry.bytes.to_vec())
}

fn in_words(image: Option<&(String, Vec<u8>)>) -> String {
    image.map_or_else(|| "absent".to_owned(), |(code, bytes)| format!("{code} {}", shown(bytes)))
}

/// Why nobody may touch such an entry.
fn is_untouchable(code: &str, is_system: bool) -> Option<&'static str> {
    if is_system {
        Some("a system entry")
    } else if !code.starts_with("acme-") {
        Some("not owned")
    } else if code.starts_with("acme-lab") {
        Some("ignored")
    } else {
        None
    }
}

/// What an apply said.
pub(super) fn findings(played: &Played) -> Vec<String> {
    let findings =
        played.report.findings.iter().filter(|finding| finding.is_error() || finding.message.contains(" run "));
    let mut said: Vec<_> = findings.map(|finding| format!("    {}", finding.message)).collect();
    let steps = played.report.run.iter().flat_map(|run| &run.steps);
    said.extend(steps.map(|(address, step)| format!("    {address}: {:?} {:?}", step.outcome, step.why)));
    let unknown = played.report.plan.iter().flat_map(|plan| &plan.diff.unknown);
    said.extend(unknown.map(|unknown| format!("    {}: unknown, {}", unknown.address, unknown.why)));
    said
}
