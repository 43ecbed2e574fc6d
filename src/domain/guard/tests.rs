//! What each guard says of a plan, and which plans are approved.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use super::*;
use crate::domain::diff::Unbacked;
use crate::domain::evidence::{Coverage, UsageEvidence};
use crate::domain::state::Selection;
use crate::domain::testing::{Portal, Repository, address, addresses, image, plan_of, unsound};

/// Nothing is allowed that must be asked for.
const STRICT: Allowances = Allowances {
    max_deletes: None,
    empty: Empty::Refuse,
    unbacked: Unbacked::Keep,
    in_use: InUse::Refuse,
    checkout: IncompleteCheckout::Refuse,
};
/// Everything is allowed that can be asked for.
const GENEROUS: Allowances = Allowances {
    max_deletes: Some(99),
    empty: Empty::Allow,
    unbacked: Unbacked::Change,
    in_use: InUse::Allow,
    checkout: IncompleteCheckout::Allow,
};

fn brand() -> Repository {
    Repository::declaring(&[("icon/a", 1), ("icon/b", 2), ("logo/c", 3)])
}

fn evaluated(brand: &Repository, portal: &Portal, allowances: Allowances) -> Evaluated {
    evaluate(brand.plan(portal), brand.ownership(), &brand.counts(portal), allowances)
}

/// What a guard said, if it said anything: each time its decision and the entries it is about.
fn said(guard: Guard, evaluated: &Evaluated) -> Vec<(Outcome, Vec<Address>)> {
    let verdicts = evaluated.verdicts().iter().filter(|verdict| verdict.guard == guard);
    verdicts.map(|verdict| (verdict.outcome, verdict.addresses.clone())).collect()
}

/// The rules that keep a plan from being approved, each with the entry that breaks it; none when it is approved.
fn obstacles(evaluated: Evaluated) -> Vec<(String, Address)> {
    match evaluated.approve() {
        Ok(_) => Vec::new(),
        Err(Refusal::Findings(findings)) => {
            findings.into_iter().map(|finding| (finding.rule.into_owned(), finding.address.unwrap())).collect()
        }
        Err(Refusal::Guards) => unreachable!("the guards let everything pass"),
    }
}

fn outside(entries: &[&str]) -> Vec<(String, Address)> {
    entries.iter().map(|entry| ("plan-outside-manifest".to_owned(), address(entry))).collect()
}

#[test]
fn guards_are_recorded_under_their_names() {
    let guards = [Guard::MaxDeletes, Guard::AllowEmpty, Guard::Protect, Guard::Unbacked, Guard::InUse];
    assert_eq!(guards.map(Guard::name), ["max_deletes", "allow_empty", "protect", "unbacked", "in_use"]);
}

#[test]
fn by_default_half_may_be_deleted_but_one_at_least_and_ten_at_most() {
    let bounds = [0, 1, 2, 3, 4, 5, 19, 20, 21, 22, 1000].map(default_max_deletes);
    assert_eq!(bounds, [1, 1, 1, 1, 2, 2, 9, 10, 10, 10, 10]);
}

#[test]
fn what_may_be_deleted_by_default_goes_by_what_is_owned() {
    let fewer = brand().without("icon/a");
    assert_eq!(said(Guard::MaxDeletes, &evaluated(&fewer, &brand().portal(), STRICT))[0], (Outcome::Passed, vec![]));
    let portal = brand().portal().with("icon/x", 8);
    let refused = (Outcome::Refused, addresses(&["icon/a", "icon/x"]));
    assert_eq!(said(Guard::MaxDeletes, &evaluated(&fewer, &portal, STRICT))[0], refused);
    let portal = portal.with("icon/y", 8).without("icon/x").with("icon/b2", 2);
    let four = said(Guard::MaxDeletes, &evaluated(&fewer.clone().and(&[("icon/b2", 2)]), &portal, STRICT));
    assert_eq!(four[0], (Outcome::Passed, vec![]), "two of four");
}

#[test]
fn a_bound_that_is_named_holds_instead_of_the_default() {
    let portal = brand().portal().with("icon/x", 8).with("icon/y", 8);
    let both = addresses(&["icon/x", "icon/y"]);
    for (bound, expected) in [
        (0, (Outcome::Refused, both.clone())),
        (1, (Outcome::Refused, both)),
        (2, (Outcome::Passed, vec![])),
        (3, (Outcome::Passed, vec![])),
    ] {
        let evaluated = evaluated(&brand(), &portal, Allowances { max_deletes: Some(bound), ..STRICT });
        assert_eq!(said(Guard::MaxDeletes, &evaluated)[0], expected, "at most {bound}");
        let help = evaluated.verdicts()[0].help.as_deref();
        assert_eq!(help, (bound < 2).then_some("if this is intended, pass --max-deletes 2"), "at most {bound}");
    }
}

