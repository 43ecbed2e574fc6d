//! Log entries: `crm.timeline.logmessage.*`.

use brandctl::sandbox::LogList;
use serde_json::{Value, json};

use super::common::{Portal, is, portal, portal_with, refusal};

const ADD: &str = "crm.timeline.logmessage.add";
const GET: &str = "crm.timeline.logmessage.get";
const LIST: &str = "crm.timeline.logmessage.list";
const DELETE: &str = "crm.timeline.logmessage.delete";

fn fields(entity_type: i64, entity: i64, title: &str) -> Value {
    json!({ "fields": {
        "entityTypeId": entity_type, "entityId": entity, "title": title, "text": "Called back", "iconCode": "acme-call",
    }})
}

/// Lists the entries of deal 7 and gives their ids.
async fn ids(portal: &Portal, more: Value) -> Vec<u64> {
    let mut parameters = json!({ "entityTypeId": 2, "entityId": "7" });
    parameters.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    let result = portal.result(LIST, parameters).await;
    let entries = result.get("logMessages").unwrap_or(&result).as_array().unwrap();
    entries.iter().map(|entry| entry["id"].as_u64().unwrap()).collect()
}

/// `count` entries of deal 7, and one of another deal between them.
async fn filled(portal: &Portal, count: usize) {
    for number in 0..count {
        portal.result(ADD, fields(2, 7, &number.to_string())).await;
        if number == 0 {
            portal.result(ADD, fields(2, 8, "another deal")).await;
        }
    }
}

#[tokio::test]
async fn add_checks_in_the_order_of_the_server() {
    let portal = portal();
    let user = portal.sandbox.user_webhook();
    let as_user = async |parameters: Value| {
        let (status, answer) = portal.at(&format!("{user}{ADD}"), parameters).await;
        refusal(status, &answer)
    };
    let add = |parameters: Value| portal.refused(ADD, parameters);
    // the parameter, before the caller; the caller, before the fields
    assert_eq!(as_user(json!({})).await, is(400, "100", "Could not find value for parameter {fields}"));
    let text = "Invalid value {x} to match with parameter {fields}. Should be value of type array.";
    assert_eq!(as_user(json!({ "fields": "x" })).await, is(400, "100", text));
    assert_eq!(as_user(json!({ "fields": {} })).await, is(400, "ACCESS_DENIED", "Access denied"));
    // the fields in their order, a null counts as none; then the item
    let whole = fields(0, 0, "");
    for name in ["entityTypeId", "entityId", "title", "text", "iconCode"] {
        let missing = is(400, "0", &format!("Missing a required field: {name}"));
        let mut without = whole.clone();
        without["fields"].as_object_mut().unwrap().remove(name);
        assert_eq!(add(without).await, missing);
        let mut null = whole.clone();
        null["fields"][name] = Value::Null;
        assert_eq!(add(null).await, missing);
    }
    assert_eq!(add(json!({ "fields": [] })).await.2, "Missing a required field: entityTypeId");
    let owner = is(400, "OWNER_NOT_FOUND", "Owner was not found");
    for (entity_type, entity) in [(2, 0), (2, -7), (0, 1), (-2, 1), (5, 1), (127, 1), (192, 1), (1029, 1)] {
        assert_eq!(add(fields(entity_type, entity, "x")).await, owner, "{entity_type}:{entity}");
    }
    for (id, entity_type) in (1..).zip([1, 2, 3, 4, 7, 31, 128, 191, 1030, 1036]) {
        assert_eq!(portal.result(ADD, fields(entity_type, 1, "x")).await["logMessage"]["id"], id);
    }
}

#[tokio::test]
async fn an_entry_is_kept_as_it_was_given() {
    let portal = portal();
    let odd = json!({ "fields": { "entityTypeId": "2 apples", "entityId": "7", "title": "<b>\u{202e}ü</b>\n", "text": true, "iconCode": "no-such-icon", "more": 1 } });
    let answer = portal.result(ADD, odd).await["logMessage"].clone();
    assert_eq!(
        answer.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["id", "created", "authorId", "title", "text", "iconCode"]
    );
    let created = answer["created"].as_str().unwrap();
    assert!(created.ends_with("+00:00") && created.parse::<jiff::Timestamp>().is_ok(), "{created}");
    assert_eq!(
        answer,
        json!({ "id": 1, "created": created, "authorId": 1, "title": "<b>\u{202e}ü</b>\n", "text": "1", "iconCode": "no-such-icon" })
    );
    assert_eq!(portal.result(GET, json!({ "id": "1" })).await, json!({ "logMessage": answer }));
    let user = format!("{}{GET}", portal.sandbox.user_webhook());
    assert_eq!(portal.at(&user, json!({ "id": 1 })).await.1["result"]["logMessage"], answer, "everybody may read");
    assert_eq!(
        portal.result(LIST, json!({ "entityTypeId": 2, "entityId": 7 })).await,
        json!({ "logMessages": [answer] })
    );
    let nested = [
        ("fields[entityTypeId]", "2"),
        ("fields[entityId]", "9"),
        ("fields[title]", "a b"),
        ("fields[text]", ""),
        ("fields[iconCode]", "info"),
    ];
    let form = portal.client.post(portal.url(ADD)).form(&nested).send().await.unwrap().text().await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&form).unwrap()["result"]["logMessage"]["title"], "a b");
}

