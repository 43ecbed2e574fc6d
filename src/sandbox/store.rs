//! The state in its folder: an identity that is written once, the tokens of the applications, and an append-only log of
//! changes.
//!
//! A change is one line, appended in one write before it takes effect. A killed process can leave at most one torn line
//! at the end, whose change was not answered yet; the next start cuts it off. Nothing is fsynced: the log survives a
//! killed process, but not a power failure.

use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::call::WorldChange;
use super::error::SandboxError;
use super::identity::Identity;
use super::tokens::Tokens;
use super::world::World;
use crate::store::files::{Durability, FileLock, Folder, JournalFile, Locking, is_unexpected};

/// The file with the tokens of the applications.
const TOKENS: &str = "tokens.json";
const LOG: &str = "log.jsonl";
const LOCK: &str = "lock";
const IDENTITY: &str = "portal.json";

/// The largest JSON file that is read, in bytes.
pub(super) const MAX_JSON_BYTES: u64 = 16 * 1024 * 1024;

/// The longest line of the log (an image from the longest body that the server reads) and the largest log that are
/// read, in bytes.
const MAX_LOG_BYTES: (u64, u64) = (256 * 1024 * 1024, 2 * 1024 * 1024 * 1024);

/// The longest id of a portal.
const MAX_ID: usize = 64;

/// An open folder, locked until it is dropped.
#[derive(Debug)]
pub(super) struct Store {
    folder: Folder,
    log: JournalFile,
    length: u64,
    /// Whether there may be something after `length`.
    torn: bool,
    _lock: FileLock,
}

/// How long to wait for a sandbox that is stopping.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

impl Store {
    /// Opens or creates a folder, and gives what it holds.
    pub(super) fn open(folder: &Path) -> Result<(Self, Identity, World), SandboxError> {
        let folder = Folder::of_named_state(folder);
        refuse_other(&folder)?;
        folder.make_all().map_err(|error| failed(&folder, "", error))?;
        let lock = lock(&folder)?;
        let identity = identity(&folder)?;
        let (world, lines, length) = read(&folder)?;
        let at = |error| failed(&folder, LOG, error);
        let log = folder.journal_or_new(LOG).map_err(at)?;
        // A process that was killed while writing leaves part of a line at the end.
        log.cut(length).map_err(at)?;
        let changes = world.changes();
        if lines <= 2 * changes.len() + 64 {
            return Ok((Self { folder, log, length, torn: false, _lock: lock }, identity, world));
        }
        let text = text(&changes).map_err(at)?;
        folder.replace(LOG, &text, Durability::Unsynced).map_err(at)?;
        let log = folder.journal(LOG).map_err(at)?;
        Ok((Self { folder, log, length: text.len() as u64, torn: false, _lock: lock }, identity, world))
    }

    /// The tokens of the applications; none in a new folder.
    pub(super) fn tokens(&self) -> Result<Tokens, SandboxError> {
        Ok(read_json(&self.folder, TOKENS)?.unwrap_or_default())
    }

    /// Replaces the tokens of the applications.
    pub(super) fn save_tokens(&self, tokens: &Tokens) -> Result<(), SandboxError> {
        write_json(&self.folder, TOKENS, tokens)
    }

    /// Appends changes. If that fails, none of them is kept.
    pub(super) fn append(&mut self, changes: &[WorldChange]) -> io::Result<()> {
        let text = text(changes)?;
        if self.torn {
            self.cut()?;
        }
        if let Err(error) = self.log.append_unsynced(&text) {
            // Part of it may be in the file. If that cannot be cut off now, it must be cut off before anything is
            // appended.
            self.torn = true;
            return Err(self.cut().err().unwrap_or(error));
        }
        self.length += text.len() as u64;
        Ok(())
    }

    fn cut(&mut self) -> io::Result<()> {
        self.log.cut(self.length)?;
        self.torn = false;
        Ok(())
    }
}

