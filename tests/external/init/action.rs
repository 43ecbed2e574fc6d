//! The scripts of the action, run as its steps run them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::faults::{FaultAction, Faults, On, When};
use brandctl::sandbox::{Options, Recorded, Sandbox, start};

use super::servers::Server;
use crate::shared::init::{command, git, init};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const MARKER: &str = "<!-- brandctl plan acme.bitrix24.com brand.yaml -->";

/// A runner with a checkout and a portal.
struct Runner {
    home: tempfile::TempDir,
    portal: Sandbox,
    _data: tempfile::TempDir,
}

/// How a step went.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    log: String,
    outputs: BTreeMap<String, String>,
    summary: String,
}

impl Runner {
    fn new() -> Self {
        let [home, data] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let mut options = Options::new(data.path());
        options.limits = None;
        let portal = start(options).unwrap();
        let checkout = home.path().join("checkout");
        for folder in [&checkout, &home.path().join("temp")] {
            fs::create_dir(folder).unwrap();
        }
        git(&checkout, &["init", "-q"]);
        init(&checkout, &["--owns", "acme-*", "--ci", "none"]);
        git(&checkout, &["add", "."]);
        git(&checkout, &["commit", "-qm", "Start"]);
        Self { home, portal, _data: data }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A step that runs a script of the action with these inputs.
    fn step(&self, script: &str, variables: &[(&str, &str)]) -> Command {
        for file in ["output", "summary", "path"] {
            fs::write(self.at(file), "").unwrap();
        }
        // Whoever runs the tests in the background has SIGINT ignored, and then no shell can trap it.
        let mut bash = command("env", &self.at("checkout"));
        bash.args(["--default-signal=INT", "bash"]);
        let programs = Path::new(env!("CARGO_BIN_EXE_brandctl")).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c"])
            .arg(format!("exec \"$GITHUB_ACTION_PATH/action/{script}\""));
        bash.env("PATH", path).env("HOME", self.home.path()).env("GITHUB_ACTION_PATH", ROOT).env("no_proxy", "*");
        bash.env("RUNNER_TEMP", self.at("temp")).env("GITHUB_WORKSPACE", self.at("checkout"));
        bash.env("GITHUB_OUTPUT", self.at("output")).env("GITHUB_STEP_SUMMARY", self.at("summary"));
        bash.env("GITHUB_PATH", self.at("path")).env("GITHUB_SERVER_URL", "https://github.com");
        bash.env("GITHUB_REPOSITORY", "acme/brand").env("GITHUB_RUN_ID", "7");
        bash.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        bash
    }

    fn ended(&self, step: Child) -> Ran {
        let output = step.wait_with_output().unwrap();
        let log = [output.stdout, output.stderr].concat();
        let outputs = fs::read_to_string(self.at("output")).unwrap();
        let outputs = outputs.lines().filter_map(|line| line.split_once('='));
        Ran {
            code: output.status.code(),
            log: String::from_utf8_lossy(&log).into_owned(),
            outputs: outputs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            summary: fs::read_to_string(self.at("summary")).unwrap(),
        }
    }

    fn run(&self, variables: &[(&str, &str)]) -> Ran {
        let secret = self.portal.admin_webhook();
        let mut step = self.step("run", variables);
        if !variables.iter().any(|(name, _)| *name == "BITRIX24_WEBHOOK_URL") {
            step.env("BITRIX24_WEBHOOK_URL", &secret);
        }
        let ran = self.ended(step.spawn().unwrap());
        assert!(!ran.log.contains(secret.trim_end_matches('/').rsplit('/').next().unwrap()), "{}", ran.log);
        ran
    }

    /// An apply that gets signals during its first write.
    fn cancelled(&self, signals: &[&str]) -> Ran {
        // Long enough for a signal that this machine, busy with other tests, sends late.
        let slow = FaultAction::Delay(Duration::from_secs(8));
        self.portal.set_faults(Faults::one(On::Write, When::Every, slow));
        let webhook = self.portal.admin_webhook();
        let variables = [("BRANDCTL_COMMAND", "apply"), ("BITRIX24_WEBHOOK_URL", webhook.as_str())];
        let step = self.step("run", &variables).spawn().unwrap();
        let patience = std::time::Instant::now() + Duration::from_secs(20);
        while !self.portal.requests().iter().any(Recorded::would_write) && std::time::Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(10));
        }
        for signal in signals {
            // It may have ended before the second one.
            Command::new("kill").args(["-s", signal, &step.id().to_string()]).status().unwrap();
            std::thread::sleep(Duration::from_millis(200));
        }
        self.ended(step)
    }

    #[track_caller]
    fn ends(&self, variables: &[(&str, &str)], code: i32, own: &str, changed: &str) -> Ran {
        let ran = self.run(variables);
        assert_eq!(ran.code, Some(code), "{}", ran.log);
        assert_eq!((ran.outputs["exit-code"].as_str(), ran.outputs["changed"].as_str()), (own, changed), "{ran:?}");
        ran
    }
}

