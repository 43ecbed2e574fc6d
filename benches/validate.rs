//! 10,000 icons: `validate` against other programs on the same files and against merely reading and inflating them, with
//! the files in memory and on disk; the memory that `validate` and `plan` take; the time that hostile files and starting
//! cost.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "../tests/it/hostile/files.rs"]
mod hostile;
mod measure;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use brandctl::domain::png;
use brandctl::sandbox;
use flate2::{Decompress, FlushDecompress};
use measure::{BRANDCTL, Result, Times, timed, verdict};
use rayon::prelude::*;

const ICONS: u32 = 10_000;
const RUNS: usize = 11;
const MIB: u64 = 1024 * 1024;

fn main() -> ExitCode {
    measure::bench("validate", run)
}

fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    measure::repository(folder.path(), ICONS)?;
    println!("{ICONS} icons, {RUNS} runs in turn");
    time(folder.path())?;
    cold(folder.path())?;
    memory(folder.path())?;
    hostile_files()?;
    start_up()
}

/// Another program on the same files, and how many times as fast `validate` should be.
struct Rival {
    name: &'static str,
    command: Command,
    goal: f64,
    times: Vec<Duration>,
}

fn rivals(folder: &Path, icons: &[PathBuf]) -> Result<Vec<Rival>> {
    let mut pngcheck = Command::new("pngcheck");
    pngcheck.arg("-q").args(icons);
    let mut identify = Command::new("identify");
    identify.args(["-format", ""]).args(icons);
    let script = folder.join("pillow.py");
    fs::write(&script, PILLOW)?;
    let mut pillow = Command::new(std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into()));
    pillow.arg(script).args(icons);
    let of = |name, command, goal| Rival { name, command, goal, times: Vec::new() };
    let all =
        [of("pngcheck -q", pngcheck, 1.0), of("Pillow", pillow, 20.0), of("ImageMagick identify", identify, 50.0)];
    let (here, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(|rival| match rival.name {
        "Pillow" => {
            Command::new(rival.command.get_program()).args(["-c", "import PIL"]).status().is_ok_and(|s| s.success())
        }
        _ => Command::new(rival.command.get_program()).arg("-h").output().is_ok(),
    });
    for rival in missing {
        println!("{} is not here to compare with", rival.name);
    }
    Ok(here)
}

/// Opens, checks and decodes each file, as a script in a repository would.
const PILLOW: &str = "import sys
from PIL import Image
for path in sys.argv[1:]:
    with Image.open(path) as image:
        image.verify()
    with Image.open(path) as image:
        image.convert('RGBA').load()
";

fn time(folder: &Path) -> Result<()> {
    let icons = icons(folder)?;
    let mut rivals = rivals(folder, &icons)?;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        // The slow ones would take minutes.
        for rival in rivals.iter_mut().filter(|rival| rival.goal <= 1.0 || run < 3) {
            rival.times.push(timed(&mut rival.command)?.0);
        }
        floor.push(read_and_inflate(&icons)?);
        ours.push(validate(folder)?);
    }
    let ours = Times::new(ours);
    ours.print("brandctl validate");
    for Rival { name, goal, times, .. } in rivals {
        let theirs = Times::new(times);
        theirs.print(name);
        let ratio = theirs.median().as_secs_f64() / ours.median().as_secs_f64();
        verdict(&format!("{name} to validate"), &format!("{ratio:.2}"), &format!("over {goal}"), ratio > goal);
    }
    print_floor(&ours, floor);
    Ok(())
}

/// Times as `time` does, with nothing of the files in memory. Dropping what the kernel keeps takes root.
fn cold(folder: &Path) -> Result<()> {
    let drop_caches = || {
        // What is not written yet is not dropped.
        Command::new("sync").status().is_ok_and(|status| status.success())
            && fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
    };
    if !drop_caches() {
        println!("cold: the kernel's cache cannot be dropped here (that takes root on Linux)");
        return Ok(());
    }
    let icons = icons(folder)?;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        drop_caches();
        floor.push(read_and_inflate(&icons)?);
        drop_caches();
        ours.push(validate(folder)?);
    }
    let ours = Times::new(ours);
    ours.print("brandctl validate, cold");
    print_floor(&ours, floor);
    Ok(())
}

fn print_floor(ours: &Times, floor: Vec<Duration>) {
    let floor = Times::new(floor);
    floor.print("reading and inflating");
    let ratio = ours.median().as_secs_f64() / floor.median().as_secs_f64();
    verdict("validate to that", &format!("{ratio:.2}"), "under 2", ratio < 2.0);
}

