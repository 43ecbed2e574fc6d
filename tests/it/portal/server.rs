//! A server that answers raw bytes, by a script or by what it is asked, and the client to ask it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::command::{Answer, Command, Halt};
use brandctl::domain::retry::Class;
use brandctl::ops::events::{Event, Observer};
use brandctl::ops::ports::{DOWNLOADS, PortalError, ReadPortal as _, Urgency, WriteError, WritePortal as _};
use brandctl::portal::{Access, Client, Deadlines, Rate, Throttle, TrustStore, Webhook};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

pub(crate) const SECRET: &str = "s3cr3tS3cr3t";
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

// ---- The server ----

/// One answer of the script.
#[derive(Clone)]
pub(crate) enum Step {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes after so long, then the connection is closed.
    Late(Duration, Vec<u8>),
    /// These bytes at once, then a space now and then, without end.
    Drip(Vec<u8>),
    /// Nothing, until the client goes away.
    Silence,
    /// The connection is closed without a byte.
    Close,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) struct Server {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Request>>>,
    script: Arc<Mutex<VecDeque<Step>>>,
}

/// What a server answers to a request.
type Decide = dyn FnMut(&Request) -> Step + Send;

impl Server {
    pub(crate) async fn answering(script: impl IntoIterator<Item = Step>) -> Self {
        let script: Arc<Mutex<VecDeque<Step>>> = Arc::new(Mutex::new(script.into_iter().collect()));
        let steps = Arc::clone(&script);
        let over = || Step::Bytes(plain(599, "text/plain", b"the script is over"));
        let server = Self::deciding(move |_| steps.lock().unwrap().pop_front().unwrap_or_else(over)).await;
        Self { script, ..server }
    }

    pub(crate) async fn deciding(decide: impl FnMut(&Request) -> Step + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Self { address: listener.local_addr().unwrap().to_string(), seen: Arc::default(), script: Arc::default() };
        let seen = Arc::clone(&server.seen);
        let decide: Arc<Mutex<Decide>> = Arc::new(Mutex::new(decide));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (seen, decide) = (Arc::clone(&seen), Arc::clone(&decide));
                tokio::spawn(async move {
                    let Some(request) = receive(&mut stream).await else { return };
                    seen.lock().unwrap().push(request.clone());
                    let step = decide.lock().unwrap()(&request);
                    give(&mut stream, step).await;
                });
            }
        });
        server
    }

    pub(crate) fn webhook(&self) -> Webhook {
        Webhook::parse(&format!("http://{}/rest/1/{SECRET}/", self.address), "test").unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        client(self.webhook(), Duration::from_secs(30), |_| {})
    }

    /// How often something was asked.
    pub(crate) fn asked(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// What was asked, once the script is used up.
    pub(crate) fn requests(&self) -> Vec<Request> {
        assert!(self.script.lock().unwrap().is_empty(), "the script was not used up");
        self.seen.lock().unwrap().clone()
    }
}

