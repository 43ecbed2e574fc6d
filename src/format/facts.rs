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
    /// The origin of a difference.
    #[schemars(rename = "Origin")]
    pub(crate) struct OriginDocument = origin::Origin {
        /// Which side changed.
        pub(crate) kind: OriginKindName,
        /// How that is known, or why it is not.
        pub(crate) why: String,
        /// The commit that shows it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub(crate) commit: Option<String>,
    }

    /// Facts about stored bytes, enough to compare them without the bytes.
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

    /// The state of an entry when the plan was made.
    #[schemars(rename = "Before")]
    pub struct BeforeDocument = diff::Before {
        /// The code as the portal spells it.
        pub code: Code,
        /// Where the portal kept its PNG.
        pub(crate) file_uri: String,
        /// The PNG's facts; null when it could not be fetched.
        pub(crate) content: Option<ContentDocument> as option,
    }

    /// The planned state of an entry.
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

    /// The log entries that were read to determine the use of codes.
    #[schemars(rename = "Coverage")]
    pub(crate) struct CoverageDocument = evidence::Coverage {
        /// The requested CRM items, for example deal:1-500; empty when log entries cannot name any of the codes.
        pub(crate) items: Vec<String>,
        /// The number of requested items.
        pub(crate) asked: usize,
        /// The number of items whose log entries were all read.
        pub(crate) read: usize,
        /// The number of items whose log entries were read in part.
        pub(crate) cut: usize,
        /// The number of items whose log entries the portal refused to return.
        pub(crate) unreadable: usize,
        /// The number of items that were not reached.
        pub(crate) not_reached: usize,
        /// The number of log entries that were read.
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
        /// The number of items with this reason.
        pub(crate) count: usize,
        /// Some of them.
        pub(crate) items: Vec<String>,
    }

    /// A log entry that names a code.
    #[schemars(rename = "Sample")]
    pub(crate) struct SampleDocument = evidence::Sample {
        /// The entry's id.
        pub(crate) id: u64,
        /// Its CRM item, for example deal:12.
        pub(crate) item: String,
        /// Its title, shortened.
        pub(crate) title: String,
    }

    /// The decision of one guard about a plan.
    #[schemars(rename = "Verdict")]
    pub(crate) struct VerdictDocument = guard::Verdict {
        /// The guard.
        pub(crate) guard: GuardName,
        /// Its decision.
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

    /// The outcome of one step, and the reason.
    #[schemars(rename = "StepResult")]
    pub(crate) struct StepResultDocument = step::StepResult {
        /// The outcome.
        #[serde(rename = "fate")]
        pub(crate) outcome: StepOutcomeName,
        /// Why, when it is not applied: one sentence.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub(crate) why: Option<String>,
        /// Whether any of its writes took effect.
        pub(crate) wrote: bool,
    }
}

/// The known use of one code. There is no value for "unused", because that cannot be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Usage")]
pub(crate) enum CodeUsage {
    /// Log entries name it.
    Used {
        /// How many of the log entries that were read. There may be more.
        log_entries: u64,
        /// Some of them.
        samples: Vec<SampleDocument>,
    },
    /// All log entries of the requested items were read, and none names it. It may be used elsewhere.
    NotSeen,
    /// Its use could not be determined.
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
