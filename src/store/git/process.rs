//! Runs Git so that its answers depend only on the checkout's data, and no program that a repository configures is run.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::super::root::Checkout;
use crate::domain::finding::Problem;
use crate::ops::ports::NoHistory;

/// The time that one process may take, so that a hung disk cannot block a plan.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The most that is read of its output, in bytes: the log of half a million commits.
const MAX_OUTPUT_BYTES: u64 = 256 * 1024 * 1024;

/// The caller's environment variables that Git gets. All others are withheld: the credentials, and every `GIT_…` that
/// names a repository or a program, or changes an answer. The manifest's folder decides which repository it is.
#[cfg(not(windows))]
const PASSED_VARIABLES: [&str; 2] = ["HOME", "XDG_CONFIG_HOME"];
/// On Windows, programs find their libraries by SYSTEMROOT.
#[cfg(windows)]
const PASSED_VARIABLES: [&str; 4] = ["HOME", "XDG_CONFIG_HOME", "USERPROFILE", "SYSTEMROOT"];

/// The variables that are set for it.
const VARIABLES: [(&str, &str); 8] = [
    // Its error messages are read.
    ("LC_ALL", "C"),
    // Objects that a partial clone lacks are not fetched. Older versions do not know the first variable, but have no
    // protocol to fetch with.
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_TERMINAL_PROMPT", "0"),
    // The index is not written.
    ("GIT_OPTIONAL_LOCKS", "0"),
    // A path is only a path, not a pattern.
    ("GIT_LITERAL_PATHSPECS", "1"),
    // Replacements for the parents of commits.
    ("GIT_GRAFT_FILE", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
];

/// The settings that a repository could use to run a program, or to make Git read another repository. Settings on the
/// command line override those of every file.
const SETTINGS: [&str; 10] = [
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "core.alternateRefsCommand=true",
    "protocol.allow=never",
    "credential.helper=",
    "core.sshCommand=false",
    "log.showSignature=false",
    "log.mailmap=false",
];

/// A Git command in a checkout. Git finds the repository itself, so that it also checks the owner (`safe.directory`),
/// but only at the checkout's top. The checkout is always the work tree, even if the repository's settings name another
/// one.
pub(super) fn git(checkout: &Checkout) -> Command {
    let top = checkout.top();
    let mut command = Command::new("git");
    command.env_clear();
    for name in PASSED_VARIABLES {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("PATH", absolute_folders(&std::env::var_os("PATH").unwrap_or_default()));
    command.envs(VARIABLES).env("GIT_WORK_TREE", top);
    command.env("GIT_CEILING_DIRECTORIES", top.parent().unwrap_or(top));
    command.current_dir(top).args(["--no-pager", "--no-replace-objects"]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The absolute folders of a search path: a relative one would be searched in the checkout.
fn absolute_folders(path: &OsStr) -> OsString {
    let folders: Vec<PathBuf> = std::env::split_paths(path).filter(|folder| folder.is_absolute()).collect();
    std::env::join_paths(folders).unwrap_or_default()
}

/// The output of Git, or the reason why there is none.
pub(super) fn output<I: IntoIterator<Item: AsRef<OsStr>>>(
    checkout: &Checkout,
    arguments: I,
) -> Result<Vec<u8>, NoHistory> {
    let mut command = git(checkout);
    command.args(arguments);
    run(command)
}

/// The checkouts in which Git timed out. It is not run there again, because each command would take the same time.
static SILENT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Whether Git timed out in a command's folder before.
pub(super) fn is_silent(command: &Command) -> bool {
    let silent = SILENT.lock().unwrap_or_else(PoisonError::into_inner);
    command.get_current_dir().is_some_and(|folder| silent.contains(folder))
}

fn no_answer() -> NoHistory {
    NoHistory::Unreadable(Problem::new(format!("git did not answer within {} s", TIMEOUT.as_secs())))
}

/// The output of a command that [`git`] made, or the reason why there is none.
pub(super) fn run(mut command: Command) -> Result<Vec<u8>, NoHistory> {
    if is_silent(&command) {
        return Err(no_answer());
    }
    let mut child = command.spawn().map_err(|error| not_started(&error))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (printed, arrives) = mpsc::channel();
    // It needs its own thread: a process that Git started may keep the pipe open after Git has ended.
    let complaining = thread::Builder::new().spawn(|| read(err, 64 * 1024));
    let reading = complaining.and_then(|complaint| {
        thread::Builder::new().spawn(move || {
            let text = read(out, MAX_OUTPUT_BYTES);
            // It does not matter if no one waits any longer.
            let _ = printed.send((text, complaint.join().unwrap_or_default()));
        })
    });
    if let Err(error) = reading {
        let _ = child.kill();
        let _ = child.wait();
        return Err(not_started(&error));
    }
    let Ok((text, complaint)) = arrives.recv_timeout(TIMEOUT) else {
        let _ = child.kill();
        let _ = child.wait();
        SILENT.lock().unwrap_or_else(PoisonError::into_inner).extend(command.get_current_dir().map(Path::to_owned));
        return Err(no_answer());
    };
    // It may still print more than is read.
    if text.len() as u64 == MAX_OUTPUT_BYTES {
        let _ = child.kill();
        let _ = child.wait();
        return Err(NoHistory::Unreadable(Problem::new("the history is too long to be read")));
    }
    if child.wait().is_ok_and(|status| status.success()) {
        Ok(text)
    } else {
        Err(refusal(&String::from_utf8_lossy(&complaint)))
    }
}

/// Checks that Git uses the repository by which the checkout was found, and returns whether its history is cut off.
pub(super) fn is_shallow(checkout: &Checkout) -> Result<bool, NoHistory> {
    let facts = output(checkout, ["rev-parse", "--is-shallow-repository", "--absolute-git-dir"])?;
    let facts = String::from_utf8_lossy(&facts);
    let (shallow, folder) = facts.split_once('\n').unwrap_or((&facts, ""));
    let folder = folder.strip_suffix('\n').unwrap_or(folder);
    if checkout.has_git_dir(Path::new(folder)) {
        Ok(shallow == "true")
    } else {
        Err(NoHistory::Unreadable(Problem::new("Git finds a repository other than the one around the manifest")))
    }
}

/// The output of a pipe, up to `max_bytes`.
fn read(pipe: Option<impl std::io::Read>, max_bytes: u64) -> Vec<u8> {
    let mut text = Vec::new();
    // After an error the process fails too, and its exit code decides.
    let _ = pipe.map(|pipe| pipe.take(max_bytes).read_to_end(&mut text));
    text
}

/// Does `work` with the pipes of a process, which is killed when that takes too long.
pub(super) fn watched<T>(process: &Arc<Mutex<Child>>, work: impl FnOnce() -> T) -> T {
    let (working, done) = mpsc::channel::<()>();
    let victim = Arc::clone(process);
    // Without the thread, a hung process is waited for.
    let _ = thread::Builder::new().spawn(move || {
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

/// The meaning of Git's error message.
fn refusal(complaint: &str) -> NoHistory {
    if complaint.contains("not a git repository") {
        NoHistory::Unreadable(Problem::new("Git does not recognise its folder as a repository: it is damaged"))
    } else if complaint.contains("dubious ownership") || complaint.contains("unsafe repository") {
        let help = "if you trust it, run `git config --global --add safe.directory` with its path";
        let message = "Git refuses the repository, because it belongs to another user";
        NoHistory::Unreadable(Problem::new(message).help(help))
    } else if complaint.contains("does not have any commits") || complaint.contains("bad revision 'HEAD'") {
        NoHistory::Outside("the repository has no commit yet".to_owned())
    } else {
        let known = COMPLAINTS.iter().find(|(part, _)| complaint.contains(part));
        let what = known.map_or("Git does not accept the content of its folder", |(_, what)| what);
        let help = "run `git fsck` in the repository to find the cause";
        NoHistory::Unreadable(Problem::new(format!("the history cannot be read: {what}")).help(help))
    }
}

/// The meaning of Git's error messages, by a part of the message; the first match counts. The message itself is not
/// quoted: it may contain a line of a file, and a repository can make any file of the machine stand in for one of its
/// own.
const COMPLAINTS: [(&str, &str); 6] = [
    ("promisor", "this partial clone lacks part of it"),
    ("config", "Git does not accept the repository's settings"),
    ("branch appears to be broken", "the current branch is damaged"),
    ("index file", "the index is damaged"),
    ("shallow", "the list of a shallow clone's last commits is damaged"),
    ("object", "an object is missing or damaged"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_gets_no_variable_of_the_caller_but_those_that_are_listed() {
        let command = git(&Checkout::new("/top".into(), "/top/.git".into()));
        let mut names: Vec<_> = command.get_envs().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| !PASSED_VARIABLES.contains(&name.as_str()));
        let mut expected: Vec<_> = VARIABLES.iter().map(|(name, _)| (*name).to_owned()).collect();
        expected.extend(["GIT_CEILING_DIRECTORIES", "GIT_WORK_TREE", "PATH"].map(str::to_owned));
        expected.sort();
        assert_eq!(names, expected);
    }

    #[test]
    fn programs_are_looked_for_in_folders_that_are_named_in_full() {
        assert_eq!(absolute_folders(OsStr::new("bin::.:/usr/bin:../x:/bin")), "/usr/bin:/bin");
    }
}