/// The client may go away before the end of it.
async fn give(stream: &mut TcpStream, step: Step) {
    match step {
        Step::Bytes(bytes) => {
            drop(stream.write_all(&bytes).await);
            drop(stream.shutdown().await);
        }
        Step::Late(wait, bytes) => {
            tokio::time::sleep(wait).await;
            drop(stream.write_all(&bytes).await);
            drop(stream.shutdown().await);
        }
        Step::Drip(head) => {
            drop(stream.write_all(&head).await);
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Step::Silence => drop(stream.read(&mut [0; 1]).await),
        Step::Close => {}
    }
}

pub(crate) async fn receive(stream: &mut TcpStream) -> Option<Request> {
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

pub(crate) fn plain(status: u16, content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(crate) fn answer(status: u16, body: &Value) -> Step {
    Step::Bytes(plain(status, "application/json; charset=utf-8", body.to_string().as_bytes()))
}

pub(crate) fn html(status: u16, body: &str) -> Step {
    Step::Bytes(plain(status, "text/html", body.as_bytes()))
}

pub(crate) fn error(status: u16, code: impl Into<Value>) -> Step {
    answer(status, &json!({"error": code.into(), "error_description": "Words."}))
}

/// The answer to a batch, with all five maps.
pub(crate) fn batch(result: Value, errors: Value, total: Value) -> Step {
    let maps = json!({
        "result": result, "result_error": errors, "result_total": total, "result_next": [], "result_time": [],
    });
    answer(200, &json!({"result": maps, "time": {"start": 1.5, "finish": 1.75}}))
}

pub(crate) fn lists(icons: &Value, logos: &Value, total: [u64; 2]) -> Step {
    batch(
        json!({"icons": {"icons": icons}, "logos": {"logos": logos}}),
        json!([]),
        json!({"icons": total[0], "logos": total[1]}),
    )
}

pub(crate) fn entry(code: &str) -> Value {
    json!({"code": code, "isSystem": false, "fileUri": format!("/upload/{code}.png")})
}

// ---- The client ----

#[derive(Default)]
pub(crate) struct Told(pub(crate) Mutex<Vec<Event>>);

impl Observer for Told {
    fn observe(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// What a client is made of, but for its portal.
pub(crate) struct Settings {
    pub(crate) rate: Rate,
    pub(crate) downloads: usize,
    pub(crate) read_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) ca_cert: Option<Vec<u8>>,
    pub(crate) observer: Arc<dyn Observer>,
}

pub(crate) fn client(access: impl Into<Access>, time: Duration, change: impl FnOnce(&mut Settings)) -> Client {
    let mut deadlines = Deadlines::new(Instant::now(), time);
    let mut settings = Settings {
        rate: Rate { per_second: 1000.0, burst: 1000, headroom: 0 },
        downloads: DOWNLOADS,
        read_timeout: deadlines.read_timeout,
        write_timeout: deadlines.write_timeout,
        ca_cert: None,
        observer: Arc::new(Told::default()),
    };
    change(&mut settings);
    let Settings { rate, downloads, read_timeout, write_timeout, ca_cert, observer } = settings;
    let trust = TrustStore::new(ca_cert.as_deref()).unwrap();
    (deadlines.read_timeout, deadlines.write_timeout) = (read_timeout, write_timeout);
    Client::new(access.into(), &trust, Throttle::new(rate, downloads, observer).unwrap(), deadlines).unwrap()
}

pub(crate) fn add(code: &str, png: &[u8]) -> Command {
    Command::Add { address: Address::new(Kind::Icon, Code::new(code)), png: png.into() }
}

pub(crate) fn delete(code: &str) -> Command {
    Command::Delete { address: Address::new(Kind::Icon, Code::new(code)) }
}

pub(crate) fn refused(code: &str) -> Answer {
    Answer::Refused { class: Class::Refused, code: code.to_owned(), description: "Words.".to_owned() }
}

/// No error may hold the secret or its neighbourhood, and each is one lower-case sentence without a full stop.
#[track_caller]
pub(crate) fn assert_no_secret(error: &PortalError) {
    let told = format!("{error} {error:?} {error:#?}");
    assert!(!told.to_lowercase().contains(&SECRET.to_lowercase()) && !told.contains("/rest/"), "{told}");
    assert!(!error.message.ends_with('.') && !error.message.contains('\n'), "{told}");
}

/// Reads the lists from a server that answers this and nothing else, as often as it is asked, which must fail; with how
/// often it was asked.
pub(crate) async fn failing_list(step: Step) -> (PortalError, usize) {
    let server = Server::answering(vec![step; 10]).await;
    let error = server.client().list().await.unwrap_err();
    assert_no_secret(&error);
    (error, server.asked())
}

/// Sends one delete to a server with this one-step script, which must fail after exactly one request.
pub(crate) async fn failing_write(step: Step) -> WriteError {
    let is_silence = matches!(step, Step::Silence);
    let server = Server::answering([step]).await;
    let client = client(server.webhook(), Duration::from_secs(30), |settings| {
        if is_silence {
            settings.write_timeout = Duration::from_secs(1);
        }
    });
    let failure = client.write(&[delete("a")], Halt::Never, Urgency::Ordinary, &|_| {}).await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "a write is never repeated blindly");
    let (WriteError::NoEffect(error) | WriteError::Unclear(error) | WriteError::Unanswered(error)) = &failure;
    assert_no_secret(error);
    failure
}
