//! What a run costs in requests, and what a portal that refuses costs in images.

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{Cut, FaultAction, On, When};

use super::ownership::kept;
use crate::common::{Brand, Output, art};

fn refusing_adds() -> Faults {
    let action = FaultAction::RefuseCommand {
        method: "*.add".to_owned(),
        code: "FILE_SAVE_ERROR".to_owned(),
        description: "File not saved".to_owned(),
        status: 400,
    };
    Faults::one(On::Method("*.add".to_owned()), When::Nth(1), action)
}

/// `count` icons whose files all changed.
fn to_replace(count: u8) -> Brand {
    let brand = Brand::new().in_step(count);
    for number in 0..count {
        brand.draw(&format!("icon/acme-{number:02}"), &art(Kind::Icon, 255 - number));
    }
    brand
}

fn sizes(brand: &Brand) -> Vec<usize> {
    brand.write_requests().iter().map(|request| request.commands.len()).collect()
}

#[test]
fn a_hundred_and_twenty_creates_share_eight_requests_or_fill_three() {
    for (concurrency, expected) in [("8", vec![15; 8]), ("1", vec![20, 50, 50])] {
        let mut brand = Brand::new();
        for number in 0..120 {
            brand = brand.declares(&format!("icon/acme-{number:03}"), number);
        }
        let output = brand.apply_with(&format!("--concurrency {concurrency}")).ends_with(0);
        assert_eq!(output.count("applied"), 120);
        let mut sizes = sizes(&brand);
        sizes.sort_unstable();
        assert_eq!(sizes, expected);
        let listings = brand.seen(|request| request.method == "batch") - expected.len();
        assert!(listings <= 4, "{listings} requests to read");
    }
}

#[test]
fn the_first_pair_of_a_run_goes_alone_and_pairs_stay_together() {
    let brand = to_replace(28);
    let output = brand.apply().ends_with(0);
    assert_eq!(output.count("applied"), 28);
    assert_eq!(sizes(&brand), [2, 50, 4]);
    for request in brand.write_requests() {
        for pair in request.commands.chunks(2) {
            let shape: Vec<_> = pair.iter().map(|command| (command.method.as_str(), command.code.clone())).collect();
            assert_eq!(shape[0].0, "crm.timeline.icon.delete");
            assert_eq!(shape[1].0, "crm.timeline.icon.add");
            assert_eq!(shape[0].1, shape[1].1);
        }
    }
}

#[test]
fn creates_come_first_and_deletes_last() {
    let brand = Brand::new().in_step(4).declares("icon/acme-new", 9);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
    brand.apply().ends_with(0);
    let codes: Vec<_> =
        brand.write_requests().into_iter().flat_map(|r| r.commands).map(|c| (c.method, c.code.unwrap())).collect();
    let shape: Vec<_> =
        codes.iter().map(|(method, code)| (method.rsplit('.').next().unwrap(), code.as_str())).collect();
    assert_eq!(shape, [("add", "acme-new"), ("delete", "acme-00"), ("add", "acme-00"), ("delete", "acme-01")]);
}

#[test]
fn a_portal_that_refuses_every_new_image_costs_one_code_and_its_old_image_is_put_back() {
    let brand = to_replace(5);
    let output = while_recovering(&brand, || brand.apply()).ends_with(3);
    assert_eq!(output.count("recovered"), 1);
    assert_eq!(output.fates()[0], "recovered icon/acme-00");
    assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 0));
    assert_eq!(brand.codes().len(), 5);
    brand.apply().ends_with(0);
    assert!(brand.plan().changes().is_empty());
}

/// Applies on a portal that refuses new images, and takes images again once an old one is put back.
fn while_recovering(brand: &Brand, apply: impl FnOnce() -> Output) -> Output {
    let before = brand.live();
    // The putting back waits long enough for the portal to recover.
    brand.fail(refusing_adds().and(
        On::Method("*.add".to_owned()),
        When::Nth(2),
        FaultAction::Delay(std::time::Duration::from_millis(400)),
    ));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let adds = || brand.seen(|r| r.commands.iter().any(|command| command.method.ends_with(".add")));
            let start = std::time::Instant::now();
            while adds() < 2 {
                assert!(start.elapsed() < std::time::Duration::from_secs(20), "nothing was put back");
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            // Nothing but the putting back is in flight; the first batch touched one code.
            assert_eq!(brand.live().len(), before.len() - 1);
            brand.fail(Faults::none());
        });
        apply()
    })
}

/// What goes back is what came, and the report does not call it the old image.
#[test]
fn what_came_and_is_not_sound_is_put_back_and_called_that() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    let stub = art(Kind::Icon, 0)[..60].to_vec();
    brand.seed("icon/acme-a", &stub);
    let output = while_recovering(&brand, || brand.apply_with("--allow-unbacked")).ends_with(3);
    assert_eq!(output.fates(), ["recovered icon/acme-a"], "{output:?}");
    let why = output.json["changes"][0]["why"].as_str().unwrap();
    assert!(why.ends_with("; the copy of the old image is back, but it is not a sound PNG"), "{why}");
    assert_eq!(brand.image("icon/acme-a"), Some(stub));
}

#[test]
fn when_putting_back_fails_too_no_further_replace_is_sent() {
    let brand = to_replace(30);
    let before = brand.live();
    brand.fail(refusing_adds());
    let output = brand.apply().ends_with(3);
    assert_eq!((output.count("failed"), output.count("skipped")), (1, 29), "{:?}", output.fates());
    let why = output.json["changes"][0]["why"].as_str().unwrap().to_owned();
    assert!(why.contains("put back") && why.contains("FILE_SAVE_ERROR"), "{why}");
    assert_eq!(brand.live(), before[1..], "one code is gone, and nothing else was touched");
    assert!(kept(&output).contains(&art(Kind::Icon, 0)), "its old image is in the run's folder");
    assert_eq!(kept(&output).len(), 30);
    // The portal recovers, and the ordinary diff does the rest.
    brand.fail(Faults::none());
    brand.apply().ends_with(0);
    assert!(brand.plan().changes().is_empty());
}

#[test]
fn when_every_add_is_refused_one_code_is_lost_creates_or_not() {
    let brand = to_replace(3).declares("icon/acme-new", 200);
    brand.fail(refusing_adds());
    let output = brand.apply();
    assert_eq!(output.code, 3, "{output:?}");
    assert_eq!(output.count("applied"), 0);
    assert_eq!(brand.codes(), ["icon/acme-01", "icon/acme-02"]);
}

#[test]
fn a_batch_that_ends_between_a_delete_and_its_add_is_finished() {
    for cut in [Cut::Close, Cut::Partial] {
        let brand = to_replace(3);
        brand.fail(Faults::one(
            On::Inner("*.add".to_owned()),
            When::Nth(2),
            FaultAction::CutBatch { after: 1, answer: cut },
        ));
        let output = brand.apply().ends_with(0);
        assert_eq!(output.count("applied"), 3, "{cut:?}");
        assert!(brand.plan().ends_with(0).changes().is_empty());
    }
}

#[test]
fn a_portal_that_takes_no_batches_is_written_to_one_by_one() {
    let brand = to_replace(2).declares("icon/acme-new", 200);
    brand.fail(Faults::one(On::Any, When::Every, FaultAction::NotAllowedInBatch));
    let output = brand.apply().ends_with(0);
    assert_eq!(output.count("applied"), 3);
    assert!(brand.plan().ends_with(0).changes().is_empty());
}
