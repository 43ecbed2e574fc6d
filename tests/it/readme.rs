//! Every command that README.md or a page of docs/ shows is run, and prints what the page says it prints.
//! `UPDATE_README=1 cargo test --test it readme` writes what it prints into the pages.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use similar::TextDiff;

use crate::common::{MANIFEST, each, scrubbed};
use crate::shared::checkout::copy;

const PROGRAM: &str = env!("CARGO_BIN_EXE_brandctl");

/// The run that pages name; the last one stands for it.
const RUN: &str = "20261122T171045Z";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md or a page of docs/.
struct Page {
    path: PathBuf,
    text: String,
}

/// README.md and the pages of docs/.
fn pages() -> Vec<Page> {
    let docs = std::fs::read_dir(repository().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = docs.chain([repository().join("README.md")]).collect();
    files.sort();
    files.into_iter().map(Page::read).collect()
}

/// A fenced block of a page.
struct Block {
    /// `docs/ci.md:12`.
    place: String,
    /// The words after the language.
    words: Vec<String>,
    /// Without the indent.
    text: String,
    indent: usize,
    /// Where the text is in the page.
    range: Range<usize>,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        Self { text: std::fs::read_to_string(&path).unwrap(), path }
    }

    /// The blocks of a language, indented ones too.
    fn blocks(&self, language: &str) -> Vec<Block> {
        let mut found = Vec::new();
        let (mut at, mut open) = (0, None::<Block>);
        for (number, line) in self.text.split_inclusive('\n').enumerate() {
            let fence = line.trim().strip_prefix("```");
            match (&mut open, fence) {
                (Some(block), None) => block.text.push_str(line.get(block.indent..).unwrap_or("\n")),
                (Some(_), Some(_)) => {
                    let block = open.take().unwrap();
                    found.push(Block { range: block.range.start..at, ..block });
                }
                (None, Some(fence)) if fence.split(' ').next() == Some(language) => {
                    open = Some(Block {
                        place: format!("{}:{}", self.path.strip_prefix(repository()).unwrap().display(), number + 2),
                        words: fence.split(' ').skip(1).map(str::to_owned).collect(),
                        text: String::new(),
                        indent: line.len() - line.trim_start().len(),
                        range: at + line.len()..at,
                    });
                }
                (None, _) => {}
            }
            at += line.len();
        }
        found
    }
}

fn blocks(language: &str) -> Vec<Block> {
    pages().iter().flat_map(|page| page.blocks(language)).collect()
}

/// A user's folder, and the folder of their home, which is another.
struct User {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
    /// The portal of their credentials.
    webhook: Option<String>,
}

impl User {
    /// In a copy of the repository's folder `from`, at `to`.
    fn with(from: &str, to: &str, webhook: Option<String>) -> Self {
        let user = Self { folder: tempfile::tempdir().unwrap(), home: tempfile::tempdir().unwrap(), webhook };
        copy(&repository().join(from), &user.folder.path().join(to));
        user
    }

    /// Runs a script with bash: its exit code, standard output and standard error.
    fn run(&self, script: &str) -> (i32, String, String) {
        let programs = Path::new(PROGRAM).parent().unwrap().display();
        let identity = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"];
        let output = Command::new("bash")
            .args([
                "--norc",
                "-c",
                &script.replace(RUN, "$(find . -path '*/.brandctl/*/runs/2*' -prune | sort | tail -n 1)"),
            ])
            .current_dir(self.folder.path())
            .env_clear()
            .envs(identity.map(|name| (name, "a")))
            .envs(self.webhook.iter().map(|webhook| ("BITRIX24_WEBHOOK_URL", webhook)))
            .env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()))
            .env("HOME", self.home.path())
            .env("RUNNER_TEMP", self.home.path())
            .env("CI_JOB_URL", "https://gitlab.example.com/brand/-/jobs/1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

/// A command of a session.
struct Shown<'a> {
    line: &'a str,
    code: i32,
    output: Vec<&'a str>,
}

