//! The past of a branding repository in Git, as plain data: the commits, and the files that each of them touched.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// The name of an object in Git: 40 hexadecimal digits, or 64 in a repository of SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectId(String);

impl ObjectId {
    /// Reads a name; `None` if the text is not one, or is the zeros that stand for no object.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_name = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_name && text.bytes().any(|byte| byte != b'0')).then(|| Self(text.to_ascii_lowercase()))
    }

    /// The name that `bytes` have as the content of a file, in a repository whose names are as long as this one.
    pub(crate) fn of_like(&self, bytes: &[u8]) -> Self {
        let head = format!("blob {}\0", bytes.len());
        let digits: Vec<u8> = if self.0.len() == 40 {
            Sha1::new().chain_update(head).chain_update(bytes).finalize().to_vec()
        } else {
            Sha256::new().chain_update(head).chain_update(bytes).finalize().to_vec()
        };
        Self(digits.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The whole name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The beginning of the name, as people write it.
    pub(crate) fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The state of a file after a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Blob {
    /// It has this content.
    Is(ObjectId),
    /// It is a link or a submodule, which has no content to compare.
    Odd,
    /// It is gone.
    Gone,
}

/// A file in one commit, by the commit's place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touch {
    /// The commit.
    pub(crate) commit: usize,
    /// What the file is after it.
    pub(crate) blob: Blob,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Commit {
    id: ObjectId,
    parents: Vec<ObjectId>,
    /// The name of its author, by its place in [`Past::authors`].
    author: usize,
}

/// The log of a repository: the present commit and all its ancestors, children before parents, with the changes of each
/// to the files that may matter. Paths are relative to the repository's root, with `/`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Past {
    manifest: String,
    shallow: bool,
    /// The folders that the log is of, each with a `/` at its end; all of them when it is empty.
    folders: Vec<String>,
    commits: Vec<Commit>,
    places: BTreeMap<ObjectId, usize>,
    files: BTreeMap<String, Vec<Touch>>,
    /// The names of authors, each once, and where each of them is.
    authors: Vec<String>,
    author_places: HashMap<String, usize>,
}

impl Past {
    /// A log that is still empty. `manifest` is the manifest's path; `shallow` says that the log was cut off when the
    /// repository was cloned.
    pub(crate) fn new(manifest: impl Into<String>, shallow: bool) -> Self {
        Self { manifest: manifest.into(), shallow, ..Self::default() }
    }

    /// The same log, which is of these folders only. The root is called by the empty name, any other with a `/` at its end.
    pub(crate) fn of_folders(self, folders: &[String]) -> Self {
        let everything = folders.iter().any(String::is_empty);
        Self { folders: if everything { Vec::new() } else { folders.to_vec() }, ..self }
    }

    /// Whether the log covers a file.
    pub(crate) fn covers(&self, path: &str) -> bool {
        self.folders.is_empty() || self.folders.iter().any(|folder| path.starts_with(folder.as_str()))
    }

    /// The oldest commit that has each content, under any name.
    pub(crate) fn oldest(&self) -> HashMap<&ObjectId, usize> {
        let mut oldest = HashMap::new();
        for touch in self.files.values().flatten() {
            if let Blob::Is(id) = &touch.blob {
                let commit = oldest.entry(id).or_insert(touch.commit);
                *commit = touch.commit.max(*commit);
            }
        }
        oldest
    }

    /// Whether a PNG that these commits have was deleted later.
    pub(crate) fn has_lost_art_since(&self, commits: &Ancestors) -> bool {
        let is_lost = |touches: &Vec<Touch>| {
            touches.first().is_some_and(|last| last.blob == Blob::Gone && !commits.has(last.commit))
                && touches.iter().any(|touch| commits.has(touch.commit))
        };
        self.files.iter().any(|(path, touches)| path.ends_with(".png") && is_lost(touches))
    }

    /// Adds the next older commit, with the name of its author.
    pub(crate) fn add_commit(&mut self, id: ObjectId, parents: Vec<ObjectId>, author: &str) {
        let author = match self.author_places.get(author) {
            Some(place) => *place,
            None => {
                self.author_places.insert(author.to_owned(), self.authors.len());
                self.authors.push(author.to_owned());
                self.authors.len() - 1
            }
        };
        self.places.insert(id.clone(), self.commits.len());
        self.commits.push(Commit { id, parents, author });
    }

    /// Adds what the last added commit did to a file.
    pub(crate) fn add_touch(&mut self, path: String, blob: Blob) {
        if let Some(commit) = self.commits.len().checked_sub(1) {
            self.files.entry(path).or_default().push(Touch { commit, blob });
        }
    }

    /// The manifest's path.
    pub(crate) fn manifest(&self) -> &str {
        &self.manifest
    }

    /// Whether the log was cut off when the repository was cloned.
    pub(crate) const fn is_shallow(&self) -> bool {
        self.shallow
    }

    /// The name of a commit.
    pub(crate) fn id(&self, commit: usize) -> Option<&ObjectId> {
        self.commits.get(commit).map(|commit| &commit.id)
    }

    /// The place of a commit in the log.
    pub(crate) fn place(&self, id: &ObjectId) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The name of a commit's author.
    pub(crate) fn author(&self, commit: usize) -> Option<&str> {
        self.authors.get(self.commits.get(commit)?.author).map(String::as_str)
    }

    /// Whether the history before a commit was cut off when the repository was cloned: it seems to bring every file.
    pub(crate) fn is_cut_off_at(&self, commit: usize) -> bool {
        self.shallow
            && self
                .commits
                .get(commit)
                .is_some_and(|commit| commit.parents.iter().all(|id| !self.places.contains_key(id)))
    }

    /// The parents of a commit, as far as the log has them.
    pub(crate) fn parents(&self, commit: usize) -> impl Iterator<Item = usize> {
        let parents = self.commits.get(commit).into_iter().flat_map(|commit| &commit.parents);
        parents.filter_map(|parent| self.place(parent))
    }

    /// Every commit that touched a file, the newest first.
    pub(crate) fn touches(&self, path: &str) -> &[Touch] {
        self.files.get(path).map_or(&[], Vec::as_slice)
    }

    /// The contents that a file had, the newest first, each with the commit that gave it to the file.
    pub(crate) fn versions(&self, path: &str) -> impl Iterator<Item = (usize, &ObjectId)> {
        self.touches(path).iter().filter_map(|touch| match &touch.blob {
            Blob::Is(id) => Some((touch.commit, id)),
            Blob::Odd | Blob::Gone => None,
        })
    }

    /// The name that these bytes would have in this repository; `None` in one without commits.
    pub(crate) fn name(&self, bytes: &[u8]) -> Option<ObjectId> {
        self.commits.first().map(|commit| commit.id.of_like(bytes))
    }

    /// The ancestors of these commits, with the commits themselves.
    pub(crate) fn ancestors_of(&self, commits: impl IntoIterator<Item = usize>) -> Ancestors {
        let mut found = vec![false; self.commits.len()];
        let mut open: Vec<usize> = commits.into_iter().collect();
        while let Some(commit) = open.pop() {
            if let Some(is_found @ false) = found.get_mut(commit) {
                *is_found = true;
                open.extend(self.parents(commit));
            }
        }
        Ancestors(found)
    }

    /// The paths that the manifest has had, the present one first. If the manifest appears in a commit in which another YAML
    /// file disappears, it is taken to be that file, moved; whether that was a manifest shows in its content.
    pub(crate) fn manifests(&self) -> Vec<&str> {
        let mut paths = vec![self.manifest.as_str()];
        let mut next = 0;
        while let Some(path) = paths.get(next) {
            let born = self.touches(path).last().map(|touch| touch.commit);
            let gone =
                |touches: &[Touch]| touches.iter().any(|touch| Some(touch.commit) == born && touch.blob == Blob::Gone);
            let earlier = self.files.iter().filter(|(path, touches)| is_yaml(path) && gone(touches));
            let earlier: Vec<&str> =
                earlier.map(|(path, _)| path.as_str()).filter(|path| !paths.contains(path)).collect();
            paths.extend(earlier);
            next += 1;
        }
        paths
    }

    /// The commit in which the oldest known manifest appears.
    pub(crate) fn birth(&self) -> Option<usize> {
        self.manifests().iter().filter_map(|path| self.touches(path).last()).map(|touch| touch.commit).max()
    }
}

/// A set of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ancestors(Vec<bool>);

impl Ancestors {
    /// Whether a commit is in it.
    pub(crate) fn has(&self, commit: usize) -> bool {
        self.0.get(commit).copied().unwrap_or_default()
    }
}

/// The place that a path leads to today, once links are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Located {
    /// To another path of the repository, through these links.
    Linked {
        /// The path, from the root.
        path: String,
        /// The links.
        links: Vec<String>,
    },
    /// Out of the repository, or into another one in it.
    Elsewhere,
}

