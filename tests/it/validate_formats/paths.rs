//! `validate PATH…`: of the art only what is named, wherever it is named from.

use std::fs;

use serde_json::Value;

use super::fixture::{Brand, png, run_in};

/// The paths of the findings, and how many images were looked at.
fn looked_at(brand: &Brand, paths: &[&str]) -> (Vec<String>, u64) {
    let json: Value = serde_json::from_str(&brand.validate(&[&["--format", "json"], paths].concat()).1).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let of = |finding: &Value| finding["path"].as_str().or(finding["message"].as_str()).unwrap().to_owned();
    (findings.iter().map(of).collect(), json["summary"]["images"].as_u64().unwrap())
}

/// Every image is too large or too small.
fn broken() -> Brand {
    let brand = Brand::new();
    for (file, blue) in [("icons/call.png", 120), ("icons/fax.png", 130), ("logos/acme-brand.png", 140)] {
        brand.write(file, png(32, [20, 30, blue], false));
    }
    brand
}

#[test]
fn only_what_is_named_is_looked_at() {
    let brand = broken();
    let absolute = brand.path("icons/fax.png").display().to_string();
    for (paths, found, images) in [
        (&["icons/call.png"][..], &["icons/call.png"][..], 1),
        (&["./icons/../icons/call.png", "icons/call.png"], &["icons/call.png"], 1),
        (&[absolute.as_str()], &["icons/fax.png"], 1),
        (&["icons"], &["icons/call.png", "icons/fax.png"], 2),
        (&["logos/", "icons/fax.png"], &["icons/fax.png", "logos/acme-brand.png"], 2),
        (&["brand.yaml"], &["icons/call.png", "icons/fax.png", "logos/acme-brand.png"], 3),
        (&["."], &["icons/call.png", "icons/fax.png", "logos/acme-brand.png"], 3),
        (&["icons/call.png", "./brand.yaml"], &["icons/call.png", "icons/fax.png", "logos/acme-brand.png"], 3),
    ] {
        let (mut paths_found, looked) = looked_at(&brand, paths);
        paths_found.sort();
        assert_eq!((paths_found.as_slice(), looked), (found.map_strings().as_slice(), images), "{paths:?}");
    }
}

trait Strings {
    fn map_strings(&self) -> Vec<String>;
}

