//! Wrong guesses: what a user of another tool types, and what to type here. A guess never runs anything.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::domain::looks_secret;
use crate::store::files::place;
use crate::text::{cut, shell_word};

/// Commands that do not exist, with a tip for each group.
const COMMANDS: &[(&[&str], &str)] = &[
    (&["diff", "preview", "compare", "dry-run"], "`brandctl plan` shows what would change"),
    (&["check", "lint", "test", "verify"], "`brandctl validate` checks the manifest and its images, offline"),
    (
        &["sync", "push", "deploy", "publish", "upload", "update", "up"],
        "`brandctl apply` writes the changes to the portal",
    ),
    (
        &["import", "pull", "adopt", "dump", "download", "backup", "fetch", "clone"],
        "`brandctl export DIR` writes what the portal holds to a folder",
    ),
    (
        &["delete", "remove", "rm", "destroy", "prune", "clean"],
        "remove the entry from the manifest, then run `brandctl apply`: it deletes what is owned and not declared",
    ),
    (
        &["add", "create", "new", "replace"],
        "declare the entry in the manifest and add its PNG, then run `brandctl apply`",
    ),
    (
        &["status", "state", "info"],
        "`brandctl drift` shows whether the portal differs, and `brandctl list` what it holds",
    ),
    (&["rollback", "undo", "revert"], "`brandctl restore last` puts back what the last run replaced or deleted"),
    (&["runs", "logs", "log-runs"], "`brandctl history` lists the runs"),
    (&["setup", "start", "bootstrap", "scaffold"], "`brandctl init` starts a branding repository"),
    (&["ls", "get", "icons", "logos"], "`brandctl list` shows what the portal holds"),
    (
        &["login", "auth", "config", "configure"],
        "set BITRIX24_WEBHOOK_URL to a webhook's URL; `brandctl doctor` checks the credentials",
    ),
    (&["server", "serve", "mock", "portal"], "`brandctl sandbox` runs a portal on this machine"),
    (&["refresh"], "each `brandctl plan` reads the portal; with --refresh it ignores the cache too"),
    (&["explain", "rule"], "`brandctl rules ID` explains an art rule"),
    (&["fmt", "format"], "brandctl does not format manifests; `brandctl validate` checks them"),
    (&["completion"], "`brandctl completions SHELL` prints a completion script"),
    (&["version"], "`brandctl --version` prints the version"),
    (&["unlock", "force-unlock"], "a lock ends with its process: wait, or end that process"),
];

const NO_FORCE: &str =
    "there is no `--force`: the message of a guard names its own option, such as `--max-deletes N` or `--allow-empty`";

/// Options that do not exist, with a tip for each group.
const OPTIONS: &[(&[&str], &str)] = &[
    (
        &["--dry-run", "-n", "--check", "--noop", "--what-if"],
        "`brandctl plan` shows what would change, and writes nothing",
    ),
    (
        &["--auto-approve", "-a", "--approve", "--assume-yes", "--no-input", "--non-interactive", "--confirm"],
        "to go on without a question, use `--yes`",
    ),
    (&["--force", "-F"], NO_FORCE),
    (
        &["--portal", "--host", "--url", "--server", "--endpoint", "--domain"],
        "the portal is the one of the webhook in BITRIX24_WEBHOOK_URL; `portal:` in the manifest refuses any other",
    ),
    (
        &["--webhook", "--webhook-url", "--token", "--api-key", "--secret", "--password", "--user"],
        "credentials are never an option: set BITRIX24_WEBHOOK_URL",
    ),
    (&["--manifest", "--config", "-c", "--input", "-i"], "to name the manifest, use `-f FILE`"),
    (
        &["--directory", "--dir", "--chdir", "-C", "-chdir"],
        "to use a manifest in another folder, use `-f DIR/brand.yaml`",
    ),
    (&["--out", "-out", "--save"], "to save a plan, use `brandctl plan -o FILE`"),
    (&["--json"], "for JSON, use `--format json`"),
    (&["--diff"], "for a unified diff, use `brandctl plan --format diff`"),
    (&["--html", "--markdown", "--md"], "for a report in a file, use `--report FILE.html` or `--report FILE.md`"),
    (
        &["--strict", "--werror", "--fail-on-warnings"],
        "to let warnings fail too, use `brandctl validate --deny-warnings`",
    ),
    (
        &["--target", "-target", "-t", "--filter", "--code", "--icon"],
        "to look at some entries only, use `--only 'icon/acme-*'`",
    ),
    (&["--exclude", "--ignore"], "entries are ignored by `ignore:` in the manifest"),
    (&["--no-color", "--no-colour"], "for output without colour, use `--color never` or set NO_COLOR"),
    (&["--debug", "--trace", "--log-level"], "to log each request, use `-v`; `-vv` logs more"),
    (&["--silent"], "for results and errors only, use `-q`"),
    (
        &["--parallelism", "-parallelism", "--threads", "--jobs", "-j"],
        "for more or fewer batches at once, use `apply --concurrency N`",
    ),
    (&["--rate", "--rate-limit", "--qps"], "for the requests per second, use `--rps N`"),
    (
        &["--delete", "--no-delete", "--prune", "--no-prune"],
        "`policy: {prune: false}` in the manifest keeps what is not declared",
    ),
    (
        &["--insecure", "-k", "--no-verify", "--skip-tls-verify"],
        "certificates are always checked: name the portal's authority with `--ca-cert FILE`",
    ),
    (&["--last"], "`brandctl restore last` puts back what the last run replaced or deleted"),
    (&["--proxy"], "the proxy comes from HTTPS_PROXY"),
    (&["--state", "-state"], "to keep state elsewhere, use `--state-dir DIR`"),
    (
        &["--workspace", "--env", "--environment"],
        "one manifest is one portal: use `-f FILE` and that portal's credentials",
    ),
];

