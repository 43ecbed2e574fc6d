//! What Git knows of a branding repository: where it stands, and its past.
//!
//! Git is run, never linked: one process says where the folder is, one prints the log of all files, and one the contents that
//! must be compared, if any; never one a file. Of a folder below the repository's root one more tells whether it was moved
//! there. Nothing of the user's or the repository's settings may change what these say, run anything, or reach the network.

mod blobs;
mod log;

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::files::place::folder_of;
use crate::domain::origin::past::{ObjectId, Past};
use crate::ops::ports::{Blobs, History, NoHistory};
use blobs::BlobReader;

/// How long one process may take: a hung disk must not hold a plan up.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most that is read of a log, in bytes: a million commits.
const LONGEST_LOG: u64 = 512 * 1024 * 1024;

/// What Git hands to its hooks and other programs to name a repository, and what would change its answers. The manifest's
/// folder names the repository here.
const MISLEADING: [&str; 25] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIFF_OPTS",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE_PACKET",
    "GIT_WORK_TREE",
];

/// The commit that `folder` is at, with a `+` when files in it may differ from that commit; `None` outside Git or without
/// it. `git status` would say so more exactly, but runs the filters that are set for every touched file.
pub(crate) fn commit(folder: &Path) -> Option<String> {
    const DIFFERING: [&[&str]; 3] = [
        &["diff-index", "--cached", "--name-only", "--ignore-submodules=all", "HEAD", "--", "."],
        &["diff-files", "--name-only", "--ignore-submodules=all", "--", "."],
        &["ls-files", "--others", "--exclude-standard", "--", "."],
    ];
    let commit = said(folder, ["rev-parse", "HEAD"]).ok()?;
    let differs = DIFFERING.iter().any(|list| said(folder, *list).map_or(true, |files| !files.is_empty()));
    let mark = if differs { "+" } else { "" };
    Some(format!("{}{mark}", String::from_utf8_lossy(&commit).trim()))
}

/// The history of the repository that a manifest is in.
#[derive(Debug)]
pub(crate) struct Git {
    manifest: PathBuf,
    reader: RefCell<Option<BlobReader>>,
}

impl Git {
    /// Of the manifest at `manifest`. Nothing is run yet.
    pub(crate) fn of(manifest: &Path) -> Self {
        Self { manifest: manifest.to_owned(), reader: RefCell::new(None) }
    }

    fn folder(&self) -> &Path {
        folder_of(&self.manifest)
    }
}

impl History for Git {
    fn past(&self) -> Result<Past, NoHistory> {
        log::past(self.folder(), &self.manifest)
    }

    fn blobs(&self, ids: &[ObjectId]) -> Blobs {
        if ids.is_empty() {
            return Blobs::new();
        }
        let mut reader = self.reader.borrow_mut();
        if reader.is_none() {
            *reader = BlobReader::start(self.folder());
        }
        reader.as_mut().map(|reader| reader.read(ids)).unwrap_or_default()
    }
}

/// Git in `folder`, unimpressed by the environment and by settings.
fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["--no-pager", "--no-replace-objects", "-c", "core.fsmonitor=false"]);
    for name in MISLEADING {
        command.env_remove(name);
    }
    // What a partial clone lacks stays away: older versions know the first variable not, but no protocol either.
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none").env("GIT_TERMINAL_PROMPT", "0");
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What Git prints, or why it did not.
fn said<I: IntoIterator<Item: AsRef<OsStr>>>(folder: &Path, arguments: I) -> Result<Vec<u8>, NoHistory> {
    let mut child = git(folder).args(arguments).spawn().map_err(|error| not_started(&error))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (printed, arrives) = mpsc::channel();
    // A thread of its own: whatever Git started may hold the pipe longer than Git lives.
    std::thread::spawn(move || {
        let complaint = std::thread::spawn(|| read(err, 64 * 1024));
        let text = read(out, LONGEST_LOG);
        // Where nobody waits any more, it does not matter.
        let _ = printed.send((text, complaint.join().unwrap_or_default()));
    });
    let Ok((text, complaint)) = arrives.recv_timeout(PATIENCE) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(NoHistory::unreadable(&format!("git gave no answer within {} s", PATIENCE.as_secs()), None));
    };
    let ended = child.wait();
    if text.len() as u64 == LONGEST_LOG {
        Err(NoHistory::unreadable("the history is too long to be read", None))
    } else if ended.is_ok_and(|status| status.success()) {
        Ok(text)
    } else {
        Err(refusal(&String::from_utf8_lossy(&complaint)))
    }
}

/// What comes out of a pipe, up to so many bytes.
fn read(pipe: Option<impl std::io::Read>, most: u64) -> Vec<u8> {
    let mut text = Vec::new();
    // What could be read before an error is too little, and the process did not succeed.
    let _ = pipe.map(|pipe| pipe.take(most).read_to_end(&mut text));
    text
}

/// Does `work` with the pipes of a process, which is killed when that takes too long.
fn watched<T>(process: &Arc<Mutex<Child>>, work: impl FnOnce() -> T) -> T {
    let (working, done) = mpsc::channel::<()>();
    let victim = Arc::clone(process);
    std::thread::spawn(move || {
        if done.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = victim.lock().unwrap_or_else(PoisonError::into_inner).kill();
        }
    });
    let result = work();
    drop(working);
    result
}

fn not_started(error: &std::io::Error) -> NoHistory {
    match error.kind() {
        std::io::ErrorKind::NotFound => NoHistory::Outside("git is not installed".to_owned()),
        _ => NoHistory::unreadable(&format!("git cannot be run: {error}"), None),
    }
}

/// What Git's complaint means.
fn refusal(complaint: &str) -> NoHistory {
    if complaint.contains("not a git repository") {
        NoHistory::Outside("the manifest is in no Git repository".to_owned())
    } else if complaint.contains("dubious ownership") || complaint.contains("unsafe repository") {
        let help = "if you trust it: `git config --global --add safe.directory` with its path";
        NoHistory::unreadable("Git refuses the repository, because it belongs to another user", Some(help))
    } else if complaint.contains("does not have any commits") || complaint.contains("bad revision 'HEAD'") {
        NoHistory::Outside("the repository has no commit yet".to_owned())
    } else {
        let line = complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason");
        NoHistory::unreadable(&format!("the history cannot be read: {}", line.trim_start_matches("fatal: ")), None)
    }
}

/// A file's path below the repository's root, as a pathspec that means nothing but itself.
fn literally(path: &str) -> OsString {
    format!(":(top,literal){path}").into()
}
