//! A plan that nothing has changed for reads the lists and nothing else.

use brandctl::domain::asset::Kind;

use crate::common::{Brand, art, timeless};

#[test]
fn a_second_plan_downloads_nothing_and_is_one_request() {
    let brand = Brand::new().in_step(6).portal_has("icon/other", 90);
    brand.plan().ends_with(0);
    assert_eq!(brand.downloads(), 6, "what is not owned is not fetched");
    let before = brand.portal.requests().len();
    brand.plan().ends_with(0);
    assert_eq!(brand.portal.requests().len() - before, 1);
    let last = brand.portal.requests().pop().unwrap();
    assert_eq!(last.method, "batch");
    let methods: Vec<_> = last.commands.iter().map(|command| command.method.as_str()).collect();
    assert_eq!(methods, ["crm.timeline.icon.list", "crm.timeline.logo.list"]);
    brand.run(["drift"]).ends_with(0);
    assert_eq!(brand.portal.requests().len() - before, 2);
}

#[test]
fn refresh_downloads_again() {
    let brand = Brand::new().in_step(3);
    brand.plan();
    brand.json("plan --refresh").ends_with(0);
    assert_eq!(brand.downloads(), 6);
    brand.plan();
    assert_eq!(brand.downloads(), 6);
}

#[test]
fn only_new_paths_are_fetched() {
    let brand = Brand::new().in_step(3);
    brand.plan();
    brand.seed("icon/acme-01", &art(Kind::Icon, 77));
    assert_eq!(brand.plan().changes(), ["replace icon/acme-01"]);
    assert_eq!(brand.downloads(), 4);
    brand.portal.rotate_uris().unwrap();
    brand.plan();
    assert_eq!(brand.downloads(), 7);
}

#[test]
fn what_apply_read_back_is_known_to_the_next_plan() {
    let brand = Brand::new().declares("icon/acme-a", 1).declares("icon/acme-b", 2);
    brand.apply().ends_with(0);
    let before = brand.portal.requests().len();
    assert!(brand.plan().ends_with(0).changes().is_empty());
    assert_eq!(brand.portal.requests().len() - before, 1);
}

#[test]
fn a_lost_or_damaged_cache_costs_downloads_and_nothing_else() {
    let brand = Brand::new().in_step(3);
    let expected = timeless(&brand.plan().ends_with(0).json);
    for (path, is_file) in walk(&brand.path(".brandctl")) {
        if is_file {
            std::fs::write(path, b"\xff{\"not\": what it was").unwrap();
        }
    }
    assert_eq!(timeless(&brand.plan().ends_with(0).json), expected);
    std::fs::remove_dir_all(brand.path(".brandctl")).unwrap();
    assert_eq!(timeless(&brand.plan().ends_with(0).json), expected);
}

#[test]
fn state_that_cannot_be_written_does_not_stop_a_plan() {
    let brand = Brand::new().in_step(1);
    std::fs::write(brand.path("taken"), "a file").unwrap();
    let output = brand.run(["plan", "--state-dir", "taken"]).ends_with(0);
    assert!(output.stderr.contains("cache"), "{}", output.stderr);
    // A run has to be kept: without a place for it nothing is written.
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.writing_nothing(|| brand.run(["apply", "--yes", "--state-dir", "taken"]).ends_with(1));
}

#[test]
fn the_state_folder_ignores_itself_in_git() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    brand.apply().ends_with(0);
    assert_eq!(std::fs::read_to_string(brand.path(".brandctl/.gitignore")).unwrap().trim(), "*");
}

pub(crate) fn walk(folder: &std::path::Path) -> Vec<(std::path::PathBuf, bool)> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.path().to_owned(), entry.file_type().is_file()))
        .collect()
}
