//! Writing: what is sent, how often, and what is known of its outcome.

use std::time::Duration;

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::command::{Answer, Halt};
use brandctl::domain::retry::Class;
use brandctl::ops::ports::{ReadPortal as _, Urgency, WriteError, WritePortal as _};
use brandctl::portal::Webhook;
use serde_json::json;
use tokio::net::TcpListener;

use super::server::*;

#[tokio::test]
async fn every_byte_of_an_image_reaches_the_portal() {
    // Their base64 has `+` and `/` and ends in `=`.
    let png = [0xfb, 0xef, 0xbe, 0xff, 0xff, 0xff, 0x00];
    let server = Server::answering([batch(
        json!({"c0": {"icon": entry("a+b")}, "c1": true}),
        json!({"c2": {"error": "NOT_FOUND", "error_description": "Words."}}),
        json!([]),
    )])
    .await;
    let commands = [add("a+b", &png), delete("a"), delete("b"), delete("c")];
    let answers = server.client().write(&commands, Halt::OnError, Urgency::Ordinary, &|_| {}).await.unwrap();
    assert_eq!(answers, [Answer::Done, Answer::Done, refused("NOT_FOUND"), Answer::NotRun]);
    let requests = server.requests();
    let body = requests[0].json();
    assert_eq!(body["halt"], 1);
    assert_eq!(body["cmd"]["c0"], "crm.timeline.icon.add?code=a%2Bb&fileContent=%2B%2B%2B%2B%2F%2F%2F%2FAA%3D%3D");
    assert_eq!(body["cmd"]["c1"], "crm.timeline.icon.delete?code=a");
}

#[tokio::test]
async fn a_busy_portal_gets_a_write_a_second_time_and_no_third() {
    for step in [error(503, "QUERY_LIMIT_EXCEEDED"), error(429, "OPERATION_TIME_LIMIT")] {
        let server = Server::answering([step, batch(json!({"c0": true}), json!([]), json!([]))]).await;
        let answers = server.client().write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap();
        assert_eq!(answers, [Answer::Done]);
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].body, requests[1].body);
    }
}

