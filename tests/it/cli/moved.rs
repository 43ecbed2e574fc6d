//! Who moved: the portal or the repository, by real histories of Git.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use brandctl::domain::asset::Kind;

use crate::common::{Brand, Output, art, command, each, found, one_pixel_off, reencoded};

/// Git that knows nothing of the user who runs the tests.
pub(super) fn git(folder: &Path, line: &str) -> String {
    git_with(folder, line.split_whitespace())
}

pub(super) fn git_with<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a str>) -> String {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "somebody").env(format!("GIT_{role}_EMAIL"), "somebody@example.com");
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.arg("-C").arg(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Git keeps no empty folder, so there is none.
const ICONS: &str = "version: 1\nowns: [\"acme-*\"]\nicons: icons/\n";

pub(crate) trait InGit: Sized {
    /// It is a repository of its own.
    fn in_git(self) -> Self;
    /// All files are committed.
    fn commit(&self) -> String;
    /// The runner is thrown away, and the state folder with it.
    fn forget(&self);
}

impl InGit for Brand {
    fn in_git(self) -> Self {
        git(self.folder.path(), "init --quiet --initial-branch main");
        self.manifest(ICONS)
    }

    fn commit(&self) -> String {
        git(self.folder.path(), "add --all");
        git(self.folder.path(), "commit --quiet --allow-empty --message change");
        git(self.folder.path(), "rev-parse HEAD")
    }

    fn forget(&self) {
        let _ = fs::remove_dir_all(self.path(".brandctl"));
    }
}

/// `pending icon/acme-call` and so on.
pub(super) fn origins(output: &Output) -> Vec<String> {
    let changes = output.json["changes"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("none").to_owned();
    changes.iter().map(|change| format!("{} {}", text(&change["origin"]["kind"]), text(&change["address"]))).collect()
}

pub(super) fn whys(output: &Output) -> String {
    let changes = output.json["changes"].as_array().unwrap();
    changes.iter().map(|change| format!("{}\n", change["origin"]["why"].as_str().unwrap())).collect()
}

/// Three icons in two commits, applied and forgotten: the second commit shows that the first one was applied.
fn applied() -> Brand {
    let brand = Brand::new().in_git().declares("icon/acme-a", 1).declares("icon/acme-b", 2);
    brand.commit();
    let brand = brand.declares("icon/acme-c", 3);
    brand.commit();
    brand.apply().ends_with(0);
    brand.forget();
    brand
}

#[test]
fn pending_drifted_vanished_and_unknown_are_told_apart() {
    let brand = applied().declares("icon/acme-a", 11);
    brand.commit();
    brand.seed("icon/acme-b", &art(Kind::Icon, 22));
    brand.seed("icon/acme-x", &art(Kind::Icon, 23));
    let brand = brand.declares("icon/acme-d", 4);
    let drift = brand.writing_nothing(|| brand.both("drift")).ends_with(2);
    assert_eq!(
        origins(&drift),
        ["pending icon/acme-a", "drifted icon/acme-b", "pending icon/acme-d", "drifted icon/acme-x"],
        "{}",
        whys(&drift)
    );
    assert!(whys(&drift).contains("not committed") && whys(&drift).contains("never declared"), "{}", whys(&drift));
    insta::assert_snapshot!(drift.out(), @"
      drifted     icon/acme-b  was replaced on the portal by another image (208 of 576 pixels); the portal's image is not the one that was committed
      drifted     icon/acme-x  not declared; it was never declared: it was added on the portal, or was not owned before
      pending     icon/acme-a  not replaced yet (208 of 576 pixels); the portal has the version of commit COMMIT
      pending     icon/acme-d  not created yet; its image is not committed

    Drift: 3 of 4 declared entries differ; 1 undeclared entry on the portal.
           1 unchanged, 0 unmanaged, 90 system.
    Who moved: 2 pending, 2 drifted.

    Next:
      brandctl apply                                  make the portal match the manifest
      brandctl export --only icon/acme-b --overwrite  keep the portal's image instead
    ");
    insta::assert_snapshot!(drift.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    warning[low-contrast]: 4 findings of this rule
      = help: `brandctl validate` lists them one by one

    warning[history-uncommitted]: 1 declared image is not committed: differences because of that count as pending
      = help: commit what you want to apply
    ");
}

#[test]
fn an_entry_that_was_applied_and_is_gone_vanished() {
    let brand = applied();
    brand.portal.remove(Kind::Icon, "acme-a").unwrap();
    let drift = brand.json("drift").ends_with(2);
    assert_eq!(origins(&drift), ["vanished icon/acme-a"], "{}", whys(&drift));
    brand.json("drift --only-portal").ends_with(2);
    // What was committed together with the newest thing that the portal has may never have been applied.
    brand.apply().ends_with(0);
    brand.forget();
    brand.portal.remove(Kind::Icon, "acme-c").unwrap();
    let brand = brand.declares("icon/acme-e", 5);
    brand.commit();
    let drift = brand.json("drift").ends_with(2);
    assert_eq!(origins(&drift), ["pending icon/acme-c", "pending icon/acme-e"], "{}", whys(&drift));
    // A state folder knows.
    brand.apply().ends_with(0);
    brand.portal.remove(Kind::Icon, "acme-c").unwrap();
    assert_eq!(origins(&brand.json("drift").ends_with(2)), ["vanished icon/acme-c"]);
}

#[test]
fn what_no_run_and_no_portal_speaks_of_is_unknown() {
    let brand = Brand::new().in_git().declares("icon/acme-a", 1);
    brand.commit();
    let drift = brand.both("drift").ends_with(2);
    assert_eq!(origins(&drift), ["unknown icon/acme-a"]);
    insta::assert_snapshot!(drift.out(), @"
      missing     icon/acme-a  is not on the portal

    Drift: 1 of 1 declared entry differs.
           0 unchanged, 0 unmanaged, 90 system.
    Who moved is unknown: no apply is known: the state folder has no run, and the portal has no committed image.

    Next:
      brandctl apply  make the portal match the manifest
    ");
    let only = brand.both("drift --only-portal").ends_with(1);
    assert_eq!(only.errors(), ["origin-unknown"]);
    insta::assert_snapshot!(only.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    warning[low-contrast]: the image has little contrast: 1.3:1 on the white marker of log entries, 1.4:1 on the blue marker of activities (#2fc6f6)
    --> icons/acme-a.png (icon/acme-a)
     = help: draw it in a darker colour, or give it a dark outline

    error[origin-unknown]: it is unknown for 1 entry whether the portal or the repository moved
      = help: the reasons are above; omit --only-portal if it does not matter who moved
    ");
}

#[test]
fn every_older_version_is_pending_however_it_is_encoded() {
    let brand = applied();
    for mark in [31, 32, 33] {
        brand.draw("icon/acme-a", &art(Kind::Icon, mark));
        brand.commit();
    }
    for live in [art(Kind::Icon, 1), reencoded(Kind::Icon, 31), art(Kind::Icon, 32)] {
        brand.seed("icon/acme-a", &live);
        assert_eq!(origins(&brand.json("drift --only-portal").ends_with(0)), ["pending icon/acme-a"]);
    }
    brand.seed("icon/acme-a", &one_pixel_off(Kind::Icon, 32));
    let drift = brand.json("drift --only-portal").ends_with(2);
    assert_eq!(origins(&drift), ["drifted icon/acme-a"]);
    assert!(whys(&drift).contains("not one of the 4"), "{}", whys(&drift));
}

#[test]
fn a_code_keeps_its_past_through_renamed_files_maps_folders_and_moved_manifests() {
    let head = "version: 1\nowns: [\"acme-*\"]\n";
    let brand = applied();
    let folder = brand.folder.path();
    // From the folder to a map with another file, with another image, then a moved manifest in a folder of its own.
    git(folder, "mv icons/acme-a.png icons/renamed.png");
    brand.rewrite(format!("{head}icons:\n  acme-a: icons/renamed.png\n  acme-b:\n  acme-c:\n"));
    brand.commit();
    assert_eq!(origins(&brand.plan()), [""; 0], "the same image");
    fs::write(brand.path("icons/renamed.png"), art(Kind::Icon, 41)).unwrap();
    brand.commit();
    assert_eq!(origins(&brand.plan()), ["pending icon/acme-a"], "{}", whys(&brand.plan()));
    fs::create_dir(brand.path("brand")).unwrap();
    for name in ["icons", "brand.yaml"] {
        git(folder, &format!("mv {name} brand/{name}"));
    }
    brand.commit();
    fs::write(brand.path("brand/new.png"), art(Kind::Icon, 42)).unwrap();
    fs::remove_file(brand.path("brand/icons/renamed.png")).unwrap();
    let map = format!("{head}icons:\n  acme-a: {{file: new.png}}\n  acme-b:\n  acme-c:\n");
    fs::write(brand.path("brand/brand.yaml"), map).unwrap();
    brand.commit();
    let plan = brand.json("plan -f brand/brand.yaml");
    assert_eq!(origins(&plan), ["pending icon/acme-a"], "{}", whys(&plan));
    // And back to a folder, under another name of the manifest.
    git(folder, "mv brand/brand.yaml brand/other.yml");
    git(folder, "mv brand/new.png brand/icons/acme-a.png");
    fs::write(brand.path("brand/other.yml"), format!("{head}icons: icons\n")).unwrap();
    brand.commit();
    let drift = brand.json("drift --only-portal -f brand/other.yml").ends_with(0);
    assert_eq!(origins(&drift), ["pending icon/acme-a"], "{}", whys(&drift));
    brand.seed("icon/acme-a", &art(Kind::Icon, 99));
    let drift = brand.json("drift --only-portal -f brand/other.yml").ends_with(2);
    assert_eq!(origins(&drift), ["drifted icon/acme-a"]);
    assert!(whys(&drift).contains("not one of the 3"), "{}", whys(&drift));
}

#[test]
fn a_rename_is_pending_on_both_sides_and_shown_as_a_pair_in_every_format() {
    let brand = applied();
    git(brand.folder.path(), "mv icons/acme-a.png icons/acme-zz.png");
    brand.commit();
    let plan = brand.both("plan -o plan.json --report p.md --report p.html --report p.xml");
    assert_eq!(origins(&plan), ["pending icon/acme-a", "pending icon/acme-zz"], "{}", whys(&plan));
    let read = |name: &str| fs::read_to_string(brand.path(name)).unwrap();
    insta::assert_snapshot!(plan.out(), @"
      ~ rename

      ~ icon/acme-zz  renamed from icon/acme-a; pending: declared since commit COMMIT, and the portal has no image from that commit or later

    Plan: 0 to create, 0 to replace, 0 to delete, 1 to rename.
          2 unchanged, 0 unmanaged, 90 system.
    Who moved: 1 pending.

    Next:
      brandctl apply plan.json  make exactly these changes
    ");
    assert_eq!(plan.json["changes"][0]["rename"], "icon/acme-zz");
    assert_eq!(plan.json["changes"][1]["rename"], "icon/acme-a");
    assert!(read("p.md").contains("| renamed from `icon/acme-a`<br>"), "{}", read("p.md"));
    assert!(read("p.xml").contains("rename: renamed from icon/acme-a; "), "{}", read("p.xml"));
    assert!(read("p.html").contains("class=\"card rename icon\""));
    for line in ["plan --format diff", "show plan.json --format diff"] {
        let diff = brand.run(line.split(' ')).ends_with(0).stdout;
        assert!(
            diff.contains(" # renamed from icon/acme-a\n") && diff.contains(" # renamed to icon/acme-zz\n"),
            "{diff}"
        );
        assert!(diff.contains("# icon/acme-zz: pending: declared since commit "), "{diff}");
    }
    insta::assert_snapshot!(brand.run(["show", "plan.json"]).ends_with(0).out(), @"
    warning[low-contrast]: 3 findings of this rule
      ~ rename

      ~ icon/acme-zz  renamed from icon/acme-a; pending: declared since commit COMMIT, and the portal has no image from that commit or later

    Plan: 0 to create, 0 to replace, 0 to delete, 1 to rename.
          2 unchanged, 0 unmanaged, 90 system.
    Who moved: 1 pending.

    Next:
      brandctl apply plan.json  make exactly these changes
    ");
    // Of a run, and of putting back what it deleted.
    brand.apply().ends_with(0);
    let run = fs::read_dir(brand.path(".brandctl")).unwrap().flatten().find_map(|portal| {
        Some(fs::read_dir(portal.path().join("runs")).ok()?.flatten().find(|run| run.path().is_dir())?.file_name())
    });
    let run = run.unwrap().into_string().unwrap();
    insta::assert_snapshot!(brand.run(["show", &run]).ends_with(0).out(), @"
    warning[low-contrast]: 3 findings of this rule
      ~ rename

      ~ icon/acme-zz  renamed from icon/acme-a; pending: declared since commit COMMIT, and the portal has no image from that commit or later

    Plan: 0 to create, 0 to replace, 0 to delete, 1 to rename.
          2 unchanged, 0 unmanaged, 90 system.
    Who moved: 1 pending.
    RUN  TIME  PORTAL  applied 1 change  at COMMIT+
    Applied 1 change and read back.
    ");
}

#[test]
fn the_exit_code_is_the_same_in_every_format_and_the_list_is_whole() {
    let brand = applied().declares("icon/acme-a", 11);
    brand.commit();
    let run = |line: &str, code: i32| brand.run(line.split(' ')).ends_with(code);
    for (case, code) in [("pending", 0), ("drifted", 2), ("unknown", 1)] {
        match case {
            "drifted" => brand.seed("icon/acme-b", &art(Kind::Icon, 50)),
            "unknown" => fs::rename(brand.path(".git"), brand.path("elsewhere")).unwrap(),
            _ => {}
        }
        for format in ["human", "json", "diff"] {
            let output = run(
                &format!("drift --only-portal --format {format} --report r.xml --report r.md --report r.html"),
                code,
            );
            assert!(output.stdout.contains("acme-a"), "{case}: {output:?}");
            run(&format!("drift --format {format}"), 2);
        }
        let junit = fs::read_to_string(brand.path("r.xml")).unwrap();
        let skipped = "<skipped type=\"replace.pending\"";
        assert_eq!(junit.contains(skipped), case != "unknown", "{junit}");
        assert_eq!(junit.contains("<failure type=\"replace.drifted\""), case == "drifted", "{junit}");
    }
}

#[test]
fn shallow_clones_say_so_and_do_not_guess() {
    let origin = applied().declares("icon/acme-a", 11);
    origin.commit();
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", origin.folder.path().display());
    git(clone.path(), &format!("clone --quiet --depth 1 {url} clone"));
    let drift = |arguments: &[&str]| {
        let mut command = command(&clone.path().join("clone"));
        command.args(["drift", "--format", "json"]).args(arguments);
        command.env("BITRIX24_WEBHOOK_URL", origin.portal.admin_webhook()).output().unwrap()
    };
    let output = drift(&["--only-portal"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json["changes"][0]["origin"]["kind"], "unknown", "{json:#}");
    assert!(json.to_string().contains("fetch-depth: 0"), "{json:#}");
    git(&clone.path().join("clone"), "fetch --quiet --unshallow");
    assert_eq!(drift(&["--only-portal"]).status.code(), Some(0));
}

#[test]
fn without_git_or_a_commit_the_origin_is_unknown_and_says_why() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    let reason = || whys(&brand.json("drift").ends_with(2));
    assert!(reason().contains("not in a Git repository"), "{}", reason());
    git(brand.folder.path(), "init --quiet");
    assert!(reason().contains("no commit yet"), "{}", reason());
    git(brand.folder.path(), "add icons");
    git(brand.folder.path(), "commit --quiet --message art");
    assert!(reason().contains("manifest is not committed"), "{}", reason());
    let mut bare = command(brand.folder.path());
    bare.args(["drift", "--format", "json"]).env("PATH", brand.path("icons"));
    let output = bare.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("git is not installed"), "{output:?}");
    // The plan is still a plan, and says nothing that is already known.
    let plan = brand.run(["plan"]).ends_with(0);
    assert!(!plan.text().contains("unknown"), "{plan:?}");
}

#[test]
fn versions_of_merged_branches_and_of_merges_themselves_count() {
    let brand = applied();
    let folder = brand.folder.path();
    git(folder, "checkout --quiet -b topic");
    for mark in [61, 1] {
        // The branch takes back what it did: a merge of it changes nothing.
        brand.draw("icon/acme-a", &art(Kind::Icon, mark));
        brand.commit();
    }
    brand.draw("icon/acme-b", &art(Kind::Icon, 62));
    brand.commit();
    git(folder, "checkout --quiet main");
    brand.draw("icon/acme-b", &art(Kind::Icon, 63));
    brand.commit();
    // A merge with an image that neither side had.
    git(folder, "merge --quiet --no-commit --strategy ours topic");
    brand.draw("icon/acme-b", &art(Kind::Icon, 64));
    brand.commit();
    brand.draw("icon/acme-b", &art(Kind::Icon, 65));
    brand.commit();
    brand.seed("icon/acme-a", &art(Kind::Icon, 61));
    for mark in [62, 63, 64] {
        brand.seed("icon/acme-b", &art(Kind::Icon, mark));
        assert_eq!(origins(&brand.plan()), ["pending icon/acme-a", "pending icon/acme-b"], "{mark}");
    }
    brand.seed("icon/acme-b", &art(Kind::Icon, 66));
    assert_eq!(origins(&brand.plan()), ["pending icon/acme-a", "drifted icon/acme-b"]);
}

#[test]
fn neither_settings_nor_the_environment_change_the_answer_or_run_anything() {
    let brand = applied().declares("icon/acme-a", 11);
    brand.commit();
    let folder = brand.folder.path();
    let mark = brand.path("executed");
    let script = brand.path("evil");
    fs::write(&script, format!("#!/bin/sh\ntouch {}\nexit 1\n", mark.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(brand.path(".gitattributes"), "*.png diff=evil\n").unwrap();
    let evil = script.to_str().unwrap();
    for (key, value) in [
        ("core.fsmonitor", evil),
        ("core.pager", evil),
        ("diff.external", evil),
        ("diff.evil.textconv", evil),
        ("diff.evil.command", evil),
        ("gpg.program", evil),
        ("log.showSignature", "true"),
        ("log.showRoot", "false"),
        ("log.follow", "true"),
        ("log.decorate", "full"),
        ("diff.renames", "copies"),
        ("diff.relative", "true"),
        ("diff.orderFile", "nowhere"),
        ("color.ui", "always"),
        ("format.pretty", "fuller"),
        ("core.quotePath", "true"),
    ] {
        git_with(folder, ["config", key, value]);
    }
    // Another history in place of this one.
    let (head, root) = (git(folder, "rev-parse HEAD"), git(folder, "rev-list --max-parents=0 HEAD"));
    git(folder, &format!("replace {head} {root}"));
    let other = Brand::new().in_git();
    other.commit();
    let mut command = command(folder);
    command.args(["drift", "--only-portal", "--format", "json"]);
    command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook());
    command
        .env("GIT_DIR", other.path(".git"))
        .env("GIT_WORK_TREE", other.folder.path())
        .env("GIT_INDEX_FILE", "nowhere");
    command
        .env("GIT_EXTERNAL_DIFF", evil)
        .env("GIT_LITERAL_PATHSPECS", "1")
        .env("GIT_PAGER", evil)
        .env("GIT_TRACE", "1");
    let output = command.output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["changes"][0]["origin"]["kind"], "pending", "{json:#}");
    assert_eq!(output.status.code(), Some(0));
    assert!(!mark.exists(), "something was run");
}

#[test]
fn hostile_names_and_broken_manifests_in_the_history_are_passed_over() {
    use std::os::unix::ffi::OsStrExt as _;
    let brand = applied();
    for name in
        [&b"icons/a\nb.png"[..], b"icons/commit 0.png", b"icons/\":x\t.png", b"\xff\xfe.png", b":100644 x", b"-x.yaml"]
    {
        fs::write(brand.path("").join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
    }
    for broken in ["icons: [", "\u{0}", "version: 2\n", ""] {
        brand.rewrite(broken);
        brand.commit();
    }
    for name in fs::read_dir(brand.path("icons")).unwrap().flatten() {
        if !name.file_name().to_string_lossy().starts_with("acme-") {
            fs::remove_file(name.path()).unwrap();
        }
    }
    let brand = brand.manifest(ICONS).declares("icon/acme-a", 11);
    brand.commit();
    brand.seed("icon/acme-b", &art(Kind::Icon, 22));
    let drift = brand.json("drift").ends_with(2);
    assert_eq!(origins(&drift), ["pending icon/acme-a", "drifted icon/acme-b"], "{}", whys(&drift));
}

#[test]
fn repositories_of_sha_256_worktrees_subfolders_and_lfs_work() {
    let sha256 = Brand::new().manifest(ICONS);
    git(sha256.folder.path(), "init --quiet --object-format=sha256");
    let lfs = Brand::new().in_git();
    let sub = Brand::new().in_git();
    each([("sha256", sha256), ("lfs", lfs), ("worktree", sub)], |(case, brand)| {
        let brand = brand.declares("icon/acme-a", 1).declares("icon/acme-b", 2);
        let folder = brand.folder.path();
        // What LFS commits is a note, which a filter makes of the file.
        let filter = |name: &str| {
            let bytes = fs::read(brand.path(&format!("icons/{name}.png"))).unwrap();
            let sha256 = brandctl::domain::asset::Digest::of(&bytes);
            let note =
                format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {}\n", bytes.len());
            fs::write(brand.path("note"), note).unwrap();
            let id = git(folder, "hash-object -w note");
            fs::remove_file(brand.path("note")).unwrap();
            git(folder, &format!("update-index --add --cacheinfo 100644,{id},icons/{name}.png"));
        };
        let commit = || {
            if case == "lfs" {
                git(folder, "add brand.yaml");
                filter("acme-a");
                filter("acme-b");
                git(folder, "commit --quiet --message change");
            } else {
                brand.commit();
            }
        };
        commit();
        brand.apply().ends_with(0);
        brand.forget();
        brand.draw("icon/acme-a", &art(Kind::Icon, 11));
        commit();
        brand.seed("icon/acme-b", &art(Kind::Icon, 22));
        let (at, manifest) = match case {
            "worktree" => {
                git(folder, "worktree add --quiet --detach tree");
                ("tree", "brand.yaml")
            }
            _ => (".", "brand.yaml"),
        };
        let drift = brand.json(&format!("drift -f {at}/{manifest}")).ends_with(2);
        assert_eq!(origins(&drift), ["pending icon/acme-a", "drifted icon/acme-b"], "{case}: {}", whys(&drift));
    });
}

#[test]
fn a_plan_costs_four_processes_of_git_however_much_there_is() {
    let brand = applied();
    for number in 0..20 {
        let address = format!("icon/acme-{number:02}");
        brand.draw(&address, &art(Kind::Icon, 100 + number));
        brand.seed(&address, &art(Kind::Icon, 200 + number));
        brand.rewrite(format!("version: 1\nowns: [\"acme-*\"]\nicons: icons/ # {number}\n"));
        brand.commit();
    }
    let (bin, log) = (brand.path("bin"), brand.path("processes"));
    fs::create_dir(&bin).unwrap();
    let path = std::env::var("PATH").unwrap();
    let wrapper = format!("#!/bin/sh\necho \"$@\" >> '{}'\nPATH='{path}' exec git \"$@\"\n", log.display());
    fs::write(bin.join("git"), wrapper).unwrap();
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = command(brand.folder.path());
    command.args(["drift", "--format", "json"]).env("PATH", format!("{}:{path}", bin.display()));
    let output = command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json["changes"].as_array().unwrap().iter().all(|change| change["origin"]["kind"] == "drifted"), "{json:#}");
    let processes = fs::read_to_string(&log).unwrap();
    let count = |word: &str| processes.lines().filter(|line| line.contains(word)).count();
    let counts = [" ls-files ", " rev-parse ", " log ", " cat-file "].map(count);
    assert_eq!((counts, processes.lines().count()), ([1, 1, 1, 1], 4));
    // Where nothing differs, nobody asks who moved; whether the state is Git's is asked each time.
    fs::remove_file(&log).unwrap();
    brand.apply().ends_with(0);
    let mut command = drift_of(&brand);
    command.env("PATH", format!("{}:{path}", bin.display()));
    assert_eq!(command.status().unwrap().code(), Some(0));
    let processes = fs::read_to_string(&log).unwrap();
    assert!(processes.lines().count() == 1 && processes.contains(" ls-files "), "{processes}");
}

fn drift_of(brand: &Brand) -> Command {
    let mut command = command(brand.folder.path());
    command.args(["drift", "--quiet"]).env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook());
    command
}

#[test]
fn what_a_run_put_there_uncommitted_is_no_drift_and_a_saved_plan_applies_elsewhere() {
    let brand = applied().declares("icon/acme-a", 70);
    brand.apply().ends_with(0);
    brand.draw("icon/acme-a", &art(Kind::Icon, 71));
    brand.commit();
    let drift = brand.json("drift --only-portal").ends_with(0);
    assert!(whys(&drift).contains("added it, and no commit in this history has it"), "{}", whys(&drift));
    // The same plan is valid without a history.
    brand.save_plan();
    brand.forget();
    fs::remove_dir_all(brand.path(".git")).unwrap();
    brand.apply_saved("plan.json").ends_with(0);
}

#[test]
fn a_failed_or_limited_run_does_not_make_what_it_left_out_vanish() {
    let brand = Brand::new().in_git().declares("icon/acme-a", 1).declares("icon/acme-b", 2);
    brand.commit();
    brand.apply_with("--only acme-a").ends_with(0);
    let drift = brand.json("drift").ends_with(2);
    assert_eq!(origins(&drift), ["unknown icon/acme-b"], "{}", whys(&drift));
    brand.apply().ends_with(0);
    brand.portal.remove(Kind::Icon, "acme-a").unwrap();
    assert_eq!(origins(&brand.json("drift").ends_with(2)), ["vanished icon/acme-a"]);
}

#[test]
fn a_clone_without_old_contents_fetches_none_and_says_so() {
    let origin = applied().declares("icon/acme-a", 11).declares("icon/acme-b", 12);
    origin.commit();
    origin.seed("icon/acme-b", &art(Kind::Icon, 22));
    git(origin.folder.path(), "config uploadpack.allowFilter true");
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", origin.folder.path().display());
    git(clone.path(), &format!("clone --quiet --filter=blob:none {url} clone"));
    let mut drift = command(&clone.path().join("clone"));
    drift.args(["drift", "--format", "json"]).env("BITRIX24_WEBHOOK_URL", origin.portal.admin_webhook());
    let json: serde_json::Value = serde_json::from_slice(&drift.output().unwrap().stdout).unwrap();
    // The version's name alone says what the portal has of a version.
    assert_eq!(json["changes"][0]["origin"]["kind"], "pending", "{json:#}");
    assert_eq!(json["changes"][1]["origin"]["kind"], "unknown", "{json:#}");
    assert!(json["changes"][1]["origin"]["why"].as_str().unwrap().contains("could not be read"), "{json:#}");
    let missing = git(&clone.path().join("clone"), "rev-list --objects --all --missing=print");
    assert!(missing.lines().any(|line| line.starts_with('?')), "something was fetched: {missing}");
}

#[test]
fn a_repository_of_somebody_else_is_refused_by_git_and_the_way_out_is_told() {
    let brand = applied().declares("icon/acme-a", 11);
    brand.commit();
    // The caller's variables do not reach Git: one that says so itself does.
    let bin = brand.path("bin");
    fs::create_dir(&bin).unwrap();
    let path = std::env::var("PATH").unwrap();
    let wrapper = format!("#!/bin/sh\nPATH='{path}' GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec git \"$@\"\n");
    fs::write(bin.join("git"), wrapper).unwrap();
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut drift = drift_of(&brand);
    drift.env("PATH", format!("{}:{path}", bin.display())).args(["--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&drift.output().unwrap().stdout).unwrap();
    assert_eq!(json["changes"][0]["origin"]["kind"], "unknown", "{json:#}");
    assert!(serde_json::json!(found(&json, "warning")).to_string().contains("safe.directory"), "{json:#}");
}

#[test]
fn a_folder_of_a_larger_repository_is_followed_where_it_was_before() {
    let brand = Brand::new().in_git().declares("icon/acme-a", 1).declares("icon/acme-b", 2);
    let folder = brand.folder.path();
    fs::create_dir_all(brand.path("teams/crm")).unwrap();
    for name in ["icons", "brand.yaml"] {
        fs::rename(brand.path(name), brand.path("teams/crm").join(name)).unwrap();
    }
    fs::write(brand.path("README"), "others work here too").unwrap();
    brand.commit();
    brand.json("apply --yes -f teams/crm/brand.yaml").ends_with(0);
    fs::remove_dir_all(brand.path("teams/crm/.brandctl")).unwrap();
    fs::write(brand.path("teams/crm/icons/acme-a.png"), art(Kind::Icon, 11)).unwrap();
    brand.commit();
    fs::create_dir(brand.path("branding")).unwrap();
    git(folder, "mv teams/crm branding/portal");
    brand.commit();
    fs::write(brand.path("branding/portal/icons/acme-b.png"), art(Kind::Icon, 12)).unwrap();
    fs::write(brand.path("README"), "and go on").unwrap();
    brand.commit();
    let plan = |_: ()| brand.json("plan -f branding/portal/brand.yaml");
    assert_eq!(origins(&plan(())), ["pending icon/acme-a", "pending icon/acme-b"], "{}", whys(&plan(())));
    brand.seed("icon/acme-b", &art(Kind::Icon, 99));
    assert_eq!(origins(&plan(())), ["pending icon/acme-a", "drifted icon/acme-b"], "{}", whys(&plan(())));
    // A run at a commit of the others is a known one.
    brand.json("apply --yes -f branding/portal/brand.yaml").ends_with(0);
    for code in ["acme-a", "acme-b"] {
        brand.portal.remove(Kind::Icon, code).unwrap();
    }
    assert_eq!(origins(&plan(())), ["vanished icon/acme-a", "vanished icon/acme-b"], "{}", whys(&plan(())));
}

#[test]
fn a_code_spelt_otherwise_on_the_portal_has_the_past_of_that_spelling() {
    let head = "version: 1\nowns: [\"acme-*\", \"Acme-*\"]\nrules: {code-style: off}\n";
    let brand = Brand::new().in_git().declares("icon/acme-a", 1);
    brand.rewrite(format!("{head}icons:\n  Acme-A: icons/acme-a.png\n"));
    brand.commit();
    brand.apply().ends_with(0);
    brand.forget();
    brand.rewrite(format!("{head}icons:\n  acme-a:\n"));
    brand.commit();
    assert_eq!(origins(&brand.json("drift --only-portal").ends_with(0)), ["pending icon/acme-a"]);
    brand.apply().ends_with(0);
    brand.forget();
    brand.portal.remove(Kind::Icon, "acme-a").unwrap();
    brand.seed("icon/ACME-a", &art(Kind::Icon, 1));
    brand.rewrite(format!("{head}icons:\n  acme-a:\n").replace("\"Acme-*\"", "\"Acme-*\", \"ACME-*\""));
    brand.commit();
    assert_eq!(origins(&brand.json("drift --only-portal").ends_with(2)), ["drifted icon/acme-a"]);
}

#[test]
fn a_run_that_put_the_declared_image_there_proves_that_the_portal_moved() {
    let brand = Brand::new().in_git().declares("icon/acme-a", 1).declares("icon/acme-b", 2);
    brand.commit();
    brand.apply().ends_with(0);
    let brand = brand.declares("icon/acme-a", 11);
    brand.undeclare("icon/acme-b");
    brand.commit();
    brand.apply().ends_with(0);
    // Somebody puts both back as they were: Git alone would call that pending.
    brand.seed("icon/acme-a", &art(Kind::Icon, 1));
    brand.seed("icon/acme-b", &art(Kind::Icon, 2));
    let drift = brand.json("drift --only-portal").ends_with(2);
    assert_eq!(origins(&drift), ["drifted icon/acme-a", "drifted icon/acme-b"], "{}", whys(&drift));
    brand.forget();
    let drift = brand.json("drift --only-portal").ends_with(0);
    assert_eq!(origins(&drift), ["pending icon/acme-a", "pending icon/acme-b"], "{}", whys(&drift));
}

#[test]
fn art_that_was_only_recompressed_or_renamed_says_nothing_of_what_was_applied() {
    let brand = Brand::new().in_git().declares("icon/acme-a", 1);
    brand.commit();
    brand.apply().ends_with(0);
    let brand = brand.declares("icon/acme-b", 2);
    brand.commit();
    brand.draw("icon/acme-a", &reencoded(Kind::Icon, 1));
    brand.commit();
    let drift = brand.json("drift --only-portal").ends_with(0);
    assert_eq!(origins(&drift), ["pending icon/acme-b"], "{}", whys(&drift));
    brand.forget();
    let drift = brand.json("drift").ends_with(2);
    assert_eq!(origins(&drift), ["unknown icon/acme-b"], "{}", whys(&drift));
}

#[test]
fn nothing_that_a_repository_sets_is_run() {
    let brand = Brand::new().in_git().declares("icon/acme-a", 1);
    fs::write(brand.path(".gitattributes"), "*.png filter=evil\n").unwrap();
    brand.commit();
    let mark = brand.path("mark");
    git_with(brand.folder.path(), ["config", "filter.evil.clean", &format!("touch {}; cat", mark.display())]);
    // As if it had been touched: Git would look at it again.
    brand.draw("icon/acme-a", &art(Kind::Icon, 1));
    // Of a file that is as new as the index Git itself knows nothing without reading it.
    let index = fs::File::options().append(true).open(brand.path(".git/index")).unwrap();
    index.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(10)).unwrap();
    brand.apply().ends_with(0);
    brand.json("drift").ends_with(0);
    assert!(!mark.exists(), "a filter ran");
}

#[test]
fn a_run_of_some_entries_is_not_taken_for_one_of_all_because_others_are_gone() {
    let brand = Brand::new().in_git().declares("icon/acme-a", 1).declares("icon/acme-b", 2).declares("icon/acme-x", 3);
    brand.commit();
    brand.run(["apply", "--yes", "--settle", "0.1", "--only", "icon/acme-a", "--only", "icon/acme-x"]).ends_with(0);
    brand.undeclare("icon/acme-x");
    brand.commit();
    let drift = brand.json("drift").ends_with(2);
    assert_eq!(origins(&drift), ["unknown icon/acme-b", "pending icon/acme-x"], "{}", whys(&drift));
}

#[test]
fn what_many_lines_share_is_said_once() {
    let brand = applied();
    let brand = (0..11).fold(brand, |brand, number| brand.declares(&format!("icon/acme-new-{number:02}"), 40 + number));
    brand.seed("icon/acme-b", &art(Kind::Icon, 22));
    brand.commit();
    for line in ["plan", "drift"] {
        let text = brand.run([line]).out();
        let said = "Who moved: 11 pending (declared since commit COMMIT, and the portal has no image from that commit or later), 1 drifted.";
        assert_eq!(text.matches("declared since").count(), 1, "{text}");
        assert!(text.contains(said) && text.contains("drifted"), "{text}");
    }
}
