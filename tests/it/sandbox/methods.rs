//! The methods for icons and logos, row by row of what the portal does.

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};
use serde_json::{Value, json};

use super::common::{add, base64, delete, is, png, portal, portal_with, refusal};

#[tokio::test]
async fn add_checks_in_the_order_of_the_table() {
    let portal = portal();
    let good = base64(&png(24, 0));
    let user = portal.sandbox.user_webhook();
    let add = |parameters: Value| portal.refused("crm.timeline.icon.add", parameters);
    let as_user = async |parameters: Value| {
        let (status, answer) = portal.at(&format!("{user}crm.timeline.icon.add"), parameters).await;
        refusal(status, &answer)
    };
    let missing = |name: &str| is(400, "100", &format!("Could not find value for parameter {{{name}}}"));
    let mistyped = |value: &str, name: &str| {
        let text =
            format!("Invalid value {{{value}}} to match with parameter {{{name}}}. Should be value of type string.");
        is(400, "100", &text)
    };
    // 1 and 2, before the caller is looked at
    assert_eq!(as_user(json!({})).await, missing("code"));
    assert_eq!(as_user(json!({ "code": 5 })).await, missing("fileContent"));
    assert_eq!(as_user(json!({ "code": 5, "fileContent": [] })).await, mistyped("5", "code"));
    assert_eq!(as_user(json!({ "code": "", "fileContent": ["x"] })).await, mistyped("Array", "fileContent"));
    // 3, before the content
    assert_eq!(as_user(json!({ "code": "", "fileContent": "" })).await, is(400, "ACCESS_DENIED", "Access denied"));
    // 4 and 5, before the code
    let invalid = is(400, "INVALID_ARG_VALUE", "Invalid image");
    assert_eq!(add(json!({ "code": "", "fileContent": "" })).await, invalid);
    assert_eq!(add(json!({ "code": "call", "fileContent": "%-_!=" })).await, invalid);
    let size = is(400, "INVALID_ARG_VALUE", "Only png 24px on 24px is supported");
    for content in
        [base64(b"GIF89a"), base64(&png(60, 0)), base64(&png(24, 0)[..20]), format!("data:image/png;base64,{good}")]
    {
        assert_eq!(add(json!({ "code": "call", "fileContent": content })).await, size);
    }
    assert_eq!(
        portal.refused("crm.timeline.logo.add", json!({ "code": "x", "fileContent": good })).await,
        is(400, "INVALID_ARG_VALUE", "Only png 60px on 60px is supported")
    );
    assert_eq!(portal.sandbox.orphans(), 0, "nothing was stored so far");
    // 7, 8 and 9, after the file was stored
    let (status, error, _) = add(json!({ "code": "", "fileContent": good })).await;
    assert_eq!((status, error.as_str()), (400, "BX_EMPTY_REQUIRED"));
    let icon = portal.result("crm.timeline.icon.add", json!({ "code": "Acme", "fileContent": good })).await;
    let uri = icon["icon"]["fileUri"].as_str().unwrap();
    assert_eq!(icon, json!({ "icon": { "code": "Acme", "isSystem": false, "fileUri": uri } }));
    let unique = is(400, "BX_INVALID_VALUE", "Code must be unique");
    for code in ["Acme", "aCME", "acme  "] {
        assert_eq!(add(json!({ "code": code, "fileContent": good })).await, unique);
    }
    let reserved = is(400, "BX_INVALID_VALUE", "arrow-down is reserved word and cannot be used");
    assert_eq!(add(json!({ "code": "arrow-down", "fileContent": good })).await, reserved);
    assert_eq!(add(json!({ "code": "x".repeat(256), "fileContent": good })).await.1, "BX_INVALID_VALUE");
    assert_eq!(portal.sandbox.orphans(), 6, "each of these left a file");
    // no error: other case than a system code, the other kind
    for (method, code, side) in [("icon", "Call", 24), ("logo", "ACME", 60), ("icon", &"é".repeat(255), 24)] {
        let content = base64(&png(side, 1));
        portal.result(&format!("crm.timeline.{method}.add"), json!({ "code": code, "fileContent": content })).await;
    }
    assert_eq!(portal.codes().len(), 4);
}