#[tokio::test]
async fn a_write_whose_outcome_is_unknown_is_sent_once() {
    for step in [
        html(503, "<html>"),
        html(429, "<html>"),
        html(404, "<html>"),
        html(200, ""),
        html(500, ""),
        Step::Bytes(plain(200, "application/json", br#"{"result":{"result":{"c0":tr"#)),
        Step::Bytes(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()),
        Step::Close,
        Step::Silence,
        answer(200, &json!({"result": []})),
        answer(200, &json!({"result": {"result": 7}})),
        answer(200, &json!({"time": {}})),
    ] {
        let failure = failing_write(step).await;
        assert!(matches!(failure, WriteError::Unanswered(_)), "{failure:?}");
    }
    // The portal's own words, and those of a gateway that speaks as portals do.
    for (step, is_over) in [
        (error(500, "INTERNAL_SERVER_ERROR"), true),
        (error(500, ""), true),
        (error(502, "INTERNAL_SERVER_ERROR"), false),
        (error(504, "gateway"), false),
        (error(522, "timeout"), false),
    ] {
        let failure = failing_write(step).await;
        assert_eq!(matches!(failure, WriteError::Unclear(_)), is_over, "{failure:?}");
        assert_eq!(matches!(failure, WriteError::Unanswered(_)), !is_over, "{failure:?}");
    }
}

#[tokio::test]
async fn a_write_that_was_refused_as_a_whole_had_no_effect() {
    for (step, class) in [
        (error(401, "INVALID_CREDENTIALS"), Class::Configuration),
        (error(403, "ACCESS_DENIED"), Class::Configuration),
        (error(401, "expired_token"), Class::Expired),
        (error(503, "OVERLOAD_LIMIT"), Class::Configuration),
        (error(405, "ERROR_BATCH_METHOD_NOT_ALLOWED"), Class::NoBatch),
        (error(400, "ERROR_BATCH_LENGTH_EXCEEDED"), Class::Refused),
        (error(200, "0"), Class::Refused),
    ] {
        let failure = failing_write(step).await;
        assert!(matches!(&failure, WriteError::NoEffect(error) if error.class == class), "{failure:?}");
    }
}

#[tokio::test]
async fn a_write_that_was_never_sent_had_no_effect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let webhook = Webhook::parse(&format!("http://{address}/rest/1/{SECRET}/"), "test").unwrap();
    let client = client(webhook, Duration::from_secs(30), |_| {});
    let failure = client.write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap_err();
    let WriteError::NoEffect(error) = failure else { panic!("{failure:?}") };
    assert_no_secret(&error);
    assert_eq!(error.class, Class::Transient);
    assert!(error.message.contains(&format!("{address} cannot be reached: ")), "{error}");
}

#[tokio::test]
async fn batches_have_a_size() {
    let server = Server::answering([]).await;
    let client = server.client();
    assert_eq!(client.write(&[], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap(), []);
    let commands: Vec<_> = (0..51).map(|index| delete(&format!("c{index}"))).collect();
    let failure = client.write(&commands, Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap_err();
    assert!(matches!(failure, WriteError::NoEffect(error) if error.class == Class::Refused));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn single_writes_are_judged_alike() {
    let server = Server::answering([
        answer(200, &json!({"result": {"icon": entry("a")}})),
        answer(200, &json!({"result": true})),
        error(400, "NOT_FOUND"),
        error(400, 0),
        answer(200, &json!({"result": {"logo": {}}})),
        error(400, "ACCESS_DENIED"),
        error(500, "INTERNAL_SERVER_ERROR"),
    ])
    .await;
    let client = server.client();
    assert_eq!(client.write_single(&add("a", PNG), Urgency::Ordinary, &|_| {}).await.unwrap(), Answer::Done);
    assert_eq!(client.write_single(&delete("a"), Urgency::Ordinary, &|_| {}).await.unwrap(), Answer::Done);
    assert_eq!(client.write_single(&delete("a"), Urgency::Ordinary, &|_| {}).await.unwrap(), refused("NOT_FOUND"));
    assert_eq!(client.write_single(&add("a", PNG), Urgency::Ordinary, &|_| {}).await.unwrap(), refused("0"));
    assert_eq!(
        client.write_single(&add("a", PNG), Urgency::Ordinary, &|_| {}).await.unwrap(),
        Answer::Unknown("the answer does not mention it".to_owned())
    );
    assert!(matches!(
        client.write_single(&delete("a"), Urgency::Ordinary, &|_| {}).await.unwrap_err(),
        WriteError::NoEffect(_)
    ));
    assert!(matches!(
        client.write_single(&delete("a"), Urgency::Ordinary, &|_| {}).await.unwrap_err(),
        WriteError::Unclear(_)
    ));
    let requests = server.requests();
    assert!(requests[0].target().ends_with("/crm.timeline.icon.add.json"));
    assert_eq!(requests[0].json(), json!({"code": "a", "fileContent": "iVBORw0KGgogYW5kIHNvIG9u"}));
}

#[tokio::test]
async fn a_code_that_a_batch_would_substitute_goes_in_no_batch() {
    let refers = Address::new(Kind::Icon, Code::new("a-$result[c0]"));
    let body =
        json!({"result": {"icon": {"code": "a-$result[c0]", "isSystem": false, "fileUri": "/upload/a"}}, "time": {}});
    let server = Server::answering([answer(200, &body)]).await;
    let got = server.client().get(std::slice::from_ref(&refers)).await.unwrap();
    assert!(got[0].is_some());
    assert!(server.requests()[0].target().contains("crm.timeline.icon.get"));

    let server = Server::answering([]).await;
    let failure = server
        .client()
        .write(&[delete("b"), delete("a-$result[c0]")], Halt::Never, Urgency::Ordinary, &|_| {})
        .await
        .unwrap_err();
    let WriteError::NoEffect(error) = failure else { panic!("{failure:?}") };
    assert_eq!((error.class, server.asked()), (Class::NoBatch, 0));
}
