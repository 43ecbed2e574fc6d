//! Where `-o`, `--report` and the commands that write files do not write, and where they always do.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::{Brand, MANIFEST, art, found};
use brandctl::domain::asset::Kind;

fn text(brand: &Brand, name: &str) -> String {
    fs::read_to_string(brand.path(name)).unwrap()
}

/// What a line of words does to nobody: it ends with 1, says why, asks the portal nothing and changes no file.
#[track_caller]
fn refused(brand: &Brand, line: &str, told: &str) {
    let asked = brand.seen(|_| true);
    let output = brand.writing_nothing(|| brand.run(line.split(' '))).ends_with(1);
    assert!(output.stderr.contains(told) || output.stdout.contains(told), "{line}: {output:?}");
    assert_eq!(brand.seen(|_| true), asked, "{line}: the portal is not even read");
}

#[cfg(unix)]
#[test]
fn an_output_that_is_a_link_is_refused_before_anything_is_sent() {
    use std::os::unix::fs::symlink;
    let brand = Brand::new().in_step(1).declares("icon/acme-new", 40);
    let home = tempfile::tempdir().unwrap();
    let theirs = home.path().join("bashrc");
    fs::write(&theirs, "theirs").unwrap();
    let absent = home.path().join("authorized_keys");
    for (name, target) in [("plan.json", &theirs), ("plan.md", &theirs), ("plan.html", &absent)] {
        symlink(target, brand.path(name)).unwrap();
    }
    for (line, target) in [
        ("plan -o plan.json", &theirs),
        ("plan --report plan.md", &theirs),
        ("plan --report xml=plan.html", &absent),
        ("apply --yes --report plan.md", &theirs),
        ("apply --yes --report plan.html", &absent),
        ("drift --report plan.html", &absent),
        ("list --report plan.md", &theirs),
        ("validate --report plan.md", &theirs),
    ] {
        let name = &line[line.find("plan.").unwrap()..];
        refused(&brand, line, &format!("{name}`: it is a link to {}", target.display()));
    }
    assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
    assert!(!absent.exists());
}

#[test]
fn art_is_never_written_over_by_whatever_name() {
    let brand = Brand::new().in_step(1).declares("icon/acme-new", 40);
    let own = fs::read(brand.path("icons/acme-new.png")).unwrap();
    brand.save_plan();
    fs::hard_link(brand.path("icons/acme-new.png"), brand.path("hard.html")).unwrap();
    for line in [
        "plan -o icons/acme-new.png",
        "plan --report html=icons/acme-new.png",
        "plan --report hard.html",
        "plan -o ok.json --report json=./icons/../icons/acme-new.png",
        "drift --report html=icons/acme-new.png",
        "list --report html=icons/acme-new.png",
        "apply --yes --report html=icons/acme-new.png",
        "apply plan.json --report html=icons/acme-new.png",
        "validate --report html=icons/acme-new.png",
        "validate icons/acme-new.png --report html=icons/acme-new.png",
        "plan --sandbox=box --report html=icons/acme-new.png",
    ] {
        refused(&brand, line, "would overwrite a file: an image is read from there");
    }
    // The image need not be a sound one, nor the manifest.
    fs::write(brand.path("icons/acme-00.png"), "theirs").unwrap();
    refused(&brand, "plan --report html=icons/acme-00.png", "would overwrite a file: an image is read from there");
    refused(&brand, "validate --report html=icons/acme-00.png", "would overwrite a file: an image is read from there");
    assert_eq!(fs::read(brand.path("icons/acme-00.png")).unwrap(), b"theirs");
    assert_eq!(fs::read(brand.path("icons/acme-new.png")).unwrap(), own);
    assert!(!brand.path("ok.json").exists());
    // A new name beside them is nobody's.
    fs::write(brand.path("icons/acme-00.png"), art(Kind::Icon, 0)).unwrap();
    brand.run("plan --report html=icons/page.html".split(' ')).ends_with(0);
}

#[test]
fn reports_that_are_not_refused_are_written_and_say_it() {
    let brand = Brand::new().in_step(1);
    let all = "plan --report html=icons/acme-00.png --report ok.json";
    brand.run(all.split(' ')).ends_with(1);
    let ok: Value = serde_json::from_str(&text(&brand, "ok.json")).unwrap();
    assert!(serde_json::json!(found(&ok, "error")).to_string().contains("would overwrite a file"), "{ok}");
}

