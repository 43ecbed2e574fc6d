//! `brandctl-ci.sh`, the file for any other CI system, run by `sh`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use brandctl::domain::asset::Kind;
use brandctl::sandbox::{Options, Sandbox, start};

use crate::shared::init::{command, git, init, stderr};

struct Scene {
    checkout: tempfile::TempDir,
    home: tempfile::TempDir,
    portal: Sandbox,
    _data: tempfile::TempDir,
}

struct Ran {
    code: Option<i32>,
    log: String,
}

impl Scene {
    fn new() -> Self {
        let [checkout, home, data] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let mut options = Options::new(data.path());
        options.limits = None;
        let portal = start(options).unwrap();
        git(checkout.path(), &["init", "-q"]);
        init(checkout.path(), &["two words", "--owns", "acme-*", "--ci", "shell", "--tool", "none"]);
        git(checkout.path(), &["add", "."]);
        git(checkout.path(), &["commit", "-qm", "Start"]);
        Self { checkout, home, portal, _data: data }
    }

    fn brand(&self) -> PathBuf {
        self.checkout.path().join("two words")
    }

    /// Runs the script as a job with these arguments and variables does.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let program = Path::new(env!("CARGO_BIN_EXE_brandctl")).parent().unwrap();
        let mut sh = command("sh", self.checkout.path());
        sh.arg("two words/brandctl-ci.sh").args(arguments).env("HOME", self.home.path());
        sh.env("PATH", format!("{}:/usr/bin:/bin", program.display())).env("TMPDIR", self.home.path());
        sh.env("WORKSPACE", self.checkout.path()).env("BITRIX24_WEBHOOK_URL", self.portal.admin_webhook());
        let output = sh.envs(variables.iter().copied()).output().unwrap();
        let log = format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr(&output));
        Ran { code: output.status.code(), log }
    }
}

#[test]
fn it_validates_plans_applies_and_finds_drift() {
    let scene = Scene::new();
    let out = scene.brand().join("brandctl-out");
    for (job, code) in [("validate", 0), ("plan", 0), ("apply", 0), ("drift", 0)] {
        let ran = scene.run(&[job], &[]);
        assert_eq!(ran.code, Some(code), "{job}: {}", ran.log);
        for extension in ["html", "md", "xml"] {
            assert!(out.join(format!("{job}.{extension}")).is_file(), "{job}.{extension}");
        }
        assert_eq!(out.join("plan.json").exists(), job == "plan", "it is emptied");
    }
    assert_eq!(scene.portal.entries().len(), 2);
    // What it writes is ignored: the run notes a clean commit.
    git(scene.checkout.path(), &["add", "."]);
    git(scene.checkout.path(), &["diff", "--cached", "--exit-code"]);
    let art = fs::read(scene.brand().join("icons/acme-sample.png")).unwrap();
    scene.portal.seed(Kind::Icon, "acme-other", &art).unwrap();
    assert_eq!(scene.run(&["drift"], &[]).code, Some(2));
    assert_eq!(scene.run(&["plan", "--detailed-exitcode"], &[]).code, Some(2), "arguments are passed on");
    let only = scene.run(&["plan", "--only", "icon/acme other $(touch ran)"], &[]);
    assert!(only.log.contains("acme other $(touch ran)"), "{}", only.log);
}

#[test]
fn comments_link_to_the_page_of_the_system() {
    let scene = Scene::new();
    for (variables, link) in [
        (&[][..], None),
        (&[("BUILD_URL", "http://ci.example.com/job/7/")], None),
        (
            &[("BUILD_URL", "https://ci.example.com/job/7/")],
            Some("https://ci.example.com/job/7/artifact/two%20words/brandctl-out/plan.html"),
        ),
        (&[("BUILDKITE_BUILD_URL", "https://ci.example.com/builds/7")], Some("https://ci.example.com/builds/7")),
        (
            &[("BRANDCTL_REPORT_URL", "https://x.example.com/p"), ("BUILD_URL", "https://ci.example.com/")],
            Some("https://x.example.com/p"),
        ),
    ] {
        let ran = scene.run(&["plan"], variables);
        assert_eq!(ran.code, Some(0), "{}", ran.log);
        let text = fs::read_to_string(scene.brand().join("brandctl-out/plan.md")).unwrap();
        assert_eq!(text.contains("](<https://"), link.is_some(), "{text}");
        assert!(link.is_none_or(|link| text.contains(&format!("](<{link}>)"))), "{text}");
    }
}

#[test]
fn what_it_cannot_do_it_says() {
    let scene = Scene::new();
    for arguments in [&[][..], &["restore"], &["plan.json"], &["--help"]] {
        let ran = scene.run(arguments, &[]);
        assert!(ran.code == Some(1) && ran.log.starts_with("usage: sh brandctl-ci.sh "), "{:?}: {}", ran.code, ran.log);
    }
    let ran = scene.run(&["plan"], &[("PATH", "/usr/bin:/bin")]);
    assert!(ran.code == Some(1) && ran.log.contains("this machine does not have it"), "{}", ran.log);
    let ran = scene.run(&["plan"], &[("BITRIX24_WEBHOOK_URL", "")]);
    assert!(ran.code == Some(1) && ran.log.contains("BITRIX24_WEBHOOK_URL"), "{}", ran.log);
    assert_eq!(scene.portal.requests().len(), 0);
}

#[test]
fn links_under_the_names_of_its_outputs_lead_nowhere() {
    let scene = Scene::new();
    let theirs = scene.home.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("plan.html"), "theirs").unwrap();
    symlink(&theirs, scene.brand().join("brandctl-out")).unwrap();
    let ran = scene.run(&["plan"], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.log);
    assert_eq!(fs::read(theirs.join("plan.html")).unwrap(), b"theirs");
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), 1);
}
