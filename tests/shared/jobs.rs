//! The jobs of a CI file, as much of them as it takes to run their shell steps.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::init::yaml;

/// The CI system that a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Github,
    Gitlab,
}

impl System {
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "github" => Self::Github,
            "gitlab" => Self::Gitlab,
            _ => panic!("no CI system: {name}"),
        }
    }
}

/// When a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// As long as nothing has failed.
    Sound,
    /// The same, and the pull request is from no fork.
    SoundAndOurs,
    /// In any case.
    Always,
}

/// A shell step.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) script: String,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) when: When,
}

/// A job: its shell steps, and the patterns of what it keeps in any case.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) kept: Vec<String>,
    /// Everything else that is written about it.
    pub(crate) value: Value,
}

/// The jobs of a file.
pub(crate) fn jobs(system: System, file: &Path) -> Vec<Job> {
    let file = yaml(file);
    match system {
        System::Github => {
            assert_eq!(file["defaults"]["run"]["shell"], "bash", "which runs with -eo pipefail");
            let shared = strings(&file["env"]);
            file["jobs"].as_object().unwrap().iter().map(|(name, job)| of_github(name, job, &shared)).collect()
        }
        System::Gitlab => {
            let jobs = file.as_object().unwrap().iter().filter(|(name, _)| !name.starts_with('.'));
            jobs.map(|(name, job)| of_gitlab(name, job, &file)).collect()
        }
    }
}

fn of_github(name: &str, job: &Value, shared: &BTreeMap<String, String>) -> Job {
    let mut found = Job { name: name.to_owned(), steps: Vec::new(), kept: Vec::new(), value: job.clone() };
    for step in job["steps"].as_array().unwrap() {
        let when = match step["if"].as_str() {
            None => When::Sound,
            Some(
                "github.event.pull_request.head.repo.full_name == github.repository && github.event.pull_request.user.login != 'dependabot[bot]'",
            ) => When::SoundAndOurs,
            Some("always()" | "${{ !cancelled() }}") => When::Always,
            Some(other) => panic!("{name}: when is {other}?"),
        };
        match (step["run"].as_str(), step["uses"].as_str()) {
            (Some(script), None) => {
                let mut environment = shared.clone();
                environment.extend(strings(&step["env"]));
                found.steps.push(Step { script: script.to_owned(), environment, when });
            }
            (None, Some(action)) if pinned(action) == "actions/checkout" => {
                assert_eq!(step["with"], serde_json::json!({"fetch-depth": 0, "persist-credentials": false}));
            }
            (None, Some(action)) if pinned(action) == "actions/upload-artifact" => {
                assert_eq!(when, When::Always, "{name}: what is kept is kept in any case");
                let with = &step["with"];
                let artifact = with["name"].as_str().unwrap();
                assert!(artifact.starts_with(name) && artifact.ends_with("-${{ github.run_attempt }}"), "{with}");
                assert!(with["retention-days"].is_u64(), "{with}");
                let paths: Vec<_> = with["path"].as_str().unwrap().lines().map(str::to_owned).collect();
                let hidden = paths.iter().any(|path| path.contains(".brandctl"));
                assert_eq!(with["include-hidden-files"] == true, hidden, "{with}");
                found.kept.extend(paths);
            }
            other => panic!("{name} has a step that is not known: {other:?}"),
        }
    }
    found
}

/// The name of an action, which must be pinned by its commit.
#[track_caller]
fn pinned(action: &str) -> &str {
    let (name, commit) = action.split_once('@').unwrap();
    assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{action}");
    name
}

fn of_gitlab(name: &str, job: &Value, file: &Value) -> Job {
    assert_eq!(job["extends"], ".brandctl", "{name}");
    let base = &file[".brandctl"];
    let lines = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(job["artifacts"]["when"], "always", "{name}");
    assert!(job["artifacts"]["expire_in"].is_string(), "{name}");
    let kept = job["artifacts"]["paths"].as_array().into_iter().flatten();
    let mut kept: Vec<_> = kept.map(|path| path.as_str().unwrap().to_owned()).collect();
    let reports = job["artifacts"]["reports"].as_object().into_iter().flatten();
    kept.extend(reports.map(|(_, path)| path.as_str().unwrap().to_owned()));
    // A runner joins them into one script.
    let script = [lines(&base["before_script"]), lines(&job["script"])].concat().join("\n");
    let step = Step { script, environment: strings(&base["variables"]), when: When::Sound };
    Job { name: name.to_owned(), steps: vec![step], kept, value: job.clone() }
}

fn strings(map: &Value) -> BTreeMap<String, String> {
    let entries = map.as_object().into_iter().flatten();
    entries.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}
