//! The house rules that the compiler does not know: which room may use which, how long a file may be, what may not be
//! left behind. The rooms are those of src/lib.rs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A room: which modules of this crate it may use, and which paths and macros from outside it may not.
struct Room {
    name: &'static str,
    /// Prefixes of paths below `crate::`; the room itself is always allowed.
    may_use: &'static [&'static str],
    /// Prefixes of paths, and macros by their name with `!`.
    may_not_use: &'static [&'static str],
}

const PRINTING: [&str; 5] = ["print!", "println!", "eprint!", "eprintln!", "std::process::exit"];

const ROOMS: [Room; 7] = [
    Room {
        name: "domain",
        may_use: &[],
        may_not_use: &[
            "std::fs",
            "std::env",
            "std::net",
            "std::process",
            "std::thread",
            "std::time::Instant",
            "std::time::SystemTime",
            "jiff::Timestamp::now",
            "jiff::Zoned::now",
            "getrandom",
            "tokio",
            "futures_util",
            "reqwest",
            "hyper",
            "clap",
            "anstream",
            "indicatif",
        ],
    },
    Room {
        name: "format",
        may_use: &["domain", "text"],
        may_not_use: &["std::fs", "std::env", "std::net", "tokio", "reqwest", "hyper", "clap", "anstream", "indicatif"],
    },
    Room {
        name: "ops",
        may_use: &["domain", "format"],
        may_not_use: &["std::fs", "std::env", "std::net", "reqwest", "hyper", "clap", "anstream", "indicatif"],
    },
    Room {
        name: "portal",
        may_use: &["domain", "ops::ports", "ops::events"],
        may_not_use: &["std::fs", "std::env", "clap", "anstream", "indicatif"],
    },
    Room {
        name: "store",
        may_use: &["domain", "format", "ops::ports", "ops::events"],
        may_not_use: &["std::net", "tokio::net", "reqwest", "hyper", "clap", "anstream", "indicatif"],
    },
    Room {
        name: "render",
        may_use: &["domain", "format", "text"],
        may_not_use: &["std::fs", "std::env", "std::net", "tokio", "reqwest", "hyper", "clap", "anstream", "indicatif"],
    },
    Room {
        name: "sandbox",
        may_use: &["domain::asset"],
        may_not_use: &["std::env", "reqwest", "clap", "anstream", "indicatif"],
    },
];

/// The most lines a file may have before its tests.
const LONGEST: usize = 400;

const ROOT_FOLDERS: [&str; 9] = ["src", "examples", "schema", "tests", "benches", "docs", "fuzz", ".ci", ".github"];

/// Code without comments and the contents of literals, which could name anything. Lines stay lines.
fn bare(source: &str) -> String {
    let text: Vec<char> = source.chars().collect();
    let at = |index: usize| text.get(index).copied().unwrap_or('\0');
    let mut code = String::new();
    let mut index = 0;
    while index < text.len() {
        let begun = index;
        match at(index) {
            '/' if at(index + 1) == '/' => {
                while index < text.len() && at(index) != '\n' {
                    index += 1;
                }
            }
            '/' if at(index + 1) == '*' => {
                let mut depth = 0;
                loop {
                    match (at(index), at(index + 1)) {
                        ('/', '*') => (depth, index) = (depth + 1, index + 2),
                        ('*', '/') => (depth, index) = (depth - 1, index + 2),
                        _ => index += 1,
                    }
                    if depth == 0 || index >= text.len() {
                        break;
                    }
                }
            }
            'r' if !code.ends_with(|last: char| last.is_alphanumeric() || last == '_')
                && raw_marks(&text[index + 1..]).is_some()
                || at(index) == 'r' && code.ends_with('b') && raw_marks(&text[index + 1..]).is_some() =>
            {
                let marks = raw_marks(&text[index + 1..]).unwrap();
                let end: Vec<char> = format!("\"{}", "#".repeat(marks)).chars().collect();
                index += marks + 2;
                while index < text.len() && !text[index..].starts_with(&end) {
                    index += 1;
                }
                index += end.len();
            }
            '"' => {
                index += 1;
                while index < text.len() && at(index) != '"' {
                    index += if at(index) == '\\' { 2 } else { 1 };
                }
                index += 1;
            }
            // A character, not a lifetime.
            '\'' if at(index + 1) == '\\' || at(index + 2) == '\'' => {
                index += if at(index + 1) == '\\' { 3 } else { 2 };
                while index < text.len() && at(index) != '\'' {
                    index += 1;
                }
                index += 1;
            }
            other => {
                code.push(other);
                index += 1;
                continue;
            }
        }
        code.extend(text[begun..index.min(text.len())].iter().filter(|character| **character == '\n'));
        code.push(' ');
    }
    code
}