/// Whether a file may be a manifest, by its name.
pub(crate) fn is_yaml(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.ends_with(".yaml") || path.ends_with(".yml")
}

/// A path that is relative to a file's folder, from the root: without `.`, `..` and doubled slashes.
pub(crate) fn beside(file: &str, path: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn contents_are_called_what_git_calls_them() {
        let sha1 = ObjectId::parse(&"1".repeat(40)).unwrap();
        let sha256 = ObjectId::parse(&"1".repeat(64)).unwrap();
        assert_eq!(sha1.of_like(b"1\n").as_str(), "d00491fd7e5bb6fa28c517a0bb32b8b506539d4d");
        assert_eq!(sha256.of_like(b"").as_str(), "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813");
        for no_name in ["", "0000000000000000000000000000000000000000", "d00491fd", "g", &"g".repeat(40)] {
            assert_eq!(ObjectId::parse(no_name), None, "{no_name}");
        }
    }

    #[test]
    fn paths_are_joined_without_detours() {
        assert_eq!(beside("brand.yaml", "icons/a.png"), "icons/a.png");
        assert_eq!(beside("deep/in/brand.yaml", "./icons//x/../a.png"), "deep/in/icons/a.png");
        assert_eq!(beside("in/brand.yaml", "../../../a.png"), "a.png");
    }
}
