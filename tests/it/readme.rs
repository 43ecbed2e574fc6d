//! Every command that README.md or a page of docs/ shows is run, and prints what the page says it prints.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::shared::checkout::copy;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and the pages of docs/: the folder that their links start from, and their text.
fn pages() -> Vec<(PathBuf, String)> {
    let docs = std::fs::read_dir(repository().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = docs.chain([repository().join("README.md")]).collect();
    files.sort();
    let page = |file: PathBuf| (file.parent().unwrap().to_owned(), std::fs::read_to_string(file).unwrap());
    files.into_iter().map(page).collect()
}

/// The text of the fenced blocks of a language, indented ones too.
fn blocks(language: &str) -> Vec<String> {
    let text = pages().into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    let mut lines = text.lines();
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
    copy(&repository().join("examples"), &folder.path().join("examples"));
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
            assert!(is_shown(&printed, &shown), "{line} prints\n{printed}\nand the page says\n{shown}");
        }
    }
}

/// Whether this was printed: a line that ends with `…` goes on in some way, and nothing shown says nothing.
fn is_shown(printed: &str, shown: &str) -> bool {
    let is_line = |(printed, shown): (&str, &str)| {
        shown.strip_suffix('…').map_or(printed == shown, |beginning| printed.starts_with(beginning))
    };
    shown.is_empty()
        || printed == shown
        || (printed.lines().count() == shown.lines().count() && printed.lines().zip(shown.lines()).all(is_line))
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

/// Runs a command that serves until it is stopped, on a free port: it must print a webhook, and end well.
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
    for (folder, text) in pages() {
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for link in links.filter(|link| !link.starts_with("http")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                text.clone()
            } else {
                let path = folder.join(file);
                assert!(path.exists(), "{link}");
                if heading.is_empty() {
                    continue;
                }
                std::fs::read_to_string(path).unwrap()
            };
            let headings = target.lines().filter_map(|line| line.strip_prefix('#')).map(anchor);
            assert!(headings.into_iter().any(|anchor| anchor == heading), "{link}");
        }
    }
}

/// A heading as code hosts make it an anchor.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>().replace(' ', "-")
}

/// What docs/troubleshooting.md explains is what the program says: each heading's message stands in the source.
#[test]
fn every_message_that_is_explained_is_one() {
    let page = std::fs::read_to_string(repository().join("docs/troubleshooting.md")).unwrap();
    let sources = walkdir::WalkDir::new(repository().join("src")).into_iter().map(Result::unwrap);
    let sources = sources.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"));
    let source: String = sources.map(|entry| std::fs::read_to_string(entry.path()).unwrap()).collect();
    let mut explained = 0;
    for heading in page.lines().filter_map(|line| line.strip_prefix("### ")) {
        for message in heading.replace("``", "\u{1}").split(['\u{1}', '`']).filter(|part| part.len() > 3) {
            let words = message.trim_start_matches("error[").trim_start_matches("error ").trim_end_matches(']');
            for literal in words.split(['…', ':']).map(str::trim).filter(|literal| literal.len() > 3) {
                assert!(
                    source.contains(literal) || heading.contains("exit code"),
                    "{heading}: nobody says `{literal}`"
                );
                explained += 1;
            }
        }
    }
    assert!(explained >= 20, "{explained}");
}
