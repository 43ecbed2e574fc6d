//! Checkouts that are not what they seem: nothing in them runs, and what is only not checked out is not deleted.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use brandctl::domain::asset::Kind;

use super::moved::{InGit as _, git, git_with, origins, whys};
use crate::common::{Brand, Output, art, command, each};
use crate::shared::traps::{self, script};

/// Five icons, committed and live.
fn in_step() -> Brand {
    let brand = Brand::new().in_git().in_step(5);
    brand.commit();
    brand
}

/// What a plan and an apply would delete, and which guards refuse it; nothing is written.
#[track_caller]
fn refused(brand: &Brand, what: &str, options: &str) -> Vec<String> {
    let (before, live) = (brand.write_requests().len(), brand.live());
    let plan = brand.json(&format!("plan {options}"));
    assert_eq!(plan.code, 4, "{what}: {plan:?}");
    let apply = brand.json(&format!("apply --yes {options}"));
    assert_eq!((apply.code, apply.refused()), (4, plan.refused()), "{what}: {apply:?}");
    assert_eq!((brand.write_requests().len(), brand.live()), (before, live), "{what}: something was written");
    plan.refused()
}

fn message(output: &Output, guard: &str) -> String {
    let guards = output.json["guards"].as_array().unwrap();
    let found = guards.iter().find(|verdict| verdict["guard"] == guard);
    found.map(|verdict| format!("{} | {}", verdict["message"], verdict["help"])).unwrap_or_default()
}

// ---- What may run, and what it sees ----

/// Sets every trap for Git that a repository can hold; the file that a sprung one leaves.
fn trap(brand: &Brand, settings: &Path) -> PathBuf {
    let mark = brand.path("sprung");
    traps::set(&brand.path(""), settings, &mark);
    mark
}

#[test]
fn nothing_that_a_repository_sets_runs_and_git_sees_no_credential() {
    let brand = Brand::new().in_git().in_step(3);
    fs::write(brand.path(".gitattributes"), "* filter=evil diff=evil text=auto\n").unwrap();
    brand.commit();
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.commit();
    let mark = trap(&brand, &brand.path(".git/config"));
    fs::create_dir_all(brand.path(".git/info")).unwrap();
    fs::write(brand.path(".git/info/attributes"), "* filter=evil diff=evil\n").unwrap();
    // Git would look at what is as new as its index.
    brand.draw("icon/acme-01", &art(Kind::Icon, 98));
    let index = fs::File::options().append(true).open(brand.path(".git/index")).unwrap();
    index.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(10)).unwrap();
    brand.undeclare("icon/acme-02");
    // Git as it is found, which notes what it is given.
    let path = std::env::var("PATH").unwrap();
    let (bin, seen) = (brand.path("bin"), brand.path("seen"));
    fs::create_dir(&bin).unwrap();
    script(&bin.join("git"), &format!("env >> '{}'\nPATH='{path}' exec git \"$@\"", seen.display()));
    for line in ["validate", "plan", "drift", "list", "history", "apply --yes --settle 0.1", "drift", "export out"] {
        let mut command = command(brand.folder.path());
        command.args(line.split(' ')).env("PATH", format!("{}:{path}", bin.display()));
        for secret in ["BITRIX24_WEBHOOK_URL", "BITRIX_WEBHOOK_URL", "B24_WEBHOOK_URL", "B24_HOOK"] {
            command.env(secret, brand.portal.admin_webhook());
        }
        command.env("CI_JOB_TOKEN", "s3cret").env("SSH_AUTH_SOCK", "/nowhere").env("LANG", "C.UTF-8");
        command.env("GIT_SSH_COMMAND", "/bin/false").env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "x.y");
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 2)), "{line}: {errors}");
        assert!(!mark.exists(), "{line}: {}", fs::read_to_string(&mark).unwrap_or_default());
    }
    let allowed = [
        "PATH",
        "HOME",
        "XDG_CONFIG_HOME",
        "LC_ALL",
        "LANG",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
        "GIT_NO_LAZY_FETCH",
        "GIT_ALLOW_PROTOCOL",
        "GIT_TERMINAL_PROMPT",
        "GIT_OPTIONAL_LOCKS",
        "GIT_LITERAL_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_ATTR_NOSYSTEM",
        "GIT_WORK_TREE",
        "GIT_CEILING_DIRECTORIES",
    ];
    let seen = fs::read_to_string(&seen).unwrap();
    assert!(seen.contains("GIT_WORK_TREE="), "Git was never run");
    for line in seen.lines() {
        let name = line.split('=').next().unwrap();
        assert!(allowed.contains(&name), "Git is given {line}");
    }
}

