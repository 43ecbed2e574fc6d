//! A hostile checkout: one repository with every trick at once. Every command is run in it below strace, and does nothing to what
//! lies outside, reads nothing of it, and starts no program but Git that only looks.

mod recording;
mod tricks;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use brandctl::sandbox::{Options, start};

use recording::{Allowed, Recording, record};
use tricks::{Hostile, SECRET};

const PROGRAM: &str = env!("CARGO_BIN_EXE_brandctl");

/// How many commands run at a time.
const WORKERS: usize = 6;

/// Every command, with what a pipeline would give it; WANTED is a folder outside of the checkout, RUN the id of a run.
const LINES: [&str; 63] = [
    "validate",
    "validate --format sarif --report report.html",
    "validate --format github --report WANTED/checks.sarif icons/acme-call.png",
    "validate ../.git/config plan.json",
    "plan",
    "plan -v --format json",
    "plan --refresh --check-usage --detailed-exitcode",
    "plan -o plan.json",
    "plan -o out/plan.json",
    "plan --report plan.md",
    "plan --report out/report.md",
    "plan --report dangling.md",
    "plan -o WANTED/ID.json --report WANTED/ID.html --report WANTED/ID.md",
    "plan --against exported",
    "plan --against out",
    "plan --state-dir out/state",
    "plan --state-dir WANTED/state --format diff --preview",
    "plan --root .. --only acme-call",
    "plan --sandbox",
    "plan --sandbox=data",
    "apply --yes --settle 0.1",
    "apply --yes --settle 0.1 --report apply.json",
    "apply --yes --settle 0.1 --sandbox=WANTED/sandbox-ID",
    "apply --yes --settle 0.1 --sandbox",
    "apply --yes --settle 0.1 --allow-incomplete-checkout --allow-unbacked --max-deletes 9",
    "apply plan.json --settle 0.1",
    "apply pipe.json --settle 0.1",
    "drift",
    "drift --only-portal --report xml=report.html",
    "drift --format json --state-dir WANTED/state",
    "list",
    "list --report report.html",
    "usage --entity deal:1 acme-call",
    "export out",
    "export new/deep",
    "export free --only acme-*",
    "export free --overwrite",
    "export WANTED/export-ID",
    "log list --entity deal:1",
    "log get 1",
    "log add --entity deal:1 --title x --text x --icon acme-call",
    "log delete 1",
    "doctor",
    "show plan.json",
    "show RUN",
    "show pipe.json",
    "show .brandctl",
    "show out",
    "show dangling.md",
    "history",
    "restore RUN --yes --settle 0.1",
    "restore plan.json --yes --settle 0.1",
    "restore .brandctl --yes --settle 0.1",
    "rules",
    "rules low-contrast",
    "sandbox --listen 127.0.0.1:0 --data data",
    "schema plan",
    "man plan",
    "man --all pages",
    "man --all free/pages",
    "init",
    "init . --owns acme-* --ci github",
    "init new --owns acme-* --ci gitlab",
];

/// What shells ask for at a Tab.
const QUESTIONS: [&str; 9] = [
    "",
    "plan --only ",
    "plan --only icon/acme-",
    "usage acme-",
    "show ",
    "restore ",
    "restore RUN icon/",
    "validate icons/",
    "-f ../manifest-yaml/brand.yaml plan --only ",
];

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