impl Strings for [&str] {
    fn map_strings(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn the_current_folder_is_what_paths_start_from() {
    let brand = broken();
    let output = run_in(&brand.path("icons"), &["validate", "-f", "../brand.yaml", "call.png", "--format", "github"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("::error file=../icons/call.png,") && text.contains("1 image, 1 error,"), "{text}");
}

#[cfg(unix)]
#[test]
fn links_lead_to_what_they_mean() {
    let brand = Brand::new();
    brand.write("shared/real.png", png(32, [20, 30, 140], false));
    fs::remove_file(brand.path("icons/call.png")).unwrap();
    std::os::unix::fs::symlink("../shared/real.png", brand.path("icons/call.png")).unwrap();
    std::os::unix::fs::symlink("icons", brand.path("linked")).unwrap();
    for path in ["shared/real.png", "icons/call.png", "linked/call.png", "shared"] {
        assert_eq!(looked_at(&brand, &[path]), (vec!["icons/call.png".to_owned()], 1), "{path}");
    }
}

#[test]
fn the_manifest_is_checked_whatever_is_named() {
    let brand = broken();
    brand.write("brand.yaml", format!("{}zebra: 1\n", super::fixture::MANIFEST));
    assert_eq!(looked_at(&brand, &["icons/fax.png"]).0, ["brand.yaml", "icons/fax.png"]);
    // Also that a file is gone, which pre-commit does not pass on.
    fs::remove_file(brand.path("icons/call.png")).unwrap();
    let (code, text) = brand.validate(&["logos/acme-brand.png", "--format", "github"]);
    assert!(code == 1 && text.contains("title=brandctl%3A file-missing") && !text.contains("fax"), "{text}");
    assert!(brand.validate(&["icons/call.png"]).1.contains("file-missing"));
}

#[test]
fn a_path_that_means_nothing_is_not_passed_over_in_silence() {
    let brand = Brand::new();
    brand.write("notes.txt", "hello");
    let output = brand.run(&["validate", "notes.txt", "icons/fax.png"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "Valid: 1 image.\n");
    let notes = String::from_utf8(output.stderr).unwrap();
    assert_eq!(notes, "note: notes.txt is skipped: brand.yaml declares nothing there\n");
    assert!(brand.run(&["validate", "notes.txt", "--quiet"]).stderr.is_empty());
    let (code, text) = brand.validate(&["icons/cal.png"]);
    assert_eq!(code, 1);
    assert!(text.starts_with("error[path-missing]: `icons/cal.png` does not exist"), "{text}");
}

/// A PATH with the name of a manifest is the manifest, so that what is named is what is checked.
#[test]
fn a_named_manifest_is_known_by_its_name() {
    let brand = Brand::new();
    brand.write("acme.brandctl.yaml", "version: 1\nowns: [\"acme-*\"]\nzebra: 1\n");
    let (code, text) = brand.validate(&["acme.brandctl.yaml"]);
    assert!(code == 1 && text.contains("acme.brandctl.yaml:3:1"), "{text}");
    assert_eq!(brand.validate(&["brand.yaml", "./brand.yaml", "icons/call.png"]).0, 0);
    // Of two, none is checked silently.
    for paths in [["acme.brandctl.yaml", "brand.yaml"], ["brand.yaml", "acme.brandctl.yaml"]] {
        let output = brand.run(&[&["validate"], &paths[..]].concat());
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains("are two manifests: check one at a time, with `brandctl validate -f acme"), "{errors}");
    }
    let output = brand.run(&["validate", "-f", "brand.yaml", "acme.brandctl.yaml"]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("acme.brandctl.yaml is skipped") && output.status.success(), "{errors}");
    // None is used that is not named.
    fs::remove_file(brand.path("brand.yaml")).unwrap();
    let (code, text) = brand.validate(&[]);
    assert!(code == 1 && text.contains("name it with `-f acme.brandctl.yaml`"), "{text}");
    brand.write("brand.yml", "");
    let text = brand.validate(&[]).1;
    assert!(text.contains("name one with `-f brand.yml` or `-f acme.brandctl.yaml`"), "{text}");
    let text = brand.validate(&["-f", "."]).1;
    assert!(text.contains("use `-f brand.yml` or `-f acme.brandctl.yaml`"), "{text}");
}

#[test]
fn a_copy_of_the_schema_that_another_brandctl_wrote_is_noted() {
    let brand = Brand::new();
    let noted = |arguments: &[&str]| {
        let (code, text) = brand.validate(&[&["--format", "json"], arguments].concat());
        let json: Value = serde_json::from_str(&text).unwrap();
        let findings = json["findings"].as_array().unwrap().clone();
        assert!(findings.iter().all(|finding| finding["rule"] == "schema-copy"), "{findings:?}");
        assert_eq!(code, 0, "it never fails a check");
        findings
    };
    let current = String::from_utf8(brand.run(&["schema", "manifest"]).stdout).unwrap();
    brand.write("brand.schema.json", &current);
    assert_eq!(noted(&["--deny-warnings"]), [Value::Null; 0]);
    brand.write("brand.schema.json", current.replace("\"clipped\"", "\"clip\""));
    let [found] = <[Value; 1]>::try_from(noted(&["--deny-warnings", "icons/call.png"])).unwrap();
    assert_eq!((&found["path"], &found["severity"]), (&"brand.yaml".into(), &"warning".into()));
    assert!(found["help"].as_str().unwrap().contains("`brandctl schema manifest > brand.schema.json`"), "{found}");
    let (code, text) = brand.validate(&["--deny-warnings"]);
    assert!(code == 0 && !text.contains("denied"), "{text}");
    // Where the manifest names another one, that one counts.
    let text = fs::read_to_string(brand.path("brand.yaml")).unwrap();
    let naming = |schema: &str| brand.write("brand.yaml", format!("# yaml-language-server: $schema={schema}\n{text}"));
    naming("https://example.com/brand.schema.json");
    assert_eq!(noted(&[]), [Value::Null; 0]);
    naming("./editor/x.json");
    assert_eq!(noted(&[]), [Value::Null; 0], "it does not exist");
    brand.write("editor/x.json", current.replace("\"clipped\"", "\"clip\""));
    let [found] = <[Value; 1]>::try_from(noted(&[])).unwrap();
    assert_eq!((&found["line"], &found["column"]), (&1.into(), &33.into()), "{found}");
    brand.write("editor/x.json", current.replace("\"clipped\"", "\"clip\"") + &" ".repeat(300_000));
    assert_eq!(noted(&[]), [Value::Null; 0], "it is larger than any schema");
    let outside = tempfile::NamedTempFile::new_in(brand.path("..")).unwrap();
    fs::write(outside.path(), "{\"title\": \"brandctl manifest\"}").unwrap();
    naming(&format!("../{}", outside.path().file_name().unwrap().display()));
    assert_eq!(noted(&[]), [Value::Null; 0], "it leads out of the root");
}
