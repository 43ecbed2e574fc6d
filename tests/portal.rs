//! The portal client against a scripted server that answers raw bytes: what goes over the wire, how often, and what
//! becomes of answers that no portal should give.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::command::{Answer, Command, Halt};
use brandctl::domain::retry::Class;
use brandctl::domain::state::Listing;
use brandctl::ops::events::{Event, Observer};
use brandctl::ops::ports::{PortalError, ReadPortal as _, Urgency, WriteError, WritePortal as _};
use brandctl::portal::{Client, Rate, Settings, Webhook};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

const SECRET: &str = "s3cr3tS3cr3t";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

// ---- The server ----

/// One answer of the script.
#[derive(Clone)]
enum Step {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// Nothing, until the client goes away.
    Silence,
    /// The connection is closed without a byte.
    Close,
}

/// A request as it came.
#[derive(Debug, Clone)]
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

struct Server {
    address: String,
    seen: Arc<Mutex<Vec<Request>>>,
    script: Arc<Mutex<VecDeque<Step>>>,
}

impl Server {
    async fn answering(script: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap().to_string(),
            seen: Arc::default(),
            script: Arc::new(Mutex::new(script.into_iter().collect())),
        };
        let (seen, script) = (Arc::clone(&server.seen), Arc::clone(&server.script));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
                tokio::spawn(async move {
                    let Some(request) = receive(&mut stream).await else { return };
                    seen.lock().unwrap().push(request);
                    let step = script.lock().unwrap().pop_front();
                    match step {
                        Some(Step::Bytes(bytes)) => {
                            // The client may have gone away before the end of it.
                            drop(stream.write_all(&bytes).await);
                            drop(stream.shutdown().await);
                        }
                        Some(Step::Silence) => {
                            drop(stream.read(&mut [0; 1]).await);
                        }
                        Some(Step::Close) => {}
                        None => drop(stream.write_all(&plain(599, "text/plain", b"the script is over")).await),
                    }
                });
            }
        });
        server
    }

    fn webhook(&self) -> Webhook {
        Webhook::parse(&format!("http://{}/rest/1/{SECRET}/", self.address), "test").unwrap()
    }

    fn client(&self) -> Client {
        client(self.webhook(), Duration::from_secs(30), |_| {})
    }

    /// How often something was asked.
    fn asked(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// What was asked, once the script is used up.
    fn requests(&self) -> Vec<Request> {
        assert!(self.script.lock().unwrap().is_empty(), "the script was not used up");
        self.seen.lock().unwrap().clone()
    }
}

async fn receive(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { head, body: bytes[end..].to_vec() })
}

