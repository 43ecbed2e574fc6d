//! Random portals, manifests, proxies, rivals, kills, hand edits and late requests, in virtual time. What must hold of each
//! case is in `judge`; a case that does not hold is made smaller and printed with its seed.
//!
//! `BRANDCTL_TEST_MODEL=600` plays cases for so many seconds, `BRANDCTL_TEST_MODEL_SEED=7` that one alone.

mod case;
mod client;
mod judge;
mod pinned;
mod play;
mod world;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use case::Case;

use crate::faults::trials::only_a_tenth;

type Counts = BTreeMap<&'static str, u64>;

/// What went wrong in a case, with everything that happened in it; nothing when all that must hold does.
fn tried(case: &Case, counts: &mut Counts) -> Option<String> {
    let played = catch_unwind(AssertUnwindSafe(|| {
        let after = play::play(case);
        let faults = judge::faults(&after);
        let kinds = after.world.stats.borrow().clone();
        let log = (!faults.is_empty()).then(|| told(&after));
        (faults, kinds, log)
    }));
    match played {
        Ok((faults, kinds, log)) => {
            for (what, count) in kinds {
                *counts.entry(what).or_default() += count;
            }
            log.map(|log| format!("{}\n\n{log}", faults.join("\n")))
        }
        Err(thrown) => {
            let text = thrown.downcast_ref::<String>().cloned();
            let text = text.or_else(|| thrown.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Some(format!("it panicked: {}", text.unwrap_or_default()))
        }
    }
}

/// All that happened, a line each, and what the applies said.
fn told(after: &play::Aftermath) -> String {
    use world::Happening;
    let requests = after.world.requests.borrow();
    let log = after.world.log.borrow();
    let mut lines: Vec<_> = log
        .iter()
        .enumerate()
        .map(|(at, (time, happening))| {
            let what = match happening {
                Happening::Asks { request, .. } => format!("{happening:?} {:?}", requests[*request].commands),
                Happening::BecomesSystem { key } => format!("{key:?} becomes a system entry"),
                other => format!("{other:?}"),
            };
            format!("[{at}] {:9.3} {what}", time.as_secs_f64())
        })
        .collect();
    for (number, played) in after.played.iter().enumerate() {
        lines.push(format!("apply {number} of {:?} ended with {:?}", played.actor, played.code));
        lines.extend(judge::findings(played));
    }
    lines.join("\n")
}

/// A case that fails, made as small as it gets in a few hundred tries.
fn smallest(case: Case, why: String) -> (Case, String) {
    let (mut smallest, mut tries) = ((case, why), 0);
    'smaller: loop {
        for case in smallest.0.smaller() {
            tries += 1;
            if tries > 1_500 {
                return smallest;
            }
            if let Some(why) = tried(&case, &mut Counts::new()) {
                smallest = (case, why);
                continue 'smaller;
            }
        }
        return smallest;
    }
}

fn report(seed: u64, counts: &mut Counts) -> Option<String> {
    let case = Case::drawn(seed);
    *counts.entry("cases").or_default() += 1;
    let why = tried(&case, counts)?;
    let first = why.lines().next().unwrap_or_default().to_owned();
    let (case, why) = smallest(case, why);
    Some(format!("seed {seed} (BRANDCTL_TEST_MODEL_SEED={seed}), at first: {first}\n{why}\n\n{case:#?}"))
}

/// After how many cases that fail no more are tried.
const MAX_FAILED: usize = 4;

/// For how long cases are played.
fn budget() -> Duration {
    let seconds = std::env::var("BRANDCTL_TEST_MODEL").ok();
    let seconds = seconds.map(|seconds| seconds.parse().expect("BRANDCTL_TEST_MODEL is a number of seconds"));
    let is_short = only_a_tenth() || std::env::var_os("PROPTEST_CASES").is_some();
    Duration::from_secs(seconds.unwrap_or(if is_short { 3 } else { 20 }))
}

#[test]
fn no_image_is_lost_in_any_case() {
    let one = std::env::var("BRANDCTL_TEST_MODEL_SEED").ok().map(|seed| seed.parse().expect("a seed is a number"));
    let (began, budget) = (Instant::now(), budget());
    // Other cases each time, because all of them were tried with the same ones already.
    let first = one.unwrap_or_else(|| fastrand::Rng::new().u64(..u64::MAX / 2));
    let (next, counts, failed) = (AtomicU64::new(first), Mutex::new(Counts::new()), Mutex::new(Vec::new()));
    let play = || {
        let mut mine = Counts::new();
        while began.elapsed() < budget && failed.lock().unwrap().len() < MAX_FAILED {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if one.is_some_and(|one| seed != one) {
                break;
            }
            if let Some(why) = report(seed, &mut mine) {
                failed.lock().unwrap().push(why);
            }
        }
        let mut counts = counts.lock().unwrap();
        for (what, count) in mine {
            *counts.entry(what).or_default() += count;
        }
    };
    std::thread::scope(|scope| {
        (0..2).for_each(|_| drop(scope.spawn(play)));
    });
    // Past the capture of the test runner: the figures are there to be seen.
    let mut out = std::io::stderr().lock();
    for (what, count) in counts.into_inner().unwrap() {
        writeln!(out, "model: {count:8}  {what}").unwrap();
    }
    drop(out);
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
