//! Progress on standard error. On a terminal: a bar for every wait over half a second, which disappears when the stage
//! ends. Elsewhere: a line for every such wait, and again at growing intervals while it lasts. In both cases a line for
//! each step of a plan that ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::domain::journal::RunCommand;
use crate::ops::events::{Event, Observer, Stage};
use crate::ops::ports::PortalError;
use crate::render;
use crate::text::escape;

use super::output;
use super::pace::Pace;
use super::settings::Globals;

/// The time that a wait may last before it is shown.
const PATIENCE: Duration = Duration::from_millis(500);

/// The fewest columns in which there is room for a bar.
const WIDE: usize = 70;

/// The progress that shows the user what a command waits for.
pub(super) struct Progress {
    mode: Mode,
    /// The command whose steps end.
    command: RunCommand,
    display: Mutex<Display>,
    /// Failures that did not stop the command, but keep it from ending as a success.
    failures: Mutex<Vec<PortalError>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Bar,
    Lines,
    Silent,
}

/// What is in progress, and what of it was shown.
struct Display {
    /// The current stages, each a part of the one before.
    stages: Vec<ShownStage>,
    /// The reason why nothing is sent, and until when.
    hold: Option<(String, Instant)>,
    /// How many writes were sent and are not answered yet.
    unanswered: usize,
    /// The bar on the screen, and the stage that it is about.
    bar: Option<(Stage, ProgressBar)>,
    pace: Pace,
}

struct ShownStage {
    stage: Stage,
    total: Option<usize>,
    done: usize,
    since: Instant,
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
        let display = Display { stages: Vec::new(), hold: None, unanswered: 0, bar: None, pace: Pace::new(PATIENCE) };
        let command = run_command(globals);
        let progress = Arc::new(Self { mode, command, display: Mutex::new(display), failures: Mutex::default() });
        if mode != Mode::Silent {
            let watched = Arc::downgrade(&progress);
            // Without the thread, waits are only shown when something happens.
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
        self.display().end();
    }

    /// The failures that did not stop the command.
    pub(super) fn failures(&self) -> Vec<PortalError> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn display(&self) -> MutexGuard<'_, Display> {
        self.display.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        let mut display = self.display();
        match self.mode {
            Mode::Bar => display.draw(),
            Mode::Lines => display.say(),
            Mode::Silent => {}
        }
    }
}

impl Observer for Progress {
    fn observe(&self, event: Event) {
        let mut display = self.display();
        match event {
            Event::Stage { stage, total } => display.begin(stage, total),
            Event::Downloaded => display.end_downloads(),
            Event::Advanced(count) => {
                if let Some(shown) = display.stages.last_mut() {
                    shown.done += count;
                }
            }
            Event::Step(ended) if self.mode != Mode::Silent => {
                let line = render::step::ended(&ended, self.command);
                display.above(|| output::diagnostic(&output::error_screen().wrapped(&line, 2)));
                display.pace.heard(Instant::now());
            }
            Event::Step(_) => {}
            Event::Sending => display.unanswered += 1,
            Event::Answered => display.unanswered = display.unanswered.saturating_sub(1),
            Event::Waiting { why, wait } => display.hold(why, wait, self.mode),
            Event::Warning(message) => display.above(|| output::remark(&format!("warning: {message}"))),
            Event::Failed(error) => self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(error),
        }
    }
}

impl Display {
    /// Begins a stage. Downloading is a part of the stage that it begins in; any other takes the place of all.
    fn begin(&mut self, stage: Stage, total: Option<usize>) {
        if stage == Stage::Downloading {
            self.stages.retain(|shown| shown.stage != stage);
        } else {
            self.end();
        }
        let since = Instant::now();
        self.stages.push(ShownStage { stage, total, done: 0, since });
        self.pace.begin(since);
    }

    fn end_downloads(&mut self) {
        self.stages.retain(|shown| shown.stage != Stage::Downloading);
        if self.stages.is_empty() {
            self.end();
        }
        self.pace.heard(Instant::now());
    }

