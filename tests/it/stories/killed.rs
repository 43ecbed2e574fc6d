//! A CI run is killed half-way.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Latency;

use super::people::{Portal, Team, copy};
use crate::common::art;

const ICONS: u8 = 8;

fn icon(number: u8) -> String {
    format!("icon/acme-{number}")
}

/// Eight icons to replace, on a portal slow enough to be killed in between; the run was.
fn killed() -> (Portal, Team) {
    let latency = Latency { per_request: Duration::from_millis(5), per_command: Duration::from_millis(120) };
    let portal = Portal::slow(latency);
    let team = Team::that_owns("acme-", &portal);
    for number in 0..ICONS {
        portal.gets(&icon(number), &art(Kind::Icon, number));
        team.draws(&icon(number), 100 + number);
    }
    team.commits("All anew");
    let mut run = team.command("apply --yes --settle 0.1").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_new = |(address, png): (&String, &Vec<u8>)| {
        let number: u8 = address.trim_start_matches("icon/acme-").parse().unwrap();
        *png == art(Kind::Icon, 100 + number)
    };
    // As soon as anything is new.
    while portal.holds().iter().filter(|entry| is_new(*entry)).count() == 0 {
        assert!(run.try_wait().unwrap().is_none(), "it ended before anything was new");
        std::thread::sleep(Duration::from_millis(2));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    // The portal goes on with a batch whose client is gone.
    let mut seen = BTreeMap::new();
    while seen != portal.holds() {
        seen = portal.holds();
        std::thread::sleep(Duration::from_millis(600));
    }
    (portal, team)
}

/// What everybody wants in the end.
fn is_as_declared(portal: &Portal) {
    let wanted: BTreeMap<_, _> = (0..ICONS).map(|number| (icon(number), art(Kind::Icon, 100 + number))).collect();
    assert_eq!(portal.holds(), wanted);
}

#[test]
fn a_new_machine_finishes_what_was_begun() {
    let (portal, team) = killed();
    let fresh = Team::clone_of(&team, Some(portal.administrator()));
    let left = fresh.plans().changes().len();
    assert!(left < usize::from(ICONS), "the killed run had done something");
    fresh.applies().ends(0);
    is_as_declared(&portal);
    fresh.runs("drift").ends(0);
}

#[test]
fn the_same_machine_says_what_the_killed_run_had_done() {
    let (portal, team) = killed();
    team.runs("plan --settle 0.1").ends(0).says("was cut short");
    // It was settled and closed: it is not reported again.
    let again = team.runs("plan --settle 0.1").ends(0);
    assert!(!again.err.contains("was cut short"), "{}", again.err);
    team.applies().ends(0);
    is_as_declared(&portal);
    team.runs("history").ends(0).says("of 8");
}

#[test]
fn the_folder_of_the_killed_run_brings_the_old_images_back() {
    let (portal, team) = killed();
    // CI kept the folder, and nothing else of that machine.
    let artifact = tempfile::tempdir().unwrap();
    copy(&team.path(".brandctl"), artifact.path());
    team.loses_its_machine();
    team.applies().ends(0);
    is_as_declared(&portal);
    let portals = artifact.path().read_dir().unwrap().map(|entry| entry.unwrap().path().join("runs"));
    let runs = portals.filter(|runs| runs.is_dir()).flat_map(|runs| runs.read_dir().unwrap()).map(Result::unwrap);
    let run = runs.map(|run| run.path()).find(|run| run.is_dir()).unwrap();
    team.runs(&format!("restore {} --yes --settle 0.1", run.display())).ends(0);
    // What that run had replaced is as it was before; the rest is none of its business.
    let held = portal.holds();
    let is_old = |number: &u8| held[&icon(*number)] == art(Kind::Icon, *number);
    let is_new = |number: &u8| held[&icon(*number)] == art(Kind::Icon, 100 + *number);
    assert_eq!(held.len(), usize::from(ICONS));
    assert!((0..ICONS).all(|number| is_old(&number) || is_new(&number)));
    assert!((0..ICONS).any(|number| is_old(&number)), "the killed run had replaced something");
}
