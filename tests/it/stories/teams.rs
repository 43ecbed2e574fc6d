//! Two teams share a portal, each with a prefix and a repository of its own, beside an app that knows nothing of either.

use brandctl::domain::asset::Kind;

use super::people::{Portal, Team, Told};
use crate::common::art;

const COUNT: u8 = 12;

fn begun(prefix: &str, portal: &Portal, first: u8) -> Team {
    let team = Team::that_owns(prefix, portal);
    for number in 0..COUNT {
        team.draws(&format!("icon/{prefix}{number:02}"), first + number);
    }
    team.commits("Ours");
    team
}

/// How many entries a plan leaves to others.
fn left_to_others(plan: &Told) -> usize {
    plan.json()["unmanaged"].as_array().unwrap().len()
}

#[test]
fn two_teams_never_meet() {
    let portal = Portal::open();
    let app = art(Kind::Icon, 250);
    portal.gets("icon/app", &app);
    let (red, blue) = (begun("red-", &portal, 0), begun("blue-", &portal, 100));

    // They apply at the same moment.
    let (first, second) = std::thread::scope(|scope| {
        let (red, blue) = (scope.spawn(|| red.applies()), scope.spawn(|| blue.applies()));
        (red.join().unwrap(), blue.join().unwrap())
    });
    first.ends(0);
    second.ends(0);
    assert_eq!(portal.codes().len(), 1 + 2 * usize::from(COUNT));
    for team in [&red, &blue] {
        let plan = team.plans();
        assert_eq!((plan.changes(), left_to_others(&plan)), (Vec::new(), 1 + usize::from(COUNT)));
    }

    // What one of them deletes is its own.
    red.drops("icon/red-03");
    red.commits("One less");
    blue.draws("icon/blue-03", 200);
    blue.commits("Another blue");
    assert_eq!(red.plans().changes(), ["delete icon/red-03"]);
    red.applies().ends(0);
    assert_eq!(blue.plans().changes(), ["replace icon/blue-03"]);
    blue.applies().ends(0);
    let held = portal.holds();
    assert!(!held.contains_key("icon/red-03"));
    assert_eq!(held["icon/blue-03"], art(Kind::Icon, 200));

    // Red thinks that it owns everything blue: that is stopped before anything is lost.
    red.owns(&["red-", "blue-"]);
    red.commits("All the colours");
    let writes = portal.writes();
    red.applies().ends(4).says("max_deletes");
    assert_eq!((portal.holds(), portal.writes()), (held, writes));
    assert_eq!(portal.holds()["icon/app"], app);
}
