//! Every command that README.md shows is run, and prints what README.md says it prints.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

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
    let program = env!("CARGO_BIN_EXE_brandctl");
    let arguments = line.strip_prefix("cargo run --release -- ").or_else(|| line.strip_prefix("brandctl "));
    let arguments = arguments.unwrap_or_else(|| panic!("README.md runs something else: {line}"));
    let output = Command::new(program)
        .args(arguments.split_whitespace().map(|word| word.trim_matches('\'')))
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
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

#[test]
fn every_other_command_is_one_that_exists() {
    let mut seen = 0;
    for line in blocks("sh").iter().flat_map(|block| block.lines()) {
        let line = line.split('#').next().unwrap().trim();
        if let Some(arguments) = line.strip_prefix("brandctl ") {
            let (ended, printed) = run(&format!("brandctl {arguments} --help"), repository());
            assert!(ended == 0 && printed.contains("Usage: brandctl"), "{line}");
            seen += 1;
        }
    }
    assert!(seen >= 5, "README.md lost its commands");
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
    for command in ["validate", "plan", "apply", "drift", "show", "history", "restore"] {
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
