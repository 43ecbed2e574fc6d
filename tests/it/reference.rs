//! docs/cli.md is what `--help` says, and every example in a `--help` runs and ends as it should.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::each;
use crate::shared::checkout::copy;
use brandctl::sandbox::{self, Sandbox};

const PROGRAM: &str = env!("CARGO_BIN_EXE_brandctl");

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn help(command: &[&str]) -> String {
    let output = Command::new(PROGRAM).args(command).arg("--help").env_clear().output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The names under "Commands:".
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    listed
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(' ').next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every command as its words, the program itself first, with its help.
fn commands() -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut left = vec![Vec::new()];
    while let Some(command) = left.pop() {
        let words: Vec<_> = command.iter().map(String::as_str).collect();
        let text = help(&words);
        let below = subcommands(&text).into_iter().rev();
        left.extend(below.map(|name| [command.clone(), vec![name]].concat()));
        found.push((command, text));
    }
    found
}

/// The global options in a help, with the empty line behind them.
fn global_options(help: &str) -> &str {
    let start = help.find("Global options:\n").unwrap();
    let section = &help[start..];
    let end = section.match_indices("\n\n").map(|(at, _)| at + 2).find(|at| !section[*at..].starts_with(' '));
    &section[..end.unwrap_or(section.len())]
}

#[test]
fn the_reference_is_what_help_says() {
    let mut page =
        "# The command line\n\nThe output of `brandctl COMMAND --help` for each command. The global options of \
                    [brandctl](#brandctl) apply to all of them.\n\nThis page is generated: `UPDATE_DOCS=1 cargo test --test it \
                    reference`.\n"
            .to_owned();
    let (_, main) = commands().swap_remove(0);
    let global = global_options(&main);
    for (command, text) in commands() {
        let name = [&["brandctl".to_owned()], command.as_slice()].concat().join(" ");
        assert_eq!(global_options(&text), global, "{name}");
        let text = if command.is_empty() { text } else { text.replace(global, "") };
        page.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", text.trim_end()));
    }
    let path = repository().join("docs/cli.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/cli.md is stale: run `UPDATE_DOCS=1 cargo test --test it reference`");
}

/// A portal, and a copy of examples/acme with what examples speak of: a saved plan, a run, a CI artifact, a log entry.
struct Prepared {
    folder: tempfile::TempDir,
    portal: Sandbox,
    data: tempfile::TempDir,
    /// What stands in an example for something whose name is only known here.
    names: Vec<(&'static str, String)>,
}

impl Prepared {
    /// `applied`: whether the portal holds what the manifest declares.
    fn new(applied: bool) -> Self {
        let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        copy(&repository().join("examples"), &folder.path().join("examples"));
        copy(&repository().join("examples/acme"), folder.path());
        let portal =
            sandbox::start(sandbox::Options { limits: None, ..sandbox::Options::new(data.path().join("portal")) })
                .unwrap();
        let company = sandbox::Options::new(data.path().join("company"));
        drop(sandbox::start(sandbox::Options { protocol: sandbox::Protocol::Https, ..company }).unwrap());
        let mut prepared = Self { folder, portal, data, names: Vec::new() };
        prepared.write("failures.txt", "write 2 drop-after\n");
        let authority = prepared.data.path().join("company/ca.pem");
        std::fs::copy(authority, prepared.folder.path().join("company-ca.pem")).unwrap();
        if applied {
            // The run that examples speak of replaced something.
            prepared.must("cp icons/acme-call.png kept && cp icons/acme-visit.png icons/acme-call.png");
            prepared.must("brandctl apply --yes && rm -r .brandctl && mv kept icons/acme-call.png");
        }
        prepared.must("brandctl plan -o plan.json");
        if applied {
            prepared.must("brandctl apply plan.json");
            prepared.must("brandctl log add --entity deal:12 --title Sent --text 1 --icon acme-call");
            let runs = prepared.state().join("runs");
            let entries = runs.read_dir().unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir());
            let run = entries.map(|entry| entry.file_name().into_string().unwrap()).next().unwrap();
            copy(&runs.join(&run), &prepared.folder.path().join("artifact").join(&run));
            prepared.names = vec![("20261122T171045Z", run), ("42074", "1".to_owned())];
        }
        prepared
    }