/// A command line in a folder.
struct Job {
    folder: PathBuf,
    words: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

impl Job {
    fn shown(&self) -> String {
        let asked = self.environment.first().map(|(_, shell)| format!("{shell} that asks ")).unwrap_or_default();
        format!("{asked}brandctl {} (in {})", self.words.join(" "), self.folder.file_name().unwrap().display())
    }
}

/// All command lines in all brands.
fn jobs(hostile: &Hostile) -> Vec<Job> {
    let wanted = hostile.wanted();
    let mut jobs: Vec<Job> = Vec::new();
    for folder in &hostile.brands {
        for line in LINES {
            let id = jobs.len();
            let line = line.replace("WANTED", wanted.to_str().unwrap()).replace("RUN", &hostile.run);
            let words = line.replace("ID", &id.to_string()).split(' ').map(str::to_owned).collect();
            jobs.push(Job { folder: folder.clone(), words, environment: Vec::new() });
        }
        for (number, question) in QUESTIONS.iter().enumerate() {
            let shell = SHELLS[number % SHELLS.len()];
            let question = question.replace("RUN", &hostile.run);
            let words: Vec<String> =
                ["--", "brandctl"].into_iter().chain(question.split(' ')).map(str::to_owned).collect();
            let environment = vec![
                ("BRANDCTL_COMPLETE", shell.to_owned()),
                ("_CLAP_COMPLETE_INDEX", (words.len() - 2).to_string()),
                ("_CLAP_COMPLETE_COMP_TYPE", "9".to_owned()),
                ("_CLAP_COMPLETE_SPACE", "true".to_owned()),
                ("_CLAP_IFS", "\n".to_owned()),
            ];
            jobs.push(Job { folder: folder.clone(), words, environment });
        }
    }
    for shell in SHELLS {
        let words = vec!["completions".to_owned(), shell.to_owned()];
        jobs.push(Job { folder: hostile.top(), words, environment: Vec::new() });
    }
    jobs
}

/// The program with these arguments, and nothing of the environment but a way to Git.
fn program(folder: &Path, home: &Path, webhook: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).env_clear().env("HOME", home).env("BITRIX24_WEBHOOK_URL", webhook).stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command
}

/// What each file, folder and link below a folder is, but for what may change.
fn tree(folder: &Path, may_change: &dyn Fn(&Path) -> bool) -> BTreeMap<PathBuf, String> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let described = entries.filter(|entry| !may_change(entry.path())).map(|entry| {
        let (path, facts) = (entry.path(), entry.metadata().unwrap());
        let content = if facts.is_symlink() {
            fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec()
        } else if facts.is_file() {
            fs::read(path).unwrap()
        } else {
            Vec::new()
        };
        let kind = facts.file_type();
        let kind = [kind.is_dir(), kind.is_symlink(), kind.is_file(), kind.is_fifo()];
        (path.to_owned(), format!("{kind:?} {:o} {}", facts.mode(), String::from_utf8_lossy(&content)))
    });
    described.collect()
}

/// What differs between two trees, a line each.
fn changed(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let paths = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
    let differing = paths.into_iter().filter(|path| before.get(*path) != after.get(*path));
    differing.map(|path| format!("{}: {:?} → {:?}", path.display(), before.get(path), after.get(path))).collect()
}

/// What is wrong with what a command did and printed.
fn judge(recording: &Recording, hostile: &Hostile, token: &str) -> BTreeMap<String, String> {
    let mut found = recording.violations(&Allowed {
        program: Path::new(PROGRAM),
        written: &|path, opener| hostile.may_be_written(path, opener),
        read: &|path, opener| hostile.may_be_read(path, opener),
    });
    let output = &recording.output;
    let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    let mut is_wrong = |what: &str, is: bool| drop(is.then(|| found.insert(what.to_owned(), text.clone())));
    is_wrong("Program shows what a file of the machine holds", text.contains(SECRET));
    is_wrong("Program shows its credentials", text.contains(token));
    is_wrong("Program draws an escape", text.contains('\u{1b}'));
    is_wrong("Program does not end well", !matches!(output.status.code(), Some(0..=5)));
    is_wrong("a trap was sprung, by this or another command", hostile.mark().exists());
    found
}

