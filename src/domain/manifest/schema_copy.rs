//! The copy of the manifest's schema that lies beside it, for editors. An older brandctl may have written it.

use std::path::Path;

use serde_json::Value;

use super::document::{TITLE, schema};
use crate::domain::finding::{Finding, Place};
use crate::text::shell_word;

/// The id of the finding about a copy that is not the built-in schema.
pub(crate) const SCHEMA_COPY: &str = "schema-copy";

/// The name of the copy that `init` and `export` write, for a manifest that names none.
pub(crate) const CONVENTIONAL: &str = "brand.schema.json";

/// The most bytes of a copy that is read; the built-in schema has a tenth of that.
pub(crate) const MAX_COPY_BYTES: u64 = 256 * 1024;

/// The path of the copy, relative to the manifest, and where the manifest names it; `None` if it names a schema
/// somewhere else, such as an address.
pub(crate) fn named(manifest: &str) -> Option<(String, Option<Place>)> {
    let Some((path, place)) = from_comment(manifest) else { return Some((CONVENTIONAL.to_owned(), None)) };
    // A colon is that of `https:` or of a drive.
    let is_local = !path.is_empty() && !path.contains(':') && !Path::new(path).is_absolute() && !path.starts_with('/');
    is_local.then(|| (path.to_owned(), Some(place)))
}

/// What follows `$schema=` in the comment that editors read, in the lines before the first key.
fn from_comment(manifest: &str) -> Option<(&str, Place)> {
    let mut start = 0;
    for (line, text) in manifest.split_inclusive('\n').enumerate() {
        let comment = text.trim_start().strip_prefix('#');
        if comment.is_none() && !text.trim().is_empty() && text.trim() != "---" {
            return None;
        }
        if let Some((_, after)) = comment.and_then(|comment| comment.split_once("yaml-language-server:"))
            && let Some((_, path)) = after.split_once("$schema=")
        {
            let path = path.split_whitespace().next().unwrap_or_default();
            let at = text.len() - text.rsplit_once("$schema=").map_or(0, |(_, rest)| rest.len());
            let column = text.get(..at).map_or(1, |before| before.chars().count() + 1);
            let bytes = start + at..start + at + path.len();
            return Some((path, Place { line: line + 1, column, bytes }));
        }
        start += text.len();
    }
    None
}

/// The finding about a copy with these bytes. `file` and `manifest` are how the user names the two. There is none about a
/// file that is not a schema of ours: someone chose to write it.
pub(crate) fn finding(copy: &[u8], file: &str, manifest: &str, place: Option<Place>) -> Option<Finding> {
    let copy: Value = serde_json::from_slice(copy).ok()?;
    if copy.get("title").and_then(Value::as_str) != Some(TITLE) || copy == schema() {
        return None;
    }
    let version = env!("CARGO_PKG_VERSION");
    let message = format!("the schema {file} is not the one of brandctl {version}: editors check by other rules");
    let help = format!("write it again: `brandctl schema manifest > {}`", shell_word(file));
    Some(Finding { place, ..Finding::warning(SCHEMA_COPY, message).in_file(manifest).help(help) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn the_comment_names_the_copy_where_editors_look() {
        let path = |text: &str| named(text).map(|(path, place)| (path, place.map(|place| (place.line, place.column))));
        let some = |path: &str, at| Some((path.to_owned(), at));
        assert_eq!(path("# yaml-language-server: $schema=./a.json\nversion: 1\n"), some("./a.json", Some((1, 33))));
        assert_eq!(path("---\n# ü\n#yaml-language-server:  $schema=a.json x\n"), some("a.json", Some((3, 33))));
        for unnamed in ["", "version: 1\n# yaml-language-server: $schema=a.json\n", "# $schema=a.json\n"] {
            assert_eq!(path(unnamed), some(CONVENTIONAL, None), "{unnamed}");
        }
        for elsewhere in ["https://example.com/a.json", "C:/a.json", "/etc/a.json", "file:a.json", ""] {
            assert_eq!(path(&format!("# yaml-language-server: $schema={elsewhere}\n")), None, "{elsewhere}");
        }
        let text = "# yaml-language-server: $schema=a.json\r\n";
        assert_eq!(text[named(text).unwrap().1.unwrap().bytes].to_owned(), "a.json");
    }

    #[test]
    fn only_another_schema_of_ours_is_a_finding() {
        let found = |copy: &str| finding(copy.as_bytes(), "it's.json", "brand.yaml", None);
        let current = schema();
        assert_eq!(found(&current.to_string()), None);
        assert_eq!(found(&format!("{current:#}\n")), None, "in any layout");
        for foreign in ["", "{", "[]", "null", r#"{"title": "another"}"#, r#"{"title": 1}"#] {
            assert_eq!(found(foreign), None, "{foreign}");
        }
        let old = found(r#"{"title": "brandctl manifest"}"#).unwrap();
        assert!(!old.is_error());
        assert_eq!(old.help.unwrap(), r"write it again: `brandctl schema manifest > 'it'\''s.json'`");
    }
}
