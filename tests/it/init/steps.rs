//! The shell steps of the CI files, run by bash as they are written, in a checked-out repository and against a portal.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::{Options, Recorded, Sandbox, start};
use serde_json::{Value, json};

use crate::shared::init::{SYSTEMS, command, git, init, yaml};
use crate::shared::jobs::{Job, System, When, jobs};

/// The variable that has the secret, in both systems.
const SECRET: &str = "BITRIX24_WEBHOOK_URL";

/// The author of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Us,
    Fork,
}

/// A repository that `init` started, committed and checked out, and the portal that it is for.
struct Scene {
    system: System,
    file: PathBuf,
    /// The branding repository in the checkout.
    brand: PathBuf,
    checkout: tempfile::TempDir,
    home: tempfile::TempDir,
    portal: Sandbox,
    _data: tempfile::TempDir,
}

/// How a job went.
struct Ran {
    /// The exit code of the first step that failed.
    failed: Option<i32>,
    log: String,
    /// What it wrote into its summary.
    summary: String,
}

/// Both systems, at the root of a repository and in a folder of it.
fn each(test: impl Fn(Scene) + Sync) {
    std::thread::scope(|scope| {
        for (name, path, _) in SYSTEMS {
            for folder in [".", "shop/brand"] {
                let test = &test;
                scope.spawn(move || test(Scene::new(name, path, folder)));
            }
        }
    });
}

impl Scene {
    fn new(system: &str, path: &str, folder: &str) -> Self {
        let [checkout, home, data] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let mut options = Options::new(data.path());
        options.limits = None;
        let portal = start(options).unwrap();
        git(checkout.path(), &["init", "-q"]);
        let host = portal.address().to_string();
        init(checkout.path(), &[folder, "--owns", "acme-*", "--portal", &host, "--ci", system, "--tool", "none"]);
        git(checkout.path(), &["add", "."]);
        git(checkout.path(), &["commit", "-qm", "Start"]);
        let (file, brand) = (checkout.path().join(path), checkout.path().join(folder));
        Self { system: System::named(system), file, brand, checkout, home, portal, _data: data }
    }

    fn job(&self, name: &str) -> Job {
        jobs(self.system, &self.file).into_iter().find(|job| job.name == name).unwrap()
    }

    /// Runs a job as the system would; what has a secret gets that of the job's environment.
    fn run(&self, name: &str, from: From) -> Ran {
        let webhook = match name {
            "apply" => self.portal.admin_webhook(),
            _ => self.portal.user_webhook(),
        };
        self.run_with(name, from, &webhook)
    }

    fn run_with(&self, name: &str, from: From, webhook: &str) -> Ran {
        let summary = self.home.path().join("summary");
        for file in ["summary", "path"] {
            let _ = fs::remove_file(self.home.path().join(file));
        }
        let mut ran = Ran { failed: None, log: String::new(), summary: String::new() };
        for step in self.job(name).steps {
            let due = match step.when {
                When::Sound => ran.failed.is_none(),
                When::SoundAndOurs => ran.failed.is_none() && from == From::Us,
                When::Always => true,
            };
            if !due {
                continue;
            }
            let mut environment = step.environment;
            match self.system {
                // GitHub gives a secret to the steps that name it.
                System::Github => {
                    environment.insert("GITHUB_STEP_SUMMARY".to_owned(), summary.display().to_string());
                    fs::create_dir_all(self.out()).unwrap();
                    environment.insert("RUNNER_TEMP".to_owned(), self.out().display().to_string());
                    environment.insert("GITHUB_PATH".to_owned(), self.home.path().join("path").display().to_string());
                    let checkout = self.checkout.path().display().to_string();
                    environment.insert("GITHUB_WORKSPACE".to_owned(), checkout);
                    let run = [("SERVER_URL", "https://github.com"), ("REPOSITORY", "acme/brand"), ("RUN_ID", "7")];
                    environment.extend(run.map(|(name, value)| (format!("GITHUB_{name}"), value.to_owned())));
                    if let Some(value) = environment.get_mut(SECRET) {
                        assert_eq!(*value, format!("${{{{ secrets.{SECRET} }}}}"));
                        webhook.clone_into(value);
                    }
                }
                // GitLab gives a variable to every job, but not to those of a fork.
                System::Gitlab => {
                    environment.insert("CI_PROJECT_DIR".to_owned(), self.checkout.path().display().to_string());
                    environment.insert("CI_JOB_URL".to_owned(), "https://gitlab.com/acme/brand/-/jobs/7".to_owned());
                    if from == From::Us {
                        environment.insert(SECRET.to_owned(), webhook.to_owned());
                    }
                }
            }
            let output = self.bash(&step.script, &environment);
            let text = [output.stdout, output.stderr].concat();
            ran.log.push_str(&String::from_utf8_lossy(&text));
            if !output.status.success() && ran.failed.is_none() {
                ran.failed = Some(output.status.code().unwrap());
            }
        }
        ran.summary = fs::read_to_string(summary).unwrap_or_default();
        let secret = webhook.trim_end_matches('/').rsplit('/').next().unwrap();
        assert!(secret.is_empty() || !ran.log.contains(secret) && !ran.summary.contains(secret), "{}", ran.log);
        ran
    }

