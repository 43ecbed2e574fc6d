//! Files: the branding repository, saved plans, and the state folder with its cache, lock and runs.

pub mod atomic;
pub mod cache;
pub mod chosen;
pub mod export;
pub mod exported;
pub mod git;
pub mod lock;
pub mod repository;
pub mod run;
pub mod saved;
pub mod scaffold;
pub mod state_dir;
mod unclaimed;
