//! Applies that are killed, cut off, refused and raced, at every point where that can happen: what is left is never
//! worse than one code without an image, and the next plain apply ends with exactly what is declared.

mod allowance;
pub(crate) mod driver;
mod edits;
mod judge;
mod kills;
mod late;
mod on_the_way;
mod pitfalls;
mod processes;
mod random;
mod refused_inside;
mod renewals;
mod resuming;
mod rivals;
pub(crate) mod scene;
mod server;
pub(crate) mod trials;
