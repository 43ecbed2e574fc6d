//! A pull request from a fork, whose job gets no secret.

use std::fs;

use super::people::{Portal, Team, copy};

#[test]
fn a_pull_request_from_a_fork_is_planned_without_a_secret() {
    let portal = Portal::open();
    let team = Team::that_owns("acme-", &portal);
    team.draws("icon/acme-call", 1);
    team.draws("icon/acme-fax", 2);
    team.commits("Ours");
    team.applies().ends(0);

    // A trusted job exports the portal, with a webhook that can only read.
    let trusted = Team::clone_of(&team, Some(portal.reader()));
    trusted.runs("export snapshot").ends(0);

    // The fork's job has the folder, and nothing else.
    let fork = Team::clone_of(&team, None);
    copy(&trusted.path("snapshot"), &fork.path("snapshot"));
    fork.draws("icon/acme-call", 11);
    fork.draws("icon/acme-chat", 3);
    fork.drops("icon/acme-fax");
    fork.commits("My idea");
    let writes = portal.writes();
    fork.runs("validate").ends(0);
    fork.runs("plan").ends(1).says("no credentials");
    fork.runs("plan --against snapshot -o plan.json --report plan.md --report plan.html --detailed-exitcode")
        .ends(2)
        .says("can be shown, but not applied");
    let plan = fork.runs("plan --against snapshot --format json").ends(0);
    assert_eq!(plan.changes(), ["replace icon/acme-call", "create icon/acme-chat", "delete icon/acme-fax"]);
    assert!(fs::read_to_string(fork.path("plan.md")).unwrap().contains("`icon/acme-chat`"));
    assert!(fs::read_to_string(fork.path("plan.html")).unwrap().contains("icon/acme-fax"));
    fork.runs("show plan.json").ends(0).says("icon/acme-chat");

    // Nobody can apply that plan, even with a copy of it.
    fs::copy(fork.path("plan.json"), team.path("theirs.json")).unwrap();
    team.runs("apply theirs.json --settle 0.1").ends(1).says("export");
    assert_eq!(portal.writes(), writes, "nothing was written");

    // Merged, it is a plan like any other.
    team.git(&format!("pull --quiet --no-rebase {} main", fork.path("").display()));
    assert_eq!(team.plans().changes(), plan.changes());
    team.applies().ends(0);
    assert_eq!(portal.codes(), ["icon/acme-call", "icon/acme-chat"]);
}
