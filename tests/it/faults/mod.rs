//! Applies that are killed, cut off, refused and raced, at every point where that can happen: what is left is never
//! worse than one code without an image, and the next plain apply ends with exactly what is declared.

pub(crate) mod driver;
mod judge;
mod kills;
mod pitfalls;
mod processes;
mod random;
mod resuming;
mod rivals;
pub(crate) mod scene;
mod server;
pub(crate) mod trials;