fn text(changes: &[WorldChange]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for change in changes {
        serde_json::to_writer(&mut text, change)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// The error of a file in a folder.
fn failed(folder: &Folder, name: &str, source: io::Error) -> SandboxError {
    // Such an error already names the file.
    let name = if is_unexpected(&source) { "" } else { name };
    SandboxError::Io { path: folder.path_of(name), source }
}

/// The world of a log, the number of its lines, and its length without a torn end.
fn read(folder: &Folder) -> Result<(World, usize, u64), SandboxError> {
    let (mut world, mut lines, mut length) = (World::default(), 0, 0);
    let mut damage = None;
    let read = folder.read_lines(LOG, MAX_LOG_BYTES, |line| {
        let change: Result<WorldChange, _> = serde_json::from_slice(line);
        if !line.ends_with(b"\n") && change.as_ref().err().is_none_or(serde_json::Error::is_eof) {
            // A torn end.
            return false;
        }
        lines += 1;
        length += line.len() as u64;
        match change {
            Ok(change) => world.apply(change),
            Err(source) => damage = Some(SandboxError::Damaged { path: folder.path_of(LOG), line: lines, source }),
        }
        damage.is_none()
    });
    read.map_err(|error| failed(folder, LOG, error))?;
    damage.map_or(Ok((world, lines, length)), Err)
}

/// Refuses a folder that holds something other than a sandbox, because files with secrets would be written among its
/// files. Nothing is created in it before this check.
fn refuse_other(folder: &Folder) -> Result<(), SandboxError> {
    /// The files that may be in the folder of a sandbox whose start failed: its lock, and what other programs put into
    /// a new folder.
    const OF_A_NEW_FOLDER: [&str; 3] = [LOCK, ".gitignore", "lost+found"];
    if folder.kind_of(IDENTITY).is_ok() {
        return read_identity(folder).map(drop);
    }
    // A folder that cannot be listed is reported when it is used.
    let Ok(items) = folder.items() else { return Ok(()) };
    // A killed sandbox may have left a file that never got its name.
    let is_other = |name: &str| !OF_A_NEW_FOLDER.contains(&name) && !name.starts_with(".brandctl-");
    let other = items.flatten().map(|item| item.name().to_string_lossy().into_owned()).find(|name| is_other(name));
    match other {
        Some(found) => Err(SandboxError::NotASandbox { path: folder.path().to_owned(), found }),
        None => Ok(()),
    }
}

fn lock(folder: &Folder) -> Result<FileLock, SandboxError> {
    let step = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match folder.lock(LOCK).map_err(|error| failed(folder, LOCK, error))? {
            Locking::Taken(lock) => return Ok(lock),
            Locking::Held(_) if waited < LOCK_TIMEOUT => {
                thread::sleep(step);
                waited += step;
            }
            Locking::Held(_) => return Err(SandboxError::InUse { path: folder.path().to_owned() }),
        }
    }
}

/// The identity of the portal in a folder, if there is one.
fn read_identity(folder: &Folder) -> Result<Option<Identity>, SandboxError> {
    let known: Option<Identity> = read_json(folder, IDENTITY)?;
    if let Some(known) = &known
        && !is_id(&known.id)
    {
        let source = serde::de::Error::custom("its id does not consist of lower-case letters and digits");
        return Err(SandboxError::Damaged { path: folder.path_of(IDENTITY), line: 1, source });
    }
    Ok(known)
}

fn identity(folder: &Folder) -> Result<Identity, SandboxError> {
    let known = read_identity(folder)?;
    let identity = match &known {
        Some(known) => known.clone().completed()?,
        None => Identity::new()?,
    };
    if known.as_ref() != Some(&identity) {
        write_json(folder, IDENTITY, &identity)?;
    }
    Ok(identity)
}

/// Whether a portal may have this id: its state folder has that name.
fn is_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Reads a JSON file; `None` if it does not exist.
fn read_json<T: DeserializeOwned>(folder: &Folder, name: &str) -> Result<Option<T>, SandboxError> {
    let bytes = match folder.read(name, MAX_JSON_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(folder, name, error)),
    };
    let damaged =
        |source: serde_json::Error| SandboxError::Damaged { path: folder.path_of(name), line: source.line(), source };
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

fn write_json(folder: &Folder, name: &str, value: &impl Serialize) -> Result<(), SandboxError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| failed(folder, name, error.into()))?;
    folder.replace(name, &bytes, Durability::Unsynced).map_err(|error| failed(folder, name, error))
}

