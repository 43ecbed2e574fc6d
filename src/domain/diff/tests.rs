//! A portal that holds what is declared, then one thing changed on either side: what the diff says.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use super::*;
use crate::domain::testing::{Portal, Repository, address, addresses, encoded_otherwise, image, scope, shown, unsound};

fn brand() -> Repository {
    Repository::declaring(&[("icon/acme-call", 1), ("icon/acme-mail", 2), ("logo/acme-call", 3)])
}

fn only(patterns: &[&str]) -> Selection {
    Selection::Matching(scope(patterns))
}

/// Rule and entry of each conflict.
fn conflicts(diff: &Diff) -> Vec<(&str, Option<&Address>)> {
    diff.conflicts.iter().map(|finding| (&*finding.rule, finding.address.as_ref())).collect()
}

#[test]
fn a_portal_that_holds_what_is_declared_is_left_alone() {
    let diff = brand().diff(&brand().portal());
    assert_eq!(shown(&diff), [] as [&str; 0]);
    assert_eq!(diff.unchanged, 3);
    assert_eq!(
        diff.kept.keys().cloned().collect::<Vec<_>>(),
        addresses(&["icon/acme-call", "icon/acme-mail", "logo/acme-call"])
    );
    assert!(diff.unmanaged.is_empty() && diff.unknown.is_empty() && diff.conflicts.is_empty());
}

#[test]
fn other_bytes_of_the_same_look_are_kept_as_they_are() {
    let stored = encoded_otherwise(Kind::Icon, 1);
    let diff = brand().diff(&brand().portal().storing("icon/acme-call", stored.clone()));
    assert_eq!(shown(&diff), [] as [&str; 0]);
    assert_eq!(diff.unchanged, 3);
    assert_eq!(diff.kept[&address("icon/acme-call")], stored, "what is kept is what the portal holds");
}

#[test]
fn an_absent_entry_is_created_from_its_art() {
    let diff = brand().diff(&brand().portal().without("icon/acme-call"));
    assert_eq!(shown(&diff), ["create icon/acme-call: Absent"]);
    let action = &diff.changes[0].action;
    assert_eq!(action.before(), None);
    assert_eq!(action.after(), Some(&After { file: "1.png".to_owned(), content: image(Kind::Icon, 1) }));
    assert_eq!(diff.unchanged, 2);
}

#[test]
fn another_look_is_replaced() {
    let diff = brand().diff(&brand().portal().showing("icon/acme-call", 9));
    assert_eq!(shown(&diff), ["replace icon/acme-call: LooksDifferent"]);
    let action = &diff.changes[0].action;
    assert_eq!(action.before().unwrap().content, Some(image(Kind::Icon, 9)));
    assert_eq!(action.after().unwrap().content, image(Kind::Icon, 1));
    assert_eq!((diff.unchanged, diff.kept.contains_key(&address("icon/acme-call"))), (2, false));
}

#[test]
fn an_image_that_is_not_sound_is_unknown() {
    let portal = brand().portal().storing("icon/acme-call", unsound()).with("icon/x", 9).storing("icon/x", unsound());
    let diff = brand().diff(&portal);
    assert_eq!(shown(&diff), [] as [&str; 0]);
    let unknown: Vec<_> = diff.unknown.iter().map(|unknown| unknown.address.clone()).collect();
    assert_eq!((unknown, diff.unchanged), (addresses(&["icon/acme-call", "icon/x"]), 2));
    for Unknown { why, .. } in diff.unknown {
        assert!(why.starts_with("the download is not a sound PNG: ") && why.contains("--allow-unbacked"), "{why}");
    }
}

#[test]
fn an_image_that_is_not_sound_is_changed_if_that_is_allowed_and_its_bytes_are_named() {
    let portal = brand().portal().storing("icon/acme-call", unsound()).with("icon/x", 9).storing("icon/x", unsound());
    let diff = brand().diff_of(&portal, &Selection::All, Unbacked::Change);
    assert_eq!(shown(&diff), ["replace icon/acme-call: Unsound", "delete icon/x: Unsound"]);
    assert!(diff.changes.iter().all(|change| change.action.before().unwrap().content == Some(unsound())));
    assert_eq!(diff.unknown, []);
}