    fn state(&self) -> PathBuf {
        let mut portals = self.folder.path().join(".brandctl").read_dir().unwrap().map(|entry| entry.unwrap().path());
        portals.find(|path| path.join("runs").is_dir()).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn must(&self, line: &str) {
        let (code, told) = self.run(line);
        assert_eq!(code, 0, "{line}: {told}");
    }

    /// Runs a line in bash, where the program is in the path; its exit code and all that it printed.
    fn run(&self, line: &str) -> (i32, String) {
        let path = format!("{}:{}", Path::new(PROGRAM).parent().unwrap().display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .args(["--norc", "-c", line])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .env("BITRIX24_WEBHOOK_URL", self.portal.admin_webhook())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&printed).into_owned())
    }

    /// Starts what serves until it is ended, and sees it serve.
    fn serves(&self, line: &str) {
        let words = line.strip_prefix("brandctl ").unwrap().split_whitespace();
        let mut server = Command::new(PROGRAM)
            .args(words.map(|word| if word.starts_with("/tmp/") { "portal" } else { word }))
            .args(["--listen", "127.0.0.1:0"])
            .current_dir(self.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(printed.any(|line| line.starts_with("export BITRIX24_WEBHOOK_URL=")), "{line} printed no webhook");
        let ended = Command::new("sh").args(["-c", &format!("kill -TERM {}", server.id())]).status().unwrap();
        assert!(ended.success() && server.wait().unwrap().success(), "{line}");
    }
}

/// Whether an example is for a portal that holds the art already, and how it ends.
fn expected(line: &str) -> (bool, i32) {
    let command = line.split(' ').nth(1).unwrap();
    let code = match line {
        "brandctl plan --detailed-exitcode" => 2,
        // Nobody is there to be asked, and no option answers for them.
        "brandctl init" => 1,
        // Only an application can delete an entry.
        "brandctl log delete 42074" => 1,
        _ => 0,
    };
    (!matches!(command, "plan" | "apply"), code)
}

#[test]
fn every_example_in_help_runs() {
    let mut lines = Vec::new();
    for (command, text) in commands() {
        let examples = text.lines().skip_while(|line| !line.starts_with("Examples:")).skip(1);
        let examples: Vec<_> = examples.take_while(|line| !line.is_empty()).map(str::trim).collect();
        let own: Vec<_> = examples.iter().filter(|line| line.starts_with("brandctl ")).collect();
        assert!(!own.is_empty(), "{command:?} has no example");
        lines.extend(own.into_iter().map(|line| line.split("  ").next().unwrap().to_owned()));
    }
    lines.sort();
    lines.dedup();
    assert!(lines.len() >= 40, "{}", lines.len());
    each(lines.chunks(10), |lines| {
        for line in lines {
            tries(line);
        }
    });
}

fn tries(line: &str) {
    let (applied, code) = expected(line);
    let prepared = Prepared::new(applied);
    if line.starts_with("brandctl sandbox") {
        prepared.serves(line);
    } else {
        // Nobody is there to be asked.
        let asks = (line == "brandctl apply" || line.starts_with("brandctl restore")) && !line.contains("--yes");
        let answered = if asks { format!("{line} --yes") } else { line.to_owned() };
        let named = prepared.names.iter().fold(answered, |line, (name, real)| line.replace(name, real));
        if line.contains("--against") {
            prepared.must("brandctl export snapshot");
        }
        // What is started is started in an empty folder.
        let named = if line.starts_with("brandctl init") { format!("mkdir new && cd new && {named}") } else { named };
        let (ended, told) = prepared.run(&named);
        assert_eq!(ended, code, "{line}\n{told}");
    }
}
