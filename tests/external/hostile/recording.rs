//! What a process and all that it starts ask of the system, recorded by strace: programs, files, connections.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The calls that start a program, open, make, change or remove a file, or reach another process. Some do not exist on every
/// machine.
const CALLS: &str = "execve,execveat,?open,openat,openat2,?creat,?rename,renameat,renameat2,?unlink,unlinkat,?rmdir,?mkdir,mkdirat,\
    ?mknod,mknodat,?symlink,symlinkat,?link,linkat,truncate,ftruncate,?chmod,fchmod,fchmodat,?chown,?lchown,fchown,fchownat,\
    ?utime,?utimes,?futimesat,utimensat,setxattr,lsetxattr,fsetxattr,mount,connect,bind,chdir";

/// How long a command may take, in seconds: nothing that is committed makes one hang.
const TIMEOUT: &str = "90";

/// One call, as strace prints it.
#[derive(Debug)]
struct Call {
    name: String,
    /// The arguments, each decoded where it is a text; a NUL is between the items of a list.
    arguments: Vec<String>,
    /// What it gave back: for an open file, its number and `<` its path `>`.
    result: String,
}

/// What a command printed, and what it and the processes that it started did.
pub(super) struct Recording {
    pub(super) output: Output,
    /// The calls of each process and thread, in their order.
    processes: Vec<Vec<Call>>,
    /// Where it ran.
    folder: PathBuf,
}

/// Runs a command below strace, in an environment and a folder that it already has.
pub(super) fn record(program: &Command) -> Recording {
    let traces = tempfile::tempdir().unwrap();
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", TIMEOUT, "strace", "-ff", "-qq", "-y", "-s", "65535", "-e"]);
    command.arg(format!("trace={CALLS}")).args(["-e", "signal=none", "-o"]).arg(traces.path().join("trace"));
    command.arg("--").arg(program.get_program()).args(program.get_args());
    let folder = program.get_current_dir().unwrap().to_owned();
    command.current_dir(&folder).env_clear().stdin(std::process::Stdio::null());
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap_or_else(|error| panic!("timeout, of coreutils, is needed: {error}"));
    let mut processes = Vec::new();
    for trace in fs::read_dir(traces.path()).unwrap() {
        let text = fs::read(trace.unwrap().path()).unwrap();
        processes.push(String::from_utf8_lossy(&text).lines().filter_map(call).collect());
    }
    assert!(!processes.is_empty(), "strace is needed, and to be allowed to trace: {output:?}");
    Recording { output, processes, folder }
}

/// `openat(AT_FDCWD</top>, "name", O_RDONLY) = 3</top/name>`
fn call(line: &str) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    if !name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_') {
        return None;
    }
    let (mut arguments, mut argument, mut depth) = (Vec::new(), String::new(), 0_u32);
    let mut letters = rest.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => argument.push_str(&text(&mut letters)),
            '<' => {
                let path: String =
                    letters.by_ref().map(|(_, letter)| letter).take_while(|letter| *letter != '>').collect();
                argument.extend(["<", &unescaped(&path), ">"]);
            }
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                arguments.push(argument.trim_start().to_owned());
                let result = rest.get(at + 1..)?.trim_start().strip_prefix("= ").unwrap_or("?");
                return Some(Call { name: name.to_owned(), arguments, result: unescaped(result) });
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => arguments.push(std::mem::take(&mut argument).trim_start().to_owned()),
            ',' => argument.push('\0'),
            _ => argument.push(letter),
        }
    }
    // A process that was killed in the middle of a call.
    Some(Call { name: name.to_owned(), arguments: [arguments, vec![argument]].concat(), result: "?".to_owned() })
}

/// A text up to its closing quote, its escapes undone.
fn text(letters: &mut std::str::CharIndices<'_>) -> String {
    let mut raw = String::new();
    while let Some((_, letter)) = letters.next() {
        match letter {
            '"' => break,
            '\\' => {
                raw.push(letter);
                raw.extend(letters.next().map(|(_, escaped)| escaped));
            }
            _ => raw.push(letter),
        }
    }
    unescaped(&raw)
}

fn unescaped(raw: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), raw.as_bytes());
    while let Some((&letter, after)) = rest.split_first() {
        rest = after;
        if letter != b'\\' {
            bytes.push(letter);
            continue;
        }
        let digits = rest.iter().take(3).take_while(|digit| (b'0'..=b'7').contains(*digit)).count();
        if digits > 0 {
            let number = rest[..digits].iter().fold(0_u32, |sum, digit| sum * 8 + u32::from(digit - b'0'));
            bytes.push(u8::try_from(number).unwrap_or(b'?'));
            rest = &rest[digits..];
        } else if let Some((&escaped, after)) = rest.split_first() {
            bytes.push(match escaped {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'v' => 0x0b,
                b'f' => 0x0c,
                other => other,
            });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a command may do.
pub(super) struct Allowed<'a> {
    /// The program itself.
    pub(super) program: &'a Path,
    /// Whether a file may be written, made, renamed or removed at this place, which is named without links.
    pub(super) written: &'a dyn Fn(&Path, Opener) -> bool,
    /// Whether this file may be opened to be read.
    pub(super) read: &'a dyn Fn(&Path, Opener) -> bool,
}

/// Who opens a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    Program,
    Git,
}

/// The commands of Git that only look.
const GIT_COMMANDS: [&str; 6] = ["rev-parse", "ls-tree", "ls-files", "log", "diff-index", "cat-file"];