#[test]
fn what_may_be_another_entrys_image_is_kept_and_compared_with_nothing() {
    let brand = Repository::declaring(&[("icon/acme-call", 1), ("icon/new", 9)]);
    // They look like what is declared, and like what is new.
    let portal = brand.portal().without("icon/new").doubted("icon/acme-call", image(Kind::Icon, 1));
    let portal = portal.with("icon/x", 9).doubted("icon/x", image(Kind::Icon, 9));
    let diff = brand.diff(&portal);
    assert_eq!((shown(&diff), diff.unknown.len()), (vec!["create icon/new: Absent".to_owned()], 2));
    assert!(diff.unknown.iter().all(|unknown| unknown.why == "doubted"));
    let diff = brand.diff_of(&portal, &Selection::All, Unbacked::Change);
    let expected = ["replace icon/acme-call: Unbacked", "create icon/new: Absent", "delete icon/x: Unbacked"];
    assert_eq!((shown(&diff), diff.unchanged), (expected.map(str::to_owned).to_vec(), 0));
    let kept: Vec<_> = diff.changes.iter().filter_map(|change| change.action.before()?.content.clone()).collect();
    assert_eq!(kept, [image(Kind::Icon, 1), image(Kind::Icon, 9)]);
    assert!(diff.changes.iter().all(|change| change.comparable_before().is_none()));
}

/// Declared art is sound, but what is restored need not be.
#[test]
fn the_declared_bytes_are_in_step_whatever_they_are() {
    let mut brand = brand();
    brand.declares_bytes("icon/acme-call", b"<html>");
    let portal = brand.portal().storing("icon/acme-call", unsound());
    let diff = brand.diff(&portal);
    assert_eq!((shown(&diff), diff.unchanged, diff.unknown), (Vec::new(), 3, Vec::new()));
}

#[test]
fn another_spelling_is_replaced_as_the_portal_spells_it() {
    let diff = brand().diff(&brand().portal().spelling("icon/acme-call", "icon/ACME-Call"));
    assert_eq!(shown(&diff), ["replace icon/acme-call: Respelt"]);
    assert_eq!(diff.changes[0].action.before().unwrap().code.as_str(), "ACME-Call");
    let diff =
        brand().diff(&brand().portal().showing("icon/acme-call", 9).spelling("icon/acme-call", "icon/ACME-Call"));
    assert_eq!(shown(&diff), ["replace icon/acme-call: LooksDifferent"], "the look says more");
}

#[test]
fn a_spelling_that_is_not_owned_is_a_conflict() {
    let brand = brand().owns(&["acme-*"]);
    let diff = brand.diff(&brand.portal().spelling("icon/acme-call", "icon/ACME-Call"));
    assert_eq!(shown(&diff), [] as [&str; 0]);
    assert_eq!(conflicts(&diff), [("code-respelt", Some(&address("icon/acme-call")))]);
    assert!(diff.conflicts[0].message.contains("`icon/ACME-Call`"), "{:?}", diff.conflicts);
    assert_eq!(diff.unmanaged, [(address("icon/ACME-Call"), Unmanaged::NotOwned)]);
}

#[test]
fn an_undeclared_entry_is_deleted() {
    let diff = brand().diff(&brand().portal().with("icon/acme-gone", 9));
    assert_eq!(shown(&diff), ["delete icon/acme-gone: Undeclared"]);
    let action = &diff.changes[0].action;
    assert_eq!(action.before().unwrap().content, Some(image(Kind::Icon, 9)));
    assert_eq!(action.before().unwrap().file_uri, "/upload/icon/acme-gone");
    assert_eq!(action.after(), None);
}

#[test]
fn an_undeclared_entry_is_kept_without_prune() {
    let diff = brand().keeps_undeclared().diff(&brand().portal().with("icon/acme-gone", 9));
    assert_eq!(shown(&diff), [] as [&str; 0]);
    assert_eq!(diff.unmanaged, [(address("icon/acme-gone"), Unmanaged::NotPruned)]);
}

#[test]
fn what_is_not_owned_is_never_touched_and_says_why() {
    let brand = Repository::declaring(&[("icon/acme-call", 1)])
        .owns(&["acme-*"])
        .ignores(&["acme-lab-*"])
        .speaks_only_of(Kind::Icon);
    let portal = brand.portal().with("logo/acme-call", 2).with("icon/shop", 3).with("icon/acme-lab-x", 4);
    let diff = brand.diff(&portal);
    assert_eq!(shown(&diff), [] as [&str; 0]);
    let expected = [
        (address("icon/acme-lab-x"), Unmanaged::Ignored),
        (address("icon/shop"), Unmanaged::NotOwned),
        (address("logo/acme-call"), Unmanaged::KindAbsent),
    ];
    assert_eq!(diff.unmanaged, expected, "in the order of the addresses");
}

