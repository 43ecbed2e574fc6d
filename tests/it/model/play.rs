//! Plays a case: all its commands, edits and faults in virtual time, then the calm after them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use brandctl::domain::diff::Unbacked;
use brandctl::domain::report::Report;
use brandctl::ops::events::{Event, Observer};
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::case::{Case, Life, Moment};
use super::client::ModelPortal;
use super::world::{Actor, Happening, World, key};
use crate::common::MANIFEST;
use crate::faults::driver::{self, Counts, Frail, Setup, Strike};
use crate::faults::scene::art;

/// For how long a request without an answer may still be carried out.
pub(super) const SETTLE: Duration = Duration::from_secs(120);

/// The portal's identity.
pub(super) const IDENTITY: &str = "model.example";

thread_local! {
    /// When virtual time began, and by how many seconds the clock was set since.
    static CLOCK: Cell<Option<(Instant, i64)>> = const { Cell::new(None) };
}

/// The machine's clock, in virtual time.
fn since_epoch() -> Duration {
    let (began, jumped) = CLOCK.get().expect("a case is being played");
    let (at, by) = (Duration::from_secs(1_800_000_000) + began.elapsed(), Duration::from_secs(jumped.unsigned_abs()));
    if jumped < 0 { at - by } else { at + by }
}

fn clock() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::try_from(since_epoch()).unwrap()
}

fn set_clock(seconds: i64) {
    let (began, jumped) = CLOCK.get().expect("a case is being played");
    CLOCK.set(Some((began, jumped + seconds)));
}

/// An apply that was played.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) actor: Actor,
    pub(super) version: usize,
    pub(super) unbacked: bool,
    /// Whether its journal could not be written at some time.
    pub(super) lacks_journal: bool,
    pub(super) code: Option<i32>,
    pub(super) report: Report,
}

/// What is left when a case was played.
pub(super) struct Aftermath {
    pub(super) world: Rc<World>,
    pub(super) folders: BTreeMap<Actor, tempfile::TempDir>,
    pub(super) played: Vec<Played>,
    /// The numbers of the applies after everything has calmed down.
    pub(super) last: Vec<usize>,
}

/// Counts the waits.
#[derive(Default)]
struct Waits(AtomicU64);