#[tokio::test]
async fn a_file_that_cannot_be_stored_is_no_entry() {
    let portal = portal_with(|options| {
        let refuse = FaultAction::RefuseCommand {
            method: "*.add".to_owned(),
            code: "FILE_SAVE_ERROR".to_owned(),
            description: "File not saved".to_owned(),
            status: 400,
        };
        options.faults = Faults::one(On::Any, When::From(2), refuse);
    });
    let content = base64(&png(24, 0));
    portal.result("crm.timeline.icon.add", json!({ "code": "a", "fileContent": content })).await;
    let parameters = json!({ "code": "b", "fileContent": content });
    assert_eq!(portal.refused("crm.timeline.icon.add", parameters).await, is(400, "FILE_SAVE_ERROR", "File not saved"));
    let batch = portal.batch(false, json!({ "d": delete("a"), "a": add("a", 24, 1) })).await;
    assert_eq!(batch["result"], json!({ "d": true }));
    assert_eq!(batch["result_error"]["a"]["error"], "FILE_SAVE_ERROR");
    assert!(portal.codes().is_empty());
}

#[tokio::test]
async fn get_and_delete() {
    let portal = portal();
    portal.sandbox.seed(Kind::Icon, "Acme", &png(24, 0)).unwrap();
    let uri = portal.sandbox.entries()[0].file_uri.clone();
    let code = |code: &str| json!({ "code": code });
    let echoed = portal.result("crm.timeline.icon.get", code("ACME")).await;
    assert_eq!(echoed, json!({ "icon": { "code": "ACME", "isSystem": false, "fileUri": uri } }));
    let system = portal.result("crm.timeline.logo.get", code("document")).await;
    assert_eq!(system, json!({ "logo": { "code": "document", "isSystem": true, "fileUri": "" } }));
    let icon = |code: &str| is(400, "NOT_FOUND", &format!("Icon not found for code `{code}`"));
    assert_eq!(portal.refused("crm.timeline.icon.get", code("none")).await, icon("none"));
    assert_eq!(portal.refused("crm.timeline.icon.delete", code("none")).await, icon("none"));
    assert_eq!(portal.refused("crm.timeline.icon.delete", code("call")).await, icon("call"), "a system code");
    assert_eq!(
        portal.refused("crm.timeline.logo.get", code("Acme")).await,
        is(400, "NOT_FOUND", "Logo not found for code `Acme`")
    );
    assert_eq!(portal.refused("crm.timeline.icon.delete", json!({})).await.1, "100");
    let (status, answer) =
        portal.at(&format!("{}crm.timeline.icon.delete", portal.sandbox.user_webhook()), code("Acme")).await;
    assert_eq!(refusal(status, &answer), is(400, "ACCESS_DENIED", "Access denied"));
    assert_eq!(portal.download(&uri).await, (200, png(24, 0)));
    assert_eq!(portal.result("crm.timeline.icon.delete", code("aCmE")).await, json!(true));
    assert_eq!(portal.download(&uri).await.0, 404);
    assert!(portal.codes().is_empty());
}

#[tokio::test]
async fn lists_have_system_entries_first_and_a_total() {
    let portal = portal();
    portal.sandbox.seed(Kind::Icon, "b", &png(24, 0)).unwrap();
    portal.sandbox.seed(Kind::Icon, "a", &png(24, 0)).unwrap();
    let (_, answer) = portal.at(&format!("{}crm.timeline.icon.list", portal.sandbox.user_webhook()), json!({})).await;
    assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["result", "total", "time"]);
    let icons = answer["result"]["icons"].as_array().unwrap();
    assert_eq!((icons.len(), &answer["total"]), (52, &json!(52)));
    assert_eq!(icons[0], json!({ "code": "call", "isSystem": true, "fileUri": "" }));
    assert!(icons[..50].iter().all(|icon| icon["isSystem"] == true));
    assert_eq!((&icons[50]["code"], &icons[51]["isSystem"]), (&json!("b"), &json!(false)));
    let uri = icons[51]["fileUri"].as_str().unwrap();
    let parts: Vec<usize> = uri.split('/').map(str::len).collect();
    assert!(uri.starts_with("/upload/crm/"), "{uri}");
    assert_eq!(parts, [0, 6, 3, 3, 32, 32]);
    assert_ne!(uri, icons[50]["fileUri"], "a path of its own for the same content");
    let (_, logos) = portal.call("crm.timeline.logo.list", json!({})).await;
    assert_eq!((logos["result"]["logos"].as_array().unwrap().len(), &logos["total"]), (41, &json!(41)));
    assert_eq!(logos["result"]["logos"][40], Value::Null, "the one that is reserved and has no entry");
    let times =
        ["start", "finish", "duration", "processing", "date_start", "date_finish", "operating_reset_at", "operating"];
    assert_eq!(logos["time"].as_object().unwrap().keys().collect::<Vec<_>>(), times);
}

