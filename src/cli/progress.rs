//! Progress on standard error: a bar on a terminal for every wait over half a second, gone when the stage ends; a line
//! for every longer pause without a terminal.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ops::events::{Event, Observer, Stage};
use crate::ops::ports::PortalError;
use crate::text::escape;

use super::output;
use super::settings::Globals;

/// The time that a stage may last before its bar is shown.
const PATIENCE: Duration = Duration::from_millis(500);

/// The fewest columns in which there is room for a bar.
const WIDE: usize = 70;

/// The progress that shows the user what a command waits for.
pub(super) struct Progress {
    mode: Mode,
    shown: Mutex<Option<Shown>>,
    /// What the command must not end as a success for.
    failures: Mutex<Vec<PortalError>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Bar,
    Lines,
    Silent,
}

struct Shown {
    bar: ProgressBar,
    since: Instant,
    drawn: bool,
    /// The reason why nothing is sent, and until when.
    waiting: Option<(String, Instant)>,
}

impl Progress {
    /// The progress display that the options and the terminal call for.
    pub(super) fn new(globals: &Globals) -> Arc<Self> {
        use std::io::IsTerminal as _;
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let mode = if globals.quiet {
            Mode::Silent
        } else if std::io::stderr().is_terminal() && !globals.no_progress && !dumb {
            Mode::Bar
        } else {
            Mode::Lines
        };
        let progress = Arc::new(Self { mode, shown: Mutex::new(None), failures: Mutex::default() });
        if mode == Mode::Bar {
            let watched = Arc::downgrade(&progress);
            // Without the thread, a bar moves when something happens, and not in between.
            let _ = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
                while let Some(progress) = watched.upgrade() {
                    progress.tick();
                    drop(progress);
                    std::thread::sleep(Duration::from_millis(100));
                }
            });
        }
        progress
    }

    /// Takes the bar away, before something else is printed.
    pub(super) fn clear(&self) {
        if let Some(shown) = self.shown.lock().unwrap_or_else(PoisonError::into_inner).take() {
            shown.bar.finish_and_clear();
        }
    }

    /// What went wrong without stopping the command.
    pub(super) fn failures(&self) -> Vec<PortalError> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tick(&self) {
        if let Some(shown) = self.shown.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            if !shown.drawn && shown.since.elapsed() > PATIENCE {
                shown.bar.set_draw_target(ProgressDrawTarget::stderr());
                shown.drawn = true;
            }
            if let Some((why, until)) = &shown.waiting {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    shown.bar.set_message("");
                    shown.waiting = None;
                } else {
                    shown.bar.set_message(waiting(why, left));
                }
            }
            shown.bar.tick();
        }
    }

    fn begin(&self, stage: Stage, total: Option<usize>) {
        self.clear();
        if self.mode != Mode::Bar {
            return;
        }
        let bar = ProgressBar::with_draw_target(total.map(|total| total as u64), ProgressDrawTarget::hidden());
        // On a narrow terminal the numbers are shown, and the bar is not: what is too long is cut off, not broken.
        let wide = output::error_screen().columns.is_none_or(|columns| columns >= WIDE);
        let template = match total {
            Some(_) if wide => "{spinner} {prefix} {bar:24} {pos}/{len} {elapsed} {wide_msg}",
            Some(_) => "{spinner} {prefix} {pos}/{len} {elapsed} {wide_msg}",
            None => "{spinner} {prefix} {elapsed} {wide_msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(name(stage));
        let shown = Shown { bar, since: Instant::now(), drawn: false, waiting: None };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
    }
}

impl Observer for Progress {
    fn observe(&self, event: Event) {
        match event {
            Event::Stage { stage, total } => self.begin(stage, total),
            Event::Advanced(count) => {
                if let Some(shown) = self.shown.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
                    shown.bar.inc(count as u64);
                }
            }
            Event::Waiting { why, wait } => {
                match (self.mode, self.shown.lock().unwrap_or_else(PoisonError::into_inner).as_mut()) {
                    (Mode::Bar, Some(shown)) => shown.waiting = Some((why, Instant::now() + wait)),
                    (Mode::Lines, _) => output::remark(&format!("waiting: {}", waiting(&why, wait))),
                    (Mode::Bar | Mode::Silent, _) => {}
                }
            }
            Event::Warning(message) => {
                self.clear();
                output::remark(&format!("warning: {message}"));
            }
            Event::Failed(error) => self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(error),
        }
    }
}

/// A wait in words.
fn waiting(why: &str, wait: Duration) -> String {
    format!("{}, {:.0} s", escape(why), wait.as_secs_f64().ceil())
}

const fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Checking => "checking the art",
        Stage::Listing => "reading the portal",
        Stage::Downloading => "downloading images",
        Stage::Writing => "writing",
        Stage::Scanning => "reading log entries",
        Stage::Verifying => "reading back",
    }
}
