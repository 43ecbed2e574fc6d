//! Taking up a saved plan that was cut short: as often as it is killed, and never once more; and putting back what a run
//! did, and nothing else.

use brandctl::domain::asset::Kind;
use brandctl::sandbox::faults::{Cut, FaultAction, Faults, On, When};

use std::process::Stdio;

use super::pitfalls::{done, killed_between, runs, work};
use super::processes::until;
use crate::common::{Brand, art, command};

/// Kills `apply PLAN` when the `nth` batch with an add was cut after that many commands and `when` holds.
fn killed_in(brand: &Brand, nth: u64, after: usize, when: impl Fn() -> bool) {
    brand.fail(Faults::one(On::Write, When::Nth(nth), FaultAction::CutBatch { after, answer: Cut::Close }));
    let mut child = command(brand.folder.path())
        .args(["apply", "plan.json", "--settle", "2"])
        .env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until(when);
    child.kill().unwrap();
    child.wait().unwrap();
    brand.fail(Faults::none());
}

#[test]
fn a_plan_that_is_killed_twice_is_taken_up_twice_and_then_never_again() {
    let brand = work();
    brand.save_plan();
    killed_between(&brand, &["apply", "plan.json", "--settle", "20"]);
    // The second life finishes the first pair, and dies when the second one is between delete and add.
    killed_in(&brand, 2, 1, || brand.image("icon/acme-b").is_none());
    assert_eq!(brand.image("icon/acme-a"), Some(art(Kind::Icon, 110)));
    brand.run(["apply", "plan.json", "--settle", "0.1"]).ends_with(0);
    done(&brand);
    brand.writing_nothing(|| {
        brand.both("apply plan.json").ends_with(5);
    });
    // Not even when somebody undid a part of it.
    brand.portal.remove(Kind::Icon, "acme-a").unwrap();
    brand.writing_nothing(|| {
        brand.both("apply plan.json").ends_with(5);
    });
}

#[test]
fn what_a_plan_deleted_before_it_was_cut_short_does_not_count_against_it() {
    // Ten of twenty may go. Six are gone when the run dies: ten of fourteen might not.
    let brand = Brand::new().declares("icon/acme-kept", 1);
    let mut brand = (0..20).fold(brand, |brand, number| brand.portal_has(&format!("icon/acme-{number:02}"), number));
    let kept: Vec<_> = (10..20).map(|number| format!("icon/acme-{number:02}")).collect();
    for (mark, address) in (10..).zip(&kept) {
        brand = brand.declares(address, mark);
    }
    brand.save_plan();
    killed_in(&brand, 2, 6, || brand.codes().len() <= 15);
    assert_eq!(brand.codes().len(), 15, "six are gone and one is new");
    brand.run(["apply", "plan.json", "--settle", "0.1"]).ends_with(0);
    assert_eq!(brand.codes().len(), 11);
    // The run that finished it has copies of what the one before it removed, too: its folder needs nothing outside it.
    let last = runs(&brand).pop().unwrap();
    brand.run(["restore", &last, "--yes", "--settle", "0.1"]).ends_with(0);
    assert_eq!(brand.codes().len(), 21);
    assert_eq!(brand.image("icon/acme-00"), Some(art(Kind::Icon, 0)));
}

#[test]
fn a_run_is_restored_only_where_it_changed_something() {
    let brand = Brand::new().declares("icon/acme-a", 1).declares("icon/acme-b", 2);
    brand.seed("icon/acme-a", &art(Kind::Icon, 11));
    brand.seed("icon/acme-b", &art(Kind::Icon, 12));
    let refuse = FaultAction::RefuseCommand {
        method: "*.delete".to_owned(),
        code: "INTERNAL".to_owned(),
        description: "no".to_owned(),
        status: 400,
    };
    brand.fail(Faults::one(On::Write, When::From(2), refuse));
    brand.json("apply --yes --settle 0.1").ends_with(3);
    brand.fail(Faults::none());
    let first = runs(&brand).remove(0);
    brand.json("apply --yes").ends_with(0);
    brand.run(["restore", &first, "--yes", "--settle", "0.1"]).ends_with(0);
    assert_eq!(brand.image("icon/acme-a"), Some(art(Kind::Icon, 11)), "it was replaced, and is back");
    assert_eq!(brand.image("icon/acme-b"), Some(art(Kind::Icon, 2)), "that run did not touch it");
}
