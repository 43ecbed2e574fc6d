//! The GitLab file and the components, run by gitlab-ci-local on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use brandctl::domain::asset::Kind;
use brandctl::sandbox::{Options, Recorded, Sandbox, start};

use super::installed;
use crate::shared::init::{command, git, init, tree};

struct Scene {
    home: tempfile::TempDir,
    portal: Sandbox,
    _data: tempfile::TempDir,
}

/// What starts a pipeline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    MergeRequest,
    Fork,
    Push,
    Schedule,
}

struct Ran {
    ok: bool,
    log: String,
}

impl Scene {
    /// A checkout with the file of `init`, or with this one and the components.
    fn new(file: Option<&str>) -> Self {
        let [home, data] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let mut options = Options::new(data.path());
        options.limits = None;
        let scene = Self { portal: start(options).unwrap(), home, _data: data };
        let checkout = scene.checkout();
        fs::create_dir(&checkout).unwrap();
        git(&checkout, &["init", "-q"]);
        git(&checkout, &["remote", "add", "origin", "https://gitlab.com/acme/brand.git"]);
        init(
            &checkout,
            &["--owns", "acme-*", "--ci", if file.is_some() { "none" } else { "gitlab" }, "--tool", "none"],
        );
        if let Some(file) = file {
            fs::write(checkout.join(".gitlab-ci.yml"), file).unwrap();
            fs::create_dir(checkout.join("templates")).unwrap();
            for name in ["validate.yml", "plan.yml", "apply.yml", "drift.yml"] {
                let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(name);
                fs::copy(from, checkout.join("templates").join(name)).unwrap();
            }
        }
        fs::write(checkout.join(".git/info/exclude"), ".gitlab-ci-local/\n").unwrap();
        git(&checkout, &["add", "-A"]);
        git(&checkout, &["commit", "-qm", "Start"]);
        scene
    }

    fn checkout(&self) -> PathBuf {
        self.home.path().join("checkout")
    }

    /// Runs a pipeline in the checkout, with a secret.
    fn run(&self, source: Source, secret: &str) -> Ran {
        let tools = installed();
        let mut local = command(tools.join("bin/node"), &self.checkout());
        let programs = Path::new(env!("CARGO_BIN_EXE_brandctl")).parent().unwrap();
        local
            .env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()))
            .env("HOME", self.home.path());
        local.arg(tools.join("node_modules/gitlab-ci-local/dist/index.js")).args([
            "--force-shell-executor",
            "--no-color",
            "--ignore-predefined-vars",
            "CI_PIPELINE_SOURCE,CI_PROJECT_DIR",
        ]);
        // The jobs share the checkout here.
        local.args(["--concurrency", "1"]);
        if source != Source::Fork {
            // Once is enough: it takes seconds.
            local.arg("--no-json-schema-validation");
        }
        let (name, project) = match source {
            Source::MergeRequest => ("merge_request_event", "1"),
            Source::Fork => ("merge_request_event", "2"),
            Source::Push => ("push", "1"),
            Source::Schedule => ("schedule", "1"),
        };
        for (name, value) in [
            ("CI_PIPELINE_SOURCE", name),
            ("CI_MERGE_REQUEST_PROJECT_ID", "1"),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", project),
            ("CI_PROJECT_DIR", self.checkout().to_str().unwrap()),
            ("BITRIX24_WEBHOOK_URL", secret),
        ] {
            local.args(["--variable", &format!("{name}={value}")]);
        }
        let output = local.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        Ran { ok: output.status.success(), log: String::from_utf8_lossy(&text).into_owned() }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.checkout().join("brandctl-out").join(name)
    }

    fn writes(&self) -> usize {
        self.portal.requests().iter().filter(|request| Recorded::would_write(request)).count()
    }
}

/// The whole way, with the jobs of either.
fn goes_the_whole_way(scene: &Scene) {
    let user = scene.portal.user_webhook();
    let ran = scene.run(Source::Fork, "");
    assert!(ran.ok && ran.log.contains("Valid: 2 images."), "{}", ran.log);
    assert!(scene.portal.requests().is_empty(), "a fork is validated only");
    let ran = scene.run(Source::MergeRequest, &user);
    assert!(ran.ok && ran.log.contains("Plan: 2 to create"), "{}", ran.log);
    assert_eq!(scene.writes(), 0);
    let kept = tree(&scene.checkout().join(".gitlab-ci-local/artifacts"));
    for name in ["plan.html", "plan.json", "plan.md"] {
        assert!(kept.iter().any(|path| path.ends_with(&format!("plan/brandctl-out/{name}"))), "{name}: {kept:?}");
    }
    let ran = scene.run(Source::Push, &user);
    assert!(!ran.ok && ran.log.contains("administrator") && scene.writes() == 0, "{}", ran.log);
    let ran = scene.run(Source::Push, &scene.portal.admin_webhook());
    assert!(ran.ok && ran.log.contains("Applied 2 changes"), "{}", ran.log);
    let kept = tree(&scene.checkout().join(".gitlab-ci-local/artifacts"));
    assert!(kept.iter().any(|path| path.ends_with("brandctl-out/apply.html")), "{kept:?}");
    assert!(
        kept.iter().any(|path| path.contains("apply/brandctl-out/state/") && path.ends_with("journal.jsonl")),
        "{kept:?}"
    );
    let ran = scene.run(Source::Schedule, &user);
    assert!(ran.ok && ran.log.contains("No drift"), "{}", ran.log);
    let art = fs::read(scene.checkout().join("icons/acme-sample.png")).unwrap();
    scene.portal.seed(Kind::Icon, "acme-`touch ran`", &art).unwrap();
    let ran = scene.run(Source::Schedule, &user);
    assert!(!ran.ok && ran.log.contains("FAIL 2"), "{}", ran.log);
    assert!(fs::read_to_string(scene.out("drift.xml")).unwrap().contains("touch ran"));
    let ran = scene.run(Source::Schedule, "");
    assert!(!ran.ok && ran.log.contains("BITRIX24_WEBHOOK_URL"), "{}", ran.log);
}

#[test]
fn the_file_of_init_plans_applies_and_finds_drift() {
    goes_the_whole_way(&Scene::new(None));
}

#[test]
fn components_plan_apply_and_find_drift() {
    let all = ["validate", "plan", "apply", "drift"];
    let file = all.iter().fold("include:\n".to_owned(), |text, name| text + "  - local: templates/" + name + ".yml\n");
    goes_the_whole_way(&Scene::new(Some(&file)));
}

#[test]
fn inputs_of_a_component_are_not_evaluated() {
    let file = r#"
include:
  - local: templates/plan.yml
    inputs:
      job-name: plan-of-acme
      manifest: 'a $(touch ran) ${HOME}.yaml'
  - local: templates/validate.yml
    inputs:
      manifest: brand.yaml
      args: |
        it's $(touch ran) "x" `touch ran` ; touch ran
"#;
    let scene = Scene::new(Some(file));
    let ran = scene.run(Source::MergeRequest, &scene.portal.user_webhook());
    assert!(
        !ran.ok && ran.log.contains("plan-of-acme") && ran.log.contains("a $(touch ran) ${HOME}.yaml"),
        "{}",
        ran.log
    );
    assert!(ran.log.contains("it's $(touch ran) \"x\" `touch ran` ; touch ran"), "{}", ran.log);
    assert!(!scene.checkout().join("ran").exists());
}