#[test]
fn an_export_is_never_written_over_by_the_plan_against_it() {
    let brand = Brand::new().in_step(2);
    brand.run(["export", "snapshot"]).ends_with(0);
    fs::hard_link(brand.path("snapshot/portal.json"), brand.path("hard.json")).unwrap();
    let image = fs::read_dir(brand.path("snapshot/icons")).unwrap().next().unwrap().unwrap().file_name();
    let image = format!("snapshot/icons/{}", image.to_str().unwrap());
    for (output, what) in [
        ("-o snapshot/portal.json".to_owned(), "the export"),
        ("-o hard.json".to_owned(), "the export"),
        (format!("-o {image}"), "an image"),
        (format!("--report html={image}"), "an image"),
    ] {
        refused(
            &brand,
            &format!("plan --against snapshot {output}"),
            &format!("would overwrite a file: {what} is read"),
        );
    }
    // Again too: what an earlier command wrote there is not read.
    for _ in 0..2 {
        brand.run("plan --against snapshot -o snapshot/plan.json".split(' ')).ends_with(0);
        brand.run("validate . --report validate.xml".split(' ')).ends_with(0);
    }
    // One that is not an export any more is not written over either.
    fs::write(brand.path(&image), "altered").unwrap();
    brand.run(format!("plan --against snapshot --report html={image}").split(' ')).ends_with(1);
    assert_eq!(text(&brand, &image), "altered");
}

#[test]
fn a_run_is_never_written_over_by_showing_it() {
    let brand = Brand::new().declares("icon/acme-new", 40);
    brand.run(["apply", "--yes"]).ends_with(0);
    let state = fs::read_dir(brand.path(".brandctl")).unwrap().flatten().map(|item| item.path().join("runs"));
    let run = fs::read_dir(state.into_iter().find(|runs| runs.exists()).unwrap())
        .unwrap()
        .flatten()
        .map(|item| item.path())
        .find(|path| path.is_dir())
        .unwrap();
    let id = run.file_name().unwrap().to_str().unwrap().to_owned();
    for output in [run.join("journal.jsonl").display().to_string(), "icons/acme-new.png".to_owned()] {
        for name in [id.clone(), run.display().to_string()] {
            refused(&brand, &format!("show {name} --report html={output}"), "would overwrite a file");
        }
    }
    for _ in 0..2 {
        brand.run(format!("show {id} --report run.html").split(' ')).ends_with(0);
        brand.run(format!("show {0} --report {0}/run.html", run.display()).split(' ')).ends_with(0);
    }
}