#[test]
fn changes_come_in_the_order_of_their_addresses() {
    let portal =
        brand().portal().with("logo/a", 9).with("icon/b", 8).without("icon/acme-mail").showing("icon/acme-call", 7);
    let expected = [
        "replace icon/acme-call: LooksDifferent",
        "create icon/acme-mail: Absent",
        "delete icon/b: Undeclared",
        "delete logo/a: Undeclared",
    ];
    assert_eq!(shown(&brand().diff(&portal)), expected);
}

#[test]
fn a_selection_leaves_everything_else_alone() {
    let portal =
        brand().portal().showing("icon/acme-call", 9).showing("icon/acme-mail", 9).with("icon/a", 8).with("icon/b", 8);
    for (selection, expected) in [
        (
            Selection::All,
            &[
                "delete icon/a: Undeclared",
                "replace icon/acme-call: LooksDifferent",
                "replace icon/acme-mail: LooksDifferent",
                "delete icon/b: Undeclared",
            ][..],
        ),
        (only(&["icon/acme-call"]), &["replace icon/acme-call: LooksDifferent"]),
        (only(&["a"]), &["delete icon/a: Undeclared"]),
        (only(&["logo/*"]), &[]),
        (Selection::Named([address("icon/ACME-MAIL").folded()].into()), &["replace icon/acme-mail: LooksDifferent"]),
    ] {
        let diff = brand().diff_of(&portal, &selection, Unbacked::Keep);
        assert_eq!(shown(&diff), expected, "{selection:?}");
        assert!(diff.unmanaged.is_empty() && diff.unknown.is_empty(), "{selection:?}");
    }
}

#[test]
fn an_image_that_cannot_be_fetched_is_left_alone() {
    let portal = brand().portal().with("icon/acme-gone", 9).failing("icon/acme-gone").failing("icon/acme-call");
    let diff = brand().diff(&portal);
    assert_eq!(shown(&diff), [] as [&str; 0]);
    let unknown = |entry| Unknown { address: address(entry), why: "404".to_owned() };
    assert_eq!(diff.unknown, [unknown("icon/acme-call"), unknown("icon/acme-gone")]);
    assert_eq!(diff.unchanged, 2, "nothing is known of the others");
}

#[test]
fn an_image_that_cannot_be_fetched_is_changed_if_that_is_allowed() {
    let portal = brand().portal().with("icon/acme-gone", 9).failing("icon/acme-gone").failing("icon/acme-call");
    let diff = brand().diff_of(&portal, &Selection::All, Unbacked::Change);
    assert_eq!(shown(&diff), ["replace icon/acme-call: Unbacked", "delete icon/acme-gone: Unbacked"]);
    assert!(diff.changes.iter().all(|change| change.action.before().unwrap().content.is_none()));
    assert_eq!(diff.unknown, []);
}

#[test]
fn an_image_that_nobody_read_is_left_alone_whatever_is_allowed() {
    let portal = brand().portal().with("icon/acme-gone", 9).unread("icon/acme-gone").unread("icon/acme-call");
    for unbacked in [Unbacked::Keep, Unbacked::Change] {
        let diff = brand().diff_of(&portal, &Selection::All, unbacked);
        assert_eq!(shown(&diff), [] as [&str; 0], "{unbacked:?}");
        let unknown: Vec<_> = diff.unknown.into_iter().map(|unknown| unknown.address).collect();
        assert_eq!(unknown, addresses(&["icon/acme-call", "icon/acme-gone"]), "{unbacked:?}");
    }
}

#[test]
fn a_code_that_the_portal_lists_twice_is_a_conflict() {
    let declared = brand().diff(&brand().portal().with("icon/Acme-Call", 9));
    assert_eq!(shown(&declared), [] as [&str; 0]);
    assert_eq!(conflicts(&declared), [("code-ambiguous", Some(&address("icon/acme-call")))]);
    assert!(declared.conflicts[0].message.ends_with("`icon/Acme-Call`, `icon/acme-call`"), "{:?}", declared.conflicts);

    let undeclared = brand().diff(&brand().portal().with("icon/gone", 8).with("icon/Gone", 9));
    assert_eq!(shown(&undeclared), [] as [&str; 0]);
    assert_eq!(conflicts(&undeclared), [("code-ambiguous", Some(&address("icon/Gone")))]);

    let portal = (0..6_000).fold(brand().portal(), |portal, _| portal.with("icon/gone", 8));
    let often = brand().diff(&portal);
    assert_eq!(conflicts(&often), [("code-ambiguous", Some(&address("icon/gone")))]);
    assert!(often.conflicts[0].message.starts_with("the portal lists 6000 entries for `icon/gone`: "));
    assert!(often.conflicts[0].message.ends_with("`icon/gone`, and 5995 more"), "{}", often.conflicts[0].message);
}

