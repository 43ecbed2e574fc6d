//! A portal that takes batches and refuses their writes one by one inside the answer, from any point on: what was refused
//! so goes on in single calls, and no pair is left half done.

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};
use brandctl::sandbox::record::End;

use super::driver::{self, Moment, SETTLE, Strike};
use super::judge::{Before, PutBack, converges, holds_now};
use super::scene::{Scene, art, declare, declared, seed};
use super::trials::{self, Trial, trial};
use crate::common::{Brand, MANIFEST};

const REFUSED: &str = "ERROR_BATCH_METHOD_NOT_ALLOWED";

/// How many steps of each kind a plan has.
#[derive(Debug, Clone, Copy)]
struct Mix {
    creates: u8,
    replaces: u8,
    /// Renames by case.
    respelt: u8,
    deletes: u8,
}

const MIXES: [Mix; 8] = [
    Mix { creates: 1, replaces: 0, respelt: 0, deletes: 0 },
    Mix { creates: 13, replaces: 0, respelt: 0, deletes: 0 },
    Mix { creates: 0, replaces: 1, respelt: 0, deletes: 0 },
    Mix { creates: 0, replaces: 5, respelt: 0, deletes: 0 },
    Mix { creates: 0, replaces: 0, respelt: 3, deletes: 0 },
    Mix { creates: 0, replaces: 0, respelt: 0, deletes: 4 },
    Mix { creates: 2, replaces: 3, respelt: 1, deletes: 2 },
    Mix { creates: 11, replaces: 4, respelt: 2, deletes: 3 },
];

fn scene(mix: Mix) -> Scene {
    let brand = Brand::new().manifest(format!("{MANIFEST}policy: {{max_deletes: 10}}\n"));
    for number in 0..mix.creates {
        declare(&brand, &format!("icon/acme-new-{number:02}"), number);
    }
    for number in 0..mix.replaces {
        let address = format!("{}/acme-r{number}", if number % 2 == 0 { "icon" } else { "logo" });
        seed(&brand, &address, number + 40);
        declare(&brand, &address, number + 140);
    }
    for number in 0..mix.respelt {
        seed(&brand, &format!("icon/acme-Case-{number}"), number + 60);
        declare(&brand, &format!("icon/acme-case-{number}"), number + 160);
    }
    for number in 0..mix.deletes {
        seed(&brand, &format!("icon/acme-gone-{number}"), number + 80);
    }
    // Something that stays, so that no kind is empty.
    for kind in ["icon", "logo"] {
        seed(&brand, &format!("{kind}/acme-same"), 99);
        declare(&brand, &format!("{kind}/acme-same"), 99);
    }
    let goal = declared(&brand);
    Scene { brand, goal }
}

/// Which of the writes inside are refused.
fn refusals() -> [(&'static str, Option<&'static str>); 3] {
    [("adds and deletes", None), ("adds alone", Some("*.add")), ("deletes alone", Some("*.delete"))]
}

fn inside(method: Option<&str>, from: u64) -> Faults {
    let action = FaultAction::NotAllowedInside { method: method.map(str::to_owned) };
    Faults::one(On::Write, When::From(from), action)
}

/// Nothing else goes wrong: it ends right at the first go, and asks for no write in a batch once one was refused.
fn refused_from(mix: Mix, what: &str, method: Option<&'static str>, from: u64) -> Trial {
    trial("refused inside a batch", format!("{mix:?}, {what}, from write {from} on"), move || {
        let scene = scene(mix);
        let before = Before::of(&scene.brand);
        scene.brand.fail(inside(method, from));
        driver::apply(&scene.brand, Strike::None).ends_with(0);
        holds_now(&scene.brand, &scene.goal, &before, PutBack::Never);
        let live: Vec<_> = scene.brand.live();
        assert_eq!(live, scene.goal.clone().into_iter().collect::<Vec<_>>());
        let refused: Vec<_> = scene
            .brand
            .write_requests()
            .into_iter()
            .filter(|request| request.commands.iter().any(|command| command.end == End::Refused(REFUSED.to_owned())))
            .collect();
        // Batches that are in flight together may be refused together; pairs are not.
        let most = if mix.creates > 10 || mix.deletes > 10 { 2 } else { 1 };
        assert!(refused.len() <= most, "{} batches were refused", refused.len());
        pairs_are_adjacent(&scene.brand);
    })
}

