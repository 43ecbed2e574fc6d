//! A saved plan is what was reviewed, or nothing.

use std::fs;

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::format::{ActionName, Document};
use brandctl::render::json::schemas;
use serde_json::Value;

use crate::common::{Brand, MANIFEST, art};

/// One create, one replace and one delete, saved.
fn saved() -> Brand {
    let brand = Brand::new().in_step(4).declares("icon/acme-new", 9);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
    brand.save_plan();
    brand
}

fn read(brand: &Brand) -> Document {
    serde_json::from_slice(&fs::read(brand.path("plan.json")).unwrap()).unwrap()
}

/// Writes a plan whose digest is right, for any content.
fn forge(brand: &Brand, mut document: Document) {
    document.plan_sha256 = Some(document.digest().unwrap());
    fs::write(brand.path("plan.json"), serde_json::to_vec(&document).unwrap()).unwrap();
}

#[track_caller]
fn refused(brand: &Brand, code: i32) -> crate::common::Output {
    brand.writing_nothing(|| brand.both("apply plan.json").ends_with(code))
}

#[test]
fn a_saved_plan_is_self_contained_and_deterministic() {
    let brand = saved();
    let first = fs::read(brand.path("plan.json")).unwrap();
    brand.save_plan();
    assert_eq!(fs::read(brand.path("plan.json")).unwrap(), first);
    let document: Value = serde_json::from_slice(&first).unwrap();
    assert_eq!(document["contents"].as_object().unwrap().len(), 4, "two to upload, two that are replaced or deleted");
    assert_eq!(document["plan_sha256"], brand.plan().json["plan_sha256"], "the digest is the one that is shown");
    let validator = jsonschema::validator_for(&schemas::of("plan").unwrap()).unwrap();
    assert!(validator.is_valid(&document));
    // Nothing but the manifest is needed to apply it.
    fs::remove_dir_all(brand.path("icons")).unwrap();
    fs::remove_dir_all(brand.path(".brandctl")).unwrap();
    fs::create_dir(brand.path("icons")).unwrap();
    let output = brand.apply_saved("plan.json --allow-empty").ends_with(0);
    assert_eq!(output.fates(), ["applied icon/acme-00", "applied icon/acme-01", "applied icon/acme-new"]);
}

#[test]
fn jamf_the_planned_bytes_are_uploaded_although_the_file_was_edited() {
    let brand = saved();
    brand.draw("icon/acme-00", &art(Kind::Icon, 55));
    brand.draw("icon/acme-new", b"no PNG at all");
    brand.apply_saved("plan.json").ends_with(0);
    assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 99));
    assert_eq!(brand.image("icon/acme-new").unwrap(), art(Kind::Icon, 9));
}

#[test]
fn terraform_a_plan_with_steps_is_applied_once() {
    let brand = saved();
    brand.apply_saved("plan.json").ends_with(0);
    let output = refused(&brand, 5);
    assert!(output.errors().iter().all(|rule| rule == "plan-stale"), "{output:?}");
    assert!(output.stderr.contains("icon/acme-new"), "{}", output.stderr);
}

#[test]
fn terraform_an_empty_plan_is_applied_as_often_as_one_likes() {
    let brand = Brand::new().in_step(2);
    brand.save_plan();
    refused(&brand, 0);
    refused(&brand, 0);
}

#[test]
fn a_saved_plan_is_stale_when_anything_it_speaks_of_has_moved() {
    type Move = fn(&Brand);
    let moves: [(&str, Move); 6] = [
        ("created by another", |brand| brand.seed("icon/acme-new", &art(Kind::Icon, 70))),
        ("created in other case", |brand| brand.seed("icon/acme-NEW", &art(Kind::Icon, 9))),
        ("replaced by another", |brand| brand.seed("icon/acme-00", &art(Kind::Icon, 71))),
        ("to be deleted, changed", |brand| brand.seed("icon/acme-01", &art(Kind::Icon, 72))),
        ("to be deleted, gone", |brand| brand.portal.remove(Kind::Icon, "acme-01").unwrap()),
        ("to be replaced, gone", |brand| brand.portal.remove(Kind::Icon, "acme-00").unwrap()),
    ];
    for (what, happens) in moves {
        let brand = saved();
        happens(&brand);
        let output = refused(&brand, 5);
        assert!(output.errors().contains(&"plan-stale".to_owned()), "{what}: {output:?}");
    }
    // What it does not speak of may move, and new paths are ignored.
    let brand = saved();
    brand.seed("icon/acme-02", &art(Kind::Icon, 73));
    brand.seed("icon/other", &art(Kind::Icon, 74));
    brand.portal.rotate_uris().unwrap();
    brand.apply_saved("plan.json").ends_with(0);
}

