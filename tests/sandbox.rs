//! The sandbox over real HTTP: one test a table of what the portal does, its scripted failures, and its state.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use brandctl::domain::asset::Kind;
use brandctl::sandbox::faults::{Action, Cut, On, When};
use brandctl::sandbox::record::End;
use brandctl::sandbox::{Bucket, Faults, Latency, Options, Sandbox, start};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

struct Portal {
    sandbox: Sandbox,
    client: reqwest::Client,
    folder: tempfile::TempDir,
}

fn portal() -> Portal {
    portal_with(|_| {})
}

fn portal_with(change: impl FnOnce(&mut Options)) -> Portal {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.limits = None;
    change(&mut options);
    Portal { sandbox: start(options).unwrap(), client: client(), folder }
}

fn client() -> reqwest::Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

/// A header of that size and nothing behind it: more than the server looks at.
fn png(side: u32, mark: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(side.to_be_bytes());
    bytes.extend(side.to_be_bytes());
    // Every byte value, so that its base64 holds `+` and `/`.
    bytes.extend((0..=255_u8).map(|byte| byte.wrapping_add(mark)));
    bytes
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn add(code: &str, side: u32, mark: u8) -> String {
    let kind = if side == 24 { "icon" } else { "logo" };
    format!("crm.timeline.{kind}.add?code={}&fileContent={}", encoded(code), encoded(&base64(&png(side, mark))))
}

fn delete(code: &str) -> String {
    format!("crm.timeline.icon.delete?code={}", encoded(code))
}

impl Portal {
    fn url(&self, method: &str) -> String {
        self.sandbox.admin_webhook() + method
    }

    async fn send(&self, url: &str, parameters: &Value) -> reqwest::Result<(u16, String)> {
        let answer = self.client.post(url).json(parameters).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    async fn at(&self, url: &str, parameters: Value) -> (u16, Value) {
        let (status, body) = self.send(url, &parameters).await.unwrap();
        (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("no JSON: {body}")))
    }

    async fn call(&self, method: &str, parameters: Value) -> (u16, Value) {
        self.at(&self.url(method), parameters).await
    }

    /// The result without the time.
    async fn result(&self, method: &str, parameters: Value) -> Value {
        let (status, answer) = self.call(method, parameters).await;
        assert_eq!(status, 200, "{answer}");
        answer["result"].clone()
    }

    async fn refused(&self, method: &str, parameters: Value) -> (u16, String, String) {
        let (status, answer) = self.call(method, parameters).await;
        refusal(status, &answer)
    }

    async fn batch(&self, halt: bool, commands: Value) -> Value {
        self.result("batch", json!({ "halt": halt, "cmd": commands })).await
    }

    async fn download(&self, path: &str) -> (u16, Vec<u8>) {
        let answer = self.client.get(format!("http://{}{path}", self.sandbox.address())).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    fn codes(&self) -> Vec<String> {
        self.sandbox.entries().into_iter().map(|entry| format!("{}/{}", entry.kind, entry.code)).collect()
    }

    /// Waits until it holds so many custom entries.
    async fn settled(&self, entries: usize) {
        let before = Instant::now();
        while self.codes().len() != entries {
            assert!(before.elapsed() < Duration::from_secs(5), "still {:?}", self.codes());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops it and starts another on its folder.
    fn reopened(self) -> Self {
        let Self { sandbox, client, folder } = self;
        sandbox.stop();
        let mut options = Options::new(folder.path());
        options.limits = None;
        Self { sandbox: start(options).unwrap(), client, folder }
    }
}

fn refusal(status: u16, answer: &Value) -> (u16, String, String) {
    assert_eq!(answer.as_object().unwrap().len(), 2, "{answer}");
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (status, text("error"), text("error_description"))
}

fn is(status: u16, error: &str, text: &str) -> (u16, String, String) {
    (status, error.to_owned(), text.to_owned())
}

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
        let refuse = Action::RefuseCommand {
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
    assert_eq!((icons.len(), &answer["total"]), (51, &json!(51)));
    assert_eq!(icons[0], json!({ "code": "call", "isSystem": true, "fileUri": "" }));
    assert!(icons[..49].iter().all(|icon| icon["isSystem"] == true));
    assert_eq!((&icons[49]["code"], &icons[50]["isSystem"]), (&json!("b"), &json!(false)));
    let uri = icons[50]["fileUri"].as_str().unwrap();
    let parts: Vec<usize> = uri.split('/').map(str::len).collect();
    assert!(uri.starts_with("/upload/crm/"), "{uri}");
    assert_eq!(parts, [0, 6, 3, 3, 32, 32]);
    assert_ne!(uri, icons[49]["fileUri"], "a path of its own for the same content");
    let (_, logos) = portal.call("crm.timeline.logo.list", json!({})).await;
    assert_eq!((logos["result"]["logos"].as_array().unwrap().len(), &logos["total"]), (38, &json!(38)));
    let times =
        ["start", "finish", "duration", "processing", "date_start", "date_finish", "operating_reset_at", "operating"];
    assert_eq!(logos["time"].as_object().unwrap().keys().collect::<Vec<_>>(), times);
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
        list["icons"].as_array().unwrap()[49..].iter().map(|icon| icon["code"].clone()).collect::<Vec<_>>()
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

#[tokio::test]
async fn the_engine_looks_a_method_up_before_the_caller() {
    let portal = portal();
    let base = format!("http://{}", portal.sandbox.address());
    let unknown = is(404, "ERROR_METHOD_NOT_FOUND", "Method not found!");
    let cases = [
        ("/rest/1/wrong/crm.timeline.icon.rename", unknown.clone()),
        ("/rest/no.such", unknown),
        ("/rest/1/wrong/crm.timeline.icon.list", is(401, "INVALID_CREDENTIALS", "Invalid request credentials")),
        ("/rest/9/wrong/batch", is(401, "INVALID_CREDENTIALS", "Invalid request credentials")),
        ("/rest/crm.timeline.icon.list", is(401, "NO_AUTH_FOUND", "Wrong authorization data")),
    ];
    for (path, expected) in cases {
        let (status, answer) = portal.at(&format!("{base}{path}"), json!({})).await;
        assert_eq!(refusal(status, &answer), expected, "{path}");
    }
    for (webhook, administrator) in [(portal.sandbox.admin_webhook(), true), (portal.sandbox.user_webhook(), false)] {
        let (_, answer) = portal.at(&format!("{webhook}user.admin"), json!({})).await;
        assert_eq!(answer["result"], administrator);
        let (_, answer) = portal.at(&format!("{webhook}profile.json"), json!({})).await;
        assert_eq!(answer["result"]["ADMIN"], administrator);
    }
    assert_eq!(portal.result("scope", json!({})).await, json!(["crm"]));
    let known = portal.result("method.get", json!({ "name": "crm.timeline.icon.add" })).await;
    assert_eq!(known, json!({ "isExisting": true, "isAvailable": true }));
}

#[tokio::test]
async fn every_way_to_write_a_request() {
    let portal = portal();
    portal.sandbox.seed(Kind::Icon, "a b+c", &png(24, 0)).unwrap();
    let hook = portal.sandbox.admin_webhook();
    let get = portal.client.get(format!("{hook}/CRM.Timeline.ICON.get.json/?code=a+b%2Bc"));
    let form = portal.client.post(format!("{hook}crm.timeline.icon.get//")).form(&[("code", "a b+c")]);
    let query_on_post = portal.client.post(format!("{hook}crm.timeline.icon.get?code=a%20b%2Bc"));
    let spoilt = portal
        .client
        .post(format!("{hook}crm.timeline.icon.get?code=a%20b%2Bc"))
        .header("content-type", "application/json; charset=utf-8")
        .body("{\"code\": ");
    for request in [get, form, query_on_post, spoilt] {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!((status, &body["result"]["icon"]["code"]), (200, &json!("a b+c")));
    }
    let long = format!("{hook}user.admin?x={}", "y".repeat(65_000 - hook.len()));
    assert_eq!(portal.client.get(long).send().await.unwrap().status(), 200);
    let nested = [
        ("halt", "1"),
        ("cmd[x]", "crm.timeline.icon.get?code=a+b%2Bc"),
        ("cmd[y]", "user.admin"),
        ("cmd[z]", "crm.timeline.icon.get?code=none"),
    ];
    let answer = portal.client.post(format!("{hook}batch")).form(&nested).send().await.unwrap().text().await.unwrap();
    let body: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(body["result"]["result"]["x"]["icon"]["code"], "a b+c");
    assert_eq!(body["result"]["result_error"]["z"]["error"], "NOT_FOUND");
    let answer = portal.client.get(format!("{hook}batch?cmd[]=user.admin&cmd[]=scope")).send().await.unwrap();
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["result"]["result"], json!([true, ["crm"]]));
}

#[tokio::test]
async fn batch_maps_are_lists_objects_or_empty_lists() {
    let portal = portal();
    let empty = portal.batch(false, json!({})).await;
    let names = ["result", "result_error", "result_total", "result_next", "result_time"];
    assert_eq!(empty.as_object().unwrap().keys().collect::<Vec<_>>(), names);
    assert!(empty.as_object().unwrap().values().all(|map| *map == json!([])));
    assert_eq!(portal.result("batch", json!({})).await, empty);
    let list = portal.batch(false, json!(["crm.timeline.icon.list", "crm.timeline.logo.list"])).await;
    assert_eq!((list["result"].as_array().unwrap().len(), &list["result_total"]), (2, &json!([49, 38])));
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
async fn base64_with_a_raw_plus_is_accepted_and_corrupt() {
    let portal = portal();
    let content = base64(&png(24, 0));
    assert!(content.contains('+') && content.contains('/'));
    let raw = format!("crm.timeline.icon.add?code=raw&fileContent={content}");
    let answer = portal.batch(true, json!([raw, add("sound", 24, 0)])).await;
    assert_eq!(answer["result_error"], json!([]));
    let entries = portal.sandbox.entries();
    assert!(entries[0].content != png(24, 0) && entries[0].content.starts_with(&png(24, 0)[..24]));
    assert_eq!(entries[1].content, png(24, 0), "every byte value arrives");
    let url_safe = json!({ "code": "url-safe", "fileContent": URL_SAFE.encode(png(24, 0)) });
    portal.result("crm.timeline.icon.add", url_safe).await;
    assert_ne!(portal.sandbox.entries()[2].content, png(24, 0));
}

#[tokio::test]
async fn the_bucket_refuses_without_effect_and_leaks() {
    let portal = portal_with(|options| options.limits = Some(Bucket { rate_per_second: 2.0, burst: 3 }));
    let mut refused = Vec::new();
    for code in 0..6 {
        let parameters = json!({ "code": code.to_string(), "fileContent": base64(&png(24, 0)) });
        let (status, answer) = portal.call("crm.timeline.icon.add", parameters).await;
        if status != 200 {
            refused.push(refusal(status, &answer));
        }
    }
    assert!((1..=3).contains(&refused.len()), "{refused:?}");
    assert_eq!(refused[0], is(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"));
    assert_eq!(portal.codes().len(), 6 - refused.len());
    let uri = portal.sandbox.entries()[0].file_uri.clone();
    for _ in 0..5 {
        assert_eq!(portal.download(&uri).await.0, 200, "downloads do not count");
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    let commands: Vec<_> = (0..50).map(|_| "user.admin").collect();
    assert_eq!(
        portal.batch(false, json!(commands)).await["result"].as_array().unwrap().len(),
        50,
        "a batch is one request"
    );
}

#[tokio::test]
async fn state_and_identity_outlive_a_restart() {
    let portal = portal();
    let (id, path) = (portal.sandbox.id().to_owned(), portal.sandbox.admin_webhook());
    portal.batch(false, json!([add("a", 24, 1), add("b", 60, 2), delete("a"), add("A", 24, 3), add("a", 24, 4)])).await;
    let before = portal.sandbox.entries();
    let address = portal.sandbox.address().to_string();
    let portal = portal.reopened();
    assert_eq!((portal.sandbox.entries(), portal.sandbox.orphans()), (before.clone(), 1));
    assert_eq!(portal.sandbox.id(), id);
    assert_eq!(portal.sandbox.admin_webhook(), path.replace(&address, &portal.sandbox.address().to_string()));
    assert_eq!(portal.download(&before[0].file_uri).await, (200, png(24, 3)));
    let other = portal_with(|_| {});
    assert_ne!(other.sandbox.id(), id);
}

#[tokio::test]
async fn a_torn_end_of_the_log_is_forgotten() {
    let portal = portal();
    portal.batch(false, json!([add("a", 24, 1), add("b", 24, 2)])).await;
    let Portal { sandbox, client, folder } = portal;
    sandbox.stop();
    let log = folder.path().join("log.jsonl");
    let whole = std::fs::read(&log).unwrap();
    std::fs::write(&log, &whole[..whole.len() - 9]).unwrap();
    let portal = Portal { sandbox: start(Options::new(folder.path())).unwrap(), client, folder };
    assert_eq!(portal.codes(), ["icon/a"]);
    portal.batch(false, json!([add("c", 24, 3)])).await;
    assert_eq!(portal.reopened().codes(), ["icon/a", "icon/c"]);
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

#[tokio::test]
async fn faults_that_answer_for_the_portal() {
    let portal = portal();
    let user_admin = portal.url("user.admin");
    let status = |code: u16| Action::Status { code, body: "gone".to_owned(), content_type: "text/plain".to_owned() };
    portal.sandbox.set_faults(
        Faults::one(On::Method("USER.admin".to_owned()), When::Nth(2), status(500))
            .and(On::Method("user.admin".to_owned()), When::From(4), Action::Html(502))
            .and(On::Download, When::Every, status(403)),
    );
    let mut seen = Vec::new();
    for _ in 0..5 {
        portal.result("scope", json!({})).await;
        let (status, body) = portal.send(&user_admin, &json!({})).await.unwrap();
        seen.push((status, body.chars().next().unwrap()));
    }
    assert_eq!(seen, [(200, '{'), (500, 'g'), (200, '{'), (502, '<'), (502, '<')]);
    assert_eq!(portal.download("/upload/x").await, (403, b"gone".to_vec()));

    portal.sandbox.set_faults(Faults::one(On::Any, When::Every, Action::RateLimited(2)));
    assert_eq!(portal.refused("scope", json!({})).await, is(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"));
    assert_eq!(portal.call("scope", json!({})).await.0, 503);
    assert_eq!(portal.call("scope", json!({})).await.0, 200);

    portal.sandbox.set_faults(Faults::one(On::Any, When::Every, Action::NotAllowedInBatch));
    let (status, answer) = portal.call("batch", json!({ "cmd": [add("a", 24, 0)] })).await;
    assert_eq!((status, &answer["error"]), (405, &json!("ERROR_BATCH_METHOD_NOT_ALLOWED")));
    portal.batch(false, json!(["scope"])).await;
    portal.result("crm.timeline.icon.add", json!({ "code": "b", "fileContent": base64(&png(24, 0)) })).await;
    assert_eq!(portal.codes(), ["icon/b"]);

    portal.sandbox.set_faults(Faults::one(On::Write, When::Every, Action::Delay(Duration::from_millis(80))));
    let before = Instant::now();
    portal.result("scope", json!({})).await;
    let quick = before.elapsed();
    portal.batch(false, json!([delete("b")])).await;
    assert!(before.elapsed() >= quick + Duration::from_millis(80));
}

#[tokio::test]
async fn faults_that_spoil_the_answer() {
    let late = || Action::StatusAfter { code: 504, body: String::new(), content_type: "text/plain".to_owned() };
    // what goes wrong, whether the connection breaks, what is read, whether the batch had its effect
    let cases = [
        (Action::DropBefore, None, 0),
        (Action::DropAfter, None, 3),
        (Action::TearBody(5), None, 3),
        (Action::TruncateBody(5), Some((200, "{\"res")), 3),
        (Action::EmptyBody, Some((200, "")), 3),
        (Action::HtmlAfter(502), Some((502, "<html>\n<head>")), 3),
        (Action::Html(502), Some((502, "<html>\n<head>")), 0),
        (late(), Some((504, "")), 3),
        (Action::CutBatch { after: 2, answer: Cut::Close }, None, 2),
        (Action::CutBatch { after: 9, answer: Cut::Close }, None, 3),
        (Action::CutBatch { after: 2, answer: Cut::Partial }, Some((200, "{\"result\":{\"result\":[{\"icon\"")), 2),
    ];
    let portal = portal();
    for (action, read, effect) in cases {
        portal.sandbox.set_faults(Faults::one(On::Inner("*.add".to_owned()), When::Nth(1), action.clone()));
        let commands: Vec<_> = (0..3).map(|n| add(&n.to_string(), 24, n)).collect();
        let sent = portal.send(&portal.url("batch"), &json!({ "cmd": commands })).await;
        match (sent, read) {
            (Err(_), None) => {}
            (Ok((status, body)), Some((expected, start))) => {
                assert_eq!(status, expected, "{action:?}");
                assert!(body.starts_with(start), "{action:?}: {body}");
                let short = matches!(action, Action::TruncateBody(_) | Action::EmptyBody);
                assert!(!short || body == start, "{action:?}: {body}");
            }
            (sent, _) => panic!("{action:?}: {sent:?}"),
        }
        assert_eq!(portal.codes().len(), effect, "{action:?}");
        portal.batch(false, json!(["0", "1", "2"].map(delete))).await;
    }
}

#[tokio::test]
async fn a_torn_answer_arrives_in_part() {
    let portal = portal();
    portal.sandbox.seed(Kind::Icon, "a", &png(24, 0)).unwrap();
    let url = format!("http://{}{}", portal.sandbox.address(), portal.sandbox.entries()[0].file_uri);
    portal.sandbox.set_faults(Faults::one(On::Download, When::Every, Action::TearBody(7)));
    let mut answer = portal.client.get(url).send().await.unwrap();
    assert_eq!(answer.content_length(), Some(280));
    assert_eq!(answer.chunk().await.unwrap().unwrap().as_ref(), &png(24, 0)[..7]);
    answer.chunk().await.unwrap_err();
}

#[tokio::test]
async fn a_connection_can_close_while_the_work_goes_on() {
    let latency = Latency { per_request: Duration::ZERO, per_command: Duration::from_millis(50) };
    let portal = portal_with(|options| {
        options.latency = latency;
        options.faults = Faults::one(On::Write, When::Nth(1), Action::DropDuring);
    });
    let commands = json!({ "cmd": [add("a", 24, 0), add("b", 24, 0), add("c", 24, 0)] });
    portal.send(&portal.url("batch"), &commands).await.unwrap_err();
    assert!(portal.codes().is_empty());
    portal.settled(3).await;
}

#[tokio::test]
async fn every_request_is_recorded() {
    let portal = portal();
    portal.batch(true, json!({ "x": add("a", 24, 0), "y": delete("b"), "z": delete("a") })).await;
    portal.call("Crm.Timeline.Icon.List.json", json!({})).await;
    portal.download(&portal.sandbox.entries()[0].file_uri).await;
    portal.sandbox.set_faults(Faults::one(On::Any, When::Every, Action::DropBefore));
    portal.send(&portal.url("scope"), &json!({})).await.unwrap_err();
    let requests = portal.sandbox.requests();
    let brief: Vec<_> =
        requests.iter().map(|one| (one.method.as_str(), one.user, one.wrote, one.would_write(), one.status)).collect();
    assert_eq!(
        brief,
        [
            ("batch", Some(1), true, true, Some(200)),
            ("crm.timeline.icon.list", Some(1), false, false, Some(200)),
            ("download", None, false, false, Some(200)),
            ("scope", Some(1), false, false, None),
        ]
    );
    let commands: Vec<_> =
        requests[0].commands.iter().map(|one| (one.method.as_str(), one.code.as_deref(), &one.end)).collect();
    assert_eq!(
        commands,
        [
            ("crm.timeline.icon.add", Some("a"), &End::Done),
            ("crm.timeline.icon.delete", Some("b"), &End::Refused("NOT_FOUND".to_owned())),
            ("crm.timeline.icon.delete", Some("a"), &End::Open),
        ]
    );
    assert!(requests[0].headers.iter().any(|(name, value)| name == "content-type" && value == "application/json"));
}

#[tokio::test]
async fn ten_thousand_entries_and_a_body_of_many_megabytes() {
    let portal = portal();
    for code in 0..10_000 {
        portal.sandbox.seed(Kind::Icon, &format!("acme-{code}"), &png(24, 0)).unwrap();
    }
    let before = Instant::now();
    let list = portal.result("crm.timeline.icon.list", json!({})).await;
    assert_eq!(list["icons"].as_array().unwrap().len(), 10_049);
    let mut large = png(24, 0);
    large.resize(20_000_000, 7);
    portal.result("crm.timeline.icon.add", json!({ "code": "large", "fileContent": base64(&large) })).await;
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    let portal = portal.reopened();
    assert_eq!(portal.sandbox.entries()[10_000].content, large);
}
