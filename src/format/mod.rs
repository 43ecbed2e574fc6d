//! The published files that brandctl reads back: format 1, JSON. [`Document`] is a plan and its outcome, described by
//! `schema/plan.schema.json`; [`SnapshotDocument`] is the file `portal.json` of an export, described by
//! `schema/portal.schema.json`. What is only printed is in [`crate::render::json`].
//!
//! These types are frozen: other programs read them. A plan that is saved carries the bytes too (`contents`), so that
//! it can be applied and restored from without the files it came from. `plan_sha256` covers everything but `contents`
//! (each covered by its own digest) and what apply adds.

mod facts;
pub mod plan;
pub mod published;
pub mod saved;
pub mod snapshot;
mod words;

pub(crate) use facts::{
    AfterDocument, BeforeDocument, CodeUsage, ContentDocument, CoverageDocument, OriginDocument, UnknownDocument,
    VerdictDocument,
};
pub use plan::{ActionName, ChangeDocument, Document, FindingDocument, PlaceDocument, PreconditionDocument, Tool};
pub use published::Published;
pub(crate) use saved::SavedPlan;
pub(crate) use snapshot::{SnapshotDocument, SnapshotEntry};
pub(crate) use words::{AgainstName, ReasonName, StepOutcomeName, printed};

/// The version of the formats that this program writes and reads.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// The reason why a file does not have a format. It names only the place in the file and quotes no content: the file
/// may be any of the user's files, and may hold secrets.
fn why_unread(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let is_about_us = text.starts_with("missing field");
    match (error.line(), error.column()) {
        _ if !error.is_data() || is_about_us => text,
        (0, _) => "it holds an unexpected value".to_owned(),
        (line, column) => format!("it holds an unexpected value at line {line} column {column}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn what_a_file_holds_is_not_repeated() {
        for text in ["\"s3cr3t\"", "{\"format_version\": \"s3cr3t\"}", "[\"s3cr3t\"]", "s3cr3t", "{\"s3cr3t\": 1}"] {
            for error in [
                SnapshotDocument::read(text.as_bytes()).unwrap_err(),
                Document::read_saved(text.as_bytes()).unwrap_err().to_string(),
            ] {
                assert!(!error.contains("s3cr3t"), "{text}: {error}");
            }
        }
        let error = why_unread(&serde_json::from_str::<Vec<u32>>("[\"s3cr3t\"]").unwrap_err());
        assert_eq!(error, "it holds an unexpected value at line 1 column 9");
    }
}
