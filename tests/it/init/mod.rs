//! `brandctl init`: what it writes and refuses to, and what the steps of its CI files do when they are run as they are
//! written. Whether CI systems take the files is in tests/external/init.

mod files;
#[cfg(unix)]
mod install;
mod portal;
#[cfg(unix)]
mod script;
mod shipped;
mod steps;
