//! Many trials side by side, because most of their time is waiting; reported as one line a class.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// One fault, and what it is tried on.
pub(crate) struct Trial {
    class: &'static str,
    what: String,
    run: Box<dyn FnOnce() + Send>,
}

pub(crate) fn trial(class: &'static str, what: impl Into<String>, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial { class, what: what.into(), run: Box::new(run) }
}

/// Whether `tests/run --fast` asks for a tenth of the faults only. The full run sets nothing, or `all`.
pub(crate) fn only_a_tenth() -> bool {
    match std::env::var("BRANDCTL_TEST_FAULTS").as_deref() {
        Ok("tenth") => true,
        Ok("all") | Err(_) => false,
        Ok(other) => panic!("BRANDCTL_TEST_FAULTS is `tenth` or `all`, not `{other}`"),
    }
}

/// All of a list, or a tenth: the same one each time, of every part. Eleven has no factor in common with the columns
/// of the tables that these lists are made from, as ten would.
pub(crate) fn share<T>(all: Vec<T>) -> Vec<T> {
    all.into_iter().step_by(if only_a_tenth() { 11 } else { 1 }).collect()
}

/// The share of each class.
fn share_of_each_class(trials: Vec<Trial>) -> Vec<Trial> {
    let mut classes: BTreeMap<&str, Vec<Trial>> = BTreeMap::new();
    for trial in trials {
        classes.entry(trial.class).or_default().push(trial);
    }
    classes.into_values().flat_map(share).collect()
}

/// How many trials go on at a time.
const WORKERS: usize = 20;

/// Runs the share of them, prints how many of each class were survived, and fails if one was not.
#[track_caller]
pub(crate) fn run(trials: Vec<Trial>) {
    /// Trials strike at a moment: two runs at once would leave each too little of the machine to meet it.
    static ONE_RUN: Mutex<()> = Mutex::new(());
    let _turn = ONE_RUN.lock().unwrap_or_else(PoisonError::into_inner);
    let trials = share_of_each_class(trials);
    let mut survived: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for trial in &trials {
        survived.entry(trial.class).or_default().1 += 1;
    }
    let count = trials.len();
    let queue = Mutex::new(trials.into_iter());
    let (survived, failed) = (Mutex::new(survived), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some(Trial { class, what, run }) = next else { break };
                    match catch_unwind(AssertUnwindSafe(run)) {
                        Ok(()) => survived.lock().unwrap().get_mut(class).unwrap().0 += 1,
                        Err(thrown) => {
                            let text = thrown.downcast_ref::<String>().cloned();
                            let text = text.or_else(|| thrown.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                            failed.lock().unwrap().push(format!("{class}, {what}: {}", text.unwrap_or_default()));
                        }
                    }
                }
            });
        }
    });
    // Past the capture of the test runner: the figures are there to be seen.
    let mut out = std::io::stderr().lock();
    for (class, (good, all)) in survived.into_inner().unwrap() {
        writeln!(out, "faults survived: {good:4} of {all:4}  {class}").unwrap();
    }
    drop(out);
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {count} not survived:\n{}", failed.len(), failed.join("\n\n"));
}
