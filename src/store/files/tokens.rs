//! The file that keeps an application's tokens. It is replaced in one step if possible, and otherwise written in place,
//! under a lock that all processes share that renew it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ops::ports::{TokenLock, TokenReplacement, TokenStore};

use super::access::Access;
use super::fixed;
use super::identity::FileId;
use super::input::UserInput;
use super::kind::FileKind;
use super::lock::FileLock;
use super::opened::OpenFolder;
use super::place;
use super::replace::{Replacement, is_closed, overwrite};

/// The longest token file that is read.
const MAX_TOKEN_FILE_BYTES: u64 = 1024 * 1024;

/// A token file.
#[derive(Debug, Clone)]
pub struct TokenFile {
    path: PathBuf,
    /// Its name in messages.
    name: String,
}

impl TokenFile {
    /// The token file at `path`. `source_name` is where the path came from, such as "the file of `BITRIX24_OAUTH_FILE`".
    pub fn new(path: &Path, source_name: &str) -> Self {
        Self { path: path.to_owned(), name: format!("{source_name} ({})", path.display()) }
    }
}

impl TokenStore for TokenFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let file = UserInput::at(&self.path);
        // Opening a pipe waits for its writer, maybe forever; and a pipe cannot be rewritten.
        if file.facts()?.0 != FileKind::File {
            return Err(io::Error::other("it is not a regular file"));
        }
        file.read_secret(MAX_TOKEN_FILE_BYTES)
    }

    fn try_lock(&self) -> io::Result<Option<TokenLock>> {
        let lock = FileLock::of_replaceable(&place::real(&self.path)?)?;
        Ok(lock.map(|lock| Arc::new(lock) as TokenLock))
    }

    fn prepare(&self) -> io::Result<Box<dyn TokenReplacement>> {
        // The file itself, with symbolic links followed: only that can be replaced in one step.
        let place = place::real(&self.path)?;
        let folder = OpenFolder::at(place::folder_of(&place))?;
        let way = match fixed::why_irreplaceable(&place).map_or_else(|| Replacement::begin_like(&place), Err) {
            Ok(replacement) => Way::Replace(replacement),
            Err(why) if is_closed(&why) || why.kind() == io::ErrorKind::ResourceBusy => {
                let open = OpenOptions::new().write(true).open(&place);
                Way::Overwrite(open.map_err(|error| {
                    let message = format!("{why}, and it cannot be written in place: {error}");
                    io::Error::new(error.kind(), message)
                })?)
            }
            Err(why) => return Err(why),
        };
        Ok(Box::new(Prepared { file: self.clone(), place, folder, way }))
    }
}

/// A file that is ready for new tokens.
#[derive(Debug)]
struct Prepared {
    file: TokenFile,
    /// The path of the file itself.
    place: PathBuf,
    /// The folder of that path, held open, so that the file is written into the folder that was checked.
    folder: OpenFolder,
    way: Way,
}

/// The way in which the file gets new content.
#[derive(Debug)]
enum Way {
    /// Another file gets its name.
    Replace(Replacement),
    /// This file, open, is written in place, because it cannot be replaced.
    Overwrite(File),
}

impl TokenReplacement for Prepared {
    fn read(&self) -> io::Result<Vec<u8>> {
        self.file.read()
    }

    fn store(self: Box<Self>, contents: &[u8]) -> io::Result<()> {
        let Self { file, place, folder, way } = *self;
        let present = || folder.file(place.file_name().unwrap_or_default(), Access::Write);
        let written = match way {
            // Even if something changed in between: the old tokens are no longer valid.
            Way::Replace(replacement) => replacement.finish(contents).or_else(|why| match present() {
                Ok(present) => fill(present, contents),
                Err(_) => Err(why),
            }),
            Way::Overwrite(open) if is_at(&open, &place)? => fill(open, contents),
            // Another program put another file at this path.
            Way::Overwrite(_) => fill(present()?, contents),
        }?;
        // A link may have been changed, or a folder moved.
        if is_at(&written, &file.path)? { Ok(()) } else { Err(io::Error::other("its path now leads to another file")) }
    }
}

