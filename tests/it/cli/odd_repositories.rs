//! What is in `.git` and not as Git left it: damaged, hanging, misleading, or a way to a file of the machine. None of it makes
//! a plan delete, shows what a file holds, or starts a program.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use brandctl::domain::asset::Kind;

use super::moved::{InGit as _, git, git_with, origins, whys};
use crate::common::{Brand, Output, art, command, each, reencoded};

/// Three icons, committed and live, of which one is gone since.
fn lacking_one() -> Brand {
    let brand = Brand::new().in_git().in_step(3);
    brand.commit();
    brand.undeclare("icon/acme-02");
    brand
}

/// Puts something else in the place of a file.
fn instead(path: &Path, make: impl FnOnce(&Path)) {
    let _ = fs::remove_file(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    make(path);
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// The file of an object that is not packed.
fn object(brand: &Brand, name: &str) -> PathBuf {
    let id = git(brand.folder.path(), &format!("rev-parse {name}"));
    brand.path(&format!(".git/objects/{}/{}", &id[..2], &id[2..]))
}

/// Holds that nothing is deleted because it is not known what is committed.
#[track_caller]
fn is_refused(what: &str, plan: &Output) {
    assert_eq!((plan.code, plan.refused()), (4, vec!["checkout".to_owned()]), "{what}: {plan:?}");
}

#[test]
fn a_branch_that_cannot_be_read_is_not_one_without_commits() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    fs::write(&secret, "[s3cret = [\n").unwrap();
    let branch = ".git/refs/heads/main";
    let cases = [
        (branch, Some("garbage\n"), "the current branch is damaged"),
        (branch, Some(""), "the current branch is damaged"),
        (branch, Some("1234567890123456789012345678901234567890\n"), "an object is missing or damaged"),
        // A link to a file of the machine, of which Git quotes lines.
        (branch, None, "the current branch is damaged"),
        (".git/index", None, "the index is damaged"),
        (".git/packed-refs", None, "does not accept the content of its folder"),
        (".git/shallow", None, "shallow clone's last commits"),
        (".git/config", None, "the repository's settings"),
        (".git/commondir", None, "it is damaged"),
    ];
    each(cases, |(file, text, why)| {
        let brand = lacking_one();
        instead(&brand.path(file), |path| match text {
            Some(text) => fs::write(path, text).unwrap(),
            None => symlink(&secret, path).unwrap(),
        });
        let plan = brand.json("plan");
        is_refused(file, &plan);
        assert!(plan.text().contains(why), "{file}: {plan:?}");
        for output in [plan, brand.json("drift"), brand.run(["plan", "-v"]), brand.run(["history"])] {
            assert!(!output.text().contains("s3cret"), "{file} has a file shown: {output:?}");
        }
    });
    // One that is new leaves out what its index says.
    let brand = lacking_one();
    git(brand.folder.path(), "update-index --skip-worktree icons/acme-02.png");
    git(brand.folder.path(), "checkout --quiet --orphan new");
    is_refused("new", &brand.plan());
}

#[test]
fn a_repository_that_makes_git_hang_is_waited_for_once() {
    let files =
        ["index", "config", "packed-refs", "refs/heads/main", "objects/info/alternates", "shallow", "commondir"];
    each(files.map(Some).into_iter().chain([None]), |file| {
        let brand = lacking_one();
        let path = file.map_or_else(|| object(&brand, "HEAD^{tree}"), |file| brand.path(&format!(".git/{file}")));
        if file == Some("packed-refs") {
            fs::remove_file(brand.path(".git/refs/heads/main")).unwrap();
        }
        instead(&path, fifo);
        let begun = Instant::now();
        let plan = brand.json("plan");
        is_refused(&path.display().to_string(), &plan);
        assert!(plan.text().contains("git did not answer within 20 s"), "{}: {plan:?}", path.display());
        let elapsed = begun.elapsed();
        assert!(elapsed < Duration::from_secs(39), "{} took {elapsed:?}", path.display());
    });
}

#[test]
fn what_git_offers_to_change_history_changes_no_verdict() {
    let brand = Brand::new().in_git().in_step(2);
    brand.commit();
    let brand = brand.declares("icon/acme-00", 100);
    brand.commit();
    brand.seed("icon/acme-01", &art(Kind::Icon, 101));
    let folder = brand.folder.path();
    let holds = |what: &str, brand: &Brand| {
        let drift = brand.json("drift").ends_with(2);
        assert_eq!(origins(&drift), ["pending icon/acme-00", "drifted icon/acme-01"], "{what}: {}", whys(&drift));
    };
    holds("nothing", &brand);
    // Replaced objects: the image that the portal has would be one that never was, and the other way round.
    let forged = brand.path("forged.png");
    fs::write(&forged, art(Kind::Icon, 101)).unwrap();
    let forged = git(folder, &format!("hash-object -w {}", forged.display()));
    for (old, new) in [("HEAD~1:icons/acme-00.png", "HEAD:icons/acme-00.png"), ("HEAD:icons/acme-01.png", &*forged)] {
        git(folder, &format!("replace {old} {new}"));
    }
    holds("replaced images", &brand);
    let alone = git(folder, "commit-tree -m forged HEAD^{tree}");
    git(folder, &format!("replace HEAD {alone}"));
    holds("a replaced commit", &brand);
    fs::create_dir_all(brand.path(".git/info")).unwrap();
    fs::write(brand.path(".git/info/grafts"), git(folder, "rev-parse HEAD") + "\n").unwrap();
    holds("grafts", &brand);
    // Objects may lie elsewhere, as in a clone with a reference.
    let elsewhere = tempfile::tempdir().unwrap();
    let objects = elsewhere.path().join("objects");
    assert!(Command::new("cp").arg("-R").arg(brand.path(".git/objects")).arg(&objects).status().unwrap().success());
    fs::remove_dir_all(brand.path(".git/objects")).unwrap();
    fs::create_dir_all(brand.path(".git/objects/info")).unwrap();
    fs::write(brand.path(".git/objects/info/alternates"), format!("{}\n", objects.display())).unwrap();
    holds("objects elsewhere", &brand);
    fs::remove_dir_all(&objects).unwrap();
    let drift = brand.json("drift").ends_with(2);
    assert_eq!(origins(&drift), ["unknown icon/acme-00", "unknown icon/acme-01"], "{}", whys(&drift));
}

#[test]
fn variables_of_git_lead_to_no_other_repository_and_run_nothing() {
    let brand = lacking_one();
    let (mark, other) = (brand.path("sprung"), tempfile::tempdir().unwrap());
    git(other.path(), "init --quiet");
    let touch = format!("touch {}", mark.display());
    let there = other.path().to_str().unwrap();
    let mut command = command(brand.folder.path());
    command.args(["plan", "--format", "json"]).env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook());
    for name in ["GIT_DIR", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_GLOBAL"] {
        command.env(name, other.path().join(".git"));
    }
    for name in ["GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_EDITOR", "PAGER"] {
        command.env(name, &touch);
    }
    for (number, (key, value)) in
        [("core.fsmonitor", &*touch), ("core.worktree", there), ("alias.log", &format!("!{touch}"))].iter().enumerate()
    {
        command.env(format!("GIT_CONFIG_KEY_{number}"), key).env(format!("GIT_CONFIG_VALUE_{number}"), value);
    }
    command.env("GIT_CONFIG_COUNT", "3").env("GIT_EXEC_PATH", there).env("GIT_WORK_TREE", there);
    command.env("GIT_NAMESPACE", "x").env("GIT_TRACE", other.path().join("trace")).env("GIT_CEILING_DIRECTORIES", "/");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(0) && text.contains("the portal has the version of commit"), "{text}");
    assert!(!mark.exists() && !other.path().join("trace").exists(), "something ran");
}

