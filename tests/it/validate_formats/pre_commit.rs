//! `.pre-commit-hooks.yaml`: what it says can be run as pre-commit runs it.

use std::collections::BTreeMap;

use super::fixture::{Brand, png};

fn hook() -> BTreeMap<String, serde_json::Value> {
    let text = include_str!("../../../.pre-commit-hooks.yaml");
    let hooks: Vec<BTreeMap<String, serde_json::Value>> = serde_saphyr::from_str(text).unwrap();
    let [hook] = <[_; 1]>::try_from(hooks).unwrap();
    hook
}

#[test]
fn the_hook_runs_as_pre_commit_runs_it() {
    let hook = hook();
    assert_eq!(hook["language"], "rust");
    let words: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').collect();
    assert_eq!(words[0], env!("CARGO_PKG_NAME"), "cargo install makes no other program");
    let brand = Brand::new();
    let files = ["brand.yaml", "icons/call.png", "icons/fax.png"];
    assert!(brand.run(&[&words[1..], &files].concat()).status.success());
    brand.write("icons/call.png", png(32, [1, 2, 3], false));
    assert_eq!(brand.run(&[&words[1..], &["icons/fax.png"]].concat()).status.code(), Some(0));
    assert_eq!(brand.run(&[&words[1..], &["icons/call.png"]].concat()).status.code(), Some(1));
}