#[test]
fn a_repository_that_was_committed_beside_the_manifest_is_not_asked() {
    let brand = Brand::new().in_git();
    let inner = brand.path("brand");
    fs::create_dir_all(inner.join("icons")).unwrap();
    fs::rename(brand.path("brand.yaml"), inner.join("brand.yaml")).unwrap();
    for (name, mark) in [("acme-a", 1), ("acme-b", 2)] {
        fs::write(inner.join(format!("icons/{name}.png")), art(Kind::Icon, mark)).unwrap();
    }
    // HEAD, config, index, objects and refs, as a bare repository has them, with traps in its settings.
    let other = tempfile::tempdir().unwrap();
    git(other.path(), "init --quiet");
    fs::write(other.path().join("x.png"), "x").unwrap();
    git(other.path(), "add .");
    git(other.path(), "commit --quiet --message forged");
    for name in ["HEAD", "config", "index", "objects", "refs", "info"] {
        fs::rename(other.path().join(".git").join(name), inner.join(name)).unwrap();
    }
    fs::create_dir_all(inner.join("info")).unwrap();
    fs::write(inner.join("info/attributes"), "* filter=evil\n").unwrap();
    let mark = trap(&brand, &inner.join("config"));
    git_with(&inner, ["config", "--file", inner.join("config").to_str().unwrap(), "core.bare", "false"]);
    brand.commit();
    brand.json("apply --yes --settle 0.1 -f brand/brand.yaml").ends_with(0);
    fs::write(inner.join("icons/acme-a.png"), art(Kind::Icon, 11)).unwrap();
    brand.commit();
    brand.seed("icon/acme-b", &art(Kind::Icon, 22));
    let _ = fs::remove_dir_all(inner.join(".brandctl"));
    let drift = brand.json("drift -f brand/brand.yaml").ends_with(2);
    assert_eq!(origins(&drift), ["pending icon/acme-a", "drifted icon/acme-b"], "{}", whys(&drift));
    // Without the repository around it, it still is not one.
    fs::rename(brand.path(".git"), brand.path("elsewhere")).unwrap();
    let drift = brand.json("drift -f brand/brand.yaml").ends_with(2);
    assert_eq!(origins(&drift), ["unknown icon/acme-a", "unknown icon/acme-b"]);
    assert!(whys(&drift).contains("not in a Git repository"), "{}", whys(&drift));
    assert!(!mark.exists(), "something ran");
}

#[test]
fn a_git_file_that_leads_into_the_checkout_or_nowhere_is_not_believed() {
    for (case, text) in [("into", "gitdir: store\n"), ("nowhere", "gitdir: /nowhere\n"), ("no path", "ref: x\n")] {
        let brand = in_step();
        let mark = trap(&brand, &brand.path(".git/config"));
        fs::rename(brand.path(".git"), brand.path("store")).unwrap();
        fs::write(brand.path(".git"), text).unwrap();
        brand.undeclare("icon/acme-04");
        assert_eq!(refused(&brand, case, ""), ["checkout"]);
        let plan = brand.json("plan");
        assert_eq!(origins(&plan), ["unknown icon/acme-04"], "{case}");
        brand.json("apply --yes --settle 0.1 --allow-incomplete-checkout").ends_with(0);
        assert_eq!(brand.codes().len(), 4, "{case}");
        assert!(!mark.exists(), "{case}: something ran");
    }
}

// ---- What is not checked out ----

