//! The program itself, stopped by the system: killed outright, and asked to end.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};
use brandctl::store::runs;

use super::driver::{self, Strike};
use super::judge::{Before, PutBack, converges, holds_now};
use super::scene::scene;
use super::trials::{Trial, trial};
use crate::common::{Brand, command};

/// How long a request waits at the portal before anything happens.
const LAG: Duration = Duration::from_millis(1500);
/// Longer than a busy machine takes to end a process.
const LONG_LAG: Duration = Duration::from_secs(2);

/// The program, at work on a scene.
pub(crate) fn started(brand: &Brand) -> Child {
    command(brand.folder.path())
        .args(["apply", "--yes", "--settle", "0.2", "--rps", "1000", "--max-deletes", "9"])
        .env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for something to be seen at the portal.
#[track_caller]
pub(crate) fn until(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came to that");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// `TERM` and the like.
pub(crate) fn send(signal: &str, child: &Child) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status().unwrap();
    assert!(sent.success());
}

/// When a write request is caught.
#[derive(Debug, Clone, Copy)]
enum Caught {
    /// It never has an effect.
    Lost,
    /// It has its effect when nobody waits for it any more.
    Late,
    /// It had its effect.
    Done,
}

/// Waits until the n-th write request is where it is to be caught.
fn catch(brand: &Brand, nth: usize, caught: Caught) {
    until(|| {
        let writes = brand.write_requests();
        match caught {
            Caught::Lost | Caught::Late => writes.len() >= nth,
            Caught::Done => writes.get(nth - 1).is_some_and(|write| write.wrote),
        }
    });
}

fn slowly(nth: usize, caught: Caught) -> Faults {
    let nth = When::Nth(u64::try_from(nth).unwrap());
    let faults = Faults::one(On::Write, nth, FaultAction::Delay(LAG));
    match caught {
        Caught::Lost => faults.and(On::Write, nth, FaultAction::DropBefore),
        Caught::Late | Caught::Done => faults,
    }
}

fn killed(nth: usize, caught: Caught) {
    let scene = scene();
    let before = Before::of(&scene.brand);
    scene.brand.fail(slowly(nth, caught));
    let mut child = started(&scene.brand);
    catch(&scene.brand, nth, caught);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
    // What is late comes while the next one settles.
    std::thread::sleep(LAG.saturating_sub(driver::SETTLE / 2));
    converges(&scene, &before, PutBack::Never);
}

fn ended(child: Child) -> Output {
    child.wait_with_output().unwrap()
}

/// Asked to end: what is in flight is settled, nothing more is sent, and the run is closed.
fn asked_to_end(signal: &str, nth: usize) {
    let scene = scene();
    let brand = &scene.brand;
    let before = Before::of(brand);
    brand.fail(slowly(nth, Caught::Late));
    let child = started(brand);
    catch(brand, nth, Caught::Late);
    // The creates may be several at once: all of them are in flight.
    std::thread::sleep(Duration::from_millis(30));
    let sent = brand.write_requests().len();
    send(signal, &child);
    let output = ended(child);
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(brand.write_requests().len(), sent, "more was sent after the signal");
    assert!(brand.write_requests().iter().all(|write| write.status == Some(200)), "an answer was not waited for");
    holds_now(brand, &scene.goal, &before, PutBack::Never);
    let missing: Vec<_> = ["icon/acme-r0", "icon/acme-r1", "logo/acme-r2", "logo/acme-r3"]
        .into_iter()
        .filter(|address| brand.image(address).is_none())
        .collect();
    assert!(missing.is_empty(), "left between delete and add: {missing:?}");
    let mut runs = runs::of_all_portals(&brand.path(".brandctl")).unwrap().into_iter();
    assert!(runs.all(|run| run.unwrap().state.ended.is_some()), "the run was left open");
    converges(&scene, &before, PutBack::Never);
}

/// Asked twice: it stops at once, without the answer that it waits for, and nothing is lost.
fn asked_twice(nth: usize) {
    let scene = scene();
    let brand = &scene.brand;
    let before = Before::of(brand);
    let answered = || brand.write_requests().get(nth - 1).is_some_and(|write| write.status.is_some());
    brand.fail(Faults::one(On::Write, When::Nth(u64::try_from(nth).unwrap()), FaultAction::Delay(LONG_LAG)));
    let child = started(brand);
    catch(brand, nth, Caught::Late);
    send("TERM", &child);
    std::thread::sleep(Duration::from_millis(30));
    send("INT", &child);
    let output = ended(child);
    assert_eq!(output.status.code(), Some(130));
    assert!(!answered(), "it did not stop at once");
    until(answered);
    converges(&scene, &before, PutBack::Never);
}

pub(crate) fn trials() -> Vec<Trial> {
    let scene = scene();
    driver::apply(&scene.brand, Strike::None).ends_with(0);
    let mut trials = Vec::new();
    for nth in 1..=scene.brand.write_requests().len() {
        for caught in [Caught::Lost, Caught::Late, Caught::Done] {
            let what = format!("write {nth}, {caught:?}");
            trials.push(trial("SIGKILL of the program", what, move || killed(nth, caught)));
        }
        for signal in ["TERM", "INT"] {
            let what = format!("write {nth}, {signal}");
            trials.push(trial("SIGTERM or Ctrl-C", what, move || asked_to_end(signal, nth)));
        }
        trials.push(trial("two signals", format!("write {nth}"), move || asked_twice(nth)));
    }
    trials
}

#[test]
fn a_command_that_only_reads_ends_at_once() {
    let scene = scene();
    scene.brand.fail(Faults::one(On::Any, When::Every, FaultAction::Delay(Duration::from_secs(10))));
    let child = command(scene.brand.folder.path())
        .arg("plan")
        .env("BITRIX24_WEBHOOK_URL", scene.brand.portal.admin_webhook())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until(|| !scene.brand.portal.requests().is_empty());
    send("TERM", &child);
    assert_eq!(ended(child).status.code(), Some(130));
    let requests = scene.brand.portal.requests();
    assert!(requests.iter().all(|request| request.status.is_none()), "it waited for an answer");
}