#[test]
fn octodns_an_altered_plan_is_refused_whatever_was_altered() {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 9).portal_has("icon/other", 80);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
    brand.save_plan();
    let plan: Value = serde_json::from_slice(&fs::read(brand.path("plan.json")).unwrap()).unwrap();
    let mut places = Vec::new();
    leaves(&plan, &mut String::new(), &mut places);
    assert!(places.len() > 40, "{places:?}");
    brand.writing_nothing(|| {
        for place in &places {
            let mut altered = plan.clone();
            alter(altered.pointer_mut(place).unwrap());
            fs::write(brand.path("plan.json"), serde_json::to_vec(&altered).unwrap()).unwrap();
            let output = brand.apply_saved("plan.json");
            assert_eq!((output.code, output.errors()), (1, vec!["plan".to_owned()]), "{place}: {output:?}");
        }
    });
    // Whatever is added, left out or cut off.
    type Alteration = fn(&mut Value);
    let altered: [(&str, Alteration); 4] = [
        ("a change less", |plan| drop(plan["changes"].as_array_mut().unwrap().pop())),
        ("a key more", |plan| plan["force"] = true.into()),
        ("no digest", |plan| plan["plan_sha256"] = Value::Null),
        ("no contents", |plan| drop(plan.as_object_mut().unwrap().remove("contents"))),
    ];
    for (what, alter) in altered {
        let mut altered = plan.clone();
        alter(&mut altered);
        fs::write(brand.path("plan.json"), serde_json::to_vec(&altered).unwrap()).unwrap();
        let output = refused(&brand, 1);
        assert!(output.stderr.contains("help"), "{what}: {}", output.stderr);
    }
    let whole = serde_json::to_vec(&plan).unwrap();
    for bytes in [&whole[..whole.len() / 2], b"", b"{}", b"null", b"\xff\xfe", b"version: 1"] {
        fs::write(brand.path("plan.json"), bytes).unwrap();
        refused(&brand, 1);
    }
    fs::remove_file(brand.path("plan.json")).unwrap();
    refused(&brand, 1);
}

/// The pointers to everything that is not a list or a map.
fn leaves(value: &Value, at: &mut String, found: &mut Vec<String>) {
    let length = at.len();
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push_str(&format!("/{index}"));
                leaves(item, at, found);
                at.truncate(length);
            }
        }
        Value::Object(items) => {
            for (key, item) in items {
                at.push_str(&format!("/{key}"));
                leaves(item, at, found);
                at.truncate(length);
            }
        }
        _ => found.push(at.clone()),
    }
}

/// Another value of the same type, as plausible as it can be.
fn alter(value: &mut Value) {
    *value = match value.take() {
        Value::Null => "x".into(),
        Value::Bool(flag) => (!flag).into(),
        Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
        Value::String(text) => {
            // A digit of a digest stays a digit, a letter of base64 a letter.
            let mut bytes = text.into_bytes();
            let middle = bytes.len() / 2;
            match bytes.get_mut(middle) {
                Some(byte) => *byte = if *byte == b'1' { b'2' } else { b'1' },
                None => bytes.push(b'x'),
            }
            String::from_utf8(bytes).unwrap().into()
        }
        other => panic!("no leaf: {other}"),
    };
}

#[test]
fn a_plan_for_another_portal_is_refused() {
    let brand = saved();
    let mut document = read(&brand);
    document.portal = Some("other.bitrix24.com".to_owned());
    forge(&brand, document);
    let output = refused(&brand, 5);
    assert!(output.stderr.contains("other.bitrix24.com"), "{}", output.stderr);
    // Really made on another portal.
    let output = brand.run(["plan", "--sandbox=elsewhere", "-o", "plan.json"]).ends_with(0);
    assert!(output.stdout.contains("to create"));
    refused(&brand, 5);
}

#[test]
fn slekkel_a_code_that_became_a_system_code_is_refused() {
    for code in ["acme-00", "acme-01", "acme-new"] {
        let brand = saved();
        brand.portal.make_system(Kind::Icon, code).unwrap();
        let output = refused(&brand, 5);
        assert!(output.stderr.contains(code), "{}", output.stderr);
    }
}

