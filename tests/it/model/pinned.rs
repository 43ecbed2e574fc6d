//! Cases that went wrong once.

use brandctl::domain::asset::Kind;

use super::Counts;
use super::case::{Case, Edit, Lie, Life, Moment, Proxy, Scope, Slot, Spelling, What, WriteFault};
use crate::faults::driver::Strike;

/// An icon: the image that is there, and the one that is declared.
fn icon(code: &str, live: Option<u8>, declared: Option<u8>) -> Slot {
    let live = live.map(|mark| (code.to_owned(), mark));
    Slot { kind: Kind::Icon, code: code.to_owned(), live, system: false, ours: [declared; 2], rival: None }
}

/// One apply, and nothing that goes wrong.
fn quiet(slots: Vec<Slot>) -> Case {
    let life =
        Life { pause: 0, jump: 0, version: 0, timeout: 600, strike: Strike::None, killed_after: None, unbacked: false };
    Case {
        slots,
        ours: vec![life],
        rivals: Vec::new(),
        edits: Vec::new(),
        writes: Vec::new(),
        proxy: None,
        broken_reads: Vec::new(),
        stale: Vec::new(),
        paces: vec![10],
        lags: vec![5],
        no_batches: false,
        keeps_files: true,
    }
}

#[track_caller]
fn holds(case: &Case) {
    let why = super::tried(case, &mut Counts::new());
    assert_eq!(why, None, "{}", why.as_deref().unwrap_or_default());
}

#[test]
fn a_proxy_that_shows_one_image_for_all_costs_one_image_at_most() {
    let slots = (0..3).map(|number| icon(&format!("acme-{number}"), Some(number), Some(number + 3))).collect();
    let proxy = Proxy { from: 0, scope: Scope::All, form: Lie::Placeholder };
    holds(&Case { proxy: Some(proxy), ..quiet(slots) });
}

#[test]
fn an_edit_right_before_the_way_back_is_proven_is_seen() {
    let new = icon("acme-new", None, Some(9));
    for after in 0..8 {
        let slots = vec![new.clone(), icon("acme-a", Some(1), None), icon("acme-b", Some(2), None)];
        let edit = Edit { when: Moment::AfterList(after), slot: 1, what: What::Swap(Spelling::Same, 5) };
        holds(&Case { edits: vec![edit], ..quiet(slots) });
    }
}

/// The newest run is the one that was made last, also where the clock was put back in between.
#[test]
fn what_was_last_known_is_so_also_after_the_clock_was_put_back() {
    let mut case = quiet(vec![icon("acme-a", None, Some(1)), icon("acme-b", None, Some(2))]);
    // The next one declares one image for both.
    (case.slots[0].ours[1], case.slots[1].ours[1]) = (Some(3), Some(3));
    let next = Life { version: 1, jump: -1_246, ..case.ours[0].clone() };
    case.ours.push(next);
    holds(&case);
}

/// A batch halts where an add is refused, and the pairs behind it wait again: what somebody did to them meanwhile is seen
/// before they are sent.
#[test]
fn an_edit_of_a_pair_behind_one_that_is_refused_is_seen() {
    for what in [What::Swap(Spelling::Same, 20), What::Swap(Spelling::Foreign, 21)] {
        let pairs = ["acme-a", "acme-b", "acme-c"].into_iter().zip(1..);
        let slots = pairs.map(|(code, mark)| icon(code, Some(mark), Some(mark + 10))).collect();
        // The first pair goes alone. Of the second batch, the second add finds its code taken.
        let refused = Edit { when: Moment::BeforeCommand(3), slot: 1, what: What::Put(Spelling::Same, 22) };
        let edited = Edit { when: Moment::BeforeCommand(2), slot: 2, what };
        holds(&Case { edits: vec![edited, refused], paces: vec![6_000], ..quiet(slots) });
    }
}

#[test]
fn a_request_that_is_carried_out_late_is_waited_for_by_the_next_apply() {
    for seconds in [9, 25, 60, 100] {
        for strike in [Strike::None, Strike::Request(5, crate::faults::driver::Moment::During)] {
            let mut case = quiet(vec![icon("acme-a", Some(1), Some(2)), icon("acme-b", Some(3), None)]);
            case.writes = vec![(0, WriteFault::Late { seconds, hangs: false })];
            // The next one declares another image.
            case.slots[0].ours[1] = Some(7);
            case.ours[0] = Life { strike, timeout: 10, ..case.ours[0].clone() };
            let next = Life { version: 1, pause: 3_000, strike: Strike::None, timeout: 600, ..case.ours[0].clone() };
            case.ours.push(next);
            holds(&case);
        }
    }
}
