//! The time that a portal gives each method, used up at every pair: before it, between its delete and its add, and again
//! after a wait. No code is left without an image.

use std::collections::BTreeSet;
#[cfg(unix)]
use std::process::Stdio;
use std::time::Duration;
#[cfg(unix)]
use std::time::Instant;

use brandctl::sandbox::faults::{FaultAction, On, When};
use brandctl::sandbox::record::End;
use brandctl::sandbox::{Costly, Faults, Operating};

use super::driver::{self, Life, Strike};
use super::judge::{Before, PutBack, converges, holds_now};
use super::scene::{Scene, declare, declared, folded, seed};
use super::trials::{self, Trial, trial};
#[cfg(unix)]
use crate::common::command;
use crate::common::{Brand, MANIFEST};

const USED_UP: &str = "OPERATION_TIME_LIMIT";
const ADD: &str = "crm.timeline.icon.add";
const DELETE: &str = "crm.timeline.icon.delete";

/// How many pairs each plan has.
const PAIRS: u8 = 5;

/// A portal with this limit, and icons to create and to replace, the last of them renamed by case.
fn scene(creates: u8, pairs: u8, operating: Operating) -> Scene {
    let brand = Brand::on(|options| options.operating = Some(operating)).manifest(MANIFEST);
    for number in 0..creates {
        declare(&brand, &format!("icon/acme-new-{number}"), number);
    }
    for number in 0..pairs {
        let address = format!("icon/acme-r{number}");
        let spelt = if number + 1 == PAIRS { address.replace("-r", "-R") } else { address.clone() };
        seed(&brand, &spelt, number + 40);
        declare(&brand, &address, number + 140);
    }
    seed(&brand, "logo/acme-same", 99);
    declare(&brand, "logo/acme-same", 99);
    let goal = declared(&brand);
    Scene { brand, goal }
}

/// A method that writes may be called so often in two seconds.
fn calls(count: u8, limit: u64) -> Operating {
    let limit = Duration::from_secs(limit);
    Operating {
        limit,
        window: Duration::from_secs(2),
        parts: 1,
        cost: limit / u32::from(count),
        costly: Costly::Writes,
    }
}

/// Whether the portal takes writes in batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Batch,
    Single,
}

const FORMS: [Form; 2] = [Form::Batch, Form::Single];

impl Form {
    fn faults(self) -> Faults {
        match self {
            Self::Batch => Faults::none(),
            Self::Single => Faults::one(On::Write, When::Every, FaultAction::NotAllowedInBatch),
        }
    }
}

/// Which writes the portal refused for want of time.
fn refused(brand: &Brand) -> Vec<String> {
    let commands = brand.portal.requests().into_iter().flat_map(|request| request.commands);
    let refused = commands.filter(|command| command.end == End::Refused(USED_UP.to_owned()));
    refused.map(|command| command.method).filter(|method| [ADD, DELETE].contains(&method.as_str())).collect()
}

/// It ends with what is declared at the first go.
#[track_caller]
fn ends_well(scene: &Scene, before: &Before) {
    driver::apply(&scene.brand, Strike::None).ends_with(0);
    holds_now(&scene.brand, &scene.goal, before, PutBack::Never);
    assert_eq!(scene.brand.live(), scene.goal.clone().into_iter().collect::<Vec<_>>());
}

/// No code that had an image is without one.
#[track_caller]
fn nothing_is_missing(brand: &Brand, had: &[String]) {
    let live: BTreeSet<_> = brand.codes().iter().map(|address| folded(address)).collect();
    let missing: Vec<_> = had.iter().filter(|address| !live.contains(&folded(address))).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
}

/// The limit is far below what is assumed: it is found out by refusals, of the delete or of the add, at this very pair.
fn unknown_limit(creates: u8, count: u8, form: Form) -> Trial {
    let at = count - creates + 1;
    let half = if creates == 0 { "before its delete" } else { "between its delete and its add" };
    let what = format!("pair {at} of {PAIRS}, {half}, {creates} creates, {form:?}");
    trial("allowance used up, the limit not known", what, move || {
        let scene = scene(creates, PAIRS, calls(count, u64::from(count)));
        let before = Before::of(&scene.brand);
        scene.brand.fail(form.faults());
        ends_well(&scene, &before);
        let half = if creates == 0 { DELETE } else { ADD };
        assert_eq!(refused(&scene.brand).first().map(String::as_str), Some(half), "it was to be refused there");
    })
}

