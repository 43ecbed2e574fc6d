//! Two applies at once, from two folders that know nothing of each other, with other images for the same codes.

use std::time::Duration;

use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};

use super::driver::{self, Life, Strike};
use super::scene::{Images, declared};
use super::trials;
use crate::common::{Brand, MANIFEST, art, parts};

const CODES: [&str; 6] =
    ["icon/acme-a", "icon/acme-b", "icon/acme-c", "logo/acme-a", "logo/acme-b", "icon/acme-only-live"];
const FOREIGN: [&str; 2] = ["icon/other", "logo/other"];

/// A folder with its own images; `mark` says whose they are.
fn rival(mark: u8) -> Brand {
    let mut brand = Brand::new().manifest(format!("{MANIFEST}policy: {{max_deletes: 9}}\n"));
    for (number, address) in (0..).zip(CODES).take(5) {
        brand = brand.declares(address, mark + number);
    }
    // One that the other one does not have, and deletes.
    brand.declares(if mark < 100 { "icon/acme-x" } else { "icon/acme-y" }, mark + 9)
}

/// The codes that a report speaks of as not done.
fn named(life: &Life) -> Vec<String> {
    let steps = life.report.run.iter().flat_map(|run| &run.steps);
    let failed = steps.filter(|(_, step)| step.outcome != brandctl::domain::step::StepOutcome::Applied);
    let failed = failed.map(|(address, _)| address.to_string());
    failed
        .chain(life.report.findings.iter().filter_map(|finding| Some(finding.address.as_ref()?.to_string())))
        .collect()
}

/// Both begin at once; the writes of one or both are held up. `from_scratch`: the portal has none of the codes yet.
fn race(faults: Faults, head_start: Duration, from_scratch: bool) -> [Option<i32>; 2] {
    let (ours, theirs) = (rival(1), rival(101));
    if !from_scratch {
        for (number, address) in (0..).zip(CODES) {
            ours.seed(address, &art(parts(address).0, 200 + number));
        }
    }
    for address in FOREIGN {
        ours.seed(address, &art(parts(address).0, 250));
    }
    let foreign = |brand: &Brand| FOREIGN.map(|address| brand.image(address).unwrap());
    let before = foreign(&ours);
    ours.fail(faults);
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| driver::apply_from(&ours, ours.folder.path(), Strike::None));
        std::thread::sleep(head_start);
        let second = driver::apply_from(&ours, theirs.folder.path(), Strike::None);
        (first.join().unwrap(), second)
    });
    ours.fail(Faults::none());
    let (mine, other) = (declared(&ours), declared(&theirs));
    for address in &CODES[..5] {
        let live = ours.image(address);
        let either = [mine.get(*address), other.get(*address)];
        assert!(live.is_some() && either.contains(&live.as_ref()), "{address} holds neither image: {:?}", ours.codes());
    }
    assert_eq!(foreign(&ours), before);
    for life in [&first, &second] {
        match life.code {
            Some(0) => {}
            Some(3 | 5) => assert!(!named(life).is_empty(), "it does not say what it lost: {:?}", life.report),
            // An image that went away between the list and its download is reported, and left alone.
            Some(1) if life.report.plan.as_ref().is_some_and(|plan| !plan.diff.unknown.is_empty()) => {}
            other => panic!("ended with {other:?}: {:?}\n{:?}", life.report.findings, life.report.run),
        }
    }
    // The one that goes next has the last word, in either direction.
    for folder in [&ours, &theirs] {
        driver::apply_from(&ours, folder.folder.path(), Strike::None).ends_with(0);
        let live: Images =
            ours.live().into_iter().filter(|(address, _)| !FOREIGN.contains(&address.as_str())).collect();
        assert_eq!(live, declared(folder));
    }
    assert_eq!(foreign(&ours), before);
    [first.code, second.code]
}

#[test]
fn two_applies_at_once_leave_one_of_both_images_under_every_code() {
    let mut cases = Vec::new();
    for lag in [20, 60] {
        for write in 0..=5 {
            for head_start in [0, 15, 40, 90] {
                for from_scratch in [false, true] {
                    cases.push((lag, write, head_start, from_scratch));
                }
            }
        }
    }
    let ends = std::sync::Mutex::new(Vec::new());
    let trials = trials::share(cases).into_iter().map(|(lag, write, head_start, from_scratch)| {
        let ends = &ends;
        move || {
            let lag = FaultAction::Delay(Duration::from_millis(lag));
            // Every write waits, or one that is the first of either to come to that.
            let when = if write == 0 { When::Every } else { When::Nth(write) };
            let ended = race(Faults::one(On::Write, when, lag), Duration::from_millis(head_start), from_scratch);
            ends.lock().unwrap().push(ended);
        }
    });
    let mut waiting: Vec<_> = trials.collect();
    while !waiting.is_empty() {
        let some = waiting.split_off(waiting.len().saturating_sub(8));
        crate::common::each(some, |trial| trial());
    }
    let ends = ends.into_inner().unwrap();
    let lost = ends.iter().filter(|codes| codes.iter().any(|code| *code != Some(0))).count();
    assert!(lost > ends.len() / 4, "they hardly ever met: {lost} of {}", ends.len());
}