/// The add that follows a delete which took effect is the next write of all.
fn pairs_are_adjacent(brand: &Brand) {
    let done: Vec<_> = brand
        .write_requests()
        .into_iter()
        .flat_map(|request| request.commands)
        .filter(|command| command.end == End::Done)
        .collect();
    for (at, command) in done.iter().enumerate() {
        let code = command.code.clone().unwrap();
        if command.method.ends_with(".delete") && !code.starts_with("acme-gone") {
            let next = done.get(at + 1).unwrap();
            assert!(next.method.ends_with(".add"), "{code} waited for {next:?}");
            assert_eq!(next.code.as_ref().unwrap().to_lowercase(), code.to_lowercase());
        }
    }
}

/// Beside it, one single call goes wrong.
fn and_one_is_lost(mix: Mix, method: Option<&'static str>, nth: u64, how: &'static str, action: FaultAction) -> Trial {
    trial(
        "refused inside a batch, one single call lost",
        format!("{mix:?}, {method:?}, {how}, write {nth}"),
        move || {
            let scene = scene(mix);
            let before = Before::of(&scene.brand);
            let mut faults = inside(method, 1);
            if action == FaultAction::DropDuring {
                faults = faults.and(On::Write, When::Nth(nth), FaultAction::Delay(SETTLE / 3));
            }
            scene.brand.fail(faults.and(On::Write, When::Nth(nth), action));
            driver::apply(&scene.brand, Strike::None);
            converges(&scene, &before, PutBack::Never);
        },
    )
}

/// A kill at each request and journal write of such a run.
fn and_killed(strike: Strike) -> Trial {
    trial("refused inside a batch, killed", format!("{strike:?}"), move || {
        let scene = scene(MIXES[6]);
        let before = Before::of(&scene.brand);
        scene.brand.fail(inside(None, 1));
        driver::apply(&scene.brand, strike);
        converges(&scene, &before, PutBack::Never);
    })
}

fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for mix in MIXES {
        for (what, method) in refusals() {
            for from in 1..=4 {
                trials.push(refused_from(mix, what, method, from));
            }
        }
    }
    let lost = [
        ("dropped before", FaultAction::DropBefore),
        ("dropped after", FaultAction::DropAfter),
        ("goes on", FaultAction::DropDuring),
        ("HTML after", FaultAction::HtmlAfter(502)),
    ];
    for (_, method) in refusals() {
        for nth in 2..=12 {
            for (how, action) in lost.clone() {
                trials.push(and_one_is_lost(MIXES[6], method, nth, how, action));
            }
        }
    }
    for nth in 1..=24 {
        for moment in [Moment::Before, Moment::After] {
            trials.push(and_killed(Strike::Request(nth, moment)));
            trials.push(and_killed(Strike::Journal(nth, moment)));
        }
    }
    trials
}

#[test]
fn writes_that_are_refused_inside_a_batch_go_on_as_single_calls() {
    let trials = trials();
    assert!(trials.len() > 100, "only {} faults", trials.len());
    trials::run(trials);
}

/// Reads are not affected: they go on in batches.
#[test]
fn reads_go_on_in_batches() {
    let scene = scene(MIXES[6]);
    scene.brand.fail(inside(None, 1));
    driver::apply(&scene.brand, Strike::None).ends_with(0);
    let requests = scene.brand.portal.requests();
    let first = requests.iter().position(|request| request.would_write()).unwrap();
    let single = |method: &str| requests.iter().any(|request| request.method == method);
    assert!(!single("crm.timeline.icon.list") && !single("crm.timeline.icon.get"));
    assert!(requests[first + 1..].iter().any(|request| request.method == "batch" && !request.would_write()));
    assert_eq!(scene.brand.image("icon/acme-r0"), Some(art(Kind::Icon, 140)));
}