#[test]
fn a_forged_plan_cannot_touch_what_the_manifest_does_not_let_it() {
    let manifest = format!("{MANIFEST}ignore: [acme-lab-*]\nprotect: [acme-brand]\n");
    for (target, code) in [("other", 5), ("acme-lab-1", 5), ("acme-brand", 4), ("acme-sys", 5)] {
        for action in [ActionName::Delete, ActionName::Replace] {
            // A sound plan that touches the target, made under a manifest that lets it.
            let brand = Brand::new().in_step(3).portal_has(&format!("icon/{target}"), 60);
            brand.rewrite(MANIFEST.replace("[\"acme-*\"]", "[\"acme-*\", other]"));
            if action == ActionName::Replace {
                brand.draw(&format!("icon/{target}"), &art(Kind::Icon, 61));
            }
            brand.save_plan();
            let document = read(&brand);
            assert_eq!((document.changes.len(), document.changes[0].action), (1, action));
            forge(&brand, document);
            brand.rewrite(&manifest);
            if action == ActionName::Replace {
                brand.undeclare(&format!("icon/{target}"));
            }
            if target == "acme-sys" {
                brand.portal.make_system(Kind::Icon, target).unwrap();
            }
            let output = refused(&brand, code);
            assert!(output.text().contains(target), "{action:?} {target}: {output:?}");
        }
    }
}

#[test]
fn a_forged_plan_cannot_hide_its_target_behind_another_address() {
    // The address is owned; the entry that would be deleted is another.
    let brand = saved();
    brand.seed("icon/other", &art(Kind::Icon, 1));
    let mut document = read(&brand);
    let change = document.changes.iter_mut().find(|change| change.action == ActionName::Delete).unwrap();
    change.before.as_mut().unwrap().code = Code::new("other");
    change.precondition.code = Some(Code::new("other"));
    forge(&brand, document);
    refused(&brand, 1);
    // The same in other case: `owns` does not match the spelling on the portal.
    let brand = Brand::new().in_step(2).portal_has("icon/ACME-01x", 1);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.save_plan();
    let mut document = read(&brand);
    let change = &mut document.changes[0];
    change.address = Address::new(Kind::Icon, Code::new("acme-01x"));
    change.before.as_mut().unwrap().code = Code::new("ACME-01x");
    change.precondition.code = Some(Code::new("ACME-01x"));
    forge(&brand, document);
    refused(&brand, 5);
}

#[test]
fn a_forged_plan_cannot_upload_what_the_rules_refuse() {
    for bytes in [crate::common::sized(25), b"<svg/>".to_vec(), [&art(Kind::Icon, 9)[..], b"tail"].concat()] {
        let brand = saved();
        let mut document = read(&brand);
        let content = brandctl::domain::state::Content::of(&bytes);
        let mut contents = document.contents.take().unwrap();
        contents.insert(content.sha256, base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &bytes));
        let change = document.changes.iter_mut().find(|change| change.action == ActionName::Create).unwrap();
        change.after.as_mut().unwrap().content = content.into();
        document.contents = Some(contents);
        forge(&brand, document);
        refused(&brand, 5);
    }
}

#[test]
fn a_plan_that_was_saved_with_an_error_is_never_applied() {
    let brand = Brand::new().declares("icon/acme-a", 1).declares("icon/acme-sys", 2);
    brand.portal.make_system(Kind::Icon, "acme-sys").unwrap();
    brand.run(["plan", "-o", "plan.json"]).ends_with(1);
    refused(&brand, 1);
}

#[test]
fn a_plan_that_the_manifest_has_left_behind_is_refused() {
    let brand = saved();
    brand.rewrite(MANIFEST.replace("acme-*", "acme-0*"));
    let output = refused(&brand, 5);
    assert!(output.text().contains("acme-new"), "{output:?}");
    brand.rewrite(format!("{MANIFEST}policy: {{prune: false}}\n"));
    refused(&brand, 5);
    brand.rewrite("version: 1\nowns: [\"acme-*\"]\nlogos: logos/\n");
    refused(&brand, 5);
    brand.rewrite(format!("{MANIFEST}protect: [acme-00]\n"));
    let output = refused(&brand, 4);
    assert!(output.text().contains("protect"), "{output:?}");
    brand.rewrite("");
    refused(&brand, 1);
    brand.rewrite(MANIFEST);
    brand.apply_saved("plan.json").ends_with(0);
}

#[test]
fn the_pin_holds_for_saved_plans_too() {
    let brand = saved();
    brand.rewrite(format!("{MANIFEST}portal: acme.bitrix24.com\n"));
    for line in ["plan", "drift", "apply --yes", "apply plan.json"] {
        let output = brand.writing_nothing(|| brand.both(line).ends_with(1));
        assert_eq!(output.errors(), ["portal-pin"], "{line}");
    }
    brand.rewrite(format!("{MANIFEST}portal: [acme.bitrix24.com, \"{}\"]\n", brand.portal.address()));
    let output = brand.both("plan");
    assert!(output.code == 0, "{output:?}");
}
