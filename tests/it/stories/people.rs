//! Who appears in the stories: a portal that several people use, and teams with a repository each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use brandctl::sandbox::{Latency, Options, Recorded, Sandbox, start};
use serde_json::Value;

use crate::common::{art, command, parts};

/// A portal, and what people do there by hand.
pub(crate) struct Portal {
    sandbox: Sandbox,
    _data: tempfile::TempDir,
}

impl Portal {
    pub(crate) fn open() -> Self {
        Self::slow(Latency::default())
    }

    /// One that takes its time.
    pub(crate) fn slow(latency: Latency) -> Self {
        let data = tempfile::tempdir().unwrap();
        let options = Options { limits: None, operating: None, latency, ..Options::new(data.path()) };
        Self { sandbox: start(options).unwrap(), _data: data }
    }

    /// What it holds beside what came with the product.
    pub(crate) fn holds(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = self.sandbox.entries().into_iter();
        entries.map(|entry| (format!("{}/{}", entry.kind, entry.code), entry.content)).collect()
    }

    pub(crate) fn codes(&self) -> Vec<String> {
        self.holds().into_keys().collect()
    }

    /// Somebody uploads an image by hand, over what was there.
    pub(crate) fn gets(&self, address: &str, png: &[u8]) {
        self.loses(address);
        let (kind, code) = parts(address);
        self.sandbox.seed(kind, code, png).unwrap();
    }

    /// Somebody deletes an entry by hand.
    pub(crate) fn loses(&self, address: &str) {
        let (kind, code) = parts(address);
        if self.holds().contains_key(address) {
            self.sandbox.remove(kind, code).unwrap();
        }
    }

    /// How many requests so far would have written.
    pub(crate) fn writes(&self) -> usize {
        self.sandbox.requests().iter().filter(|request| Recorded::would_write(request)).count()
    }

    pub(crate) fn administrator(&self) -> String {
        self.sandbox.admin_webhook()
    }

    /// The webhook of somebody who can only read.
    pub(crate) fn reader(&self) -> String {
        self.sandbox.user_webhook()
    }
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Told {
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.out.contains(words) || self.err.contains(words), "no `{words}`:\n{}\n{}", self.out, self.err);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// `replace icon/acme-call` and so on.
    pub(crate) fn changes(&self) -> Vec<String> {
        let json = self.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let changes = json["changes"].as_array().unwrap().iter();
        changes.map(|change| format!("{} {}", text(&change["action"]), text(&change["address"]))).collect()
    }

    /// `drifted icon/acme-call` and so on.
    pub(crate) fn movers(&self) -> Vec<String> {
        let json = self.json();
        let text = |value: &Value| value.as_str().unwrap_or("nobody").to_owned();
        let changes = json["changes"].as_array().unwrap().iter();
        changes.map(|change| format!("{} {}", text(&change["origin"]["kind"]), text(&change["address"]))).collect()
    }
}

/// A clone of a branding repository, and a machine to work on.
pub(crate) struct Team {
    machine: tempfile::TempDir,
    webhook: Option<String>,
}

impl Team {
    /// One that begins a repository which owns the codes with a prefix, and administers `portal`.
    pub(crate) fn that_owns(prefix: &str, portal: &Portal) -> Self {
        let team = Self { machine: tempfile::tempdir().unwrap(), webhook: Some(portal.administrator()) };
        team.git("init --quiet --initial-branch main");
        team.owns(&[prefix]);
        team.writes(".gitignore", b".brandctl/\n");
        team
    }

    /// One on a new machine, with nothing but what is committed.
    pub(crate) fn clone_of(other: &Self, webhook: Option<String>) -> Self {
        let machine = tempfile::tempdir().unwrap();
        let from = other.machine.path().to_str().unwrap();
        let clone = Self { machine, webhook };
        clone.git_with(&["clone", "--quiet", from, "."]);
        clone
    }

    pub(crate) fn owns(&self, prefixes: &[&str]) {
        let owns: Vec<_> = prefixes.iter().map(|prefix| format!("\"{prefix}*\"")).collect();
        let text = format!("version: 1\nowns: [{}]\nicons: icons/\nlogos: logos/\n", owns.join(", "));
        self.writes("brand.yaml", text.as_bytes());
        for folder in ["icons", "logos"] {
            fs::create_dir_all(self.path(folder)).unwrap();
            // Git keeps no empty folder.
            self.writes(&format!("{folder}/.gitkeep"), b"");
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.machine.path().join(name)
    }

    pub(crate) fn writes(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Declares an entry, or draws it again.
    pub(crate) fn draws(&self, address: &str, mark: u8) {
        self.writes(&file(address), &art(parts(address).0, mark));
    }

    pub(crate) fn drops(&self, address: &str) {
        fs::remove_file(self.path(&file(address))).unwrap();
    }

    pub(crate) fn renames(&self, old: &str, new: &str) {
        fs::rename(self.path(&file(old)), self.path(&file(new))).unwrap();
    }

    pub(crate) fn commits(&self, message: &str) {
        self.git("add --all");
        self.git_with(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    /// Its machine is thrown away, as CI runners are: what is not committed is lost.
    pub(crate) fn loses_its_machine(&self) {
        let _ = fs::remove_dir_all(self.path(".brandctl"));
    }

    /// Runs brandctl with these words.
    #[track_caller]
    pub(crate) fn runs(&self, line: &str) -> Told {
        let output = self.command(line).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        Told { code: output.status.code().unwrap_or_else(|| panic!("ended by a signal: {err}")), out, err }
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = command(self.machine.path());
        if let Some(webhook) = &self.webhook {
            command.env("BITRIX24_WEBHOOK_URL", webhook);
        }
        command.args(line.split_whitespace().map(|word| word.trim_matches('\'')));
        command
    }

    #[track_caller]
    pub(crate) fn applies(&self) -> Told {
        self.runs("apply --yes --settle 0.1")
    }

    #[track_caller]
    pub(crate) fn plans(&self) -> Told {
        self.runs("plan --format json").ends(0)
    }

    /// The ids of its runs, the newest first.
    pub(crate) fn history(&self) -> Vec<String> {
        let json = self.runs("history --format json").ends(0).json();
        let runs = json["runs"].as_array().unwrap().iter().rev();
        runs.map(|run| run["run"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn git(&self, line: &str) {
        self.git_with(&line.split_whitespace().collect::<Vec<_>>());
    }

    /// Git that knows nothing of the user who runs the tests.
    fn git_with(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
            git.env_remove(name);
        }
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "somebody").env(format!("GIT_{role}_EMAIL"), "somebody@example.com");
        }
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let output = git.arg("-C").arg(self.machine.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Where the art of an entry lies.
fn file(address: &str) -> String {
    let (kind, code) = parts(address);
    format!("{}/{code}.png", kind.plural())
}

/// Copies a folder, as an artifact is kept.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
