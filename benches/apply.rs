//! `apply` against a portal that takes its time: creates against what fast_bitrix24 needs for the upload alone, replaces
//! against the server's own time, and 10,000 creates against the same batches over bare sockets.
//!
//! The portal is the sandbox, in this process, with a fresh folder for every run. Its latency counts for every request,
//! downloads included.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brandctl::domain::asset::Kind;
use brandctl::domain::diff::Unbacked;
use brandctl::domain::guard::{self, Allowances, ApprovedPlan, CountsByKind, Empty, InUse, IncompleteCheckout};
use brandctl::domain::journal::{JournalEntry, Line};
use brandctl::domain::manifest;
use brandctl::domain::origin::Origins;
use brandctl::format::Published;
use brandctl::ops::ports::Runs as _;
use brandctl::sandbox::{self, Latency, Recorded, Sandbox};
use brandctl::store::runs::{self, RunStore, StoredRun};
use brandctl::store::state_dir::StateDir;
use measure::{BRANDCTL, Peak, Result, Times, timed, verdict};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// How many icons are created or replaced on the slow portal.
const ICONS: u32 = 200;
/// How many are created without limits.
const MANY: u32 = 10_000;
const LATENCY: Latency = Latency { per_request: Duration::from_millis(100), per_command: Duration::from_millis(30) };
const BATCH: usize = 50;
const IN_FLIGHT: usize = 8;
const CREATE_RUNS: usize = 9;
const REPLACE_RUNS: usize = 3;
const MANY_RUNS: usize = 5;
const MIB: u64 = 1024 * 1024;
const GOAL_MEMORY: u64 = 150 * MIB;
/// The share of what fast_bitrix24 needs for 4 batches of 50, all at once. Half of that is for 8 batches of 25; the
/// rest is for reading, reading back and ourselves.
const GOAL_CREATES: f64 = 0.8;
const GOAL_JOURNAL: f64 = 0.1;

fn main() -> ExitCode {
    measure::bench("apply", run)
}

fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    creates(&folder.path().join("creates"))?;
    replaces(&folder.path().join("replaces"))?;
    many(&folder.path().join("many"))
}

/// A run's time, and its share for journal and old images.
struct Applied {
    time: Duration,
    store: f64,
}

fn creates(folder: &Path) -> Result<()> {
    measure::repository(folder, ICONS)?;
    println!("{ICONS} creates: 100 ms a request, 30 ms a command; {CREATE_RUNS} runs in turn");
    let python = fast_bitrix24(folder);
    if let Err(error) = &python {
        println!("fast_bitrix24 is not here to compare with: {error}");
    }
    let (mut ours, mut theirs, mut stores) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..CREATE_RUNS {
        if let Ok(python) = &python {
            let portal = slow_portal(&folder.join(format!("theirs-{number}")))?;
            let (_, output) = timed(
                Command::new(python)
                    .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/fast_bitrix24_upload.py"))
                    .arg(folder.join("icons"))
                    .env("BITRIX24_WEBHOOK_URL", portal.admin_webhook()),
            )?;
            expect_entries(&portal, ICONS)?;
            theirs.push(Duration::from_secs_f64(String::from_utf8(output.stdout)?.trim().parse()?));
        }
        let portal = slow_portal(&folder.join(format!("ours-{number}")))?;
        let Applied { time, store } = apply(folder, &folder.join(format!("state-{number}")), &portal)?;
        expect_entries(&portal, ICONS)?;
        ours.push(time);
        stores.push(store);
        if number == 0 {
            print_requests(&portal.requests());
        }
    }
    let ours = Times::new(ours);
    ours.print("brandctl apply --yes");
    if !theirs.is_empty() {
        let theirs = Times::new(theirs);
        theirs.print("fast_bitrix24, the upload alone");
        let ratio = ours.median().as_secs_f64() / theirs.median().as_secs_f64();
        verdict("apply to fast_bitrix24", &format!("{ratio:.3}"), "at most 0.8", ratio <= GOAL_CREATES);
    }
    print_share(stores);
    Ok(())
}

fn replaces(folder: &Path) -> Result<()> {
    measure::repository(folder, ICONS)?;
    println!("\n{ICONS} replaces: 100 ms a request, 30 ms a command; {REPLACE_RUNS} runs");
    let (mut times, mut ratios, mut stores) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..REPLACE_RUNS {
        let portal = slow_portal(&folder.join(format!("portal-{number}")))?;
        for icon in 0..ICONS {
            portal.seed(Kind::Icon, &measure::code(icon), &measure::icon(icon + ICONS)?)?;
        }
        let Applied { time, store } = apply(folder, &folder.join(format!("state-{number}")), &portal)?;
        expect_entries(&portal, ICONS)?;
        if number == 0 {
            print_requests(&portal.requests());
        }
        times.push(time);
        ratios.push(time.as_secs_f64() / least_for_replaces().as_secs_f64());
        stores.push(store);
    }
    Times::new(times).print("brandctl apply --yes");
    println!("{:32} {:.3} s", "the server's own time", least_for_replaces().as_secs_f64());
    println!("{:32} {:.3}", "apply to the server's own time", median(ratios));
    print_share(stores);
    Ok(())
}

