//! Completions: answers to a shell that asks how a word of a command line can continue.
//!
//! The script that a shell loads asks the program at every Tab, so that codes and runs are current. An answer reads files
//! of the repository only: it needs no portal and no secret, and prints no errors, because these would end up in the line
//! that the user is typing.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{Arg, Command, ValueHint};
use clap_complete::engine::ValueCompleter as _;
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{ArgValueCompleter, CompletionCandidate, PathCompleter};

use crate::domain::asset::Address;
use crate::domain::manifest;
use crate::ops::ports::ReadArt as _;
use crate::store::repository::Repository;
use crate::store::root::state_beside;
use crate::store::runs;

/// The variable by which the script shows the program that a shell asks.
pub(super) const VARIABLE: &str = "BRANDCTL_COMPLETE";

/// Answers a shell that asks how the last of `arguments` can continue; `false` if no shell asks. The script passes a
/// `--`: the variable alone must not keep a command from running.
pub(super) fn answered(program: fn() -> Command, arguments: &[OsString]) -> bool {
    let shell = std::env::var(VARIABLE).unwrap_or_default();
    if Shells::builtins().completer(&shell).is_none() || arguments.get(1).is_none_or(|word| word != "--") {
        return false;
    }
    let here = std::env::current_dir().ok();
    let program = || with_plain_paths(program());
    // What is typed is not a command line yet: an error would only garble it.
    CompleteEnv::with_factory(program).var(VARIABLE).try_complete(arguments.to_vec(), here.as_deref()).unwrap_or(true)
}

/// The maximum number of paths that are proposed at once.
const MAX_PATHS: usize = 1_000;

/// The program with [`paths`] as the completer of every path: clap's own completer proposes names that a shell
/// interprets.
fn with_plain_paths(program: Command) -> Command {
    let plain = |argument: Arg| match argument.get_value_hint() {
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
            if argument.get::<ArgValueCompleter>().is_none() =>
        {
            argument.add(ArgValueCompleter::new(paths))
        }
        _ => argument,
    };
    program.mut_args(plain).mut_subcommands(with_plain_paths)
}

fn paths(typed: &OsStr) -> Vec<CompletionCandidate> {
    let paths = PathCompleter::any().complete(typed).into_iter();
    paths.filter(|path| is_plain(&path.get_value().to_string_lossy())).take(MAX_PATHS).collect()
}

/// Completes codes, as `--only` takes them: the declared ones, with and without their kind.
pub(super) fn patterns() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let codes = |address: &Address| [address.to_string(), address.code.to_string()];
        candidates(typed, declared().iter().flat_map(codes))
    })
}

/// Completes addresses of what is declared.
pub(super) fn addresses() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| candidates(typed, declared().iter().map(Address::to_string)))
}

/// Completes run ids from the state folder, the newest first, and paths, because saved plans and runs' folders have
/// paths.
pub(super) fn runs() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let repository = repository();
        let root = option("--state-dir", None).map_or_else(|| state_beside(repository.folder()), PathBuf::from);
        let ids = runs::ids(&root).unwrap_or_default();
        let mut found = candidates(
            typed,
            std::iter::once("last".to_owned())
                .filter(|_| !ids.is_empty())
                .chain(ids.iter().map(|id| id.to_string_lossy().into_owned())),
        );
        found.extend(paths(typed));
        found
    })
}

fn candidates(typed: &OsStr, values: impl Iterator<Item = String>) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    values.filter(|value| value.starts_with(&*typed) && is_plain(value)).map(CompletionCandidate::new).collect()
}

/// Whether a shell takes every character of a word literally: bash puts a candidate on the line as it is, and codes and
/// file names come from anyone who can commit.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"._/-".contains(&letter))
}

/// The addresses that the manifest declares, as far as it can be read.
fn declared() -> Vec<Address> {
    let repository = repository();
    let text = repository.manifest().unwrap_or_default();
    let (manifest, _) = manifest::read(&text, repository.name());
    manifest.map(|manifest| repository.addresses(&manifest)).unwrap_or_default()
}

/// The branding repository that the line names.
fn repository() -> Repository {
    let manifest = option("--file", Some("-f")).map_or_else(|| Path::new("brand.yaml").to_owned(), PathBuf::from);
    Repository::at(&manifest).below(option("--root", None).as_deref().map(Path::new))
}

/// The value of an option in the line that is being typed: the shell passes that line after a `--`.
fn option(long: &str, short: Option<&str>) -> Option<OsString> {
    let words: Vec<_> = std::env::args_os().skip_while(|word| word != "--").skip(1).collect();
    let value = |(at, word): (usize, &OsString)| {
        let text = word.to_str()?;
        let is_short = short.is_some_and(|short| text == short);
        if text == long || is_short {
            return words.get(at + 1).cloned();
        }
        let long = text.strip_prefix(long).and_then(|rest| rest.strip_prefix('='));
        let joined = || short.and_then(|short| text.strip_prefix(short));
        long.or_else(joined).map(OsString::from)
    };
    words.iter().enumerate().find_map(value)
}
