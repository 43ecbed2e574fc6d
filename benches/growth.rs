//! How time and memory grow with what is read: each input at a size and at twice that size. Inputs that a pull request or a
//! portal can bring must cost no more than their share.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod measure;

use std::fmt::Write as _;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::faults::{FaultAction, On, When};
use brandctl::sandbox::{self, Faults, Sandbox};
use measure::{BRANDCTL, Peak, Result, icon, peak_ending_with};

/// A run shorter than this is mostly starting.
const LEAST: Duration = Duration::from_millis(500);
/// Twice the input may take this many times as long.
const GOAL: f64 = 2.3;

fn main() -> ExitCode {
    measure::bench("growth", run)
}

fn run() -> Result<()> {
    println!("{:44} {:>10} {:>10} {:>10} {:>7} {:>10} {:>10}", "", "n", "time", "of 2n", "ratio", "peak", "of 2n");
    grows("wrong codes on one line, validate", 20_000..=4_000_000, &wrong_codes)?;
    grows("missing files beside as many others", 2_000..=500_000, &missing_files)?;
    grows("declared files, validate", 5_000..=500_000, &declared_files)?;
    // Twice as many of these would be more than one answer may hold.
    grows("entries of one code, plan", 20_000..=40_000, &|count, folder| listed(count, folder, true))?;
    grows("entries that nobody owns, plan", 20_000..=40_000, &|count, folder| listed(count, folder, false))?;
    grows("empty objects in an answer, plan", 500_000..=4_000_000, &empty_objects)?;
    grows("large images, a plan that a guard refuses", 100..=400, &|count, folder| {
        large_images(count, folder, "apply --yes", 4)
    })?;
    grows("large images, apply", 100..=400, &|count, folder| {
        large_images(count, folder, "apply --yes --max-deletes 9999", 0)
    })?;
    grows("large images, export", 100..=400, &|count, folder| large_images(count, folder, "export exported", 0))?;
    grows("changes in a saved plan, show", 2_000..=100_000, &saved_changes)?;
    Ok(())
}

/// What is measured: a command, its exit code, and what must live while it runs.
struct Scene {
    command: Command,
    code: i32,
    _portal: Option<Sandbox>,
}

type Make<'a> = &'a dyn Fn(u32, &Path) -> Result<Scene>;

/// Doubles the input until it takes long enough to be measured or is as large as may be, then doubles it once more and prints
/// both.
fn grows(name: &str, counts: RangeInclusive<u32>, make: Make<'_>) -> Result<()> {
    let (mut count, most) = counts.into_inner();
    let of = |count| -> Result<Peak> {
        let folder = tempfile::tempdir()?;
        let mut scene = make(count, folder.path())?;
        peak_ending_with(&mut scene.command, scene.code)
    };
    let mut once = of(count)?;
    while once.time < LEAST && count < most {
        count *= 2;
        once = of(count)?;
    }
    let twice = of(2 * count)?;
    let ratio = twice.time.as_secs_f64() / once.time.as_secs_f64();
    let mib = |peak: &Peak| format!("{} MiB", peak.bytes / 1024 / 1024);
    println!(
        "{name:44} {count:>10} {:>7.2} s {:>8.2} s {ratio:>7.2} {:>10} {:>10}{}",
        once.time.as_secs_f64(),
        twice.time.as_secs_f64(),
        mib(&once),
        mib(&twice),
        if ratio <= GOAL { "" } else { "  MISSED" },
    );
    Ok(())
}

fn brandctl(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BRANDCTL);
    command.current_dir(folder).args(arguments);
    command
}

fn wrong_codes(count: u32, folder: &Path) -> Result<Scene> {
    let mut text = "{version: 1, owns: [\"bench-*\"], icons: {".to_owned();
    for number in 0..count {
        write!(text, "wrong-{number}: i/{number}.png, ")?;
    }
    fs::write(folder.join("brand.yaml"), text + "}}\n")?;
    Ok(Scene { command: brandctl(folder, &["validate"]), code: 1, _portal: None })
}

fn missing_files(count: u32, folder: &Path) -> Result<Scene> {
    let bytes = icon(1)?;
    fs::create_dir(folder.join("icons"))?;
    let mut text = "version: 1\nowns: [\"bench-*\"]\nicons:\n".to_owned();
    for number in 0..count {
        writeln!(text, "  bench-name-of-an-icon-{number:06}: icons/bench-name-of-an-icon-{number:06}.png")?;
        fs::write(folder.join(format!("icons/bench-old-name-of-an-icon-{number:06}.png")), &bytes)?;
    }
    fs::write(folder.join("brand.yaml"), text)?;
    Ok(Scene { command: brandctl(folder, &["validate"]), code: 1, _portal: None })
}