/// What has to stand before each of them, beside other settings: it leaves a repository nothing to run.
const GUARDS: [&str; 5] = [
    "--no-pager",
    "--no-replace-objects",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "safe.bareRepository=explicit",
];

impl Call {
    fn shown(&self) -> String {
        format!("{}({}) = {}", self.name, self.arguments.join(", ").replace('\0', ","), self.result)
    }
}

impl Recording {
    /// What was done that is not allowed, each with a call that did it.
    pub(super) fn violations(&self, allowed: &Allowed<'_>) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for calls in &self.processes {
            let (mut opener, mut folder) = (Opener::Program, self.folder.clone());
            for call in calls {
                if call.name == "chdir" && call.result == "0" {
                    folder.push(&call.arguments[0]);
                }
                if call.name == "execve" && call.result == "0" && is_git(Path::new(&call.arguments[0])) {
                    opener = Opener::Git;
                }
                if let Some(what) = judge(call, &folder, opener, allowed) {
                    found.entry(format!("{opener:?} {what}")).or_insert_with(|| call.shown());
                }
            }
        }
        found
    }

    /// How often Git was started.
    pub(super) fn questions(&self) -> usize {
        self.processes
            .iter()
            .flatten()
            .filter(|call| call.name == "execve" && call.arguments[0].ends_with("/git"))
            .count()
    }
}

/// What is wrong with a call that is made in a folder.
fn judge(call: &Call, folder: &Path, opener: Opener, allowed: &Allowed<'_>) -> Option<String> {
    let argument = |at: usize| call.arguments.get(at).map_or("", String::as_str);
    let at = |folder: usize, name: usize| place(&descriptor(argument(folder))?.join(argument(name)));
    let named = |name: usize| place(&folder.join(argument(name)));
    let changed = match &*call.name {
        "chdir" => return None,
        "execve" => return judge_start(argument(0), argument(1), allowed.program),
        "connect" | "bind" => {
            let is_here = argument(1).contains("AF_INET\0") && argument(1).contains("inet_addr127.0.0.1");
            // The C library asks its own cache for names.
            let is_cache = argument(1).contains("/nscd/socket");
            return (!is_here && !is_cache).then(|| "reaches somebody else".to_owned());
        }
        "open" | "openat" | "openat2" | "creat" => {
            let flags = if call.name == "open" { argument(1) } else { argument(2) };
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| flags.contains(flag));
            let opened = descriptor(&call.result);
            if !writes && call.name != "creat" {
                let read = opened.filter(|path| !(allowed.read)(path, opener))?;
                return Some(format!("reads {}", read.display()));
            }
            vec![opened.or_else(|| if call.name == "openat" { at(0, 1) } else { named(0) })]
        }
        "rename" | "link" => vec![named(0), named(1)],
        "renameat" | "renameat2" | "linkat" => vec![at(0, 1), at(2, 3)],
        "symlink" => vec![named(1)],
        "symlinkat" => vec![at(1, 2)],
        "mkdirat" | "mknodat" | "unlinkat" | "fchmodat" | "fchownat" | "utimensat" | "futimesat" => vec![at(0, 1)],
        "ftruncate" | "fchmod" | "fchown" | "fsetxattr" => vec![descriptor(argument(0))],
        "mkdir" | "mknod" | "unlink" | "rmdir" | "truncate" | "chmod" | "chown" | "lchown" | "utime" | "utimes"
        | "setxattr" | "lsetxattr" => vec![named(0)],
        other => return Some(format!("calls {other}")),
    };
    let forbidden = changed.into_iter().map(|path| path.unwrap_or_else(|| PathBuf::from("?")));
    let forbidden = forbidden.into_iter().find(|path| !(allowed.written)(path, opener))?;
    Some(format!("changes {}", forbidden.display()))
}

/// What is wrong with a program that is started: it has to be the one that is tested, or Git that only looks.
fn judge_start(program: &str, arguments: &str, tested: &Path) -> Option<String> {
    let program = Path::new(program);
    if program == tested {
        return None;
    }
    let words: Vec<&str> = arguments.split('\0').map(|word| word.strip_prefix(' ').unwrap_or(word)).collect();
    let mut rest = words.iter().skip(1).skip_while(|word| matches!(**word, "--no-pager" | "--no-replace-objects"));
    let command = loop {
        match rest.next() {
            Some(&"-c") => drop(rest.next()),
            other => break other.copied().unwrap_or_default(),
        }
    };
    if !is_git(program) || !GIT_COMMANDS.contains(&command) {
        return Some(format!("starts {} {command}", program.display()));
    }
    let missing = GUARDS.iter().find(|guard| !words.contains(guard))?;
    Some(format!("starts git {command} without {missing}"))
}

fn is_git(program: &Path) -> bool {
    program.is_absolute() && program.file_name().is_some_and(|name| name == "git")
}

/// The path of an open file: `3</a/path>`.
fn descriptor(text: &str) -> Option<PathBuf> {
    let (_, path) = text.split_once('<')?;
    Some(PathBuf::from(path.rsplit_once('>')?.0))
}

/// The place of a name once the links of its folder are followed.
fn place(path: &Path) -> Option<PathBuf> {
    let (folder, name) = (path.parent()?, path.file_name()?);
    let real =
        folder.ancestors().find_map(|above| Some((above.canonicalize().ok()?, folder.strip_prefix(above).ok()?)));
    let (real, rest) = real?;
    Some(real.join(rest).join(name))
}
