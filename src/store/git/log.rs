//! The log of everything in the manifest's folder, read from one Git process.

use std::ffi::OsString;
use std::path::Path;

use super::super::files::place;
use super::super::root::Checkout;
use super::process::{is_shallow, output};
use crate::domain::finding::Problem;
use crate::domain::origin::past::{Blob, ObjectId, Past, is_yaml};
use crate::ops::ports::NoHistory;
use crate::text::cut;

/// The most characters of an author's name that are kept.
const MAX_AUTHOR_CHARS: usize = 80;

/// The most moves of a folder that are followed.
const MAX_MOVES: usize = 8;

/// Reads the history of a manifest's folder, and of the folders `art`, which are named from the top of the checkout.
pub(super) fn past(checkout: &Checkout, manifest: &Path, art: Vec<String>) -> Result<Past, NoHistory> {
    let shallow = is_shallow(checkout)?;
    let unreadable = || NoHistory::Unreadable(Problem::new("the name of the manifest's folder is not UTF-8"));
    let folder = place::real(place::folder_of(manifest)).ok();
    let prefix = folder.as_deref().and_then(|folder| folder.strip_prefix(checkout.top()).ok()?.to_str());
    let prefix = prefix.map(|prefix| if prefix.is_empty() { String::new() } else { format!("{prefix}/") });
    let prefix = prefix.ok_or_else(unreadable)?;
    let name = manifest.file_name().and_then(|name| name.to_str()).ok_or_else(unreadable)?;
    let name = format!("{prefix}{name}");
    let elsewhere = art.into_iter().filter(|folder| !folder.starts_with(prefix.as_str()));
    let mut folders: Vec<String> = std::iter::once(prefix.clone()).chain(elsewhere).collect();
    let most = folders.len() + MAX_MOVES;
    loop {
        let text = log(checkout, &folders)?;
        let past = parsed(&text, Past::new(&name, shallow).of_folders(&folders))
            .ok_or_else(|| NoHistory::Unreadable(Problem::new("the output of `git log` cannot be understood")))?;
        let moved = if folders.len() >= most { None } else { earlier_folder(checkout, &past, &folders) };
        match moved {
            Some(earlier) => folders.push(earlier),
            None => return Ok(past),
        }
    }
}

/// The arguments that print the log: every commit, branches included, with its changes in the named folders.
/// `--full-history` because a version that a merge dropped may have been applied, `--sparse` because a run may have
/// been at a commit that touched nothing here. For a merge, `-c` shows what neither side had.
const LOG: [&str; 25] = [
    // Settings that would hide the first commit, follow renames, sort, or print names in another encoding.
    "-c",
    "log.showRoot=true",
    "-c",
    "log.follow=false",
    "-c",
    "diff.relative=false",
    "-c",
    "i18n.logOutputEncoding=UTF-8",
    "log",
    "--topo-order",
    "--full-history",
    "--sparse",
    "--raw",
    "-c",
    "-z",
    "-O/dev/null",
    "--no-abbrev",
    "--no-renames",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-decorate",
    "--ignore-submodules=none",
    // The author's name is a separate field, so it may contain anything. No email addresses are read.
    "--format=tformat:commit %H %P%x00%an",
    "HEAD",
];

/// The log of these folders, by their paths from the root of the Git repository.
fn log(checkout: &Checkout, folders: &[String]) -> Result<Vec<u8>, NoHistory> {
    // The root itself has no path.
    let path = |path: &String| OsString::from(if path.is_empty() { "." } else { path });
    let arguments = LOG.into_iter().chain(["--"]).map(OsString::from);
    output(checkout, arguments.chain(folders.iter().map(path)))
}

/// Parses the log: fields that end with a NUL; a path may contain any other byte. A file whose name is not UTF-8 cannot
/// be declared by a manifest.
pub(super) fn parsed(text: &[u8], mut past: Past) -> Option<Past> {
    let mut fields = text.split(|byte| *byte == 0);
    while let Some(field) = fields.next() {
        let field = std::str::from_utf8(field).ok()?.trim_start_matches('\n');
        if let Some(commit) = field.strip_prefix("commit ") {
            let mut ids = commit.split(' ').filter(|id| !id.is_empty()).map(ObjectId::parse);
            let id = ids.next()??;
            let author = String::from_utf8_lossy(fields.next()?);
            past.add_commit(id, ids.collect::<Option<_>>()?, &cut(author.trim(), MAX_AUTHOR_CHARS));
        } else if field.starts_with(':') {
            let blob = touched(field)?;
            if let Ok(path) = std::str::from_utf8(fields.next()?) {
                past.add_touch(path.to_owned(), blob);
            }
        } else if !field.is_empty() {
            return None;
        }
    }
    Some(past)
}

/// `:100644 100644 <old> <new> M`, with one more colon, mode and name for each further parent of a merge.
fn touched(field: &str) -> Option<Blob> {
    let parents = field.bytes().take_while(|byte| *byte == b':').count();
    let words: Vec<&str> = field.trim_start_matches(':').split(' ').collect();
    let (mode, id) = (*words.get(parents)?, *words.get(2 * parents + 1)?);
    Some(match mode {
        "000000" => Blob::Gone,
        "100644" | "100755" | "100664" => Blob::Is(ObjectId::parse(id)?),
        _ => Blob::Odd,
    })
}

/// The earlier path of the manifest's folder, before the commit in which the folder appears: the folder in which a
/// manifest disappears. If that is one of the folders of the log, the log itself shows it.
fn earlier_folder(checkout: &Checkout, past: &Past, known: &[String]) -> Option<String> {
    if known.iter().any(String::is_empty) {
        return None;
    }
    let birth = past.birth()?;
    let (commit, parent) = (past.id(birth)?, past.id(past.parents(birth).next()?)?);
    let name = past.manifest().rsplit('/').next()?;
    let deleted =
        ["diff-tree", "-r", "-z", "--no-renames", "--diff-filter=D", "--name-only", parent.as_str(), commit.as_str()];
    let deleted = output(checkout, deleted).ok()?;
    let deleted: Vec<&str> = deleted
        .split(|byte| *byte == 0)
        .filter_map(|path| std::str::from_utf8(path).ok())
        .filter(|path| is_yaml(path))
        .collect();
    let alike = |path: &&&str| path.rsplit('/').next() == Some(name);
    let manifest = deleted.iter().find(alike).or_else(|| deleted.first().filter(|_| deleted.len() == 1))?;
    let earlier = manifest.rsplit_once('/').map_or("", |(folder, _)| folder);
    let earlier = if earlier.is_empty() { String::new() } else { format!("{earlier}/") };
    (!known.contains(&earlier)).then_some(earlier)
}
