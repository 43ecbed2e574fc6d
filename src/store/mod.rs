//! Files: the branding repository, exports, and the state folder with its cache, lock and runs.
//!
//! | file | what it knows |
//! |---|---|
//! | `files` | how any file is opened, read, written and locked; no other code does this |
//! | `repository`, `declared`, `orphans`, `paths` | the manifest, the art that it declares, other images beside it, the paths of a command line |
//! | `root` | how far a manifest's paths may lead, where its Git repository and its state are |
//! | `git` | what Git knows about it |
//! | `checkout` | whether a folder of art holds what is committed there |
//! | `committed` | the commit that it is at, and whether it matches that commit |
//! | `state_dir`, `cache`, `lock`, `runs`, `stored_run`, `budget`, `past_run` | the state of one portal, and the limits on reading it |
//! | `export`, `exported` | the folder that an export is written to, and one that is read instead of its portal |
//! | `taken` | a portal's images that are written into the repository |
//! | `init` | a new branding repository |

pub(crate) mod budget;
pub mod cache;
mod checkout;
mod committed;
mod declared;
pub(crate) mod export;
pub(crate) mod exported;
pub(crate) mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub(crate) mod git;
pub(crate) mod init;
pub mod lock;
mod orphans;
mod past_run;
pub(crate) mod paths;
pub mod repository;
pub(crate) mod root;
pub(crate) mod run_folder;
pub mod runs;
pub mod state_dir;
mod stored_run;
mod taken;

pub use files::TokenFile;
