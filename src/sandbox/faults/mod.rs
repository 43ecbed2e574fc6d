//! Scripted failures: a plain list of rules, each saying which requests it counts, which of those it meets, and what goes
//! wrong. [`Faults`] can be read from text; its `FromStr` documents how they are written there.

mod display;
mod parse;
mod rule;
mod script;
mod words;

pub use rule::{Cut, FaultAction, FaultRule, Faults, On, When};

pub(super) use script::{Early, Late, RequestFacts, RequestFaults, Script};
