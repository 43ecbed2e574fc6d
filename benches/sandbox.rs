//! What the sandbox serves, against a server of the same shape that does nothing; what a long list costs; and what our
//! client adds to a request.
//!
//! Every measurement alternates with what it is compared to, in one run. An answer that is not 200 fails the bench.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;

use std::convert::Infallible;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brandctl::domain::asset::Kind;
use brandctl::ops::events::{Event, Observer};
use brandctl::ops::ports::{DOWNLOADS, ReadPortal as _};
use brandctl::portal::{Client, Deadlines, Rate, Throttle, TrustStore, Webhook};
use brandctl::sandbox::{self, Recording, Sandbox};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use measure::{BRANDCTL, Result, Times};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

const ROUNDS: usize = 7;
/// The number of connections that a busy client keeps open.
const CONNECTIONS: usize = 4;
const SMALL_CALLS: usize = 20_000;
const BATCHES: usize = 200;
const ADDS: usize = 50;
const ENTRIES: u32 = 100_000;
const LISTS: usize = 5;
const CLIENT_CALLS: usize = 2_000;

fn main() -> ExitCode {
    measure::bench("sandbox", run)
}

fn run() -> Result<()> {
    served()?;
    long_list()?;
    client_cost()
}

// ---- Requests per second ----

fn served() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let portal = sandbox::start(sandbox::Options {
        limits: None,
        recording: Recording::Nothing,
        ..sandbox::Options::new(folder.path())
    })?;
    println!("requests per second, {CONNECTIONS} connections, {ROUNDS} rounds in turn with an echo server");
    let small = |_| request(&portal, "user.admin", &json!({}));
    compare(&portal, "user.admin", SMALL_CALLS, small)?;
    let mut batches = (0_u32..).step_by(ADDS).map(|first| adds(&portal, first));
    let mut next = |_| batches.next().ok_or("there are always more")?;
    compare(&portal, "batch of 50 adds", BATCHES, &mut next)?;
    let added = portal.entries().len();
    if added == ADDS * (1 + ROUNDS * BATCHES) { Ok(()) } else { Err(format!("only {added} adds were taken").into()) }
}

/// Sends `count` requests to the portal, then the same to a server that only reads them, in each round.
fn compare(portal: &Sandbox, what: &str, count: usize, mut next: impl FnMut(usize) -> Result<Vec<u8>>) -> Result<()> {
    let answer = Exchange::to(portal.address())?.send(&next(0)?)?;
    let echo = Echo::answering(answer)?;
    let (mut real, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let requests = (0..count).map(&mut next).collect::<Result<Vec<_>>>()?;
        real.push(hammer(portal.address(), &requests)?);
        bare.push(hammer(echo.address, &requests)?);
    }
    let (real, bare) = (Times::new(real).median(), Times::new(bare).median());
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!(
        "{what:32} sandbox {:8.0}/s   echo {:8.0}/s   ratio {:.2}   {:.0} µs above the echo each",
        rate(real),
        rate(bare),
        rate(bare) / rate(real),
        real.saturating_sub(bare).as_secs_f64() * 1e6 / count as f64,
    );
    Ok(())
}