#[test]
fn a_system_entry_reserves_its_code_in_every_case() {
    for (system, differing) in
        [("icon/acme-call", "the same code"), ("icon/Acme-Call", "the same code except for case")]
    {
        let diff = brand().diff(&brand().portal().without("icon/acme-call").with_system(system));
        assert_eq!(shown(&diff), [] as [&str; 0]);
        assert_eq!(conflicts(&diff), [("code-reserved", Some(&address("icon/acme-call")))]);
        let conflict = &diff.conflicts[0];
        assert!(conflict.message.ends_with(&format!("`{system}`, {differing}")), "{}", conflict.message);
        assert_eq!((conflict.path.as_deref(), conflict.place.is_some()), (Some("brand.yaml"), true));
    }
}

#[test]
fn a_custom_entry_under_a_system_entrys_code_is_left_alone() {
    let brand = brand().owns(&["acme-*", "gone"]);
    let portal = brand.portal().with("icon/gone", 9).with("icon/shop", 9);
    let portal = portal.with_system("icon/GONE").with_system("icon/SHOP").with_system("icon/ACME-CALL");
    let diff = brand.diff(&portal);
    assert_eq!(shown(&diff), [] as [&str; 0]);
    let expected = [
        (address("icon/acme-call"), Unmanaged::Reserved),
        (address("icon/gone"), Unmanaged::Reserved),
        (address("icon/shop"), Unmanaged::NotOwned),
    ];
    assert_eq!(diff.unmanaged, expected);
}

#[test]
fn a_system_entry_that_is_listed_twice_counts_once() {
    let portal = brand().portal().with_system("icon/call").with_system("icon/call").with_system("logo/call");
    assert_eq!(brand().diff(&portal).system, 2);
}

#[test]
fn a_declaration_under_another_code_is_a_rename() {
    let renamed = brand().without("icon/acme-call").and(&[("icon/acme-phone", 1)]);
    let expected = [
        "delete icon/acme-call: Undeclared, renamed icon/acme-phone",
        "create icon/acme-phone: Absent, renamed icon/acme-call",
    ];
    assert_eq!(shown(&renamed.diff(&brand().portal())), expected);
}

#[test]
fn a_rename_keeps_kind_and_look() {
    let expected = ["delete icon/old: Undeclared", "create logo/new: Absent"];
    assert_eq!(shown(&Repository::declaring(&[("logo/new", 1)]).diff(&Portal::empty().with("icon/old", 1))), expected);
    let expected = ["create icon/new: Absent", "delete icon/old: Undeclared"];
    assert_eq!(shown(&Repository::declaring(&[("icon/new", 2)]).diff(&Portal::empty().with("icon/old", 1))), expected);
}

#[test]
fn each_change_is_half_of_one_rename_at_most() {
    let declared = Repository::declaring(&[("icon/m", 1), ("icon/n", 1)]);
    let portal = Portal::empty().with("icon/x", 1).with("icon/y", 1).with("icon/z", 1);
    let expected = [
        "create icon/m: Absent, renamed icon/x",
        "create icon/n: Absent, renamed icon/y",
        "delete icon/x: Undeclared, renamed icon/m",
        "delete icon/y: Undeclared, renamed icon/n",
        "delete icon/z: Undeclared",
    ];
    assert_eq!(shown(&declared.diff(&portal)), expected);
}

#[test]
fn a_replaced_entry_is_no_half_of_a_rename() {
    let declared = Repository::declaring(&[("icon/a", 2), ("icon/b", 1)]);
    let portal = Portal::empty().with("icon/a", 1).with("icon/c", 2);
    let expected = ["replace icon/a: LooksDifferent", "create icon/b: Absent", "delete icon/c: Undeclared"];
    assert_eq!(shown(&declared.diff(&portal)), expected);
}

#[test]
fn what_is_no_image_was_not_renamed() {
    let portal = Portal::empty().with("icon/old", 1).storing("icon/old", unsound());
    let expected = ["create icon/new: Absent", "delete icon/old: Unsound"];
    let diff = Repository::declaring(&[("icon/new", 1)]).diff_of(&portal, &Selection::All, Unbacked::Change);
    assert_eq!(shown(&diff), expected);
}
