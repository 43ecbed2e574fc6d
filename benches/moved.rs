//! Who moved, of 1,000 icons in 5,000 commits, against what one would do by hand: `git log --follow` of each file.
//!
//! The portal is the sandbox, in this process. Half of the icons are on it in an older version, a quarter as nobody ever
//! committed them, a quarter as declared. Two histories: a folder of icons, and a map that grew with every tenth commit.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use brandctl::domain::asset::Kind;
use brandctl::sandbox::{self, Sandbox};
use measure::{BRANDCTL, Result, Times, code, icon, verdict};

const ICONS: u32 = 1_000;
const COMMITS: u32 = 5_000;
const RUNS: usize = 9;
/// This many files are followed one by one; the others would take as long each.
const FOLLOWED: u32 = 20;
const GOAL: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    measure::bench("moved", run)
}

fn run() -> Result<()> {
    for form in ["folder", "map"] {
        let folder = tempfile::tempdir()?;
        repository(folder.path(), form)?;
        let data = tempfile::tempdir()?;
        let portal = sandbox::start(sandbox::Options { limits: None, ..sandbox::Options::new(data.path()) })?;
        for number in 0..ICONS {
            let live = match number % 4 {
                0 | 2 => icon(version(number, COMMITS - ICONS))?,
                1 => icon(1_000_000_000 + number)?,
                _ => fs::read(folder.path().join(format!("icons/{}.png", code(number))))?,
            };
            portal.seed(Kind::Icon, &code(number), &live)?;
        }
        measured(folder.path(), &portal, form)?;
    }
    Ok(())
}

fn measured(folder: &Path, portal: &Sandbox, form: &str) -> Result<()> {
    let git = folder.join(".git");
    let aside = folder.join("aside");
    // The first run fills the cache of images.
    drift(folder, portal, true)?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        with.push(drift(folder, portal, true)?);
        fs::rename(&git, &aside)?;
        without.push(drift(folder, portal, false)?);
        fs::rename(&aside, &git)?;
    }
    let start = Instant::now();
    for number in 0..FOLLOWED {
        let file = format!("icons/{}.png", code(number));
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(["log", "--follow", "--raw", "--format=%H", "--", &file]);
        if !command.stdout(Stdio::null()).status()?.success() {
            return Err("git log --follow failed".into());
        }
    }
    let followed = start.elapsed() / FOLLOWED * (ICONS * 3 / 4);
    println!("who moved: a {form}, {ICONS} icons, {COMMITS} commits, 750 changes, {RUNS} runs in turn");
    let (with, without) = (Times::new(with), Times::new(without));
    without.print("drift without a history");
    with.print("drift with its history");
    let cost = with.median().saturating_sub(without.median());
    verdict("the history alone", &format!("{:.0} ms", cost.as_secs_f64() * 1e3), "under 1 s", cost < GOAL);
    println!("{:32} {:.1} s, by {FOLLOWED} of them", "git log --follow of 750 files", followed.as_secs_f64());
    println!("{:32} {:.0} times as fast", "ratio", followed.as_secs_f64() / cost.as_secs_f64());
    Ok(())
}

/// The time of one `drift`, which must say what is known of these icons.
fn drift(folder: &Path, portal: &Sandbox, history: bool) -> Result<Duration> {
    let mut command = Command::new(BRANDCTL);
    command.current_dir(folder).arg("drift").env("BITRIX24_WEBHOOK_URL", portal.admin_webhook()).stdin(Stdio::null());
    let start = Instant::now();
    let output = command.output()?;
    let time = start.elapsed();
    let told = String::from_utf8_lossy(&output.stdout);
    let expected: &[&str] =
        if history { &["Who moved: 500 pending", ", 250 drifted"] } else { &["Who moved is unknown"] };
    if output.status.code() == Some(2) && expected.iter().all(|expected| told.contains(expected)) {
        return Ok(time);
    }
    Err(format!("{:?}, {}\n{}", output.status, told, String::from_utf8_lossy(&output.stderr)).into())
}

/// The number of an icon's image after that many commits.
const fn version(number: u32, commits: u32) -> u32 {
    let rounds = (commits + ICONS - 1 - number) / ICONS;
    number + rounds * ICONS
}

/// A repository in which every commit redraws one icon.
fn repository(folder: &Path, form: &str) -> Result<()> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(arguments);
        command
    };
    if !git(&["init", "--quiet", "--initial-branch", "main"]).status()?.success() {
        return Err("git init failed".into());
    }
    let mut import = git(&["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn()?;
    let mut stream = std::io::BufWriter::new(import.stdin.take().ok_or("a pipe was asked for")?);
    for commit in 0..=COMMITS {
        write!(
            stream,
            "commit refs/heads/main\ncommitter bench <bench@example.com> {} +0000\ndata 0\n\n",
            1_700_000_000 + commit * 60
        )?;
        let icons = if commit == 0 { 0..ICONS } else { (commit - 1) % ICONS..(commit - 1) % ICONS + 1 };
        for number in icons {
            blob(&mut stream, &format!("icons/{}.png", code(number)), &icon(version(number, commit))?)?;
        }
        let half = ICONS / 2;
        match form {
            "folder" if commit == 0 => {
                blob(&mut stream, "brand.yaml", b"version: 1\nowns: [\"bench-*\"]\nicons: icons/\n")?
            }
            "map" if commit % 10 == 0 => {
                let mut text = "version: 1\nowns: [\"bench-*\"]\nicons:\n".to_owned();
                for number in 0..(half + commit / 10).min(ICONS) {
                    let _ = writeln!(text, "  {0}: icons/{0}.png", code(number));
                }
                blob(&mut stream, "brand.yaml", text.as_bytes())?;
            }
            _ => {}
        }
    }
    stream.flush()?;
    drop(stream);
    if import.wait()?.success() && git(&["reset", "--quiet", "--hard", "main"]).status()?.success() {
        return Ok(());
    }
    Err("git fast-import failed".into())
}

fn blob(stream: &mut impl std::io::Write, path: &str, bytes: &[u8]) -> Result<()> {
    write!(stream, "M 100644 inline {path}\ndata {}\n", bytes.len())?;
    stream.write_all(bytes)?;
    writeln!(stream)?;
    Ok(())
}
