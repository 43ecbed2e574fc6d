//! `plan` with nothing to do and a warm cache, against the bare request that it cannot do without.
//!
//! The portal is the sandbox, in this process; `brandctl` runs as a process, as users run it. Every run must have cost one
//! request and no download.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use brandctl::sandbox::{self, Sandbox};
use measure::{BRANDCTL, Result, Times, timed, verdict};

/// The number of icons in the npm package material-design-icons.
const ICONS: u32 = 961;
const RUNS: usize = 31;
const GOAL: Duration = Duration::from_millis(30);

fn main() -> ExitCode {
    measure::bench("plan", run)
}

fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    measure::repository(folder.path(), ICONS)?;
    let portal =
        sandbox::start(sandbox::Options { limits: None, ..sandbox::Options::new(folder.path().join("portal")) })?;
    timed(brandctl(folder.path(), &portal).args(["apply", "--yes", "--rps", "1000"]))?;
    timed(brandctl(folder.path(), &portal).arg("plan"))?;

    let (mut bare, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        bare.push(exchange(&portal)?);
        let before = portal.requests().len();
        let (time, output) = timed(brandctl(folder.path(), &portal).arg("plan"))?;
        whole.push(time);
        let sent: Vec<_> = portal.requests().into_iter().skip(before).map(|request| request.method).collect();
        if sent != ["batch"] {
            return Err(format!("one batch was expected, not {sent:?}").into());
        }
        let told = String::from_utf8_lossy(&output.stdout);
        if !told.contains(&format!("Nothing to do. {ICONS} unchanged")) {
            return Err(format!("nothing should be left to do: {told}").into());
        }
    }
    let (bare, whole) = (Times::new(bare), Times::new(whole));
    println!("plan, nothing to do, warm cache, {ICONS} icons, {RUNS} runs in turn");
    bare.print("the request alone");
    whole.print("brandctl plan");
    let above = whole.median().saturating_sub(bare.median());
    println!("{:32} 1, and no download", "requests of each run");
    verdict(
        "above the server's own time",
        &format!("{:.1} ms", above.as_secs_f64() * 1e3),
        "under 30 ms",
        above < GOAL,
    );
    println!("{:32} {:.2}", "ratio", whole.median().as_secs_f64() / bare.median().as_secs_f64());
    Ok(())
}

fn brandctl(folder: &Path, portal: &Sandbox) -> Command {
    let mut command = Command::new(BRANDCTL);
    command.arg("--file").arg(folder.join("brand.yaml")).env("BITRIX24_WEBHOOK_URL", portal.admin_webhook());
    command
}

/// The server's own time: both lists in one batch over a bare socket, from connecting to the last byte.
fn exchange(portal: &Sandbox) -> Result<Duration> {
    let webhook = portal.admin_webhook();
    let path = webhook.find("/rest/").and_then(|at| webhook.get(at..)).ok_or("a webhook has a path")?;
    let body = r#"{"halt":0,"cmd":{"icons":"crm.timeline.icon.list","logos":"crm.timeline.logo.list"}}"#;
    let start = Instant::now();
    let mut socket = TcpStream::connect(portal.address())?;
    write!(
        socket,
        "POST {path}batch HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        portal.address(),
        body.len(),
    )?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    let time = start.elapsed();
    if answer.starts_with(b"HTTP/1.1 200") { Ok(time) } else { Err("the sandbox did not answer 200".into()) }
}
