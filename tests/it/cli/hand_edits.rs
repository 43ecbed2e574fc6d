//! Somebody else edits the portal while brandctl writes to it.

use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use brandctl::domain::asset::Kind;
use brandctl::sandbox::record::Recorded;

use crate::common::{Brand, art, command, each};

/// Ten pairs and four deletes, on a portal that takes its time.
fn work() -> Brand {
    let brand = Brand::new().in_step(14);
    for number in 0..10_u8 {
        brand.draw(&format!("icon/acme-{number:02}"), &art(Kind::Icon, 100 + number));
    }
    for number in 10..14 {
        brand.undeclare(&format!("icon/acme-{number:02}"));
    }
    brand.fail("write every delay 400ms".parse().unwrap());
    brand
}

/// Applies, and edits the portal once `writes` requests that write have arrived.
fn edited(brand: &Brand, writes: usize, edit: impl FnOnce()) -> i32 {
    let mut command = command(brand.folder.path());
    command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook());
    command.args(["apply", "--yes", "--settle", "0.1", "--max-deletes", "9", "--format", "json"]);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while brand.portal.requests().iter().filter(|request| Recorded::would_write(request)).count() < writes {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come to that");
        sleep(Duration::from_millis(2));
    }
    edit();
    run.wait().unwrap().code().unwrap()
}

fn kept(brand: &Brand, bytes: &[u8]) -> bool {
    let copies = |folder: &Path| walkdir::WalkDir::new(folder).into_iter().flatten().collect::<Vec<_>>();
    copies(&brand.path(".brandctl")).iter().any(|file| std::fs::read(file.path()).is_ok_and(|found| found == bytes))
}

/// The last code of the replaces and the last of the deletes get another image, or are deleted, or come back in another case that
/// is not owned: whatever is there stays, and the run says that it did not do all.
#[test]
fn what_somebody_else_puts_under_a_waiting_code_stays() {
    let all = [(1, "acme-09"), (1, "acme-13"), (2, "acme-13")];
    let edits = ["another", "gone", "ACME"];
    each(
        all.into_iter().flat_map(|(writes, code)| edits.map(move |edit| (writes, code, edit))),
        |(writes, code, edit)| {
            let brand = work();
            let (by_hand, upper) = (art(Kind::Icon, 200), code.to_uppercase());
            let exit = edited(&brand, writes, || {
                brand.portal.remove(Kind::Icon, code).unwrap();
                match edit {
                    "another" => brand.portal.seed(Kind::Icon, code, &by_hand).unwrap(),
                    "ACME" => brand.portal.seed(Kind::Icon, &upper, &by_hand).unwrap(),
                    _ => {}
                }
            });
            // A delete that somebody else did is done.
            let is_done = (code, edit) == ("acme-13", "gone");
            assert_eq!(exit, if is_done { 0 } else { 3 }, "{writes} {code} {edit}");
            let live = brand.live();
            let expected = match edit {
                "another" => Some(code.to_owned()),
                "ACME" => Some(upper),
                _ => None,
            };
            let under = |name: &str| {
                live.iter().find(|(address, _)| **address == format!("icon/{name}")).map(|(_, bytes)| bytes.clone())
            };
            match expected {
                Some(name) => {
                    assert_eq!(under(&name).as_ref(), Some(&by_hand), "{writes} {code} {edit}: {:?}", brand.codes())
                }
                None => assert_eq!(under(code), None),
            }
            // Nothing else was left out.
            assert_eq!(brand.image("icon/acme-08").unwrap(), art(Kind::Icon, 108));
            assert!(brand.image("icon/acme-12").is_none());
            assert!(kept(&brand, &art(Kind::Icon, 12)), "the deleted one has a copy");
        },
    );
}
