//! The published JSON schemas are those of the types, and what the program prints is what they say.

use std::path::Path;
use std::process::{Command, Output};

use crate::shared::checkout::copy;
use brandctl::render::json::schemas::{self, SCHEMAS};
use serde_json::Value;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_published(name: &str, schema: &Value) {
    let path = repository().join("schema").join(name);
    let current = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == current,
        "schema/{name} is stale: run `UPDATE_SCHEMA=1 cargo test --test it schemas`"
    );
}

#[test]
fn every_schema_is_the_one_of_the_types() {
    assert!(SCHEMAS.len() >= 12);
    for schema in SCHEMAS {
        is_published(&format!("{}.schema.json", schema.name), &schema.schema());
    }
}

/// A schema is known by its name and by the version of what it describes, wherever it is kept.
#[test]
fn every_schema_has_an_id_of_its_own_with_the_version_it_describes() {
    fn versions(schema: &Value, found: &mut Vec<u64>) {
        let Value::Object(members) = schema else { return };
        for name in ["format_version", "version"] {
            found.extend(schema["properties"][name]["const"].as_u64());
        }
        members
            .get("definitions")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|all| all.values())
            .for_each(|of| versions(of, found));
    }
    let mut ids = std::collections::BTreeSet::new();
    for schema in SCHEMAS {
        let value = schema.schema();
        let mut found = Vec::new();
        versions(&value, &mut found);
        let newest = found.iter().max().unwrap_or_else(|| panic!("{} has no version", schema.name));
        assert_eq!(value["$id"], format!("urn:brandctl:schema:{}:{newest}", schema.name));
        assert_eq!(value.as_object().unwrap().keys().next().unwrap(), "$id");
        assert!(ids.insert(value["$id"].to_string()), "{}", schema.name);
    }
}

/// A copy of examples/acme, and the real program in it.
struct Acme(tempfile::TempDir);

impl Acme {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&repository().join("examples/acme"), folder.path());
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_brandctl"))
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .output()
            .unwrap()
    }

    /// What the program printed as JSON, with the status that it must have ended with.
    fn json(&self, status: i32, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--format", "json"]].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {errors}"))
    }

    fn replace(&self, file: &str, old: &str, new: &str) {
        let path = self.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file} has no {old:?}");
        std::fs::write(path, text.replace(old, new)).unwrap();
    }
}

