//! Copies of old images: made by the process that removes them, after it holds the lock, and of nothing else than what the
//! portal shows.

use std::collections::BTreeSet;
use std::fs;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::faults::{FaultAction, On, When};
use serde_json::Value;

use super::ownership::kept;
use crate::common::{Brand, Output, art, each, found};

/// A replace and a delete, known from the cache.
fn known() -> Brand {
    let brand = Brand::new().in_step(4);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
    brand.plan().ends_with(0);
    brand
}

fn state(brand: &Brand, name: &str) -> std::path::PathBuf {
    let portals = fs::read_dir(brand.path(".brandctl")).unwrap().map(|entry| entry.unwrap().path());
    portals.filter(|path| path.is_dir()).map(|portal| portal.join(name)).next().unwrap()
}

/// Makes the cache say of one entry's path what it knows of another's.
fn swap(brand: &Brand, one: &str, other: &str) {
    let index = state(brand, "cache/index.json");
    let mut cache: Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    let stored = brand.portal.entries();
    let uri = |code: &str| stored.iter().find(|entry| entry.code == code).unwrap().file_uri.clone();
    let (one, other) = (uri(one), uri(other));
    let entries = cache["entries"].as_object_mut().unwrap();
    let (first, second) = (entries[&one].clone(), entries[&other].clone());
    entries.insert(one, second);
    entries.insert(other, first);
    fs::write(&index, serde_json::to_vec(&cache).unwrap()).unwrap();
}

fn runs(brand: &Brand) -> usize {
    fs::read_dir(state(brand, "runs")).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count()
}

fn message(output: &Output) -> &str {
    found(&output.json, "error")[0]["message"].as_str().unwrap()
}

#[test]
fn a_cache_that_names_another_image_costs_no_copy() {
    let brand = known();
    swap(&brand, "acme-00", "acme-01");
    let output = brand.apply().ends_with(0);
    assert_eq!(output.changes(), ["replace icon/acme-00", "delete icon/acme-01"], "{output:?}");
    let run = output.json["run"]["id"].as_str().unwrap().to_owned();
    brand.json(&format!("restore {run} --yes")).ends_with(0);
    for (code, mark) in [("icon/acme-00", 0), ("icon/acme-01", 1)] {
        assert_eq!(brand.image(code).unwrap(), art(Kind::Icon, mark), "{code}");
    }
}

#[test]
fn nothing_is_replaced_because_a_cache_says_that_it_differs() {
    let brand = Brand::new().in_step(3);
    brand.plan().ends_with(0);
    swap(&brand, "acme-00", "acme-01");
    brand.writing_nothing(|| {
        let output = brand.apply().ends_with(0);
        assert!(output.changes().is_empty(), "{output:?}");
    });
}

#[test]
fn a_saved_plan_that_names_another_image_is_stale() {
    let brand = known();
    swap(&brand, "acme-00", "acme-01");
    brand.save_plan();
    brand.writing_nothing(|| {
        let output = brand.apply_saved("plan.json").ends_with(5);
        assert_eq!(output.errors(), ["plan-stale", "plan-stale"], "{output:?}");
        assert_eq!(message(&output), "icon/acme-00: its image is not the one that the plan removes");
    });
    assert_eq!(runs(&brand), 0, "a run that did not begin leaves nothing");
}

#[test]
fn what_a_saved_plan_holds_is_no_copy() {
    let brand = known();
    brand.save_plan();
    brand.fail(brandctl::sandbox::Faults::one(On::Download, When::Every, FaultAction::Html(404)));
    brand.writing_nothing(|| {
        let output = brand.apply_saved("plan.json").ends_with(5);
        let told = "icon/acme-00: its image cannot be downloaded for a copy: ";
        assert!(message(&output).starts_with(told), "{output:?}");
    });
    assert_eq!(runs(&brand), 0);
}

