//! Something on the way answers downloads in the portal's place, in every form and from every download on: nothing is lost to it,
//! and the first apply after it is gone ends with what is declared.
//!
//! An earlier run added every image, and its journal is there. Left out is a placeholder of the right size where no two entries
//! are known to differ: one that only the last download before the first write brings, because one entry may have been changed by
//! hand, and one that answers from the start where no journal is. The proof of the way back is for those.

use super::driver::{self, Strike};
use super::judge::{Before, PutBack, converges, holds_now};
use super::scene::{Scene, declare, declared};
use super::trials::{self, Trial, trial};
use crate::common::Brand;

/// What comes in the place of an image.
const FORMS: [&str; 8] = [
    r#"status 200 "GIF89a\u0001\u0000\u0001\u0000" image/gif"#,
    r#"status 200 "RIFF\u001a\u0000\u0000\u0000WEBPVP8L" image/webp"#,
    "image 1x1",
    "image 48x48",
    "image 60x60",
    "truncate 20",
    CUT,
    PLACEHOLDER,
];

/// The header is whole.
const CUT: &str = "truncate 60";

const PLACEHOLDER: &str = "image 24x24";

/// What an apply has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Creates,
    Replaces,
    Deletes,
    Renames,
    Everything,
}

const WORK: [Work; 5] = [Work::Creates, Work::Replaces, Work::Deletes, Work::Renames, Work::Everything];

/// Whether the cache knows what the earlier run added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cached {
    All,
    Nothing,
}

/// A brand that was applied, and has changed since.
fn scene(work: Work, cached: Cached) -> Scene {
    let brand = Brand::new().with("policy: {max_deletes: 10}");
    for number in 0..6 {
        declare(&brand, &format!("icon/acme-{number}"), number);
    }
    driver::apply(&brand, Strike::None).ends_with(0);
    let redraw = |numbers: std::ops::Range<u8>| {
        numbers.for_each(|number| declare(&brand, &format!("icon/acme-{number}"), 100 + number));
    };
    let undeclare = |numbers: std::ops::Range<u8>| {
        numbers.for_each(|number| brand.undeclare(&format!("icon/acme-{number}")));
    };
    let create = |mark: u8| declare(&brand, &format!("icon/acme-new-{mark}"), mark);
    match work {
        Work::Creates => (50..53).for_each(create),
        Work::Replaces => redraw(0..3),
        Work::Deletes => undeclare(0..3),
        Work::Renames => {
            undeclare(0..2);
            (0..2).for_each(create);
        }
        Work::Everything => {
            redraw(0..2);
            undeclare(2..4);
            [3, 50].into_iter().for_each(create);
        }
    }
    if cached == Cached::Nothing {
        for portal in std::fs::read_dir(brand.path(".brandctl")).unwrap() {
            let cache = portal.unwrap().path().join("cache");
            if cache.exists() {
                std::fs::remove_dir_all(cache).unwrap();
            }
        }
    }
    let goal = declared(&brand);
    Scene { brand, goal }
}

/// The downloads of an apply that goes well: those before its first write, and all.
fn downloads(work: Work, cached: Cached) -> (u64, u64) {
    let Scene { brand, .. } = scene(work, cached);
    let done = brand.portal.requests().len();
    driver::apply(&brand, Strike::None).ends_with(0);
    let requests = brand.portal.requests().split_off(done);
    let is_download = |request: &&brandctl::sandbox::Recorded| request.method == "download";
    let before = requests.iter().take_while(|request| !request.would_write()).filter(is_download).count();
    let all = requests.iter().filter(is_download).count();
    (u64::try_from(before).unwrap(), u64::try_from(all).unwrap())
}

fn survived(work: Work, cached: Cached, when: &str, form: &str) {
    let scene = scene(work, cached);
    let before = Before::of(&scene.brand);
    scene.brand.fail(format!("download {when} {form}").parse().unwrap());
    let life = driver::apply(&scene.brand, Strike::None);
    assert!([Some(0), Some(1), Some(3)].contains(&life.code), "{:?}: {:#?}", life.code, life.report.findings);
    holds_now(&scene.brand, &scene.goal, &before, PutBack::Never);
    converges(&scene, &before, PutBack::Never);
}

fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (work, cached) in WORK.into_iter().flat_map(|work| [(work, Cached::All), (work, Cached::Nothing)]) {
        let (before, all) = downloads(work, cached);
        for (first, (number, form)) in (1..=all).flat_map(|first| (0..).zip(FORMS).map(move |form| (first, form))) {
            let what = format!("{work:?}, cache {cached:?}, {form} ");
            // Each form from every second download on, in turns; and those that `add` would take from each.
            let is_taken = [CUT, PLACEHOLDER].contains(&form);
            // See above: of one entry alone, a placeholder is no proof.
            let alone = form == PLACEHOLDER && first == before;
            if (is_taken || (first + number) % 2 == 0) && !alone {
                let what = format!("{what} from download {first}");
                trials.push(trial("download answered on the way, from one on", what, move || {
                    survived(work, cached, &format!("{first}+"), form);
                }));
            }
            if (first + number) % 4 == 1 && form != PLACEHOLDER {
                let what = format!("{what} at download {first}");
                trials.push(trial("download answered on the way, once", what, move || {
                    survived(work, cached, &first.to_string(), form);
                }));
            }
        }
    }
    trials
}

#[test]
fn nothing_is_lost_to_what_answers_in_the_portals_place() {
    let all = trials();
    assert!(all.len() > 200, "only {} faults", all.len());
    trials::run(all);
}