/// The lines that the runner reads as commands.
fn commands(log: &str) -> Vec<&str> {
    let mut stopped = None;
    let mut found = Vec::new();
    for line in log.lines().map(str::trim_start) {
        match (line.strip_prefix("::stop-commands::"), &stopped) {
            (Some(token), None) => stopped = Some(format!("::{token}::")),
            (_, Some(end)) if line == end => stopped = None,
            (_, None) if line.starts_with("::") || line.contains("##[") => found.push(line),
            _ => {}
        }
    }
    assert_eq!(stopped, None, "commands stay stopped: {log}");
    found
}

#[test]
fn exit_codes_are_those_of_brandctl_and_changes_are_an_output() {
    let runner = Runner::new();
    let plan = ("BRANDCTL_COMMAND", "plan");
    let ran = runner.ends(&[plan], 0, "2", "true");
    assert!(Path::new(&ran.outputs["plan-file"]).is_file() && Path::new(&ran.outputs["report"]).is_file());
    assert!(ran.summary.contains("Plan: 2 to create") && ran.summary.contains("Who moved"), "{}", ran.summary);
    assert!(ran.summary.contains("](<https://github.com/acme/brand/actions/runs/7#artifacts>)"), "{}", ran.summary);
    runner.ends(&[plan, ("BRANDCTL_FAIL_ON_CHANGES", "true")], 2, "2", "true");
    let drift = ("BRANDCTL_COMMAND", "drift");
    runner.ends(&[drift], 2, "2", "true");
    runner.ends(&[drift, ("BRANDCTL_FAIL_ON_CHANGES", "false")], 0, "2", "true");
    let apply = ("BRANDCTL_COMMAND", "apply");
    let ran = runner.ends(&[apply, ("BRANDCTL_SUMMARY", "false")], 0, "0", "true");
    assert_eq!(ran.summary, "");
    let runs = ran.outputs["runs"].replace("*/runs/", "");
    assert!(Path::new(&runs).is_dir() && Path::new(&runs).starts_with(runner.at("temp")), "{runs}");
    runner.ends(&[apply], 0, "0", "false");
    runner.ends(&[plan], 0, "0", "false");
    runner.ends(&[drift], 0, "0", "false");
    let art = fs::read(runner.at("checkout/icons/acme-sample.png")).unwrap();
    for number in 0..12 {
        runner.portal.seed(Kind::Icon, &format!("acme-{number}"), &art).unwrap();
    }
    let ran = runner.ends(&[plan], 4, "4", "true");
    assert!(Path::new(&ran.outputs["plan-file"]).is_file(), "a refused plan is saved too");
    runner.ends(&[apply], 4, "4", "false");
    runner.ends(&[plan, ("BITRIX24_WEBHOOK_URL", "")], 1, "1", "");
    fs::write(runner.at("checkout/brand.yaml"), "version: 1\nowns: [\"x\"\n").unwrap();
    for command in ["validate", "plan", "drift"] {
        runner.ends(&[("BRANDCTL_COMMAND", command)], 1, "1", "");
    }
}

