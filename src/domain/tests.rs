//! The reconciler, from manifest and art to plan, against a portal that is a plain list: what holds for every desired and
//! every observed state.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::sync::Arc;

use proptest::prelude::*;

use super::asset::{Address, Code, Kind};
use super::diff::{Action, Diff, Unbacked, diff};
use super::finding::Place;
use super::guard::{self, Allowances, Empty, Guard, InUse, IncompleteCheckout, KindCounts, Outcome, Refusal};
use super::logmessage::LogEntry;
use super::manifest;
use super::ownership::Unmanaged;
use super::plan::{Plan, StepState};
use super::png::testing;
use super::rules::{self, Aim, Art, Piece};
use super::state::{Content, DesiredState, Listed, ObservedEntry, ObservedState, Reading, Selection};
use super::usage;

/// An image of a kind; another mark gives another appearance.
fn art(kind: Kind, mark: u8) -> Vec<u8> {
    testing::rgba(kind.side(), kind.side(), |x, y| if x == y { [mark, 20, 30, 255] } else { [0; 4] })
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// What a manifest with these lines declares: of each icon its mark.
fn desired(lines: &str, icons: &[(&str, u8)]) -> DesiredState {
    let listed: String = icons.iter().map(|(code, mark)| format!("  {code}: {mark}.png\n")).collect();
    let icons_section = if icons.is_empty() { "icons: {}\n".to_owned() } else { format!("icons:\n{listed}") };
    let text = format!("version: 1\n{lines}\n{icons_section}");
    let (manifest, findings) = manifest::parse(text.as_bytes(), "brand.yaml");
    let manifest = manifest.unwrap_or_else(|| panic!("{findings:?}"));
    let pieces = icons.iter().map(|(code, mark)| {
        let bytes: Arc<[u8]> = art(Kind::Icon, *mark).into();
        let place = Place::START;
        let address = Address::new(Kind::Icon, Code::new(*code));
        Piece { address, file: format!("{mark}.png"), place, size: bytes.len() as u64, bytes: Some(bytes) }
    });
    let checked = rules::check(
        &manifest,
        "brand.yaml",
        &Art { pieces: pieces.collect(), ..Art::default() },
        findings,
        Aim::DesiredState,
    );
    checked.desired.unwrap_or_else(|| panic!("{:?}", checked.findings))
}

/// A portal as a list of codes and marks; no mark is a system entry.
fn portal(entries: &[(&str, Option<u8>)]) -> ObservedState {
    let entries = entries.iter().enumerate().map(|(at, (code, mark))| {
        let file_uri = mark.map(|mark| format!("/upload/{at}/{mark}")).unwrap_or_default();
        let listed = Listed { address: Address::new(Kind::Icon, Code::new(*code)), system: mark.is_none(), file_uri };
        let reading = mark.map_or(Reading::NotNeeded, |mark| Reading::Known(Content::of(&art(Kind::Icon, mark))));
        ObservedEntry { listed, reading }
    });
    ObservedState { entries: entries.collect() }
}

fn compare(desired: &DesiredState, observed: &ObservedState) -> Diff {
    diff(desired, observed, &Selection::All, Unbacked::Keep, "brand.yaml")
}

/// The portal after everything in `diff` was done.
fn after(observed: &ObservedState, diff: &Diff) -> ObservedState {
    let mut entries = observed.entries.clone();
    for change in &diff.changes {
        if change.action.before().is_some() {
            entries.retain(|ObservedEntry { listed, .. }| listed.system || listed.address != change.live_address());
        }
        if let Some(new) = change.action.after() {
            let file_uri = format!("/upload/new/{}", change.address);
            let listed = Listed { address: change.address.clone(), system: false, file_uri };
            entries.push(ObservedEntry { listed, reading: Reading::Known(new.content.clone()) });
        }
    }
    ObservedState { entries }
}

fn standings(diff: &Diff, observed: &ObservedState) -> Vec<StepState> {
    let standing = |change: &super::diff::Change| {
        let live: Vec<_> = observed
            .entries
            .iter()
            .filter(|entry| entry.listed.address.folded() == change.address.folded())
            .cloned()
            .collect();
        change.step_state(&live)
    };
    diff.changes.iter().map(standing).collect()
}

fn shown(diff: &Diff) -> Vec<String> {
    let one = |change: &super::diff::Change| {
        let symbol = match change.action {
            Action::Create(_) => "+",
            Action::Replace(..) => "-/+",
            Action::Delete(_) => "-",
        };
        format!("{symbol} {} {:?}", change.address.code, change.reason)
    };
    diff.changes.iter().map(one).collect()
}

#[test]
fn each_row_of_the_ownership_table() {
    let desired = desired(
        "owns: [\"a-*\"]\nignore: [\"a-lab-*\"]",
        &[("a-same", 1), ("a-other", 2), ("a-case", 3), ("a-new", 4)],
    );
    let observed = portal(&[
        ("call", None),
        ("a-same", Some(1)),
        ("a-other", Some(9)),
        ("a-CASE", Some(3)),
        ("a-gone", Some(5)),
        ("a-lab-x", Some(6)),
        ("b-foreign", Some(7)),
    ]);
    let diff = compare(&desired, &observed);
    let expected = ["-/+ a-case Respelt", "- a-gone Undeclared", "+ a-new Absent", "-/+ a-other LooksDifferent"];
    assert_eq!(shown(&diff), expected);
    let unmanaged = [("icon/a-lab-x", Unmanaged::Ignored), ("icon/b-foreign", Unmanaged::NotOwned)];
    assert_eq!(diff.unmanaged, unmanaged.map(|(text, why)| (address(text), why)));
    assert_eq!((diff.unchanged, diff.system, diff.conflicts.len()), (1, 1, 0));
    assert_eq!(diff.kept.keys().collect::<Vec<_>>(), [&address("icon/a-same")]);
}

#[test]
fn what_must_be_settled_by_hand_is_a_conflict() {
    for (declared, live, rule) in [
        ("a-x", vec![("a-x", None)], "code-reserved"),
        ("a-x", vec![("A-X", None)], "code-reserved"),
        ("a-x", vec![("A-X", Some(1))], "code-respelt"),
        ("a-x", vec![("a-x", Some(1)), ("a-X", Some(2))], "code-ambiguous"),
    ] {
        let diff = compare(&desired("owns: [\"a-*\"]", &[(declared, 1)]), &portal(&live));
        let found: Vec<_> = diff.conflicts.iter().map(|finding| &*finding.rule).collect();
        assert_eq!((found, diff.changes.len()), (vec![rule], 0), "{live:?}");
    }
}

fn plan_of(diff: Diff) -> Plan {
    // Which bytes they are does not matter here.
    let mut plan = Plan::new("portal".to_owned(), diff, super::plan::Contents::new());
    for change in &plan.diff.changes {
        let old = change.action.before().and_then(|before| before.content.as_ref());
        let new = change.action.after().map(|after| &after.content);
        plan.contents.extend(old.into_iter().chain(new).map(|content| (content.sha256, Arc::from([]))));
    }
    plan
}

#[test]
fn guards_hold_at_every_size() {
    let allowances = Allowances {
        max_deletes: None,
        empty: Empty::Refuse,
        unbacked: Unbacked::Keep,
        in_use: InUse::Refuse,
        checkout: IncompleteCheckout::Refuse,
    };
    for (owned, deletes, refused) in
        [(1, 1, false), (2, 1, false), (2, 2, true), (9, 4, false), (9, 5, true), (40, 10, false), (40, 11, true)]
    {
        let codes: Vec<_> = (0..owned).map(|number| format!("a-{number}")).collect();
        let live: Vec<_> = codes.iter().map(|code| (code.as_str(), Some(1))).collect();
        let kept: Vec<_> = codes.iter().skip(deletes).map(|code| (code.as_str(), 1)).chain([("a-new", 2)]).collect();
        let desired = desired("owns: [\"a-*\"]", &kept);
        let counts_by_kind = [(Kind::Icon, KindCounts { owned, declared: kept.len(), ..KindCounts::default() })].into();
        let plan = plan_of(compare(&desired, &portal(&live)));
        let evaluated = guard::evaluate(plan, desired.ownership(), &counts_by_kind, allowances);
        let verdict = evaluated.verdicts().iter().find(|verdict| verdict.outcome == Outcome::Refused).cloned();
        let refusal = match evaluated.approve() {
            Ok(_) => None,
            Err(Refusal::Guards) => verdict.map(|verdict| verdict.guard),
            Err(Refusal::Findings(findings)) => panic!("{findings:?}"),
        };
        assert_eq!(refusal, refused.then_some(Guard::MaxDeletes), "{deletes} of {owned}");
    }
}

/// The decisions of the guard against deleting icons in use about a plan that deletes `a-0` and so on. Log entries name
/// the first `used` of these; `completeness` says whether all entries were read.
fn in_use(deletes: usize, used: usize, completeness: usage::Completeness, in_use: InUse) -> Vec<(Outcome, usize)> {
    let allowances = Allowances {
        max_deletes: Some(99),
        empty: Empty::Allow,
        unbacked: Unbacked::Keep,
        in_use,
        checkout: IncompleteCheckout::Refuse,
    };
    let codes: Vec<_> = (0..deletes).map(|number| format!("a-{number}")).collect();
    let live: Vec<_> = codes.iter().map(|code| (code.as_str(), Some(1))).collect();
    let desired = desired("owns: [\"a-*\"]", &[]);
    let mut plan = plan_of(compare(&desired, &portal(&live)));
    assert_eq!(plan.diff.changes.len(), deletes);
    let judged = |plan: &Plan| -> Vec<_> {
        let evaluated = guard::evaluate(plan.clone(), desired.ownership(), &[].into(), allowances);
        let verdicts = evaluated.verdicts().iter().filter(|verdict| verdict.guard == Guard::InUse);
        verdicts.map(|verdict| (verdict.outcome, verdict.addresses.len())).collect()
    };
    assert_eq!(judged(&plan), [], "not checked");
    let mut counter = usage::UsageCounter::new(plan.removed_or_replaced().cloned());
    let item = "deal:1".parse().unwrap();
    let entry = |code: &String| LogEntry { icon: code.to_uppercase(), ..LogEntry::default() };
    counter.take(item, &codes.iter().take(used).map(entry).collect::<Vec<_>>());
    counter.end(item, completeness);
    plan.evidence = Some(counter.finish(&usage::Items::new(["deal:1".parse().unwrap()]).unwrap()));
    judged(&plan)
}

#[test]
fn icons_in_use_are_kept_at_every_size() {
    use usage::Completeness::{Cut, Whole};
    for deletes in [1, 2, 9] {
        assert_eq!(in_use(deletes, 0, Whole, InUse::Refuse), [(Outcome::Passed, 0)]);
        assert_eq!(in_use(deletes, 1, Whole, InUse::Refuse), [(Outcome::Refused, 1)]);
        assert_eq!(in_use(deletes, deletes, Whole, InUse::Refuse), [(Outcome::Refused, deletes)]);
        assert_eq!(in_use(deletes, 0, Cut, InUse::Refuse), [(Outcome::Refused, deletes)], "unknown is not unused");
        assert_eq!(in_use(deletes, deletes, Cut, InUse::Allow), [(Outcome::Allowed, deletes)]);
    }
    assert_eq!(in_use(9, 2, Cut, InUse::Refuse), [(Outcome::Refused, 2), (Outcome::Refused, 7)]);
    assert_eq!(in_use(0, 0, Whole, InUse::Refuse), []);
}

#[test]
fn a_plan_without_its_images_is_not_approved() {
    let allowances = Allowances {
        max_deletes: None,
        empty: Empty::Refuse,
        unbacked: Unbacked::Keep,
        in_use: InUse::Refuse,
        checkout: IncompleteCheckout::Refuse,
    };
    let desired = desired("owns: [\"a-*\"]", &[("a-x", 1)]);
    let mut plan = plan_of(compare(&desired, &portal(&[])));
    plan.contents.clear();
    let refusal = guard::evaluate(plan, desired.ownership(), &[].into(), allowances).approve().unwrap_err();
    assert!(matches!(&refusal, Refusal::Findings(findings) if findings[0].rule == "plan-incomplete"), "{refusal:?}");
}

/// Codes in two spellings, owned, ignored and foreign, so that they meet often.
fn code() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a-1", "A-1", "a-2", "a-3", "a-lab-1", "b-1", "call", "Call"])
}

