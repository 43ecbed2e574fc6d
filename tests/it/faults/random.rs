//! Any small brand, any small portal, any few faults: the same must hold as for the scene that was thought up.

use std::time::Duration;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{Cut, FaultAction, On, When};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use super::driver::{self, Moment, Strike};
use super::judge::{Before, PutBack, converges_with, effects};
use super::scene::{Images, Scene, art, declare};
use super::trials::only_a_tenth;
use crate::common::{Brand, MANIFEST, parts};

/// What the portal has under a code.
#[derive(Debug, Clone, Copy)]
enum Live {
    Nothing,
    Image(u8),
    /// Spelt in other case, and owned all the same.
    Respelt(u8),
    /// Spelt so that it is not owned.
    Foreign(u8),
    Unsound(u8),
    /// The product's, with a custom entry hidden behind it.
    System(u8),
}

/// One code: what is there, and what is declared.
type Slot = (Live, Option<u8>);

#[derive(Debug, Clone)]
struct Case {
    /// For each kind, codes a to e; the last is ignored.
    slots: Vec<Slot>,
    faults: Vec<(Target, u64, FaultAction)>,
    strike: Strike,
}

#[derive(Debug, Clone, Copy)]
enum Target {
    Any,
    Write,
}

/// Few images, so that many are the same.
fn mark() -> impl Strategy<Value = u8> {
    0..4_u8
}

fn slot() -> impl Strategy<Value = Slot> {
    let live = prop_oneof![
        4 => Just(Live::Nothing),
        6 => mark().prop_map(Live::Image),
        2 => mark().prop_map(Live::Respelt),
        1 => mark().prop_map(Live::Unsound),
        1 => mark().prop_map(Live::Foreign),
        1 => mark().prop_map(Live::System),
    ];
    // What is declared over somebody else's is an error, and then nothing else is seen: rarely.
    (live, proptest::option::weighted(0.6, mark()), 0..8_u8).prop_map(|(live, declared, rare)| match live {
        Live::Foreign(_) | Live::System(_) if rare > 0 => (live, None),
        _ => (live, declared),
    })
}

fn says(code: u16, error: &str) -> FaultAction {
    let body = format!("{{\"error\":\"{error}\",\"error_description\":\"no\"}}");
    FaultAction::Status { code, body, content_type: "application/json".to_owned() }
}

fn action() -> impl Strategy<Value = FaultAction> {
    let refused = vec!["BX_INVALID_VALUE", "INTERNAL_SERVER_ERROR", "0", "QUERY_LIMIT_EXCEEDED"];
    let cut = (0..6_usize, prop_oneof![Just(Cut::Close), Just(Cut::Partial)]);
    prop_oneof![
        Just(FaultAction::DropBefore),
        Just(FaultAction::DropAfter),
        Just(FaultAction::DropDuring),
        Just(FaultAction::EmptyBody),
        Just(FaultAction::TruncateBody(40)),
        Just(FaultAction::Html(502)),
        Just(FaultAction::HtmlAfter(502)),
        Just(FaultAction::NotAllowedInBatch),
        Just(says(500, "INTERNAL_SERVER_ERROR")),
        Just(FaultAction::Delay(Duration::from_millis(30))),
        cut.prop_map(|(after, answer)| FaultAction::CutBatch { after, answer }),
        (proptest::sample::select(refused), proptest::sample::select(vec!["*.add", "*.delete"])).prop_map(
            |(code, method)| FaultAction::RefuseCommand {
                method: method.to_owned(),
                code: code.to_owned(),
                description: "Code must be unique".to_owned(),
                status: 400,
            }
        ),
    ]
}

