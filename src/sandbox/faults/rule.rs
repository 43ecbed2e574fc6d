//! The rules of a script of failures.

use std::time::Duration;

/// A script of failures. Every rule that matches a request is applied, in order; if several replace the answer, the
/// first one wins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// The rules. Each has its own counter.
    pub rules: Vec<FaultRule>,
}

impl Faults {
    /// No failures.
    pub fn none() -> Self {
        Self::default()
    }

    /// A script of one rule.
    pub fn one(on: On, when: When, action: FaultAction) -> Self {
        Self::none().and(on, when, action)
    }

    /// The script with a rule added at its end.
    pub fn and(mut self, on: On, when: When, action: FaultAction) -> Self {
        self.rules.push(FaultRule { on, when, action });
        self
    }
}

/// One rule of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRule {
    pub(crate) on: On,
    pub(crate) when: When,
    pub(crate) action: FaultAction,
}

/// The requests that a rule counts. Method names are compared without case; `*.add` stands for every method that ends
/// that way.
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

/// The counted requests that a rule applies to. Counts start at 1, and again with every script that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// All of them.
    Every,
    /// Only the n-th.
    Nth(u64),
    /// The n-th and all after it.
    From(u64),
    /// A random part of them, the same one for the same seed and place in the script.
    Probability {
        /// How many in a million requests, from 1 to 1,000,000.
        per_million: u32,
        /// Any number.
        seed: u64,
    },
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultAction {
    /// This answer, without effect.
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
    /// A proxy's HTML page with this status, without effect.
    Html(u16),
    /// A grey PNG of this size, like the one that an image service or a hotlink guard sends instead of a file.
    Image {
        /// In pixels.
        width: u16,
        /// In pixels.
        height: u16,
    },
    /// A proxy's HTML page with this status after the effect.
    HtmlAfter(u16),
    /// The request waits this long before anything happens.
    Delay(Duration),
    /// The connection is closed without an answer and without an effect.
    DropBefore,
    /// The effect, then the connection is closed without an answer.
    DropAfter,
    /// The connection is closed at once while the work continues.
    DropDuring,
    /// The effect, then only the first n bytes of the answer, in a complete HTTP message.
    TruncateBody(usize),
    /// The effect, then only the first n bytes of the answer although its header has the whole length.
    TearBody(usize),
    /// The effect, then the right status with an empty body.
    EmptyBody,
    /// A batch ends after this many of its commands.
    CutBatch {
        /// How many commands are executed.
        after: usize,
        /// What the client receives.
        answer: Cut,
    },
    /// From the request that the rule applies to, every command of `method` is refused, in a batch or alone.
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
    /// A batch is accepted, but its commands of a method are not allowed in it: each is refused inside the answer with
    /// `ERROR_BATCH_METHOD_NOT_ALLOWED`.
    NotAllowedInside {
        /// The method, or `*.add`; every method that writes, if there is none.
        method: Option<String>,
    },
    /// 503 `QUERY_LIMIT_EXCEEDED` without effect, this many times.
    RateLimited(u64),
    /// 429 `OPERATION_TIME_LIMIT` without effect.
    TimeLimit,
    /// 503 `OVERLOAD_LIMIT`, the vendor's block, without effect.
    Overload,
    /// 401 `expired_token` without effect.
    ExpiredToken,
    /// From the request that the rule applies to, the disk is full: an `add` that would store its file ends with
    /// `FILE_SAVE_ERROR`, and nothing of it is stored.
    DiskFull,
}

/// What the client receives when a batch is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The connection is closed without an answer.
    Close,
    /// An answer that holds only the commands that were executed.
    Partial,
}
