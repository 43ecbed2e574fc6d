//! README.md keeps its word: every command in it is run, and prints what is shown.
//!
//! Each section gets a fresh copy of examples/acme and a fresh portal, a sandbox that its webhook names. In what is shown,
//! `[..]` stands for anything in a line and a line `...` for any lines.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use brandctl::domain::manifest;
use brandctl::sandbox::{Options, Sandbox, start};

const HOST: &str = "acme.bitrix24.com";

/// A fenced block: what its fence says, its lines, and the section that it is in.
struct Block {
    language: String,
    section: String,
    lines: Vec<String>,
}

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).unwrap()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut section, mut open) = (String::new(), false);
    for line in readme().lines() {
        match line.strip_prefix("```") {
            Some("") if open => open = false,
            Some(language) => {
                open = true;
                let (language, section) = (language.to_owned(), section.clone());
                blocks.push(Block { language, section, lines: Vec::new() });
            }
            None if open => blocks.last_mut().unwrap().lines.push(line.to_owned()),
            None => {
                if let Some(title) = line.strip_prefix("## ") {
                    title.clone_into(&mut section);
                }
            }
        }
    }
    assert!(!open, "a fence is not closed");
    blocks
}

/// A command and the lines that are shown under it.
fn steps(block: &Block) -> Vec<(String, Vec<String>)> {
    let mut steps: Vec<(String, Vec<String>)> = Vec::new();
    for line in &block.lines {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((command.to_owned(), Vec::new())),
            (None, Some((_, shown))) => shown.push(line.clone()),
            (None, None) => panic!("output before the first command: {line}"),
        }
    }
    steps
}

/// A repository with examples/acme, and a portal.
struct World {
    folder: tempfile::TempDir,
    portal: Sandbox,
    _data: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let acme = folder.path().join("examples/acme");
        for entry in walkdir::WalkDir::new(repository().join("examples/acme")).into_iter().map(Result::unwrap) {
            let target = acme.join(entry.path().strip_prefix(repository().join("examples/acme")).unwrap());
            if entry.file_type().is_dir() {
                std::fs::create_dir_all(target).unwrap();
            } else {
                std::fs::copy(entry.path(), target).unwrap();
            }
        }
        let portal = start(Options::new(data.path())).unwrap();
        Self { folder, portal, _data: data }
    }

    fn acme(&self) -> PathBuf {
        self.folder.path().join("examples/acme")
    }

    /// Runs a line of shell in which `brandctl` is the program under test. The portal goes by the name that README uses.
    fn run(&self, command: &str, folder: &Path) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_brandctl")).parent().unwrap();
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .current_dir(folder)
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", program.display()))
            .env("HOME", self.folder.path())
            .env("BITRIX24_WEBHOOK_URL", self.portal.admin_webhook())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "`{command}` ended with {}:\n{text}", output.status);
        text.replace(&self.portal.address().to_string(), HOST)
    }
}

/// Whether `line` is what `shown` says, `[..]` standing for anything.
fn alike(shown: &str, line: &str) -> bool {
    let mut parts = shown.split("[..]");
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut exact = true;
    for part in parts {
        let Some(found) = rest.find(part) else { return false };
        rest = &rest[found + part.len()..];
        exact = part.is_empty();
    }
    rest.is_empty() || (exact && shown.ends_with("[..]"))
}

/// Whether `lines` are what is shown, `...` standing for any lines.
fn matches(shown: &[&str], lines: &[&str]) -> bool {
    match shown {
        [] => lines.is_empty(),
        ["...", after @ ..] => (0..=lines.len()).any(|skipped| matches(after, &lines[skipped..])),
        [first, after @ ..] => {
            lines.split_first().is_some_and(|(line, rest)| alike(first, line) && matches(after, rest))
        }
    }
}

fn trimmed(lines: &[String]) -> Vec<&str> {
    let mut lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    while lines.last() == Some(&"") {
        lines.pop();
    }
    lines
}

#[test]
fn every_command_prints_what_is_shown() {
    let blocks: Vec<_> = blocks().into_iter().filter(|block| block.language == "console").collect();
    let (mut world, mut section, mut ran) = (World::new(), String::new(), 0);
    for block in &blocks {
        if block.section != section {
            world = World::new();
            section.clone_from(&block.section);
        }
        for (command, shown) in steps(block) {
            if command == "tests/run" {
                announced(&shown);
                continue;
            }
            if command.starts_with("export BITRIX24_WEBHOOK_URL=") {
                assert!(command.contains(HOST) && shown.is_empty(), "{command}");
                continue;
            }
            let printed = match command.strip_prefix("cargo run --release -- ") {
                Some(arguments) => world.run(&format!("brandctl {arguments}"), world.folder.path()),
                None => world.run(&command, &world.acme()),
            };
            let lines: Vec<String> = printed.lines().map(str::to_owned).collect();
            assert!(
                matches(&trimmed(&shown), &trimmed(&lines)),
                "README.md, {section}: `{command}` prints\n{printed}\nand README shows\n{}",
                shown.join("\n")
            );
            ran += 1;
        }
    }
    assert!(ran > 10, "only {ran} commands were found");
}

