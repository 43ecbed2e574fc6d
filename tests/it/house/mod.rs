//! The house rules that the compiler does not know: which room may use which, that no file needs itself through others,
//! how long a file may be, what may not be left behind. The rooms are those of src/lib.rs.

mod checker;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use source::{File, Source};

/// A room: which modules of this crate it may use, and which paths and macros from outside it may not.
struct Room {
    name: &'static str,
    /// Prefixes of paths below `crate::`; the room itself is always allowed.
    may_use: &'static [&'static str],
    /// Prefixes of paths, and macros by their name with `!`.
    may_not_use: &'static [&'static str],
}

const PRINTING: [&str; 5] = ["print!", "println!", "eprint!", "eprintln!", "std::process::exit"];

const ROOMS: [Room; 8] = [
    Room { name: "text", may_use: &[], may_not_use: &["std::fs", "std::env", "std::io", "std::process"] },
    Room {
        name: "domain",
        may_use: &["text"],
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
        may_use: &["text", "domain"],
        may_not_use: &["std::fs", "std::env", "std::net", "tokio", "reqwest", "hyper", "clap", "anstream", "indicatif"],
    },
    Room {
        name: "ops",
        may_use: &["text", "domain", "format"],
        may_not_use: &["std::fs", "std::env", "std::net", "reqwest", "hyper", "clap", "anstream", "indicatif"],
    },
    Room {
        name: "portal",
        may_use: &["text", "domain", "ops::ports", "ops::events"],
        may_not_use: &["std::fs", "std::env", "clap", "anstream", "indicatif"],
    },
    Room {
        name: "store",
        may_use: &["text", "domain", "format", "ops::ports", "ops::events"],
        may_not_use: &["std::net", "tokio::net", "reqwest", "hyper", "clap", "anstream", "indicatif"],
    },
    Room {
        name: "render",
        may_use: &["text", "domain", "format"],
        may_not_use: &["std::fs", "std::env", "std::net", "tokio", "reqwest", "hyper", "clap", "anstream", "indicatif"],
    },
    Room {
        name: "sandbox",
        may_use: &["text", "domain::asset", "store::files"],
        may_not_use: &["std::env", "reqwest", "clap", "anstream", "indicatif"],
    },
];

/// The floors inside domain, from the ground: a module may use those of its own floor and of the floors below.
const FLOORS: &[&[&str]] = &[
    &["asset", "finding", "png", "quote", "scope", "unanswered", "yaml"],
    &["manifest", "ownership", "rulebook", "state"],
    &[
        "command",
        "diff",
        "evidence",
        "guard",
        "journal",
        "last_known",
        "logmessage",
        "plan",
        "request",
        "retry",
        "step",
        "usage",
    ],
    &["doctor", "export", "init", "list", "origin", "report", "restore", "resumption", "rules"],
];

/// The only place that opens files.
const OPENS_FILES: &str = "store/files/";

/// What opens files, or makes them.
const FILES: [&str; 6] = ["std::fs", "tokio::fs", "tempfile", "rustix", "std::os::unix::fs", "std::os::fd"];

/// The methods of paths that look at what is there.
const LOOKS: [&str; 10] = [
    "canonicalize",
    "exists",
    "is_dir",
    "is_file",
    "is_symlink",
    "metadata",
    "read_dir",
    "read_link",
    "symlink_metadata",
    "try_exists",
];

/// The most lines a file may have before its tests.
const MAX_LINES: usize = 400;

/// How many type names may be defined in more than one file.
const MAX_SHARED_NAMES: usize = 20;

/// The methods that escape.
const ESCAPERS: [&str; 3] = ["escape_debug", "escape_default", "escape_unicode"];

const ROOT_FOLDERS: [&str; 11] =
    ["src", "examples", "schema", "tests", "benches", "docs", "fuzz", "release", ".ci", ".config", ".github"];

fn begins(path: &str, prefix: &str) -> bool {
    path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::"))
}

/// The room of a file, and the module in it.
fn place(file: &str) -> (&str, &str) {
    let (room, rest) = file.split_once('/').unwrap_or((file, ""));
    let module = rest.split('/').next().unwrap_or_default();
    (room.trim_end_matches(".rs"), module.trim_end_matches(".rs"))
}

/// What a file uses that its room may not.
fn trespasses(source: &Source, file: &File) -> Vec<String> {
    let (room, _) = place(&file.name);
    let Some(room) = ROOMS.iter().find(|known| known.name == room) else { return Vec::new() };
    let mut faults = Vec::new();
    let may_use = |path: &str| begins(path, room.name) || room.may_use.iter().any(|allowed| begins(path, allowed));
    for (path, definition) in &file.uses {
        let path = path.join("::");
        let home = definition.map(|definition| module_of(&source.files[definition].name));
        let wrong = match path.strip_prefix("crate::") {
            // A re-export opens no way around.
            Some(inner) => !may_use(inner) || home.as_deref().is_some_and(|home| !may_use(home)),
            None => false,
        };
        if wrong {
            let home = home.unwrap_or_default();
            faults.push(format!("src/{}: {} may not use {path} ({home})", file.name, room.name));
        }
        // Also `use std::time;` and `use std::time::*;`, through which the banned name could be reached.
        let reach = path.trim_end_matches("::*");
        let banned = |banned: &&&str| begins(&path, banned) || (begins(banned, reach) && path.contains("::"));
        if let Some(banned) = room.may_not_use.iter().chain(&PRINTING).find(banned) {
            faults.push(format!("src/{}: {} may not use {banned} ({path})", file.name, room.name));
        }
    }
    for name in PRINTING.iter().filter_map(|name| name.strip_suffix('!')) {
        if file.macros.contains(name) {
            faults.push(format!("src/{}: {} may not use {name}!", file.name, room.name));
        }
    }
    faults
}

