//! One file for each use case: options in, outcome and events out. All reading ends before diffing begins.

pub mod apply;
pub mod doctor;
pub mod events;
pub mod export;
pub mod list;
pub mod logmessage;
pub mod observe;
pub mod origin;
pub mod plan;
pub mod ports;
pub mod recover;
pub mod take;
pub mod usage;
pub mod validate;