/// Writes an application's file for the clients, unless it exists and is up to date: a client that refreshes tokens
/// rewrites it and may add to it. Another file in its place is replaced.
pub(super) fn write_application_file(folder: &Path, name: &str, file: &Value) -> Result<(), SandboxError> {
    let folder = Folder::of_named_state(folder);
    let there = folder.read(name, MAX_JSON_BYTES).ok();
    let there: Value = there.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let is_current =
        file.as_object().is_some_and(|file| file.iter().all(|(name, value)| there.get(name) == Some(value)));
    if is_current { Ok(()) } else { write_json(&folder, name, file) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::fs;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::asset::Kind;

    fn add(code: &str, path: &str) -> WorldChange {
        let (code, path, content) = (code.to_owned(), path.to_owned(), vec![0, 255].into());
        WorldChange::Add { kind: Kind::Icon, code, path, content, added: Some(Timestamp::UNIX_EPOCH) }
    }

    fn codes(world: &World) -> Vec<String> {
        world.rows(Kind::Icon).map(|row| row.code.clone()).collect()
    }

    #[test]
    fn a_torn_end_of_any_length_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let (mut store, identity, _) = Store::open(folder.path()).unwrap();
        store.append(&[add("a", "/1"), WorldChange::Orphan]).unwrap();
        drop(store);
        let whole = fs::read(&path).unwrap();
        let torn = text(&[add("b", "/2")]).unwrap();
        for length in 0..torn.len() {
            fs::write(&path, [whole.as_slice(), torn.get(..length).unwrap()].concat()).unwrap();
            let (mut store, again, world) = Store::open(folder.path()).unwrap();
            assert_eq!((codes(&world), world.orphans, again.id), (vec!["a".to_owned()], 1, identity.id.clone()));
            store.append(&[add("c", "/3")]).unwrap();
            drop(store);
            let (_, _, world) = Store::open(folder.path()).unwrap();
            assert_eq!(codes(&world), ["a", "c"], "with {length} bytes of a torn line");
        }
    }

    #[test]
    fn an_entry_keeps_the_time_of_its_adding_and_an_older_log_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, _, _) = Store::open(folder.path()).unwrap();
        store.append(&[add("a", "/1")]).unwrap();
        drop(store);
        let path = folder.path().join("log.jsonl");
        let log = fs::read_to_string(&path).unwrap();
        let older =
            log.replace("\"a\"", "\"b\"").replace("/1", "/2").replace(",\"added\":\"1970-01-01T00:00:00Z\"", "");
        assert!(!older.contains("added"), "{older}");
        fs::write(&path, log + &older).unwrap();
        let (_, _, world) = Store::open(folder.path()).unwrap();
        let added: Vec<_> = world.rows(Kind::Icon).map(|row| row.added).collect();
        assert_eq!(added, [Some(Timestamp::UNIX_EPOCH), None]);
    }

    #[test]
    fn a_long_history_is_rewritten_to_what_is_left_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, _, _) = Store::open(folder.path()).unwrap();
        store.append(&[add("kept", "/0"), WorldChange::System { kind: Kind::Icon, code: "new".to_owned() }]).unwrap();
        for _ in 0..100 {
            store
                .append(&[add("gone", "/1"), WorldChange::Delete { kind: Kind::Icon, code: "GONE".to_owned() }])
                .unwrap();
        }
        drop(store);
        for _ in 0..2 {
            let (_, _, world) = Store::open(folder.path()).unwrap();
            assert_eq!(codes(&world), ["kept"]);
            assert_eq!(fs::read(folder.path().join("log.jsonl")).unwrap(), text(&world.changes()).unwrap());
        }
    }

    #[test]
    fn a_folder_of_an_older_version_gets_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let old = r#"{"id":"abc","administrator_secret":"one","user_secret":"two"}"#;
        fs::write(folder.path().join("portal.json"), old).unwrap();
        let open = || Store::open(folder.path()).unwrap().1;
        let identity = open();
        assert_eq!((identity.id.as_str(), identity.administrator_secret.as_str()), ("abc", "one"));
        assert!(!identity.scopeless_secret.is_empty() && !identity.member_id.is_empty());
        assert_eq!(identity.apps.len(), 2);
        assert_eq!(open(), identity, "made once");
        fs::write(folder.path().join("portal.json"), "{}").unwrap();
        assert!(matches!(Store::open(folder.path()), Err(SandboxError::Damaged { .. })));
    }

    #[test]
    fn a_folder_has_one_user_and_a_damaged_log_is_no_empty_portal() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _, _) = Store::open(folder.path()).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(SandboxError::InUse { .. })));
        drop(store);
        for foreign in ["{}\n", "my notes", "{\"op\":\"orphan\"} and more"] {
            fs::write(folder.path().join("log.jsonl"), foreign).unwrap();
            assert!(matches!(Store::open(folder.path()), Err(SandboxError::Damaged { line: 1, .. })), "{foreign}");
            assert_eq!(fs::read_to_string(folder.path().join("log.jsonl")).unwrap(), foreign);
        }
    }
}
