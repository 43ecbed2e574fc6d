//! The table of the REST engine, row by row: each error leads to its action, alike for reads and writes.

use brandctl::domain::command::{Answer, Halt};
use brandctl::domain::retry::Class;
use brandctl::ops::ports::{ReadPortal as _, Urgency, WriteError, WritePortal as _};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::server::*;

/// What a client does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// It asks again, a write, too.
    Repeat,
    /// It asks again what has no effect, and leaves a write to be resolved by reading.
    RepeatReads,
    /// It stops and says what to fix.
    Stop(&'static str),
    /// It asks for each thing by itself.
    Singly,
    /// It stops: the portal said no.
    GiveUp,
}

use Action::{GiveUp, Repeat, RepeatReads, Singly, Stop};

fn table() -> Vec<(u16, Value, Action)> {
    let words = |status, code: &str, action| (status, json!(code), action);
    vec![
        words(503, "QUERY_LIMIT_EXCEEDED", Repeat),
        words(429, "OPERATION_TIME_LIMIT", Repeat),
        words(500, "INTERNAL_SERVER_ERROR", RepeatReads),
        words(500, "ERROR_UNEXPECTED_ANSWER", RepeatReads),
        words(401, "expired_token", Stop("the access token of the webhook expired")),
        words(401, "NO_AUTH_FOUND", Stop("make a new one on the portal")),
        words(401, "INVALID_CREDENTIALS", Stop("make a new one on the portal")),
        words(401, "insufficient_scope", Stop("the scope `crm`")),
        words(403, "insufficient_scope", Stop("the scope `crm`")),
        words(401, "user_access_error", Stop("activate the user")),
        words(403, "authorization_error", Stop("activate the user")),
        words(400, "INVALID_REQUEST", Stop("https://")),
        words(401, "INVALID_REQUEST", Stop("https://")),
        words(401, "OVERLOAD_LIMIT", Stop("do not run it again")),
        words(503, "OVERLOAD_LIMIT", Stop("do not run it again")),
        words(400, "ACCESS_DENIED", Stop("administrator")),
        words(401, "ACCESS_DENIED", Stop("administrator")),
        words(403, "ACCESS_DENIED", Stop("administrator")),
        words(404, "ERROR_METHOD_NOT_FOUND", Stop("the scope `crm`")),
        words(403, "PORTAL_DELETED", Stop("check the host")),
        words(500, "PORTAL_DELETED", Stop("check the host")),
        words(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", Singly),
        words(400, "0", GiveUp),
        (400, json!(0), GiveUp),
        words(400, "", GiveUp),
        words(200, "0", GiveUp),
        (200, json!(0), GiveUp),
        words(200, "", GiveUp),
        (400, json!(100), GiveUp),
    ]
}

#[tokio::test]
async fn a_read_does_what_the_table_says() {
    let check = async |(status, code, action): (u16, Value, Action)| {
        let whole = lists(&json!([entry("a")]), &json!([]), [1, 0]);
        let then = match action {
            Repeat | RepeatReads => vec![whole],
            Singly => vec![
                answer(200, &json!({"result": {"icons": [entry("a")]}, "total": 1})),
                answer(200, &json!({"result": {"logos": []}, "total": 0})),
            ],
            Stop(_) | GiveUp => vec![],
        };
        let server = Server::answering([vec![error(status, code.clone())], then].concat()).await;
        let outcome = server.client().list().await;
        server.requests();
        let row = format!("{status} {code}: {outcome:?}");
        match (action, outcome) {
            (Repeat | RepeatReads | Singly, Ok(listing)) => assert_eq!(listing.entries.len(), 1, "{row}"),
            (Stop(fix), Err(error)) => {
                assert_no_secret(&error);
                assert!(matches!(error.class, Class::Configuration | Class::Expired), "{row}");
                assert!(error.hint.unwrap().contains(fix), "{row}");
                assert!(
                    error.message.contains("127.0.0.1:") && error.message.contains(&format!(" {status} ")),
                    "{row}"
                );
            }
            (GiveUp, Err(error)) => {
                assert_no_secret(&error);
                assert_eq!(error.class, Class::Refused, "{row}");
            }
            _ => panic!("{row}"),
        }
        let requests = match action {
            Repeat | RepeatReads => 2,
            Singly => 3,
            Stop(_) | GiveUp => 1,
        };
        assert_eq!(server.asked(), requests, "{row}");
    };
    join_all(table().into_iter().map(check)).await;
}

#[tokio::test]
async fn a_write_does_what_the_table_says() {
    let check = async |(status, code, action): (u16, Value, Action)| {
        let done = batch(json!({"c0": true}), json!([]), json!([]));
        let then = if action == Repeat { vec![done] } else { vec![] };
        let server = Server::answering([vec![error(status, code.clone())], then].concat()).await;
        let outcome = server.client().write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await;
        let row = format!("{status} {code}: {outcome:?}");
        match (action, outcome) {
            (Repeat, Ok(answers)) => assert_eq!(answers, [Answer::Done], "{row}"),
            (RepeatReads, Err(WriteError::Unclear(error))) if matches!(status, 500 | 503) => assert_no_secret(&error),
            (RepeatReads, Err(WriteError::Unanswered(error))) => assert_no_secret(&error),
            (Stop(fix), Err(WriteError::NoEffect(error))) => {
                assert_no_secret(&error);
                assert!(error.hint.unwrap().contains(fix), "{row}");
            }
            (Singly, Err(WriteError::NoEffect(error))) => assert_eq!(error.class, Class::NoBatch, "{row}"),
            (GiveUp, Err(WriteError::NoEffect(error))) => assert_eq!(error.class, Class::Refused, "{row}"),
            _ => panic!("{row}"),
        }
        let requests = if action == Repeat { 2 } else { 1 };
        assert_eq!(server.requests().len(), requests, "{row}");
    };
    join_all(table().into_iter().map(check)).await;
}

#[tokio::test]
async fn an_error_inside_a_batch_does_what_the_table_says() {
    let check = async |(status, code, action): (u16, Value, Action)| {
        let inside = batch(json!([]), json!({"icons": {"error": code, "error_description": "Words."}}), json!([]));
        let whole = lists(&json!([entry("a")]), &json!([]), [1, 0]);
        let repeated = matches!(action, Repeat | RepeatReads);
        let script = if action == Singly {
            let singly = |kind: &str| answer(200, &json!({"result": {kind: []}, "total": 0}));
            vec![inside, singly("icons"), singly("logos")]
        } else if repeated {
            vec![inside, whole]
        } else {
            vec![inside]
        };
        let server = Server::answering(script).await;
        let outcome = server.client().list().await;
        server.requests();
        assert_eq!(outcome.is_ok(), repeated || action == Singly, "{status} {code}: {outcome:?}");
    };
    join_all(table().into_iter().map(check)).await;
}