    fn bash(&self, script: &str, environment: &BTreeMap<String, String>) -> Output {
        let file = self.home.path().join("step.sh");
        fs::write(&file, script).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_brandctl")).parent().unwrap();
        // The last line of GITHUB_PATH comes first in the next step.
        let added = fs::read_to_string(self.home.path().join("path")).unwrap_or_default();
        let mut path: Vec<_> = added.lines().rev().map(PathBuf::from).collect();
        path.push(program.to_owned());
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let path = std::env::join_paths(path).unwrap();
        let mut bash = command("bash", self.checkout.path());
        bash.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file);
        bash.env("PATH", path).env("HOME", self.home.path()).env("CI", "true").envs(environment).output().unwrap()
    }

    /// Runs the step of a job that takes brandctl's place, sends it signals during its first write, and gives its exit
    /// code. The process that the system started is the program itself.
    #[cfg(unix)]
    fn stopped(&self, name: &str, signals: &[&str]) -> Option<i32> {
        use brandctl::sandbox::faults::{FaultAction, Faults, On, When};
        use std::time::{Duration, Instant};
        let step = self.job(name).steps.into_iter().find(|step| step.script.contains("exec brandctl ")).unwrap();
        // Long enough for a signal that a busy machine sends late.
        self.portal.set_faults(Faults::one(On::Write, When::Every, FaultAction::Delay(Duration::from_secs(10))));
        let file = self.home.path().join("step.sh");
        fs::write(&file, step.script).unwrap();
        fs::create_dir_all(self.out()).unwrap();
        let programs = Path::new(env!("CARGO_BIN_EXE_brandctl")).parent().unwrap().display().to_string();
        let mut bash = command("bash", self.checkout.path());
        bash.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file).env("RUNNER_TEMP", self.out());
        bash.env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()));
        bash.env(SECRET, self.portal.admin_webhook()).env("GITHUB_SERVER_URL", "https://github.com");
        bash.env("GITHUB_REPOSITORY", "acme/brand").env("GITHUB_RUN_ID", "7");
        let mut bash = bash.stderr(std::process::Stdio::null()).spawn().unwrap();
        let patience = Instant::now() + Duration::from_secs(20);
        while self.writes() == 0 && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(10));
        }
        for signal in signals {
            command("kill", self.checkout.path()).args(["-s", signal, &bash.id().to_string()]).status().unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }
        bash.wait().unwrap().code()
    }

    /// The folder that the jobs write to.
    fn out(&self) -> PathBuf {
        match self.system {
            System::Github => self.home.path().join("temp"),
            System::Gitlab => self.checkout.path().join("brandctl-out"),
        }
    }

    /// The files and folders that a job keeps, of those that are there; those that it wrote by their names in its folder.
    fn kept(&self, name: &str) -> Vec<String> {
        let temp = self.out().display().to_string();
        let patterns = self.job(name).kept.join(" ").replace("${{ runner.temp }}", &temp);
        let list = format!("shopt -s nullglob; printf '%s\\n' {patterns}");
        let output = command("bash", self.checkout.path()).args(["-c", &list]).output().unwrap();
        let kept = String::from_utf8(output.stdout).unwrap();
        let present = kept.lines().map(|path| self.checkout.path().join(path)).filter(|path| path.exists());
        let shown = |path: PathBuf| {
            let below = path.strip_prefix(self.out()).or_else(|_| path.strip_prefix(self.checkout.path()));
            below.unwrap().display().to_string()
        };
        present.map(shown).collect()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.out().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn writes(&self) -> usize {
        self.portal.requests().iter().filter(|request| Recorded::would_write(request)).count()
    }

    fn codes(&self) -> Vec<String> {
        let mut codes: Vec<_> =
            self.portal.entries().iter().map(|entry| format!("{}/{}", entry.kind, entry.code)).collect();
        codes.sort();
        codes
    }

    /// The one run folder among what a job keeps.
    #[track_caller]
    fn kept_run(&self, name: &str) -> PathBuf {
        let kept = self.kept(name);
        let runs = kept.iter().find(|path| path.ends_with("/runs")).unwrap_or_else(|| panic!("no runs in {kept:?}"));
        // Not in the checkout itself, where a commit could have put a link.
        let mut runs: Vec<_> = fs::read_dir(self.out().join(runs)).unwrap().map(Result::unwrap).collect();
        runs.retain(|entry| entry.file_type().unwrap().is_dir());
        assert_eq!(runs.len(), 1);
        runs.remove(0).path()
    }
}