/// Runs all command lines, several at a time: what each did wrong, and how often Git was asked.
fn run_all(hostile: &Hostile, webhook: &str) -> (BTreeMap<String, Vec<String>>, usize) {
    let token = webhook.trim_end_matches('/').rsplit('/').next().unwrap();
    let (left, done) = (Mutex::new(jobs(hostile)), Mutex::new((BTreeMap::new(), 0)));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(job) = { left.lock().unwrap().pop() } {
                    let mut command = program(&job.folder, &hostile.wanted().join("home"), webhook);
                    command.args(&job.words).envs(job.environment.iter().map(|(name, value)| (name, value)));
                    let recording = record(&command);
                    let found = judge(&recording, hostile, token);
                    let (faults, questions) = &mut *done.lock().unwrap();
                    *questions += recording.questions();
                    for (what, call) in found {
                        faults.entry(what).or_insert_with(Vec::new).push(format!("{}: {call}", job.shown()));
                    }
                }
            });
        }
    });
    done.into_inner().unwrap()
}

#[test]
fn a_checkout_with_every_trick_at_once_reads_writes_and_runs_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut options = Options::new(data.path());
    options.limits = None;
    let portal = start(options).unwrap();
    let webhook = portal.admin_webhook();
    let hostile = Hostile::new(&portal.address().to_string(), |folder| {
        let mut command = program(folder, folder, &webhook);
        let output = command.args(["apply", "--yes", "--settle", "0.1"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    });
    let look = || (tree(&hostile.secrets(), &|_| false), tree(&hostile.top(), &|path| hostile.may_differ(path)));
    let (outside, inside) = look();
    let (faults, questions) = run_all(&hostile, &webhook);
    // Each once, with the command that did it first.
    let told = |(what, by): (&String, &Vec<String>)| format!("{what}\n    {} commands, such as {}\n", by.len(), by[0]);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.iter().map(told).collect::<String>());
    let (outside_now, inside_now) = look();
    assert_eq!(changed(&outside, &outside_now), [""; 0]);
    assert_eq!(changed(&inside, &inside_now), [""; 0]);
    assert!(questions > 100, "Git was hardly asked: its traps were not tried");
}

#[test]
fn the_recording_sees_what_a_trick_would_do() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().canonicalize().unwrap();
    for name in ["secrets", "checkout"] {
        fs::create_dir(top.join(name)).unwrap();
    }
    fs::write(top.join("secrets/file"), "x").unwrap();
    fs::write(top.join("checkout/file"), "x").unwrap();
    std::os::unix::fs::symlink("../secrets/file", top.join("checkout/link")).unwrap();
    std::os::unix::fs::symlink("../secrets", top.join("checkout/away")).unwrap();
    let programs = std::env::var_os("PATH").unwrap();
    let bash = std::env::split_paths(&programs).map(|path| path.join("bash")).find(|bash| bash.is_file()).unwrap();
    let allowed = Allowed {
        program: &bash,
        written: &|path, _| {
            path.starts_with(top.join("checkout")) || ["/dev/null", "/dev/tty"].iter().any(|it| path == Path::new(it))
        },
        read: &|path, _| !path.starts_with(top.join("secrets")),
    };
    let found = |script: &str| {
        let mut command = Command::new(&bash);
        command.args(["--norc", "-c", script]).current_dir(top.join("checkout")).env_clear();
        command.env("PATH", &programs);
        record(&command).violations(&allowed)
    };
    let is_seen = |script: &str, what: &str| {
        let found = found(script);
        assert!(found.keys().any(|found| found.contains(what)), "`{script}` is not seen: {found:?}");
    };
    let harmless = found("read x < file; echo y > new; cd /; : > /dev/null");
    assert!(harmless.is_empty(), "{harmless:?}");
    is_seen("read x < link", "reads");
    is_seen("read x < away/file", "reads");
    is_seen("echo y > link", "changes");
    is_seen("echo y >> away/other", "changes");
    is_seen("cd away; echo y > third", "changes");
    is_seen("mkdir away/folder", "changes");
    is_seen("mv file away/file", "changes");
    is_seen("ln -s x away/x", "changes");
    is_seen("chmod 777 away/other", "changes");
    is_seen("rm away/other", "changes");
    is_seen("touch file", "starts");
    is_seen("./nothing || ls", "starts");
    is_seen("git status", "starts");
    is_seen("git -c core.fsmonitor=false log", "starts");
    is_seen("exec 3<>/dev/tcp/127.0.0.2/1", "reaches");
}