#[test]
fn each_kind_has_its_own_bound_and_replaces_do_not_count() {
    let portal = brand().portal().showing("icon/a", 9).showing("icon/b", 9).with("icon/x", 8);
    let portal = portal.with("logo/x", 8).with("logo/y", 8).with("logo/z", 8);
    let expected = [(Outcome::Passed, vec![]), (Outcome::Refused, addresses(&["logo/x", "logo/y", "logo/z"]))];
    assert_eq!(said(Guard::MaxDeletes, &evaluated(&brand(), &portal, STRICT)), expected);
}

#[test]
fn a_kind_that_declares_nothing_loses_nothing_unless_that_is_allowed() {
    let icons_only = brand().without("logo/c");
    let portal = brand().portal().with("icon/x", 8);
    for (empty, expected) in [(Empty::Refuse, Outcome::Refused), (Empty::Allow, Outcome::Allowed)] {
        let evaluated = evaluated(&icons_only, &portal, Allowances { empty, ..STRICT });
        assert_eq!(said(Guard::AllowEmpty, &evaluated), [(expected, addresses(&["logo/c"]))]);
        let verdict = evaluated.verdicts().iter().find(|verdict| verdict.guard == Guard::AllowEmpty).unwrap();
        assert_eq!(verdict.help.is_some(), empty == Empty::Refuse);
    }
}

#[test]
fn a_kind_that_declares_nothing_and_has_nothing_needs_no_allowance() {
    let icons_only = brand().without("logo/c");
    assert_eq!(said(Guard::AllowEmpty, &evaluated(&icons_only, &icons_only.portal(), STRICT)), []);
    assert_eq!(said(Guard::AllowEmpty, &evaluated(&brand(), &brand().portal().with("icon/x", 8), STRICT)), []);
}

#[test]
fn a_protected_entry_is_neither_replaced_nor_deleted_whatever_is_allowed() {
    let brand = brand().protects(&["a", "icon/x", "c"]);
    let portal = brand.portal().showing("icon/a", 9).with("icon/x", 8).showing("icon/b", 9);
    let refused = [(Outcome::Refused, addresses(&["icon/a", "icon/x"]))];
    assert_eq!(said(Guard::Protect, &evaluated(&brand, &portal, STRICT)), refused);
    assert_eq!(said(Guard::Protect, &evaluated(&brand, &portal, GENEROUS)), refused);
    assert_eq!(evaluated(&brand, &portal, GENEROUS).approve().unwrap_err(), Refusal::Guards);
}

#[test]
fn a_protected_entry_may_be_created_and_kept() {
    let brand = brand().protects(&["*"]);
    assert_eq!(said(Guard::Protect, &evaluated(&brand, &brand.portal().without("icon/a"), STRICT)), []);
}

#[test]
fn either_spelling_of_an_entry_protects_it() {
    for pattern in ["icon/a", "icon/A"] {
        let brand = brand().protects(&[pattern]);
        let evaluated = evaluated(&brand, &brand.portal().spelling("icon/a", "icon/A"), STRICT);
        assert_eq!(said(Guard::Protect, &evaluated), [(Outcome::Refused, addresses(&["icon/a"]))], "{pattern}");
    }
}

#[test]
fn no_image_is_lost_unless_that_is_allowed() {
    let portal = brand().portal().failing("icon/a").with("icon/x", 8).failing("icon/x").showing("icon/b", 9);
    let portal = portal.with("icon/y", 7).storing("icon/y", unsound());
    let portal = portal.with("icon/z", 8).doubted("icon/z", image(Kind::Icon, 8));
    let plan = plan_of(brand().diff_of(&portal, &Selection::All, Unbacked::Change));
    for (unbacked, expected) in [(Unbacked::Keep, Outcome::Refused), (Unbacked::Change, Outcome::Allowed)] {
        let allowances = Allowances { unbacked, ..STRICT };
        let evaluated = evaluate(plan.clone(), brand().ownership(), &brand().counts(&portal), allowances);
        assert_eq!(
            said(Guard::Unbacked, &evaluated),
            [(expected, addresses(&["icon/a", "icon/x", "icon/y", "icon/z"]))]
        );
        let verdict = evaluated.verdicts().iter().find(|verdict| verdict.guard == Guard::Unbacked).unwrap();
        assert_eq!(verdict.help.is_some(), unbacked == Unbacked::Keep);
    }
}

#[test]
fn an_old_image_that_is_known_need_not_be_in_memory() {
    let portal = brand().portal().showing("icon/a", 9);
    let mut plan = brand().plan(&portal);
    plan.contents.remove(&image(Kind::Icon, 9).sha256);
    let evaluated = evaluate(plan, brand().ownership(), &brand().counts(&portal), STRICT);
    assert_eq!(said(Guard::Unbacked, &evaluated), []);
}

