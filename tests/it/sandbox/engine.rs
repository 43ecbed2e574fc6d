//! The REST engine: callers, ways to write a request, scripted failures, the record.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use brandctl::domain::asset::Kind;
use brandctl::sandbox::faults::{Cut, FaultAction, On, When};
use brandctl::sandbox::record::End;
use brandctl::sandbox::{Faults, Latency};
use serde_json::{Value, json};

use super::common::{add, base64, delete, is, png, portal, portal_with, refusal};

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
async fn bodies_as_php_clients_send_them() {
    let portal = portal();
    portal.sandbox.seed(Kind::Icon, "a b+c", &png(24, 0)).unwrap();
    let post = async |method: &str, content_type: &str, body: String| {
        let request = portal.client.post(portal.url(method)).header("content-type", content_type).body(body);
        let answer = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&answer).unwrap()
    };
    let part = |name: &str, value: &str| {
        format!("--boundary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart = "multipart/form-data; boundary=boundary";
    let answer = post("crm.timeline.icon.get", multipart, part("code", "a b+c") + "--boundary--\r\n").await;
    assert_eq!(answer["result"]["icon"]["code"], "a b+c");
    let cmd = part("cmd[x]", "crm.timeline.icon.get?code=a+b%2Bc") + &part("cmd[y]", "scope") + &part("halt", "0");
    let answer = post("batch", multipart, cmd + "--boundary--\r\n").await;
    assert_eq!(
        (&answer["result"]["result"]["x"]["icon"]["code"], &answer["result"]["result"]["y"][0]),
        (&json!("a b+c"), &json!("crm"))
    );
    let missing = "Could not find value for parameter {code}";
    for (content_type, body) in [
        ("application/json", "\u{feff}{\"code\":\"a b+c\"}"),
        ("application/json", ""),
        ("application/json", "\"code\""),
        ("multipart/form-data", "code=a"),
        ("application/x-www-form-urlencoded", ""),
    ] {
        let answer = post("crm.timeline.icon.get", content_type, body.to_owned()).await;
        assert_eq!(answer["error_description"], missing, "{content_type}: {body:?}");
    }
    let more = json!({ "code": "a b+c", "unknown": { "deep": [1, null] }, "auth": "ignored with a webhook" });
    assert_eq!(portal.result("crm.timeline.icon.get", more).await["icon"]["code"], "a b+c");
}

#[tokio::test]
async fn faults_that_answer_for_the_portal() {
    let portal = portal();
    let user_admin = portal.url("user.admin");
    let status =
        |code: u16| FaultAction::Status { code, body: "gone".to_owned(), content_type: "text/plain".to_owned() };
    portal.sandbox.set_faults(
        Faults::one(On::Method("USER.admin".to_owned()), When::Nth(2), status(500))
            .and(On::Method("user.admin".to_owned()), When::From(4), FaultAction::Html(502))
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

    portal.sandbox.set_faults(Faults::one(On::Any, When::Every, FaultAction::RateLimited(2)));
    assert_eq!(portal.refused("scope", json!({})).await, is(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"));
    assert_eq!(portal.call("scope", json!({})).await.0, 503);
    assert_eq!(portal.call("scope", json!({})).await.0, 200);

    portal.sandbox.set_faults(Faults::one(On::Any, When::Every, FaultAction::NotAllowedInBatch));
    let (status, answer) = portal.call("batch", json!({ "cmd": [add("a", 24, 0)] })).await;
    assert_eq!((status, &answer["error"]), (405, &json!("ERROR_BATCH_METHOD_NOT_ALLOWED")));
    portal.batch(false, json!(["scope"])).await;
    portal.result("crm.timeline.icon.add", json!({ "code": "b", "fileContent": base64(&png(24, 0)) })).await;
    assert_eq!(portal.codes(), ["icon/b"]);

    let inside = FaultAction::NotAllowedInside { method: Some("*.add".to_owned()) };
    portal.sandbox.set_faults(Faults::one(On::Write, When::From(2), inside));
    portal.batch(false, json!([add("c", 24, 0)])).await;
    let answer = portal.batch(false, json!({ "x": add("d", 24, 0), "y": delete("c") })).await;
    let text = "Method is not allowed for batch usage";
    let refused = json!({ "error": "ERROR_BATCH_METHOD_NOT_ALLOWED", "error_description": text });
    assert_eq!((&answer["result_error"]["x"], &answer["result"]["y"]), (&refused, &json!(true)));
    let answer = portal.batch(true, json!([add("d", 24, 0), delete("b")])).await;
    assert_eq!(answer["result"], json!([]), "a batch that halts ends there");
    portal.result("crm.timeline.icon.add", json!({ "code": "d", "fileContent": base64(&png(24, 0)) })).await;
    assert_eq!(portal.codes(), ["icon/b", "icon/d"]);
    portal.sandbox.set_faults("write no-inner".parse().unwrap());
    let answer = portal.batch(false, json!({ "x": delete("b"), "y": "scope" })).await;
    assert_eq!((&answer["result_error"]["x"], &answer["result"]["y"]), (&refused, &json!(["crm"])));

    portal.sandbox.set_faults(Faults::one(On::Write, When::Every, FaultAction::Delay(Duration::from_millis(80))));
    let before = Instant::now();
    portal.result("scope", json!({})).await;
    let quick = before.elapsed();
    portal.batch(false, json!([delete("b")])).await;
    assert!(before.elapsed() >= quick + Duration::from_millis(80));
}

#[tokio::test]
async fn faults_that_spoil_the_answer() {
    let late = || FaultAction::StatusAfter { code: 504, body: String::new(), content_type: "text/plain".to_owned() };
    // what goes wrong, whether the connection breaks, what is read, whether the batch had its effect
    let cases = [
        (FaultAction::DropBefore, None, 0),
        (FaultAction::DropAfter, None, 3),
        (FaultAction::TearBody(5), None, 3),
        (FaultAction::TruncateBody(5), Some((200, "{\"res")), 3),
        (FaultAction::EmptyBody, Some((200, "")), 3),
        (FaultAction::HtmlAfter(502), Some((502, "<html>\n<head>")), 3),
        (FaultAction::Html(502), Some((502, "<html>\n<head>")), 0),
        (late(), Some((504, "")), 3),
        (FaultAction::CutBatch { after: 2, answer: Cut::Close }, None, 2),
        (FaultAction::CutBatch { after: 9, answer: Cut::Close }, None, 3),
        (
            FaultAction::CutBatch { after: 2, answer: Cut::Partial },
            Some((200, "{\"result\":{\"result\":[{\"icon\"")),
            2,
        ),
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
                let short = matches!(action, FaultAction::TruncateBody(_) | FaultAction::EmptyBody);
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
    portal.sandbox.set_faults(Faults::one(On::Download, When::Every, FaultAction::TearBody(7)));
    let mut answer = portal.client.get(url).send().await.unwrap();
    assert_eq!(answer.content_length(), Some(280));
    assert_eq!(answer.chunk().await.unwrap().unwrap().as_ref(), &png(24, 0)[..7]);
    answer.chunk().await.unwrap_err();
}

#[tokio::test]
async fn a_connection_can_close_while_the_work_goes_on() {
    let latency = Latency { per_request: Duration::ZERO, per_command: Duration::from_millis(400) };
    let portal = portal_with(|options| {
        options.latency = latency;
        options.faults = Faults::one(On::Write, When::Nth(1), FaultAction::DropDuring);
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
    portal.sandbox.set_faults(Faults::one(On::Any, When::Every, FaultAction::DropBefore));
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