#[tokio::test]
async fn get_and_delete_look_at_id_caller_entry_and_app() {
    let portal = portal();
    portal.result(ADD, fields(2, 7, "x")).await;
    let user = portal.sandbox.user_webhook();
    let as_user = async |method: &str, parameters: Value| {
        let (status, answer) = portal.at(&format!("{user}{method}"), parameters).await;
        refusal(status, &answer)
    };
    let missing = is(400, "100", "Could not find value for parameter {id}");
    let mistyped = is(400, "100", "Invalid value {1x} to match with parameter {id}. Should be value of type int.");
    let unknown = |id: i64| is(400, "NOT_FOUND", &format!("Timeline logmessage not found for id `{id}`"));
    for method in [GET, DELETE] {
        assert_eq!(as_user(method, json!({})).await, missing);
        assert_eq!(as_user(method, json!({ "id": "1x" })).await, mistyped);
        for id in [0, -1, 2] {
            assert_eq!(portal.refused(method, json!({ "id": id })).await, unknown(id));
        }
    }
    assert_eq!(as_user(DELETE, json!({ "id": 2 })).await, is(400, "ACCESS_DENIED", "Access denied"));
    let (status, error, _) = portal.refused(DELETE, json!({ "id": 1 })).await;
    assert_eq!((status, error.as_str()), (400, "REMOVING_DISABLED"), "a webhook is not an application");
    portal.result(GET, json!({ "id": 1 })).await;
}

#[tokio::test]
async fn a_list_is_an_object_of_ten_that_ignores_start() {
    let portal = portal();
    filled(&portal, 12).await;
    let (_, answer) = portal.call(LIST, json!({ "entityTypeId": 2, "entityId": 7 })).await;
    assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["result", "total", "time"]);
    assert_eq!(answer["total"], 12);
    let newest = [13, 12, 11, 10, 9, 8, 7, 6, 5, 4];
    assert_eq!(ids(&portal, json!({})).await, newest);
    assert_eq!(ids(&portal, json!({ "start": 10 })).await, newest);
    assert_eq!(ids(&portal, json!({ "offset": 10 })).await, [3, 1]);
    assert_eq!(ids(&portal, json!({ "offset": 12 })).await, [0_u64; 0]);
    for parameters in [json!({ "entityTypeId": 2, "entityId": 9 }), json!({ "entityTypeId": 99, "entityId": -1 })] {
        let (status, answer) = portal.call(LIST, parameters).await;
        assert_eq!((status, &answer["result"]["logMessages"], &answer["total"]), (200, &json!([]), &json!(0)));
    }
    assert_eq!(
        portal.refused(LIST, json!({ "entityTypeId": "x" })).await.2,
        "Could not find value for parameter {entityId}"
    );
    let text = "Invalid value {x} to match with parameter {entityTypeId}. Should be value of type int.";
    assert_eq!(portal.refused(LIST, json!({ "entityTypeId": "x", "entityId": [] })).await, is(400, "100", text));
    let text = "Invalid value {asc} to match with parameter {order}. Should be value of type array.";
    let order = json!({ "entityTypeId": 2, "entityId": 7, "order": "asc" });
    assert_eq!(portal.refused(LIST, order).await, is(400, "100", text));
}

#[tokio::test]
async fn an_order_names_id_or_created() {
    let portal = portal();
    filled(&portal, 3).await;
    let newest = [4, 3, 1];
    for (order, expected) in [
        (json!({ "id": "asc" }), [1, 3, 4]),
        (json!({ "id": "desc" }), newest),
        (json!({ "created": "asc" }), [1, 3, 4]),
        (json!({ "created": "desc" }), newest),
        (json!({ "text": "asc", "id": "asc" }), [1, 3, 4]),
        (json!({ "ID": "asc" }), newest),
        (json!({ "id": "ASC" }), newest),
        (json!([]), newest),
        (json!(null), newest),
    ] {
        assert_eq!(ids(&portal, json!({ "order": order })).await, expected, "{order}");
    }
    let answer =
        portal.client.get(portal.url(&format!("{LIST}?entityTypeId=2&entityId=7&order[id]=asc"))).send().await.unwrap();
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(answer["result"]["logMessages"][0]["id"], 1);
}

#[tokio::test]
async fn the_documented_list_is_an_array_with_pages() {
    let portal = portal_with(|options| options.log_list = LogList::Pages);
    filled(&portal, 21).await;
    let page = async |start: Value| {
        let (_, answer) = portal.call(LIST, json!({ "entityTypeId": 2, "entityId": 7, "start": start })).await;
        (answer["result"].as_array().unwrap().len(), answer["total"].clone(), answer["next"].clone())
    };
    assert_eq!(page(json!(0)).await, (10, json!(21), json!(10)));
    assert_eq!(
        page(json!(1)).await,
        (10, json!(21), json!(10)),
        "the documented sample starts at 1 and has the newest entry"
    );
    assert_eq!(page(json!("10")).await, (10, json!(21), json!(20)));
    assert_eq!(page(json!(20)).await, (1, json!(21), Value::Null));
    assert_eq!(page(json!(30)).await, (0, json!(21), Value::Null));
    assert_eq!(page(json!(-1)).await, (10, json!(21), json!(10)));
    assert_eq!(ids(&portal, json!({ "start": 20 })).await, [1]);
    let list = format!("{LIST}?entityTypeId=2&entityId=7&start=");
    let batch = portal.batch(false, json!({ "a": format!("{list}0"), "b": format!("{list}20") })).await;
    assert_eq!((&batch["result_next"], &batch["result_total"]), (&json!({ "a": 10 }), &json!({ "a": 21, "b": 21 })));
}

#[tokio::test]
async fn entries_outlive_a_restart() {
    let portal = portal();
    filled(&portal, 2).await;
    let before = portal.result(GET, json!({ "id": 2 })).await;
    let portal = portal.reopened();
    assert_eq!(portal.result(GET, json!({ "id": 2 })).await, before);
    assert_eq!(portal.result(ADD, fields(2, 7, "later")).await["logMessage"]["id"], 4);
}