/// `domain::png` for `domain/png/mod.rs`.
fn module_of(file: &str) -> String {
    file.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::")
}

/// What points upward between the floors of domain.
fn climbs(source: &Source) -> Vec<String> {
    let floor = |module: &str| FLOORS.iter().position(|floor| floor.contains(&module));
    let mut faults = BTreeSet::new();
    for (at, file) in source.files.iter().enumerate().filter(|(_, file)| !file.for_tests) {
        let ("domain", from) = place(&file.name) else { continue };
        if from == "mod" {
            continue;
        }
        let Some(here) = floor(from) else {
            faults.insert(format!("src/{}: {from} stands on no floor", file.name));
            continue;
        };
        for to in source.arrows(at) {
            if let ("domain", to) = place(&source.files[to].name)
                && floor(to).is_some_and(|there| there > here)
            {
                faults.insert(format!("src/{}: {from} may not use {to}, which is above it", file.name));
            }
        }
    }
    faults.into_iter().collect()
}

/// The files that open files though others are there for it.
fn file_openers(source: &Source) -> Vec<String> {
    let opens = |file: &&File| {
        let uses = file.uses.keys().any(|path| FILES.iter().any(|opener| begins(&path.join("::"), opener)));
        (uses || file.methods.iter().any(|name| LOOKS.contains(&name.as_str()))) && !file.name.starts_with(OPENS_FILES)
    };
    source.shipped().filter(opens).map(|file| file.name.clone()).collect()
}

/// The type names that are defined in more than one file, with those files.
fn shared_names(source: &Source) -> BTreeMap<&str, Vec<&str>> {
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in source.shipped() {
        for name in &file.types {
            names.entry(name).or_default().push(&file.name);
        }
    }
    names.retain(|_, files| files.len() > 1);
    names
}

/// What escapes by itself outside of rendering, as often as it does: methods, and texts with `{:?}` in them.
fn escapes(source: &Source) -> Vec<(&str, &str)> {
    fn of_file(file: &File) -> impl Iterator<Item = (&str, &str)> {
        let called = file.methods.iter().chain(file.uses.keys().filter_map(|path| path.last()));
        let called = called.filter(|name| ESCAPERS.contains(&name.as_str()));
        called.chain(&file.debug_texts).map(|what| (file.name.as_str(), what.as_str()))
    }
    source.shipped().filter(|file| !["render", "text"].contains(&place(&file.name).0)).flat_map(of_file).collect()
}

/// The files that are too long.
fn long_files(source: &Source) -> Vec<String> {
    let long = source.shipped().filter(|file| file.lines > MAX_LINES);
    long.map(|file| {
        format!("src/{}: {} lines before its tests; past {MAX_LINES} it has two subjects", file.name, file.lines)
    })
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

/// src/, parsed once for all tests.
fn shipped() -> &'static Source {
    static SOURCE: LazyLock<Source> = LazyLock::new(|| {
        let files = rust_files("src");
        Source::parse(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    });
    &SOURCE
}

#[test]
fn every_room_uses_only_what_it_may() {
    let source = shipped();
    let found: Vec<_> = source.shipped().flat_map(|file| trespasses(source, file)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn domain_is_built_from_the_ground() {
    let found = climbs(shipped());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_file_needs_itself_through_others() {
    let source = shipped();
    let circles = source.circles();
    let arrows: Vec<_> = circles.iter().map(|circle| source.arrows_within(circle)).collect();
    assert!(circles.is_empty(), "{} circles: {circles:#?}\n{arrows:#?}", circles.len());
}

#[test]
fn every_file_is_opened_in_one_place() {
    assert_eq!(file_openers(shipped()), [""; 0]);
}

#[test]
fn few_names_mean_two_types() {
    let source = shipped();
    let shared = shared_names(source);
    assert!(shared.len() <= MAX_SHARED_NAMES, "{}: {shared:#?}", shared.len());
}

#[test]
fn messages_hold_raw_text() {
    // A duration, as a script of faults has it.
    assert_eq!(escapes(shipped()), [("sandbox/faults/display.rs", "\"delay {delay:?}\"")]);
}

#[test]
fn no_file_has_two_subjects() {
    let found = long_files(shipped());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_room_is_known() {
    let rooms: BTreeSet<String> = rust_files("src")
        .iter()
        .filter_map(|(file, _)| file.split_once('/').map(|(room, _)| room.to_owned()))
        .collect();
    let known = ROOMS.iter().map(|room| room.name.to_owned()).filter(|room| room != "text");
    assert_eq!(rooms, known.chain(["cli".to_owned()]).collect(), "a new room needs a row here, and one in src/lib.rs");
}

#[test]
fn nothing_is_left_behind() {
    let found: Vec<_> = ["src", "tests"]
        .into_iter()
        .flat_map(|folder| {
            rust_files(folder)
                .into_iter()
                .flat_map(move |(file, source)| source::leftovers(&format!("{folder}/{file}"), &source))
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_root_has_only_the_known_folders() {
    // Git knows what belongs to the repository; without it, every file there counts.
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
