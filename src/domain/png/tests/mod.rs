//! What the room promises, from the outside.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "tests fail by panicking"
)]

mod appearance;
mod faults;
mod hostile;
mod pixels;
mod properties;
