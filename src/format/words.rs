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
    /// Which side changed.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Mover")]
    OriginKindName = origin::OriginKind {
        /// The repository: a declared state was not applied yet.
        Pending,
        /// The portal: it holds something that was never committed.
        Drifted,
        /// The portal: it lost something that was applied.
        Vanished,
        /// It is unknown.
        Unknown,
    }

    /// The reason for a change.
    #[serde(rename_all = "kebab-case")]
    #[schemars(rename = "Reason")]
    ReasonName = diff::Reason {
        /// Declared, but not on the portal.
        Absent,
        /// Owned, but not declared.
        Undeclared,
        /// The image on the portal looks different.
        LooksDifferent,
        /// The bytes received for the portal's image are not a sound PNG, and `--allow-unbacked` permits the change.
        Unsound,
        /// The portal spells the code in different upper and lower case.
        Respelt,
        /// Not fetched, or the received bytes may be another entry's, and `--allow-unbacked` permits the change.
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
        /// It is owned and not declared, and a pattern of `protect` matches it.
        Protected,
        /// A system entry has the same code, ignoring case: the portal could apply a write to the system entry instead.
        Reserved,
    }

    /// What was read instead of the portal.
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
        /// Deletes of a kind whose folder may not be checked out completely.
        Checkout,
        /// More deletes of one kind than allowed.
        MaxDeletes,
        /// Deletes of a kind that declares nothing.
        AllowEmpty,
        /// A change to a protected code.
        Protect,
        /// A change to an entry whose old image is unknown.
        Unbacked,
        /// A delete of an icon that log entries name, or that unreadable log entries may name.
        InUse,
    }

    /// What a guard decided.
    #[serde(rename_all = "snake_case")]
    #[schemars(rename = "Outcome")]
    VerdictName = guard::Outcome {
        /// It found no reason to refuse the plan.
        Passed,
        /// It would have refused, but an option allows it.
        Allowed,
        /// It refuses: nothing is written.
        Refused,
    }

    /// The outcome of one step.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Fate")]
    StepOutcomeName = step::StepOutcome {
        /// It took effect; the portal was read again to verify it.
        Applied,
        /// It did not take effect, or did not end as planned.
        Failed,
        /// It was never sent.
        Skipped,
        /// The new image was refused, and the old one is back.
        Recovered,
        /// Its outcome could not be determined.
        Unknown,
    }

    /// The severity of a finding.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Severity")]
    SeverityName = finding::Severity {
        /// Nothing is written until it is fixed.
        Error,
        /// Worth checking; it does not stop the command.
        Warning,
    }
}