/// What the guard against deleting icons in use says of a plan that deletes these entries and replaces `icon/a`, whose
/// use is this.
fn in_use(usages: &[(&str, Usage)], in_use: InUse) -> Evaluated {
    let portal = usages.iter().fold(brand().portal().showing("icon/a", 9), |portal, (entry, _)| portal.with(entry, 8));
    let mut plan = brand().plan(&portal);
    let replaced = (address("icon/a"), used());
    let usages = usages.iter().map(|(entry, usage)| (address(entry), usage.clone())).chain([replaced]);
    plan.evidence = Some(UsageEvidence { coverage: Coverage::default(), usages: usages.collect() });
    evaluate(plan, brand().ownership(), &brand().counts(&portal), Allowances { in_use, ..STRICT })
}

fn used() -> Usage {
    Usage::Used { log_entries: 1, samples: Vec::new() }
}

fn unknown() -> Usage {
    Usage::Unknown { why: "not known".to_owned() }
}

#[test]
fn an_icon_in_use_is_not_deleted_unless_that_is_allowed() {
    for (allowance, expected) in [(InUse::Refuse, Outcome::Refused), (InUse::Allow, Outcome::Allowed)] {
        let evaluated = in_use(&[("icon/x", used()), ("icon/y", Usage::NotSeen)], allowance);
        assert_eq!(said(Guard::InUse, &evaluated), [(expected, addresses(&["icon/x"]))]);
        let verdict = evaluated.verdicts().iter().find(|verdict| verdict.guard == Guard::InUse).unwrap();
        assert_eq!(verdict.help.is_some(), allowance == InUse::Refuse);
    }
}

#[test]
fn an_icon_of_unknown_use_is_not_deleted_unless_that_is_allowed() {
    for (allowance, expected) in [(InUse::Refuse, Outcome::Refused), (InUse::Allow, Outcome::Allowed)] {
        let evaluated = in_use(&[("icon/x", unknown()), ("icon/y", used())], allowance);
        let expected = [(expected, addresses(&["icon/y"])), (expected, addresses(&["icon/x"]))];
        assert_eq!(said(Guard::InUse, &evaluated), expected, "used and unknown are two verdicts");
    }
}

#[test]
fn an_icon_that_no_entry_names_may_be_deleted() {
    for allowance in [InUse::Refuse, InUse::Allow] {
        let evaluated = in_use(&[("icon/x", Usage::NotSeen)], allowance);
        assert_eq!(said(Guard::InUse, &evaluated), [(Outcome::Passed, vec![])]);
        assert!(evaluated.verdicts().iter().all(|verdict| verdict.help.is_none()), "nothing to fix");
    }
}

#[test]
fn the_use_of_a_logo_or_of_what_is_replaced_refuses_nothing() {
    assert_eq!(said(Guard::InUse, &in_use(&[("logo/x", unknown())], InUse::Refuse)), []);
    assert_eq!(said(Guard::InUse, &in_use(&[], InUse::Refuse)), []);
}

#[test]
fn without_a_look_at_log_entries_nothing_is_said_of_use() {
    assert_eq!(said(Guard::InUse, &evaluated(&brand(), &brand().portal().with("icon/x", 8), STRICT)), []);
}

#[test]
fn a_plan_that_every_guard_lets_pass_is_approved_as_it_is() {
    let portal = brand().portal().showing("icon/a", 9).with("icon/x", 8).without("logo/c");
    let evaluated = evaluated(&brand(), &portal, STRICT);
    assert_eq!(evaluated.plan(), &brand().plan(&portal));
    assert_eq!(evaluated.approve().unwrap().plan(), &brand().plan(&portal));
}

#[test]
fn one_guard_that_refuses_is_enough() {
    let portal = brand().portal().with("icon/x", 8);
    let refused = evaluated(&brand(), &portal, Allowances { max_deletes: Some(0), ..GENEROUS });
    assert_eq!(refused.approve().unwrap_err(), Refusal::Guards);
    let allowed = evaluated(&brand().without("logo/c"), &portal, GENEROUS);
    assert!(allowed.verdicts().iter().any(|verdict| verdict.outcome == Outcome::Allowed));
    assert!(allowed.approve().is_ok(), "what is allowed is not refused");
}

#[test]
fn a_plan_with_conflicts_is_not_approved() {
    let portal = brand().portal().with("icon/A", 9);
    assert_eq!(obstacles(evaluated(&brand(), &portal, GENEROUS)), [("code-ambiguous".to_owned(), address("icon/a"))]);
}