#[test]
fn the_flag_lets_a_saved_plan_go_on_without_copies_and_says_so() {
    each(["status 404 gone", "image 1x1", "truncate 60"], |action| {
        for options in ["", "--allow-unbacked"] {
            let brand = known();
            let saved: Vec<_> = "plan -o plan.json".split(' ').chain(options.split_whitespace()).collect();
            brand.run(saved).ends_with(0);
            brand.fail(format!("download 1 {action}; download 2 {action}").parse().unwrap());
            let output = brand.apply_saved("plan.json --allow-unbacked").ends_with(0);
            assert_eq!(output.fates(), ["applied icon/acme-00", "applied icon/acme-01"], "{action}: {output:?}");
            let warnings: Vec<_> = found(&output.json, "warning").into_iter().collect();
            let told: Vec<_> = warnings.iter().map(|warning| warning["message"].as_str().unwrap()).collect();
            for (address, told) in ["icon/acme-00", "icon/acme-01"].iter().zip(&told) {
                assert!(told.starts_with(&format!("{address}: its image cannot be downloaded for a copy: ")), "{told}");
            }
            assert_eq!(
                (told.len(), brand.codes()),
                (2, ["acme-00", "acme-02", "acme-03"].map(|code| format!("icon/{code}")).into())
            );
            // What came is kept if the portal may have stored it, though it is not the image that the plan speaks of.
            let came: BTreeSet<_> = (0..2).map(|mark| art(Kind::Icon, mark)[..60].to_vec()).collect();
            let expected = if action == "truncate 60" { came } else { BTreeSet::new() };
            assert_eq!(BTreeSet::from_iter(kept(&output)), expected, "{action}");
            let is_named = told.iter().all(|told| told.contains("the file that came is kept in the run's folder as "));
            assert_eq!(is_named, action == "truncate 60", "{told:?}");
            let run = output.json["run"]["id"].as_str().unwrap();
            let shown = brand.run(["show", run]).ends_with(0);
            assert!(!shown.stdout.contains("old images"), "{shown:?}");
            let restored = brand.json(&format!("restore {run} --yes")).ends_with(1);
            assert_eq!(restored.errors(), ["restore", "restore"], "{restored:?}");
        }
    });
}

#[test]
fn the_flag_does_not_let_a_saved_plan_remove_another_image() {
    let brand = known();
    brand.save_plan();
    brand.fail("download 1 image 24x24".parse().unwrap());
    brand.writing_nothing(|| {
        let output = brand.apply_saved("plan.json --allow-unbacked").ends_with(5);
        assert_eq!(output.errors(), ["plan-stale"], "{output:?}");
    });
    assert_eq!(runs(&brand), 0);
}

#[test]
fn several_entries_with_one_image_are_copied_each() {
    let brand = Brand::new().in_step(2).portal_has("icon/acme-x", 50).portal_has("icon/acme-y", 50);
    brand.save_plan();
    let output = brand.apply_saved("plan.json").ends_with(0);
    assert_eq!(output.changes(), ["delete icon/acme-x", "delete icon/acme-y"]);
    let run = output.json["run"]["id"].as_str().unwrap().to_owned();
    brand.json(&format!("restore {run} --yes")).ends_with(0);
    assert_eq!(brand.image("icon/acme-y").unwrap(), art(Kind::Icon, 50));
}

#[test]
fn what_was_changed_without_a_copy_is_not_promised_back() {
    let brand = known();
    fs::remove_dir_all(brand.path(".brandctl")).unwrap();
    brand.fail("download every status 404 gone".parse().unwrap());
    let output = brand.run(["apply", "--yes", "--settle", "0.1", "--allow-unbacked"]).ends_with(0);
    assert!(output.stderr.contains("warning[not-read-back]: icon/acme-00"), "{}", output.stderr);
    assert!(!output.stdout.contains("puts the old image back"), "{}", output.stdout);
    assert!(output.stdout.contains("Applied 4 changes; 3 could not be read back."), "{}", output.stdout);
}

/// A file that may not grow is an error of the write, and not the end without a word.
#[cfg(unix)]
#[test]
fn a_limit_on_the_size_of_files_ends_in_an_error() {
    for kib in [0, 1, 2, 3] {
        let brand = known();
        let line = format!("ulimit -f {kib}; exec {} apply --yes --settle 0.1", env!("CARGO_BIN_EXE_brandctl"));
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &line]).current_dir(brand.folder.path()).env_clear();
        let output = command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{kib}: {output:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() || told.contains("File too large"), "{kib}: {told}");
    }
}