impl Ran {
    #[track_caller]
    fn ends_with(self, failed: Option<i32>) -> Self {
        assert_eq!(self.failed, failed, "{}", self.log);
        self
    }
}

#[test]
fn a_pull_request_is_validated_and_planned_and_nothing_is_written() {
    each(|scene| {
        let ran = scene.run("plan", From::Us).ends_with(None);
        assert!(ran.log.contains("Plan: 2 to create"), "{}", ran.log);
        let kept = scene.kept("plan");
        assert!(["plan.html", "plan.json"].iter().all(|name| kept.iter().any(|kept| kept == name)), "{kept:?}");
        let plan: Value = serde_json::from_str(&scene.read("plan.json")).unwrap();
        assert_eq!(plan["contents"].as_object().map(serde_json::Map::len), Some(2), "the bytes are in it");
        if scene.system == System::Github {
            assert!(ran.summary.starts_with("<!-- brandctl plan "), "{}", ran.summary);
            assert!(ran.summary.contains("`icon/acme-sample`"), "{}", ran.summary);
            assert!(ran.summary.contains("https://github.com/acme/brand/actions/runs/7#artifacts"), "{}", ran.summary);
            let path = scene.brand.strip_prefix(scene.checkout.path()).unwrap().join("brand.yaml");
            let path = path.strip_prefix(".").unwrap_or(&path).display().to_string();
            assert!(ran.log.contains(&format!("\n::notice file={path},")), "{}", ran.log);
        } else {
            let report = "https://gitlab.com/acme/brand/-/jobs/7/artifacts/file/brandctl-out/plan.html";
            assert!(scene.read("plan.md").contains(report), "{}", scene.read("plan.md"));
            let counts: Value = serde_json::from_str(&scene.read("plan.terraform.json")).unwrap();
            assert_eq!(counts, json!({"create": 2, "update": 0, "delete": 0}));
            let shown: Value = serde_json::from_str(&scene.read("plan.codequality.json")).unwrap();
            let manifest = scene.brand.strip_prefix(scene.checkout.path()).unwrap().join("brand.yaml");
            let manifest = manifest.strip_prefix(".").unwrap_or(&manifest).display().to_string();
            assert_eq!(shown[0]["location"]["path"], manifest, "{shown}");
        }
        assert_eq!(scene.writes(), 0);
    });
}

