//! `batch`.

use std::time::Duration;

use brandctl::sandbox::Latency;
use serde_json::json;

use super::common::{add, delete, encoded, portal, portal_with};

#[tokio::test]
async fn batch_maps_are_lists_objects_or_empty_lists() {
    let portal = portal();
    let empty = portal.batch(false, json!({})).await;
    let names = ["result", "result_error", "result_total", "result_next", "result_time"];
    assert_eq!(empty.as_object().unwrap().keys().collect::<Vec<_>>(), names);
    assert!(empty.as_object().unwrap().values().all(|map| *map == json!([])));
    assert_eq!(portal.result("batch", json!({})).await, empty);
    let list = portal.batch(false, json!(["crm.timeline.icon.list", "crm.timeline.logo.list"])).await;
    assert_eq!((list["result"].as_array().unwrap().len(), &list["result_total"]), (2, &json!([50, 41])));
    assert_eq!(list["result_time"][1]["operating"], list["result_time"][1]["duration"]);
    let mixed =
        portal.batch(false, json!({ "l": "crm.timeline.logo.list", "n": "no.such", "b": "batch?cmd[]=x" })).await;
    assert_eq!(mixed["result_total"], json!({ "l": 38 }));
    assert_eq!(mixed["result_time"].as_object().unwrap().len(), 1);
    assert_eq!(
        mixed["result_error"]["n"],
        json!({ "error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!" })
    );
    assert_eq!(mixed["result_error"]["b"]["error"], "ERROR_BATCH_METHOD_NOT_ALLOWED");
    let holes = portal.batch(false, json!(["no.such", "user.admin"])).await;
    assert_eq!((&holes["result"], holes["result_error"].as_array().unwrap().len()), (&json!({ "1": true }), 1));
    let long: Vec<_> = (0..52).map(|_| "user.admin").collect();
    let long = portal.batch(false, json!(long)).await;
    assert_eq!(long["result"].as_array().unwrap().len(), 50);
    let past: Vec<_> = long["result_error"].as_object().unwrap().iter().collect();
    assert_eq!((past.len(), past[0].0.as_str(), &past[1].1["error"]), (2, "50", &json!("ERROR_BATCH_LENGTH_EXCEEDED")));
}

#[tokio::test]
async fn halt_ends_a_batch_at_its_first_refusal() {
    let portal = portal();
    let commands = json!({ "a": add("a", 24, 0), "no": delete("none"), "b": add("b", 24, 0) });
    let halted = portal.batch(true, commands.clone()).await;
    assert_eq!(halted["result"].as_object().unwrap().keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(halted["result_error"].as_object().unwrap().keys().collect::<Vec<_>>(), ["no"]);
    assert_eq!(portal.codes(), ["icon/a"]);
    let on = portal.batch(false, commands).await;
    assert_eq!(on["result"].as_object().unwrap().keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(on["result_error"]["a"]["error_description"], "Code must be unique");
    assert_eq!(portal.codes(), ["icon/a", "icon/b"]);
}

#[tokio::test]
async fn a_command_can_refer_to_an_earlier_result() {
    let portal = portal();
    let answer = portal
        .batch(
            true,
            json!({
                "new": add("acme", 24, 0),
                "again": format!("crm.timeline.icon.get?code={}", encoded("$result[new][icon][code]")),
                "raw": "crm.timeline.icon.get?code=$result[again][icon][code]",
                "typed": "crm.timeline.icon.get?code=$result[new][icon][isSystem]",
            }),
        )
        .await;
    assert_eq!(answer["result"]["again"]["icon"], answer["result"]["new"]["icon"]);
    assert_eq!(answer["result"]["raw"]["icon"]["code"], "acme");
    assert_eq!(answer["result_error"]["typed"]["error"], "100", "a truth is no string");
}

#[tokio::test]
async fn a_batch_goes_on_after_its_client_is_gone() {
    let latency = Latency { per_request: Duration::ZERO, per_command: Duration::from_millis(60) };
    let portal = portal_with(|options| options.latency = latency);
    let commands: Vec<_> = (0..4).map(|n| add(&n.to_string(), 24, n)).collect();
    let request = portal.client.post(portal.url("batch")).json(&json!({ "cmd": commands }));
    request.timeout(Duration::from_millis(100)).send().await.unwrap_err();
    assert!(portal.codes().len() < 4);
    portal.settled(4).await;
}
