//! Files: the branding repository, saved plans, and the state folder with its cache, lock and runs.

pub mod cache;
mod declared;
pub(crate) mod export;
pub(crate) mod exported;
pub(crate) mod files;
pub(crate) mod git;
pub(crate) mod init;
pub mod lock;
mod orphans;
mod past_run;
pub(crate) mod paths;
pub mod repository;
pub(crate) mod root;
pub mod runs;
pub mod state_dir;

pub use files::TokenFile;
