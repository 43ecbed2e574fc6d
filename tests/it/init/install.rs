//! The lines that install brandctl, run by `sh` and by bash, from archives on this machine. tests/external/init has the same
//! for downloads.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::shared::init::{archive, command, stderr};
use crate::shared::traps::script;

const INSTALL: &str = include_str!("../../../src/domain/init/install.sh");

/// A machine with a checkout, a folder for temporary files and a folder with an archive.
struct Machine {
    folder: tempfile::TempDir,
    archive: PathBuf,
    sum: String,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["checkout", "temp", "files"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let (archive, sum) = archive(&folder.path().join("files"));
        Self { folder, archive, sum }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Installs from `tool`, and prints where the program is.
    fn install(&self, shell: &str, tool: &str, path: &str) -> Output {
        let lines = format!("set -eu\n{INSTALL}\ncommand -v brandctl\n");
        let file = self.at("step.sh");
        fs::write(&file, lines).unwrap();
        let mut shell = command(shell, &self.at("checkout"));
        shell.arg(&file).env("PATH", path).env("TMPDIR", self.at("temp")).env("BRANDCTL_TOOL", tool);
        shell.env("WORKSPACE", self.at("checkout")).output().unwrap()
    }

    #[track_caller]
    fn installs(&self, tool: &str, path: &str) {
        for shell in ["sh", "bash"] {
            let output = self.install(shell, tool, path);
            assert!(output.status.success(), "{shell} {tool}: {}", stderr(&output));
            let said = String::from_utf8(output.stdout).unwrap();
            let lines: Vec<_> = said.lines().collect();
            assert_eq!(lines[0], concat!("brandctl ", env!("CARGO_PKG_VERSION")));
            assert_eq!(Path::new(lines[1]).starts_with(self.at("temp")), !tool.is_empty(), "{said}");
        }
    }

    #[track_caller]
    fn refuses(&self, tool: &str, path: &str, told: &str) {
        for shell in ["sh", "bash"] {
            let output = self.install(shell, tool, path);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{shell} {tool}: {said}");
            assert!(
                said.contains("error: brandctl is not installed: ") && said.contains(told),
                "{shell} {tool}: {said}"
            );
            assert_eq!(output.stdout, b"");
        }
    }
}

/// Programs of the system, without ours.
const SYSTEM: &str = "/usr/bin:/bin";

#[test]
fn an_archive_is_installed_if_it_has_its_sum() {
    let machine = Machine::new();
    let archive = machine.archive.display();
    machine.installs(&archive.to_string(), SYSTEM);
    machine.installs(&format!("{archive}#sha256={}", machine.sum), SYSTEM);
    machine.installs(&format!("{archive}#sha256={}", machine.sum.to_uppercase()), SYSTEM);
    // What is on PATH does not count.
    fs::create_dir(machine.at("bin")).unwrap();
    script(&machine.at("bin/brandctl"), "exit 1");
    machine.installs(&archive.to_string(), &format!("{}:{SYSTEM}", machine.at("bin").display()));
    // A step that follows finds it too.
    let said = machine.at("path");
    let mut bash = command("bash", &machine.at("checkout"));
    bash.args(["-ec", INSTALL]).env("BRANDCTL_TOOL", &machine.archive).env("GITHUB_PATH", &said);
    assert!(bash.env("RUNNER_TEMP", machine.at("temp")).output().unwrap().status.success());
    let added = fs::read_to_string(said).unwrap();
    assert!(Path::new(added.trim_end()).join("brandctl").is_file(), "{added}");
}

#[test]
fn only_its_own_old_folders_are_removed() {
    let machine = Machine::new();
    let ours = machine.at("temp/brandctl-install.0123456789");
    let theirs = [machine.at("temp/brandctl.backup"), machine.at("temp/brandctl-install.notes")];
    let link = machine.at("temp/brandctl-install.abcdefghij");
    for folder in [&ours, &theirs[0], &theirs[1], &machine.at("kept")] {
        fs::create_dir(folder).unwrap();
    }
    symlink(machine.at("kept"), &link).unwrap();
    let old = machine.at("temp/brandctl.tar.gz");
    fs::copy(&machine.archive, &old).unwrap();
    let mut touch = command("touch", &machine.at("temp"));
    touch.args(["-h", "-d", "3 days ago", "brandctl-install.0123456789", "brandctl.backup", "brandctl-install.notes"]);
    assert!(touch.args(["brandctl.tar.gz", "brandctl-install.abcdefghij"]).status().unwrap().success());
    machine.installs(&format!("{}#sha256={}", old.display(), machine.sum), SYSTEM);
    assert!(!ours.exists() && theirs.iter().all(|folder| folder.is_dir()));
    assert!(old.is_file() && machine.at("kept").is_dir());
}

#[test]
fn an_archive_that_is_not_what_was_expected_is_not_unpacked() {
    let machine = Machine::new();
    let archive = machine.archive.display().to_string();
    let other = "0".repeat(64);
    machine.refuses(&format!("{archive}#sha256={other}"), SYSTEM, &format!("does not have the SHA-256 sum {other}"));
    machine.refuses(&format!("{archive}#sha256=::error::x"), SYSTEM, "there is no SHA-256 sum of");
    // A sum that is misspelt is not the same as none.
    for misspelt in ["#", "#sha256=", "#sha265=00", "#sha512=00"] {
        machine.refuses(&format!("{archive}{misspelt}"), SYSTEM, "is not sha256=SUM");
    }
    machine.refuses(&format!("{archive}.gone.tar.gz"), SYSTEM, "cannot be read");
    let sum = PathBuf::from(format!("{archive}.sha256"));
    for text in ["", "<html>not found</html>", "\u{1b}[31m::add-mask::x"] {
        fs::write(&sum, text).unwrap();
        machine.refuses(&archive, SYSTEM, "there is no SHA-256 sum of");
    }
    fs::remove_file(&sum).unwrap();
    machine.refuses(&archive, SYSTEM, "cannot be read");
    // Cut: the sum shows it. Without a program in it: it is said.
    let whole = fs::read(&machine.archive).unwrap();
    fs::write(&machine.archive, &whole[..whole.len() / 2]).unwrap();
    machine.refuses(&format!("{archive}#sha256={}", machine.sum), SYSTEM, "does not have the SHA-256 sum");
}

/// A pinned archive is what runs, or nothing.
#[test]
fn an_archive_without_the_program_does_not_run_another_one() {
    let machine = Machine::new();
    script(&machine.at("files/brandctl"), "echo the machine has it");
    let path = format!("{}:{SYSTEM}", machine.at("files").display());
    let inside = machine.at("inside/x");
    for (name, mode) in [("README", 0o644), ("brandctl", 0o644), ("brandctl/x", 0o755)] {
        fs::create_dir_all(inside.join(name).parent().unwrap()).unwrap();
        fs::write(inside.join(name), "#!/bin/sh\n").unwrap();
        fs::set_permissions(inside.join(name), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let archive = machine.at("files/odd.tar.gz");
        let mut tar = command("tar", &machine.at("inside"));
        assert!(tar.args(["-czf"]).arg(&archive).arg("x").status().unwrap().success());
        let mut sum = command("sha256sum", &machine.at("files"));
        fs::write(machine.at("files/odd.tar.gz.sha256"), sum.arg(&archive).output().unwrap().stdout).unwrap();
        machine.refuses(&archive.display().to_string(), &path, "does not hold the program brandctl");
        fs::remove_dir_all(&inside).unwrap();
    }
}

#[test]
fn a_secret_in_an_address_is_not_repeated() {
    let machine = Machine::new();
    for address in ["https://ci:s3cret@127.0.0.1:1/x.tar.gz", "https://127.0.0.1:1/x.tar.gz?token=s3cret"] {
        machine.refuses(address, SYSTEM, "holds a user name, a password or a query");
        assert!(!stderr(&machine.install("sh", address, SYSTEM)).contains("s3cret"));
    }
}

#[test]
fn nothing_of_the_checkout_is_installed() {
    let machine = Machine::new();
    let checkout = machine.at("checkout");
    for folder in ["bin", "."] {
        fs::create_dir_all(checkout.join(folder)).unwrap();
        script(&checkout.join(folder).join("brandctl"), "touch ../ran");
    }
    symlink(checkout.join("bin"), machine.at("link")).unwrap();
    fs::create_dir(machine.at("links")).unwrap();
    symlink(checkout.join("bin/brandctl"), machine.at("links/brandctl")).unwrap();
    for path in [
        checkout.join("bin").display().to_string(),
        "bin".to_owned(),
        ".".to_owned(),
        machine.at("link").display().to_string(),
        machine.at("links").display().to_string(),
    ] {
        machine.refuses("", &format!("{path}:{SYSTEM}"), "is in the checkout");
    }
    let theirs = checkout.join("x.tar.gz");
    fs::copy(&machine.archive, &theirs).unwrap();
    machine.refuses(&theirs.display().to_string(), SYSTEM, "is in the checkout");
    assert!(!machine.at("ran").exists());
}

#[test]
fn a_machine_that_has_it_needs_no_address_and_one_that_does_not_says_so() {
    let machine = Machine::new();
    let program = Path::new(env!("CARGO_BIN_EXE_brandctl")).parent().unwrap().display();
    machine.installs("", &format!("{program}:{SYSTEM}"));
    machine.refuses("", SYSTEM, "this machine does not have it");
    for tool in [
        "x.tar.gz",
        "http://example.com/x.tar.gz",
        "$(touch ../ran).tar.gz",
        "`touch ../ran`",
        "file:///x.tar.gz",
        "/x",
    ] {
        machine.refuses(tool, SYSTEM, "neither an https URL nor the absolute path of a .tar.gz file");
    }
    machine.refuses("/$(touch ../ran)`touch ../ran`'\".tar.gz", SYSTEM, "cannot be read");
    assert!(!machine.at("ran").exists());
}