/// How many `#` a raw literal has after its `r`, if this is one.
fn raw_marks(rest: &[char]) -> Option<usize> {
    let marks = rest.iter().take_while(|character| **character == '#').count();
    (rest.get(marks) == Some(&'"')).then_some(marks)
}

/// The part of a file that is shipped: what comes before its test module.
fn shipped(source: &str) -> &str {
    let mut offset = 0;
    let mut test = None;
    for line in source.split_inclusive('\n') {
        match (line.trim_end(), test) {
            ("#[cfg(test)]", _) => test = Some(offset),
            (line, Some(start)) if line.starts_with("mod ") && line.ends_with('{') => return &source[..start],
            (line, Some(_)) if line.starts_with("#[") => {}
            _ => test = None,
        }
        offset += line.len();
    }
    source
}

/// Every path that begins with `crate`, `super`, `std` or another crate's name, written out: groups are taken apart.
/// `module` is where the code stands, so that `super` can be followed.
fn paths(code: &str, module: &[String]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let tokens = tokens(code);
    let mut index = 0;
    while index < tokens.len() {
        let follows_path = index > 0 && tokens[index - 1] == "::";
        let leads = tokens[index].starts_with(|first: char| first.is_alphabetic() || first == '_');
        if leads && !follows_path && tokens.get(index + 1).is_some_and(|token| token == "::") {
            tree(&tokens, &mut index, &[], &mut found);
        } else {
            index += 1;
        }
    }
    found.into_iter().map(|path| followed(&path, module)).collect()
}

fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut characters = code.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        if character == ':' && characters.peek() == Some(&':') {
            characters.next();
            tokens.push("::".to_owned());
        } else if !character.is_whitespace() {
            tokens.push(character.to_string());
        }
    }
    tokens.push(word);
    tokens
}

/// Reads the path at `index`, and the paths of its group.
fn tree(tokens: &[String], index: &mut usize, before: &[String], found: &mut BTreeSet<String>) {
    let mut path = before.to_vec();
    loop {
        match tokens.get(*index).map(String::as_str) {
            Some("{") => {
                *index += 1;
                while *index < tokens.len() && tokens[*index] != "}" {
                    if tokens[*index] == "," {
                        *index += 1;
                    } else {
                        let begun = *index;
                        tree(tokens, index, &path, found);
                        // `as name`, which is no part of a path.
                        while *index < tokens.len() && !matches!(tokens[*index].as_str(), "," | "}") {
                            *index += 1;
                        }
                        assert!(*index > begun, "a group of paths that cannot be read");
                    }
                }
                *index += 1;
                return;
            }
            Some(word) if word.starts_with(|first: char| first.is_alphanumeric() || first == '_' || first == '*') => {
                path.push(word.to_owned());
                *index += 1;
            }
            _ => break,
        }
        if tokens.get(*index).map(String::as_str) != Some("::") {
            break;
        }
        *index += 1;
    }
    if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
        path.pop();
    }
    found.insert(path.join("::"));
}

