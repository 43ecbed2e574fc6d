//! Files: the branding repository, saved plans, and the state folder with its cache, lock and runs.

pub mod atomic;
pub mod cache;
pub mod export;
pub mod exported;
pub mod git;
pub mod init;
pub mod lock;
mod orphans;
mod past_run;
pub mod paths;
pub mod repository;
pub mod runs;
pub mod saved;
pub mod state_dir;
pub mod token_file;
