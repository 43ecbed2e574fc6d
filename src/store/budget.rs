//! How much a command reads of the runs in a state folder. They are hostile input: what is in them must cost neither the time
//! in which nobody would hear `--timeout` or Ctrl-C, nor the memory of all of them.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use super::files::Folder;

/// The largest journal that is read, in bytes: more than that of a run with a hundred thousand steps.
pub(super) const MAX_JOURNAL_BYTES: u64 = 32 * 1024 * 1024;

/// The longest line of a journal that is read, in bytes: many times that of a whole batch.
const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// How much is read of all journals in one go, in bytes: those of tens of thousands of ordinary runs, read in a second or two.
const MAX_JOURNALS_BYTES: u64 = 128 * 1024 * 1024;

/// The largest plan that is read, in bytes: that of a hundred thousand changes.
const MAX_PLAN_BYTES: u64 = 128 * 1024 * 1024;

/// How much is read of the plans of all these runs, in bytes.
const MAX_PLANS_BYTES: u64 = 2 * MAX_PLAN_BYTES;

/// What is left of what may be read in one go.
#[derive(Debug)]
pub(super) struct ReadingBudget {
    journals: Cell<u64>,
    plans: Cell<u64>,
    spent: Cell<bool>,
}

impl ReadingBudget {
    /// All of it.
    pub(super) fn new() -> Rc<Self> {
        let (journals, plans) = (Cell::new(MAX_JOURNALS_BYTES), Cell::new(MAX_PLANS_BYTES));
        Rc::new(Self { journals, plans, spent: Cell::new(false) })
    }

    /// Whether something was not read because nothing was left.
    pub(super) const fn is_spent(&self) -> bool {
        self.spent.get()
    }

    /// Reads a journal line by line, as long as `line` wants more. One that is missing has no line.
    pub(super) fn read_lines(&self, run: &Folder, name: &str, mut line: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
        let (left, mut read) = (self.journals.get(), 0);
        let result = run.read_lines(name, (MAX_LINE_BYTES, MAX_JOURNAL_BYTES.min(left)), |text| {
            read += text.len() as u64;
            line(text)
        });
        self.journals.set(left.saturating_sub(read));
        result.map_err(|error| self.explain(run, error, left < MAX_JOURNAL_BYTES, "journals", MAX_JOURNALS_BYTES))
    }

    /// Reads a plan whole.
    pub(super) fn read(&self, run: &Folder, name: &str) -> io::Result<Vec<u8>> {
        let left = self.plans.get();
        let result = run.read(name, MAX_PLAN_BYTES.min(left));
        self.plans.set(left.saturating_sub(result.as_ref().map_or(0, |bytes| bytes.len() as u64)));
        result.map_err(|error| self.explain(run, error, left < MAX_PLAN_BYTES, "plans", MAX_PLANS_BYTES))
    }

    /// The error, where less than a whole file was left, as one about all runs.
    fn explain(&self, run: &Folder, error: io::Error, is_rest: bool, what: &str, max_bytes: u64) -> io::Error {
        if !is_rest || error.kind() != io::ErrorKind::FileTooLarge {
            return error;
        }
        self.spent.set(true);
        let runs = run.path().parent().unwrap_or(run.path()).display();
        let max = max_bytes >> 20;
        io::Error::other(format!("the runs in {runs} hold more than {max} MiB of {what} together: move old ones away"))
    }
}
