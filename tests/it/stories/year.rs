//! A year in the life of a repository.

use brandctl::domain::asset::Kind;

use super::people::{Portal, Team};
use crate::common::art;

#[test]
fn a_year_in_the_life() {
    let portal = Portal::open();
    portal.gets("icon/other-app", &art(Kind::Icon, 99));
    let team = Team::that_owns("acme-", &portal);

    // January: the first three.
    for (address, mark) in [("icon/acme-call", 1), ("icon/acme-fax", 2), ("logo/acme-brand", 3)] {
        team.draws(address, mark);
    }
    team.commits("The first three");
    assert_eq!(team.plans().changes(), ["create icon/acme-call", "create icon/acme-fax", "create logo/acme-brand"]);
    team.applies().ends(0).says("Applied 3 changes and read back.");

    // March: call is drawn again.
    team.draws("icon/acme-call", 11);
    team.commits("A rounder call");
    let plan = team.plans();
    assert_eq!(
        (plan.changes(), plan.movers()),
        (vec!["replace icon/acme-call".into()], vec!["pending icon/acme-call".into()])
    );
    team.applies().ends(0);

    // May: fax is called telex from now on.
    team.renames("icon/acme-fax", "icon/acme-telex");
    team.commits("Nobody faxes");
    team.runs("plan").ends(0).says("icon/acme-fax").says("icon/acme-telex").says("renamed");
    team.applies().ends(0);
    assert_eq!(portal.codes(), ["icon/acme-call", "icon/acme-telex", "icon/other-app", "logo/acme-brand"]);

    // August: somebody works on the portal by hand, while a change waits to be merged.
    portal.gets("icon/acme-call", &art(Kind::Icon, 50));
    portal.loses("logo/acme-brand");
    portal.gets("icon/acme-extra", &art(Kind::Icon, 51));
    team.draws("icon/acme-telex", 12);
    team.commits("A flatter telex");
    let drift = team.runs("drift --format json").ends(2);
    assert_eq!(
        drift.movers(),
        ["drifted icon/acme-call", "drifted icon/acme-extra", "pending icon/acme-telex", "vanished logo/acme-brand"]
    );
    team.runs("drift --only-portal").ends(2);
    team.applies().ends(0).says("Applied 4 changes and read back.");
    team.runs("drift --only-portal").ends(0);
    assert_eq!(portal.holds()["icon/acme-call"], art(Kind::Icon, 11), "as committed");
    assert!(!portal.codes().contains(&"icon/acme-extra".to_owned()), "nobody declared it");

    // Changes that only wait do not fail the check.
    team.draws("icon/acme-call", 13);
    team.commits("A squarer call");
    team.runs("drift").ends(2);
    team.runs("drift --only-portal").ends(0).says("1 pending");
    team.applies().ends(0);

    // October: the squarer call was a mistake. Its old image is in the run's folder.
    let runs = team.history();
    assert_eq!(runs.len(), 5);
    team.runs(&format!("restore {} icon/acme-call --yes --settle 0.1", runs[0])).ends(0);
    assert_eq!(portal.holds()["icon/acme-call"], art(Kind::Icon, 11));
    // The repository does not know of that yet, and says what it would do.
    assert_eq!(team.plans().changes(), ["replace icon/acme-call"]);
    team.draws("icon/acme-call", 11);
    team.commits("Back to the rounder call");
    assert_eq!(team.plans().changes(), [""; 0]);

    // December: the logo goes.
    team.drops("logo/acme-brand");
    team.commits("No logo any more");
    team.runs("apply --yes --settle 0.1").ends(4).says("allow_empty");
    team.runs("apply --yes --settle 0.1 --allow-empty").ends(0);
    team.runs("drift").ends(0);
    let end = portal.holds();
    assert_eq!(end.keys().collect::<Vec<_>>(), ["icon/acme-call", "icon/acme-telex", "icon/other-app"]);
    assert_eq!(end["icon/acme-call"], art(Kind::Icon, 11));
    assert_eq!(end["icon/acme-telex"], art(Kind::Icon, 12));
    assert_eq!(end["icon/other-app"], art(Kind::Icon, 99), "never ours, never touched");
}
