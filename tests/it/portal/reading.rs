//! Reading: both lists, single entries, and answers that no portal should give.

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::retry::Class;
use brandctl::domain::state::Listing;
use brandctl::ops::ports::ReadPortal as _;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::server::*;

#[tokio::test]
async fn both_lists_come_in_one_request() {
    let system = json!({"code": "task", "isSystem": "Y", "fileUri": ""});
    let server = Server::answering([lists(&json!([system, entry("a")]), &json!({"3": entry("b")}), [2, 1])]).await;
    let listing = server.client().list().await.unwrap();
    let told: Vec<_> = listing.entries.iter().map(|e| (e.address.to_string(), e.system, e.file_uri.as_str())).collect();
    assert_eq!(
        told,
        [
            ("icon/task".to_owned(), true, ""),
            ("icon/a".to_owned(), false, "/upload/a.png"),
            ("logo/b".to_owned(), false, "/upload/b.png")
        ]
    );
    let requests = server.requests();
    assert_eq!(requests[0].target(), format!("/rest/1/{SECRET}/batch.json"));
    assert_eq!(
        requests[0].json(),
        json!({"halt": 0, "cmd": {"icons": "crm.timeline.icon.list", "logos": "crm.timeline.logo.list"}})
    );
    let head = requests[0].head.to_lowercase();
    assert!(head.contains(concat!("user-agent: brandctl/", env!("CARGO_PKG_VERSION"))), "{head}");
    assert!(!head.contains("referer"), "{head}");
}

#[tokio::test]
async fn emptiness_has_two_shapes_and_nulls_are_no_entries() {
    for (icons, logos, total, entries) in [
        (json!([]), json!({}), [0, 0], 0),
        (json!([null, entry("a")]), json!([]), [2, 0], 1),
        (json!({"0": null, "1": entry("a")}), json!([]), [1, 0], 1),
    ] {
        let server = Server::answering([lists(&icons, &logos, total)]).await;
        assert_eq!(server.client().list().await.unwrap().entries.len(), entries, "{icons}");
        server.requests();
    }
}

#[tokio::test]
async fn an_incomplete_list_is_read_again() {
    let whole = json!([entry("a"), entry("b")]);
    let script = [lists(&json!([entry("a")]), &json!([]), [2, 0]), lists(&whole, &json!([]), [2, 0])];
    let server = Server::answering(script).await;
    assert_eq!(server.client().list().await.unwrap().entries.len(), 2);
    server.requests();
}

