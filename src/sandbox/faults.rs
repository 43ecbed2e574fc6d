//! Scripted failures: a plain list of rules, each saying which requests it meets, which of those, and what goes wrong.

use std::time::Duration;

use super::record::writes;
use super::wire::{Answer, Refusal};

/// A script of failures. Every rule that meets a request takes part, in order; of those that replace the answer the
/// first one wins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// The rules, each with a count of its own.
    pub rules: Vec<Rule>,
}

impl Faults {
    /// No failures.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A script of one rule.
    #[must_use]
    pub fn one(on: On, when: When, action: Action) -> Self {
        Self::none().and(on, when, action)
    }

    /// The script with one more rule at its end.
    #[must_use]
    pub fn and(mut self, on: On, when: When, action: Action) -> Self {
        self.rules.push(Rule { on, when, action });
        self
    }
}

/// One rule of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Which requests it counts.
    pub on: On,
    /// Which of those it meets.
    pub when: When,
    /// What goes wrong.
    pub action: Action,
}

/// Which requests a rule counts. Method names are compared without case; `*.add` stands for every method that ends so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    /// Every request, downloads included.
    Any,
    /// Downloads of files.
    Download,
    /// Requests that call this method, alone or in a batch; `batch` for batches.
    Method(String),
    /// Batches with a command of this method.
    Inner(String),
    /// Requests with an `add` or a `delete`, alone or in a batch.
    Write,
}

/// Which of the counted requests a rule meets; counts start at 1 and anew with every script that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// All of them.
    Every,
    /// The n-th alone.
    Nth(u64),
    /// The n-th and all after it.
    From(u64),
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// This answer and no effect.
    Status {
        /// The HTTP status.
        code: u16,
        /// The body as it is sent.
        body: String,
        /// The Content-Type.
        content_type: String,
    },
    /// This answer after the effect.
    StatusAfter {
        /// The HTTP status.
        code: u16,
        /// The body as it is sent.
        body: String,
        /// The Content-Type.
        content_type: String,
    },
    /// A proxy's HTML page with this status, and no effect.
    Html(u16),
    /// A proxy's HTML page with this status after the effect.
    HtmlAfter(u16),
    /// The request waits so long before anything happens.
    Delay(Duration),
    /// The connection is closed without an answer and without an effect.
    DropBefore,
    /// The effect, then the connection is closed without an answer.
    DropAfter,
    /// The connection is closed at once while the work goes on.
    DropDuring,
    /// The effect, then only the first n bytes of the answer, in a sound HTTP message.
    TruncateBody(usize),
    /// The effect, then only the first n bytes of the answer although its whole length was promised.
    TearBody(usize),
    /// The effect, then the right status with an empty body.
    EmptyBody,
    /// A batch ends after so many of its commands.
    CutBatch {
        /// How many commands are executed.
        after: usize,
        /// What the client gets.
        answer: Cut,
    },
    /// From the request that the rule meets on, every command of `method` is refused, in a batch or alone.
    RefuseCommand {
        /// The method, or `*.add`.
        method: String,
        /// The error code.
        code: String,
        /// The error text.
        description: String,
        /// The HTTP status of a single call; inside a batch there is none.
        status: u16,
    },
    /// A batch that writes is refused as a whole: 405 `ERROR_BATCH_METHOD_NOT_ALLOWED`.
    NotAllowedInBatch,
    /// 503 `QUERY_LIMIT_EXCEEDED` and no effect, so many times.
    RateLimited(u64),
}

/// What the client of a batch that was cut gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The connection is closed without an answer.
    Close,
    /// An answer that holds only what was executed.
    Partial,
}

/// What the script needs to know of a request.
pub(super) struct Facts<'a> {
    /// The method in lower case; `None` for a download or a page.
    pub(super) method: Option<&'a str>,
    /// Whether it is a download.
    pub(super) download: bool,
    /// The methods of a batch's commands, in lower case.
    pub(super) inner: &'a [String],
}

impl Facts<'_> {
    fn writes_in_batch(&self) -> bool {
        self.inner.iter().any(|method| writes(method))
    }

    fn counted_by(&self, on: &On) -> bool {
        match on {
            On::Any => true,
            On::Download => self.download,
            On::Method(pattern) => {
                self.method.is_some_and(|method| names(pattern, method)) || self.counted_by(&On::Inner(pattern.clone()))
            }
            On::Inner(pattern) => self.inner.iter().any(|method| names(pattern, method)),
            On::Write => self.method.is_some_and(writes) || self.writes_in_batch(),
        }
    }
}