/// Sends requests over several connections and gives the time that they took together.
fn hammer(address: SocketAddr, requests: &[Vec<u8>]) -> Result<Duration> {
    let start = Instant::now();
    let parts = requests.chunks(requests.len().div_ceil(CONNECTIONS));
    let ended = thread::scope(|scope| {
        let sending = |part: &[Vec<u8>]| -> std::result::Result<(), String> {
            let mut exchange = Exchange::to(address).map_err(|error| error.to_string())?;
            part.iter().try_for_each(|request| exchange.send(request).map(drop).map_err(|error| error.to_string()))
        };
        let threads: Vec<_> = parts.map(|part| scope.spawn(move || sending(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a thread ended".to_owned()))).collect()
    });
    let ended: std::result::Result<Vec<()>, String> = ended;
    ended?;
    Ok(start.elapsed())
}

fn request(portal: &Sandbox, method: &str, parameters: &Value) -> Result<Vec<u8>> {
    let webhook = portal.admin_webhook();
    let path = webhook.find("/rest/").and_then(|at| webhook.get(at..)).ok_or("a webhook has a path")?;
    let body = parameters.to_string();
    let head = format!(
        "POST {path}{method} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        portal.address(),
        body.len()
    );
    Ok([head.as_bytes(), body.as_bytes()].concat())
}

/// A batch that adds icons which are not there yet.
fn adds(portal: &Sandbox, first: u32) -> Result<Vec<u8>> {
    let mut commands = Map::new();
    for number in first..first + u32::try_from(ADDS)? {
        let content = STANDARD.encode(measure::icon(number)?);
        let content = utf8_percent_encode(&content, NON_ALPHANUMERIC);
        let command = format!("crm.timeline.icon.add?code={}&fileContent={content}", measure::code(number));
        commands.insert(format!("a{number}"), command.into());
    }
    request(portal, "batch", &json!({ "halt": 0, "cmd": commands }))
}

/// A connection that is kept.
struct Exchange(BufReader<TcpStream>);

impl Exchange {
    fn to(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        Ok(Self(BufReader::new(socket)))
    }

    /// Sends a request and gives the body of its answer, which must be a 200.
    fn send(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.0.get_mut().write_all(request)?;
        let (mut line, mut length, mut status) = (String::new(), 0, String::new());
        while line != "\r\n" {
            if status.is_empty() {
                status.clone_from(&line);
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
            line.clear();
            if self.0.read_line(&mut line)? == 0 {
                return Err("the connection was closed".into());
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        if !status.starts_with("HTTP/1.1 200") {
            return Err(format!("{status}{}", String::from_utf8_lossy(&body)).into());
        }
        Ok(body)
    }
}

/// A server of the sandbox's shape that reads a request and gives always the same answer.
struct Echo {
    address: SocketAddr,
    /// The path and the body of the last request.
    last: Arc<Mutex<(String, Bytes)>>,
}

impl Echo {
    /// Serves until the process ends.
    fn answering(answer: Vec<u8>) -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let last = Arc::new(Mutex::new((String::new(), Bytes::new())));
        let (answer, seen) = (Bytes::from(answer), Arc::clone(&last));
        thread::spawn(move || runtime.block_on(serve(listener, answer, seen)));
        Ok(Self { address, last })
    }
}

async fn serve(listener: std::net::TcpListener, answer: Bytes, last: Arc<Mutex<(String, Bytes)>>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        let (answer, last) = (answer.clone(), Arc::clone(&last));
        // As the sandbox does; only latency would suffer.
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let (answer, last) = (answer.clone(), Arc::clone(&last));
                async move {
                    let path = request.uri().path().to_owned();
                    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                    if let Ok(mut last) = last.lock() {
                        *last = (path, body);
                    }
                    let mut response = Response::new(Full::new(answer));
                    let json = hyper::header::HeaderValue::from_static("application/json; charset=utf-8");
                    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
                    Ok::<_, Infallible>(response)
                }
            });
            // A connection that breaks shows at the other end.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

// ---- A long list ----

/// `brandctl sandbox` with 100,000 icons: its start, a list, and its memory.
fn long_list() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let portal = sandbox::start(sandbox::Options::new(folder.path()))?;
    for number in 0..ENTRIES {
        portal.seed(Kind::Icon, &measure::code(number), &measure::icon(number)?)?;
    }
    let list = request(&portal, "crm.timeline.icon.list", &json!({}))?;
    portal.stop();
    let log = fs::metadata(folder.path().join("log.jsonl"))?.len();

    let start = Instant::now();
    let (server, address) = Process::start(folder.path())?;
    let started = start.elapsed();
    let resting = server.peak()?;
    let (mut times, mut length) = (Vec::new(), 0);
    for _ in 0..LISTS {
        let mut exchange = Exchange::to(address)?;
        let start = Instant::now();
        let answer = exchange.send(&list)?;
        times.push(start.elapsed());
        length = answer.len();
        let answer: Value = serde_json::from_slice(&answer)?;
        if answer.get("total") != Some(&json!(ENTRIES + 49)) {
            return Err("the list is not complete".into());
        }
    }
    println!("\n{ENTRIES} icons in one list of {} MiB, {LISTS} times", mib(u64::try_from(length)?));
    println!("{:32} {:.0} ms for a log of {} MiB", "start", started.as_secs_f64() * 1e3, mib(log));
    Times::new(times).print("crm.timeline.icon.list");
    println!(
        "{:32} {} MiB after the start, {} MiB after the lists (Linux)",
        "peak memory",
        mib(resting),
        mib(server.peak()?)
    );
    Ok(())
}

fn mib(bytes: u64) -> u64 {
    bytes / (1024 * 1024)
}

/// `brandctl sandbox`, killed at the end.
struct Process(Child);

impl Process {
    fn start(data: &Path) -> Result<(Self, SocketAddr)> {
        let mut command = Command::new(BRANDCTL);
        command.args(["sandbox", "--no-limits", "--quiet", "--format", "json", "--listen", "127.0.0.1:0", "--data"]);
        let mut child = Self(command.arg(data).stdout(Stdio::piped()).spawn()?);
        let stdout = child.0.stdout.as_mut().ok_or("its output is a pipe")?;
        let welcome = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>().next();
        let welcome = welcome.ok_or("it printed nothing")??;
        let page = welcome.get("page").and_then(Value::as_str).ok_or("it has a page")?;
        let address = page.trim_start_matches("http://").trim_end_matches('/').parse()?;
        Ok((child, address))
    }

    /// The most memory that it has held so far.
    fn peak(&self) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("Linux tells the peak")?;
        Ok(line.split_whitespace().next().ok_or("and how much it is")?.parse::<u64>()? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

// ---- The client ----

struct Quiet;

impl Observer for Quiet {
    fn observe(&self, _: Event) {}
}

/// Our client, asking a server that answers at once for both lists, against reqwest sending the same bytes.
fn client_cost() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let portal = sandbox::start(sandbox::Options::new(folder.path()))?;
    let lists = json!({ "halt": 0, "cmd": { "icons": "crm.timeline.icon.list", "logos": "crm.timeline.logo.list" } });
    let answer = Exchange::to(portal.address())?.send(&request(&portal, "batch", &lists)?)?;
    let echo = Echo::answering(answer)?;
    let webhook = portal.admin_webhook().replace(&portal.address().to_string(), &echo.address.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let deadlines = Deadlines::new(tokio::time::Instant::now(), Duration::from_secs(600));
        let rate = Rate { per_second: 1e6, burst: 1_000_000, headroom: 0 };
        let throttle = Throttle::new(rate, DOWNLOADS, Arc::new(Quiet))?;
        let access = Webhook::parse(&webhook, "bench")?.into();
        let ours = Client::new(access, &TrustStore::new(None)?, throttle, deadlines)?;
        if ours.list().await?.entries.is_empty() {
            return Err("the lists are empty".into());
        }
        let (path, body) = echo.last.lock().map_err(|_| "the echo server is gone")?.clone();
        let url = format!("http://{}{path}", echo.address);
        // One must be there, also where nothing is encrypted. That another one is there already does no harm.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bare = reqwest::Client::builder().no_proxy().build()?;
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..CLIENT_CALLS {
                ours.list().await?;
            }
            with.push(start.elapsed());
            let start = Instant::now();
            for _ in 0..CLIENT_CALLS {
                let request = bare.post(&url).header("content-type", "application/json").body(body.clone());
                request.send().await?.error_for_status()?.bytes().await?;
            }
            without.push(start.elapsed());
        }
        let each = |times| Times::new(times).median().as_secs_f64() * 1e6 / CLIENT_CALLS as f64;
        let (with, without) = (each(with), each(without));
        println!("\nboth lists of an empty portal, one after another, {ROUNDS} rounds of {CLIENT_CALLS} in turn");
        println!(
            "{:32} {with:.0} µs   reqwest alone {without:.0} µs   ratio {:.2}   {:.0} µs of its own",
            "our client",
            with / without,
            with - without
        );
        Ok(())
    })
}
