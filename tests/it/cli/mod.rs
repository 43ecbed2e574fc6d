//! The real binary against the embedded portal: what a user, a CI job and a portal's other users get to see.

mod against;
mod bad_input;
mod batches;
mod cache;
mod checkouts;
mod doctor;
mod exit_codes;
mod export;
mod interrupts;
mod killed;
mod list;
mod log;
mod moved;
mod names;
mod oauth;
mod ownership;
mod pages;
mod pitfalls;
mod proxies;
mod reports;
mod roots;
mod sandbox;
mod saved_plans;
mod secrets;
mod unsteady;
mod usage;
