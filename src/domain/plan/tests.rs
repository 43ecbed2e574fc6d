//! What a plan says of itself, and where a change stands on a portal that moved on meanwhile.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use super::*;
use crate::domain::asset::Kind;
use crate::domain::diff::Unbacked;
use crate::domain::evidence::Coverage;
use crate::domain::state::Selection;
use crate::domain::testing::{Portal, Repository, address, addresses, encoded_otherwise, image, unsound};

/// Two creates, three replaces and four deletes, some of each kind, and one entry that is kept.
fn plan() -> Plan {
    let brand = Repository::declaring(&[
        ("icon/new", 1),
        ("logo/new", 1),
        ("icon/other-1", 2),
        ("icon/other-2", 3),
        ("logo/other", 4),
        ("icon/same", 5),
    ]);
    let portal = brand.portal().without("icon/new").without("logo/new");
    let portal = portal.showing("icon/other-1", 9).showing("icon/other-2", 9).showing("logo/other", 9);
    let gone = ["icon/gone", "logo/gone-1", "logo/gone-2", "logo/gone-3"];
    brand.plan(&gone.into_iter().fold(portal, |portal, entry| portal.with(entry, 8)))
}

/// The only change between a repository and a portal.
fn change(repository: &Repository, portal: &Portal) -> Change {
    let mut changes = repository.diff_of(portal, &Selection::All, Unbacked::Change).changes;
    assert_eq!(changes.len(), 1);
    changes.remove(0)
}

fn brand() -> Repository {
    Repository::declaring(&[("icon/a", 1)])
}

fn nothing() -> Repository {
    Repository::declaring(&[])
}

/// A portal with `icon/a` of another appearance.
fn outdated() -> Portal {
    brand().portal().showing("icon/a", 9)
}

/// Where a change stands, and why it cannot be made any more.
fn standing(change: &Change, portal: &Portal) -> String {
    match change.step_state(&portal.live(change)) {
        StepState::Diverged(why) => format!("diverged: {why}"),
        StepState::Unseen { why, .. } => format!("unseen: {}", why.split(": it was").next().unwrap()),
        other => format!("{other:?}"),
    }
}

const OTHER_IMAGE: &str = "diverged: its image changed after the plan was made";
const EXISTS: &str = "diverged: it already exists on the portal, with another image";
const SYSTEM: &str = "diverged: it has become a system entry";
const TWICE: &str = "diverged: the portal lists 2 entries for it";
const UNSOUND: &str = "unseen: its content could not be fetched: the download is not a sound PNG";
const DOUBTED: &str = "unseen: its content could not be fetched: doubted";
const UNSEEN: &str = "unseen: its content could not be fetched: 404";

#[test]
fn changes_are_counted_by_what_they_do() {
    assert_eq!(plan().counts(), Counts { create: 2, replace: 3, delete: 4, rename: 0 });
}

#[test]
fn a_rename_is_one_change() {
    let brand = Repository::declaring(&[("icon/new", 1), ("icon/other", 2)]);
    let portal = brand.portal().without("icon/new").without("icon/other").with("icon/old", 1).with("icon/gone", 8);
    let plan = brand.plan(&portal);
    assert_eq!(plan.counts(), Counts { create: 1, replace: 0, delete: 1, rename: 1 });
    assert_eq!((plan.counts().changes(), plan.diff.changes.len(), plan.deletes(Kind::Icon)), (3, 4, 2));
}

#[test]
fn deletes_are_counted_by_kind_without_replaces() {
    assert_eq!((plan().deletes(Kind::Icon), plan().deletes(Kind::Logo)), (1, 3));
}

#[test]
fn a_plan_that_only_creates_takes_nothing_away() {
    assert!(!plan().only_creates());
    assert!(brand().plan(&Portal::empty()).only_creates());
    assert!(!brand().plan(&outdated()).only_creates());
    assert!(!nothing().plan(&outdated()).only_creates());
}

#[test]
fn what_is_deleted_or_replaced_is_named_in_order() {
    let expected = addresses(&[
        "icon/gone",
        "icon/other-1",
        "icon/other-2",
        "logo/gone-1",
        "logo/gone-2",
        "logo/gone-3",
        "logo/other",
    ]);
    assert_eq!(plan().removed_or_replaced().cloned().collect::<Vec<_>>(), expected);
}

#[test]
fn the_use_of_a_code_is_known_only_if_somebody_looked_and_it_is_on_the_portal() {
    let brand = Repository::declaring(&[("icon/new", 1), ("icon/other", 2)]);
    let mut plan = brand.plan(&Portal::empty().with("icon/other", 9));
    let of = |plan: &Plan| plan.diff.changes.iter().map(|change| plan.usage(change)).collect::<Vec<_>>();
    assert_eq!(of(&plan), [None, None], "not checked");
    let usages = [(address("icon/new"), Usage::NotSeen), (address("icon/other"), Usage::NotSeen)];
    plan.evidence = Some(UsageEvidence { coverage: Coverage::default(), usages: usages.into() });
    assert_eq!(of(&plan), [None, Some(Usage::NotSeen)]);
}

