//! The sandbox over real HTTP: one test a table of what the portal does, its scripted failures, and its state.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod batch;
mod callers;
mod common;
mod engine;
mod golden;
mod limits;
mod log;
mod methods;
mod oauth;
mod storage;