#[test]
fn a_pull_request_from_a_fork_is_validated_without_a_secret() {
    each(|scene| {
        let validating = if scene.system == System::Github { "plan" } else { "validate" };
        let ran = scene.run(validating, From::Fork).ends_with(None);
        assert!(
            scene.kept(validating).iter().all(|kept| kept.starts_with("validate.")),
            "{:?}",
            scene.kept(validating)
        );
        assert_eq!(ran.summary, "");
        // Art that is wrong fails it, beside the lines of the pull request.
        fs::write(scene.brand.join("icons/acme-sample.png"), "no PNG").unwrap();
        let ran = scene.run(validating, From::Fork).ends_with(Some(1));
        match scene.system {
            System::Github => {
                let path = scene.brand.strip_prefix(scene.checkout.path()).unwrap().join("icons/acme-sample.png");
                let path = path.strip_prefix(".").unwrap_or(&path).display().to_string();
                assert!(ran.log.contains(&format!("::error file={path}")), "{}", ran.log);
            }
            System::Gitlab => {
                assert!(scene.read("validate.xml").contains("<failure"), "{}", ran.log);
                assert!(scene.read("validate.codequality.json").contains("png-format"), "{}", ran.log);
            }
        }
        assert_eq!(scene.portal.requests().len(), 0);
    });
}

#[test]
fn a_merge_is_applied_and_its_run_is_kept() {
    each(|scene| {
        scene.run("plan", From::Us).ends_with(None);
        let ran = scene.run("apply", From::Us).ends_with(None);
        assert!(ran.log.contains("Applied 2 changes and read back."), "{}", ran.log);
        assert_eq!(scene.codes(), ["icon/acme-sample", "logo/acme-sample"]);
        let run = scene.kept_run("apply");
        assert!(run.join("journal.jsonl").is_file(), "{:?}", crate::shared::init::tree(&run));
        assert!(scene.kept("apply").iter().any(|kept| kept == "apply.html"));
        assert!(scene.system == System::Gitlab || ran.summary.contains("Applied 2 changes"), "{}", ran.summary);
        // What the jobs write is ignored: the run notes a clean commit.
        let state = run.ancestors().nth(3).unwrap().to_str().unwrap();
        let history =
            crate::shared::init::brandctl(&scene.brand, &["history", "--state-dir", state, "--format", "json"]);
        let history: Value = serde_json::from_slice(&history.stdout).unwrap();
        let commit = history["runs"][0]["commit"].as_str().unwrap();
        assert!(commit.len() == 40 && !commit.ends_with('+'), "{commit}");
        let before = scene.writes();
        scene.run("apply", From::Us).ends_with(None);
        assert_eq!(scene.writes(), before, "the next merge finds nothing to do");
        scene.run("drift", From::Us).ends_with(None);
    });
}

#[test]
fn an_apply_that_fails_keeps_its_run_and_says_why() {
    each(|scene| {
        scene
            .portal
            .set_faults("any 1 refuse crm.timeline.logo.add 400 FILE_SAVE_ERROR \"File not saved\"".parse().unwrap());
        let ran = scene.run("apply", From::Us).ends_with(Some(3));
        assert!(ran.log.contains("File not saved"), "{}", ran.log);
        assert!(scene.system == System::Gitlab || ran.summary.contains("logo/acme-sample"), "{}", ran.summary);
        let run = scene.kept_run("apply");
        assert!(run.join("journal.jsonl").is_file(), "{:?}", crate::shared::init::tree(&run));
        assert_eq!(scene.codes(), ["icon/acme-sample"]);
    });
}

#[test]
fn a_webhook_that_may_only_read_applies_nothing() {
    each(|scene| {
        let ran = scene.run_with("apply", From::Us, &scene.portal.user_webhook()).ends_with(Some(1));
        assert!(ran.log.contains("administrator"), "{}", ran.log);
        assert_eq!(scene.writes(), 0);
    });
}