    /// Ends all stages.
    fn end(&mut self) {
        self.stages.clear();
        self.hold = None;
        self.unanswered = 0;
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Prints something above the bar.
    fn above(&self, print: impl FnOnce()) {
        match &self.bar {
            Some((_, bar)) => bar.suspend(print),
            None => print(),
        }
    }

    /// Shows that nothing is sent for some time.
    fn hold(&mut self, why: String, wait: Duration, mode: Mode) {
        let now = Instant::now();
        if self.stages.is_empty() {
            self.begin(Stage::Asking, None);
        }
        if mode == Mode::Lines && wait >= PATIENCE && self.pace.names_hold(&why, wait, now) {
            output::remark(&format!("waiting: {}", waiting(&why, wait)));
        }
        self.hold = Some((why, now + wait));
    }

    /// The reason why the stage waits, if nothing else names it.
    fn held(&self) -> Option<String> {
        let (why, until) = self.hold.as_ref()?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| waiting(why, left))
    }

    /// Draws the bar of the innermost stage that lasts.
    fn draw(&mut self) {
        let Some(shown) = self.stages.iter().rev().find(|shown| shown.since.elapsed() > PATIENCE) else { return };
        if let Some((_, old)) = self.bar.take_if(|(stage, _)| *stage != shown.stage) {
            old.finish_and_clear();
        }
        let message = self.held().unwrap_or_else(|| match shown.stage {
            Stage::Writing if self.unanswered > 0 => "waiting for the portal's answer".to_owned(),
            _ => String::new(),
        });
        let (_, bar) = self.bar.get_or_insert_with(|| (shown.stage, shown.bar()));
        bar.set_message(message);
        bar.set_position(shown.done as u64);
        bar.tick();
    }

    /// Prints a line about the wait, if one is due.
    fn say(&mut self) {
        let now = Instant::now();
        let Some(shown) = self.stages.last().filter(|_| self.pace.is_due(now)) else { return };
        let line = match self.held() {
            Some(held) => format!("waiting: {held}"),
            None => shown.in_words(self.unanswered),
        };
        output::remark(&line);
        self.pace.said(now);
    }
}

impl ShownStage {
    fn bar(&self) -> ProgressBar {
        let bar = match self.total {
            Some(total) => ProgressBar::new(total as u64),
            None => ProgressBar::no_length(),
        };
        // A narrow terminal shows the numbers without the bar. What is too long is cut off, not wrapped.
        let wide = output::error_screen().columns.is_none_or(|columns| columns >= WIDE);
        let template = match self.total {
            Some(_) if wide => "{spinner} {prefix} {bar:24} {pos}/{len} {elapsed} {wide_msg}",
            Some(_) => "{spinner} {prefix} {pos}/{len} {elapsed} {wide_msg}",
            None => "{spinner} {prefix} {elapsed} {wide_msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.with_elapsed(self.since.elapsed()).with_prefix(name(self.stage))
    }

    /// The stage as a line, with how far it is.
    fn in_words(&self, unanswered: usize) -> String {
        let name = match self.stage {
            Stage::Writing if unanswered > 0 => "writing: waiting for the portal's answer",
            Stage::Writing => "writing: reading the portal",
            stage => name(stage),
        };
        let counted = self.total.map(|total| format!("{} of {total} done", self.done));
        let seconds = self.since.elapsed().as_secs();
        let lasts = (seconds >= 5).then(|| format!("{seconds} s"));
        let more: Vec<_> = counted.into_iter().chain(lasts).collect();
        if more.is_empty() { format!("{name} ...") } else { format!("{name} ... ({})", more.join(", ")) }
    }
}

/// The command, as the journal of a run names it.
pub(super) fn run_command(globals: &Globals) -> RunCommand {
    match globals.invocation.command {
        "restore" => RunCommand::Restore,
        _ => RunCommand::Apply,
    }
}

/// A wait in words.
fn waiting(why: &str, wait: Duration) -> String {
    format!("{}, {:.0} s", escape(why), wait.as_secs_f64().ceil())
}

const fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Checking => "checking the art",
        Stage::Asking => "waiting for the portal",
        Stage::Settling => "finding out what an earlier run did",
        Stage::Listing => "reading the portal",
        Stage::Downloading => "downloading images",
        Stage::History => "reading the Git history",
        Stage::Rechecking => "reading the portal again",
        Stage::Writing => "writing",
        Stage::Scanning => "reading log entries",
        Stage::Verifying => "reading back",
    }
}