#[tokio::test]
async fn what_no_portal_answers_is_a_clear_error() {
    let whole = plain(200, "application/json", br#"{"result":{"result":{"icons":{"ico"#);
    let cases = [
        (html(503, "<html>\n<h1>Sorry</h1>"), "answered 503 with no JSON: <html>"),
        (html(200, "<!doctype html>"), "answered 200 with no JSON: <!doctype html>"),
        (html(200, ""), "answered 200 with nothing"),
        (Step::Bytes(whole), "answered 200 with JSON that breaks off: {\"result\""),
        (answer(200, &json!([])), "answered 200 with JSON that is not an answer"),
        (answer(502, &json!({"result": {}})), "answered 502 with a result instead of an error"),
        (answer(200, &json!({"result": true})), "the result of the batch is not an object"),
        (batch(json!([]), json!([]), json!([])), "the batch does not mention it"),
        (lists(&json!([]), &json!([]), [49, 0]), "incomplete list: 0 of 49 icons"),
        (Step::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"result\":".to_vec()), "broke"),
        (Step::Bytes(b"nonsense\r\n\r\n".to_vec()), "broke"),
        (Step::Close, "broke"),
        (html(502, &format!("<p>http://x/rest/1/{SECRET}/batch.json</p>").replace("/rest/", "/r/")), "[secret]"),
    ];
    let check = async |(step, expected): (Step, &str)| {
        let (error, requests) = failing_list(step).await;
        assert!(error.message.contains(expected), "{expected}: {error}");
        assert!(error.message.contains("127.0.0.1:"), "it names the host: {error}");
        assert_eq!((error.class, requests), (Class::Transient, 5), "{error}");
    };
    join_all(cases.map(check)).await;
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{{", 1_u64 << 40);
    let (error, _) = failing_list(Step::Bytes(head.into_bytes())).await;
    assert_eq!(error.class, Class::Refused);
    assert!(error.message.contains("more than 67108864 bytes"), "{error}");

    let mut chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..65 {
        chunks.extend_from_slice(b"100000\r\n");
        chunks.resize(chunks.len() + 0x10_0000, b' ');
        chunks.extend_from_slice(b"\r\n");
    }
    let server = Server::answering([Step::Bytes(chunks)]).await;
    let error = server.client().list().await.unwrap_err();
    assert!(error.message.contains("more than 67108864 bytes"), "{error}");
}

#[tokio::test]
async fn rest_calls_follow_no_redirect() {
    let location = format!("https://evil.example/rest/1/{SECRET}/batch.json");
    let bytes = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let (error, requests) = failing_list(Step::Bytes(bytes.into_bytes())).await;
    assert_eq!((error.class, requests), (Class::Configuration, 1));
    assert!(error.message.ends_with("answered 302 and redirects to evil.example"), "{error}");
}

#[tokio::test]
async fn what_the_user_must_mend_is_asked_once() {
    for (step, class) in [
        (error(401, "INVALID_CREDENTIALS"), Class::Configuration),
        (error(503, "OVERLOAD_LIMIT"), Class::Configuration),
        (error(401, "expired_token"), Class::Expired),
        (error(200, "0"), Class::Refused),
        (error(200, 0), Class::Refused),
        (error(200, ""), Class::Refused),
        (html(404, "<h1>Not Found</h1>"), Class::Configuration),
        (batch(json!([]), json!({"icons": {"error": "insufficient_scope"}}), json!([])), Class::Configuration),
        (batch(json!([]), json!({"icons": {"error": 0}}), json!([])), Class::Refused),
    ] {
        let (error, requests) = failing_list(step).await;
        assert_eq!((error.class, requests), (class, 1), "{error}");
        assert!(error.hint.is_some() || class == Class::Refused, "{error}");
    }
}

#[tokio::test]
async fn a_portal_without_batches_is_asked_singly() {
    let server = Server::answering([
        error(405, "ERROR_BATCH_METHOD_NOT_ALLOWED"),
        answer(200, &json!({"result": {"icons": [entry("a")]}, "total": 1})),
        answer(200, &json!({"result": {"logos": []}, "total": 0})),
    ])
    .await;
    assert_eq!(server.client().list().await.unwrap().entries.len(), 1);
    let targets: Vec<_> = server.requests().iter().map(|r| r.target().rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(targets, ["batch.json", "crm.timeline.icon.list.json", "crm.timeline.logo.list.json"]);
}

#[tokio::test]
async fn get_tells_absence_from_failure() {
    let addresses = ["a b", "c"].map(|code| Address::new(Kind::Logo, Code::new(code)));
    let not_found = json!({"error": "NOT_FOUND", "error_description": "Logo not found for code `c`"});
    let found = json!({"logo": entry("a b")});
    let server = Server::answering([
        answer(200, &json!({"result": {"result": {"c0": found}, "result_error": {"c1": not_found}}})),
        error(405, "ERROR_BATCH_METHOD_NOT_ALLOWED"),
        answer(200, &json!({"result": found})),
        error(400, "NOT_FOUND"),
        error(400, "ACCESS_DENIED"),
        html(404, "<h1>Not Found</h1>"),
    ])
    .await;
    let client = server.client();
    for _ in 0..2 {
        let entries = client.get(&addresses).await.unwrap();
        assert_eq!(entries[0].as_ref().unwrap().address, addresses[0]);
        assert_eq!(entries[1], None);
    }
    for _ in 0..2 {
        let error = client.get(&addresses).await.unwrap_err();
        assert_no_secret(&error);
        assert_eq!(error.class, Class::Configuration);
    }
    let requests = server.requests();
    assert_eq!(requests[0].json()["cmd"]["c0"], json!("crm.timeline.logo.get?code=a%20b"));
    assert!(requests[2].target().ends_with("/crm.timeline.logo.get.json"));
    assert_eq!(requests[2].json(), json!({"code": "a b"}));
}

#[tokio::test]
async fn administrators_are_known_by_many_words() {
    let lists = |rights: Value| {
        let result = json!({"rights": rights, "icons": {"icons": []}, "logos": {"logos": []}});
        json!({"result": {"result": result, "result_error": [], "result_total": {"icons": 0, "logos": 0}}})
    };
    for (rights, expected) in
        [(json!(true), true), (json!(1), true), (json!("Y"), true), (json!(false), false), (json!(0), false)]
    {
        let server = Server::answering([answer(200, &lists(rights.clone()))]).await;
        assert_eq!(server.client().list_to_write().await.unwrap(), (Listing::default(), expected), "{rights}");
        assert_eq!(server.requests()[0].json()["cmd"]["rights"], "user.admin");
    }
    let server = Server::answering([
        error(405, "ERROR_BATCH_METHOD_NOT_ALLOWED"),
        answer(200, &json!({"result": true})),
        answer(200, &json!({"result": {"icons": []}, "total": 0})),
        answer(200, &json!({"result": {"logos": []}, "total": 0})),
    ])
    .await;
    assert_eq!(server.client().list_to_write().await.unwrap(), (Listing::default(), true));
    let server = Server::answering([error(401, "ACCESS_DENIED")]).await;
    let error = server.client().list_to_write().await.unwrap_err();
    assert!(error.hint.unwrap().contains("commercial plan"));
}