/// What tests/run prints cannot be had by running it here. Its sections are in its text, in this order.
fn announced(shown: &[String]) {
    let script = std::fs::read_to_string(repository().join("tests/run")).unwrap();
    let mut rest = script.split_once("check formatting").map(|(_, rest)| format!("check formatting{rest}")).unwrap();
    for line in shown.iter().filter(|line| line.as_str() != "...") {
        let name = line.strip_prefix("==> ").unwrap_or_else(|| panic!("tests/run does not print {line:?}"));
        let found = [format!("check {name} "), format!("section \"{name}\"")].iter().find_map(|text| {
            let at = rest.find(text.as_str())?;
            Some(rest[at + text.len()..].to_owned())
        });
        rest = found.unwrap_or_else(|| panic!("tests/run has no section {name:?} there"));
    }
    assert!(
        !rest.contains("check ") && !rest.contains("section "),
        "README.md leaves out sections of tests/run: {rest}"
    );
}

#[test]
fn the_line_for_cron_prints_only_drift() {
    let blocks = blocks();
    let cron: Vec<_> = blocks.iter().filter(|block| block.language == "cron").collect();
    let [Block { lines, .. }] = &cron[..] else { panic!("one block for cron was expected") };
    let (_, command) = lines[0].split_once("  ").unwrap();
    let world = World::new();
    let command = command.replace("/srv/brand", &world.acme().display().to_string());
    let drifted = world.run(&command, world.folder.path());
    assert!(drifted.contains("Drift: 12 entries differ"), "{drifted}");
    world.run("brandctl apply --yes", &world.acme());
    assert_eq!(world.run(&command, world.folder.path()), "");
}

#[test]
fn every_manifest_is_one() {
    let blocks = blocks();
    let manifests: Vec<_> = blocks.iter().filter(|block| block.language == "yaml").collect();
    assert!(!manifests.is_empty());
    for block in manifests {
        let (manifest, findings) = manifest::parse(block.lines.join("\n").as_bytes(), "README.md");
        assert!(manifest.is_some() && findings.is_empty(), "{}: {findings:#?}", block.lines.join("\n"));
    }
}

#[test]
fn every_block_is_of_a_kind_that_is_checked() {
    for block in blocks() {
        let known = ["console", "cron", "yaml", "gitignore"].contains(&block.language.as_str());
        assert!(known, "a block of {:?} in {}", block.language, block.section);
    }
}

#[test]
fn commands_and_options_are_those_of_the_program() {
    let world = World::new();
    let readme = readme();
    let mut known = Vec::new();
    for command in ["", "validate", "plan", "apply", "drift"] {
        let help = world.run(&format!("brandctl {command} --help"), world.folder.path());
        for word in help.split(|character: char| !character.is_alphanumeric() && character != '-') {
            if let Some(option) = word.strip_prefix("--").filter(|option| !option.is_empty()) {
                known.push(option.to_owned());
                let told = ["help", "version"].contains(&option) || readme.contains(&format!("--{option}"));
                assert!(told, "README.md does not tell of --{option}");
            }
        }
        assert!(command.is_empty() || readme.contains(&format!("| `brandctl {command}")), "{command}");
    }
    let of_others = ["release", "path", "force"];
    for word in readme.split(|character: char| !character.is_alphanumeric() && character != '-') {
        if let Some(option) = word.strip_prefix("--").filter(|option| option.starts_with(char::is_alphabetic)) {
            let real = known.iter().any(|name| name == option) || of_others.contains(&option);
            assert!(real, "README.md tells of --{option}, which does not exist");
        }
    }
}

#[test]
fn links_lead_somewhere() {
    let readme = readme();
    let headings: Vec<String> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|title| title.to_lowercase().replace(' ', "-"))
        .collect();
    for link in readme.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        let found = match link.strip_prefix('#') {
            Some(heading) => headings.iter().any(|known| known == heading),
            None => link.starts_with("https://") || repository().join(link).exists(),
        };
        assert!(found, "README.md links to {link}");
    }
}

#[test]
fn the_comparison_can_fail() {
    assert!(alike("a [..] c", "a b c") && alike("a[..]", "abc") && !alike("a [..] c", "a b d") && !alike("a", "ab"));
    assert!(matches(&["a", "...", "d"], &["a", "b", "c", "d"]) && !matches(&["a", "..."], &["b"]));
    assert!(!matches(&["a"], &["a", "b"]) && !matches(&["a", "b"], &["a"]) && !matches(&[], &["a"]));
}