/// What decides is the file, not its name.
#[test]
fn credentials_and_certificates_are_never_written_over() {
    let brand = Brand::new().in_step(1);
    fs::write(brand.path("hook"), "https://acme.example/rest/1/s3cr3tS3cr3t/").unwrap();
    fs::hard_link(brand.path("hook"), brand.path("plan.json")).unwrap();
    let run = |variable: &str, line: &str| {
        let mut command = crate::common::command(brand.folder.path());
        let output = command.args(line.split(' ')).env(variable, "hook").output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for variable in ["BITRIX24_WEBHOOK_URL_FILE", "BITRIX24_OAUTH_FILE"] {
        let told = run(variable, "plan -o plan.json");
        assert!(told.contains(&format!("the file of {variable} is read from there")), "{told}");
    }
    let told = run("X", "plan --ca-cert hook --report json=plan.json");
    assert!(told.contains("the file of --ca-cert is read from there"), "{told}");
    assert!(text(&brand, "hook").starts_with("https://"));
}

#[cfg(unix)]
#[test]
fn open_files_are_written_behind_what_they_hold() {
    let brand = Brand::new().declares("icon/acme-new", 40);
    let program = env!("CARGO_BIN_EXE_brandctl");
    for (script, starts) in [
        ("$0 plan -q --report md=/dev/stdout >> all; echo after >> all", "before\n<!-- brandctl plan"),
        ("$0 plan -q --report md=/dev/fd/1 >> all; echo after >> all", "before\n<!-- brandctl plan"),
        ("$0 plan -q --report md=/dev/stderr 2>> all >/dev/null; echo after >> all", "before\n<!-- brandctl plan"),
        ("exec 3>> all; $0 plan -q --report md=/dev/fd/3 >/dev/null; echo after >&3", "before\n<!-- brandctl plan"),
        ("exec 7> all; echo once >&7; $0 plan -q -o /proc/self/fd/7 >/dev/null; echo after >&7", "once\n{"),
        (
            "$0 plan -q --report md=>(cat > all; touch done) >/dev/null; until [ -e done ]; do sleep 0.05; done; echo after >> all",
            "<!-- brandctl plan",
        ),
        ("$0 plan -q -o /dev/fd/4 4>&1 >/dev/null | cat > all; echo after >> all", "{"),
    ] {
        fs::write(brand.path("all"), "before\n").unwrap();
        let mut command = Command::new("bash");
        command.args(["-c", script, program]).current_dir(brand.folder.path()).env_clear();
        command
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook());
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        let all = text(&brand, "all");
        assert!(all.starts_with(starts) && all.ends_with("after\n") && all.contains("acme-new"), "{script}: {all}");
        let _ = fs::remove_file(brand.path("done"));
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_reads_is_an_error_and_one_that_is_read_late_is_written() {
    let brand = Brand::new().declares("icon/acme-new", 40);
    let made = Command::new("mkfifo").args(["pipe", "late"]).current_dir(brand.folder.path()).status().unwrap();
    assert!(made.success());
    let output = brand.run(["plan", "-o", "pipe"]).ends_with(1);
    assert!(output.stderr.contains("no program opened this pipe for reading within 10 s"), "{}", output.stderr);
    let line = "(sleep 1; cat late > all) & $0 plan -q --report json=late >/dev/null; wait";
    let mut command = Command::new("bash");
    command.args(["-c", line, env!("CARGO_BIN_EXE_brandctl")]).current_dir(brand.folder.path());
    let output = command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).output().unwrap();
    assert!(output.status.success() && text(&brand, "all").contains("acme-new"), "{output:?}");
}

/// A single file that is mounted into a container cannot be replaced, only written.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_mounted_alone_is_written_in_place() {
    let brand = Brand::new().declares("icon/acme-new", 40);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("plan"), "x".repeat(100_000)).unwrap();
    fs::write(brand.path("plan.json"), "").unwrap();
    let script = format!(
        "mount --bind {} plan.json && exec {} plan -o plan.json --report json=plan.json.report",
        outside.path().join("plan").display(),
        env!("CARGO_BIN_EXE_brandctl"),
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", &script]).current_dir(brand.folder.path());
    let output = command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).output();
    // Not every machine lets us mount: the unit test of `Replacement` imitates it there.
    let Some(output) = output.ok().filter(|output| !String::from_utf8_lossy(&output.stderr).contains("ermitted"))
    else {
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let written = fs::read_to_string(outside.path().join("plan")).unwrap();
    assert!(serde_json::from_str::<Value>(&written).is_ok(), "{written}");
    assert_eq!(text(&brand, "plan.json"), "", "the mount was seen by that process alone");
}

#[cfg(unix)]
#[test]
fn a_file_is_written_though_its_folder_takes_no_other() {
    use std::os::unix::fs::PermissionsExt as _;
    let brand = Brand::new().declares("icon/acme-new", 40);
    let out = brand.path("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("plan.md"), "old and long".repeat(1000)).unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o555)).unwrap();
    let output = brand.run(["plan", "--report", "out/plan.md"]).ends_with(0);
    fs::set_permissions(&out, fs::Permissions::from_mode(0o755)).unwrap();
    let text = text(&brand, "out/plan.md");
    assert!(text.contains("acme-new") && !text.contains("old and long"), "{output:?} {text}");
}

#[cfg(unix)]
#[test]
fn manual_pages_are_written_through_no_link() {
    use std::os::unix::fs::symlink;
    let brand = Brand::new().in_step(1).manifest(MANIFEST);
    let home = tempfile::tempdir().unwrap();
    let theirs = home.path().join("bashrc");
    fs::write(&theirs, "theirs").unwrap();
    fs::create_dir_all(brand.path("man")).unwrap();
    symlink(&theirs, brand.path("man/brandctl-plan.1")).unwrap();
    let told = brand.run(["man", "--all", "man"]).ends_with(1).stderr;
    assert!(told.contains("brandctl-plan.1") && told.contains(theirs.to_str().unwrap()), "{told}");
    assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
}

#[test]
fn a_manual_page_has_its_name_above_and_the_version_below() {
    let brand = Brand::new();
    brand.run(["man", "--all", "pages"]).ends_with(0);
    let pages: Vec<_> = fs::read_dir(brand.path("pages")).unwrap().map(|page| page.unwrap().path()).collect();
    assert!(pages.len() > 20, "{pages:?}");
    let version = env!("CARGO_PKG_VERSION");
    for page in &pages {
        let name = page.file_stem().unwrap().to_str().unwrap().to_uppercase();
        let header = format!(".TH {name} 1 \"\" \"brandctl {version}\" \"User Commands\"");
        let text = fs::read_to_string(page).unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with(".TH")).collect::<Vec<_>>(), [header]);
        let words = name.to_lowercase().replace("brandctl-", "").replace('-', " ");
        let words = words.split(' ').filter(|word| *word != "brandctl");
        assert_eq!(brand.run(["man"].into_iter().chain(words)).ends_with(0).stdout, text, "{name}");
    }
}

