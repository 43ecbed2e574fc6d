//! The published form of a portal's entries when they were exported. `plan --against` reads it instead of the portal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FORMAT_VERSION, why_unread};
use crate::domain::asset::{Address, Code, Digest, Kind};
use crate::domain::export::{ExportItem, ExportOutcome, ExportSource, ExportedFile};
use crate::domain::state::ObservedState;
use crate::text::escape_json;

/// The entries of a portal. Exporting the same portal twice gives the same bytes, so it contains neither a date nor a
/// path on the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "brandctl export: portal.json")]
pub(crate) struct SnapshotDocument {
    /// The version of this format.
    #[schemars(extend("const" = FORMAT_VERSION))]
    pub(crate) format_version: u32,
    /// The portal's host, or the sandbox's identity.
    pub(crate) portal: String,
    /// Whether it is a sandbox. A `portal` pin does not apply to a sandbox.
    pub(crate) sandbox: bool,
    /// The custom entries by kind and code, then the system entries.
    pub(crate) entries: Vec<SnapshotEntry>,
}

/// One entry of the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SnapshotEntry {
    /// Icon or logo.
    pub(crate) kind: Kind,
    /// Its code, spelt as the portal spells it.
    pub(crate) code: Code,
    /// Whether it is a system entry, which comes with the product and has no image here.
    pub(crate) system: bool,
    /// The file of its image, relative to this file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) file: Option<String>,
    /// The SHA-256 of that file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) sha256: Option<Digest>,
    /// Why a custom entry has no file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) missing: Option<String>,
}

/// The format version of a document.
#[derive(Deserialize)]
struct Versioned {
    #[serde(default)]
    format_version: Option<u64>,
}

impl SnapshotDocument {
    /// The snapshot of a portal whose custom entries became these items.
    pub(crate) fn of(source: &ExportSource, observed: &ObservedState, items: &[ExportItem]) -> Self {
        let mut system: Vec<&Address> =
            observed.entries.iter().filter(|entry| entry.listed.system).map(|entry| &entry.listed.address).collect();
        system.sort();
        let system = system.into_iter().map(|address| SnapshotEntry {
            kind: address.kind,
            code: address.code.clone(),
            system: true,
            file: None,
            sha256: None,
            missing: None,
        });
        Self {
            format_version: FORMAT_VERSION,
            portal: source.portal.clone(),
            sandbox: source.sandbox,
            entries: items.iter().map(SnapshotEntry::from).chain(system).collect(),
        }
    }

    /// The text of its file, without the last line break.
    pub(crate) fn text(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|json| escape_json(&json))
    }

    /// Reads a snapshot.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        // Do not parse into generic values: they take thirty times the memory of the text, and the text may come from
        // anyone.
        let Versioned { format_version: version } =
            serde_json::from_slice(bytes).map_err(|error| why_unread(&error))?;
        if version != Some(u64::from(FORMAT_VERSION)) {
            let version = version.map_or_else(|| "no format".to_owned(), |version| format!("format {version}"));
            return Err(format!("it has {version}, but this version of brandctl reads format {FORMAT_VERSION}"));
        }
        let snapshot: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match snapshot.entries.iter().find(|entry| !entry.is_whole()) {
            None => Ok(snapshot),
            Some(entry) => {
                let address = entry.address().to_string();
                Err(format!("{} must have a file and its digest, or a reason why it has none", address))
            }
        }
    }
}

impl SnapshotEntry {
    /// Kind and code.
    pub(crate) fn address(&self) -> Address {
        Address::new(self.kind, self.code.clone())
    }

    const fn is_whole(&self) -> bool {
        matches!(
            (self.system, &self.file, &self.sha256, &self.missing),
            (true, None, None, None) | (false, Some(_), Some(_), None) | (false, None, None, Some(_))
        )
    }
}

impl From<&ExportItem> for SnapshotEntry {
    fn from(ExportItem { address, outcome }: &ExportItem) -> Self {
        let (file, missing) = match outcome {
            ExportOutcome::Declared(file) | ExportOutcome::SetAside(file, _) => (Some(file), None),
            ExportOutcome::Unfetched(why) => (None, Some(format!("it could not be fetched: {why}"))),
            ExportOutcome::LeftOut => (None, Some("it was left out of the export".to_owned())),
        };
        let (file, sha256) = file.map(|ExportedFile { path, sha256 }| (path.clone(), *sha256)).unzip();
        Self { kind: address.kind, code: address.code.clone(), system: false, file, sha256, missing }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::domain::export::{Export, ExportChoice, SNAPSHOT, build};
    use crate::domain::plan::Contents;
    use crate::domain::state::{Listed, ObservedEntry, Reading};

    /// An export of these entries, and its snapshot.
    fn exported(observed: &ObservedState) -> Export {
        let source = ExportSource { portal: "acme.bitrix24.com".to_owned(), sandbox: false };
        let mut export = build(observed, &Contents::new(), &ExportChoice::default(), &source);
        export.add_snapshot(SnapshotDocument::of(&source, observed, &export.items).text());
        export
    }

    #[test]
    fn a_snapshot_has_every_entry_in_whatever_order_the_portal_lists_them() {
        let listed = |kind, code: &str, system| {
            let reading = if system { Reading::NotNeeded } else { Reading::Failed("it is gone".to_owned()) };
            let listed = Listed { address: Address::new(kind, Code::new(code)), system, file_uri: String::new() };
            ObservedEntry { listed, reading }
        };
        let mut observed = ObservedState {
            entries: vec![
                listed(Kind::Logo, "bizproc", true),
                listed(Kind::Icon, "b\u{202e}", false),
                listed(Kind::Icon, "info", true),
                listed(Kind::Icon, "a", false),
            ],
        };
        let export = exported(&observed);
        let (_, bytes) = export.files.iter().find(|(path, _)| path == SNAPSHOT).unwrap();
        assert!(std::str::from_utf8(bytes).unwrap().contains("\"b\\u202e\""));
        let snapshot = SnapshotDocument::read(bytes).unwrap();
        let codes: Vec<_> = snapshot.entries.iter().map(|entry| entry.code.as_str()).collect();
        assert_eq!(codes, ["a", "b\u{202e}", "info", "bizproc"]);
        observed.entries.reverse();
        assert_eq!(exported(&observed).files, export.files);
    }

    #[test]
    fn a_snapshot_that_contradicts_itself_is_none() {
        for (text, expected) in [
            ("", "EOF while parsing"),
            ("{}", "it has no format"),
            (r#"{"format_version":2}"#, "it has format 2, but this version of brandctl reads format 1"),
            (r#"{"format_version":1,"portal":"a","sandbox":false,"entries":[],"more":1}"#, "unknown field `more`"),
            (
                r#"{"format_version":1,"portal":"a","sandbox":false,"entries":[{"kind":"icon","code":"a","system":false}]}"#,
                "icon/a must have a file and its digest, or a reason why it has none",
            ),
        ] {
            let error = SnapshotDocument::read(text.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
