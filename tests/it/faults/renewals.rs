//! Renewals of an application's tokens, cut into at every step: the file holds a pair that is good for the next command,
//! unless the program was killed between the server's new pair and the disk.

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};

use super::processes::{send, until};
use super::trials::{self, Trial, trial};
use crate::common::{Brand, art, may_mount, tokens_of};

/// How long a server takes to answer, where it is caught at that.
const LAG: Duration = Duration::from_secs(1);
/// Longer than `--timeout` is in these trials.
const LONG_LAG: Duration = Duration::from_secs(3);
/// The time between two signals.
const GAP: Duration = Duration::from_millis(40);

/// The step of a renewal at which something happens to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The portal has not said yet that the token expired.
    Before,
    /// The token server has the refresh token, and has not answered.
    Waiting,
    /// The token server has answered so many milliseconds ago: the pair is read, stored or used.
    Answered(u64),
}

/// What happens to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Signal(&'static str),
    Signals(&'static str, &'static str),
    /// `--timeout` is over.
    TimeUp,
    Kill,
}

/// Where the token file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a folder, where it can be replaced.
    Folder,
    /// Mounted alone, so that its name cannot be given to another file.
    MountedAlone,
}

/// One create, one replace, one delete, for an application.
fn work(place: Place) -> Brand {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 9);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
    let file = brand.portal.oauth_file();
    let brand = brand.with_tokens(file);
    if place == Place::MountedAlone { brand.mounting_tokens("rw") } else { brand }
}