fn icons(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut icons =
        fs::read_dir(folder.join("icons"))?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    icons.sort();
    Ok(icons)
}

fn validate(folder: &Path) -> Result<Duration> {
    let (time, output) = timed(&mut brandctl(folder, &["validate"]))?;
    if String::from_utf8_lossy(&output.stdout).contains(&format!("Valid: {ICONS} images.")) {
        Ok(time)
    } else {
        Err("every icon is sound, and validate should say so".into())
    }
}

/// The least that any check must do, on all cores: no chunk is checked, no pixel looked at.
fn read_and_inflate(icons: &[PathBuf]) -> Result<Duration> {
    let start = Instant::now();
    let inflated: u64 = icons
        .par_iter()
        .map(|icon| {
            let bytes = fs::read(icon)?;
            let mut stream = Decompress::new(true);
            let mut pixels = Vec::with_capacity(4096);
            let mut rest = bytes.get(8..).unwrap_or_default();
            while let Some((length, after)) = rest.split_first_chunk::<4>() {
                let Some((data, later)) = after.split_at_checked(4 + u32::from_be_bytes(*length) as usize) else {
                    break;
                };
                if let Some(data) = data.strip_prefix(b"IDAT") {
                    stream.decompress_vec(data, &mut pixels, FlushDecompress::None)?;
                }
                rest = later.get(4..).unwrap_or_default();
            }
            Ok(stream.total_out())
        })
        .sum::<std::result::Result<u64, io::Error>>()?;
    let time = start.elapsed();
    let expected = u64::from(ICONS) * 24 * (1 + 24 * 4);
    if inflated == expected { Ok(time) } else { Err(format!("{inflated} bytes inflated, not {expected}").into()) }
}

/// What files cost that are made to cost much. `tests/it/hostile` bounds the memory.
fn hostile_files() -> Result<()> {
    let mut slowest = ("", Duration::ZERO);
    for (name, bytes) in hostile::all() {
        let times = Times::new(
            (0..5)
                .map(|_| {
                    let start = Instant::now();
                    // Sound or not: `tests/it/hostile` knows which.
                    let _ = std::hint::black_box(png::read(&bytes));
                    start.elapsed()
                })
                .collect(),
        );
        times.print(name);
        slowest = std::cmp::max_by_key(slowest, (name, times.median()), |(_, time)| *time);
    }
    let (name, time) = slowest;
    verdict(
        "slowest hostile file",
        &format!("{:.0} ms: {name}", time.as_secs_f64() * 1e3),
        "100 ms",
        time.as_millis() <= 100,
    );
    Ok(())
}

/// Starting, against a program that does nothing.
fn start_up() -> Result<()> {
    let (mut ours, mut nothing) = (Vec::new(), Vec::new());
    for _ in 0..101 {
        nothing.push(timed(&mut Command::new("true"))?.0);
        ours.push(timed(Command::new(BRANDCTL).arg("--version"))?.0);
    }
    let (ours, nothing) = (Times::new(ours), Times::new(nothing));
    ours.print("brandctl --version");
    nothing.print("true");
    let above = ours.median().saturating_sub(nothing.median());
    let figure = format!("{:.2} ms", above.as_secs_f64() * 1e3);
    verdict("start above true", &figure, "under 5 ms", above < Duration::from_millis(5));
    Ok(())
}

fn memory(folder: &Path) -> Result<()> {
    let portal = sandbox::start(sandbox::Options { limits: None, ..sandbox::Options::new(folder.join("portal")) })?;
    let saved = folder.join("plan.json");
    let commands: [(&str, &[&str]); 2] = [("validate", &["validate"]), ("plan, all to create", &["plan"])];
    let mut saving = brandctl(folder, &["plan", "--output"]);
    saving.arg(saved);
    for (name, mut command) in commands
        .map(|(name, arguments)| (name, brandctl(folder, arguments)))
        .into_iter()
        .chain([("plan, all to create, saved", saving)])
    {
        let peak = measure::peak(command.env("BITRIX24_WEBHOOK_URL", portal.admin_webhook()))?.bytes;
        verdict(name, &format!("{:.0} MiB", peak as f64 / MIB as f64), "under 100 MiB", peak < 100 * MIB);
    }
    Ok(())
}

fn brandctl(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BRANDCTL);
    command.arg("--file").arg(folder.join("brand.yaml")).args(arguments);
    command
}