#[test]
fn a_sparse_checkout_deletes_nothing_that_it_left_out() {
    let cases = [
        (
            "not cone",
            "sparse-checkout set --no-cone /brand.yaml /icons/acme-00.png /icons/acme-01.png /icons/acme-02.png",
        ),
        ("skip-worktree", "update-index --skip-worktree icons/acme-03.png icons/acme-04.png"),
        ("assume-unchanged", "update-index --assume-unchanged icons/acme-03.png icons/acme-04.png"),
    ];
    each(cases, |(case, line)| {
        let brand = in_step();
        git(brand.folder.path(), line);
        for code in ["acme-03", "acme-04"] {
            let _ = fs::remove_file(brand.path(&format!("icons/{code}.png")));
        }
        assert_eq!(git(brand.folder.path(), "status --porcelain --untracked-files=no"), "", "{case}");
        assert_eq!(refused(&brand, case, ""), ["checkout"]);
        let plan = brand.json("plan -o plan.json").ends_with(4);
        assert!(message(&plan, "checkout").contains("leaves out 2 files that Git tracks in `icons/`"), "{plan:?}");
        assert!(message(&plan, "checkout").contains("--allow-incomplete-checkout"), "{plan:?}");
        // What is created and replaced passes, and a drift is told all the same.
        brand.json("drift").ends_with(2);
        brand.draw("icon/acme-00", &art(Kind::Icon, 77));
        brand.json("apply --yes --settle 0.1 --only acme-00").ends_with(0);
        assert_eq!(brand.image("icon/acme-00"), Some(art(Kind::Icon, 77)), "{case}");
        // A plan that was saved has to pass again.
        brand.draw("icon/acme-00", &art(Kind::Icon, 0));
        brand.json("apply --yes --settle 0.1 --only acme-00").ends_with(0);
        brand.json("plan -o plan.json --allow-incomplete-checkout").ends_with(0);
        let again = brand.writing_nothing(|| brand.apply_saved("plan.json").ends_with(4));
        assert_eq!(again.refused(), ["checkout"], "{case}");
        let allowed = brand.json("apply plan.json --settle 0.1 --allow-incomplete-checkout").ends_with(0);
        assert!(
            allowed.json["guards"].to_string().contains(r#""guard":"checkout","outcome":"allowed""#),
            "{allowed:?}"
        );
        assert_eq!(brand.codes().len(), 3, "{case}");
    });
}

#[test]
fn a_sparse_cone_or_index_without_the_folder_is_an_error_and_one_that_lacks_part_of_it_is_refused() {
    for index in ["--no-sparse-index", "--sparse-index"] {
        // The icons lie in a folder that is declared through a link, so that the cone can hold one and not the other.
        let brand = Brand::new().in_git().in_step(3);
        fs::create_dir(brand.path("kept")).unwrap();
        fs::write(brand.path("kept/file"), "x").unwrap();
        brand.commit();
        git(brand.folder.path(), &format!("sparse-checkout set --cone {index} kept"));
        assert!(!brand.path("icons").exists());
        let plan = brand.json("plan").ends_with(1);
        assert_eq!(plan.errors(), ["folder-unreadable"], "{index}");
        assert!(plan.text().contains("this sparse checkout leaves it out"), "{plan:?}");
        // A map that names one of them says so too.
        let map = format!("{}  acme-00:\n", "version: 1\nowns: [\"acme-*\"]\nicons:\n");
        fs::write(brand.path("map.yaml"), map).unwrap();
        let plan = brand.json("apply --yes -f map.yaml").ends_with(1);
        assert_eq!(plan.errors(), ["file-missing"], "{index}");
        assert!(plan.text().contains("this sparse checkout leaves it out"), "{plan:?}");
        // The folder is made by hand, with one of its files.
        fs::create_dir(brand.path("icons")).unwrap();
        brand.draw("icon/acme-00", &art(Kind::Icon, 0));
        assert_eq!(refused(&brand, index, "--max-deletes 9"), ["checkout"]);
    }
}

#[test]
fn what_was_deleted_on_purpose_is_an_ordinary_delete() {
    let with = |what: &str, delete: &dyn Fn(&Brand)| {
        let brand = in_step();
        delete(&brand);
        brand.apply().ends_with(0);
        assert_eq!(brand.codes().len(), 4, "{what}");
    };
    with("removed", &|brand| brand.undeclare("icon/acme-04"));
    with("git rm", &|brand| drop(git(brand.folder.path(), "rm --quiet icons/acme-04.png")));
    with("committed", &|brand| {
        git(brand.folder.path(), "rm --quiet icons/acme-04.png");
        brand.commit();
    });
    with("no commit yet", &|brand| {
        fs::remove_dir_all(brand.path(".git")).unwrap();
        git(brand.folder.path(), "init --quiet");
        brand.undeclare("icon/acme-04");
    });
    with("no repository", &|brand| {
        fs::remove_dir_all(brand.path(".git")).unwrap();
        brand.undeclare("icon/acme-04");
    });
    with("sparse elsewhere", &|brand| {
        fs::create_dir(brand.path("other")).unwrap();
        fs::write(brand.path("other/file"), "x").unwrap();
        brand.commit();
        git(brand.folder.path(), "sparse-checkout set --no-cone /* !/other/");
        assert!(!brand.path("other").exists());
        brand.undeclare("icon/acme-04");
    });
}

/// A repository with the icons in the submodule `art`, cloned without submodules into `clone`.
fn with_submodule() -> (Brand, tempfile::TempDir) {
    let shared = tempfile::tempdir().unwrap();
    git(shared.path(), "init --quiet --initial-branch main");
    fs::create_dir(shared.path().join("icons")).unwrap();
    let brand = Brand::new().in_git();
    for number in 0..3 {
        let png = art(Kind::Icon, number);
        fs::write(shared.path().join(format!("icons/acme-{number:02}.png")), &png).unwrap();
        brand.seed(&format!("icon/acme-{number:02}"), &png);
    }
    git(shared.path(), "add .");
    git(shared.path(), "commit --quiet --message art");
    let url = shared.path().to_str().unwrap().to_owned();
    git_with(brand.folder.path(), ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "art"]);
    brand.rewrite("version: 1\nowns: [\"acme-*\"]\nicons: art/icons/\n");
    fs::remove_dir(brand.path("icons")).unwrap();
    brand.commit();
    (brand, shared)
}

