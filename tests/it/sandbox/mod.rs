//! The sandbox over real HTTP: one test a table of what the portal does, its scripted failures, and its state.

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
