//! Scripted failures: a plain list of rules, each saying which requests it meets, which of those, and what goes wrong.
//! [`Faults`] reads them from text, too; how they are written there is told at its `FromStr`.

mod rule;
mod script;
mod spec;
mod words;

pub use rule::{Action, Cut, Faults, On, Rule, When};
pub use words::SpecError;

pub(super) use script::{Early, Facts, Late, Script, Verdict};
