//! Somebody else edits a code that waits, before every request: what they put there is left alone, or there is a copy of it. Only
//! between the last look and the request that deletes it, nobody can know.

use std::sync::Arc;

use brandctl::sandbox::Faults;
use brandctl::sandbox::record::Recorded;

use super::driver::{self, Circumstances, Strike};
use super::judge::kept;
use super::scene::{Images, Scene, art, declare, declared, folded, seed};
use super::trials::{Trial, trial};
use crate::common::{Brand, MANIFEST, parts};
use brandctl::domain::asset::Digest;

const REPLACES: [&str; 5] = ["icon/acme-r0", "icon/acme-r1", "icon/acme-r2", "logo/acme-r3", "logo/acme-r4"];
const DELETES: [&str; 4] = ["icon/acme-d0", "icon/acme-d1", "logo/acme-d2", "logo/acme-d3"];
const CREATES: [&str; 2] = ["icon/acme-new", "logo/acme-new"];

/// The image that somebody else puts there.
const BY_HAND: u8 = 240;

fn scene() -> Scene {
    let brand = Brand::new().manifest(format!("{MANIFEST}policy: {{max_deletes: 10}}\n"));
    for (number, address) in (1..).zip(REPLACES) {
        seed(&brand, address, number);
        declare(&brand, address, 100 + number);
    }
    for (number, address) in (20..).zip(DELETES) {
        seed(&brand, address, number);
    }
    for (number, address) in (30..).zip(CREATES) {
        declare(&brand, address, number);
    }
    seed(&brand, "icon/acme-same", 40);
    declare(&brand, "icon/acme-same", 40);
    seed(&brand, "icon/other", 41);
    let mut goal = declared(&brand);
    goal.insert("icon/other".to_owned(), art(brandctl::domain::asset::Kind::Icon, 41));
    Scene { brand, goal }
}

/// What somebody else does to a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hand {
    /// Puts another image there.
    Another,
    /// Deletes it and adds it in another case, which is not owned.
    OtherCase,
    /// Deletes it.
    Gone,
}

impl Hand {
    fn edit(self, brand: &Brand, address: &str) {
        let (kind, code) = parts(address);
        let spelt = if self == Self::OtherCase { code.to_uppercase() } else { code.to_owned() };
        // It may be gone already.
        let _ = brand.portal.remove(kind, code);
        if self != Self::Gone {
            brand.portal.seed(kind, &spelt, &art(kind, BY_HAND)).unwrap();
        }
    }
}

/// Whether a request that lists was answered after the edit and before this request.
fn was_looked_at(requests: &[Recorded], edited: usize, deleted: usize) -> bool {
    let between = requests.get(edited..deleted).unwrap_or_default();
    between.iter().any(|request| request.commands.iter().any(|command| command.method.ends_with(".list")))
}

/// The number of the request that deleted what somebody else had put under a code, if one did.
fn deletion(requests: &[Recorded], edited: usize, address: &str) -> Option<usize> {
    let (kind, code) = parts(address);
    let method = format!("crm.timeline.{kind}.delete");
    let deletes = |request: &Recorded| {
        let of_code = |named: Option<&String>| named.is_some_and(|named| named.eq_ignore_ascii_case(code));
        request.commands.iter().any(|command| command.method == method && of_code(command.code.as_ref()))
    };
    (edited..requests.len()).find(|at| requests.get(*at).is_some_and(deletes))
}

fn edited(nth: u32, address: &'static str, hand: Hand) {
    let Scene { brand, goal } = scene();
    let brand = Arc::new(brand);
    let at = Arc::new(std::sync::Mutex::new(None));
    let (theirs, noted) = (Arc::clone(&brand), Arc::clone(&at));
    let edit = Box::new(move || {
        hand.edit(&theirs, address);
        *noted.lock().unwrap() = Some(theirs.portal.requests().len());
    });
    let life =
        driver::run(&brand, brand.folder.path(), Circumstances { edit: Some((nth, edit)), ..Circumstances::default() });
    let at = *at.lock().unwrap();
    let Some(at) = at else { return assert_eq!(life.code, Some(0), "there was no request {nth}") };
    let bytes = art(parts(address).0, BY_HAND);
    let is_there = brand.live().iter().any(|(live, found)| folded(live) == folded(address) && *found == bytes);
    if hand != Hand::Gone && !is_there && !kept(brand.folder.path()).contains(&Digest::of(&bytes)) {
        let requests = brand.portal.requests();
        let deleted = deletion(&requests, at, address).expect("somebody deleted it");
        assert!(!was_looked_at(&requests, at, deleted), "{hand:?} {address}: the image is lost: {:?}", life.report.run);
    }
    // Whoever is in the way by another case is another's: the manifest contradicts it. Then nothing is written.
    if hand == Hand::OtherCase && is_there {
        let (kind, code) = parts(address);
        assert!(brand.codes().contains(&format!("{kind}/{}", code.to_uppercase())));
        return;
    }
    brand.fail(Faults::none());
    let first = driver::apply(&brand, Strike::None);
    assert_eq!(first.code, Some(0), "{:#?}", first.report.findings);
    let live: Images = brand.live().into_iter().collect();
    assert_eq!(live.keys().collect::<Vec<_>>(), goal.keys().collect::<Vec<_>>());
    assert_eq!(live, goal);
}

pub(crate) fn trials() -> Vec<Trial> {
    let undisturbed = scene();
    let calls = driver::apply(&undisturbed.brand, Strike::None).ends_with(0).calls;
    let mut trials = Vec::new();
    for address in REPLACES.into_iter().chain(DELETES).chain(CREATES) {
        for hand in [Hand::Another, Hand::OtherCase, Hand::Gone] {
            for nth in 1..=calls {
                let what = format!("{hand:?} {address} before request {nth}");
                trials.push(trial("edited by hand before a request", what, move || edited(nth, address, hand)));
            }
        }
    }
    trials
}
