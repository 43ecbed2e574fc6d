//! The facts in a plan, frozen: each struct is a copy of a live one under its published names, converted both ways. A live
//! struct that gets another field does not compile until it is decided here how it is published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::asset::{Address, Code, Digest};
use crate::domain::png::Appearance;
use crate::domain::{diff, evidence, guard, origin, state, step};

use super::words::{GuardName, OriginKindName, StepOutcomeName, VerdictName};

/// Published structs, and their conversions from and to the live ones with the same fields.
macro_rules! frozen {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident = $live:path {
        $($(#[$doc:meta])* $field_vis:vis $field:ident: $type:ty $(as $of:ident)?,)+
    })+) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        $(#[$meta])*
        $vis struct $name {
            $($(#[$doc])* $field_vis $field: $type,)+
        }

        impl From<$live> for $name {
            fn from(live: $live) -> Self {
                let $live { $($field),+ } = live;
                Self { $($field: frozen!($field $($of)?)),+ }
            }
        }

        impl From<$name> for $live {
            fn from(frozen: $name) -> Self {
                let $name { $($field),+ } = frozen;
                Self { $($field: frozen!($field $($of)?)),+ }
            }
        }
    )+};
    ($value:ident) => { $value.into() };
    ($value:ident option) => { $value.map(Into::into) };
    ($value:ident list) => { $value.into_iter().map(Into::into).collect() };
}

frozen! {
    /// Where a difference comes from.
    #[schemars(rename = "Origin")]
    pub(crate) struct OriginDocument = origin::Origin {
        /// Who moved.
        pub(crate) kind: OriginKindName,
        /// How that is known, or why it is not.
        pub(crate) why: String,
        /// The commit that it is known by.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub(crate) commit: Option<String>,
    }

    /// Facts of some stored bytes, enough to compare them without having them.
    #[schemars(rename = "Content")]
    pub struct ContentDocument = state::Content {
        /// SHA-256 of the bytes.
        pub(crate) sha256: Digest,
        /// How many bytes.
        pub(crate) size: u64,
        /// How the image looks; null when the bytes are not a sound PNG.
        #[serde(rename = "look")]
        pub(crate) appearance: Option<Appearance>,
    }

    /// What an entry was when the plan was made.
    #[schemars(rename = "Before")]
    pub struct BeforeDocument = diff::Before {
        /// The code as the portal spells it.
        pub code: Code,
        /// Where the portal kept its PNG.
        pub(crate) file_uri: String,
        /// The PNG's facts; null when it could not be fetched.
        pub(crate) content: Option<ContentDocument> as option,
    }

    /// What an entry shall be.
    #[schemars(rename = "After")]
    pub struct AfterDocument = diff::After {
        /// The art's file, relative to the manifest.
        pub(crate) file: String,
        /// The art's facts.
        pub content: ContentDocument,
    }

    /// An entry whose content could not be fetched: it is not changed.
    #[schemars(rename = "Unknown")]
    pub(crate) struct UnknownDocument = diff::Unknown {
        /// The entry, spelt as the portal spells it.
        pub(crate) address: Address,
        /// Why it could not be fetched.
        pub(crate) why: String,
    }

    /// What was looked at.
    #[schemars(rename = "Coverage")]
    pub(crate) struct CoverageDocument = evidence::Coverage {
        /// The CRM items that were asked for, as in deal:1-500; none when no code could be found in log entries.
        pub(crate) items: Vec<String>,
        /// How many these are.
        pub(crate) asked: usize,
        /// Of how many all log entries were read.
        pub(crate) read: usize,
        /// Of how many a part of them was read.
        pub(crate) cut: usize,
        /// How many the portal did not let read.
        pub(crate) unreadable: usize,
        /// How many it did not come to.
        pub(crate) not_reached: usize,
        /// How many log entries were read.
        pub(crate) log_entries: u64,
        /// Why items are unreadable.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        pub(crate) troubles: Vec<ReadFailureDocument> as list,
    }

    /// Why items are unreadable.
    #[schemars(rename = "Trouble")]
    pub(crate) struct ReadFailureDocument = evidence::ReadFailure {
        /// The portal's reason.
        pub(crate) why: String,
        /// How many items it holds for.
        pub(crate) count: usize,
        /// Some of them.
        pub(crate) items: Vec<String>,
    }

    /// A log entry that names a code.
    #[schemars(rename = "Sample")]
    pub(crate) struct SampleDocument = evidence::Sample {
        /// The entry's id.
        pub(crate) id: u64,
        /// Its CRM item, as in deal:12.
        pub(crate) item: String,
        /// Its title, shortened.
        pub(crate) title: String,
    }

    /// What one guard said of a plan.
    #[schemars(rename = "Verdict")]
    pub(crate) struct VerdictDocument = guard::Verdict {
        /// Which guard.
        pub(crate) guard: GuardName,
        /// What it decided.
        pub(crate) outcome: VerdictName,
        /// Why, in one sentence.
        pub(crate) message: String,
        /// What to do when it refused.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub(crate) help: Option<String>,
        /// The entries it is about.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        pub(crate) addresses: Vec<Address>,
    }

    /// What became of one step, and why.
    #[schemars(rename = "StepResult")]
    pub(crate) struct StepResultDocument = step::StepResult {
        /// What became of it.
        #[serde(rename = "fate")]
        pub(crate) outcome: StepOutcomeName,
        /// Why, when it is not applied: one sentence.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub(crate) why: Option<String>,
        /// Whether any of its writes took effect.
        pub(crate) wrote: bool,
    }
}

/// What is known of the use of one code. There is no word for "unused": nobody can know that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Usage")]
pub(crate) enum CodeUsage {
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