/// Holds documents against a schema; the message names the place.
fn conform(schema: &Value, documents: &[(&str, Value)]) {
    let validator = jsonschema::draft7::new(schema).unwrap();
    for (what, document) in documents {
        let errors: Vec<_> =
            validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{what}: {errors:#?}");
    }
}

#[test]
fn every_plan_and_run_is_what_the_schema_says() {
    let acme = Acme::new();
    let mut documents = vec![
        ("no credentials", acme.json(1, &["plan"])),
        ("first plan", acme.json(0, &["plan", "--sandbox", "-o", "plan.json"])),
    ];
    let saved: Value = serde_json::from_slice(&std::fs::read(acme.path().join("plan.json")).unwrap()).unwrap();
    assert_eq!(saved["contents"].as_object().unwrap().len(), 12, "a saved plan has the bytes");
    documents.push(("saved plan", saved));
    let applied = acme.json(0, &["apply", "plan.json", "--sandbox"]);
    assert_eq!(applied["changes"][0]["outcome"], "applied");
    documents.push(("applied plan", applied));
    documents.push(("stale plan", acme.json(5, &["apply", "plan.json", "--sandbox"])));
    documents.push(("nothing to do", acme.json(0, &["plan", "--sandbox"])));

    // A replace, a delete that is a rename's half, and unmanaged entries.
    acme.replace("brand.yaml", "  acme-fax:  ", "  acme-telefax: icons/acme-fax.png  ");
    acme.replace("brand.yaml", "icons/acme-call.png", "icons/acme-visit.png");
    acme.replace("brand.yaml", "logos: logos/", "");
    let drifted = acme.json(2, &["drift", "--sandbox"]);
    let actions: Vec<_> = drifted["changes"].as_array().unwrap().iter().map(|change| &change["action"]).collect();
    assert_eq!(actions, ["replace", "delete", "create"]);
    assert_eq!(drifted["unmanaged"].as_array().unwrap().len(), 4);
    documents.push(("drift", drifted));
    documents.push(("refused", acme.json(4, &["apply", "--yes", "--sandbox", "--max-deletes", "0"])));
    documents.push(("second run", acme.json(0, &["apply", "--yes", "--sandbox"])));
    acme.replace("brand.yaml", "icons/acme-visit.png ", "icons/nowhere.png ");
    documents.push(("not valid", acme.json(1, &["plan", "--sandbox"])));
    conform(&schemas::of("plan").unwrap(), &documents);
}

#[test]
fn every_list_is_what_the_schema_says() {
    let acme = Acme::new();
    let mut documents = vec![("no credentials", acme.json(1, &["list"]))];
    acme.json(0, &["apply", "--yes", "--sandbox"]);
    documents.push(("applied", acme.json(0, &["list", "--sandbox"])));
    acme.replace("brand.yaml", "version: 1", "version: x");
    documents.push(("not valid", acme.json(1, &["list", "--sandbox"])));
    conform(&schemas::of("list").unwrap(), &documents);
}

#[test]
fn every_export_is_what_the_schemas_say() {
    let acme = Acme::new();
    acme.json(0, &["apply", "--yes", "--sandbox"]);
    let documents = [
        ("no credentials", acme.json(1, &["export", "out"])),
        ("exported", acme.json(0, &["export", "out", "--sandbox"])),
        ("in part", acme.json(0, &["export", "part", "--sandbox", "--only", "icon/*"])),
        ("there already", acme.json(1, &["export", "out", "--sandbox"])),
        ("nothing matches", acme.json(1, &["export", "none", "--sandbox", "--only", "nothing"])),
    ];
    assert_eq!(documents[1].1["summary"]["declared"], 12);
    conform(&schemas::of("export").unwrap(), &documents);
    let snapshot = |folder: &str| -> Value {
        serde_json::from_slice(&std::fs::read(acme.path().join(folder).join("portal.json")).unwrap()).unwrap()
    };
    conform(&schemas::of("portal").unwrap(), &[("whole", snapshot("out")), ("in part", snapshot("part"))]);
    conform(&schemas::of("plan").unwrap(), &[("against", acme.json(0, &["plan", "--against", "out"]))]);
}

#[test]
fn every_checkup_is_what_the_schema_says() {
    let acme = Acme::new();
    let documents =
        [("no credentials", acme.json(1, &["doctor"])), ("healthy", acme.json(0, &["doctor", "--sandbox"]))];
    assert_eq!(documents[1].1["ready"], true);
    conform(&schemas::of("doctor").unwrap(), &documents);
}

/// The arguments that add a log entry with an icon that the portal need not have.
fn log_add<'a>(title: &'a str, icon: &'a str) -> Vec<&'a str> {
    let line = "log add --sandbox --entity deal:12 --text b --allow-unknown-icon";
    line.split(' ').chain(["--title", title, "--icon", icon]).collect()
}

#[test]
fn every_log_is_what_the_schema_says() {
    let acme = Acme::new();
    let add = log_add("Sent", "parcel");
    let documents = [
        ("no credentials", acme.json(1, &["log", "get", "1"])),
        ("added", acme.json(0, &add)),
        ("listed", acme.json(0, &["log", "list", "--sandbox", "--entity", "deal:12"])),
        ("not deleted", acme.json(1, &["log", "delete", "--sandbox", "1"])),
    ];
    assert_eq!(documents[2].1["entries"][0]["title"], "Sent");
    conform(&schemas::of("log").unwrap(), &documents);
}

#[test]
fn every_usage_is_what_the_schema_says() {
    let acme = Acme::new();
    let add = log_add("T", "acme-call");
    acme.json(0, &add);
    let usage = ["usage", "--sandbox", "--entity", "deal:1-20"];
    let documents = [
        ("no credentials", acme.json(1, &["usage", "acme-call", "--entity", "deal:12"])),
        ("nothing to look for", acme.json(0, &usage)),
        ("all verdicts", acme.json(1, &[&usage[..], &["acme-call", "acme-fax", "logo/acme-brand"]].concat())),
    ];
    assert_eq!(documents[2].1["summary"], serde_json::json!({"used": 1, "not_seen": 1, "unknown": 1}));
    conform(&schemas::of("usage").unwrap(), &documents);
    acme.json(0, &["apply", "--yes", "--sandbox"]);
    acme.replace("brand.yaml", "  acme-call:", "  acme-phone:");
    let plan = acme.json(4, &["plan", "--sandbox", "--check-usage", "--entity", "deal:1-20"]);
    assert!(plan["changes"].as_array().unwrap().iter().any(|change| change["usage"]["verdict"] == "used"), "{plan:#}");
    conform(&schemas::of("plan").unwrap(), &[("a plan with usage", plan)]);
}

#[test]
fn every_start_is_what_the_schema_says() {
    let acme = Acme::new();
    let init = ["init", "new", "--owns", "acme-*", "--ci", "github"];
    let documents = [
        ("nothing answered", acme.json(1, &["init"])),
        ("started", acme.json(0, &init)),
        ("there already", acme.json(1, &init)),
    ];
    assert_eq!(documents[1].1["files"][0]["path"], ".github/workflows/brandctl.yml");
    conform(&schemas::of("init").unwrap(), &documents);
}

#[test]
fn every_validation_is_what_the_schema_says() {
    let acme = Acme::new();
    let mut documents = vec![("sound", acme.json(0, &["validate"]))];
    std::fs::write(acme.path().join("icons/acme-call.png"), b"no PNG").unwrap();
    let art = acme.json(1, &["validate"]);
    assert_eq!(art["findings"][0]["path"], "icons/acme-call.png");
    documents.push(("broken art", art));
    acme.replace("brand.yaml", "acme-fax:", "fax:");
    let manifest = acme.json(1, &["validate"]);
    assert_eq!(manifest["findings"][0]["line"], 10);
    documents.push(("broken manifest", manifest));
    documents.push(("absent", acme.json(1, &["validate", "-f", "nowhere.yaml"])));
    conform(&schemas::of("validate").unwrap(), &documents);
}

#[test]
fn the_rules_are_what_the_schema_says() {
    let acme = Acme::new();
    let documents = [("all", acme.json(0, &["rules"])), ("one", acme.json(0, &["rules", "clipped"]))];
    assert_eq!(documents[0].1["rules"].as_array().unwrap().len(), brandctl::domain::rules::RULES.len());
    assert_eq!(documents[1].1["rules"][0]["default"], "warn");
    conform(&schemas::of("rules").unwrap(), &documents);
}

#[test]
fn the_schemas_refuse_what_they_do_not_know() {
    for schema in [
        schemas::of("plan").unwrap(),
        schemas::of("validate").unwrap(),
        schemas::of("rules").unwrap(),
        schemas::of("list").unwrap(),
        schemas::of("doctor").unwrap(),
        schemas::of("log").unwrap(),
        schemas::of("usage").unwrap(),
        schemas::of("init").unwrap(),
        schemas::of("export").unwrap(),
        schemas::of("portal").unwrap(),
    ] {
        let validator = jsonschema::draft7::new(&schema).unwrap();
        assert!(!validator.is_valid(&serde_json::json!({"format_version": 1, "surprise": true})));
    }
}