/// The list does not show every reserved code.
#[tokio::test]
async fn a_system_logo_without_an_entry_is_reserved_all_the_same() {
    let portal = portal();
    let code = "booking-wait-list-item";
    let list = portal.result("crm.timeline.logo.list", json!({})).await;
    let logos = list["logos"].as_array().unwrap();
    assert_eq!(logos.iter().filter(|logo| logo.is_null()).count(), 1);
    assert!(logos.iter().all(|logo| logo["code"] != code));
    assert_eq!(portal.refused("crm.timeline.logo.get", json!({ "code": code })).await.1, "NOT_FOUND");
    assert_eq!(portal.refused("crm.timeline.logo.delete", json!({ "code": code })).await.1, "NOT_FOUND");
    let content = base64(&png(60, 0));
    let (_, _, text) = portal.refused("crm.timeline.logo.add", json!({ "code": code, "fileContent": content })).await;
    assert_eq!(text, format!("{code} is reserved word and cannot be used"));
    portal.result("crm.timeline.icon.add", json!({ "code": code, "fileContent": base64(&png(24, 0)) })).await;
}

#[tokio::test]
async fn a_code_that_became_a_system_code_is_listed_twice() {
    let portal = portal();
    portal.sandbox.seed(Kind::Icon, "fax", &png(24, 0)).unwrap();
    portal.sandbox.make_system(Kind::Icon, "fax").unwrap();
    let portal = portal.reopened();
    let list = portal.result("crm.timeline.icon.list", json!({})).await;
    let fax: Vec<_> = list["icons"].as_array().unwrap().iter().filter(|icon| icon["code"] == "fax").collect();
    let system = json!({ "code": "fax", "isSystem": true, "fileUri": "" });
    assert_eq!(fax, [&system, &system]);
    assert_eq!(portal.result("crm.timeline.icon.get", json!({ "code": "fax" })).await["icon"], system);
    assert_eq!(portal.result("crm.timeline.icon.delete", json!({ "code": "fax" })).await, json!(true));
    let content = base64(&png(24, 0));
    let (_, _, text) = portal.refused("crm.timeline.icon.add", json!({ "code": "fax", "fileContent": content })).await;
    assert_eq!(text, "fax is reserved word and cannot be used");
}

#[tokio::test]
async fn a_stale_list_and_a_null_element() {
    let portal = portal();
    portal.sandbox.seed(Kind::Icon, "old", &png(24, 0)).unwrap();
    let customs = async || {
        let list = portal.result("crm.timeline.icon.list", json!({})).await;
        list["icons"].as_array().unwrap()[50..].iter().map(|icon| icon["code"].clone()).collect::<Vec<_>>()
    };
    portal.sandbox.set_stale_icon_list(true);
    portal.batch(false, json!([delete("old"), add("new", 24, 0)])).await;
    assert_eq!(customs().await, ["old"]);
    assert_eq!(portal.refused("crm.timeline.icon.get", json!({ "code": "old" })).await.1, "NOT_FOUND");
    portal.result("crm.timeline.icon.get", json!({ "code": "new" })).await;
    portal.sandbox.set_stale_icon_list(false);
    assert_eq!(customs().await, ["new"]);
    portal.sandbox.set_null_element(true);
    assert_eq!(customs().await, [json!("new"), Value::Null]);
}

#[tokio::test]
async fn the_handle_reaches_behind_the_api() {
    let portal = portal();
    portal.sandbox.seed(Kind::Logo, "raw", b"no picture").unwrap();
    portal.sandbox.seed(Kind::Logo, "RAW", b"<svg/>").unwrap();
    let before = portal.sandbox.entries();
    assert_eq!((before.len(), before[0].code.as_str(), before[0].content.as_slice()), (1, "RAW", &b"<svg/>"[..]));
    portal.sandbox.rotate_uris().unwrap();
    let after = portal.sandbox.entries();
    assert_eq!(portal.download(&before[0].file_uri).await.0, 404);
    assert_eq!(portal.download(&after[0].file_uri).await, (200, b"<svg/>".to_vec()));
    portal.sandbox.remove(Kind::Logo, "raw").unwrap();
    assert!(portal.codes().is_empty());
}
