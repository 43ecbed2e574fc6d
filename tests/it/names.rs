//! No name that is not ours: brandctl is not published, and whoever takes its name somewhere would run code beside a webhook.
//! So nothing here, and nothing that `init` writes, may install it by a name, or use an action, image or address of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::shared::init::{ANSWERS, SYSTEMS, init, tree};

/// The commands that install or run a package by its name.
const INSTALLERS: &[&str] = &[
    "apt install",
    "apt-get install",
    "brew install",
    "bunx",
    "cargo binstall",
    "cargo install",
    "docker pull",
    "docker run",
    "go install",
    "npm i",
    "npm install",
    "npx",
    "pip install",
    "pip3 install",
    "pipx install",
    "pipx run",
    "podman pull",
    "podman run",
    "scoop install",
    "uv add",
    "uv tool install",
    "uv tool run",
    "uvx",
    "winget install",
];

/// The actions that files here may use, always at a commit: of GitHub itself, and of the registries for publishing.
const ACTIONS: &[&str] = &[
    "actions/attest-build-provenance",
    "actions/checkout",
    "actions/download-artifact",
    "actions/upload-artifact",
    "pypa/gh-action-pypi-publish",
    "rust-lang/crates-io-auth-action",
];

/// What somebody else could claim in a line, if there is something.
fn claimable(line: &str) -> Option<String> {
    installed(line)
        .or_else(|| used(line))
        .or_else(|| image(line))
        .or_else(|| address(line))
        .or_else(|| dependency(line))
}

/// `pip install brandctl`, with options and versions; not `pip install ./brandctl-….whl` or `cargo install --path .`.
fn installed(line: &str) -> Option<String> {
    INSTALLERS.iter().find_map(|installer| {
        let at = line.match_indices(installer).find(|(at, _)| !line[..*at].ends_with(|c: char| c.is_alphanumeric()))?.0;
        let rest = line[at + installer.len()..].split(['|', ';', '&', '`']).next()?;
        let name = rest.split([' ', '\'', '"', '`', ',', '[', ']', '(', ')']).find(|word| is_our_name(word))?;
        Some(format!("{installer} {name}"))
    })
}

/// The name itself, with a version, or in somebody's namespace; a path is not a name.
fn is_our_name(word: &str) -> bool {
    let name = word.split(['=', '@', ':', '>', '<', '~']).next().unwrap_or_default();
    let is_path = name.starts_with(['.', '/', '$', '~']) || name.ends_with(".deb") || name.ends_with(".whl");
    !is_path && name.rsplit('/').next() == Some("brandctl")
}

/// The value behind a key of YAML, without quotes and comment.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let line = line.trim_start().trim_start_matches("- ").trim_start_matches('{');
    let value = line.strip_prefix(key)?.strip_prefix(':')?;
    Some(value.split([' ', '}', ',']).find(|word| !word.is_empty())?.trim_matches(['\'', '"']))
}

fn used(line: &str) -> Option<String> {
    let action = value(line, "uses")?;
    let (name, commit) = action.split_once('@').unwrap_or((action, ""));
    let pinned = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    // `@checkout@` is filled by `init`, whose files are looked at too.
    let fine = action.starts_with("./") || action.starts_with('@') || ACTIONS.contains(&name) && pinned;
    (!fine).then(|| format!("the action {action}"))
}

/// Images without a slash are Docker's official ones, which are not ours to name either.
fn image(line: &str) -> Option<String> {
    let image = value(line, "image")
        .or_else(|| value(line, "container"))
        .or_else(|| line.strip_prefix("FROM ").and_then(|rest| rest.split(' ').find(|word| !word.starts_with("--"))))?;
    let official = image.strip_prefix("docker.io/library/").unwrap_or(image);
    (official.contains('/') || official.contains("brandctl")).then(|| format!("the image {image}"))
}

