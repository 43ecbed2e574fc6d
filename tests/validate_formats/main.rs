//! What `validate` prints, in every format: for programs that read it, and of text that means them harm.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod fixture;
mod formats;
mod hostile;
mod paths;
mod pictures;
mod pre_commit;
