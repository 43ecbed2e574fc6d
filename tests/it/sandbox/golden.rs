//! The documented request and answer of every method, as fixtures of our own in `golden/`: sent as the documentation's
//! curl commands do, answered with exactly the documented keys, types and errors.
//!
//! Three things differ from the documentation on purpose, because published server code does: its samples add the icon
//! `info`, which is a system code there; texts of `NOT_FOUND` for log entries quote the id; and the one error of the two
//! lists, which have no parameters, cannot be had.

use std::collections::BTreeMap;
use std::process::Command;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::LogList;
use serde_json::{Value, json};

use super::common::{Portal, base64, is, portal, portal_with};

const ICON: &[u8] = include_bytes!("golden/truncated-opaque-icon.png");
const LOGO: &[u8] = include_bytes!("golden/truncated-opaque-logo.png");

/// A portal that has what the fixture of a method asks for.
async fn prepared(method: &str) -> Portal {
    let portal = portal_with(|options| options.log_list = LogList::Pages);
    if !method.ends_with(".add") {
        portal.sandbox.seed(Kind::Icon, "acme-info", ICON).unwrap();
        portal.sandbox.seed(Kind::Logo, "acme-info", LOGO).unwrap();
        let fields = json!({ "entityTypeId": 1, "entityId": 1, "title": "Invoice sent", "text": "No. 12", "iconCode": "acme-info" });
        let (status, answer) = send(&portal, "app", "crm.timeline.logmessage.add", &json!({ "fields": fields })).await;
        assert_eq!(status, 200, "{answer}");
    }
    portal
}

async fn send(portal: &Portal, caller: &str, method: &str, request: &Value) -> (u16, Value) {
    let mut request = request.clone();
    let base = match caller {
        "administrator" => portal.sandbox.admin_webhook(),
        "user" => portal.sandbox.user_webhook(),
        "app" => {
            request["auth"] = portal.app()["access_token"].clone();
            portal.rest("")
        }
        other => panic!("no caller {other}"),
    };
    let post = portal.client.post(base + method).header("accept", "application/json").json(&request);
    let answer = post.send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

/// Whether an answer is as documented; `<…>` stands for what varies.
fn matches(documented: &Value, answer: &Value) -> bool {
    match (documented, answer) {
        (Value::Object(shape), Value::Array(list)) if shape.contains_key("<each>") => {
            let shapes = shape["<each>"].as_array().unwrap();
            list.iter().all(|element| shapes.iter().any(|shape| matches(shape, element)))
                && shapes.iter().all(|shape| list.iter().any(|element| matches(shape, element)))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| matches(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| matches(one, other))
        }
        (Value::String(kind), answer) if kind.starts_with('<') => match kind.as_str() {
            "<seconds>" => answer.is_number(),
            "<integer>" => answer.is_u64(),
            "<text>" => answer.as_str().is_some_and(|text| !text.is_empty()),
            "<date>" => answer.as_str().is_some_and(|text| text.len() == 25 && text.parse::<jiff::Timestamp>().is_ok()),
            "<upload>" => answer.as_str().is_some_and(|text| text.starts_with("/upload/crm/")),
            other => panic!("no placeholder {other}"),
        },
        (one, other) => one == other,
    }
}

/// A request with the image that the documentation's sample stands for.
fn with_image(request: &Value, method: &str) -> Value {
    let mut request = request.clone();
    if request["fileContent"] == "<image>" {
        request["fileContent"] = base64(if method.contains("icon") { ICON } else { LOGO }).into();
    }
    request
}

#[tokio::test]
async fn every_method_answers_as_documented() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sandbox/golden");
    let fixtures: BTreeMap<String, Value> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        })
        .collect();
    assert_eq!(fixtures.len(), 12);
    for (method, fixture) in fixtures {
        let callers = fixture.get("callers").cloned().unwrap_or(json!(["administrator", "app"]));
        for caller in callers.as_array().unwrap() {
            let portal = prepared(&method).await;
            for error in fixture["errors"].as_array().unwrap() {
                let request = with_image(&error["request"], &method);
                let (status, answer) = send(&portal, error["caller"].as_str().unwrap(), &method, &request).await;
                assert_eq!(status, 400, "{method}: {answer}");
                assert!(matches(&error["answer"], &answer), "{method}: {answer} is not {}", error["answer"]);
            }
            let request = with_image(&fixture["request"], &method);
            let (status, answer) = send(&portal, caller.as_str().unwrap(), &method, &request).await;
            assert_eq!(status, 200, "{method}: {answer}");
            assert!(matches(&fixture["answer"], &answer), "{method}: {answer} is not {}", fixture["answer"]);
        }
    }
}

#[tokio::test]
async fn the_samples_of_the_documentation_themselves_are_refused() {
    let portal = portal();
    let info = json!({ "code": "info", "fileContent": base64(ICON) });
    let reserved = is(400, "BX_INVALID_VALUE", "info is reserved word and cannot be used");
    assert_eq!(portal.refused("crm.timeline.icon.add", info.clone()).await, reserved);
    let size = is(400, "INVALID_ARG_VALUE", "Only png 60px on 60px is supported");
    assert_eq!(portal.refused("crm.timeline.logo.add", info).await, size, "its sample of a logo is an icon");
}

#[test]
fn validate_refuses_the_image_that_the_portal_takes() {
    for (kind, image) in [("icons", ICON), ("logos", LOGO)] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(kind)).unwrap();
        std::fs::write(folder.path().join(kind).join("acme-info.png"), image).unwrap();
        let manifest = format!("version: 1\nowns: [\"acme-*\"]\n{kind}: {kind}/\n");
        std::fs::write(folder.path().join("brand.yaml"), manifest).unwrap();
        let run = Command::new(env!("CARGO_BIN_EXE_brandctl")).arg("validate").current_dir(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(1), "{said}");
        assert!(said.contains("png-format"), "{said}");
    }
}

#[test]
fn a_shape_refuses_what_is_not_its_own() {
    let shape = json!({ "a": { "<each>": [{ "b": "<integer>" }, "<date>"] } });
    assert!(matches(&shape, &json!({ "a": [{ "b": 1 }, "2024-04-03T10:26:32+02:00"] })));
    for other in [
        json!({}),
        json!({ "a": [] }),
        json!({ "a": [{ "b": 1 }] }),
        json!({ "a": [{ "b": 1.5 }, "2024-04-03T10:26:32+02:00"] }),
        json!({ "a": [{ "b": 1, "c": 1 }, "2024-04-03T10:26:32+02:00"] }),
        json!({ "a": [{ "b": 1 }, "2024-04-03T10:26:32+02:00", 7] }),
    ] {
        assert!(!matches(&shape, &other), "{other}");
    }
}