/// The error with a tip about what the user means, where it is known.
pub(super) fn corrected(mut error: clap::Error, line: &[OsString]) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let tip = match error.kind() {
        ErrorKind::InvalidSubcommand => text(ContextKind::InvalidSubcommand).and_then(|guess| of(COMMANDS, &guess)),
        ErrorKind::UnknownArgument => text(ContextKind::InvalidArg).and_then(|guess| argument(&guess, line)),
        _ => None,
    };
    if let Some(tip) = tip {
        error.remove(ContextKind::SuggestedSubcommand);
        error.remove(ContextKind::SuggestedArg);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        // The usage line would name the option that was only similar.
        error.remove(ContextKind::Usage);
    }
    error
}

/// What is wrong with a line that holds a webhook or a token: other users see the command line, and errors quote it.
pub(super) fn secret(line: &[OsString]) -> Option<&'static str> {
    /// Options whose value may be a URL, and is not quoted.
    const TEXTS: [&str; 3] = ["--portal", "--text", "--title"];
    let mut is_value = false;
    for word in line.iter().skip(1).map(|word| word.to_string_lossy()) {
        let option = word.split_once('=').map_or(&*word, |(option, _)| option);
        let may_be_url = is_value || TEXTS.contains(&option);
        is_value = TEXTS.contains(&&*word);
        let decoded = percent_encoding::percent_decode_str(&word).decode_utf8_lossy();
        if !may_be_url && !is_path(&word) && (looks_secret(&word) || looks_secret(&decoded)) {
            return Some(
                "an argument looks like a webhook or a token, and other users can see command lines\n\n  tip: set \
                 BITRIX24_WEBHOOK_URL to the webhook's URL",
            );
        }
    }
    None
}

/// Whether a word, or the value in it, is a path in a folder that exists, such as `/srv/rest/2026/brand.yaml`.
fn is_path(word: &str) -> bool {
    let value = if word.starts_with('-') { word.split_once('=').map_or(word, |(_, value)| value) } else { word };
    value.contains('/') && place::exists(place::folder_of(Path::new(value)))
}

/// The error about a long option with one dash whose first letter is an option: clap takes the other letters for its
/// value.
pub(super) fn single_dash(line: &[OsString]) -> Option<String> {
    const LONG: [(&str, &str); 4] = [
        ("-out", "to save a plan, use `-o FILE`"),
        ("-file", "use `-f FILE`"),
        ("-format", "use `--format FORMAT`"),
        ("-force", NO_FORCE),
    ];
    let words = line.iter().skip(1).filter_map(|word| word.to_str()).take_while(|word| *word != "--");
    let mut options = words.map(|word| word.split_once('=').map_or(word, |(option, _)| option));
    let (option, tip) = options.find_map(|option| LONG.into_iter().find(|(long, _)| *long == option))?;
    Some(format!("unexpected argument '{option}' found\n\n  tip: {tip}"))
}

fn of(guesses: &[(&[&str], &'static str)], guess: &str) -> Option<String> {
    let guess = guess.split_once('=').map_or(guess, |(option, _)| option);
    let found = guesses.iter().find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(guess)));
    found.map(|(_, tip)| (*tip).to_owned())
}

/// The commands that take `--only`.
const SELECTING: [&str; 4] = ["plan", "apply", "drift", "list"];

/// A tip about an unknown option or an unexpected argument.
fn argument(guess: &str, line: &[OsString]) -> Option<String> {
    // Other tools write long options with one dash; clap then names the first letter only.
    let single = line
        .iter()
        .filter_map(|word| word.to_str())
        .find(|word| word.len() > 2 && word.starts_with(guess) && guess.len() == 2 && !word.starts_with("--"));
    if let Some(tip) = single.and_then(|word| of(OPTIONS, &format!("-{word}")).or_else(|| of(OPTIONS, word))) {
        return Some(tip);
    }
    if guess.starts_with('-') {
        return of(OPTIONS, guess);
    }
    let shown = shell_word(&cut(guess, 60)).into_owned();
    let lower = guess.to_ascii_lowercase();
    Some(if lower.ends_with(".yaml") || lower.ends_with(".yml") {
        format!("to name the manifest, use `-f {shown}`")
    } else if lower.ends_with(".json") {
        format!("`brandctl show {shown}` shows a saved plan, and `brandctl apply {shown}` applies it")
    } else if line.iter().any(|word| SELECTING.iter().any(|command| word == command)) {
        format!("to name a manifest, use `-f FILE`; to look at some entries only, use `--only {shown}`")
    } else {
        return None;
    })
}