#[test]
fn what_a_partial_clone_lacks_is_not_fetched() {
    for url in ["ssh://somebody@127.0.0.1/x", "ext::touch sprung", "file:///nowhere", "https://127.0.0.1:1/x"] {
        for lacking in ["HEAD~1:icons/acme-00.png", "HEAD~1:icons", "HEAD~1"] {
            let brand = Brand::new().in_git().in_step(1);
            brand.commit();
            let brand = brand.declares("icon/acme-00", 100);
            brand.commit();
            // Other bytes with the same look: the old image itself has to be read.
            brand.seed("icon/acme-00", &reencoded(Kind::Icon, 0));
            let (folder, mark) = (brand.folder.path(), brand.path("sprung"));
            fs::remove_file(object(&brand, lacking)).unwrap();
            let touch = format!("touch {}", mark.display());
            for (key, value) in [
                ("extensions.partialClone", "far"),
                ("core.repositoryFormatVersion", "1"),
                ("remote.far.promisor", "true"),
                ("remote.far.url", url),
                ("remote.far.uploadpack", &touch),
                ("core.sshCommand", &touch),
                ("protocol.ext.allow", "always"),
                ("credential.helper", &format!("!{touch}")),
            ] {
                git_with(folder, ["config", key, value]);
            }
            let drift = brand.json("drift").ends_with(2);
            assert_eq!(origins(&drift), ["unknown icon/acme-00"], "{url} {lacking}: {}", whys(&drift));
            assert!(!mark.exists(), "{url} {lacking}: something was started");
        }
    }
}

#[test]
fn a_submodule_is_a_checkout_like_any_other() {
    let inner = lacking_one();
    let outer = tempfile::tempdir().unwrap();
    git(outer.path(), "init --quiet");
    let url = inner.folder.path().to_str().unwrap();
    git_with(outer.path(), ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"]);
    git(outer.path(), "commit --quiet --message sub");
    let plan = |folder: &Path, manifest: &str| {
        let mut command = command(folder);
        command.args(["plan", "--format", "json", "-f", manifest]);
        let output = command.env("BITRIX24_WEBHOOK_URL", inner.portal.admin_webhook()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let sub = outer.path().join("sub");
    fs::remove_file(sub.join("icons/acme-02.png")).unwrap();
    for (folder, manifest) in [(&*sub, "brand.yaml"), (outer.path(), "sub/brand.yaml")] {
        let (code, text) = plan(folder, manifest);
        assert!(code == Some(0) && text.contains("the portal has the version of commit"), "{manifest}: {text}");
    }
    git(&sub, "update-index --skip-worktree icons/acme-02.png");
    for (folder, manifest) in [(&*sub, "brand.yaml"), (outer.path(), "sub/brand.yaml")] {
        let (code, text) = plan(folder, manifest);
        assert!(code == Some(4) && text.contains("leaves out 1 file"), "{manifest}: {text}");
    }
    // Its `.git` leads out of it; one that leads nowhere any more says nothing.
    fs::remove_dir_all(outer.path().join(".git/modules/sub")).unwrap();
    let (code, text) = plan(&sub, "brand.yaml");
    assert!(code == Some(4) && text.contains("does not lead to a repository"), "{text}");
}