#[test]
fn what_is_only_counted_cannot_be_named() {
    let mut plan = plan();
    assert_eq!(plan.unnamed(), 0);
    plan.diff.unchanged = 5;
    assert_eq!(plan.unnamed(), 4);
    plan.diff.kept.clear();
    assert_eq!(plan.unnamed(), 5);
}

#[test]
fn a_create_stands_where_nothing_or_its_own_image_is() {
    let create = change(&brand(), &Portal::empty());
    assert_eq!(create.action.before(), None);
    assert_eq!(create.live_address(), address("icon/a"));
    let done = brand().portal();
    for (portal, expected) in [
        (Portal::empty(), "Pending"),
        (done.clone(), "Done"),
        (done.clone().storing("icon/a", encoded_otherwise(Kind::Icon, 1)), "Done"),
        (done.clone().spelling("icon/a", "icon/A"), EXISTS),
        (outdated(), EXISTS),
        (outdated().storing("icon/a", unsound()), UNSOUND),
        (done.clone().unread("icon/a"), EXISTS),
        (done.clone().failing("icon/a"), UNSEEN),
        (done.clone().with("icon/A", 1), TWICE),
        (Portal::empty().with_system("icon/A"), SYSTEM),
        (done.with_system("icon/a"), SYSTEM),
    ] {
        assert_eq!(standing(&create, &portal), expected);
    }
}

#[test]
fn a_replace_stands_between_the_old_image_and_the_new() {
    let replace = change(&brand(), &outdated());
    for (portal, expected) in [
        (outdated(), "Pending"),
        (outdated().storing("icon/a", encoded_otherwise(Kind::Icon, 9)), "Pending"),
        (outdated().failing("icon/a"), "Pending"),
        (Portal::empty(), "Between"),
        (brand().portal(), "Done"),
        (outdated().showing("icon/a", 8), OTHER_IMAGE),
        (outdated().showing("icon/a", 8).failing("icon/a"), UNSEEN),
        (outdated().storing("icon/a", unsound()), UNSOUND),
        (outdated().giving("icon/a", unsound()), "Pending"),
        (outdated().storing("icon/a", image(Kind::Icon, 1)).doubted("icon/a", image(Kind::Icon, 1)), DOUBTED),
        (outdated().spelling("icon/a", "icon/A"), "diverged: the portal now spells it `A`"),
        (outdated().spelling("icon/a", "icon/A").failing("icon/A"), UNSEEN),
        (outdated().with("icon/A", 9), TWICE),
        (outdated().with_system("icon/a"), SYSTEM),
    ] {
        assert_eq!(standing(&replace, &portal), expected);
    }
}

#[test]
fn what_was_read_counts_more_than_the_path() {
    let replace = change(&brand(), &Portal::empty().with("icon/a", 9));
    assert_eq!(standing(&replace, &Portal::empty().with("icon/a", 9)), "Pending");
    assert_eq!(standing(&replace, &Portal::empty().with("icon/a", 8)), OTHER_IMAGE);
}

#[test]
fn a_respelling_stands_between_the_two_spellings() {
    let respelt = brand().portal().spelling("icon/a", "icon/A");
    let replace = change(&brand(), &respelt);
    assert_eq!((replace.address.clone(), replace.live_address()), (address("icon/a"), address("icon/A")));
    assert_eq!(standing(&replace, &respelt), "Pending", "the look alone is not enough");
    assert_eq!(standing(&replace, &Portal::empty()), "Between");
    assert_eq!(standing(&replace, &brand().portal()), "Done");
    assert_eq!(standing(&replace, &outdated()), "diverged: the portal now spells it `a`");
}

#[test]
fn a_delete_stands_until_the_entry_is_gone() {
    let delete = change(&nothing(), &outdated());
    assert!(delete.action.before().is_some_and(|before| before.code.as_str() == "a"));
    for (portal, expected) in [
        (outdated(), "Pending"),
        (Portal::empty(), "Done"),
        (brand().portal().showing("icon/a", 1), OTHER_IMAGE),
        (outdated().failing("icon/a"), "Pending"),
    ] {
        assert_eq!(standing(&delete, &portal), expected);
    }
}

#[test]
fn of_an_image_that_was_never_had_the_path_decides() {
    let unbacked = outdated().failing("icon/a");
    let delete = change(&nothing(), &unbacked);
    for (portal, expected) in [
        (unbacked, "Pending"),
        (outdated(), "Pending"),
        (outdated().showing("icon/a", 9), OTHER_IMAGE),
        (outdated().showing("icon/a", 9).failing("icon/a"), UNSEEN),
    ] {
        assert_eq!(standing(&delete, &portal), expected);
    }
}

#[test]
fn of_bytes_that_are_not_sound_the_bytes_or_the_path_decide() {
    let unsound = outdated().giving("icon/a", unsound());
    let delete = change(&nothing(), &unsound);
    for (portal, expected) in [
        (unsound.clone(), "Pending"),
        (unsound.failing("icon/a"), "Pending"),
        (outdated(), OTHER_IMAGE),
        (outdated().storing("icon/a", Content::of(b"other")), UNSOUND),
        (outdated().storing("icon/a", crate::domain::testing::unsound()), "Pending"),
        (Portal::empty(), "Done"),
    ] {
        assert_eq!(standing(&delete, &portal), expected);
    }
}