/// Whether this open file is the one that a path leads to.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    Ok(FileId::with(&file.metadata()?, path) == FileId::of(path))
}

/// Writes a file in place. A power cut, or a full disk, during this one write may leave a part of either pair: then the
/// application must be authorised again. This cannot be avoided, because no other file can be put beside it. A kill
/// cannot interrupt it, and a shorter text is filled up with spaces, so that the end of the old text never follows the
/// new one.
fn fill(file: File, contents: &[u8]) -> io::Result<File> {
    let mut contents = contents.to_vec();
    let before = usize::try_from(file.metadata()?.len()).unwrap_or_default();
    contents.resize(contents.len().max(before), b' ');
    overwrite(&file, &contents)?;
    Ok(file)
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::fs;

    use super::*;

    #[test]
    fn one_at_a_time_has_the_lock_also_after_the_file_was_replaced() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("oauth.json");
        fs::write(&path, "old").unwrap();
        let file = TokenFile::new(&path, "test");
        let first = file.try_lock().unwrap().unwrap();
        assert!(file.try_lock().unwrap().is_none());
        file.prepare().unwrap().store(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let second = file.try_lock().unwrap().unwrap();
        drop(first);
        assert!(file.try_lock().unwrap().is_none(), "the old file's lock is not the new one's");
        drop(second);
        assert!(file.try_lock().unwrap().is_some());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_written_in_place_leaves_nothing_of_what_was_there() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (before, now, expected) in
            [("{\"a\": \"long\"}", "{}", "{}           "), ("{}", "{\"a\": 1}", "{\"a\": 1}"), ("", "{}", "{}")]
        {
            fs::write(file.path(), before).unwrap();
            fill(OpenOptions::new().write(true).open(file.path()).unwrap(), now.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(file.path()).unwrap(), expected);
        }
    }

    /// A token file, and a value that is ready to write it in place.
    fn to_overwrite(root: &Path) -> (PathBuf, Box<Prepared>) {
        let path = root.join("oauth.json");
        fs::write(&path, "old").unwrap();
        let way = Way::Overwrite(OpenOptions::new().write(true).open(&path).unwrap());
        let (file, place) = (TokenFile::new(&path, "test"), place::real(&path).unwrap());
        let folder = OpenFolder::at(root).unwrap();
        (path, Box::new(Prepared { file, place, folder, way }))
    }

    #[test]
    fn where_the_name_cannot_be_given_to_another_after_all_the_file_is_written_where_it_is() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("oauth.json");
        fs::write(&path, "old").unwrap();
        let before = FileId::of(&path);
        let prepared = TokenFile::new(&path, "test").prepare().unwrap();
        // Renaming cannot be prevented here, but there can be nothing to rename.
        let mut names = fs::read_dir(root.path()).unwrap().map(|item| item.unwrap().path());
        fs::remove_file(names.find(|other| *other != path).unwrap()).unwrap();
        prepared.store(b"new").unwrap();
        assert_eq!((fs::read(&path).unwrap(), FileId::of(&path)), (b"new".to_vec(), before));
    }

    #[test]
    fn what_is_written_in_place_is_the_file_that_has_the_name_by_then() {
        let root = tempfile::tempdir().unwrap();
        let (path, prepared) = to_overwrite(root.path());
        fs::write(root.path().join("other"), "other").unwrap();
        fs::rename(root.path().join("other"), &path).unwrap();
        prepared.store(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new  ");
    }

    #[cfg(unix)]
    #[test]
    fn what_took_the_name_and_is_no_file_of_its_folder_is_not_written() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
        let (path, prepared) = to_overwrite(root.path());
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), &path).unwrap();
        prepared.store(b"new").unwrap_err();
        assert_eq!(fs::read(elsewhere.path()).unwrap(), b"");
        fs::remove_file(&path).unwrap();
        let (path, prepared) = to_overwrite(root.path());
        fs::remove_file(&path).unwrap();
        prepared.store(b"new").unwrap_err();
        assert!(!path.exists());
    }
}
