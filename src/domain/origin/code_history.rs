//! Which files a code was declared with, by the old versions of the manifest.
//!
//! A code keeps its history when its file is renamed, when the map becomes a folder or the other way round, and when the
//! manifest moves. Every version of every file that it was ever declared with counts as one of its versions, also from
//! before or after the time in which that file was declared: any commit may have been applied.

use std::collections::{BTreeMap, BTreeSet};

use super::past::beside;
use crate::domain::asset::{Address, Kind};
use crate::domain::manifest::{self, Manifest, Section};

/// A version of the manifest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OldManifest<'a> {
    /// The commit that made it, by its place in the log.
    pub(crate) commit: usize,
    /// Where it was, from the root of the repository.
    pub(crate) path: &'a str,
    /// Its text; `None` when this clone does not have it.
    pub(crate) text: Option<&'a [u8]>,
}

/// The history of one code in old manifests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CodeHistory {
    /// Every file that it was declared with, from the root of the repository.
    pub(crate) files: BTreeSet<String>,
    /// The commit since which it has been declared with its present file; `None` when the committed manifest does not
    /// declare it so.
    pub(crate) since: Option<usize>,
    /// Whether a version newer than `since` could not be read, or none could be read.
    pub(crate) incomplete: bool,
}

/// Reads the old manifests, the newest first, for these codes, each with its present file if it is declared. Versions
/// that are not manifests are skipped: an apply could not have read them either.
pub(crate) fn code_histories(
    wanted: &BTreeMap<Address, Option<String>>,
    versions: &[OldManifest<'_>],
) -> BTreeMap<Address, CodeHistory> {
    let mut found: BTreeMap<Address, CodeHistory> =
        wanted.keys().map(|address| (address.clone(), CodeHistory::default())).collect();
    let codes: BTreeSet<&str> = wanted.keys().map(|address| address.code.as_str()).collect();
    let mut open: BTreeSet<&Address> = wanted.keys().collect();
    let mut read: BTreeMap<(String, &str), BTreeMap<&Address, String>> = BTreeMap::new();
    for OldManifest { commit, path, text } in versions {
        let Some(text) = text else {
            for address in &open {
                if let Some(history) = found.get_mut(*address) {
                    history.incomplete = true;
                }
            }
            continue;
        };
        let Ok(text) = std::str::from_utf8(text) else { continue };
        let key = (excerpt(text, &codes), *path);
        if !read.contains_key(&key) {
            let old = manifest::read(key.0.as_bytes(), path).0.or_else(|| manifest::read(text.as_bytes(), path).0);
            let Some(old) = old else { continue };
            let files = wanted.keys().filter_map(|address| Some((address, file(&old, path, address)?)));
            read.insert(key.clone(), files.collect());
        }
        let Some(files) = read.get(&key) else { continue };
        for (address, present) in wanted {
            let Some(history) = found.get_mut(address) else { continue };
            let then = files.get(address);
            history.files.extend(then.cloned());
            if then.is_none() || then != present.as_ref() {
                open.remove(address);
            } else if open.contains(address) {
                history.since = Some(*commit);
            }
        }
    }
    found
}

/// The file that a manifest declares a code with.
fn file(manifest: &Manifest, path: &str, address: &Address) -> Option<String> {
    Some(match manifest.section(address.kind)? {
        Section::Entries(entries) => beside(path, &entries.get(&address.code)?.path),
        Section::Folder { path: folder, .. } => beside(path, &format!("{folder}/{}.png", address.code)),
    })
}

/// A manifest without the entries of other codes. A map of a thousand codes has a version for every code that was ever
/// added; without the others, nearly all of them are the same, and are read once. Text that does not have one code per
/// line stays as it is.
fn excerpt(text: &str, codes: &BTreeSet<&str>) -> String {
    let mut kept = String::new();
    let mut section: Option<Option<usize>> = None;
    let mut keep = true;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start_matches(' ');
        let indent = line.len() - bare.len();
        let is_text = !bare.trim_end().is_empty() && !bare.starts_with('#');
        if is_text && indent == 0 {
            let begins = Kind::ALL.iter().any(|kind| bare.trim_end().strip_suffix(':') == Some(kind.plural()));
            (section, keep) = (begins.then_some(None), true);
        } else if is_text && let Some(level) = section {
            let level = level.unwrap_or(indent);
            section = Some(Some(level));
            if indent <= level {
                keep = key(bare).is_none_or(|key| codes.contains(key));
            }
        }
        if keep && is_text {
            kept.push_str(line);
        }
    }
    kept
}