/// `super::x` and `self::x` as seen from `module`, written from `crate`.
fn followed(path: &str, module: &[String]) -> String {
    let parts: Vec<&str> = path.split("::").collect();
    let supers = parts.iter().take_while(|part| **part == "super").count();
    let relative = parts.first() == Some(&"self");
    if supers == 0 && !relative {
        return path.to_owned();
    }
    let base = &module[..module.len().saturating_sub(supers)];
    let rest = parts.iter().skip(supers + usize::from(relative)).map(|part| (*part).to_owned());
    std::iter::once("crate".to_owned()).chain(base.iter().cloned()).chain(rest).collect::<Vec<_>>().join("::")
}

fn begins(path: &str, prefix: &str) -> bool {
    path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::"))
}

/// What is wrong with one file of src/, by its path below src/.
fn faults(file: &str, source: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let code = bare(shipped(source));
    let module: Vec<String> =
        file.trim_end_matches(".rs").trim_end_matches("/mod").split('/').map(str::to_owned).collect();
    if let Some(room) = ROOMS.iter().find(|room| module[0] == room.name) {
        for path in paths(&code, &module) {
            if let Some(inner) = path.strip_prefix("crate::")
                && !begins(inner, room.name)
                && !room.may_use.iter().any(|allowed| begins(inner, allowed))
            {
                faults.push(format!("src/{file}: {} may not use {path}", room.name));
            }
            // Also `use std::time;` and `use std::time::*;`, through which the banned name could be reached.
            let reach = path.trim_end_matches("::*");
            let banned = |banned: &&&str| begins(&path, banned) || (begins(banned, reach) && path.contains("::"));
            if let Some(banned) = room.may_not_use.iter().chain(&PRINTING).find(banned) {
                faults.push(format!("src/{file}: {} may not use {banned} ({path})", room.name));
            }
        }
        let tokens = tokens(&code);
        for name in PRINTING.iter().filter_map(|name| name.strip_suffix('!')) {
            if tokens.windows(2).any(|pair| pair[0] == name && pair[1] == "!") {
                faults.push(format!("src/{file}: {} may not use {name}!", room.name));
            }
        }
    }
    let lines = shipped(source).lines().count();
    if lines > LONGEST {
        faults.push(format!("src/{file}: {lines} lines before its tests; past {LONGEST} it has two subjects"));
    }
    faults
}

