//! Requests that a portal carries out late, when nobody waits for them any more: after 9, 25 and 60 of 120 seconds, each of which
//! is two and a half milliseconds here.

use std::thread::sleep;
use std::time::Duration;

use brandctl::sandbox::Faults;

use super::driver::{self, Circumstances, Life, Moment, Strike};
use super::judge::{Before, PutBack, converges};
use super::scene::{Images, Scene, declare, declared, scene};
use super::trials::{Trial, trial};

/// What the client sees of a request that is carried out late.
const LOST: [&str; 5] = ["drop-during", "html-after 502", "empty", "tear 10", "truncate 30"];

/// A second of the portal's, here.
const SECOND: Duration = Duration::from_micros(2500);

/// For how long a request may be carried out.
fn settle() -> Duration {
    SECOND * 120
}

fn faults(nth: usize, late: u32, lost: &str) -> Faults {
    let delay = (SECOND * late).as_millis();
    format!("write {nth} delay {delay}ms; write {nth} {lost}").parse().unwrap()
}

fn run(scene: &Scene, strike: Strike, timeout: Option<Duration>) -> Life {
    let circumstances = Circumstances { strike, settle: settle(), ..Circumstances::default() };
    let timeout = timeout.unwrap_or(circumstances.timeout);
    driver::run(&scene.brand, scene.brand.folder.path(), Circumstances { timeout, ..circumstances })
}

/// The answer is lost; the run waits, sends nothing twice and ends as planned.
fn lost(nth: usize, late: u32, how: &str) {
    let scene = scene();
    let before = Before::of(&scene.brand);
    scene.brand.fail(faults(nth, late, how));
    let life = run(&scene, Strike::None, None);
    assert!(matches!(life.code, Some(0 | 1)), "{:#?}\n{:#?}", life.report.findings, life.report.run);
    sleep(settle());
    converges(&scene, &before, PutBack::Never);
}

/// How version 1 ends.
#[derive(Debug, Clone, Copy)]
enum CutOff {
    /// It is killed while this call to the portal goes on.
    Killed(u32),
    /// It loses the answer to this write, and has no time to wait.
    Ended(usize),
}

/// Version 1 is cut off, version 2 is applied at once, and what version 1 sent comes late.
fn overtaken(how: CutOff, late: u32) {
    let mut scene = scene();
    match how {
        CutOff::Killed(call) => {
            scene.brand.fail(format!("write every delay {}ms", (SECOND * late).as_millis()).parse().unwrap());
            assert_eq!(run(&scene, Strike::Request(call, Moment::During), None).code, None);
        }
        CutOff::Ended(write) => {
            scene.brand.fail(faults(write, late, "drop-during"));
            drop(run(&scene, Strike::None, Some(Duration::from_millis(100))));
        }
    }
    scene.brand.fail(Faults::none());
    let unchanged = declared(&scene.brand);
    for (number, address) in (180..).zip(["icon/acme-r0", "icon/acme-r1", "logo/acme-r2", "icon/acme-new-00"]) {
        declare(&scene.brand, address, number);
    }
    for (address, bytes) in declared(&scene.brand) {
        if unchanged.get(&address) != Some(&bytes) {
            scene.goal.insert(address, bytes);
        }
    }
    let life = run(&scene, Strike::None, None);
    assert!(matches!(life.code, Some(0 | 1)), "{:#?}\n{:#?}", life.report.findings, life.report.run);
    // Whatever was still to come has come.
    sleep(SECOND * (late + 4));
    let live: Images = scene.brand.live().into_iter().collect();
    let turned: Vec<_> = scene.goal.iter().filter(|(address, bytes)| live.get(*address) != Some(bytes)).collect();
    let turned: Vec<_> = turned.into_iter().map(|(address, _)| address).collect();
    assert!(turned.is_empty(), "turned back: {turned:?}");
}

pub(crate) fn trials() -> Vec<Trial> {
    let measured = scene();
    let calls = driver::apply(&measured.brand, Strike::None).calls;
    let writes = measured.brand.write_requests().len();
    let mut trials = Vec::new();
    for late in [9, 25, 60] {
        for nth in 1..=writes {
            for how in LOST {
                let what = format!("write {nth} is carried out after {late} s, {how}");
                trials.push(trial("carried out late", what, move || lost(nth, late, how)));
            }
            let what = format!("write {nth} is carried out after {late} s");
            trials.push(trial("ended, overtaken and late", what, move || overtaken(CutOff::Ended(nth), late)));
        }
        for call in 1..=calls {
            let what = format!("killed in call {call}, carried out after {late} s");
            trials.push(trial("killed, overtaken and late", what, move || overtaken(CutOff::Killed(call), late)));
        }
    }
    trials
}