/// The limit is what is assumed, and the creates have shown what an add costs: nothing is refused at all.
fn known_limit(creates: u8, count: u8, form: Form) -> Trial {
    trial("allowance held before a pair", format!("{creates} creates, {count} calls, {form:?}"), move || {
        let scene = scene(creates, PAIRS, calls(count, 420));
        let before = Before::of(&scene.brand);
        scene.brand.fail(form.faults());
        ends_well(&scene, &before);
        assert_eq!(refused(&scene.brand), [""; 0], "a write was refused");
    })
}

/// What others used is free again in two parts: after the first there is still too little.
fn one_wait_is_not_enough(method: &'static str, creates: u8, free: [u64; 2], form: Form) -> Trial {
    let what = format!("{method}, {creates} creates, free after {free:?} s, {form:?}");
    trial("one wait is not enough", what, move || {
        let scene = scene(creates, PAIRS, Operating::default());
        let before = Before::of(&scene.brand);
        scene.brand.fail(form.faults());
        // A create before the pairs must pass, and tells how much is used.
        let told = method == ADD && creates > 0;
        let used = if told { [0.1, 479.4] } else { [20.0, 480.0] };
        for (used, free) in used.into_iter().zip(free) {
            scene.brand.portal.spend_method_time(method, used, Duration::from_secs(free));
        }
        ends_well(&scene, &before);
        if told {
            assert_eq!(refused(&scene.brand), [""; 0], "the create had told");
        } else {
            assert!(refused(&scene.brand).len() > 1, "one wait was enough");
        }
    })
}

/// The reset comes after the command's end: it stops before the pair.
fn too_little_time(creates: u8, count: u8, form: Form) -> Trial {
    trial("too little time for the reset", format!("{creates} creates, {count} calls, {form:?}"), move || {
        let operating = Operating { window: Duration::from_secs(300), ..calls(count, 420) };
        let scene = scene(creates, PAIRS, operating);
        let before = Before::of(&scene.brand);
        let had = scene.brand.codes();
        scene.brand.fail(form.faults());
        let life = driver::apply(&scene.brand, Strike::None).ends_with(3);
        holds_now(&scene.brand, &scene.goal, &before, PutBack::Never);
        nothing_is_missing(&scene.brand, &had);
        assert_eq!(refused(&scene.brand), [""; 0], "a write was refused");
        let why = reasons(&life);
        let names = |why: &String| why.contains(ADD) && why.contains("allowance") && why.contains("resets in ");
        assert!(!why.is_empty() && why.iter().all(names), "{why:?}");
    })
}

/// Why steps were not applied.
fn reasons(life: &Life) -> Vec<String> {
    life.report.run.as_ref().unwrap().steps.values().filter_map(|step| step.why.clone()).collect()
}

/// The command's time, when it is to be over before the reset.
const SHORT: Duration = Duration::from_secs(4);

/// The add of a pair is refused and its reset comes after the command's end: it is waited for all the same. Nothing else
/// is sent any more.
fn past_the_end(form: Form, free: u64) -> Trial {
    trial("an image is waited for past --timeout", format!("{form:?}, free after {free} s"), move || {
        let scene = scene(0, PAIRS, Operating::default());
        let before = Before::of(&scene.brand);
        let had = scene.brand.codes();
        scene.brand.fail(form.faults());
        scene.brand.portal.spend_method_time(ADD, 480.0, Duration::from_secs(free));
        let life = driver::apply_within(&scene.brand, SHORT).ends_with(3);
        nothing_is_missing(&scene.brand, &had);
        holds_now(&scene.brand, &scene.goal, &before, PutBack::Never);
        assert!(refused(&scene.brand).len() > 1);
        assert_eq!(life.report.run.as_ref().unwrap().steps.values().filter(|step| step.wrote).count(), 1);
        converges(&scene, &before, PutBack::Never);
    })
}

/// The new image was refused, and the old one finds no allowance before the command's end.
fn put_back_past_the_end(free: u64) -> Trial {
    trial("an old image is put back past --timeout", format!("free after {free} s"), move || {
        let scene = scene(0, PAIRS, Operating::default());
        let before = Before::of(&scene.brand);
        let live = scene.brand.live();
        // The batch is the first request that adds, then comes the add of the pair, then the old image.
        let no = FaultAction::Status {
            code: 400,
            body: "{\"error\":\"FILE_SAVE_ERROR\",\"error_description\":\"File not saved\"}".to_owned(),
            content_type: "application/json".to_owned(),
        };
        scene.brand.fail(Form::Single.faults().and(On::Method(ADD.to_owned()), When::Nth(2), no));
        scene.brand.portal.spend_method_time(ADD, 480.0, Duration::from_secs(free));
        let life = driver::apply_within(&scene.brand, SHORT).ends_with(3);
        assert_eq!(scene.brand.live(), live, "{:?}", reasons(&life));
        assert!(refused(&scene.brand).len() > 1);
        converges(&scene, &before, PutBack::Allowed);
    })
}

fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for form in FORMS {
        for creates in 0..=3 {
            for at in 1..=PAIRS {
                // That many calls are allowed before the one that is refused.
                let count = if creates == 0 { at - 1 } else { creates + at - 1 };
                if count > 0 {
                    trials.push(unknown_limit(creates, count, form));
                }
            }
        }
        for creates in 2..=4 {
            for count in 5..=8 {
                trials.push(known_limit(creates, count, form));
                trials.push(too_little_time(creates, count, form));
            }
        }
        for method in [ADD, DELETE] {
            for free in [[1, 6], [2, 7], [2, 9]] {
                for creates in 0..=1 {
                    trials.push(one_wait_is_not_enough(method, creates, free, form));
                }
            }
        }
        for free in [6, 8] {
            trials.push(past_the_end(form, free));
        }
    }
    trials.extend([6, 8].map(put_back_past_the_end));
    trials
}

#[test]
fn the_allowance_runs_out_at_every_pair() {
    let trials = trials();
    assert!(trials.len() > 100, "only {} faults", trials.len());
    trials::run(trials);
}

/// The program itself, told to end within so many seconds.
#[cfg(unix)]
fn started(brand: &Brand, timeout: u32) -> std::process::Child {
    command(brand.folder.path())
        .args(["apply", "--yes", "--settle", "0.1", "--timeout", &timeout.to_string()])
        .env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[cfg(unix)]
fn interrupt(child: &std::process::Child) {
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

#[cfg(unix)]
#[track_caller]
fn until(what: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(30);
    while !what() {
        assert!(Instant::now() < patience, "it did not come to that");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_image_that_is_waited_for_past_the_time_is_told_by_its_code() {
    let scene = scene(0, 1, Operating::default());
    scene.brand.portal.spend_method_time(ADD, 480.0, Duration::from_secs(7));
    let output = scene.brand.run(["apply", "--yes", "--settle", "0.1", "--timeout", "4"]).ends_with(0);
    let told = "warning: the portal's time allowance for crm.timeline.icon.add is used up: the image of icon/acme-r0 is sent \
                again in ";
    let line = output.stderr.lines().find_map(|line| line.strip_prefix(told)).unwrap_or_else(|| panic!("{output:?}"));
    assert!(line.ends_with(" s, after the time of --timeout"), "{line}");
    assert_eq!(scene.brand.live(), scene.goal.into_iter().collect::<Vec<_>>());
}

#[test]
fn a_reset_that_comes_too_late_is_the_reason_of_what_was_skipped() {
    let scene = scene(1, 3, Operating::default());
    scene.brand.portal.spend_method_time(ADD, 470.0, Duration::from_secs(300));
    let output = scene.brand.json("apply --yes --settle 0.1 --timeout 60").ends_with(3);
    assert_eq!((output.count("applied"), output.count("skipped")), (1, 3), "{:?}", output.fates());
    let why = output.json["changes"][1]["why"].as_str().unwrap();
    assert!(why.contains("for crm.timeline.icon.add may not last for another replace and resets in "), "{why}");
    assert!(output.text().contains("resets in "), "{}", output.text());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_wait_before_a_pair() {
    let scene = scene(1, 3, Operating::default());
    let had = scene.brand.codes();
    scene.brand.portal.spend_method_time(ADD, 470.0, Duration::from_secs(100));
    let child = started(&scene.brand, 600);
    until(|| scene.brand.image("icon/acme-new-0").is_some());
    interrupt(&child);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    nothing_is_missing(&scene.brand, &had);
    assert_eq!(scene.brand.write_requests().len(), 1, "only the create was sent");
}

#[cfg(unix)]
#[test]
fn the_second_ctrl_c_ends_the_wait_for_an_image_at_once() {
    let scene = scene(0, 2, Operating::default());
    scene.brand.portal.spend_method_time(ADD, 480.0, Duration::from_secs(15));
    let child = started(&scene.brand, 4);
    until(|| refused(&scene.brand).len() > 1);
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(scene.brand.image("icon/acme-r0"), None, "it waited all the same");
    // An apply that finds time on the portal adds it.
    until(|| scene.brand.apply_with("--timeout 20").code == 0);
    assert_eq!(scene.brand.live(), scene.goal.into_iter().collect::<Vec<_>>());
}
