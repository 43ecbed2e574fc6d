//! The GitHub workflow, and one that uses our action, run by act on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use brandctl::domain::asset::Kind;
use brandctl::sandbox::{Options, Recorded, Sandbox, start};
use serde_json::json;

use super::installed;
use super::servers::Server;
use crate::shared::init::{archive, command, git, init, tree};

/// A stand-in for an action of GitHub's, which cannot be downloaded: it keeps files in a folder.
const UPLOAD: &str = r#"
name: upload
description: Keeps files
inputs:
  name: {required: true}
  path: {required: true}
  include-hidden-files: {default: "false"}
  if-no-files-found: {default: warn}
  retention-days: {required: true}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        NAME: ${{ inputs.name }}
        PATHS: ${{ inputs.path }}
      run: |
        shopt -s nullglob
        mkdir -p "$KEPT/$NAME"
        IFS=$'\n'
        for path in $PATHS; do if [ -e "$path" ]; then cp -r "$path" "$KEPT/$NAME/"; fi; done
"#;

/// The same for the checkout, which act has done.
const CHECKOUT: &str = "
name: checkout
description: Checks out
inputs: {fetch-depth: {default: '1'}, persist-credentials: {default: 'true'}}
runs:
  using: composite
  steps: [{shell: bash, run: 'git log -1 --oneline'}]
";

struct Scene {
    home: tempfile::TempDir,
    portal: Sandbox,
    _data: tempfile::TempDir,
}

struct Ran {
    ok: bool,
    log: String,
}

impl Scene {
    /// A checkout with the workflow of `init`, or with another one.
    fn new(workflow: Option<&str>) -> Self {
        let [home, data] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let mut options = Options::new(data.path());
        options.limits = None;
        let scene = Self { portal: start(options).unwrap(), home, _data: data };
        for (folder, text) in [("checkout-action", CHECKOUT), ("upload-action", UPLOAD)] {
            fs::create_dir(scene.at(folder)).unwrap();
            fs::write(scene.at(folder).join("action.yml"), text).unwrap();
        }
        fs::create_dir(scene.at("kept")).unwrap();
        let checkout = scene.at("checkout");
        fs::create_dir(&checkout).unwrap();
        git(&checkout, &["init", "-q"]);
        git(&checkout, &["remote", "add", "origin", "https://github.com/acme/brand.git"]);
        init(
            &checkout,
            &["--owns", "acme-*", "--ci", if workflow.is_some() { "none" } else { "github" }, "--tool", "none"],
        );
        if let Some(workflow) = workflow {
            fs::create_dir_all(checkout.join(".github/workflows")).unwrap();
            fs::write(checkout.join(".github/workflows/w.yml"), workflow).unwrap();
        }
        scene.commit();
        scene
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn commit(&self) {
        git(&self.at("checkout"), &["add", "-A"]);
        git(&self.at("checkout"), &["commit", "-qm", "Change"]);
    }

    /// What act says about an event. A pull request comes from `head`.
    fn act(&self, event: &str, head: &str, secret: &str, more: &[&str]) -> Ran {
        let repository = json!({"full_name": "acme/brand", "default_branch": "main"});
        let from = json!({"ref": "x$(touch ran)", "sha": "0", "repo": {"full_name": head}});
        let pull = json!({"number": 7, "head": from, "base": {"ref": "main"}});
        let about = match event {
            "pull_request" => json!({"number": 7, "pull_request": pull, "repository": repository}),
            _ => json!({"repository": repository, "ref": "refs/heads/main"}),
        };
        fs::write(self.at("event.json"), about.to_string()).unwrap();
        let mut act = command(installed().join("bin/act"), &self.at("checkout"));
        let programs = Path::new(env!("CARGO_BIN_EXE_brandctl")).parent().unwrap();
        act.env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()))
            .env("HOME", self.home.path());
        act.arg(event).arg("-e").arg(self.at("event.json")).args([
            "-P",
            "ubuntu-latest=-self-hosted",
            "--action-offline-mode",
        ]);
        act.arg("--no-cache-server").arg("--action-cache-path").arg(self.at("cache"));
        let workflow = include_str!("../../../src/domain/init/ci.rs");
        for (name, folder) in [("actions/checkout", "checkout-action"), ("actions/upload-artifact", "upload-action")] {
            let (_, rest) = workflow.split_once(&format!("{name}@")).unwrap();
            act.arg("--local-repository").arg(format!("{name}@{}={}", &rest[..40], self.at(folder).display()));
        }
        act.args([
            "-s",
            &format!("BITRIX24_WEBHOOK_URL={secret}"),
            "--env",
            &format!("KEPT={}", self.at("kept").display()),
        ]);
        let output = act.args(more).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        Ran { ok: output.status.success(), log: String::from_utf8_lossy(&text).into_owned() }
    }

    fn kept(&self) -> Vec<String> {
        tree(&self.at("kept"))
    }

    fn writes(&self) -> usize {
        self.portal.requests().iter().filter(|request| Recorded::would_write(request)).count()
    }
}

