//! Every request of an apply, and every item of its batches, each as the one with which the portal goes wrong.

use std::time::Duration;

use brandctl::sandbox::faults::{Cut, FaultAction, On, When};
use brandctl::sandbox::{Faults, Recorded};

use super::driver::{self, Strike};
use super::judge::{Before, PutBack, converges};
use super::scene::scene;
use super::trials::{self, Trial, trial};
use super::{edits, kills, late, processes};

/// The requests of an apply that goes well.
fn requests(faults: Faults) -> Vec<Recorded> {
    let scene = scene();
    scene.brand.fail(faults);
    driver::apply(&scene.brand, Strike::None).ends_with(0);
    scene.brand.portal.requests()
}

fn fails(class: &'static str, what: String, faults: Faults, put_back: PutBack) -> Trial {
    trial(class, what, move || {
        let scene = scene();
        let before = Before::of(&scene.brand);
        scene.brand.fail(faults);
        driver::apply(&scene.brand, Strike::None);
        converges(&scene, &before, put_back);
    })
}

/// The portal refuses the same call again and again until the time is up: as little time as another apply needs.
fn fails_until_the_time_is_up(class: &'static str, what: String, faults: Faults) -> Trial {
    trial(class, what, move || {
        let scene = scene();
        let before = Before::of(&scene.brand);
        scene.brand.fail(faults);
        driver::apply_within(&scene.brand, Duration::from_secs(12));
        converges(&scene, &before, PutBack::Allowed);
    })
}

fn says(code: u16, error: &str) -> FaultAction {
    FaultAction::Status {
        code,
        body: format!("{{\"error\":\"{error}\",\"error_description\":\"no\"}}"),
        content_type: "application/json".to_owned(),
    }
}

fn says_after(code: u16, error: &str) -> FaultAction {
    match says(code, error) {
        FaultAction::Status { code, body, content_type } => FaultAction::StatusAfter { code, body, content_type },
        other => other,
    }
}

/// What can go wrong with one request.
fn actions() -> Vec<(&'static str, FaultAction)> {
    vec![
        ("connection dropped before the effect", FaultAction::DropBefore),
        ("connection dropped after the effect", FaultAction::DropAfter),
        ("500 before the effect", says(500, "INTERNAL_SERVER_ERROR")),
        ("500 after the effect", says_after(500, "INTERNAL_SERVER_ERROR")),
        ("503 QUERY_LIMIT_EXCEEDED", FaultAction::RateLimited(1)),
        ("429 OPERATION_TIME_LIMIT", says(429, "OPERATION_TIME_LIMIT")),
        ("HTML before the effect", FaultAction::Html(502)),
        ("HTML after the effect", FaultAction::HtmlAfter(502)),
        ("HTML under 200 before the effect", FaultAction::Html(200)),
        ("empty answer", FaultAction::EmptyBody),
        ("truncated answer", FaultAction::TruncateBody(40)),
        ("torn answer", FaultAction::TearBody(40)),
    ]
}

fn refuse(method: &str, code: &str, description: &str) -> FaultAction {
    FaultAction::RefuseCommand {
        method: method.to_owned(),
        code: code.to_owned(),
        description: description.to_owned(),
        status: if code == "INTERNAL_SERVER_ERROR" { 500 } else { 400 },
    }
}

/// The client is cut off at once, and the portal goes on all the same, after a while.
fn during(faults: Faults, nth: u64) -> Faults {
    let lag = FaultAction::Delay(Duration::from_millis(40));
    faults.and(On::Write, When::Nth(nth), FaultAction::DropDuring).and(On::Write, When::Nth(nth), lag)
}