#[test]
fn inputs_are_not_evaluated() {
    let runner = Runner::new();
    let hostile = "\n--only\nicon/acme $(touch ran) `touch ran` 'a \"b; touch ran\r\n\n";
    let ran = runner.run(&[("BRANDCTL_COMMAND", "plan"), ("BRANDCTL_ARGS", hostile)]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.log.contains("`--only icon/acme $(touch ran) `touch ran` 'a \"b; touch ran` matches no"),
        "{}",
        ran.log
    );
    for (name, value) in [
        ("BRANDCTL_COMMAND", "plan; touch ran"),
        ("BRANDCTL_COMMAND", "sandbox"),
        ("BRANDCTL_COMMAND", ""),
        ("BRANDCTL_FAIL_ON_CHANGES", "$(touch ran)"),
        ("BRANDCTL_MANIFEST", "a\nexit-code=0"),
        ("BRANDCTL_MANIFEST", "$(touch ran)"),
    ] {
        let ran = runner.run(&[("BRANDCTL_COMMAND", "validate"), (name, value)]);
        assert_eq!(ran.code, Some(1), "{name} {value}: {}", ran.log);
    }
    assert!(!runner.at("checkout/ran").exists());
    let ran = runner.ended(runner.step("install", &[("INSTALL_VERSION", "1;touch ran")]).spawn().unwrap());
    assert!(ran.code == Some(1) && ran.log.contains("The input version is not a version"), "{}", ran.log);
    let ran = runner.ended(runner.step("install", &[("ACTION_REPOSITORY", "$(touch ran)/x")]).spawn().unwrap());
    assert_eq!(ran.code, Some(0), "as if it were none: {}", ran.log);
    assert!(!runner.at("checkout/ran").exists());
}

#[test]
fn names_from_the_portal_are_no_commands_for_the_runner() {
    let runner = Runner::new();
    let art = fs::read(runner.at("checkout/icons/acme-sample.png")).unwrap();
    for code in ["acme-::set-output name=changed::x", "acme-##[add-mask]x", "acme-@team #1 <b>"] {
        runner.portal.seed(Kind::Icon, code, &art).unwrap();
    }
    let ran = runner.run(&[("BRANDCTL_COMMAND", "plan"), ("BRANDCTL_ARGS", "--max-deletes\n9")]);
    let found = commands(&ran.log);
    assert!(
        found.iter().all(|line| line.starts_with("::warning file=")
            || line.starts_with("::notice file=")
            || line.starts_with("::warning title=")
            || line.starts_with("::error title=")),
        "{found:?}"
    );
    assert!(found.iter().any(|line| line.contains("add-mask")), "{found:?}");
    let ran = runner.run(&[("BRANDCTL_COMMAND", "apply"), ("BRANDCTL_ARGS", "--max-deletes\n1")]);
    assert!(ran.code == Some(4) && ran.log.contains("add-mask"), "{}", ran.log);
    assert_eq!(commands(&ran.log), [] as [&str; 0]);
    let ran = runner.run(&[("BRANDCTL_COMMAND", "plan"), ("BRANDCTL_ARGS", "--max-deletes\n9")]);
    assert!(ran.summary.contains("`icon/acme-@team #1 <b>`"), "{}", ran.summary);
    // Annotations are the commands that are meant.
    fs::write(runner.at("checkout/icons/acme-x.png"), "no PNG").unwrap();
    let ran = runner.run(&[("BRANDCTL_COMMAND", "validate")]);
    let found = commands(&ran.log);
    assert!(
        ran.code == Some(1) && found.len() == 1 && found[0].starts_with("::error file=icons/acme-x.png,"),
        "{found:?}"
    );
}