proptest! {
    #[test]
    fn one_plan_is_enough_and_touches_nothing_else(
        wanted in prop::collection::btree_map(prop::sample::select(vec!["a-1", "a-2", "a-3", "a-4"]), 1..4u8, 0..4),
        live in prop::collection::btree_map(code(), prop::option::of(1..4u8), 0..7),
    ) {
        let wanted: Vec<_> = wanted.into_iter().collect();
        let live: Vec<_> = live.into_iter().collect();
        let desired = desired("owns: [\"a-*\", \"A-*\", \"Call\"]\nignore: [\"a-lab-*\"]", &wanted);
        let observed = portal(&live);
        let diff = compare(&desired, &observed);
        prop_assert!(standings(&diff, &observed).iter().all(|standing| *standing == StepState::Pending));
        let then = after(&observed, &diff);
        prop_assert!(standings(&diff, &then).iter().all(|standing| *standing == StepState::Done));
        let again = compare(&desired, &then);
        prop_assert!(again.changes.is_empty(), "{:?}", shown(&again));
        let untouched = |entry: &&ObservedEntry| {
            entry.listed.system || desired.ownership().of(&entry.listed.address).is_err()
        };
        let before: Vec<_> = observed.entries.iter().filter(untouched).collect();
        let kept: Vec<_> = then.entries.iter().filter(untouched).collect();
        prop_assert_eq!(before, kept);
        if diff.conflicts.is_empty() {
            for (address, entry) in desired.entries() {
                let holds = |ObservedEntry { listed, reading }: &ObservedEntry| {
                    listed.address == *address && *reading == Reading::Known(entry.content.clone())
                };
                prop_assert!(then.entries.iter().any(holds), "{address} is not as declared");
            }
        }
    }
}
