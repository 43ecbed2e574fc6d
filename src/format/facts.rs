//! The facts in a plan, frozen: each struct is a copy of a live one under its published names, converted both ways. A live
//! struct that gets another field does not compile until it is decided here how it is published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::asset::{Address, Code, Digest};
use crate::domain::png::Appearance;
use crate::domain::{diff, evidence, guard, origin, state, step};

use super::words::{FateName, GuardName, MoverName, VerdictName};

/// The conversions between a published struct and a live one with the same fields.
macro_rules! both_ways {
    ($($name:ident = $live:path { $($field:ident),+ })+) => {$(
        impl From<$live> for $name {
            fn from(live: $live) -> Self {
                let $live { $($field),+ } = live;
                Self { $($field: $field.into()),+ }
            }
        }

        impl From<$name> for $live {
            fn from(frozen: $name) -> Self {
                let $name { $($field),+ } = frozen;
                Self { $($field: $field.into()),+ }
            }
        }
    )+};
}

/// Where a difference comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Origin")]
pub struct OriginDocument {
    /// Who moved.
    pub kind: MoverName,
    /// How that is known, or why it is not.
    pub why: String,
    /// The commit that it is known by.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
}

/// Facts of some stored bytes, enough to compare them without having them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Content")]
pub struct ContentDocument {
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    /// How many bytes.
    pub size: u64,
    /// How the image looks; null when the bytes are no sound PNG.
    #[serde(rename = "look")]
    pub appearance: Option<Appearance>,
}

/// What an entry was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Before")]
pub struct BeforeDocument {
    /// The code as the portal spells it.
    pub code: Code,
    /// Where the portal kept its PNG.
    pub file_uri: String,
    /// The PNG's facts; null when it could not be fetched.
    pub content: Option<ContentDocument>,
}

/// What an entry shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "After")]
pub struct AfterDocument {
    /// The art's file, relative to the manifest.
    pub file: String,
    /// The art's facts.
    pub content: ContentDocument,
}

/// An entry whose content could not be fetched: it is not changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Unknown")]
pub struct UnknownDocument {
    /// The entry, spelt as the portal spells it.
    pub address: Address,
    /// Why it could not be fetched.
    pub why: String,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Coverage")]
pub struct CoverageDocument {
    /// The CRM items that were asked for, as in deal:1-500; none when no code could be found in log entries.
    pub items: Vec<String>,
    /// How many these are.
    pub asked: usize,
    /// Of how many all log entries were read.
    pub read: usize,
    /// Of how many a part of them was read.
    pub cut: usize,
    /// How many the portal did not let read.
    pub unreadable: usize,
    /// How many it did not come to.
    pub not_reached: usize,
    /// How many log entries were read.
    pub log_entries: u64,
    /// Why items are unreadable.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub troubles: Vec<TroubleDocument>,
}

/// Why items are unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Trouble")]
pub struct TroubleDocument {
    /// The portal's reason.
    pub why: String,
    /// How many items it holds for.
    pub count: usize,
    /// Some of them.
    pub items: Vec<String>,
}

/// A log entry that names a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Sample")]
pub struct SampleDocument {
    /// The entry's id.
    pub id: u64,
    /// Its CRM item, as in deal:12.
    pub item: String,
    /// Its title, shortened.
    pub title: String,
}

/// What one guard said of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Verdict")]
pub struct VerdictDocument {
    /// Which guard.
    pub guard: GuardName,
    /// What it decided.
    pub outcome: VerdictName,
    /// Why, in one sentence.
    pub message: String,
    /// What to do when it refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<String>,
    /// The entries it is about.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub addresses: Vec<Address>,
}

/// What became of one step, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StepResult")]
pub struct StepResultDocument {
    /// What became of it.
    pub fate: FateName,
    /// Why, when it is not applied: one sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// Whether any of its writes took effect.
    pub wrote: bool,
}

/// What is known of the use of one code. There is no word for "unused": nobody can know that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Usage")]
pub enum CodeUsage {
    /// Log entries name it.
    Used {
        /// How many of those that were read. There may be more.
        log_entries: u64,
        /// Some of them.
        samples: Vec<SampleDocument>,
    },
    /// No log entry of the items that were asked for names it, and all of these were read. It may be used elsewhere.
    NotSeen,
    /// It could not be found out.
    Unknown {
        /// Why.
        why: String,
    },
}

both_ways! {
    OriginDocument = origin::Origin { kind, why, commit }
    ContentDocument = state::Content { sha256, size, appearance }
    AfterDocument = diff::After { file, content }
    UnknownDocument = diff::Unknown { address, why }
    TroubleDocument = evidence::ReadFailure { why, count, items }
    SampleDocument = evidence::Sample { id, item, title }
    VerdictDocument = guard::Verdict { guard, outcome, message, help, addresses }
    StepResultDocument = step::StepResult { fate, why, wrote }
}

impl From<diff::Before> for BeforeDocument {
    fn from(diff::Before { code, file_uri, content }: diff::Before) -> Self {
        Self { code, file_uri, content: content.map(Into::into) }
    }
}

impl From<BeforeDocument> for diff::Before {
    fn from(BeforeDocument { code, file_uri, content }: BeforeDocument) -> Self {
        Self { code, file_uri, content: content.map(Into::into) }
    }
}

impl From<evidence::Coverage> for CoverageDocument {
    fn from(live: evidence::Coverage) -> Self {
        let evidence::Coverage { items, asked, read, cut, unreadable, not_reached, log_entries, troubles } = live;
        let troubles = troubles.into_iter().map(Into::into).collect();
        Self { items, asked, read, cut, unreadable, not_reached, log_entries, troubles }
    }
}

impl From<CoverageDocument> for evidence::Coverage {
    fn from(frozen: CoverageDocument) -> Self {
        let CoverageDocument { items, asked, read, cut, unreadable, not_reached, log_entries, troubles } = frozen;
        let troubles = troubles.into_iter().map(Into::into).collect();
        Self { items, asked, read, cut, unreadable, not_reached, log_entries, troubles }
    }
}

impl From<evidence::Usage> for CodeUsage {
    fn from(live: evidence::Usage) -> Self {
        match live {
            evidence::Usage::Used { log_entries, samples } => {
                Self::Used { log_entries, samples: samples.into_iter().map(Into::into).collect() }
            }
            evidence::Usage::NotSeen => Self::NotSeen,
            evidence::Usage::Unknown { why } => Self::Unknown { why },
        }
    }
}

impl From<CodeUsage> for evidence::Usage {
    fn from(frozen: CodeUsage) -> Self {
        match frozen {
            CodeUsage::Used { log_entries, samples } => {
                Self::Used { log_entries, samples: samples.into_iter().map(Into::into).collect() }
            }
            CodeUsage::NotSeen => Self::NotSeen,
            CodeUsage::Unknown { why } => Self::Unknown { why },
        }
    }
}
