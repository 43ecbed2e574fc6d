//! `.pre-commit-hooks.yaml`: what it says can be run as pre-commit runs it. `tests/external/release` runs it by pre-commit itself.

use std::collections::BTreeMap;

use super::fixture::{Brand, png};

type Hook = BTreeMap<String, serde_json::Value>;

fn hooks() -> Vec<Hook> {
    serde_saphyr::from_str(include_str!("../../../.pre-commit-hooks.yaml")).unwrap()
}

#[test]
fn the_hooks_differ_only_in_where_the_program_comes_from() {
    let of = |key: &str| hooks().iter().map(|hook| hook[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("id"), ["brandctl-validate", "brandctl-validate-system", "brandctl-validate-src"]);
    assert_eq!(of("language"), ["python", "system", "rust"]);
    for key in ["entry", "files", "require_serial"] {
        let values = of(key);
        assert!(values.iter().all(|value| value == &values[0]), "{key}: {values:?}");
    }
}

/// pre-commit passes what matches: every name that `validate` takes for a manifest, and every PNG.
#[test]
fn the_hooks_see_every_manifest_and_image() {
    let pattern = serde_json::json!({"pattern": hooks()[0]["files"]});
    let pattern = jsonschema::draft7::new(&pattern).unwrap();
    let sees = |path: &str| pattern.is_valid(&serde_json::json!(path));
    for path in [
        "brand.yaml",
        "a/brand.yml",
        "brandctl.yaml",
        "brandctl.yml",
        "x.brandctl.yaml",
        "a/x.brandctl.yml",
        "a.png",
        "b/A.PNG",
    ] {
        assert!(sees(path), "{path}");
    }
    // Such names would be options, with which a pull request could write over files.
    for path in ["--report=html=x.png", "-fok.brandctl.yaml", "--report=md=/a/brand.yaml", "-.png"] {
        assert!(!sees(path), "{path}");
    }
    for path in ["mybrand.yaml", "brand.yaml.txt", "brandctl.yamlx", "x.yaml", "png", "a.pngx"] {
        assert!(!sees(path), "{path}");
    }
}

#[test]
fn the_hooks_run_as_pre_commit_runs_them() {
    let hooks = hooks();
    let words: Vec<&str> = hooks[0]["entry"].as_str().unwrap().split(' ').collect();
    assert_eq!(words[0], env!("CARGO_PKG_NAME"), "neither pip nor cargo installs another program");
    let brand = Brand::new();
    let files = ["brand.yaml", "icons/call.png", "icons/fax.png"];
    assert!(brand.run(&[&words[1..], &files].concat()).status.success());
    brand.write("icons/call.png", png(32, [1, 2, 3], false));
    assert_eq!(brand.run(&[&words[1..], &["icons/fax.png"]].concat()).status.code(), Some(0));
    assert_eq!(brand.run(&[&words[1..], &["icons/call.png"]].concat()).status.code(), Some(1));
}
