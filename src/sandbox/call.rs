//! Calls of the timeline methods, and their outcome: a reply, and the change that is stored before it is given.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wire::{CallRefusal, Success};
use crate::domain::asset::Kind;

/// What a method does with the entries of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Get,
    List,
    Delete,
}

/// One thing that changes what the portal holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(super) enum WorldChange {
    /// A custom entry and its file appear.
    Add {
        kind: Kind,
        code: String,
        path: String,
        #[serde(with = "base64_text")]
        content: Bytes,
        /// When; logs of older versions do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        added: Option<Timestamp>,
    },
    /// A custom entry and its file disappear; the code is matched without case.
    Delete { kind: Kind, code: String },
    /// A file was stored that no entry refers to.
    Orphan,
    /// The file of a custom entry gets another path.
    Move { kind: Kind, code: String, path: String },
    /// A code comes with the product from now on.
    System { kind: Kind, code: String },
    /// A log entry appears.
    LogAdd(LogMessage),
    /// A log entry disappears. Its id is never used again.
    LogDelete { id: u64 },
}

/// The outcome of a call.
pub(super) struct CallOutcome {
    pub(super) reply: Result<Success, CallRefusal>,
    /// Stored and applied before the reply is given.
    pub(super) change: Option<WorldChange>,
}

impl CallOutcome {
    /// The outcome of a call that only reads, or that is refused without effect.
    pub(super) const fn unchanged(reply: Result<Success, CallRefusal>) -> Self {
        Self { reply, change: None }
    }
}

/// A log entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogMessage {
    pub(super) id: u64,
    pub(super) entity_type: i64,
    pub(super) entity: i64,
    /// As the portal writes dates, always with the same offset: texts sort as the dates do.
    pub(super) created: String,
    pub(super) author: u32,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) icon: String,
    /// The client id of the application that added it.
    pub(super) app: Option<String>,
}

impl LogMessage {
    /// The entry as the methods show it.
    pub(super) fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "created": self.created,
            "authorId": self.author,
            "title": self.title,
            "text": self.text,
            "iconCode": self.icon,
        })
    }
}

/// Content in the log as base64, because the log's lines are JSON.
mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(content: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(content))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Bytes::from).map_err(serde::de::Error::custom)
    }
}
