//! brandctl keeps the custom CRM-timeline icons and logos of a Bitrix24 portal equal to a Git repository.
//!
//! This page is the map of the house. Data flows one way:
//!
//! ```text
//! files  → Manifest → rules → DesiredState ┐
//!                                          ├→ Diff → Plan → guards → ApprovedPlan → apply → journal, progress, Report → render
//! portal ──────────────────→ ObservedState ┘
//! ```
//!
//! Arrows of dependency point only downward:
//!
//! ```text
//! main.rs → cli → ops → domain
//!           cli → portal, store → ops::ports, domain     (adapters, built by cli and handed to ops)
//!           cli → render → domain::report
//!           cli → sandbox                                (own wire code; imports nothing of portal)
//! ```
//!
//! | room | what lives there |
//! |---|---|
//! | [`domain`] | the pure core: bytes and text in, values out; no file, clock, socket or terminal |
//! | [`format`] | files that are read back: saved plans, run plans, `portal.json`; frozen |
//! | [`ops`] | one use case a file, and [`ops::ports`], the traits that the adapters fill |
//! | [`portal`] | the REST client of a real portal: a webhook or an OAuth application, batches, limits, downloads |
//! | [`store`] | the manifest and art on disk, the state folder: cache, runs, lock |
//! | [`render`] | a report as text, JSON, Markdown, JUnit, a diff or an HTML page: data in, `String` out |
//! | [`sandbox`] | a portal of its own on loopback, with the real server's behaviour |
//! | [`cli`] | one file a command: arguments and wiring; exit codes, hints, progress |
//!
//! Two types carry the promises. A [`domain::state::DesiredState`] only comes out of the rules, so art that was not
//! checked cannot be planned; or out of a run's backup, for restore, which puts back what the portal had. An
//! [`domain::guard::ApprovedPlan`] only comes out of the guards, which evaluate a plan once, so a plan that was not
//! evaluated cannot be applied; it comes with the document that publishes it ([`format::Published`]), so that what a run
//! keeps is what it sends.
//!
//! A step of a command returns what it found, or a `Failure` with a kind; `cli/error.rs` decides hints and exit codes.

pub mod cli;
pub mod domain;
pub mod format;
pub mod ops;
pub mod portal;
pub mod render;
pub mod sandbox;
pub mod store;
pub mod text;