/// An upload follows links, and a commit can hold one where the state usually is.
#[test]
fn the_folder_of_the_run_is_none_that_a_commit_can_make() {
    let runner = Runner::new();
    let (checkout, secret) = (runner.at("checkout"), runner.at("secret"));
    fs::create_dir_all(checkout.join(".brandctl/evil")).unwrap();
    fs::create_dir(&secret).unwrap();
    std::os::unix::fs::symlink(&secret, checkout.join(".brandctl/evil/runs")).unwrap();
    git(&checkout, &["add", "-f", ".brandctl"]);
    git(&checkout, &["commit", "-qm", "Link"]);
    let ran = runner.run(&[("BRANDCTL_COMMAND", "apply")]);
    let runs = Path::new(&ran.outputs["runs"]);
    assert!(runs.starts_with(runner.at("temp")), "{ran:?}");
    // A name with a line break in it would be another output.
    let odd = checkout.join("a\nruns=x");
    fs::create_dir(&odd).unwrap();
    let mut step = runner.step("run", &[("BRANDCTL_COMMAND", "plan")]);
    let ran = runner.ended(step.current_dir(&odd).spawn().unwrap());
    assert!(ran.code == Some(1) && ran.outputs.is_empty(), "{ran:?}");
}

/// The old images are where the output says, so that an upload keeps them.
#[test]
fn the_folder_of_the_run_is_the_one_that_brandctl_wrote() {
    for arguments in ["", "--state-dir\n../state", "-f\nbrand.yaml"] {
        let runner = Runner::new();
        let ran = runner.ends(&[("BRANDCTL_COMMAND", "apply"), ("BRANDCTL_ARGS", arguments)], 0, "0", "true");
        let runs = fs::canonicalize(&ran.outputs["runs"]).unwrap();
        let state = runner.at(if arguments.starts_with("--state-dir") { "state" } else { "temp" });
        assert!(runs.starts_with(fs::canonicalize(state).unwrap()), "{ran:?}");
        let run = fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
        assert!(run.join("journal.jsonl").is_file(), "{ran:?}");
    }
}

#[test]
fn a_job_that_is_cancelled_lets_brandctl_finish_what_it_began() {
    std::thread::scope(|scope| {
        for signals in [&["INT"][..], &["TERM"], &["INT", "TERM"]] {
            scope.spawn(move || {
                let ran = Runner::new().cancelled(signals);
                assert_eq!((ran.code, &*ran.outputs["exit-code"]), (Some(130), "130"), "{signals:?}: {}", ran.log);
                // At a second one brandctl stops at once, without reports.
                assert!(ran.summary.contains("brandctl apply") || signals.len() == 2, "{signals:?}: {}", ran.summary);
            });
        }
    });
}

/// Runs the comment's step in a mode of the server.
fn comment(runner: &Runner, server: &Server, mode: &str, more: &[(&str, &str)]) -> Ran {
    let report = runner.at("plan.md");
    if !report.exists() {
        fs::write(&report, format!("{MARKER}\n### Plan\n`@team` \"quoted\" \\ $(x)\n")).unwrap();
    }
    let api = format!("http://127.0.0.1:{}/{mode}", server.port);
    let graphql = format!("{api}/graphql");
    let report = report.display().to_string();
    let variables = [
        ("COMMENT_TOKEN", "ghs_secret0token"),
        ("COMMENT_FILE", report.as_str()),
        ("PULL_REQUEST", "7"),
        ("HEAD_REPOSITORY", "acme/brand"),
        ("GITHUB_API_URL", api.as_str()),
        ("GITHUB_GRAPHQL_URL", graphql.as_str()),
    ];
    let ran = runner.ended(runner.step("comment", &[&variables[..], more].concat()).spawn().unwrap());
    assert!(!ran.log.contains("secret0token"), "{}", ran.log);
    assert_eq!(ran.code, Some(0), "{mode}: {}", ran.log);
    ran
}