#[test]
fn the_workflow_of_init_plans_applies_and_finds_drift() {
    let scene = Scene::new(None);
    let ran = scene.act("pull_request", "mallory/brand", "", &[]);
    assert!(ran.ok && ran.log.contains("Valid: 2 images."), "{}", ran.log);
    assert!(scene.portal.requests().is_empty() && scene.kept().is_empty(), "a fork is validated only");
    let ran = scene.act("pull_request", "acme/brand", &scene.portal.user_webhook(), &[]);
    assert!(ran.ok && ran.log.contains("Plan: 2 to create"), "{}", ran.log);
    assert_eq!(scene.kept(), ["plan-1/plan.html", "plan-1/plan.json"]);
    assert_eq!(scene.writes(), 0);
    let ran = scene.act("push", "", &scene.portal.user_webhook(), &[]);
    assert!(!ran.ok && ran.log.contains("administrator") && scene.writes() == 0, "{}", ran.log);
    let ran = scene.act("push", "", &scene.portal.admin_webhook(), &[]);
    assert!(ran.ok && ran.log.contains("Applied 2 changes"), "{}", ran.log);
    let kept = scene.kept();
    assert!(kept.iter().any(|path| path.starts_with("apply-runs-1/") && path.ends_with("journal.jsonl")), "{kept:?}");
    let ran = scene.act("schedule", "", &scene.portal.user_webhook(), &[]);
    assert!(ran.ok && ran.log.contains("No drift"), "{}", ran.log);
    let art = fs::read(scene.at("checkout/icons/acme-sample.png")).unwrap();
    scene.portal.seed(Kind::Icon, "acme-::set-output name=x::y", &art).unwrap();
    let ran = scene.act("schedule", "", &scene.portal.user_webhook(), &[]);
    assert!(!ran.ok && ran.log.contains("exitcode '2'") | ran.log.contains("exit status 2"), "{}", ran.log);
    assert!(scene.kept().iter().any(|path| path == "drift-1/drift.html"));
    assert!(!ran.log.contains("::set-output:: x="), "{}", ran.log);
    let ran = scene.act("schedule", "", "", &[]);
    assert!(!ran.ok && ran.log.contains("BITRIX24_WEBHOOK_URL"), "{}", ran.log);
    let everything = tree(scene.home.path());
    assert!(!everything.iter().any(|path| path.ends_with("/ran")), "the name of the branch was run");
}

/// A workflow that uses the action, as its page shows. GitHub does not give the name of its owner to anyone.
const USES: &str = r#"
on: [pull_request, push]
permissions: {}
jobs:
  brand:
    runs-on: ubuntu-latest
    permissions:
      contents: read
      pull-requests: write
    steps:
      - uses: actions/checkout@COMMIT
        with:
          persist-credentials: false
      - id: brandctl
        uses: no--owner/brandctl@0123456789012345678901234567890123456789
        env:
          BITRIX24_WEBHOOK_URL: ${{ secrets.BITRIX24_WEBHOOK_URL }}
        with:
          command: plan
          comment: "true"
          fail-on-changes: ${{ vars.FAIL }}
          install-from: ${{ vars.ARCHIVE }}
          args: |
            --only
            icon/acme-*
      - if: always()
        env:
          CHANGED: ${{ steps.brandctl.outputs.changed }}
          CODE: ${{ steps.brandctl.outputs.exit-code }}
          PLAN: ${{ steps.brandctl.outputs.plan-file }}
        run: echo "changed=$CHANGED code=$CODE" && [ -z "$PLAN" ] || [ -f "$PLAN" ] && brandctl --version
"#;

#[test]
fn the_action_plans_and_comments() {
    let commit = include_str!("../../../src/domain/init/ci.rs").split_once("actions/checkout@").unwrap().1;
    let scene = Scene::new(Some(&USES.replace("COMMIT", &commit[..40])));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ours = scene.at("ours");
    for file in
        ["action.yml", "Cargo.toml", "action/install", "action/run", "action/comment", "src/domain/init/install.sh"]
    {
        fs::create_dir_all(ours.join(file).parent().unwrap()).unwrap();
        fs::copy(root.join(file), ours.join(file)).unwrap();
    }
    fs::create_dir(scene.at("files")).unwrap();
    let (archive, sum) = archive(&scene.at("files"));
    let server = Server::github();
    let api = format!("GITHUB_API_URL=http://127.0.0.1:{}/empty", server.port);
    let graphql = format!("GITHUB_GRAPHQL_URL=http://127.0.0.1:{}/empty/graphql", server.port);
    let here = format!("no--owner/brandctl@0123456789012345678901234567890123456789={}", ours.display());
    let act = |event: &str, head: &str, from: &str, fail: &str| {
        let (from, fail) = (format!("ARCHIVE={from}"), format!("FAIL={fail}"));
        let more = [
            "--local-repository",
            &here,
            "--var",
            &from,
            "--var",
            &fail,
            "-s",
            "GITHUB_TOKEN=ghs_x",
            "--env",
            &api,
            "--env",
            &graphql,
        ];
        scene.act(event, head, &scene.portal.user_webhook(), &more)
    };
    let writes = || {
        server.requests("empty").into_iter().filter(|one| one["method"] != "GET" && one["path"] != "graphql").count()
    };
    let archive = archive.display().to_string();
    let pinned = format!("{archive}#sha256={sum}");
    let ran = act("pull_request", "acme/brand", &pinned, "");
    assert!(ran.ok && ran.log.contains("changed=true code=2"), "{}", ran.log);
    assert_eq!(writes(), 1);
    let ran = act("pull_request", "acme/brand", &archive, "true");
    assert!(!ran.ok && ran.log.contains("changed=true code=2"), "{}", ran.log);
    assert_eq!(writes(), 2, "updated after a failure too");
    let ran = act("pull_request", "mallory/brand", &archive, "");
    assert!(ran.ok && ran.log.contains("comes from a fork") && writes() == 2, "{}", ran.log);
    let ran = act("push", "", &archive, "");
    assert!(ran.ok && ran.log.contains("not for a pull request") && writes() == 2, "{}", ran.log);
    let ran = act("pull_request", "acme/brand", &format!("{archive}#sha256={}", "0".repeat(64)), "");
    assert!(!ran.ok && ran.log.contains("brandctl is not installed") && writes() == 2, "{}", ran.log);
}
