//! The workflows of this repository, for the day it is published. They are checked and their shell steps run; and release/check
//! decides whether a tag can be released.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::init::{actionlint, check, is_content, schema, shellcheck, zizmor};
use crate::shared::init::{command, git, stderr, yaml};
use crate::shared::jobs::System;
use crate::shared::traps::script;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A clone of a package at version 0.1.0 that can be released.
struct Package {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Package {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("package");
        for folder in ["src", "release"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::copy(Path::new(ROOT).join("release/check"), root.join("release/check")).unwrap();
        let package = Self { _folder: folder, root };
        package.write("src/main.rs", "fn main() {}\n");
        package.write(
            "Cargo.toml",
            "[package]\nname = \"brandctl\"\nversion = \"0.1.0\"\nedition = \"2024\"\nrepository = \"https://example.com/x\"\n",
        );
        package.write(
            "CHANGELOG.md",
            "# Changelog\n\n## [Unreleased]\n\n- Next.\n\n## [0.1.0] - 2026-12-01\n\n- All of it.\n\n## [0.0.9] - 2026-11-01\n\n- Old.\n",
        );
        git(&package.root, &["init", "-q"]);
        package.commit();
        package
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.root.join(name), text).unwrap();
    }

    fn replace(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.root.join(name)).unwrap();
        assert!(text.contains(from), "{text}");
        self.write(name, &text.replace(from, to));
    }

    /// Commits everything, on the branch that was published.
    fn commit(&self) {
        git(&self.root, &["add", "-A"]);
        git(&self.root, &["commit", "-qm", "Change"]);
        git(&self.root, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    }

    fn check(&self, tag: &str) -> Output {
        let mut command = command(self.root.join("release/check"), &self.root);
        // Where rustup keeps its toolchains.
        command.envs(
            std::env::vars_os().filter(|(name, _)| name == "RUSTUP_HOME" || name == "CARGO_HOME" || name == "HOME"),
        );
        command.args([tag, "notes.md"]).output().unwrap()
    }

    /// Changes the package so that it cannot be released, and what is said of it.
    #[track_caller]
    fn refused(tag: &str, change: impl Fn(&Self), why: &str) {
        let package = Self::new();
        change(&package);
        let output = package.check(tag);
        assert_eq!(output.status.code(), Some(1), "{why}");
        assert!(output.stdout.is_empty(), "{why}");
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
}

#[test]
fn a_tag_is_released_with_the_notes_of_its_version() {
    let package = Package::new();
    package.write(".git/info/exclude", "notes.md\n");
    let output = package.check("v0.1.0");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "version=0.1.0\n");
    assert_eq!(fs::read_to_string(package.root.join("notes.md")).unwrap(), "\n- All of it.\n\n");
}

#[test]
fn what_cannot_be_released_is_refused_with_the_reason() {
    Package::refused("v0.1.1", |_| {}, "the tag is v0.1.1, and Cargo.toml has version 0.1.0");
    Package::refused("0.1.0", |_| {}, "the tag is 0.1.0");
    let nowhere = |package: &Package| {
        package.replace("Cargo.toml", "repository = \"https://example.com/x\"\n", "");
        package.commit();
    };
    Package::refused("v0.1.0", nowhere, "Cargo.toml names no repository");
    let undated = |package: &Package| {
        package.replace("CHANGELOG.md", "## [0.1.0] - 2026-12-01", "## [0.1.0]");
        package.commit();
    };
    Package::refused("v0.1.0", undated, "CHANGELOG.md has no section \"## [0.1.0] - DATE\"");
    Package::refused("v0.1.0", |package| package.write("src/main.rs", "fn main() { }\n"), "not committed");
    let elsewhere = |package: &Package| {
        package.write("src/lib.rs", "");
        git(&package.root, &["checkout", "-qb", "other"]);
        git(&package.root, &["add", "-A"]);
        git(&package.root, &["commit", "-qm", "Elsewhere"]);
    };
    Package::refused("v0.1.0", elsewhere, "the commit is not on the branch main");
}

/// What the workflows run on is the toolchain that the tests run on.
#[test]
fn the_workflow_uses_the_toolchain_of_the_repository() {
    let toolchain = fs::read_to_string(Path::new(ROOT).join("rust-toolchain.toml")).unwrap();
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap().trim_matches('"');
    let workflow = fs::read_to_string(Path::new(ROOT).join(".github/workflows/ci.yml")).unwrap();
    assert!(workflow.contains(&format!("image: rust:{channel}-bookworm ")), "{channel}");
}

const WORKFLOWS: [&str; 3] = ["ci.yml", "audit.yml", "release.yml"];