/// The commands of a session, each with the lines that it prints: none means any.
fn commands(session: &str) -> Vec<Shown<'_>> {
    let mut found = Vec::new();
    for text in session.lines() {
        match (text.strip_prefix("$ "), found.last_mut()) {
            (Some(line), _) => {
                let code = line.split_once("# exit ").map_or(0, |(_, code)| code.trim().parse().unwrap());
                found.push(Shown { line, code, output: Vec::new() });
            }
            (None, Some(Shown { output, .. })) => output.push(text),
            (None, None) => panic!("a session begins with a command: {session}"),
        }
    }
    found
}

#[test]
fn every_session_ends_and_prints_as_shown() {
    let pages = pages();
    assert!(blocks("console").len() >= 7, "the pages lost their sessions");
    let update = std::env::var_os("UPDATE_README").is_some();
    each(&pages, |page| {
        let (mut text, mut wrong) = (page.text.clone(), String::new());
        for block in page.blocks("console").iter().rev() {
            let (printed, differences) = play(block);
            let indented = printed.lines().map(|line| format!("{}{line}\n", " ".repeat(block.indent)));
            text.replace_range(block.range.clone(), &indented.collect::<String>());
            wrong.insert_str(0, &differences);
        }
        if update {
            std::fs::write(&page.path, &text).unwrap();
        }
        assert!(update || wrong.is_empty(), "{wrong}\nUPDATE_README=1 writes what is printed into the pages");
    });
}

/// Plays a session: the session as it would be right, and how it differs.
fn play(block: &Block) -> (String, String) {
    let user = User::with("examples", "examples", None);
    let (mut right, mut differences) = (String::new(), String::new());
    for Shown { line, code, output } in commands(&block.text) {
        let (ended, printed, errors) = user.run(&line.replace("cargo run --release -- ", "brandctl "));
        assert_eq!(ended, code, "{}: {line}\n{printed}{errors}", block.place);
        let printed: Vec<_> = printed.lines().collect();
        right += &format!("$ {line}\n");
        if output.is_empty() || is_shown(&printed, &output) {
            right.extend(output.iter().flat_map(|line| [line, "\n"]));
            continue;
        }
        let lines = as_shown(&printed, &output);
        right.extend(lines.iter().flat_map(|line| [line.as_str(), "\n"]));
        let (shown, printed) = (output.join("\n") + "\n", printed.join("\n") + "\n");
        let diff = TextDiff::from_lines(&shown, &printed).unified_diff().header("shown", "printed").to_string();
        differences += &format!("\n{}: {line}\n{diff}", block.place);
    }
    (right, differences)
}

/// Whether this is printed: a line `…` stands for any lines, and at the end of a line for any rest.
fn is_shown(printed: &[&str], shown: &[&str]) -> bool {
    match (printed, shown) {
        (_, ["…", rest @ ..]) => (0..=printed.len()).any(|at| is_shown(&printed[at..], rest)),
        ([line, printed @ ..], [like, shown @ ..]) => {
            like.strip_suffix('…').map_or(line == like, |start| line.starts_with(start)) && is_shown(printed, shown)
        }
        (printed, shown) => printed.is_empty() && shown.is_empty(),
    }
}