#[test]
fn drift_fails_the_job_and_leaves_its_report() {
    each(|scene| {
        scene.run("apply", From::Us).ends_with(None);
        let clean = scene.run("drift", From::Us).ends_with(None);
        assert!(clean.log.contains("No drift"), "{}", clean.log);
        let art = fs::read(scene.brand.join("icons/acme-sample.png")).unwrap();
        scene.portal.seed(Kind::Icon, "acme-other", &art).unwrap();
        let before = scene.writes();
        let ran = scene.run("drift", From::Us).ends_with(Some(2));
        assert!(scene.read("drift.html").contains("acme-other"));
        assert!(scene.kept("drift").iter().any(|kept| kept == "drift.html"));
        match scene.system {
            System::Github => assert!(ran.summary.contains("icon/acme-other"), "{}", ran.summary),
            System::Gitlab => assert!(scene.read("drift.xml").contains("acme-other"), "{}", ran.log),
        }
        assert_eq!(scene.writes(), before);
    });
}

#[test]
fn every_job_installs_the_program_with_the_same_lines() {
    let text = include_str!("../../../src/domain/init/install.sh");
    each(|scene| {
        for job in jobs(scene.system, &scene.file) {
            let first = &job.steps[0];
            assert!(first.script.starts_with(text), "{}: {}", job.name, first.script);
            assert_eq!(first.environment["BRANDCTL_TOOL"], "");
        }
    });
}

#[test]
fn a_job_without_its_secret_says_which_one() {
    each(|scene| {
        for name in ["plan", "apply", "drift"] {
            let ran = scene.run_with(name, From::Us, "").ends_with(Some(1));
            assert!(ran.log.contains(SECRET), "{}", ran.log);
        }
        assert_eq!(scene.portal.requests().len(), 0);
    });
}

#[test]
fn a_manifest_that_is_wrong_fails_the_job_before_anything_is_read() {
    each(|scene| {
        fs::write(scene.brand.join("brand.yaml"), "version: 1\nowns: [\"x\"\n").unwrap();
        for name in ["plan", "apply", "drift"] {
            let ran = scene.run(name, From::Us).ends_with(Some(1));
            assert!(ran.log.contains("brand.yaml"), "{}", ran.log);
        }
        assert_eq!(scene.portal.requests().len(), 0);
    });
}

#[test]
fn a_guard_that_refuses_fails_the_job_and_its_plan_is_kept() {
    each(|scene| {
        let art = fs::read(scene.brand.join("icons/acme-sample.png")).unwrap();
        for number in 0..12 {
            scene.portal.seed(Kind::Icon, &format!("acme-{number}"), &art).unwrap();
        }
        scene.run("plan", From::Us).ends_with(Some(4));
        assert!(scene.kept("plan").iter().any(|kept| kept == "plan.json"));
        let ran = scene.run("apply", From::Us).ends_with(Some(4));
        assert!(ran.log.contains("max_deletes"), "{}", ran.log);
        assert_eq!(scene.writes(), 0);
    });
}

/// A pull request can commit anything under any name.
#[test]
fn what_is_committed_under_the_names_of_outputs_is_neither_written_nor_run() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    each(|scene| {
        let theirs = scene.home.path().join("bashrc");
        fs::write(&theirs, "theirs").unwrap();
        let names =
            ["plan.json", "plan.md", "plan.html", "apply.md", "apply.html", "drift.md", "drift.html", "drift.xml"];
        for name in names.into_iter().chain(["validate.xml", "brandctl-out"]) {
            symlink(&theirs, scene.checkout.path().join(name)).unwrap();
        }
        for folder in ["bin", ".brandctl/bin"] {
            let program = scene.checkout.path().join(folder).join("brandctl");
            fs::create_dir_all(program.parent().unwrap()).unwrap();
            fs::write(&program, format!("#!/bin/sh\necho run > '{}'\n", theirs.display())).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for job in jobs(scene.system, &scene.file) {
            scene.run(&job.name, From::Us);
        }
        assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
    });
}