/// The shell steps of a workflow: the job, the script and its variables.
fn steps(workflow: &str) -> Vec<(String, String, serde_json::Value)> {
    let file = yaml(&Path::new(ROOT).join(".github/workflows").join(workflow));
    assert_eq!(file["defaults"]["run"]["shell"], "bash");
    assert_eq!(file["permissions"], serde_json::json!({}), "each job names its own");
    let mut found = Vec::new();
    for (name, job) in file["jobs"].as_object().unwrap() {
        assert!(job["timeout-minutes"].is_u64() && job["permissions"].is_object(), "{workflow}: {name}");
        for step in job["steps"].as_array().unwrap() {
            if let Some(script) = step["run"].as_str() {
                assert!(!script.contains("${{"), "{name}: an expression in a script runs what it holds");
                found.push((name.clone(), script.to_owned(), step["env"].clone()));
            }
        }
    }
    found
}

#[test]
fn the_workflows_are_what_github_reads() {
    for name in WORKFLOWS {
        let file = Path::new(ROOT).join(".github/workflows").join(name);
        is_content(schema(System::Github, &file));
        is_content(actionlint(&file));
        is_content(zizmor(&file));
        let strict = |script: &str| format!("set -eo pipefail\n{script}");
        steps(name).iter().for_each(|(_, script, _)| is_content(shellcheck(&strict(script), "bash")));
    }
    for script in ["release/check", "release/deny", "release/type-check", "tests/run"] {
        is_content(check("shellcheck", &["--external-sources"], &Path::new(ROOT).join(script)));
    }
}

/// Runs every shell step as GitHub would, in one folder, with programs that write down how they are called.
#[test]
fn the_steps_run_as_they_are_written() {
    let package = Package::new();
    let (root, temp) = (&package.root, package.root.with_file_name("temp"));
    let programs = temp.join("programs");
    for folder in [&programs, &root.join(".ci")] {
        fs::create_dir_all(folder).unwrap();
    }
    for name in ["gh", "cargo"] {
        script(&programs.join(name), &format!("echo {name} \"$@\" >>\"$CALLS\""));
    }
    for name in ["release/deny", ".ci/run"] {
        script(&root.join(name), &format!("echo {name} \"$@\" >>\"$CALLS\""));
    }
    // What the jobs hand on to each other: two equal builds, and the notes.
    script(&root.join("release/build"), "mkdir -p \"$1\"\necho release/build >>\"$CALLS\"");
    script(&root.join("release/check"), "echo release/check \"$1\" >>\"$CALLS\"\necho version=0.1.0");
    for folder in ["dist/dist-one", "dist/dist-another-name", "files/dist-one", "files/notes"] {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("x.whl"), "x").unwrap();
        fs::write(folder.join("notes.md"), "Notes").unwrap();
        let sum = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
        fs::write(folder.join("SHA256SUMS"), format!("{sum}  x.whl\n")).unwrap();
    }
    fs::create_dir(root.join("one")).unwrap();
    for name in ["release", "src"] {
        std::os::unix::fs::symlink(root.join(name), root.join("one").join(name)).unwrap();
    }
    fs::copy(root.join("dist/dist-one/x.whl"), root.join("dist/x.whl")).unwrap();
    let calls = temp.join("calls");
    for workflow in WORKFLOWS {
        for (job, script, variables) in steps(workflow) {
            let mut bash = command("bash", root);
            let path = format!("{}:/usr/bin:/bin", programs.display());
            bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script]).env("PATH", path);
            bash.env("CALLS", &calls).env("RUNNER_TEMP", &temp).env("GITHUB_REPOSITORY", "acme/x");
            bash.env("GITHUB_OUTPUT", temp.join("output")).env("GITHUB_WORKSPACE", root);
            for (name, value) in variables.as_object().into_iter().flatten() {
                let value = match value.as_str().unwrap() {
                    "${{ github.ref_name }}" => "v0.1.0",
                    "${{ github.token }}" | "${{ steps.auth.outputs.token }}" => "token",
                    "${{ matrix.folder }}" => "one",
                    other => panic!("{job}: {name} is {other}"),
                };
                bash.env(name, value);
            }
            let output = bash.output().unwrap();
            assert!(output.status.success(), "{job}: {script}\n{}", stderr(&output));
        }
    }
    assert_eq!(fs::read_to_string(temp.join("output")).unwrap(), "version=0.1.0\n");
    assert!(root.join("wheels/x.whl").is_file());
    insta::assert_snapshot!(fs::read_to_string(calls).unwrap(), @r#"
    .ci/run
    cargo build --locked
    cargo test --locked --lib
    cargo run --locked -- apply --sandbox -f examples/acme/brand.yaml --yes
    release/deny check advisories
    release/check v0.1.0
    cargo publish --locked --dry-run
    release/build
    gh release create v0.1.0 --repo acme/x --draft --verify-tag --title v0.1.0 --notes-file files/notes/notes.md files/dist-one/SHA256SUMS files/dist-one/notes.md files/dist-one/x.whl
    gh release edit v0.1.0 --repo acme/x --draft=false
    cargo publish --locked --no-verify
    "#);
}
