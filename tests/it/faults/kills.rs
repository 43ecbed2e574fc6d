//! Every request and every journal write of an apply, each as the moment at which it is killed, or its disk is full.

use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};
use std::time::Duration;

use super::driver::{self, Moment, Remnant, Strike};
use super::judge::{Before, PutBack, converges, holds_now};
use super::scene::scene;
use super::trials::{Trial, trial};

/// How much there is to strike at.
struct Measure {
    calls: u32,
    writes: u32,
    images: usize,
}

fn measure() -> Measure {
    let scene = scene();
    let before = Before::of(&scene.brand);
    let life = driver::apply(&scene.brand, Strike::None).ends_with(0);
    converges(&scene, &before, PutBack::Never);
    let folder = life.report.run.unwrap().folder;
    let images = std::fs::read_dir(folder.join("old")).unwrap().count();
    Measure { calls: life.calls, writes: life.journal_writes, images }
}

/// The portal takes its time, so that a request can be left behind half-way.
fn slowly() -> Faults {
    Faults::one(On::Any, When::Every, FaultAction::Delay(Duration::from_millis(40)))
}

fn struck(strike: Strike, faults: Faults) {
    let scene = scene();
    let before = Before::of(&scene.brand);
    scene.brand.fail(faults);
    let life = driver::apply(&scene.brand, strike);
    match strike {
        Strike::JournalFails(_) | Strike::JournalFailsOnce(_) | Strike::BeginFails(_) | Strike::None => {
            assert!(life.code.is_some());
        }
        _ => assert_eq!(life.code, None, "it was not killed"),
    }
    converges(&scene, &before, PutBack::Never);
}

/// Killed, and the apply that finds that out is killed too.
fn struck_twice(first: Strike, second: Strike) {
    let scene = scene();
    let before = Before::of(&scene.brand);
    assert_eq!(driver::apply(&scene.brand, first).code, None);
    driver::apply(&scene.brand, second);
    holds_now(&scene.brand, &scene.goal, &before, PutBack::Never);
    converges(&scene, &before, PutBack::Never);
}

pub(crate) fn trials() -> Vec<Trial> {
    let Measure { calls, writes, images } = measure();
    let mut trials = Vec::new();
    let mut one = |class, strike: Strike, faults: Faults| {
        trials.push(trial(class, format!("{strike:?}"), move || struck(strike, faults)));
    };
    for nth in 1..=calls {
        one("killed before a request", Strike::Request(nth, Moment::Before), Faults::none());
        one("killed while a request goes on", Strike::Request(nth, Moment::During), slowly());
        one("killed after a request", Strike::Request(nth, Moment::After), Faults::none());
    }
    for nth in 1..=writes {
        one("killed before a journal write", Strike::Journal(nth, Moment::Before), Faults::none());
        one("killed in a journal write", Strike::Journal(nth, Moment::During), Faults::none());
        one("killed after a journal write", Strike::Journal(nth, Moment::After), Faults::none());
        one("disk full from a journal write on", Strike::JournalFails(nth), Faults::none());
        one("a journal write fails", Strike::JournalFailsOnce(nth), Faults::none());
    }
    let mut remnants: Vec<_> = (0..=images).map(Remnant::Images).collect();
    remnants.extend([Remnant::HalfPlan, Remnant::NoJournal, Remnant::EmptyJournal, Remnant::HalfLine, Remnant::Whole]);
    for remnant in remnants {
        one("killed while old images are kept", Strike::Begin(remnant), Faults::none());
        one("disk full while old images are kept", Strike::BeginFails(remnant), Faults::none());
    }
    // Right after the delete and add of the first pair, and in the middle of the creates.
    for first in [Strike::Journal(3, Moment::Before), Strike::Journal(5, Moment::After)] {
        for nth in 1..=calls {
            let second = Strike::Request(nth, Moment::Before);
            let what = format!("{first:?}, then {second:?}");
            trials.push(trial("killed, and killed again", what, move || struck_twice(first, second)));
        }
        for nth in 1..=writes {
            let second = Strike::Journal(nth, Moment::After);
            let what = format!("{first:?}, then {second:?}");
            trials.push(trial("killed, and killed again", what, move || struck_twice(first, second)));
        }
    }
    trials
}
