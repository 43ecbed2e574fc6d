//! A run on the embedded portal that is killed takes the portal with it: what is on disk opens again, whole.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::{Options, start};

use crate::common::{Brand, art, command};

const COUNT: u8 = 60;

/// A brand with creates, replaces and deletes ahead of it, on a portal in `sandbox/`.
fn brand() -> Brand {
    let mut brand = Brand::new();
    let portal = start(Options::new(brand.path("sandbox"))).unwrap();
    for number in 0..COUNT {
        let code = format!("acme-{number:02}");
        match number % 3 {
            0 => portal.seed(Kind::Icon, &code, &art(Kind::Icon, 255 - number)).unwrap(),
            1 => {}
            _ => {
                portal.seed(Kind::Icon, &code, &art(Kind::Icon, number)).unwrap();
                continue;
            }
        }
        brand = brand.declares(&format!("icon/{code}"), number);
    }
    portal.seed(Kind::Icon, "other", &art(Kind::Icon, 250)).unwrap();
    brand
}

const APPLY: [&str; 7] = ["apply", "--yes", "--max-deletes", "99", "--settle", "0.1", "--sandbox=sandbox"];

fn live(brand: &Brand) -> BTreeMap<String, Vec<u8>> {
    let portal = start(Options::new(brand.path("sandbox"))).unwrap();
    portal.entries().into_iter().map(|entry| (entry.code, entry.content)).collect()
}

/// How much the portal has written.
fn size(brand: &Brand) -> u64 {
    let files = std::fs::read_dir(brand.path("sandbox")).unwrap();
    // A file may be gone before it is looked at.
    files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).sum()
}

#[test]
fn kill_9_leaves_whole_entries_and_the_next_apply_converges() {
    let undisturbed = brand();
    let before = size(&undisturbed);
    undisturbed.run(APPLY).ends_with(0);
    let written = size(&undisturbed) - before;
    let goal = live(&undisturbed);
    assert_eq!(goal.len(), 41);

    let mut halfway = 0;
    for ninth in 0..9 {
        let brand = brand();
        let initial = live(&brand);
        let enough = size(&brand) + written * ninth / 9;
        let mut child =
            command(brand.folder.path()).args(APPLY).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Killed as soon as the portal has written so much, wherever that is.
        while size(&brand) <= enough && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let now = live(&brand);
        for (code, content) in &now {
            let known = [initial.get(code), goal.get(code)];
            assert!(known.contains(&Some(content)), "{code} has an image that nobody uploaded");
        }
        // At most one pair can be between its delete and its add.
        let lost = initial.keys().filter(|code| goal.contains_key(*code) && !now.contains_key(*code)).count();
        assert!(lost <= 1, "{lost} codes lost");
        assert_eq!(now.get("other"), initial.get("other"));
        halfway += usize::from(now != initial && now != goal);
        // The lock died with its holder, and the ordinary diff finishes the work.
        brand.run(APPLY).ends_with(0);
        assert_eq!(live(&brand), goal);
        let plan = brand.run(["plan", "--sandbox=sandbox", "--format", "json"]).ends_with(0);
        assert!(plan.changes().is_empty());
    }
    assert!(halfway > 0, "no run was killed halfway");
}

#[test]
fn the_embedded_portal_keeps_its_data_in_the_state_folder() {
    let brand = Brand::new().declares("icon/acme-a", 1).with("portal: acme.bitrix24.com").with_webhook(None);
    brand.run(["apply", "--yes", "--sandbox"]).ends_with(0);
    let output = brand.run(["plan", "--sandbox", "--format", "json"]).ends_with(0);
    assert!(output.changes().is_empty());
    assert!(output.json["portal"].as_str().unwrap().starts_with("sandbox-"));
    assert!(brand.path(".brandctl/sandbox").is_dir());
    // Another folder is another portal.
    let output = brand.run(["plan", "--sandbox=other", "--format", "json"]).ends_with(0);
    assert_eq!(output.changes(), ["create icon/acme-a"]);
    // A folder that somebody works on is not shared.
    let _held = start(Options::new(brand.path("other"))).unwrap();
    let output = brand.run(["plan", "--sandbox=other", "--format", "json"]).ends_with(1);
    assert_eq!(output.errors(), ["sandbox"]);
}