/// What no shell step shows: who may run when, with which rights.
#[test]
fn only_one_job_at_a_time_may_write() {
    each(|scene| {
        let all = yaml(&scene.file);
        let group = format!("brandctl-{}", scene.portal.address().to_string().replace(':', "-"));
        let folder = scene.brand.strip_prefix(scene.checkout.path()).unwrap();
        let nested = folder != Path::new(".") && folder != Path::new("");
        for job in jobs(scene.system, &scene.file) {
            let writes = job.name == "apply";
            match scene.system {
                System::Github => {
                    let concurrency = &job.value["concurrency"];
                    assert_eq!(concurrency["group"] == group, writes);
                    assert_eq!(concurrency["cancel-in-progress"], !writes);
                    assert_eq!(job.value["environment"] == "bitrix24", writes);
                }
                System::Gitlab => {
                    assert_eq!(job.value["resource_group"], if writes { json!(group) } else { Value::Null });
                    assert_eq!(job.value["interruptible"], if writes { json!(false) } else { Value::Null });
                    assert_eq!(all[".brandctl"]["interruptible"], true);
                    assert_eq!(job.value["environment"] == "bitrix24", writes);
                    let limited = job.value["rules"][0]["changes"].is_array();
                    assert_eq!(limited, nested && job.name != "drift", "{}", job.name);
                }
            }
            for step in &job.steps {
                assert!(!step.script.contains("secrets.") && !step.script.contains(SECRET), "{}", step.script);
            }
        }
        match scene.system {
            System::Github => {
                assert_eq!(all["permissions"], json!({}));
                for job in jobs(scene.system, &scene.file) {
                    assert_eq!(job.value["permissions"], json!({"contents": "read"}), "{}", job.name);
                }
                for event in ["pull_request", "push"] {
                    let expected = json!(["shop/brand/**", ".github/workflows/brandctl.yml"]);
                    let paths = if nested { expected } else { Value::Null };
                    assert_eq!(all["on"][event]["paths"], paths);
                }
            }
            System::Gitlab => assert_eq!(all[".brandctl"]["variables"]["GIT_DEPTH"], "0"),
        }
    });
}

#[test]
fn cron_is_silent_until_something_differs() {
    let (name, path, _) = SYSTEMS[0];
    let scene = Scene::new(name, path, ".");
    scene.run("apply", From::Us).ends_with(None);
    let (server, origin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clone = |from: &Path, to: &Path, bare: &[&str]| {
        git(scene.home.path(), &[&["clone", "-q"], bare, &[from.to_str().unwrap(), to.to_str().unwrap()]].concat());
    };
    clone(scene.checkout.path(), origin.path(), &["--bare"]);
    clone(origin.path(), server.path(), &[]);
    let webhook = scene.home.path().join("webhook");
    fs::write(&webhook, scene.portal.user_webhook()).unwrap();
    let look = || {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci/cron.sh");
        let environment = [("BITRIX24_WEBHOOK_URL_FILE".to_owned(), webhook.display().to_string())].into();
        let call = format!("'{}' '{}'", script.display(), server.path().display());
        let output = scene.bash(&call, &environment);
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    assert_eq!(look(), (Some(0), String::new()));
    let art = fs::read(scene.brand.join("icons/acme-sample.png")).unwrap();
    scene.portal.seed(Kind::Icon, "acme-other", &art).unwrap();
    let (code, told) = look();
    assert!(code == Some(2) && told.contains("icon/acme-other"), "{code:?}: {told}");
    fs::remove_dir_all(origin.path()).unwrap();
    let (code, told) = look();
    assert!(code != Some(0) && code != Some(2) && told.contains("fatal"), "{code:?}: {told}");
}

/// A job that is cancelled gets SIGINT, some seconds later SIGTERM, and then is killed.
#[cfg(unix)]
#[test]
fn a_cancelled_apply_ends_itself_and_a_killed_one_leaves_its_journal() {
    std::thread::scope(|scope| {
        for (signals, code) in [(&["INT"][..], Some(130)), (&["INT", "TERM"], Some(130)), (&["KILL"], None)] {
            scope.spawn(move || {
                let scene = Scene::new("github", SYSTEMS[0].1, ".");
                assert_eq!(scene.stopped("apply", signals), code, "{signals:?}");
                let run = scene.kept_run("apply");
                assert!(run.join("journal.jsonl").is_file(), "{:?}", crate::shared::init::tree(&run));
            });
        }
    });
}