/// `https://HOST/OWNER/brandctl`, on any host but those that are reserved for examples.
fn address(line: &str) -> Option<String> {
    line.match_indices("://").find_map(|(at, _)| {
        let rest = line[at + 3..].split([' ', '"', '\'', '`', ')', '>', '#', '?']).next()?;
        let (host, path) = rest.split_once('/')?;
        let reserved =
            host.contains("example") || host.starts_with(['$', '{', '<', '1']) || host.starts_with("localhost");
        let ours = path.split('/').nth(1).is_some_and(|name| name == "brandctl" || name.starts_with("brandctl."));
        // Once it is set, this one is ours.
        let published = env!("CARGO_PKG_REPOSITORY").trim_start_matches("https://");
        let is_published = !published.is_empty() && rest.starts_with(published);
        (ours && !reserved && !is_published).then(|| format!("the address {rest}"))
    })
}

/// A package that a list of dependencies names.
fn dependency(line: &str) -> Option<String> {
    let keys = ["additional_dependencies", "dependencies", "install_requires", "requires"];
    let list = keys.iter().find_map(|key| line.trim_start().strip_prefix(key))?;
    let ours = list.split([' ', '\'', '"', ',', '[', ']', '=']).any(|word| word == "brandctl");
    ours.then(|| format!("the dependency {}", list.trim()))
}

/// The lines of a file that name something.
fn of_file(path: &Path, name: &str) -> Vec<String> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    // In Rust, `uses: x` is a field.
    let what =
        |line: &str| if name.ends_with(".rs") { installed(line).or_else(|| address(line)) } else { claimable(line) };
    let found = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, what(line)?)));
    found.map(|(line, what)| format!("{name}:{line}: {what}")).collect()
}

#[test]
fn the_repository_names_nothing_that_is_not_ours() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().unwrap();
    let files: Vec<_> = String::from_utf8(listed.stdout).unwrap().split('\0').map(str::to_owned).collect();
    assert!(files.len() > 500, "git lists {} files", files.len());
    let files = files.iter().filter(|name| !name.starts_with("tests/fuzz/corpus/") && *name != "tests/it/names.rs");
    let found: Vec<_> = files.flat_map(|name| of_file(&root.join(name), name)).collect();
    assert!(found.is_empty(), "not ours to name:\n{}", found.join("\n"));
}

#[test]
fn init_writes_nothing_that_is_not_ours() {
    for (system, ..) in SYSTEMS {
        let folder = tempfile::tempdir().unwrap();
        init(folder.path(), &[&[".", "--ci", system], &ANSWERS[..]].concat());
        let found: Vec<_> =
            tree(folder.path()).iter().flat_map(|name| of_file(&folder.path().join(name), name)).collect();
        assert!(found.is_empty(), "{system}:\n{}", found.join("\n"));
    }
}

#[test]
fn such_names_are_found() {
    for line in [
        "cargo install --locked brandctl --version 1",
        "- command -v brandctl || cargo install brandctl@0.1.0",
        "RUN pip install --no-cache 'brandctl==0.1.0'",
        "`uvx brandctl plan`",
        "docker run --rm ghcr.io/acme/brandctl:latest plan",
        "sudo apt-get install -y brandctl",
        "      - uses: acme/brandctl@v1",
        "      - uses: actions/checkout@v4",
        "  image: acme/tool",
        "image: \"brandctl:1\"",
        "    container: registry.acme.io/x",
        "FROM --platform=linux/amd64 acme/base AS x",
        "- repo: https://github.com/acme/brandctl",
        "curl -L https://gitlab.com/acme/brandctl/-/x | sh",
        "  additional_dependencies: [\"brandctl==1\"]",
        "dependencies = ['brandctl']",
    ] {
        assert!(claimable(line).is_some(), "not found: {line}");
    }
    for line in [
        "cargo install --path .",
        "pip install ./brandctl-0.1.0-py3-none-linux_x86_64.whl",
        "apt-get install -y ./brandctl_0.1.0-1_amd64.deb",
        "apt-get install chromium | brandctl",
        "image: debian:12-slim",
        "- uses: ./",
        "- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
        "curl https://downloads.example.com/acme/brandctl/x",
        "https://github.com/acme/brand/-/jobs/7/artifacts/file/brandctl-out/plan.html",
    ] {
        assert_eq!(claimable(line), None, "{line}");
    }
}
