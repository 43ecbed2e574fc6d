//! Who calls, and what that lets them do: webhooks, scopes, and the methods that report it.

use serde_json::{Value, json};

use super::common::{Portal, add, is, portal, refusal};

async fn result(portal: &Portal, webhook: &str, method: &str, parameters: Value) -> Value {
    let (status, answer) = portal.at(&format!("{webhook}{method}"), parameters).await;
    assert_eq!(status, 200, "{answer}");
    answer["result"].clone()
}

fn insufficient_scope() -> (u16, String, String) {
    is(401, "insufficient_scope", "The request requires higher privileges than provided by the webhook token")
}

#[tokio::test]
async fn a_webhook_without_crm_may_only_tell_who_it_is() {
    let portal = portal();
    let hook = portal.sandbox.scopeless_webhook();
    let methods = ["icon", "logo", "logmessage"]
        .map(|noun| ["add", "get", "list", "delete"].map(|verb| format!("crm.timeline.{noun}.{verb}")));
    for method in methods.as_flattened() {
        let (status, answer) = portal.at(&format!("{hook}{method}"), json!({})).await;
        assert_eq!(refusal(status, &answer), insufficient_scope(), "{method}");
    }
    let (status, answer) = portal.at(&format!("{hook}crm.timeline.icon.rename"), json!({})).await;
    assert_eq!(refusal(status, &answer).1, "ERROR_METHOD_NOT_FOUND", "the method comes before the scope");
    let commands = json!({ "cmd": { "a": add("a", 24, 0), "b": "user.admin", "c": "scope", "d": "no.such" } });
    let batch = result(&portal, &hook, "batch", commands).await;
    assert_eq!(batch["result"], json!({ "b": true, "c": ["task"] }));
    let (_, error, text) = insufficient_scope();
    assert_eq!(batch["result_error"]["a"], json!({ "error": error, "error_description": text }));
    assert_eq!(batch["result_error"]["d"]["error"], "ERROR_METHOD_NOT_FOUND");
    assert!(portal.codes().is_empty());
}

#[tokio::test]
async fn a_portal_tells_callers_what_they_may() {
    let portal = portal();
    let administrator = portal.sandbox.admin_webhook();
    let hooks = [
        (administrator.clone(), "1", true, json!(["crm"]), true),
        (portal.sandbox.user_webhook(), "2", false, json!(["crm"]), true),
        (portal.sandbox.scopeless_webhook(), "1", true, json!(["task"]), false),
    ];
    for (hook, id, is_administrator, scopes, crm) in hooks {
        assert_eq!(result(&portal, &hook, "user.admin", json!({})).await, is_administrator);
        let profile = result(&portal, &hook, "profile", json!({})).await;
        let keys = ["ID", "ADMIN", "NAME", "LAST_NAME", "PERSONAL_GENDER", "TIME_ZONE", "TIME_ZONE_OFFSET"];
        assert_eq!(profile.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
        assert_eq!((&profile["ID"], &profile["ADMIN"]), (&json!(id), &json!(is_administrator)));
        assert_eq!(result(&portal, &hook, "scope", json!({})).await, scopes);
        assert_eq!(result(&portal, &hook, "scope", json!({ "full": false })).await, scopes);
        assert_eq!(result(&portal, &hook, "scope", json!({ "full": true })).await, json!(["crm", "task"]));
        let known = async |name: &str| result(&portal, &hook, "method.get", json!({ "name": name })).await;
        let answer = |existing: bool, available: bool| json!({ "isExisting": existing, "isAvailable": available });
        assert_eq!(known("crm.timeline.logmessage.add").await, answer(true, crm));
        assert_eq!(known("user.admin").await, answer(true, true));
        assert_eq!(known("crm.deal.add").await, answer(false, false));
    }
    let nothing = json!({ "isExisting": false, "isAvailable": false });
    assert_eq!(result(&portal, &administrator, "method.get", json!({})).await, nothing);
    assert_eq!(result(&portal, &administrator, "method.get", json!({ "name": ["scope"] })).await, nothing);
}

#[tokio::test]
async fn a_secret_belongs_to_its_user() {
    let portal = portal();
    let swapped = [
        portal.sandbox.admin_webhook().replace("/rest/1/", "/rest/2/"),
        portal.sandbox.user_webhook().replace("/rest/2/", "/rest/1/"),
    ];
    for hook in swapped {
        let (status, answer) = portal.at(&format!("{hook}scope"), json!({})).await;
        assert_eq!(refusal(status, &answer), is(401, "INVALID_CREDENTIALS", "Invalid request credentials"));
    }
    assert_eq!(portal.sandbox.requests().iter().map(|one| one.user).collect::<Vec<_>>(), [None, None]);
}
