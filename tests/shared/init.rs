//! `brandctl init` run in a folder, and what it left there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The answers of the recipes in examples/ci.
pub(crate) const ANSWERS: [&str; 4] = ["--owns", "acme-*", "--portal", "acme.bitrix24.com"];

/// The two systems: how `--ci` calls them, their files, and the recipes that are published of these.
pub(crate) const SYSTEMS: [(&str, &str, &str); 2] =
    [("github", ".github/workflows/brandctl.yml", "github.yml"), ("gitlab", ".gitlab-ci.yml", "gitlab-ci.yml")];

/// The same for any other system, whose file is beside the manifest.
pub(crate) const SCRIPT: (&str, &str, &str) = ("shell", "brandctl-ci.sh", "brandctl-ci.sh");

/// An archive as a release has it, `brandctl-VERSION-TARGET.tar.gz`, and its sum. Its program starts the real one.
#[cfg(unix)]
pub(crate) fn archive(folder: &Path) -> (PathBuf, String) {
    use sha2::Digest as _;
    let name = concat!("brandctl-", env!("CARGO_PKG_VERSION"), "-x86_64-unknown-linux-gnu");
    let inside = folder.join(name);
    fs::create_dir_all(inside.join("man1")).unwrap();
    fs::write(inside.join("man1/brandctl.1"), "").unwrap();
    super::traps::script(&inside.join("brandctl"), &format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_brandctl")));
    let packed = folder.join(format!("{name}.tar.gz"));
    let status = command("tar", folder).arg("-czf").args([&packed, Path::new(name)]).status().unwrap();
    assert!(status.success());
    let sum = sha2::Sha256::digest(fs::read(&packed).unwrap());
    let sum = sum.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    fs::write(folder.join(format!("{name}.tar.gz.sha256")), format!("{sum}  {name}.tar.gz\n")).unwrap();
    fs::remove_dir_all(inside).unwrap();
    (packed, sum)
}

/// The program in `folder`, with nothing of the caller's environment.
pub(crate) fn brandctl(folder: &Path, arguments: &[&str]) -> Output {
    command(env!("CARGO_BIN_EXE_brandctl"), folder).args(arguments).output().unwrap()
}

/// Starts a repository, which must work.
#[track_caller]
pub(crate) fn init(folder: &Path, arguments: &[&str]) -> String {
    let output = brandctl(folder, &[&["init"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("HOME", folder).stdin(Stdio::null());
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

/// Git with nobody's settings.
#[track_caller]
pub(crate) fn git(folder: &Path, arguments: &[&str]) {
    let mut command = command("git", folder);
    for (name, value) in [("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")] {
        command.env(name, value);
    }
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"];
    let output = command.args(identity).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", stderr(&output));
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A YAML file as plain values.
pub(crate) fn yaml(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap();
    // As YAML 1.2 has it, where `off` is not a boolean.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(&text, options)
        .unwrap_or_else(|error| panic!("{}: {error}\n{text}", path.display()))
}

/// The files below a folder that are not Git's, sorted.
pub(crate) fn tree(folder: &Path) -> Vec<String> {
    walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.file_name() != ".git")
        .map(Result::unwrap)
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned())
        .collect()
}
