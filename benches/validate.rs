//! 10,000 icons: `validate` against Debian's pngcheck on the same files, and the memory that `validate` and `plan` take.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use brandctl::sandbox;
use measure::{BRANDCTL, Result, Times, timed, verdict};

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
    memory(folder.path())
}

fn time(folder: &Path) -> Result<()> {
    let mut icons =
        fs::read_dir(folder.join("icons"))?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    icons.sort();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let has_pngcheck = Command::new("pngcheck").arg("-h").output().is_ok();
    for _ in 0..RUNS {
        if has_pngcheck {
            theirs.push(timed(&mut pngcheck(&icons))?.0);
        }
        let (time, output) = timed(&mut brandctl(folder, &["validate"]))?;
        ours.push(time);
        if !String::from_utf8_lossy(&output.stdout).contains(&format!("Valid: {ICONS} images.")) {
            return Err("every icon is sound, and validate should say so".into());
        }
    }
    let ours = Times::new(ours);
    ours.print("brandctl validate");
    if has_pngcheck {
        let theirs = Times::new(theirs);
        theirs.print("pngcheck -q");
        let ratio = ours.median().as_secs_f64() / theirs.median().as_secs_f64();
        verdict("validate to pngcheck", &format!("{ratio:.2}"), "under 1", ratio < 1.0);
    } else {
        println!("pngcheck is not here to compare with: apt-get install pngcheck");
    }
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

fn pngcheck(icons: &[PathBuf]) -> Command {
    let mut command = Command::new("pngcheck");
    command.arg("-q").args(icons);
    command
}

fn brandctl(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BRANDCTL);
    command.arg("--file").arg(folder.join("brand.yaml")).args(arguments);
    command
}