impl Observer for Waits {
    fn observe(&self, event: Event) {
        if let Event::Waiting { why, .. } = event
            && why.contains("may still be carried out")
        {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Plays a case to its end.
pub(super) fn play(case: &Case) -> Aftermath {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, play_in_time(case))
}

async fn play_in_time(case: &Case) -> Aftermath {
    CLOCK.set(Some((Instant::now(), 0)));
    let world = World::new(case);
    let folders = BTreeMap::from([Actor::Us, Actor::Rival].map(|actor| (actor, folder(case, actor))));
    schedule(&world);
    let lives = Rc::new(Cell::new(0));
    let all = async |actor: Actor, lives_of: &[Life]| {
        let mut played = Vec::new();
        for life in lives_of {
            tokio::time::sleep(Duration::from_millis(life.pause)).await;
            if life.jump != 0 {
                set_clock(life.jump);
                world.count("clock jumps");
                world.note(Happening::Jumps { seconds: life.jump });
            }
            let number = lives.replace(lives.get() + 1);
            played.push((number, live(&world, number, actor, folders[&actor].path(), life).await));
        }
        played
    };
    let (ours, rivals) = tokio::join!(all(Actor::Us, &case.ours), all(Actor::Rival, &case.rivals));
    let mut played: BTreeMap<usize, Played> = ours.into_iter().chain(rivals).collect();
    // All that was sent is over, and all windows have passed.
    tokio::time::sleep(Duration::from_secs(240)).await;
    world.calm.set(true);
    world.note(Happening::Calm);
    let mut last = Vec::new();
    let version = case.ours.last().map_or(0, |life| life.version);
    let mut apply = async |life: Life| {
        let number = lives.replace(lives.get() + 1);
        let ended = live(&world, number, Actor::Us, folders[&Actor::Us].path(), &life).await;
        let is_told = ended.report.plan.as_ref().is_some_and(|plan| !plan.diff.unknown.is_empty());
        played.insert(number, ended);
        (number, is_told)
    };
    for nth in 0..3 {
        let (number, is_told) = apply(calm(version)).await;
        last.push(number);
        // A rival may have put one image under codes of which we know others: who is told so, does what the message says.
        if nth == 0 && is_told {
            apply(Life { unbacked: true, ..calm(version) }).await;
        }
    }
    Aftermath { world, folders, played: played.into_values().collect(), last }
}

/// Lets somebody edit at the times that the case says.
fn schedule(world: &Rc<World>) {
    for edit in &world.case.edits {
        if let Moment::At(millis) = edit.when {
            let world = world.clone();
            tokio::task::spawn_local(async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                world.edit(Moment::At(millis));
            });
        }
    }
}

/// A plain apply.
fn calm(version: usize) -> Life {
    let strike = Strike::None;
    Life { pause: 0, jump: 0, version, timeout: 600, strike, killed_after: None, unbacked: false }
}

async fn live(world: &Rc<World>, number: usize, actor: Actor, folder: &Path, life: &Life) -> Played {
    check_out(&world.case, actor, life.version, folder);
    world.note(Happening::Begins { life: number });
    world.count("applies");
    let counts = Counts::new(life.strike);
    let waits = Arc::new(Waits::default());
    let inner = ModelPortal::new(world, number, Duration::from_secs(life.timeout));
    let portal = Frail { inner, counts: counts.clone() };
    let unbacked = if life.unbacked { Unbacked::Change } else { Unbacked::Keep };
    let setup = Setup {
        folder,
        identity: IDENTITY,
        settle: SETTLE,
        clock,
        now: since_epoch,
        max_deletes: 100,
        unbacked,
        observer: waits.as_ref(),
    };
    let mut report = Report::default();
    let living = AssertUnwindSafe(driver::live(&setup, &portal, &mut report)).catch_unwind();
    let most = life.killed_after.map_or(Duration::MAX, Duration::from_millis);
    let ended = tokio::time::timeout(most, living).await;
    let ended = ended.ok().and_then(driver::survived);
    let ended = counts.life(ended, report);
    world.note(Happening::Ends { life: number, code: ended.code });
    world.count(match ended.code {
        None => "applies that were killed",
        Some(0) => "applies that ended with 0",
        Some(3) => "applies that ended with 3",
        Some(5) => "applies that ended with 5",
        Some(_) => "applies that ended with 1 or 4",
    });
    world.count_by("waits for a window", waits.0.load(Ordering::Relaxed));
    Played {
        actor,
        version: life.version,
        unbacked: life.unbacked,
        lacks_journal: matches!(life.strike, Strike::JournalFails(_) | Strike::JournalFailsOnce(_)),
        code: ended.code,
        report: ended.report,
    }
}

/// The image that a repository declares for a slot.
pub(super) fn declared(case: &Case, actor: Actor, version: usize, slot: usize) -> Option<u8> {
    match actor {
        Actor::Us => case.slots[slot].ours[version],
        Actor::Rival => case.slots[slot].rival,
    }
}

fn folder(case: &Case, actor: Actor) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!("{MANIFEST}ignore: [\"acme-lab*\"]\npolicy: {{max_deletes: 100}}\n");
    fs::write(folder.path().join("brand.yaml"), manifest).unwrap();
    for kind in ["icons", "logos"] {
        fs::create_dir(folder.path().join(kind)).unwrap();
    }
    check_out(case, actor, 0, folder.path());
    folder
}

/// Makes the art be that of a version.
fn check_out(case: &Case, actor: Actor, version: usize, folder: &Path) {
    for (at, slot) in case.slots.iter().enumerate() {
        let file = folder.join(slot.kind.plural()).join(format!("{}.png", slot.code));
        match declared(case, actor, version, at) {
            Some(mark) => fs::write(file, art(slot.kind, mark)).unwrap(),
            None => drop(fs::remove_file(file)),
        }
    }
}

/// What a repository declares, by the form in which the portal compares: spelling and image.
pub(super) fn manifest(case: &Case, actor: Actor, version: usize) -> BTreeMap<super::world::Key, (String, Vec<u8>)> {
    let slots = case.slots.iter().enumerate();
    slots
        .filter_map(|(at, slot)| {
            let mark = declared(case, actor, version, at)?;
            Some((key(slot.kind, &slot.code), (slot.code.clone(), art(slot.kind, mark))))
        })
        .collect()
}