#[test]
fn a_comment_is_updated_and_is_always_our_own() {
    let (runner, server) = (Runner::new(), Server::github());
    let body = |request: &serde_json::Value| -> String {
        let body: serde_json::Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
        body["body"].as_str().unwrap().to_owned()
    };
    let writes = |mode: &str| -> Vec<serde_json::Value> {
        let all = server.requests(mode);
        assert!(all.iter().all(|request| request["token"] == "Bearer ghs_secret0token"), "{all:?}");
        all.into_iter().filter(|request| request["method"] != "GET" && request["path"] != "graphql").collect()
    };
    for (mode, first) in [
        ("empty", "POST repos/acme/brand/issues/7/comments"),
        ("theirs", "POST repos/acme/brand/issues/7/comments"),
        ("crowded", "PATCH repos/acme/brand/issues/comments/211"),
        ("early", "PATCH repos/acme/brand/issues/comments/2"),
    ] {
        for _ in 0..2 {
            assert_eq!(commands(&comment(&runner, &server, mode, &[]).log), [] as [&str; 0]);
        }
        let written = writes(mode);
        let shown: Vec<_> = written
            .iter()
            .map(|one| format!("{} {}", one["method"].as_str().unwrap(), one["path"].as_str().unwrap()))
            .collect();
        assert_eq!((shown.len(), shown[0].as_str()), (2, first), "{shown:?}");
        assert!(shown[1].starts_with("PATCH "), "never a second one: {shown:?}");
        assert_eq!(body(&written[0]), fs::read_to_string(runner.at("plan.md")).unwrap());
    }
}

#[test]
fn what_the_server_does_is_a_warning_at_most() {
    let (runner, server) = (Runner::new(), Server::github());
    let (runner, server) = (&runner, &server);
    comment(runner, server, "app", &[]);
    std::thread::scope(|scope| {
        for (mode, told) in [
            ("denied", "cannot be listed (status 403)"),
            ("readonly", "answered with status 403"),
            ("broken", "cannot be listed (status 500)"),
            ("html", "not what GitHub sends"),
            ("odd", "not what GitHub sends"),
            ("null", "not what GitHub sends"),
            ("away", "cannot be listed (status 302)"),
            ("slow", "cannot be listed (status 000)"),
        ] {
            scope.spawn(move || {
                let home = Runner::new();
                let ran = comment(&home, server, mode, &[]);
                let found = commands(&ran.log);
                assert!(
                    found.len() == 1 && found[0].starts_with("::warning ") && found[0].contains(told),
                    "{mode}: {}",
                    ran.log
                );
                assert!(!home.at("checkout/ran").exists());
            });
        }
    });
    assert!(server.requests("ok").is_empty(), "a redirect took the token along");
    comment(runner, server, "endless", &[]);
    assert!(server.requests("endless").len() < 35);
    for (name, value, told) in [
        ("HEAD_REPOSITORY", "mallory/brand", "comes from a fork"),
        ("HEAD_REPOSITORY", "", "comes from a fork"),
        ("PULL_REQUEST", "", "not for a pull request"),
        ("PULL_REQUEST", "7/../8", "not for a pull request"),
        ("COMMENT_TOKEN", "a\"\nurl = \"http://127.0.0.1:9", "not a token"),
        ("COMMENT_TOKEN", "", "not a token"),
        ("GITHUB_API_URL", "http://api.example.com", "not an https URL"),
    ] {
        let ran = comment(runner, server, "unused", &[(name, value)]);
        assert!(ran.log.contains(told), "{name}: {}", ran.log);
    }
    fs::write(runner.at("plan.md"), "x".repeat(70_000)).unwrap();
    assert!(comment(runner, server, "unused", &[]).log.contains("too long"));
    fs::write(runner.at("plan.md"), "no marker\n").unwrap();
    assert!(comment(runner, server, "other", &[]).log.contains("does not begin with its marker"));
    assert!(server.requests("unused").is_empty());
}