/// The key of an entry's line; `None` where only a parser could find it.
fn key(line: &str) -> Option<&str> {
    if let Some(quote) = line.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let (key, rest) = line.get(1..)?.split_once(quote)?;
        return (rest.starts_with(':') && !key.contains('\\')).then_some(key);
    }
    let plain = line.starts_with(|first: char| first.is_ascii_alphanumeric());
    let (key, rest) = line.split_once(':')?;
    (plain && (rest.starts_with(' ') || rest.trim_end().is_empty()) && !key.ends_with(' ')).then_some(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn history(present: Option<&str>, texts: &[&str]) -> CodeHistory {
        let wanted = BTreeMap::from([(address("icon/acme-call"), present.map(ToOwned::to_owned))]);
        let versions: Vec<_> = texts
            .iter()
            .enumerate()
            .map(|(commit, text)| OldManifest { commit, path: "in/brand.yaml", text: Some(text.as_bytes()) })
            .collect();
        code_histories(&wanted, &versions).remove(&address("icon/acme-call")).unwrap()
    }

    const HEAD: &str = "version: 1\nowns: [\"acme-*\"]\n";

    #[test]
    fn a_code_is_followed_through_files_folders_and_broken_versions() {
        let texts = [
            format!("{HEAD}icons: icons/\n"),
            format!("{HEAD}icons:\n  acme-call:\n  acme-other: x.png\n"),
            format!("{HEAD}icons: [broken"),
            format!("{HEAD}icons:\n  acme-zzz: z.png\n  'acme-call':\n    file: old/b.png\n"),
            format!("{HEAD}icons: {{acme-call: old/a.png, acme-other: o.png}}\n"),
            format!("{HEAD}icons: {{}}\n"),
        ];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found = history(Some("in/icons/acme-call.png"), &texts);
        let files: Vec<_> = found.files.iter().map(String::as_str).collect();
        assert_eq!(files, ["in/icons/acme-call.png", "in/old/a.png", "in/old/b.png"]);
        assert_eq!(found.since, Some(1), "the map without a path and the folder mean the same file");
        assert_eq!(history(Some("in/new.png"), &texts).since, None);
        assert_eq!(history(None, &[]), CodeHistory::default());
    }

    #[test]
    fn an_excerpt_has_the_wanted_entries_only() {
        let text = "version: 1\nicons:\n  # a remark\n  a: 1.png\n  b: {file: 2.png}\n  c:\n    file: 3.png\n  \"d\": 4.png\nlogos:\n  a: 5.png\npolicy:\n  prune: false\n";
        let kept = excerpt(text, &BTreeSet::from(["c", "d"]));
        assert_eq!(
            kept,
            "version: 1\nicons:\n  c:\n    file: 3.png\n  \"d\": 4.png\nlogos:\npolicy:\n  prune: false\n"
        );
    }

    proptest! {
        /// An excerpt says the same of a code as the whole manifest.
        #[test]
        fn an_excerpt_means_what_the_whole_means(
            entries in proptest::collection::btree_map("acme-[a-d][:. #x]?[a-c]?", 0..5_usize, 0..8),
            style in 0..4_usize,
        ) {
            let quoted = |text: &str| format!("\"{text}\"");
            let lines: Vec<String> = entries.iter().map(|(code, file)| match style {
                0 => format!("  {code}: f{file}.png\n"),
                1 => format!("    {}: f{file}.png # acme-a\n", quoted(code)),
                2 => format!("  {}:\n    file: f{file}.png\n\n", quoted(code)),
                _ => format!(" {}: {{file: f{file}.png}}\n", quoted(code)),
            }).collect();
            let text = format!("{HEAD}logos: {{}}\nicons:\n{}\nprotect: [\"acme-a\"]\n", lines.concat());
            let whole = manifest::read(text.as_bytes(), "m").0;
            for code in ["acme-a", "acme-ab", "acme-b:c", "acme-c x"] {
                let address = address(&format!("icon/{code}"));
                let part = manifest::read(excerpt(&text, &BTreeSet::from([code])).as_bytes(), "m").0;
                if let (Some(whole), Some(part)) = (&whole, &part) {
                    prop_assert_eq!(file(whole, "m", &address), file(part, "m", &address), "{}", text);
                }
            }
        }
    }
}
