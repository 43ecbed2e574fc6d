//! The limits on how much a command reads of the runs in a state folder. The runs are hostile input: reading them must
//! not block `--timeout` or Ctrl-C, nor hold all of them in memory.

use std::cell::Cell;
use std::fmt::Display;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use super::files::Folder;
use crate::domain::journal::MAX_LINE_BYTES;
use crate::ops::ports::Interrupt;

/// The largest journal that is read, in bytes: more than that of a run with a hundred thousand steps.
pub(super) const MAX_JOURNAL_BYTES: u64 = 32 * 1024 * 1024;

/// How much one command reads of all journals together, in bytes: those of tens of thousands of ordinary runs, read in
/// a second or two.
const MAX_JOURNALS_BYTES: u64 = 128 * 1024 * 1024;

/// The largest plan that is read, in bytes: that of a hundred thousand changes.
const MAX_PLAN_BYTES: u64 = 128 * 1024 * 1024;

/// How much is read of the plans of all these runs together, in bytes.
const MAX_PLANS_BYTES: u64 = 2 * MAX_PLAN_BYTES;

/// When reading ends, even if something is left to read. It is checked between lines.
#[derive(Debug, Clone)]
pub(crate) struct ReadingEnd {
    /// Set once the user asks to stop.
    pub(crate) interrupt: Interrupt,
    /// When the time of the command is over.
    pub(crate) deadline: Instant,
}

impl ReadingEnd {
    fn is_reached(&self) -> bool {
        self.interrupt.is_raised() || Instant::now() >= self.deadline
    }
}

/// What one command may still read.
#[derive(Debug)]
pub(super) struct ReadingBudget {
    end: Option<ReadingEnd>,
    journals: Cell<u64>,
    plans: Cell<u64>,
    spent: Cell<bool>,
}

impl ReadingBudget {
    /// The full limits, until that end.
    pub(super) fn new(end: Option<ReadingEnd>) -> Rc<Self> {
        let (journals, plans) = (Cell::new(MAX_JOURNALS_BYTES), Cell::new(MAX_PLANS_BYTES));
        Rc::new(Self { end, journals, plans, spent: Cell::new(false) })
    }

    /// Whether something was not read because the limit was reached, or it was time to end.
    pub(super) const fn is_spent(&self) -> bool {
        self.spent.get()
    }

    /// Reads a journal line by line, as long as `line` wants more. One that is missing has no line.
    pub(super) fn read_lines(&self, run: &Folder, name: &str, mut line: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
        let (left, mut read) = (self.journals.get(), 0);
        let result = run.read_lines(name, (MAX_LINE_BYTES as u64, MAX_JOURNAL_BYTES.min(left)), |text| {
            read += text.len() as u64;
            !self.is_over() && line(text)
        });
        self.journals.set(left.saturating_sub(read));
        self.check_end(run)?;
        result.map_err(|error| self.explain(run, error, left < MAX_JOURNAL_BYTES, "journals", MAX_JOURNALS_BYTES))
    }

    /// Reads a plan whole.
    pub(super) fn read(&self, run: &Folder, name: &str) -> io::Result<Vec<u8>> {
        self.check_end(run)?;
        let left = self.plans.get();
        let result = run.read(name, MAX_PLAN_BYTES.min(left));
        self.plans.set(left.saturating_sub(result.as_ref().map_or(0, |bytes| bytes.len() as u64)));
        result.map_err(|error| self.explain(run, error, left < MAX_PLAN_BYTES, "plans", MAX_PLANS_BYTES))
    }

    fn is_over(&self) -> bool {
        self.end.as_ref().is_some_and(ReadingEnd::is_reached)
    }

    fn check_end(&self, run: &Folder) -> io::Result<()> {
        if !self.is_over() {
            return Ok(());
        }
        self.spent.set(true);
        let message = format!("the time of --timeout was up before the runs in {} were read", runs_of(run));
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    }

    /// The error, as one about all runs if less than a whole file was left.
    fn explain(&self, run: &Folder, error: io::Error, is_rest: bool, what: &str, max_bytes: u64) -> io::Error {
        if !is_rest || error.kind() != io::ErrorKind::FileTooLarge {
            return error;
        }
        self.spent.set(true);
        let (runs, max) = (runs_of(run), max_bytes >> 20);
        io::Error::other(format!(
            "the runs in {runs} hold more than {max} MiB of {what} together: move old runs to another folder"
        ))
    }
}

/// The folder that contains a run's folder, for messages.
fn runs_of(run: &Folder) -> impl Display {
    run.path().parent().unwrap_or(run.path()).display()
}
