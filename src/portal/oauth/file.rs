//! The token file. It is read anew before tokens are renewed and rewritten in one step, both under a lock that brandctl's
//! processes share; keys that mean nothing here are kept.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};
use tempfile::NamedTempFile;
use tokio::time::Instant;

use crate::portal::redact::Redactor;

use super::OAuthError;

/// The longest token file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// How often somebody else's lock is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Where the tokens are kept.
pub(super) struct TokenFile {
    path: PathBuf,
    /// How messages call it.
    name: String,
}

/// What is in it.
#[derive(Clone)]
pub(super) struct Contents {
    fields: Map<String, Value>,
    name: String,
}

/// A file beside the token file that is to take its place. It is made before tokens are renewed: where it cannot be, the
/// refresh token is not used up for nothing.
pub(super) struct Replacement {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl TokenFile {
    pub(super) fn new(path: &Path, source_name: &str) -> Self {
        Self { path: path.to_owned(), name: format!("{source_name} ({})", path.display()) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn read(&self) -> Result<Contents, OAuthError> {
        let text =
            self.bytes().map_err(|why| OAuthError::Unreadable { file: self.name.clone(), why: why.to_string() })?;
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        match serde_json::from_slice(text) {
            Ok(Value::Object(fields)) => Ok(Contents { fields, name: self.name.clone() }),
            _ => Err(OAuthError::NotJson { file: self.name.clone() }),
        }
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        // To open a pipe is to wait for its writer, for ever perhaps; and a pipe cannot be rewritten.
        if !fs::metadata(&self.path)?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let mut bytes = Vec::new();
        File::open(&self.path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LONGEST {
            return Err(io::Error::other(format!("it is longer than {LONGEST} bytes")));
        }
        Ok(bytes)
    }

    /// Keeps other processes from renewing until the lock is dropped. `None` when one of them did so for too long.
    pub(super) async fn lock(&self, until: Instant) -> io::Result<Option<File>> {
        let mut beside = self.target()?.into_os_string();
        beside.push(".lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(beside)?;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Some(lock)),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() >= until => return Ok(None),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// Makes sure that the file can be replaced by one that is about as long.
    pub(super) fn prepare(&self) -> io::Result<Replacement> {
        let path = self.target()?;
        let present = fs::metadata(&path)?;
        // Like any temporary file, it is for its owner's eyes only until it has the token file's permissions.
        let mut temporary = tempfile::Builder::new().prefix(".brandctl-").tempfile_in(folder_of(&path))?;
        temporary.as_file().set_permissions(present.permissions())?;
        // Room on the disk is taken now, with nothing in it that is worth stealing.
        io::copy(&mut io::repeat(b' ').take(present.len().saturating_mul(2)), &mut temporary)?;
        temporary.as_file().sync_all()?;
        Ok(Replacement { temporary, path })
    }

    /// The file itself, where a symbolic link leads: only that can be replaced in one step.
    fn target(&self) -> io::Result<PathBuf> {
        fs::canonicalize(&self.path)
    }
}

impl Replacement {
    /// Takes the token file's place. On return it is on the disk, under its name.
    pub(super) fn store(mut self, contents: &Contents) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(&contents.fields)?;
        text.push(b'\n');
        self.temporary.rewind()?;
        self.temporary.write_all(&text)?;
        self.temporary.as_file().set_len(u64::try_from(text.len()).map_err(io::Error::other)?)?;
        self.temporary.as_file().sync_all()?;
        self.temporary.persist(&self.path)?;
        // Not every file system can do that, and the file has its name all the same.
        drop(File::open(folder_of(&self.path)).and_then(|folder| folder.sync_all()));
        Ok(())
    }
}

impl Contents {
    /// A field that must be there, as text.
    pub(super) fn text(&self, field: &'static str) -> Result<&str, OAuthError> {
        self.optional(field).ok_or_else(|| OAuthError::Missing { file: self.name.clone(), field })
    }

    /// A field as text. One that is empty or no text counts as absent.
    pub(super) fn optional(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    /// Hides both tokens.
    pub(super) fn hide(&self, redactor: &Redactor) -> Result<(), OAuthError> {
        for field in ["access_token", "refresh_token"] {
            redactor.hide(self.text(field)?);
        }
        Ok(())
    }

    /// The same file with the tokens of the server's answer. What the file says of the old tokens' age is renewed too:
    /// other programs may go by it.
    pub(super) fn renewed(&self, answer: &Map<String, Value>) -> Self {
        let mut renewed = self.clone();
        for field in ["access_token", "refresh_token", "expires", "expires_in"] {
            match (renewed.fields.contains_key(field), answer.get(field)) {
                (true, Some(value)) => drop(renewed.fields.insert(field.to_owned(), value.clone())),
                (true, None) => drop(renewed.fields.shift_remove(field)),
                (false, _) => {}
            }
        }
        renewed
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}
