//! What `release/build` makes of the files of this checkout, twice: in two folders whose paths differ in length, as two
//! users would. The folders stay between runs of the tests, so that only what changed is compiled again.
//!
//! BRANDCTL_TEST_RELEASE=ONE:TWO names two folders that were built already, with SOURCE_DATE_EPOCH=1795342500: a pipeline can
//! build them on two machines, and test what it is going to publish.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The repository of these tests.
pub(super) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The time of the release that is built: 2026-11-22T10:15:00Z.
pub(super) const EPOCH: &str = "1795342500";

pub(super) const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The two folders with what was built.
pub(super) struct Built {
    pub(super) first: PathBuf,
    pub(super) second: PathBuf,
}

impl Built {
    /// The one file whose name ends in this way.
    pub(super) fn file(&self, ending: &str) -> PathBuf {
        let mut names = files(&self.first).into_iter().filter(|name| name.ends_with(ending));
        let name = names.next().unwrap_or_else(|| panic!("nothing ends in {ending}"));
        assert_eq!(names.next(), None, "{ending}");
        self.first.join(name)
    }
}

/// A folder that stays between runs of the tests.
pub(super) fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("release").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The names of the files in a folder, sorted.
pub(super) fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A command with the caller's toolchain, certificates and proxies, but without what cargo sets for its tests: with that,
/// everything would be compiled again.
pub(super) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let cargo = text.starts_with("CARGO") && text != "CARGO_HOME" || text.starts_with("RUSTFLAGS");
        if cargo || text == "LD_LIBRARY_PATH" || text == "SOURCE_DATE_EPOCH" || text.starts_with("BRANDCTL") {
            command.env_remove(&name);
        }
    }
    command.stdin(Stdio::null());
    command
}

#[track_caller]
pub(super) fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

/// Makes `to` hold the files of this checkout, committed or not, and touches only what differs.
pub(super) fn mirror(to: &Path) {
    let listed = succeeds(Command::new("git").current_dir(ROOT).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]));
    let wanted: BTreeSet<_> =
        listed.split('\0').filter(|name| !name.is_empty() && Path::new(ROOT).join(name).is_file()).collect();
    for name in &wanted {
        let (source, copy) = (Path::new(ROOT).join(name), to.join(name));
        if fs::read(&source).unwrap() != fs::read(&copy).unwrap_or_default() || !copy.exists() {
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(&source, &copy).unwrap();
        }
    }
    let walk = walkdir::WalkDir::new(to).into_iter().filter_entry(|entry| entry.path() != to.join("target"));
    for entry in walk.map(Result::unwrap).filter(|entry| entry.file_type().is_file()) {
        if !wanted.contains(entry.path().strip_prefix(to).unwrap().to_str().unwrap()) {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}

/// The tools of release/build, which both builds share.
fn tools() -> OsString {
    kept("tools").into_os_string()
}

pub(super) fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Ok(folders) = std::env::var("BRANDCTL_TEST_RELEASE") {
            let (first, second) = folders.split_once(':').unwrap();
            return Built { first: first.into(), second: second.into() };
        }
        let folders = [kept("one"), kept("another/folder/with/a/longer/path")];
        let outputs = folders.each_ref().map(|folder| folder.with_extension("out"));
        folders.iter().for_each(|folder| mirror(folder));
        // The one has its time from `git archive`, the other from the environment, where much else differs too.
        fs::write(folders[0].join("release/commit-time"), format!("{EPOCH}\n")).unwrap();
        for output in outputs.iter().filter(|output| output.exists()) {
            fs::remove_dir_all(output).unwrap();
        }
        let mut one = command(folders[0].join("release/build"));
        one.arg(&outputs[0]);
        let mut other = command("sh");
        other.args(["-c", "umask 077; exec release/build \"$0\""]).arg(&outputs[1]).current_dir(&folders[1]);
        other.envs([("SOURCE_DATE_EPOCH", EPOCH), ("TZ", "Asia/Kathmandu"), ("LC_ALL", "C.UTF-8")]);
        // Nothing of these may reach the binary.
        other.envs([("RUSTFLAGS", "-C debuginfo=2"), ("CARGO_PROFILE_DIST_OPT_LEVEL", "0"), ("USER", "another")]);
        std::thread::scope(|scope| {
            let builds =
                [one, other].map(|mut build| scope.spawn(move || succeeds(build.env("BRANDCTL_TOOLS", tools()))));
            builds.into_iter().for_each(|build| drop(build.join().unwrap()));
        });
        let [first, second] = outputs;
        Built { first, second }
    })
}