#[test]
fn an_export_replaces_nothing_that_it_reads() {
    let brand = Brand::new().in_step(1);
    fs::create_dir(brand.path("out")).unwrap();
    fs::write(brand.path("out/portal.json"), brand.portal.admin_webhook()).unwrap();
    let mut command = crate::common::command(brand.folder.path());
    command.args(["export", "out", "--overwrite"]).env("BITRIX24_WEBHOOK_URL_FILE", "out/portal.json");
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("the file of BITRIX24_WEBHOOK_URL_FILE is read from it"), "{told}");
    assert_eq!(text(&brand, "out/portal.json"), brand.portal.admin_webhook());
}

#[cfg(unix)]
#[test]
fn nothing_is_written_into_git_or_into_what_is_kept() {
    use std::os::unix::fs::symlink;
    let brand = Brand::new().in_step(1).declares("icon/acme-new", 40);
    brand.apply().ends_with(0);
    fs::create_dir_all(brand.path(".git")).unwrap();
    fs::write(brand.path(".git/config"), "theirs").unwrap();
    symlink(".git", brand.path("inner")).unwrap();
    for line in [
        "plan -o .git/config",
        "plan -o .GIT/config",
        "plan --report inner/page.html",
        "drift --report md=.git/hooks/post-checkout",
        "validate --report .git/x.json",
        "plan -o .git",
    ] {
        let output = brand.writing_nothing(|| brand.run(line.split(' '))).ends_with(1);
        assert!(output.stderr.contains(".git") || output.stdout.contains(".git"), "{line}: {output:?}");
    }
    for line in [
        "export .git/out",
        "export inner/out",
        "init inner/new --owns acme-* --ci none",
        "init .git/new --owns acme-* --ci none",
    ] {
        let output = brand.writing_nothing(|| brand.run(line.split(' '))).ends_with(1);
        assert!(output.text().replace("\n  ", " ").contains("only Git writes there"), "{line}: {output:?}");
    }
    fs::remove_dir_all(brand.path(".git")).unwrap();
    let state = fs::read_dir(brand.path(".brandctl")).unwrap().map(|folder| folder.unwrap().path());
    let run = state.map(|portal| portal.join("runs")).find(|runs| runs.is_dir()).unwrap();
    let run = fs::read_dir(run).unwrap().map(|run| run.unwrap().path()).find(|run| run.is_dir()).unwrap();
    let journal = run.join("journal.jsonl");
    refused(&brand, &format!("plan -o {}", journal.display()), "state is kept in");
    refused(&brand, &format!("drift --report {}", run.join("report.json").display()), "state is kept in");
    // Pages are nothing that is read.
    brand.run(["plan", "--report", ".brandctl/page.html"]).ends_with(0);
}

#[cfg(unix)]
#[test]
fn a_new_repository_is_not_begun_outside_of_this_one() {
    use std::os::unix::fs::symlink;
    let brand = Brand::new();
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir_all(brand.path(".git")).unwrap();
    fs::write(brand.path(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    symlink(outside.path(), brand.path("art")).unwrap();
    for line in ["init art --owns acme-* --ci none", "init art/new --owns acme-* --ci none"] {
        let output = brand.run(line.split(' ')).ends_with(1);
        assert!(output.text().replace("\n  ", " ").contains("outside the repository"), "{line}: {output:?}");
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}
