//! The hooks of `.pre-commit-hooks.yaml`, run by pre-commit from a clone of this repository, as in a user's repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::shared::init::git;

use super::built::{ROOT, built, command, mirror, succeeds};
use super::pip;

/// A brand in a repository of its own, which uses a hook of this repository.
struct Brand {
    folder: tempfile::TempDir,
    /// Where pre-commit keeps its clones and environments.
    home: tempfile::TempDir,
    wheel: PathBuf,
    /// What is before the rest of PATH.
    path: PathBuf,
}

impl Brand {
    fn new(hook: &str, arguments: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A clone needs commits, and the files that are to be tested may not be committed yet.
        let offered = folder.path().join("offered");
        mirror(&offered);
        git(&offered, &["init", "-q"]);
        git(&offered, &["add", "-A"]);
        git(&offered, &["commit", "-q", "-m", "all"]);
        let commit = succeeds(Command::new("git").current_dir(&offered).args(["rev-parse", "HEAD"]));
        let used = folder.path().join("used");
        succeeds(Command::new("cp").arg("-r").arg(Path::new(ROOT).join("examples/acme")).arg(&used));
        let config = format!(
            "repos:\n- repo: {}\n  rev: {}\n  hooks:\n  - id: {hook}\n    args: {arguments}\n",
            offered.display(),
            commit.trim()
        );
        fs::write(used.join(".pre-commit-config.yaml"), config).unwrap();
        git(&used, &["init", "-q"]);
        git(&used, &["add", "-A"]);
        let brand = Self {
            folder,
            home: tempfile::tempdir().unwrap(),
            wheel: built().file(".whl"),
            path: PathBuf::from("/none"),
        };
        brand.used();
        brand
    }

    fn used(&self) -> PathBuf {
        self.folder.path().join("used")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let rest = std::env::var("PATH").unwrap();
        command(pip::tools().join("bin/pre-commit"))
            .current_dir(self.used())
            .args(["run", "--color", "never", "--verbose"])
            .args(arguments)
            .env("PRE_COMMIT_HOME", self.home.path())
            .env("BRANDCTL_WHEEL", &self.wheel)
            // No index: what the hook installs is the wheel.
            .env("PIP_NO_INDEX", "1")
            .env("PATH", format!("{}:{rest}", self.path.display()))
            .output()
            .unwrap()
    }

    #[track_caller]
    fn passes(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && text.contains("Passed"), "{text}");
        text
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str], why: &str) {
        let output = self.run(arguments);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("- exit code: 1") && text.contains(why), "{text}");
    }
}

#[test]
fn the_hook_installs_the_wheel_once_and_checks_what_is_committed() {
    let brand = Brand::new("brandctl-validate", "[]");
    let first = brand.passes(&["--all-files"]);
    assert!(first.contains("Installing environment"), "{first}");
    let second = brand.passes(&["--all-files"]);
    assert!(!second.contains("Installing environment"), "{second}");
    // Only what is named is checked: a damaged image beside it does not matter, until it is.
    fs::write(brand.used().join("icons/acme-call.png"), "no image").unwrap();
    git(&brand.used(), &["add", "-A"]);
    brand.passes(&["--files", "icons/acme-fax.png"]);
    brand.fails(&["--files", "icons/acme-call.png"], "png-format");
    brand.fails(&["--all-files"], "png-format");
    // A commit of another file does not start it.
    let skipped = brand.run(&["--files", "README.md"]);
    assert!(String::from_utf8_lossy(&skipped.stdout).contains("Skipped"));
}

#[test]
fn the_hook_sees_images_and_manifests_of_other_names() {
    let brand = Brand::new("brandctl-validate", "[-f, brand/acme.brandctl.yaml]");
    let used = brand.used();
    fs::create_dir(used.join("brand")).unwrap();
    fs::copy(used.join("icons/acme-call.png"), used.join("brand/CALL.PNG")).unwrap();
    fs::remove_file(used.join("brand.yaml")).unwrap();
    let manifest = "version: 1\nowns: [\"acme-*\"]\nicons:\n  acme-call: CALL.PNG\n";
    fs::write(used.join("brand/acme.brandctl.yaml"), manifest).unwrap();
    git(&used, &["add", "-A"]);
    brand.passes(&["--files", "brand/acme.brandctl.yaml"]);
    brand.passes(&["--files", "brand/CALL.PNG"]);
    fs::write(used.join("brand/CALL.PNG"), "no image").unwrap();
    brand.fails(&["--files", "brand/CALL.PNG"], "png-format");
    fs::write(used.join("brand/acme.brandctl.yaml"), manifest.replace("owns", "own")).unwrap();
    brand.fails(&["--files", "brand/acme.brandctl.yaml"], "owns");
}

#[test]
fn the_system_hook_runs_the_program_on_the_path() {
    let mut brand = Brand::new("brandctl-validate-system", "[]");
    brand.fails_without_program();
    brand.path = Path::new(env!("CARGO_BIN_EXE_brandctl")).parent().unwrap().to_owned();
    brand.passes(&["--all-files"]);
    fs::write(brand.used().join("icons/acme-call.png"), "no image").unwrap();
    git(&brand.used(), &["add", "-A"]);
    brand.fails(&["--all-files"], "png-format");
}

impl Brand {
    #[track_caller]
    fn fails_without_program(&self) {
        let output = self.run(&["--all-files"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && text.contains("Executable `brandctl` not found"), "{text}");
    }
}
