//! Every command that README.md shows is run, and prints what README.md says it prints.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of the fenced blocks of a language, indented ones too.
fn blocks(language: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let mut found = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() == format!("```{language}") {
            let indent = line.len() - line.trim_start().len();
            let block = lines.by_ref().take_while(|line| line.trim_start() != "```");
            found.push(block.map(|line| line.get(indent..).unwrap_or("").to_owned() + "\n").collect());
        }
    }
    found
}

/// A folder with a copy of examples/, as a user has it.
fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let examples = repository().join("examples");
    for entry in walkdir::WalkDir::new(&examples).into_iter().filter_entry(|entry| entry.file_name() != ".brandctl") {
        let entry = entry.unwrap();
        let target = folder.path().join("examples").join(entry.path().strip_prefix(&examples).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
    folder
}

/// Runs a command line in `folder`: its exit code and standard output.
fn run(line: &str, folder: &Path) -> (i32, String) {
    run_with(line, folder, &[])
}

fn run_with(line: &str, folder: &Path, environment: &[(&str, &str)]) -> (i32, String) {
    let program = env!("CARGO_BIN_EXE_brandctl");
    let arguments = line.strip_prefix("cargo run --release -- ").or_else(|| line.strip_prefix("brandctl "));
    let arguments = arguments.unwrap_or_else(|| panic!("README.md runs something else: {line}"));
    let output = Command::new(program)
        .args(arguments.split_whitespace().map(|word| word.trim_matches('\'')))
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_session_ends_and_prints_as_shown() {
    let sessions = blocks("console");
    assert!(sessions.len() >= 3, "README.md lost its sessions");
    for session in sessions {
        let folder = checkout();
        let mut commands = session.split("\n$ ").peekable();
        while let Some(command) = commands.next() {
            let command = command.strip_prefix("$ ").unwrap_or(command);
            let (line, shown) = command.split_once('\n').unwrap_or((command, ""));
            let (line, code) = match line.split_once("# exit ") {
                Some((line, code)) => (line.trim(), code.trim().parse().unwrap()),
                None => (line.trim(), 0),
            };
            let (ended, printed) = run(line, folder.path());
            assert_eq!(ended, code, "{line}\n{printed}");
            let shown =
                if commands.peek().is_some() && !shown.is_empty() { format!("{shown}\n") } else { shown.to_owned() };
            assert!(shown.is_empty() || printed == shown, "{line} prints\n{printed}\nand README.md says\n{shown}");
        }
    }
}

/// The commands for a real portal run too, block by block, in a copy of examples/acme and against a sandbox that their
/// webhook names. Nobody is there to answer `apply`, so it gets its `--yes`.
#[test]
fn every_command_for_a_portal_does_what_it_says() {
    let mut ran = 0;
    for block in blocks("sh") {
        let (folder, data) = (checkout(), tempfile::tempdir().unwrap());
        let portal = brandctl::sandbox::start(brandctl::sandbox::Options::new(data.path())).unwrap();
        for line in block.lines() {
            let command = line.split('#').next().unwrap().trim();
            let exported = command.starts_with("export BITRIX24_WEBHOOK_URL=");
            if command.is_empty() || exported || command == "tests/run" {
                continue;
            }
            if command.starts_with("brandctl sandbox") {
                serves(command, folder.path());
                ran += 1;
                continue;
            }
            let (pending, asks) = (command.contains("--detailed-exitcode"), command == "brandctl apply");
            let command = if asks { format!("{command} --yes") } else { command.to_owned() };
            let acme = folder.path().join("examples/acme");
            let (ended, printed) =
                run_with(&command, &acme, &[("BITRIX24_WEBHOOK_URL", portal.admin_webhook().as_str())]);
            assert_eq!(ended, if pending { 2 } else { 0 }, "{command}\n{printed}");
            if command.starts_with("brandctl apply") {
                assert!(printed.ends_with("Applied 12 changes and read back.\n"), "{printed}");
                assert_eq!(portal.entries().len(), 12, "{command}");
            }
            ran += 1;
        }
    }
    assert!(ran >= 6, "README.md lost its commands");
}

/// Runs a command that serves until it is told to end, on a free port: it must print a webhook, and end well.
fn serves(line: &str, folder: &Path) {
    let words = line.strip_prefix("brandctl ").unwrap();
    let mut quoted = words.split('\'');
    let mut arguments: Vec<_> = quoted.next().unwrap().split_whitespace().collect();
    arguments.extend(quoted.next());
    let mut server = Command::new(env!("CARGO_BIN_EXE_brandctl"))
        .args(arguments)
        .args(["--listen", "127.0.0.1:0"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let printed = BufReader::new(server.stdout.take().unwrap()).lines();
    let webhook = printed.map(Result::unwrap).find(|line| line.starts_with("export BITRIX24_WEBHOOK_URL="));
    assert!(webhook.is_some(), "{line} printed no webhook");
    let ended = Command::new("sh").args(["-c", &format!("kill -TERM {}", server.id())]).status().unwrap();
    assert!(ended.success() && server.wait().unwrap().success(), "{line}");
}

/// An option that README.md names is one of the program's, or of cargo's where it is named here.
#[test]
fn every_option_exists() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let options = |text: &str| -> BTreeSet<String> {
        text.split(|character: char| !character.is_alphanumeric() && character != '-')
            .filter_map(|word| word.strip_prefix("--"))
            .filter(|option| option.starts_with(char::is_alphabetic))
            .map(str::to_owned)
            .collect()
    };
    let (_, help) = run("brandctl --help", repository());
    let commands: Vec<_> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(' ').next())
        .filter(|command| *command != "help")
        .collect();
    let mut known = options(&help);
    for command in &commands {
        known.extend(options(&run(&format!("brandctl {command} --help"), repository()).1));
        assert!(readme.contains(&format!("| `{command}")), "README.md does not tell of `{command}`");
    }
    assert!(commands.len() >= 4, "{help}");
    known.extend(["release", "path", "force"].map(str::to_owned));
    let unknown: Vec<_> = options(&readme).difference(&known).cloned().collect();
    assert!(unknown.is_empty(), "README.md tells of options that do not exist: {unknown:?}");
}

#[test]
fn every_manifest_is_valid() {
    let mut seen = 0;
    for text in blocks("yaml") {
        let (manifest, findings) = brandctl::domain::manifest::parse(text.as_bytes(), "README.md");
        assert!(manifest.is_some() && findings.is_empty(), "{findings:#?}");
        seen += 1;
    }
    assert!(seen >= 2, "README.md lost its manifests");
}

#[test]
fn every_link_leads_somewhere() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let links = readme.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    for link in links.filter(|link| !link.starts_with("http")) {
        assert!(repository().join(PathBuf::from(link)).exists(), "{link}");
    }
}

/// What `--help` shows under "Examples:" is run too, as far as it can be parsed: its words must be known.
#[test]
fn every_example_of_the_help_is_understood() {
    for command in [
        "validate", "rules", "plan", "apply", "drift", "show", "history", "restore", "list", "export", "log", "doctor",
        "sandbox",
    ] {
        let (_, help) = run(&format!("brandctl {command} --help"), repository());
        let examples: Vec<_> = help
            .lines()
            .skip_while(|line| !line.starts_with("Examples:"))
            .filter_map(|line| line.trim().strip_prefix("brandctl "))
            .collect();
        assert!(!examples.is_empty(), "{command} has no example");
        for example in examples {
            let words = example.split("  ").next().unwrap().split(" ||").next().unwrap();
            let (ended, printed) = run(&format!("brandctl {words} --help"), repository());
            assert!(ended == 0 && printed.contains("Usage: brandctl"), "{example}");
        }
    }
}
