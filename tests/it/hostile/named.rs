//! What a user names that is not what it should be: a pipe, a device, Git's own folder, a folder of other files, a file that
//! credentials come from. Each is named as what it is, nothing is waited for, and nothing is left there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::checkout::{applied, fifo, git, refuses};
use crate::common::{Brand, command};

const DEVICES: [&str; 3] = ["/dev/zero", "/dev/null", "/dev/full"];

fn told(output: &std::process::Output) -> String {
    let text = String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap();
    text.replace("\n  ", " ").replace('\n', " ")
}

fn names_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|item| item.unwrap().file_name().to_str().unwrap().to_owned());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_plan_or_run_that_is_a_pipe_or_a_device_is_called_that() {
    let brand = applied();
    fifo(&brand.path("pipe"));
    symlink("/dev/zero", brand.path("link")).unwrap();
    for name in DEVICES.into_iter().chain(["pipe", "link"]) {
        for line in ["show", "apply", "restore --yes"] {
            refuses(&brand, &format!("{line} {name}"), Path::new(name), &format!("{name} is not a regular file"));
        }
    }
    refuses(&brand, "apply icons", Path::new("icons"), "icons is a folder");
    let looped = brand.path("loop");
    symlink(&looped, &looped).unwrap();
    refuses(&brand, "show loop", Path::new("loop"), "loop cannot be read");
}

#[test]
fn state_is_kept_neither_in_a_device_nor_in_gits_own_folder() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    git(&brand, &["init", "-q"]);
    fifo(&brand.path("pipe"));
    for name in DEVICES.into_iter().chain(["pipe"]) {
        for line in ["plan", "apply --yes --settle 0.1", "history", "show x"] {
            refuses(&brand, &format!("{line} --state-dir {name}"), Path::new(name), "is not a folder");
        }
    }
    symlink(brand.path(".git"), brand.path("linked")).unwrap();
    let before = names_in(&brand.path(".git"));
    for name in [".git", ".git/state", ".git/hooks", ".GIT/state/deep", "linked/state", "icons/../.git/x"] {
        for line in ["plan", "apply --yes --settle 0.1", "history", "show x"] {
            refuses(&brand, &format!("{line} --state-dir {name}"), Path::new(name), "is in a `.git`");
        }
        for line in [format!("apply --yes --sandbox={name}"), format!("sandbox --listen 127.0.0.1:0 --data {name}")] {
            refuses(&brand, &line, Path::new(name), "is in a `.git`");
        }
    }
    assert_eq!(names_in(&brand.path(".git")), before);
    assert!(!brand.path(".GIT").exists());
}

#[test]
fn a_sandbox_that_git_tracks_is_refused() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    git(&brand, &["init", "-q"]);
    brand.run(["apply", "--yes", "--sandbox=data", "--settle", "0.1"]).ends_with(0);
    brand.run(["plan", "--sandbox=data"]).ends_with(0);
    git(&brand, &["add", "-f", "data/portal.json"]);
    for (line, flag) in [
        ("plan --sandbox=data", "--sandbox=DIR"),
        ("apply --yes --sandbox=data", "--sandbox=DIR"),
        ("sandbox --listen 127.0.0.1:0 --data data", "--data"),
    ] {
        let output = refuses(&brand, line, Path::new("data/portal.json"), "is tracked by Git");
        assert!(output.text().contains(flag) && !output.text().contains("--state-dir"), "{output:?}");
    }
    git(&brand, &["rm", "-q", "--cached", "data/portal.json"]);
    brand.run(["plan", "--sandbox=data"]).ends_with(0);
}

#[test]
fn a_sandbox_moves_into_no_folder_that_holds_something_else() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    let before = names_in(brand.folder.path());
    for line in ["plan --sandbox=.", "plan --sandbox=icons", "sandbox --listen 127.0.0.1:0 --data ."] {
        refuses(&brand, line, Path::new(""), "is not a sandbox folder");
    }
    assert_eq!(names_in(brand.folder.path()), before);
    assert_eq!(names_in(&brand.path("icons")), ["acme-a.png"]);
    brand.run(["export", "exported"]).ends_with(0);
    let before = names_in(&brand.path("exported"));
    refuses(&brand, "plan --sandbox=exported", Path::new("exported/portal.json"), "was not written by a sandbox");
    assert_eq!(names_in(&brand.path("exported")), before);
    // A new folder, one that keeps itself out of Git, and a disk of its own.
    fs::create_dir_all(brand.path("data/lost+found")).unwrap();
    fs::write(brand.path("data/.gitignore"), "*\n").unwrap();
    for _ in 0..2 {
        brand.run(["plan", "--sandbox=data"]).ends_with(0);
    }
}

#[test]
fn a_file_that_credentials_come_from_is_called_that_where_a_manifest_is_named() {
    let brand = applied();
    let webhook = brand.portal.admin_webhook();
    let secret = webhook.trim_end_matches('/').rsplit('/').next().unwrap();
    let file = brand.path("webhook.yaml");
    fs::write(&file, &webhook).unwrap();
    symlink("webhook.yaml", brand.path("link.yaml")).unwrap();
    for (name, line) in [("webhook.yaml", "plan"), ("link.yaml", "plan"), ("webhook.yaml", "validate")] {
        let mut command = command(brand.folder.path());
        let command = command.args([line, "-f", name]).env("BITRIX24_WEBHOOK_URL_FILE", &file);
        let output = command.output().unwrap();
        let text = told(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(name) && text.contains("a file that credentials come from"), "{text}");
        assert!(!text.contains("permissions") && text.contains("with -f") && !text.contains(secret), "{text}");
    }
}
