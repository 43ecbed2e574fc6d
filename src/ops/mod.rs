//! One use case a file: options in, outcome and events out. All reading ends before diffing begins.

pub mod events;
pub mod ports;