/// What is printed as the page shows it: as many lines before and after a `…` as there were, and nothing that differs from
/// run to run.
fn as_shown(printed: &[&str], shown: &[&str]) -> Vec<String> {
    let steady = |line: &&str| {
        let scrubbed = scrubbed(line);
        let same = line.chars().zip(scrubbed.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect::<String>();
        if scrubbed == **line { scrubbed } else { same + "…" }
    };
    let lines: Vec<_> = printed.iter().map(steady).collect();
    match shown.iter().position(|line| *line == "…") {
        Some(before) if shown.len() <= lines.len() => {
            let after = lines.len() - (shown.len() - before - 1);
            [&lines[..before], &["…".to_owned()], &lines[after..]].concat()
        }
        _ => lines,
    }
}

/// The other commands run too, each block as a script beside a copy of examples/acme's art, against a sandbox that the webhook names.
/// After the language stands what was done before: `git` when the copy is committed, `applied` when the portal holds it.
#[test]
fn every_script_does_what_it_says() {
    let blocks = blocks("sh");
    assert!(blocks.len() >= 12, "the pages lost their scripts");
    each(&blocks, |block| {
        let data = tempfile::tempdir().unwrap();
        let portal = brandctl::sandbox::start(brandctl::sandbox::Options::new(data.path())).unwrap();
        let user = User::with("examples/acme", "", Some(portal.admin_webhook()));
        std::fs::write(user.folder.path().join("brand.yaml"), MANIFEST).unwrap();
        for word in &block.words {
            let script = match word.as_str() {
                "git" => "git init -q && git add -A && git commit -qm 'The brand'",
                "applied" => "brandctl apply --yes -q",
                _ => panic!("{}: {word}", block.place),
            };
            assert_eq!(user.run(script).0, 0, "{word}");
        }
        for line in block.text.lines().filter(|line| line.starts_with("brandctl sandbox")) {
            serves(line.split(" #").next().unwrap().trim(), user.folder.path());
        }
        let script: String = block.text.lines().map(|line| scripted(line) + "\n").collect();
        let (code, printed, errors) = user.run(&format!("set -e -o pipefail\n{script}"));
        assert_eq!(code, 0, "{}\n{script}\n{printed}{errors}", block.place);
        let applies = block.text.contains("brandctl apply");
        assert!(!applies || !portal.entries().is_empty(), "{}: nothing was applied", block.place);
    });
}

/// A line of a script as it is run: nobody answers `apply`, and `# 2: …` is the exit code.
fn scripted(line: &str) -> String {
    let (command, remark) = line.split_once(" # ").unwrap_or((line, ""));
    let not_run = ["export BITRIX24_WEBHOOK_URL=", "brandctl sandbox", "cargo install ", "tests/run"];
    if not_run.iter().any(|start| command.starts_with(start)) {
        return String::new();
    }
    let command = if command.trim() == "brandctl apply" { "brandctl apply --yes" } else { command };
    match remark.trim().split_once(':').and_then(|(code, _)| code.parse::<u8>().ok()) {
        Some(code) if code > 0 => format!("code=0; {command} || code=$?; [ $code -eq {code} ]"),
        _ => command.to_owned(),
    }
}

/// Runs a command that serves until it is stopped, on a free port: it must print a webhook, and end well.
fn serves(line: &str, folder: &Path) {
    let mut quoted = line.strip_prefix("brandctl ").unwrap().split('\'');
    let mut arguments: Vec<_> = quoted.next().unwrap().split_whitespace().collect();
    arguments.extend(quoted.next());
    let mut server = Command::new(PROGRAM)
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

/// No command escapes the tests under another name (docs/json.md has its own test), and README.md stays short.
#[test]
fn pages_show_commands_only_where_they_are_run() {
    for Page { path, text } in pages() {
        for fence in text.lines().filter_map(|line| line.trim().strip_prefix("```")).filter(|fence| !fence.is_empty()) {
            let language = fence.split(' ').next().unwrap();
            let known =
                ["console", "sh", "yaml", "yml", "json", "text"].contains(&language) || path.ends_with("json.md");
            assert!(known, "{}: ```{fence}", path.display());
        }
    }
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    assert!(readme.split_whitespace().count() <= 1600, "README.md is an index: write a page of docs/");
}

/// An option that a page names is one of the program's, or of another program's where it is named here.
#[test]
fn every_option_exists() {
    let written: Vec<_> = pages().into_iter().filter(|page| !page.path.ends_with("cli.md")).collect();
    let text: String = written.into_iter().map(|page| page.text).collect();
    let options = |text: &str| -> BTreeSet<String> {
        text.split(|character: char| !character.is_alphanumeric() && character != '-')
            .filter_map(|word| word.strip_prefix("--"))
            .filter(|option| option.starts_with(char::is_alphabetic))
            .map(str::to_owned)
            .collect()
    };
    let help = |command: &str| {
        let output = Command::new(PROGRAM).args(command.split_whitespace()).arg("--help").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let main = help("");
    let commands: Vec<_> = main
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(' ').next())
        .filter(|command| *command != "help")
        .collect();
    let mut known = options(&main);
    for command in &commands {
        known.extend(options(&help(command)));
        let named = [format!("brandctl {command}"), format!("`{command}`"), format!("`{command} ")];
        assert!(named.iter().any(|name| text.contains(name)), "no page names `{command}`");
    }
    assert!(commands.len() >= 4, "{main}");
    known.extend(["release", "path", "force", "open", "no-checkout", "init", "detailed-exitcodes"].map(str::to_owned));
    // Of cargo, git, gh, jq and curl.
    known.extend(
        ["locked", "frozen", "config", "signer-workflow", "diff-filter", "oneline", "repo", "data-urlencode"]
            .map(str::to_owned),
    );
    let unknown: Vec<_> = options(&text).difference(&known).cloned().collect();
    assert!(unknown.is_empty(), "pages name options that do not exist: {unknown:?}");
}

#[test]
fn every_manifest_is_valid() {
    let blocks = blocks("yaml");
    for block in &blocks {
        let (manifest, findings) = brandctl::domain::manifest::parse(block.text.as_bytes(), &block.place);
        assert!(manifest.is_some() && findings.is_empty(), "{}: {findings:#?}", block.place);
    }
    assert!(blocks.len() >= 2, "the pages lost their manifests");
}

#[test]
fn every_link_leads_somewhere() {
    let others = ["CONTRIBUTING.md", "SECURITY.md"].map(|name| Page::read(repository().join(name)));
    for Page { path: page, text } in pages().into_iter().chain(others) {
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for link in links.filter(|link| !link.starts_with("http")) {
            let (file, header) = link.split_once('#').unwrap_or((link, ""));
            let path = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(path.exists(), "{}: {link}", page.display());
            if header.is_empty() {
                continue;
            }
            let target = std::fs::read_to_string(path).unwrap();
            let mut headings = target.lines().filter_map(|line| line.strip_prefix('#')).map(anchor);
            assert!(headings.any(|anchor| anchor == header), "{}: {link}", page.display());
        }
    }
}

/// A header as code hosts make it an anchor.
fn anchor(header: &str) -> String {
    let words = header.trim_start_matches('#').trim().to_lowercase();
    words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>().replace(' ', "-")
}

/// What docs/troubleshooting.md explains is what the program says: each header's message stands in the source.
#[test]
fn every_message_that_is_explained_is_one() {
    let page = std::fs::read_to_string(repository().join("docs/troubleshooting.md")).unwrap();
    let sources = walkdir::WalkDir::new(repository().join("src")).into_iter().map(Result::unwrap);
    let sources = sources.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"));
    let source: String = sources.map(|entry| std::fs::read_to_string(entry.path()).unwrap()).collect();
    let mut explained = 0;
    for header in page.lines().filter_map(|line| line.strip_prefix("### ")) {
        for message in header.replace("``", "\u{1}").split(['\u{1}', '`']).filter(|part| part.len() > 3) {
            let words = message.trim_start_matches("error[").trim_start_matches("error ").trim_end_matches(']');
            for literal in words.split(['…', ':']).map(str::trim).filter(|literal| literal.len() > 3) {
                assert!(
                    source.contains(literal) || header.contains("exit code"),
                    "{header}: no message says `{literal}`"
                );
                explained += 1;
            }
        }
    }
    assert!(explained >= 20, "{explained}");
}