#[test]
fn a_submodule_that_is_not_fetched_or_behind_deletes_nothing() {
    let (brand, shared) = with_submodule();
    assert!(brand.plan().ends_with(0).changes().is_empty());
    // Behind: another commit is recorded than is checked out.
    fs::write(shared.path().join("icons/acme-03.png"), art(Kind::Icon, 3)).unwrap();
    git(shared.path(), "add .");
    git(shared.path(), "commit --quiet --message more");
    git_with(&brand.path("art"), ["-c", "protocol.file.allow=always", "pull", "--quiet"]);
    brand.commit();
    brand.apply().ends_with(0);
    git(&brand.path("art"), "checkout --quiet HEAD~1");
    assert_eq!(refused(&brand, "behind", ""), ["checkout"]);
    assert!(message(&brand.json("plan"), "checkout").contains("submodule update"), "{:?}", brand.json("plan"));
    git(&brand.path("art"), "checkout --quiet main");
    // Not fetched.
    git(brand.folder.path(), "submodule --quiet deinit --force art");
    let plan = brand.plan().ends_with(1);
    assert_eq!(plan.errors(), ["folder-unreadable"]);
    assert!(plan.text().contains("git submodule update --init -- art"), "{plan:?}");
    fs::create_dir_all(brand.path("art/icons")).unwrap();
    let options = "--allow-empty --max-deletes 9";
    assert_eq!(refused(&brand, "empty", options), ["checkout"]);
    assert!(message(&brand.json(&format!("plan {options}")), "checkout").contains("lacks the submodule `art`"));
    // A link to it is no way round.
    symlink("art/icons", brand.path("linked")).unwrap();
    brand.rewrite("version: 1\nowns: [\"acme-*\"]\nicons: linked/\n");
    assert_eq!(refused(&brand, "linked", options), ["checkout"]);
}