/// What the sandbox spends on the least that replaces one batch at a time: the lists, the first pair alone, pairs by 25,
/// the lists again; the old images and the new ones, all of them at once, are a request each.
fn least_for_replaces() -> Duration {
    let pairs = (ICONS - 1).div_ceil(25);
    let requests = 1 + 1 + pairs + 1 + 2;
    let commands = 2 + 2 * ICONS + 2;
    LATENCY.per_request * requests + LATENCY.per_command * commands
}

fn many(folder: &Path) -> Result<()> {
    measure::repository(folder, MANY)?;
    println!("\n{MANY} creates without limits or latency; {MANY_RUNS} runs in turn");
    let batches = batches(folder)?;
    let (mut ours, mut bare, mut peak) = (Vec::new(), Vec::new(), 0);
    for number in 0..MANY_RUNS {
        let portal = quick_portal(&folder.join(format!("bare-{number}")))?;
        bare.push(send_all(&portal, &batches)?);
        expect_entries(&portal, MANY)?;
        let portal = quick_portal(&folder.join(format!("ours-{number}")))?;
        let state = folder.join(format!("state-{number}"));
        let Peak { time, bytes } = measure::peak(brandctl(folder, &state, &portal).args(["--rps", "10000"]))?;
        expect_entries(&portal, MANY)?;
        ours.push(time);
        peak = peak.max(bytes);
    }
    let (ours, bare) = (Times::new(ours), Times::new(bare));
    bare.print("the same batches, bare");
    ours.print("brandctl apply --yes");
    println!("{:32} {:.2}", "ratio", ours.median().as_secs_f64() / bare.median().as_secs_f64());
    let figure = format!("{:.0} MiB", peak as f64 / MIB as f64);
    verdict("peak memory", &figure, "under 150 MiB", peak < GOAL_MEMORY);
    Ok(())
}

/// Applies and looks at what was sent: nothing may have been refused.
fn apply(folder: &Path, state: &Path, portal: &Sandbox) -> Result<Applied> {
    let (time, _) = timed(&mut brandctl(folder, state, portal))?;
    if portal.requests().iter().any(|request| request.status != Some(200)) {
        return Err("a request was refused".into());
    }
    let store = store_time(folder, state)?.as_secs_f64() / time.as_secs_f64();
    Ok(Applied { time, store })
}

/// The plan of a run, as it was approved. Its new images are not read: the store does not keep them.
fn approved(folder: &Path, run: &StoredRun) -> Result<Published<ApprovedPlan>> {
    let mut plan = run.plan()?.plan(run.old_images()?)?;
    let new = plan.diff.changes.iter().filter_map(|change| Some(change.action.after()?.content.sha256));
    plan.contents.extend(new.map(|digest| (digest, Arc::from([]))).collect::<Vec<_>>());
    let (manifest, _) = manifest::parse(&fs::read(folder.join("brand.yaml"))?, "brand.yaml");
    let ownership = manifest.ok_or("the manifest was valid before")?.ownership();
    let allowances = Allowances {
        max_deletes: None,
        empty: Empty::Allow,
        unbacked: Unbacked::Change,
        in_use: InUse::Allow,
        checkout: IncompleteCheckout::Refuse,
    };
    let evaluated = guard::evaluate(plan, &ownership, &CountsByKind::new(), allowances);
    let approved = Published::new(evaluated, None, &Origins::new(), &[])?.approve();
    Ok(approved.map_err(|refusal| format!("{refusal:?}"))?)
}

/// How long it takes to write the journal and the old images of the only run in `state` once more, beside it.
fn store_time(folder: &Path, state: &Path) -> Result<Duration> {
    let runs = runs::of_all_portals(state)?.into_iter().collect::<std::io::Result<Vec<_>>>()?;
    let [run] = runs.as_slice() else { return Err("one run was expected".into()) };
    let plan = approved(folder, run)?;
    let mut single = Vec::new();
    let mut last = Vec::new();
    for line in fs::read_to_string(run.folder().join("journal.jsonl"))?.lines() {
        let Line { entry, .. } = serde_json::from_str(line)?;
        match entry {
            JournalEntry::Begin { .. } => {}
            JournalEntry::Intent { .. }
            | JournalEntry::Sent { .. }
            | JournalEntry::Outcome { .. }
            | JournalEntry::Seen => single.push(entry),
            JournalEntry::Step { .. } | JournalEntry::Concluded { .. } | JournalEntry::End { .. } => last.push(entry),
        }
    }
    let store = RunStore::new(StateDir::new(&state.join("again"), "portal"), None);
    let old = run.old_images()?;
    let start = Instant::now();
    let prepared = store.prepare(&plan)?;
    prepared.keep(&old)?;
    let journal = prepared.begin()?;
    for entry in &single {
        journal.append(entry)?;
    }
    journal.append_all(&last)?;
    Ok(start.elapsed())
}

