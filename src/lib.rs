//! brandctl keeps the custom CRM-timeline icons and logos of a Bitrix24 portal equal to a Git repository.
//!
//! This library has no stable API: it exists for the program, its tests and its benches, and may change with any commit.
//!
//! This page is the map of the code. Data flows in one direction:
//!
//! ```text
//! files  → Manifest → rules → DesiredState ┐
//!                                          ├→ Diff → Plan → guards → Evaluated → ApprovedPlan → apply → journal, Run
//! portal ──────────────────→ ObservedState ┘
//!
//! what a command found out and did → Report → render
//! ```
//!
//! Each room uses only rooms below it:
//!
//! ```text
//! main.rs → cli → portal, store → ops::ports, ops::events, format, domain, text    (adapters, made by cli)
//!           cli → ops ──────────→ format, domain, text
//!           cli → render ───────→ format, domain, text
//!           cli → sandbox ──────→ domain::asset, text        (its own wire code; it does not use portal)
//!                 sandbox ──────→ store::files               (opens every file)
//!                 format ───────→ domain → text
//! ```
//!
//! | room | what lives there |
//! |---|---|
//! | [`text`] | functions on text that every room uses: escape, quote, count, cut, nearest name |
//! | [`domain`] | the pure core: bytes and text in, values out; no file, clock, socket or terminal |
//! | [`format`](mod@format) | the files that are read back, frozen: saved plans, run plans, the `portal.json` of an export |
//! | [`ops`] | one use case a file, and [`ops::ports`], the traits that portal and store implement |
//! | [`store`] | the manifest and art on disk, what Git knows about them, exports, the state folder: cache, runs, lock |
//! | [`portal`] | the REST client of a real portal: a webhook or an OAuth application, batches, limits, downloads |
//! | [`render`] | a report as text, JSON, Markdown, HTML, JUnit, SARIF, annotations or a diff: data in, `String` out |
//! | [`cli`] | one file a command: arguments and wiring; exit codes, hints, progress |
//! | [`sandbox`] | a portal on loopback, with the real server's behaviour |
//!
//! Three types guarantee the order of these steps:
//!
//! - A [`domain::state::DesiredState`] is only made by the rules, so art that was not checked cannot be planned; or
//!   from a run's backup, for restore, which puts back what the portal had.
//! - A [`domain::guard::ApprovedPlan`] is only made from a [`domain::guard::Evaluated`], which the guards make from a
//!   plan, so a plan that was not evaluated cannot be applied.
//! - A [`format::Published`] holds a plan, evaluated or approved, together with the document that publishes it, so that
//!   a run stores exactly what it sends.
//!
//! A step of a command returns what it found, or a `Failure` with a [`domain::report::FailureKind`]. `cli/error.rs`
//! makes the `Failure` from each error, with that error's hint, and decides exit codes. The [`domain::report::Report`]
//! has the kind, so renderers do not have to guess it.
//!
//! Messages hold raw text, and [`render`] escapes it. A test (`tests/it/house`) compares the source with a table of the
//! same rules: which room uses which, the floors inside domain, and that no file depends on itself through others.

pub mod cli;
pub mod domain;
pub mod format;
pub mod ops;
pub mod portal;
pub mod render;
pub mod sandbox;
pub mod store;
pub mod text;