fn plain(status: u16, content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn answer(status: u16, body: &Value) -> Step {
    Step::Bytes(plain(status, "application/json; charset=utf-8", body.to_string().as_bytes()))
}

fn html(status: u16, body: &str) -> Step {
    Step::Bytes(plain(status, "text/html", body.as_bytes()))
}

fn error(status: u16, code: impl Into<Value>) -> Step {
    answer(status, &json!({"error": code.into(), "error_description": "Words."}))
}

/// The answer to a batch, with all five maps.
fn batch(result: Value, errors: Value, total: Value) -> Step {
    let maps = json!({
        "result": result, "result_error": errors, "result_total": total, "result_next": [], "result_time": [],
    });
    answer(200, &json!({"result": maps, "time": {"start": 1.5, "finish": 1.75}}))
}

fn lists(icons: &Value, logos: &Value, total: [u64; 2]) -> Step {
    batch(
        json!({"icons": {"icons": icons}, "logos": {"logos": logos}}),
        json!([]),
        json!({"icons": total[0], "logos": total[1]}),
    )
}

fn entry(code: &str) -> Value {
    json!({"code": code, "isSystem": false, "fileUri": format!("/upload/{code}.png")})
}

// ---- The client ----

#[derive(Default)]
struct Told(Mutex<Vec<Event>>);

impl Observer for Told {
    fn observe(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

fn client(webhook: Webhook, time: Duration, change: impl FnOnce(&mut Settings)) -> Client {
    let mut settings = Settings::new(webhook, Instant::now() + time, Arc::new(Told::default()));
    settings.rate = Rate { per_second: 1000.0, burst: 1000, headroom: 0 };
    change(&mut settings);
    Client::new(settings).unwrap()
}

fn add(code: &str, png: &[u8]) -> Command {
    Command::Add { address: Address::new(Kind::Icon, Code::new(code)), png: png.into() }
}

fn delete(code: &str) -> Command {
    Command::Delete { address: Address::new(Kind::Icon, Code::new(code)) }
}

fn refused(code: &str) -> Answer {
    Answer::Refused { class: Class::Refused, code: code.to_owned(), description: "Words.".to_owned() }
}

/// No error may hold the secret or its neighbourhood, and each is one lower-case sentence without a full stop.
#[track_caller]
fn harmless(error: &PortalError) {
    let told = format!("{error} {error:?} {error:#?}");
    assert!(!told.to_lowercase().contains(&SECRET.to_lowercase()) && !told.contains("/rest/"), "{told}");
    assert!(!error.message.ends_with('.') && !error.message.contains('\n'), "{told}");
}

/// Reads the lists from a server that answers this and nothing else, as often as it is asked, which must fail; with how
/// often it was asked.
async fn failing_list(step: Step) -> (PortalError, usize) {
    let server = Server::answering(vec![step; 10]).await;
    let error = server.client().list().await.unwrap_err();
    harmless(&error);
    (error, server.asked())
}

/// Sends one delete to a server with this one-step script, which must fail after exactly one request.
async fn failing_write(step: Step) -> WriteError {
    let is_silence = matches!(step, Step::Silence);
    let server = Server::answering([step]).await;
    let client = client(server.webhook(), Duration::from_secs(30), |settings| {
        if is_silence {
            settings.write_timeout = Duration::from_secs(1);
        }
    });
    let failure = client.write(&[delete("a")], Halt::Never, Urgency::Ordinary).await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "a write is never repeated blindly");
    let (WriteError::NoEffect(error) | WriteError::Unknown(error)) = &failure;
    harmless(error);
    failure
}

// ---- Reading ----

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
        (answer(200, &json!([])), "answered 200 with JSON that is no answer"),
        (answer(502, &json!({"result": {}})), "answered 502 with a result under an error's status"),
        (answer(200, &json!({"result": true})), "the result of the batch is no object"),
        (batch(json!([]), json!([]), json!([])), "the batch does not speak of it"),
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
async fn trouble_that_passes_is_waited_out() {
    let fine = || lists(&json!([entry("a")]), &json!([]), [1, 0]);
    let busy_inside = batch(json!([]), json!({"icons": {"error": "QUERY_LIMIT_EXCEEDED"}}), json!([]));
    for step in [error(500, "INTERNAL_SERVER_ERROR"), html(502, "<html>"), Step::Close, busy_inside] {
        let server = Server::answering([step, fine()]).await;
        assert_eq!(server.client().list().await.unwrap().entries.len(), 1);
        server.requests();
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
        harmless(&error);
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

// ---- Time ----

#[tokio::test]
async fn no_answer_is_waited_for_beyond_the_commands_time() {
    let server = Server::answering([Step::Silence]).await;
    let started = Instant::now();
    let error = client(server.webhook(), Duration::from_secs(1), |_| {}).list().await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(4), "not the thirty that a read may take");
    harmless(&error);
    assert_eq!(error.class, Class::Deadline);
    assert!(error.message.starts_with("timed out after "), "{error}");
    assert!(error.hint.unwrap().contains("--timeout"));
}

#[tokio::test]
async fn nothing_is_sent_when_the_time_is_up() {
    let server = Server::answering([]).await;
    let client = client(server.webhook(), Duration::ZERO, |_| {});
    assert_eq!(client.list().await.unwrap_err().class, Class::Deadline);
    assert_eq!(client.download("/upload/a").await.unwrap_err().class, Class::Deadline);
    let failure = client.write(&[delete("a")], Halt::Never, Urgency::Ordinary).await.unwrap_err();
    assert!(matches!(failure, WriteError::NoEffect(error) if error.class == Class::Deadline));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_slow_read_is_tried_again() {
    let server = Server::answering([Step::Silence, lists(&json!([]), &json!([]), [0, 0])]).await;
    let client = client(server.webhook(), Duration::from_secs(30), |settings| {
        settings.read_timeout = Duration::from_secs(1);
    });
    client.list().await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn our_own_limit_is_kept_and_told() {
    let found = json!({"result": {"result": {"c0": {"logo": entry("a")}}, "result_error": []}});
    let fine = || answer(200, &found);
    let server = Server::answering([fine(), fine(), fine()]).await;
    let addresses = [Address::new(Kind::Logo, Code::new("a"))];
    let told = Arc::new(Told::default());
    let observer = Arc::clone(&told);
    let client = client(server.webhook(), Duration::from_secs(30), |settings| {
        settings.rate = Rate { per_second: 0.8, burst: 2, headroom: 0 };
        settings.observer = observer;
    });
    let started = Instant::now();
    for _ in 0..3 {
        client.get(&addresses).await.unwrap();
    }
    assert!(started.elapsed() > Duration::from_millis(1000));
    server.requests();
    let events = told.0.lock().unwrap().clone();
    assert!(matches!(&events[..], [Event::Waiting { why, .. }] if why == "rate limited"), "{events:?}");
}

// ---- Writing ----

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
    let answers = server.client().write(&commands, Halt::OnError, Urgency::Ordinary).await.unwrap();
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
        let answers = server.client().write(&[delete("a")], Halt::Never, Urgency::Ordinary).await.unwrap();
        assert_eq!(answers, [Answer::Done]);
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].body, requests[1].body);
    }
}

#[tokio::test]
async fn the_moment_that_the_portal_names_is_waited_for() {
    let time = json!({"finish": 1000.0, "operating": 480, "operating_reset_at": 1600});
    let found =
        |time: &Value| json!({"result": {"result": {"c0": {"logo": entry("a")}}, "result_error": []}, "time": time});
    let server = Server::answering([answer(200, &found(&time)), error(429, "OPERATION_TIME_LIMIT")]).await;
    let client = server.client();
    client.get(&[Address::new(Kind::Logo, Code::new("a"))]).await.unwrap();
    let failure = client.write(&[delete("a")], Halt::Never, Urgency::Ordinary).await.unwrap_err();
    let WriteError::NoEffect(error) = failure else { panic!("{failure:?}") };
    assert_eq!(error.class, Class::Deadline, "ten minutes are more than there are: {error}");
    assert_eq!(error.code.as_deref(), Some("OPERATION_TIME_LIMIT"));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_write_whose_outcome_is_unknown_is_sent_once() {
    for step in [
        error(500, "INTERNAL_SERVER_ERROR"),
        error(500, ""),
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
        assert!(matches!(failure, WriteError::Unknown(_)), "{failure:?}");
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
    let failure = client.write(&[delete("a")], Halt::Never, Urgency::Ordinary).await.unwrap_err();
    let WriteError::NoEffect(error) = failure else { panic!("{failure:?}") };
    harmless(&error);
    assert_eq!(error.class, Class::Transient);
    assert!(error.message.contains(&format!("{address} cannot be reached: ")), "{error}");
}

#[tokio::test]
async fn batches_have_a_size() {
    let server = Server::answering([]).await;
    let client = server.client();
    assert_eq!(client.write(&[], Halt::Never, Urgency::Ordinary).await.unwrap(), []);
    let commands: Vec<_> = (0..51).map(|index| delete(&format!("c{index}"))).collect();
    let failure = client.write(&commands, Halt::Never, Urgency::Ordinary).await.unwrap_err();
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
    assert_eq!(client.write_single(&add("a", PNG), Urgency::Ordinary).await.unwrap(), Answer::Done);
    assert_eq!(client.write_single(&delete("a"), Urgency::Ordinary).await.unwrap(), Answer::Done);
    assert_eq!(client.write_single(&delete("a"), Urgency::Ordinary).await.unwrap(), refused("NOT_FOUND"));
    assert_eq!(client.write_single(&add("a", PNG), Urgency::Ordinary).await.unwrap(), refused("0"));
    assert_eq!(
        client.write_single(&add("a", PNG), Urgency::Ordinary).await.unwrap(),
        Answer::Unknown("the answer does not speak of it".to_owned())
    );
    assert!(matches!(client.write_single(&delete("a"), Urgency::Ordinary).await.unwrap_err(), WriteError::NoEffect(_)));
    assert!(matches!(client.write_single(&delete("a"), Urgency::Ordinary).await.unwrap_err(), WriteError::Unknown(_)));
    let requests = server.requests();
    assert!(requests[0].target().ends_with("/crm.timeline.icon.add.json"));
    assert_eq!(requests[0].json(), json!({"code": "a", "fileContent": "iVBORw0KGgogYW5kIHNvIG9u"}));
}

// ---- Downloads ----

#[tokio::test]
async fn downloads_carry_no_credentials() {
    let mut image = plain(200, "image/png", PNG);
    let cookie = b"Set-Cookie: session=1\r\n";
    let place = image.windows(2).position(|window| window == b"\r\n").unwrap() + 2;
    image.splice(place..place, cookie.iter().copied());
    let server = Server::answering([Step::Bytes(image.clone()), Step::Bytes(image)]).await;
    let client = server.client();
    assert_eq!(client.download("/upload/crm/a.png").await.unwrap(), PNG);
    assert_eq!(client.download(&format!("http://me:pw@{}/b", server.address)).await.unwrap(), PNG);
    let requests = server.requests();
    assert_eq!((requests[0].target(), requests[1].target()), ("/upload/crm/a.png", "/b"));
    for request in requests {
        let head = request.head.to_lowercase();
        for word in ["cookie", "authorization", "referer", &SECRET.to_lowercase()] {
            assert!(!head.contains(word), "{head}");
        }
    }
}

#[tokio::test]
async fn downloads_have_bounds() {
    const MIB: usize = 1024 * 1024;
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", MIB + 1);
    let streamed = [&b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"[..], &vec![0; MIB + 1]].concat();
    for bytes in [announced.into_bytes(), streamed] {
        let server = Server::answering([Step::Bytes(bytes)]).await;
        let error = server.client().download("/upload/a").await.unwrap_err();
        assert_eq!(error.class, Class::Refused);
        assert!(error.message.contains("more than 1048576 bytes"), "{error}");
        server.requests();
    }
    let server = Server::answering([Step::Bytes(plain(200, "image/png", &vec![0; MIB]))]).await;
    assert_eq!(server.client().download("/upload/a").await.unwrap().len(), MIB);
}

#[tokio::test]
async fn a_download_is_an_image_or_an_error() {
    let redirect = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
    let cases = [
        (html(404, "<html>"), Class::Refused, "answered 404 to a download"),
        (html(403, "<html>"), Class::Refused, "answered 403 to a download"),
        (html(200, "<html>log in"), Class::Transient, "answered a download with a page instead of an image"),
        (html(503, "<html>"), Class::Transient, "answered 503 to a download"),
        (Step::Bytes(plain(200, "image/png", b"")), Class::Transient, "answered a download with nothing"),
        (Step::Bytes(redirect), Class::Refused, "not from https to https"),
        (Step::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234".to_vec()), Class::Transient, "broke"),
    ];
    let check = async |(step, class, expected): (Step, Class, &str)| {
        let server = Server::answering(vec![step; 10]).await;
        let error = server.client().download("/upload/a").await.unwrap_err();
        harmless(&error);
        assert!(error.message.contains(expected), "{expected}: {error}");
        let requests = if class == Class::Transient { 5 } else { 1 };
        assert_eq!((error.class, server.asked()), (class, requests), "{error}");
    };
    join_all(cases.map(check)).await;
    let server = Server::answering([html(502, ""), Step::Bytes(plain(200, "image/png", PNG))]).await;
    assert_eq!(server.client().download("/upload/a").await.unwrap(), PNG, "a download is tried again");
    let server = Server::answering([]).await;
    for uri in ["", "http://10.0.0.1/a", "file:///etc/passwd"] {
        assert_eq!(server.client().download(uri).await.unwrap_err().class, Class::Refused, "{uri}");
    }
}

#[tokio::test]
async fn downloads_go_side_by_side_within_a_bound() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let webhook =
        Webhook::parse(&format!("http://{}/rest/1/{SECRET}/", listener.local_addr().unwrap()), "test").unwrap();
    let counts = Arc::new(Mutex::new((0_u32, 0_u32)));
    let counted = Arc::clone(&counts);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let counts = Arc::clone(&counted);
            tokio::spawn(async move {
                receive(&mut stream).await;
                {
                    let mut counts = counts.lock().unwrap();
                    counts.0 += 1;
                    counts.1 = counts.1.max(counts.0);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                counts.lock().unwrap().0 -= 1;
                drop(stream.write_all(&plain(200, "image/png", PNG)).await);
            });
        }
    });
    let client = client(webhook, Duration::from_secs(30), |settings| settings.downloads = 3);
    let all = join_all((0..9).map(|index| {
        let client = &client;
        async move { client.download(&format!("/upload/{index}")).await }
    }));
    assert!(all.await.iter().all(Result::is_ok));
    assert_eq!(counts.lock().unwrap().1, 3);
}

// ---- Settings ----

#[tokio::test]
async fn settings_without_sense_are_refused() {
    let webhook = || Webhook::parse(&format!("https://acme.example/rest/1/{SECRET}/"), "test").unwrap();
    let settings = || Settings::new(webhook(), Instant::now(), Arc::new(Told::default()));
    let rate = |per_second, burst| Settings { rate: Rate { per_second, burst, headroom: 0 }, ..settings() };
    for wrong in [
        rate(0.0, 50),
        rate(-1.0, 50),
        rate(f64::NAN, 50),
        rate(2.0, 0),
        Settings { downloads: 0, ..settings() },
        Settings { ca_cert: Some(b"no certificate".to_vec()), ..settings() },
    ] {
        let error = Client::new(wrong).unwrap_err();
        harmless(&error);
        assert_eq!(error.class, Class::Configuration);
        assert!(error.hint.is_some());
    }
    let client = Client::new(settings()).unwrap();
    let told = format!("{client:?} {:?}", settings());
    assert!(told.contains("acme.example") && !told.contains(SECRET), "{told}");
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
        .write(&[delete("b"), delete("a-$result[c0]")], Halt::Never, Urgency::Ordinary)
        .await
        .unwrap_err();
    let WriteError::NoEffect(error) = failure else { panic!("{failure:?}") };
    assert_eq!((error.class, server.asked()), (Class::NoBatch, 0));
}