fn trials() -> Vec<Trial> {
    let requests = requests(Faults::none());
    let mut trials = Vec::new();
    for (nth, request) in (1..).zip(&requests) {
        for (class, action) in actions() {
            // What has no effect has no after.
            if class.contains("after the effect") && !request.would_write() {
                continue;
            }
            let what = format!("request {nth} ({})", request.method);
            trials.push(fails(class, what, Faults::one(On::Any, When::Nth(nth), action), PutBack::Never));
        }
    }
    for (nth, request) in (1..).zip(requests.iter().filter(|request| request.would_write())) {
        let at = format!("write {nth}");
        trials.push(fails(
            "connection dropped, the portal goes on",
            at.clone(),
            during(Faults::none(), nth),
            PutBack::Never,
        ));
        for after in 0..request.commands.len() {
            for (class, answer) in
                [("batch cut, connection closed", Cut::Close), ("batch cut, an answer for what was done", Cut::Partial)]
            {
                let cut = Faults::one(On::Write, When::Nth(nth), FaultAction::CutBatch { after, answer });
                trials.push(fails(class, format!("{at} after {after} items"), cut, PutBack::Never));
            }
        }
        for (code, description) in [
            ("BX_INVALID_VALUE", "it is reserved word and cannot be used"),
            ("0", "Code must be unique"),
            ("", "no"),
            ("FILE_SAVE_ERROR", "File not saved"),
            ("ACCESS_DENIED", "Access denied"),
            ("INTERNAL_SERVER_ERROR", "Internal server error"),
            ("QUERY_LIMIT_EXCEEDED", "Too many requests"),
            ("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit."),
        ] {
            for method in ["*.add", "*.delete"] {
                let refusing = Faults::one(On::Write, When::Nth(nth), refuse(method, code, description));
                let class = if method == "*.add" {
                    "every add refused from there on"
                } else {
                    "every delete refused from there on"
                };
                // The image of a replace is waited for past the end then: see `allowance`, where the limit ends.
                if (method, code) == ("*.add", "OPERATION_TIME_LIMIT") {
                    continue;
                }
                let what = format!("{at}, {code:?}");
                trials.push(if code == "OPERATION_TIME_LIMIT" {
                    fails_until_the_time_is_up(class, what, refusing.clone())
                } else {
                    fails(class, what, refusing.clone(), PutBack::Allowed)
                });
                // Of these, one of each class is enough.
                if !["BX_INVALID_VALUE", "INTERNAL_SERVER_ERROR", "QUERY_LIMIT_EXCEEDED"].contains(&code) {
                    continue;
                }
                let singly = refusing.and(On::Write, When::Every, FaultAction::NotAllowedInBatch);
                let class = "every add or delete refused, no batches";
                let what = format!("{at}, {method} {code:?}");
                trials.push(if code == "QUERY_LIMIT_EXCEEDED" {
                    fails_until_the_time_is_up(class, what, singly)
                } else {
                    fails(class, what, singly, PutBack::Allowed)
                });
            }
        }
        let alone = Faults::one(On::Write, When::From(nth), FaultAction::NotAllowedInBatch);
        trials.push(fails("no batches from there on", at, alone, PutBack::Never));
    }
    trials.extend(singly());
    trials
}

/// The same, on a portal that takes no writes in batches.
fn singly() -> Vec<Trial> {
    let alone = Faults::one(On::Write, When::Every, FaultAction::NotAllowedInBatch);
    let writes = requests(alone.clone()).into_iter().filter(Recorded::would_write).count();
    let mut trials = Vec::new();
    for nth in 1..=u64::try_from(writes).unwrap() {
        for (what, action) in [
            ("dropped before", FaultAction::DropBefore),
            ("dropped after", FaultAction::DropAfter),
            ("500", says(500, "INTERNAL_SERVER_ERROR")),
            ("500 after", says_after(500, "INTERNAL_SERVER_ERROR")),
            ("truncated", FaultAction::TruncateBody(40)),
        ] {
            let faults = alone.clone().and(On::Write, When::Nth(nth), action);
            trials.push(fails("one call of many goes wrong", format!("{what}, write {nth}"), faults, PutBack::Never));
        }
        let lost = during(alone.clone(), nth);
        trials.push(fails("one call of many goes wrong", format!("goes on, write {nth}"), lost, PutBack::Never));
    }
    trials
}

#[test]
fn every_fault_at_every_point_is_survived() {
    let mut all = kills::trials();
    all.extend(edits::trials());
    all.extend(late::trials());
    all.extend(trials());
    all.extend(processes::trials());
    assert!(all.len() > 300, "only {} faults", all.len());
    trials::run(all);
}