#[test]
fn a_clone_without_a_checkout_deletes_nothing_and_other_checkouts_work() {
    let origin = in_step();
    let url = format!("file://{}", origin.folder.path().display());
    let run = |folder: &Path, line: &str| {
        let mut command = command(folder);
        command.args(line.split(' ')).args(["--format", "json", "--max-deletes", "9"]);
        let output = command.env("BITRIX24_WEBHOOK_URL", origin.portal.admin_webhook()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let clones = tempfile::tempdir().unwrap();
    for (case, clone, then) in [
        (
            "bare index",
            "clone --quiet --no-checkout URL a",
            "restore --source=HEAD --worktree brand.yaml icons/acme-00.png",
        ),
        ("worktree", "clone --quiet URL b", "worktree add --quiet --detach tree"),
        ("shallow", "clone --quiet --depth 1 URL c", "status"),
        ("separate", "clone --quiet --separate-git-dir=kept.git URL d", "status"),
    ] {
        git(clones.path(), &clone.replace("URL", &url));
        let mut folder = clones.path().join(clone.rsplit(' ').next().unwrap());
        git_with(&folder, then.split(' '));
        if case == "bare index" {
            let (code, text) = run(&folder, "plan");
            assert!(code == 4 && text.contains(r#""checkout""#), "{case}: {text}");
            continue;
        }
        if case == "worktree" {
            folder = folder.join("tree");
        }
        fs::remove_file(folder.join("icons/acme-04.png")).unwrap();
        let (code, text) = run(&folder, "plan");
        assert!(code == 0 && text.contains(r#""action": "delete""#), "{case}: {text}");
        fs::write(folder.join("icons/acme-04.png"), art(Kind::Icon, 4)).unwrap();
        git(&folder, "update-index --skip-worktree icons/acme-04.png");
        fs::remove_file(folder.join("icons/acme-04.png")).unwrap();
        let (code, text) = run(&folder, "plan");
        assert!(code == 4 && text.contains("leaves out 1 file"), "{case}: {text}");
    }
}

#[test]
fn where_git_cannot_answer_a_folder_deletes_nothing_and_a_map_as_ever() {
    let brand = in_step();
    brand.undeclare("icon/acme-04");
    let empty = tempfile::tempdir().unwrap();
    let plan = |manifest: &str| {
        let mut command = command(brand.folder.path());
        command.args(["plan", "--format", "json", "-f", manifest]).env("PATH", empty.path());
        command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).output().unwrap()
    };
    let output = plan("brand.yaml");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("it is unknown whether all of `icons/` is checked out: git is not installed"), "{text}");
    let entries: String = (0..4).map(|number| format!("  acme-{number:02}:\n")).collect();
    fs::write(brand.path("map.yaml"), format!("version: 1\nowns: [\"acme-*\"]\nicons:\n{entries}")).unwrap();
    assert_eq!(plan("map.yaml").status.code(), Some(0));
    // A repository that is damaged cannot answer either.
    fs::remove_dir_all(brand.path(".git/objects")).unwrap();
    assert_eq!(refused(&brand, "damaged", ""), ["checkout"]);
    fs::remove_file(brand.path(".git/HEAD")).unwrap();
    assert_eq!(refused(&brand, "without HEAD", ""), ["checkout"]);
}

#[test]
fn a_checkout_of_somebody_else_needs_a_safe_directory() {
    let brand = in_step();
    let folder = brand.folder.path();
    if fs::metadata(folder).unwrap().uid() != 0 {
        // Only root can give files away.
        return;
    }
    brand.undeclare("icon/acme-04");
    let given = std::process::Command::new("chown").args(["-R", "4321"]).arg(folder).status().unwrap();
    assert!(given.success());
    assert_eq!(refused(&brand, "somebody else's", ""), ["checkout"]);
    assert!(message(&brand.json("plan"), "checkout").contains("safe.directory"), "{:?}", brand.json("plan"));
    // A `.git` that belongs neither to this user nor to the owner of the folder is not even asked.
    let planted = std::process::Command::new("chown").arg("1234").arg(brand.path(".git")).status().unwrap();
    assert!(planted.success());
    fs::write(brand.path(".gitconfig"), "[safe]\n\tdirectory = *\n").unwrap();
    assert!(
        message(&brand.json("plan"), "checkout")
            .contains("belongs neither to this user nor to the owner of its folder"),
        "{:?}",
        brand.json("plan")
    );
    let back = std::process::Command::new("chown").arg("4321").arg(brand.path(".git")).status().unwrap();
    assert!(back.success());
    brand.apply().ends_with(0);
    assert_eq!(brand.codes().len(), 4);
}

// ---- Who moved, behind links ----

#[test]
fn art_behind_links_has_the_history_of_where_they_lead() {
    let head = "version: 1\nowns: [\"acme-*\"]\n";
    for case in ["a link a file", "a linked folder", "a link to a link", "a folder above the manifest's"] {
        let brand = Brand::new().in_git();
        fs::create_dir_all(brand.path("shared/icons")).unwrap();
        let draw = |name: &str, mark: u8| {
            fs::write(brand.path(&format!("shared/icons/{name}.png")), art(Kind::Icon, mark)).unwrap();
        };
        for (name, mark) in [("acme-a", 1), ("acme-b", 2), ("acme-c", 3)] {
            draw(name, mark);
            if case == "a link a file" {
                symlink(format!("../shared/icons/{name}.png"), brand.path(&format!("icons/{name}.png"))).unwrap();
            }
        }
        let mut manifest = "brand.yaml";
        match case {
            "a link a file" => {}
            "a folder above the manifest's" => {
                // The home folder is not a root for what lies deeper.
                manifest = "clients/a/brand.yaml --root .";
                fs::create_dir_all(brand.path("clients/a")).unwrap();
                let text = format!("{head}icons: ../../shared/icons/\n");
                fs::write(brand.path("clients/a/brand.yaml"), text).unwrap();
                fs::remove_file(brand.path("brand.yaml")).unwrap();
            }
            _ => {
                fs::remove_dir(brand.path("icons")).unwrap();
                symlink("shared/icons", brand.path("first")).unwrap();
                let target = if case == "a linked folder" { "shared/icons" } else { "first" };
                symlink(target, brand.path("icons")).unwrap();
            }
        }
        brand.commit();
        brand.json(&format!("apply --yes --settle 0.1 -f {manifest}")).ends_with(0);
        brand.forget();
        let _ = fs::remove_dir_all(brand.path("clients/a/.brandctl"));
        draw("acme-a", 11);
        // Of a link that is gone nobody knows where it led.
        let expected: &[&str] = if case == "a link a file" {
            &["pending icon/acme-a", "drifted icon/acme-b"]
        } else {
            fs::remove_file(brand.path("shared/icons/acme-c.png")).unwrap();
            &["pending icon/acme-a", "drifted icon/acme-b", "pending icon/acme-c"]
        };
        brand.commit();
        brand.seed("icon/acme-b", &art(Kind::Icon, 22));
        let drift = brand.json(&format!("drift --only-portal -f {manifest}")).ends_with(2);
        assert_eq!(origins(&drift), expected, "{case}: {}", whys(&drift));
    }
}

#[test]
fn a_link_that_led_elsewhere_before_and_a_submodule_are_unknown_and_not_passed_over() {
    let brand = Brand::new().in_git();
    fs::create_dir(brand.path("shared")).unwrap();
    for (name, mark) in [("old", 1), ("new", 2)] {
        fs::write(brand.path(&format!("shared/{name}.png")), art(Kind::Icon, mark)).unwrap();
    }
    symlink("../shared/old.png", brand.path("icons/acme-a.png")).unwrap();
    brand.commit();
    brand.apply().ends_with(0);
    brand.forget();
    fs::remove_file(brand.path("icons/acme-a.png")).unwrap();
    symlink("../shared/new.png", brand.path("icons/acme-a.png")).unwrap();
    brand.commit();
    let drift = brand.json("drift --only-portal").ends_with(1);
    assert_eq!(origins(&drift), ["unknown icon/acme-a"], "{}", whys(&drift));

    let (brand, _shared) = with_submodule();
    brand.seed("icon/acme-01", &art(Kind::Icon, 99));
    let drift = brand.json("drift --only-portal").ends_with(1);
    assert_eq!(origins(&drift), ["unknown icon/acme-01"], "{}", whys(&drift));
    assert!(whys(&drift).contains("submodule"), "{}", whys(&drift));
}

#[test]
fn a_pointer_of_lfs_is_named_and_never_uploaded() {
    let brand = in_step();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 149\n", "0".repeat(64));
    brand.draw("icon/acme-00", pointer.as_bytes());
    let plan = brand.writing_nothing(|| brand.json("apply --yes")).ends_with(1);
    assert!(plan.text().contains("git lfs pull"), "{plan:?}");
}

/// A commit brings a link, and what it leads to may be a file of a job's with secrets in it: errors would quote its lines.
#[test]
fn a_link_to_a_file_that_git_does_not_track_is_not_read_as_a_manifest() {
    let brand = in_step();
    fs::rename(brand.path("brand.yaml"), brand.path("real.yaml")).unwrap();
    std::os::unix::fs::symlink("real.yaml", brand.path("brand.yaml")).unwrap();
    git(brand.folder.path(), "add -A");
    brand.run(["validate"]).ends_with(0);
    fs::write(brand.path("ci-secrets.yaml"), "password: s3cr3t-of-the-job\n").unwrap();
    fs::remove_file(brand.path("brand.yaml")).unwrap();
    std::os::unix::fs::symlink("ci-secrets.yaml", brand.path("brand.yaml")).unwrap();
    git(brand.folder.path(), "add brand.yaml");
    let output = brand.both("validate").ends_with(1);
    assert!(output.text().contains("a link to a file that Git does not track"), "{output:?}");
    assert!(!output.text().contains("s3cr3t-of") && !output.text().contains("password"), "{output:?}");
    // Whoever names it wants it read.
    brand.run(["validate", "-f", "real.yaml"]).ends_with(0);
}