#[test]
fn a_plan_that_lacks_a_new_image_is_not_approved() {
    let portal = Portal::empty().with("icon/a", 9).with("icon/x", 8);
    let mut plan = brand().plan(&portal);
    plan.contents.remove(&image(Kind::Icon, 1).sha256);
    plan.contents.remove(&image(Kind::Icon, 2).sha256);
    let evaluated = evaluate(plan, brand().ownership(), &brand().counts(&portal), GENEROUS);
    let lacking = |entry| ("plan-incomplete".to_owned(), address(entry));
    assert_eq!(obstacles(evaluated), [lacking("icon/a"), lacking("icon/b")]);
}

/// What keeps a plan from being approved that was made by `brand` and is applied with the manifest of `now`.
fn saved(portal: &Portal, now: &Repository) -> Vec<(String, Address)> {
    obstacles(evaluate(brand().plan(portal), now.ownership(), &now.counts(portal), GENEROUS))
}

#[test]
fn a_saved_plan_is_approved_only_if_the_manifest_still_owns_its_entries() {
    let portal = brand().portal().without("icon/a").showing("icon/b", 9).with("logo/x", 8);
    assert_eq!(saved(&portal, &brand()), []);
    assert_eq!(saved(&portal, &brand().owns(&["logo/*", "a"])), outside(&["icon/b"]));
    assert_eq!(saved(&portal, &brand().ignores(&["a"])), outside(&["icon/a"]));
    assert_eq!(saved(&portal, &brand().speaks_only_of(Kind::Icon)), outside(&["logo/x"]));
}

#[test]
fn a_saved_plan_needs_both_spellings_of_an_entry_owned() {
    let portal = brand().portal().spelling("icon/a", "icon/A");
    assert_eq!(saved(&portal, &brand()), []);
    assert_eq!(saved(&portal, &brand().ignores(&["A"])), outside(&["icon/A"]));
    assert_eq!(saved(&portal, &brand().ignores(&["a"])), outside(&["icon/a"]));
    assert_eq!(saved(&portal, &brand().ignores(&["a", "A"])), outside(&["icon/A", "icon/a"]));
}

#[test]
fn a_saved_plan_deletes_nothing_once_prune_is_off() {
    let portal = brand().portal().without("icon/a").showing("icon/b", 9).with("logo/x", 8);
    assert_eq!(saved(&portal, &brand().keeps_undeclared()), outside(&["logo/x"]));
}

#[test]
fn what_a_folder_may_only_lack_is_not_deleted_at_any_size() {
    for count in [1, 2, 9] {
        let names: Vec<String> = (0..count).map(|number| format!("icon/x{number}")).collect();
        let held = Portal::empty().with("icon/a", 7).with("logo/z", 8);
        let (brand, portal) = (brand(), names.iter().fold(held, |portal, name| portal.with(name, 9)));
        let judge = |checkout: FolderCheckout, allowances: Allowances| {
            let mut counts = brand.counts(&portal);
            counts.get_mut(&Kind::Icon).unwrap().checkout = checkout;
            evaluate(
                brand.plan(&portal),
                brand.ownership(),
                &counts,
                Allowances { max_deletes: Some(99), ..allowances },
            )
        };
        let lacking = FolderCheckout::Incomplete { why: "a file is left out".to_owned(), help: "fetch it".to_owned() };
        let refused = judge(lacking.clone(), STRICT);
        // The logo's kind is checked out whole: only icons count, and of those only what is deleted.
        let mut deleted = addresses(&names.iter().map(String::as_str).collect::<Vec<_>>());
        deleted.sort();
        assert_eq!(said(Guard::Checkout, &refused), [(Outcome::Refused, deleted.clone())]);
        assert_eq!(refused.verdicts()[0].guard, Guard::Checkout, "it is reported first");
        let help = refused.verdicts()[0].help.clone().unwrap();
        assert_eq!(help, "fetch it; if the deletes are intended, pass --allow-incomplete-checkout");
        assert_eq!(refused.approve().unwrap_err(), Refusal::Guards);
        assert_eq!(said(Guard::Checkout, &judge(lacking, GENEROUS)), [(Outcome::Allowed, deleted)]);
        assert_eq!(said(Guard::Checkout, &judge(FolderCheckout::Whole, STRICT)), []);
    }
    // What is created or replaced passes.
    let (brand, portal) = (brand(), Portal::empty().with("icon/a", 7));
    let mut counts = brand.counts(&portal);
    let lacking = FolderCheckout::Incomplete { why: String::new(), help: String::new() };
    counts.get_mut(&Kind::Icon).unwrap().checkout = lacking;
    assert_eq!(said(Guard::Checkout, &evaluate(brand.plan(&portal), brand.ownership(), &counts, STRICT)), []);
}