fn print_share(shares: Vec<f64>) {
    let share = median(shares);
    let figure = format!("{:.1} %", share * 100.0);
    verdict("journal and old images", &figure, "at most 10 % of the time", share <= GOAL_JOURNAL);
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn print_requests(requests: &[Recorded]) {
    let downloads = requests.iter().filter(|request| request.method == "download").count();
    let writes = requests.iter().filter(|request| request.would_write()).count();
    let reads = requests.len() - downloads - writes;
    println!("{:32} {reads} that read, {writes} that write, {downloads} downloads", "requests of a run");
}

fn expect_entries(portal: &Sandbox, count: u32) -> Result<()> {
    let entries = portal.entries();
    if entries.len() != usize::try_from(count)? {
        return Err(format!("{count} entries were expected, not {}", entries.len()).into());
    }
    for (entry, number) in entries.iter().zip(0..).step_by(97) {
        let wanted = entry.code.strip_prefix("bench-").and_then(|number| number.parse().ok()).unwrap_or(number);
        if entry.content != measure::icon(wanted)? {
            return Err(format!("{} has another image", entry.code).into());
        }
    }
    Ok(())
}

fn slow_portal(data: &Path) -> Result<Sandbox> {
    Ok(sandbox::start(sandbox::Options { latency: LATENCY, ..sandbox::Options::new(data) })?)
}

fn quick_portal(data: &Path) -> Result<Sandbox> {
    Ok(sandbox::start(sandbox::Options { limits: None, ..sandbox::Options::new(data) })?)
}

fn brandctl(folder: &Path, state: &Path, portal: &Sandbox) -> Command {
    let mut command = Command::new(BRANDCTL);
    command.arg("--file").arg(folder.join("brand.yaml")).arg("--state-dir").arg(state);
    command.args(["apply", "--yes"]).env("BITRIX24_WEBHOOK_URL", portal.admin_webhook());
    command
}

/// A Python that has fast_bitrix24 1.8.14.
fn fast_bitrix24(folder: &Path) -> Result<PathBuf> {
    let venv = folder.join("venv");
    timed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let python = venv.join("bin/python");
    timed(Command::new(&python).args(["-m", "pip", "install", "--quiet", "fast_bitrix24==1.8.14"]))?;
    Ok(python)
}

/// The adds of all icons of a repository as bodies of batches.
fn batches(folder: &Path) -> Result<Vec<String>> {
    let mut adds = Vec::new();
    for number in 0..MANY {
        let code = measure::code(number);
        let png = STANDARD.encode(fs::read(folder.join(format!("icons/{code}.png")))?);
        let png = utf8_percent_encode(&png, NON_ALPHANUMERIC);
        adds.push(format!("crm.timeline.icon.add?code={code}&fileContent={png}"));
    }
    Ok(adds.chunks(BATCH).map(|adds| serde_json::json!({"halt": 0, "cmd": adds}).to_string()).collect())
}

/// Sends bodies to `batch`, several at once, each over a socket of its own.
fn send_all(portal: &Sandbox, bodies: &[String]) -> Result<Duration> {
    let next = Mutex::new(bodies.iter());
    let start = Instant::now();
    let ended: Vec<_> = std::thread::scope(|scope| {
        let work = || -> std::result::Result<(), String> {
            loop {
                let body = next.lock().map_err(|error| error.to_string())?.next();
                let Some(body) = body else { return Ok(()) };
                send(portal, body).map_err(|error| error.to_string())?;
            }
        };
        let workers: Vec<_> = (0..IN_FLIGHT).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    let time = start.elapsed();
    for end in ended {
        end.map_err(|_| "a sender panicked")??;
    }
    Ok(time)
}

fn send(portal: &Sandbox, body: &str) -> Result<()> {
    let webhook = portal.admin_webhook();
    let path = webhook.find("/rest/").and_then(|at| webhook.get(at..)).ok_or("a webhook has a path")?;
    let mut socket = TcpStream::connect(portal.address())?;
    write!(
        socket,
        "POST {path}batch HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        portal.address(),
        body.len(),
    )?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    if answer.starts_with(b"HTTP/1.1 200") { Ok(()) } else { Err("the sandbox did not answer 200".into()) }
}