fn strike() -> impl Strategy<Value = Strike> {
    let moment = prop_oneof![Just(Moment::Before), Just(Moment::During), Just(Moment::After)];
    prop_oneof![
        4 => Just(Strike::None),
        2 => (1..20_u32, moment.clone()).prop_map(|(nth, moment)| Strike::Request(nth, moment)),
        2 => (1..10_u32, moment).prop_map(|(nth, moment)| Strike::Journal(nth, moment)),
        1 => (1..10_u32).prop_map(Strike::JournalFails),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let target = prop_oneof![1 => Just(Target::Any), 2 => Just(Target::Write)];
    (vec(slot(), 10), vec((target, 1..6_u64, action()), 0..3), strike()).prop_map(|(slots, faults, strike)| Case {
        slots,
        faults,
        strike,
    })
}

const CODES: [&str; 5] = ["acme-a", "acme-b", "acme-c", "acme-d", "acme-lab"];

/// Makes the case true; `None` for the goal where the manifest and the portal contradict each other.
fn made(case: &Case) -> (Brand, Option<Images>) {
    let brand = Brand::new().manifest(format!("{MANIFEST}ignore: [acme-lab, acme-LAB]\npolicy: {{max_deletes: 10}}\n"));
    let mut goal = Some(Images::new());
    let places = ["icon", "logo"].into_iter().flat_map(|kind| CODES.map(|code| (kind, code)));
    for ((kind, code), (live, declared)) in places.zip(&case.slots) {
        let address = format!("{kind}/{code}");
        let ignored = code == "acme-lab";
        let declared = declared.filter(|_| !ignored);
        let respelt = format!("{kind}/{}", code.to_uppercase().replace("ACME", "acme"));
        let foreign = format!("{kind}/{}", code.to_uppercase());
        let (spelt, mark) = match live {
            Live::Nothing => (address.clone(), None),
            Live::Image(mark) | Live::Unsound(mark) | Live::System(mark) => (address.clone(), Some(*mark)),
            Live::Respelt(mark) => (respelt, Some(*mark)),
            Live::Foreign(mark) => (foreign, Some(*mark)),
        };
        let (of_kind, spelt_code) = parts(&spelt);
        let mut bytes = mark.map(|mark| art(of_kind, mark));
        if let (Live::Unsound(_), Some(bytes)) = (live, &mut bytes) {
            bytes.truncate(bytes.len() / 2);
        }
        if let Some(bytes) = &bytes {
            brand.portal.seed(of_kind, spelt_code, bytes).unwrap();
        }
        if matches!(live, Live::System(_)) {
            brand.portal.make_system(of_kind, code).unwrap();
        }
        if let Some(mark) = declared {
            declare(&brand, &address, mark);
        }
        let stays = ignored || matches!(live, Live::Foreign(_) | Live::System(_));
        let stays_unknown = matches!(live, Live::Unsound(_));
        match (declared, stays || stays_unknown, bytes) {
            (Some(_), true, Some(bytes)) if stays_unknown => {
                goal.as_mut().map(|goal| goal.insert(spelt, bytes));
            }
            (Some(_), true, _) => goal = None,
            (Some(mark), false, _) => {
                goal.as_mut().map(|goal| goal.insert(address, art(of_kind, mark)));
            }
            (None, true, Some(bytes)) => {
                goal.as_mut().map(|goal| goal.insert(spelt, bytes));
            }
            (None, _, _) => {}
        }
    }
    (brand, goal)
}

/// How long a portal goes on after its client is gone.
const LAG: Duration = Duration::from_millis(40);

/// Whether an owned entry is of bytes that are not sound: nobody changes it, and every apply ends with 1.
fn has_unknown(case: &Case) -> bool {
    let codes = CODES.into_iter().cycle();
    codes.zip(&case.slots).any(|(code, (live, _))| code != "acme-lab" && matches!(live, Live::Unsound(_)))
}

fn holds(case: &Case) {
    let code = i32::from(has_unknown(case));
    let (brand, goal) = made(case);
    let before = Before::of(&brand);
    let mut faults = Faults::none();
    let mut put_back = PutBack::Never;
    for (target, nth, action) in &case.faults {
        let on = match target {
            Target::Any => On::Any,
            Target::Write => On::Write,
        };
        // Any answer that does not say what became of an add may be one of those after which the old image goes back.
        if matches!(action, FaultAction::RefuseCommand { .. }) {
            put_back = PutBack::Allowed;
        }
        if *action == FaultAction::DropDuring {
            faults = faults.and(on.clone(), When::Nth(*nth), FaultAction::Delay(LAG));
        }
        faults = faults.and(on, When::Nth(*nth), action.clone());
    }
    if matches!(case.strike, Strike::Request(_, Moment::During)) {
        faults = faults.and(On::Any, When::Every, FaultAction::Delay(LAG));
    }
    let live = brand.live();
    let count = effects(&brand).len();
    brand.fail(faults);
    driver::apply(&brand, case.strike);
    match goal {
        Some(goal) => converges_with(code, &Scene { brand, goal }, &before, put_back),
        None => {
            brand.fail(Faults::none());
            driver::apply(&brand, Strike::None).ends_with(1);
            assert_eq!((brand.live(), effects(&brand).len()), (live, count));
        }
    }
}

#[test]
fn any_faults_on_any_states() {
    crate::common::each(0..6, |_| {
        let mut runner = TestRunner::new(Config {
            cases: if only_a_tenth() { 2 } else { 20 },
            failure_persistence: None,
            max_shrink_iters: 100,
            ..Config::default()
        });
        let result = runner.run(&case(), |case| {
            std::panic::catch_unwind(|| holds(&case)).map_err(|thrown| {
                let text = thrown.downcast_ref::<String>().cloned().unwrap_or_default();
                TestCaseError::fail(text)
            })
        });
        match result {
            Ok(()) => {}
            Err(TestError::Fail(why, case)) => panic!("{why}\n{case:#?}"),
            Err(error) => panic!("{error}"),
        }
    });
}

#[test]
fn the_names_of_the_cases_are_what_they_say() {
    let slots = vec![(Live::Respelt(1), Some(2)), (Live::Foreign(1), None)];
    let (brand, goal) = made(&Case { slots, faults: Vec::new(), strike: Strike::None });
    assert_eq!(brand.codes(), ["icon/ACME-B", "icon/acme-A"]);
    assert_eq!(goal.unwrap().keys().collect::<Vec<_>>(), ["icon/ACME-B", "icon/acme-a"]);
    assert_eq!(brand.image("icon/acme-A"), Some(art(Kind::Icon, 1)));
}
