//! Scripted failures: a list of rules, each with the requests that it counts, those of them that it applies to, and
//! what goes wrong. [`Faults`] can be read from text; its `FromStr` documents how they are written there.

mod display;
mod parse;
mod rule;
mod script;
mod words;

pub use rule::{Cut, FaultAction, FaultRule, Faults, On, When};

pub(super) use script::{Early, Late, RequestFacts, RequestFaults, Script};
