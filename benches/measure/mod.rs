//! What the benches share: icons to measure with, processes to time, and figures to print.

#![allow(dead_code, reason = "each bench asks for a part of it")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

/// A bench stops at the first thing that is not as it should be: a figure of a run that went wrong says nothing.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The binary under test, built like the bench itself.
pub(crate) const BRANDCTL: &str = env!("CARGO_BIN_EXE_brandctl");

/// Runs a bench and says why it stopped, if it did. `cargo test --all-targets` starts benches too, but measures nothing.
pub(crate) fn bench(name: &str, run: impl FnOnce() -> Result<()>) -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes a branding repository of `count` icons, all different.
pub(crate) fn repository(folder: &Path, count: u32) -> Result<()> {
    let icons = folder.join("icons");
    fs::create_dir_all(&icons)?;
    fs::write(folder.join("brand.yaml"), "version: 1\nowns: [\"bench-*\"]\nicons: icons/\n")?;
    for number in 0..count {
        fs::write(icons.join(format!("{}.png", code(number))), icon(number)?)?;
    }
    Ok(())
}

/// The code of an icon.
pub(crate) fn code(number: u32) -> String {
    format!("bench-{number:05}")
}

/// A sound icon: a mark of 8×8 cells on a transparent ground, another one for every number.
pub(crate) fn icon(number: u32) -> Result<Vec<u8>> {
    // An odd factor maps different numbers to different marks, and near ones to marks that are unlike.
    let mark = number.wrapping_mul(0x9e37_79b1);
    let mut pixels = Vec::with_capacity(24 * 24 * 4);
    for (y, x) in (0..24_u32).flat_map(|y| (0..24_u32).map(move |x| (y, x))) {
        // Each cell has 2×2 pixels, in a margin of 4; the right half mirrors the left.
        let cell = |place: u32| place.checked_sub(4).map(|place| place / 2).filter(|cell| *cell < 8);
        let bit = cell(y).zip(cell(x)).map(|(row, column)| 4 * row + column.min(7 - column));
        let is_drawn = bit.is_some_and(|bit| (mark >> bit) & 1 == 1);
        // One pixel is always drawn, so that no icon is blank.
        pixels.extend(if is_drawn || (y, x) == (12, 3) { [0x1b, 0x3a, 0x57, 0xff] } else { [0; 4] });
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 24, 24);
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(bytes)
}

/// Runs a command to its end and times it. It must succeed.
pub(crate) fn timed(command: &mut Command) -> Result<(Duration, Output)> {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output()?;
    let time = start.elapsed();
    if output.status.success() {
        Ok((time, output))
    } else {
        Err(format!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
    }
}

/// What a command took.
pub(crate) struct Peak {
    /// From its start to its end.
    pub(crate) time: Duration,
    /// The most memory that it held at once, as Linux counts it.
    pub(crate) bytes: u64,
}

/// Runs a command to its end and watches its memory. It must succeed.
pub(crate) fn peak(command: &mut Command) -> Result<Peak> {
    peak_ending_with(command, 0)
}

/// The same for a command that must end with this exit code.
pub(crate) fn peak_ending_with(command: &mut Command, code: i32) -> Result<Peak> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut bytes = 0;
    // The kernel keeps the high-water mark, so only what is allocated in the last millisecond can be missed.
    loop {
        let text = fs::read_to_string(&status)?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(kib) = line.and_then(|line| line.split_whitespace().next()) {
            bytes = kib.parse::<u64>()? * 1024;
        }
        match child.try_wait()? {
            None => std::thread::sleep(Duration::from_millis(1)),
            Some(ended) if ended.code() == Some(code) => return Ok(Peak { time: start.elapsed(), bytes }),
            Some(ended) => return Err(format!("{command:?} ended with {ended}").into()),
        }
    }
}

/// The times of one thing, measured several times.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Takes the times in any order; there must be one at least.
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    pub(crate) fn median(&self) -> Duration {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    /// Prints a row: least, median, most.
    pub(crate) fn print(&self, name: &str) {
        let of = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
        println!(
            "{name:32} min {:7.1} ms   median {:7.1} ms   max {:7.1} ms",
            of(self.0.first()),
            self.median().as_secs_f64() * 1e3,
            of(self.0.last())
        );
    }
}

/// Prints a figure beside its goal.
pub(crate) fn verdict(what: &str, figure: &str, goal: &str, reached: bool) {
    println!("{what:32} {figure:24} goal: {goal}{}", if reached { "" } else { "  MISSED" });
}
