//! Running Git, so that nothing but the folder decides what it answers.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::finding::Problem;
use crate::ops::ports::NoHistory;

/// The time that one process may take: a hung disk must not hold a plan up.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The most that is read of its output, in bytes: the log of a million commits.
const MAX_OUTPUT_BYTES: u64 = 512 * 1024 * 1024;

/// The variables that Git sets for its hooks and other programs to name a repository, and those that would change its
/// answers. The manifest's folder names the repository here.
const REMOVED_VARIABLES: [&str; 25] = [
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

/// Git in `folder`, which neither the environment nor settings influence.
pub(super) fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["--no-pager", "--no-replace-objects", "-c", "core.fsmonitor=false"]);
    for name in REMOVED_VARIABLES {
        command.env_remove(name);
    }
    // What a partial clone lacks is not fetched: older versions do not know the first variable, but are left no protocol.
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none").env("GIT_TERMINAL_PROMPT", "0");
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The output of Git, or the reason for none.
pub(super) fn output<I: IntoIterator<Item: AsRef<OsStr>>>(folder: &Path, arguments: I) -> Result<Vec<u8>, NoHistory> {
    let mut child = git(folder).args(arguments).spawn().map_err(|error| not_started(&error))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (printed, arrives) = mpsc::channel();
    // A thread of its own: a process that Git started may hold the pipe longer than Git lives.
    std::thread::spawn(move || {
        let complaint = std::thread::spawn(|| read(err, 64 * 1024));
        let text = read(out, MAX_OUTPUT_BYTES);
        // It does not matter where nobody waits any more.
        let _ = printed.send((text, complaint.join().unwrap_or_default()));
    });
    let Ok((text, complaint)) = arrives.recv_timeout(TIMEOUT) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(NoHistory::Unreadable(Problem::new(format!("git gave no answer within {} s", TIMEOUT.as_secs()))));
    };
    let ended = child.wait();
    if text.len() as u64 == MAX_OUTPUT_BYTES {
        Err(NoHistory::Unreadable(Problem::new("the history is too long to be read")))
    } else if ended.is_ok_and(|status| status.success()) {
        Ok(text)
    } else {
        Err(refusal(&String::from_utf8_lossy(&complaint)))
    }
}

/// The output of a pipe, up to `max_bytes`.
fn read(pipe: Option<impl std::io::Read>, max_bytes: u64) -> Vec<u8> {
    let mut text = Vec::new();
    // After an error the process has not succeeded either, which decides.
    let _ = pipe.map(|pipe| pipe.take(max_bytes).read_to_end(&mut text));
    text
}

/// Does `work` with the pipes of a process, which is killed when that takes too long.
pub(super) fn watched<T>(process: &Arc<Mutex<Child>>, work: impl FnOnce() -> T) -> T {
    let (working, done) = mpsc::channel::<()>();
    let victim = Arc::clone(process);
    std::thread::spawn(move || {
        if done.recv_timeout(TIMEOUT) == Err(mpsc::RecvTimeoutError::Timeout) {
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
        _ => NoHistory::Unreadable(Problem::new(format!("git cannot be run: {error}"))),
    }
}

/// The meaning of Git's complaint.
fn refusal(complaint: &str) -> NoHistory {
    if complaint.contains("not a git repository") {
        NoHistory::Outside("the manifest is in no Git repository".to_owned())
    } else if complaint.contains("dubious ownership") || complaint.contains("unsafe repository") {
        let help = "if you trust it: `git config --global --add safe.directory` with its path";
        let message = "Git refuses the repository, because it belongs to another user";
        NoHistory::Unreadable(Problem::new(message).help(help))
    } else if complaint.contains("does not have any commits") || complaint.contains("bad revision 'HEAD'") {
        NoHistory::Outside("the repository has no commit yet".to_owned())
    } else {
        let line = complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason");
        let message = format!("the history cannot be read: {}", line.trim_start_matches("fatal: "));
        NoHistory::Unreadable(Problem::new(message))
    }
}
