//! The questions of docs/json.md, each a line for a shell with jq: they are run as the page has them, and print what it says.

use std::path::Path;
use std::process::Command;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::{self, Faults, Options, Sandbox};

use crate::shared::checkout::copy;
use crate::shared::init::git;
use crate::shared::scenes::{acme, redrawn};

/// The lines of the page, each with what it prints.
fn questions() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md")).unwrap();
    let mut blocks = page.split("```bash\n").skip(1).map(|rest| {
        let (line, rest) = rest.split_once("\n```\n\n```text\n").unwrap();
        (line.to_owned(), rest.split_once("```").unwrap().0.to_owned())
    });
    let questions: Vec<_> = blocks.by_ref().collect();
    assert!(questions.len() >= 7 && questions.iter().all(|(line, _)| !line.contains('\n')), "{questions:#?}");
    questions
}

/// A line as a shell runs it, in `folder`.
fn run(line: &str, folder: &Path, portal: &Sandbox) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_brandctl")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(program.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new("bash")
        .args(["-c", line])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path.unwrap())
        .env("HOME", folder)
        .env("BITRIX24_WEBHOOK_URL", portal.admin_webhook())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("jq: error"), "{line}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// examples/acme, committed and applied; then a code was deleted on the portal, one was changed there, and the manifest does not
/// declare a third any more.
fn changed(folder: &Path, portal: &Sandbox) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/acme"), folder);
    let commit = |what: &str| {
        git(folder, &["add", "."]);
        git(folder, &["commit", "-qm", what]);
    };
    git(folder, &["init", "-q"]);
    std::fs::write(folder.join(".gitignore"), ".brandctl/\n").unwrap();
    commit("begin");
    run("brandctl apply --yes -q", folder, portal);
    portal.remove(Kind::Icon, "acme-paid").unwrap();
    let mirrored = redrawn(&acme("icons/acme-call.png"), |x, y, at| at(23 - i64::from(x), i64::from(y)));
    portal.seed(Kind::Icon, "acme-call", &mirrored).unwrap();
    let manifest = std::fs::read_to_string(folder.join("brand.yaml")).unwrap();
    let kept = manifest.lines().filter(|line| !line.trim_start().starts_with("acme-fax:"));
    std::fs::write(folder.join("brand.yaml"), kept.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    commit("take the fax away");
}

#[test]
fn every_question_of_the_page_is_answered_as_it_says() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let portal = sandbox::start(Options::new(data.path())).unwrap();
    changed(folder.path(), &portal);
    for (line, shown) in questions() {
        // What the page calls a portal that refuses every image.
        let refuses = line.contains("brandctl apply");
        portal.set_faults(if refuses {
            "any every refuse *.add 400 FILE_SAVE_ERROR".parse().unwrap()
        } else {
            Faults::none()
        });
        let shown = match line.contains("brandctl history") {
            // A run's id is the time at which it began.
            true => run("brandctl history --format json | jq -r '.runs[-1].run'", folder.path(), &portal),
            false => {
                shown.replace("acme.bitrix24.com", portal.url().trim_start_matches("http://").trim_end_matches('/'))
            }
        };
        assert_eq!(run(&line, folder.path(), &portal), shown, "{line}");
    }
}