/// Whether a pattern names a method that is in lower case.
fn names(pattern: &str, method: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    match pattern.strip_prefix('*') {
        Some(end) => method.ends_with(end),
        None => pattern == method,
    }
}

/// What is done with one request.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// How long it waits first.
    pub(super) delay: Duration,
    /// Instead of any work.
    pub(super) early: Option<Early>,
    /// With the answer of the work.
    pub(super) late: Option<Late>,
    /// After how many commands a batch ends.
    pub(super) cut: Option<(usize, Cut)>,
}

/// What happens instead of the work.
#[derive(Debug)]
pub(super) enum Early {
    Answer(Answer),
    Close,
}

/// What happens to the answer of the work.
#[derive(Debug)]
pub(super) enum Late {
    Answer(Answer),
    Close,
    CloseAtOnce,
    Truncate(usize),
    Tear(usize),
}

/// A script at work.
#[derive(Debug, Default)]
pub(super) struct Script {
    rules: Vec<(Rule, Count)>,
    refused: Vec<(String, Refusal)>,
}

#[derive(Debug, Default)]
struct Count {
    seen: u64,
    fired: u64,
}

impl Script {
    /// A script whose counts are all at zero.
    pub(super) fn new(faults: Faults) -> Self {
        let rules = faults.rules.into_iter().map(|rule| (rule, Count::default())).collect();
        Self { rules, refused: Vec::new() }
    }

    /// Counts a request and says what is done with it.
    pub(super) fn judge(&mut self, facts: &Facts<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        for (rule, count) in &mut self.rules {
            if !facts.counted_by(&rule.on) {
                continue;
            }
            count.seen += 1;
            let met = match rule.when {
                When::Every => true,
                When::Nth(n) => count.seen == n,
                When::From(n) => count.seen >= n,
            };
            if !met {
                continue;
            }
            count.fired += 1;
            verdict.take(&rule.action, count.fired, facts, &mut self.refused);
        }
        verdict
    }

    /// Why a command of this method is refused, if it is.
    pub(super) fn refusal(&self, method: &str) -> Option<Refusal> {
        self.refused.iter().find(|(pattern, _)| names(pattern, method)).map(|(_, refusal)| refusal.clone())
    }
}

impl Verdict {
    fn take(&mut self, action: &Action, fired: u64, facts: &Facts<'_>, refused: &mut Vec<(String, Refusal)>) {
        let (mut early, mut late) = (None, None);
        match action {
            Action::Status { code, body, content_type } => {
                early = Some(Early::Answer(Answer::text(*code, content_type, body)));
            }
            Action::StatusAfter { code, body, content_type } => {
                late = Some(Late::Answer(Answer::text(*code, content_type, body)));
            }
            Action::Html(status) => early = Some(Early::Answer(Answer::page(*status))),
            Action::HtmlAfter(status) => late = Some(Late::Answer(Answer::page(*status))),
            Action::Delay(delay) => self.delay += *delay,
            Action::DropBefore => early = Some(Early::Close),
            Action::DropAfter => late = Some(Late::Close),
            Action::DropDuring => late = Some(Late::CloseAtOnce),
            Action::TruncateBody(length) => late = Some(Late::Truncate(*length)),
            Action::TearBody(length) => late = Some(Late::Tear(*length)),
            Action::EmptyBody => late = Some(Late::Truncate(0)),
            Action::CutBatch { after, answer } => self.cut = self.cut.or(Some((*after, *answer))),
            Action::RefuseCommand { method, code, description, status } if fired == 1 => {
                refused.push((method.clone(), Refusal::new(*status, code, description)));
            }
            Action::NotAllowedInBatch if facts.writes_in_batch() => {
                early = Some(Early::Answer(Answer::refused(&Refusal::not_in_batch().with_status(405))));
            }
            Action::RateLimited(times) if fired <= *times => {
                early = Some(Early::Answer(Answer::refused(&Refusal::too_many_requests())));
            }
            Action::RefuseCommand { .. } | Action::NotAllowedInBatch | Action::RateLimited(_) => {}
        }
        if self.early.is_none() {
            self.early = early;
        }
        if self.late.is_none() {
            self.late = late;
        }
    }
}