fn started(brand: &Brand, line: &str) -> Child {
    brand
        .command()
        .args(line.split(' '))
        .env("BITRIX24_OAUTH_FILE", brand.portal.oauth_file())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn lag(on: On, when: When) -> Faults {
    Faults::one(on, when, FaultAction::Delay(LAG))
}

fn token_server() -> On {
    On::Method("oauth/token".to_owned())
}

fn is_at(brand: &Brand, step: Step) -> bool {
    let requests = brand.portal.requests();
    let mut renewals = requests.iter().filter(|request| request.method == "oauth/token");
    match step {
        Step::Before => !requests.is_empty(),
        Step::Waiting => renewals.next().is_some(),
        Step::Answered(_) => renewals.any(|renewal| renewal.status.is_some()),
    }
}

/// Lets `event` happen to the program, and waits for its end.
fn strike(mut child: Child, event: Event) -> Output {
    match event {
        Event::Signal(signal) => send(signal, &child),
        Event::Signals(first, second) => {
            send(first, &child);
            std::thread::sleep(GAP);
            // It may have ended already.
            drop(Command::new("kill").arg(format!("-{second}")).arg(child.id().to_string()).output());
        }
        Event::TimeUp => {}
        Event::Kill => child.kill().unwrap(),
    }
    child.wait_with_output().unwrap()
}

/// The file holds a whole pair, which the next command can use; only a kill may have lost the new one.
fn is_left_well(brand: &Brand, old: &[String], event: Event, output: &Output) {
    let file = brand.portal.oauth_file();
    let new = tokens_of(&file);
    assert_eq!(new.len(), 3, "the file is torn: {}", fs::read_to_string(&file).unwrap());
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(old.iter().chain(&new).all(|secret| !told.contains(secret)), "{told}");
    brand.fail(Faults::none());
    // What the server still has to do for a program that was killed.
    if event == Event::Kill {
        until(|| {
            brand.portal.requests().iter().all(|request| request.method != "oauth/token" || request.status.is_some())
        });
    } else {
        let names: Vec<_> = fs::read_dir(brand.data.path()).unwrap().map(|item| item.unwrap().file_name()).collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{names:?}");
    }
    let renewed = brand.portal.refreshes() > 0;
    if event == Event::Kill && renewed && new == old {
        brand.portal.expire_access_tokens();
        let refused = brand.run(["list"]).ends_with(1);
        assert!(refused.stderr.contains("invalid_grant") && refused.stderr.contains("authorised"), "{refused:?}");
        return;
    }
    assert_eq!(renewed, new[0] != old[0] && new[1] != old[1], "the pair of the server is not the file's: {told}");
    // Whatever the command was about to write may still be carried out; that is not the matter here.
    brand.run(["list", "--settle", "0.001"]);
    brand.run(["list", "--settle", "0.001"]).ends_with(0);
    assert_eq!(brand.portal.refreshes(), 1);
}

fn cut(line: &str, step: Step, event: Event, place: Place) {
    let brand = work(place);
    let old = tokens_of(&brand.portal.oauth_file());
    brand.portal.expire_access_tokens();
    match step {
        Step::Before => brand.fail(lag(On::Any, When::Nth(1))),
        Step::Waiting if event == Event::TimeUp => {
            brand.fail(Faults::one(token_server(), When::Every, FaultAction::Delay(LONG_LAG)));
        }
        Step::Waiting => brand.fail(lag(token_server(), When::Every)),
        Step::Answered(_) => {}
    }
    let limited = if event == Event::TimeUp { format!("{line} --timeout 2") } else { line.to_owned() };
    let child = started(&brand, &limited);
    until(|| is_at(&brand, step));
    if let Step::Answered(later) = step {
        std::thread::sleep(Duration::from_millis(later));
    }
    let output = strike(child, event);
    let told = String::from_utf8_lossy(&output.stderr);
    match (event, step) {
        (Event::Kill, _) => {}
        (Event::TimeUp, _) => assert_eq!(output.status.code(), Some(1), "{told}"),
        // It may have been done before the signal came.
        (_, Step::Answered(_)) => assert!(output.status.code().is_some(), "{told}"),
        _ => assert_eq!(output.status.code(), Some(130), "{told}"),
    }
    if event != Event::Kill && step == Step::Waiting {
        assert_eq!(brand.portal.refreshes(), 1, "it was not waited for: {told}");
    }
    is_left_well(&brand, &old, event, &output);
}

/// It is a write that finds out that the token expired: what was begun is finished, or found out by the next apply.
fn cut_while_writing(nth: u64, event: Event) {
    let brand = work(Place::Folder);
    let old = tokens_of(&brand.portal.oauth_file());
    let faults = Faults::one(On::Write, When::Nth(nth), FaultAction::ExpiredToken);
    brand.fail(faults.and(token_server(), When::Every, FaultAction::Delay(LAG)));
    let child = started(&brand, "apply --yes --settle 0.1");
    until(|| is_at(&brand, Step::Waiting));
    let output = strike(child, event);
    is_left_well(&brand, &old, event, &output);
    if tokens_of(&brand.portal.oauth_file()) != old {
        brand.apply().ends_with(0);
        assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-02", "icon/acme-new"]);
        assert_eq!(brand.plan().ends_with(0).changes(), [""; 0]);
    }
}

const LINES: [&str; 9] = [
    "list",
    "plan",
    "drift",
    "doctor",
    "log list --entity deal:12",
    "log add --entity deal:12 --title Sent --text here --icon info",
    "apply --yes --settle 0.1",
    "export out",
    "init new --from-portal --ci none",
];

const EVENTS: [Event; 5] = [
    Event::Signal("TERM"),
    Event::Signal("INT"),
    Event::Signals("TERM", "INT"),
    Event::Signals("INT", "INT"),
    Event::Kill,
];

fn class(event: Event) -> &'static str {
    match event {
        Event::Signal(_) => "a signal in a renewal",
        Event::Signals(..) => "two signals in a renewal",
        Event::TimeUp => "--timeout over in a renewal",
        Event::Kill => "SIGKILL in a renewal",
    }
}

fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut one = |line: &'static str, step, event, place| {
        let what = format!("{line}, {step:?}, {event:?}, {place:?}");
        trials.push(trial(class(event), what, move || cut(line, step, event, place)));
    };
    for line in LINES {
        for event in EVENTS {
            for step in [Step::Before, Step::Waiting, Step::Answered(0)] {
                one(line, step, event, Place::Folder);
                if may_mount() && ["list", "apply --yes --settle 0.1"].contains(&line) {
                    one(line, step, event, Place::MountedAlone);
                }
            }
        }
        for later in 1..=4 {
            one(line, Step::Answered(later), Event::Kill, Place::Folder);
            if may_mount() {
                one(line, Step::Answered(later), Event::Kill, Place::MountedAlone);
            }
        }
        one(line, Step::Waiting, Event::TimeUp, Place::Folder);
    }
    for nth in 1..=2 {
        for event in EVENTS {
            let what = format!("write {nth}, {event:?}");
            trials.push(trial("a renewal cut while writing", what, move || cut_while_writing(nth, event)));
        }
    }
    trials
}

#[test]
fn a_renewal_that_is_cut_into_loses_no_token() {
    let all = trials();
    assert!(all.len() >= 60, "only {} trials", all.len());
    trials::run(all);
}
