//! What the room promises, from the outside.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "tests fail by panicking"
)]

mod faults;
mod hostile;
mod looks;
mod pixels;
mod properties;
