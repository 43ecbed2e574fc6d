//! The words of a plan, frozen: each enum is a copy of a live one under its published names, converted both ways. A live
//! enum that gets another variant does not compile until it is decided here how it is published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{diff, finding, guard, origin, ownership, report, step};

/// Published enums of words, made from the live ones.
macro_rules! printed {
    ($($(#[$meta:meta])* $name:ident = $live:path { $($(#[$doc:meta])* $variant:ident,)+ })+) => {$(
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
        $(#[$meta])*
        pub(crate) enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl From<$live> for $name {
            fn from(live: $live) -> Self {
                use $live as Live;
                match live { $(Live::$variant => Self::$variant,)+ }
            }
        }
    )+};
}
pub(crate) use printed;

/// Published enums of words that are also read back.
macro_rules! frozen {
    ($($(#[$meta:meta])* $name:ident = $live:path { $($(#[$doc:meta])* $variant:ident,)+ })+) => {$(
        printed! { #[derive(Deserialize)] $(#[$meta])* $name = $live { $($(#[$doc])* $variant,)+ } }

        impl From<$name> for $live {
            fn from(frozen: $name) -> Self {
                match frozen { $($name::$variant => Self::$variant,)+ }
            }
        }
    )+};
}

frozen! {
    /// Who moved.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Mover")]
    OriginKindName = origin::OriginKind {
        /// The repository: what is declared was not applied yet.
        Pending,
        /// The portal: it holds what was never committed.
        Drifted,
        /// The portal: it lost what was applied.
        Vanished,
        /// It cannot be told.
        Unknown,
    }

    /// Why something is changed.
    #[serde(rename_all = "kebab-case")]
    #[schemars(rename = "Reason")]
    ReasonName = diff::Reason {
        /// Declared, and not on the portal.
        Absent,
        /// Owned, and not declared.
        Undeclared,
        /// The image on the portal looks different.
        LooksDifferent,
        /// What came of the portal's image is not a sound PNG, and `--allow-unbacked` changes it knowingly.
        Unsound,
        /// The code is spelt in other case on the portal.
        Respelt,
        /// The content could not be fetched, or what came may be another entry's, and `--allow-unbacked` changes it knowingly.
        Unbacked,
    }

    /// Why brandctl leaves a custom entry alone.
    #[serde(rename_all = "kebab-case")]
    #[schemars(rename = "Unmanaged")]
    UnmanagedName = ownership::Unmanaged {
        /// The manifest has no section for its kind.
        KindAbsent,
        /// No pattern of `owns` matches it.
        NotOwned,
        /// A pattern of `ignore` matches it.
        Ignored,
        /// It is owned and not declared, but `prune` is off.
        NotPruned,
        /// A system entry has the same code but for case: a write about it could be taken for one about that.
        Reserved,
    }

    /// What stood for the portal where it was not read itself.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Against")]
    AgainstName = report::Against {
        /// A folder that `export` wrote.
        Export,
    }

    /// The guards, by the names that plans and reports record.
    #[serde(rename_all = "snake_case")]
    #[schemars(rename = "Guard")]
    GuardName = guard::Guard {
        /// Deletes of a kind whose folder may not be checked out whole.
        Checkout,
        /// More deletes of one kind than allowed.
        MaxDeletes,
        /// Deletes of a kind that declares nothing.
        AllowEmpty,
        /// A change to a protected code.
        Protect,
        /// A change to an entry whose old image is unknown.
        Unbacked,
        /// A delete of an icon that log entries name, or that some may name that could not be read.
        InUse,
    }

    /// What a guard decided.
    #[serde(rename_all = "snake_case")]
    #[schemars(rename = "Outcome")]
    VerdictName = guard::Outcome {
        /// It had nothing against the plan.
        Passed,
        /// It would have refused, and was told to allow it.
        Allowed,
        /// It refuses: nothing is written.
        Refused,
    }

    /// What became of one step.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Fate")]
    StepOutcomeName = step::StepOutcome {
        /// It took effect, and the portal was read again to see it.
        Applied,
        /// It did not take effect, or ended otherwise than planned.
        Failed,
        /// It was never sent.
        Skipped,
        /// The new image was refused, and the old one is back.
        Recovered,
        /// What became of it could not be found out.
        Unknown,
    }

    /// How bad a finding is.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Severity")]
    SeverityName = finding::Severity {
        /// Nothing is written until it is fixed.
        Error,
        /// Worth a look; nothing stops.
        Warning,
    }
}