/// What is left behind in a file: skipped tests, and code that is still to be written.
fn leftovers(file: &str, source: &str) -> Vec<String> {
    let compact: String = bare(source).chars().filter(|character| !character.is_whitespace()).collect();
    ["#[ignore", "todo!(", "unimplemented!("]
        .into_iter()
        .filter(|left| compact.contains(left))
        .map(|left| format!("{file}: {left}"))
        .collect()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below a folder, by their path from it.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let root = repository().join(folder);
    let files: Vec<_> = walkdir::WalkDir::new(&root)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
        .map(|entry| {
            let name = entry.path().strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    assert!(!files.is_empty(), "{folder} has no Rust file: this test looks in the wrong place");
    files
}

/// The files and folders of src/ that only tests see: those that a `#[cfg(test)] mod name;` declares.
fn only_for_tests(files: &[(String, String)]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (file, source) in files {
        let folder = match Path::new(file).file_name().unwrap().to_str().unwrap() {
            "mod.rs" | "lib.rs" | "main.rs" => Path::new(file).parent().unwrap().to_owned(),
            _ => Path::new(file).with_extension(""),
        };
        let lines: Vec<&str> = source.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            if let Some(name) =
                pair[1].split_whitespace().skip_while(|word| *word != "mod").nth(1).and_then(|n| n.strip_suffix(';'))
            {
                found.push(folder.join(name));
            }
        }
    }
    found
}

#[test]
fn every_room_uses_only_what_it_may() {
    let files = rust_files("src");
    let tests = only_for_tests(&files);
    let is_test = |file: &str| {
        let path = Path::new(file).with_extension("");
        tests.iter().any(|test| path.starts_with(test))
    };
    let found: Vec<_> =
        files.iter().filter(|(file, _)| !is_test(file)).flat_map(|(file, source)| faults(file, source)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_room_is_known() {
    let rooms: BTreeSet<String> = rust_files("src")
        .iter()
        .filter_map(|(file, _)| file.split_once('/').map(|(room, _)| room.to_owned()))
        .collect();
    let known = ROOMS.iter().map(|room| room.name.to_owned()).chain(["cli".to_owned()]).collect();
    assert_eq!(rooms, known, "a new room needs a row here, and one in src/lib.rs");
}

#[test]
fn nothing_is_left_behind() {
    let found: Vec<_> = ["src", "tests"]
        .into_iter()
        .flat_map(|folder| {
            rust_files(folder)
                .into_iter()
                .flat_map(move |(file, source)| leftovers(&format!("{folder}/{file}"), &source))
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_root_has_only_the_known_folders() {
    // Git knows what belongs to the repository; where it is not at hand, whatever is there counts.
    let listed = Command::new("git").arg("-C").arg(repository()).args(["ls-files", "-z"]).output();
    let folders: BTreeSet<String> = match listed {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => String::from_utf8(output.stdout)
            .unwrap()
            .split('\0')
            .filter_map(|file| file.split_once('/').map(|(folder, _)| folder.to_owned()))
            .collect(),
        _ => std::fs::read_dir(repository())
            .unwrap()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().unwrap().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name != "target" && name != ".git")
            .collect(),
    };
    let unknown: Vec<_> = folders.iter().filter(|folder| !ROOT_FOLDERS.contains(&folder.as_str())).collect();
    assert!(unknown.is_empty(), "folders at the root that nothing explains: {unknown:?}");
    assert!(folders.contains("src"), "this test looks in the wrong place");
}

/// The checker itself, on files that break a rule.
mod checker {
    use super::*;

    fn refuses(file: &str, source: &str, what: &str) {
        let found = faults(file, source);
        assert!(found.iter().any(|fault| fault.contains(what)), "{file}: {source:?} gave {found:?}");
    }

    fn accepts(file: &str, source: &str) {
        assert_eq!(faults(file, source), [] as [String; 0], "{file}: {source:?}");
    }

    #[test]
    fn refuses_what_points_upward() {
        refuses("domain/plan.rs", "use crate::ops::plan::Request;", "crate::ops");
        refuses("domain/plan.rs", "use crate::{domain::asset::Code, portal::{Client, Rate as Pace}};", "crate::portal");
        refuses("domain/rules/png.rs", "fn f() { crate::store::atomic::write() }", "crate::store");
        refuses("domain/rules/png.rs", "use super::super::super::cli::run;", "crate::cli::run");
        refuses("domain/mod.rs", "use super::render;", "crate::render");
        refuses("ops/plan.rs", "use crate::portal::Client;", "crate::portal");
        refuses("ops/apply/mod.rs", "use crate :: store\n  :: run;", "crate::store");
        refuses("ops/plan.rs", "use crate::sandbox;", "crate::sandbox");
        refuses("portal/client.rs", "use crate::sandbox::start;", "crate::sandbox");
        refuses("portal/client.rs", "use crate::ops::apply::apply;", "crate::ops::apply");
        refuses("store/run.rs", "use crate::portal::Client;", "crate::portal");
        refuses("render/human.rs", "use crate::ops::ports::PortalError;", "crate::ops");
        refuses("sandbox/world.rs", "use crate::portal::wire;", "crate::portal");
        refuses("sandbox/world.rs", "use crate::domain::{asset::Kind, image};", "crate::domain::image");
        refuses("sandbox/world.rs", "use crate::domain::*;", "crate::domain::*");
    }

    #[test]
    fn refuses_what_touches_the_world() {
        refuses("domain/plan.rs", "use std::{collections::BTreeMap, fs};", "std::fs");
        refuses("domain/plan.rs", "use std::time::{Duration, Instant};", "std::time::Instant");
        refuses("domain/plan.rs", "use std::time;", "std::time");
        refuses("domain/plan.rs", "use std::time::*;", "std::time");
        refuses("domain/plan.rs", "fn f() { std::time::SystemTime::now(); }", "std::time::SystemTime");
        refuses("domain/plan.rs", "fn f() -> String { std::env::var(\"A\") }", "std::env");
        refuses("domain/plan.rs", "use tokio::time::sleep;", "tokio");
        refuses("domain/plan.rs", "#[derive(clap::Args)] struct A;", "clap");
        refuses("domain/plan.rs", "fn f() { println!(\"{}\", 1) }", "println!");
        refuses("domain/plan.rs", "fn f<'a>(a: &'a str) -> char { let b = '\"'; eprintln!(); b }", "eprintln!");
        refuses("render/human.rs", "fn f() { std::fs::read(\"x\") }", "std::fs");
        refuses("ops/plan.rs", "fn f() { std::process::exit(1) }", "std::process::exit");
        refuses("store/run.rs", "use reqwest::Client;", "reqwest");
        refuses("portal/client.rs", "use std::fs::File;", "std::fs");
        accepts("portal/oauth/file.rs", "use std::fs::{self, File};");
        refuses("portal/oauth/file.rs", "use std::env;", "std::env");
    }

    #[test]
    fn refuses_long_files() {
        refuses("cli/plan.rs", &"\n".repeat(LONGEST + 1), "two subjects");
        let tests = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(LONGEST), "\n".repeat(LONGEST));
        accepts("cli/plan.rs", &tests);
    }

    #[test]
    fn accepts_what_is_allowed() {
        accepts("domain/plan.rs", "use super::asset::Code; use crate::domain::diff; use std::time::Duration;");
        accepts("domain/rules/png.rs", "use super::super::image; use std::{fmt, sync::Arc};");
        accepts(
            "domain/plan.rs",
            "// use crate::portal\n/* std::fs /* x */ println!() */ const A: &str = \"crate::cli\";",
        );
        accepts("domain/plan.rs", "const A: &str = r#\"std::fs \" \"#; const B: &[u8] = br\"tokio::x\";");
        accepts("domain/plan.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n use std::fs; use crate::sandbox;\n}\n");
        accepts("ops/plan.rs", "use crate::domain::plan::Plan; use super::ports::ReadPortal;");
        accepts("portal/client.rs", "use crate::ops::ports::{ReadPortal, WritePortal};");
        accepts("sandbox/world.rs", "use crate::domain::asset::{Code, Kind};");
        accepts("cli/plan.rs", "use crate::{portal, render, sandbox, store}; fn f() { println!() }");
    }

    #[test]
    fn sees_what_is_left_behind() {
        assert_eq!(leftovers("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() { todo!() }").len(), 2);
        assert_eq!(leftovers("a.rs", "fn f() { unimplemented ! (\"later\") }").len(), 1);
        assert_eq!(leftovers("a.rs", "// todo!()\nconst A: &str = \"#[ignore]\";"), [] as [String; 0]);
    }

    #[test]
    fn knows_which_files_are_for_tests() {
        let files = [
            ("domain/manifest/mod.rs".to_owned(), "#[cfg(test)]\npub(crate) mod tests;\nmod text;\n".to_owned()),
            ("portal/wire.rs".to_owned(), "#[cfg(test)]\nmod shapes;\n".to_owned()),
        ];
        let expected = [PathBuf::from("domain/manifest/tests"), PathBuf::from("portal/wire/shapes")];
        assert_eq!(only_for_tests(&files), expected);
    }
}