fn declared_files(count: u32, folder: &Path) -> Result<Scene> {
    measure::repository(folder, count)?;
    Ok(Scene { command: brandctl(folder, &["validate"]), code: 0, _portal: None })
}

/// A portal that answers everything with one body, and a manifest that declares nothing.
fn answering(body: String, folder: &Path, code: i32) -> Result<Scene> {
    fs::write(
        folder.join("brand.yaml"),
        "version: 1\nowns: [\"bench-*\"]\npolicy: {prune: true}\nicons: {bench-a: a.png}\n",
    )?;
    fs::write(folder.join("a.png"), icon(1)?)?;
    let portal = sandbox::start(sandbox::Options { limits: None, ..sandbox::Options::new(folder.join("portal")) })?;
    let status = FaultAction::Status { code: 200, body, content_type: "application/json".to_owned() };
    portal.set_faults(Faults::one(On::Any, When::Every, status));
    let mut command = brandctl(folder, &["plan", "--state-dir", "state"]);
    command.env("BITRIX24_WEBHOOK_URL", portal.admin_webhook());
    Ok(Scene { command, code, _portal: Some(portal) })
}

fn listed(count: u32, folder: &Path, one_code: bool) -> Result<Scene> {
    let mut icons = String::new();
    for number in 0..count {
        let code = if one_code { "bench-same".to_owned() } else { format!("others-{number}") };
        let comma = if number == 0 { "" } else { "," };
        write!(icons, "{comma}{{\"code\":\"{code}\",\"isSystem\":false,\"fileUri\":\"\"}}")?;
    }
    let body = format!(
        "{{\"result\":{{\"result\":{{\"icons\":{{\"icons\":[{icons}]}},\"logos\":{{\"logos\":[]}}}},\"result_error\":[],\
         \"result_total\":{{\"icons\":{count},\"logos\":0}},\"result_next\":[],\"result_time\":[]}}}}"
    );
    answering(body, folder, i32::from(one_code))
}

fn empty_objects(count: u32, folder: &Path) -> Result<Scene> {
    let items = vec!["{}"; usize::try_from(count)?].join(",");
    answering(format!("{{\"result\":{{\"result\":[{items}]}}}}"), folder, 1)
}

/// A portal full of images of half a MiB that nobody declares any more.
fn large_images(count: u32, folder: &Path, line: &str, code: i32) -> Result<Scene> {
    fs::write(
        folder.join("brand.yaml"),
        "version: 1\nowns: [\"bench-*\"]\npolicy: {prune: true}\nicons: {bench-a: a.png}\n",
    )?;
    fs::write(folder.join("a.png"), icon(1)?)?;
    let portal = sandbox::start(sandbox::Options { limits: None, ..sandbox::Options::new(folder.join("portal")) })?;
    for number in 0..count {
        portal.seed(Kind::Icon, &measure::code(number), &padded(icon(number)?, 512 * 1024))?;
    }
    let mut command = brandctl(folder, &["--state-dir", "state"]);
    command.args(line.split(' ')).env("BITRIX24_WEBHOOK_URL", portal.admin_webhook());
    Ok(Scene { command, code, _portal: Some(portal) })
}

/// The same picture with a comment of so many bytes.
fn padded(png: Vec<u8>, bytes: usize) -> Vec<u8> {
    /// What every PNG ends with: an empty chunk with its checksum.
    const END: usize = 12;
    let mut comment = b"tEXtComment\0".to_vec();
    comment.resize(comment.len() + bytes, b'x');
    let length = u32::try_from(comment.len() - 4).unwrap_or_default().to_be_bytes();
    let checksum = crc32fast::hash(&comment).to_be_bytes();
    let (picture, end) = png.split_at(png.len() - END);
    [picture, &length, &comment, &checksum, end].concat()
}

fn saved_changes(count: u32, folder: &Path) -> Result<Scene> {
    measure::repository(folder, count)?;
    let portal = sandbox::start(sandbox::Options { limits: None, ..sandbox::Options::new(folder.join("portal")) })?;
    let mut plan = brandctl(folder, &["plan", "-o", "plan.json"]);
    measure::timed(plan.env("BITRIX24_WEBHOOK_URL", portal.admin_webhook()))?;
    Ok(Scene { command: brandctl(folder, &["show", "plan.json"]), code: 0, _portal: Some(portal) })
}
