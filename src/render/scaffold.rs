//! What `init` wrote, and what to do next, for people.

use std::fmt::Write as _;

use super::inert;
use crate::domain::scaffold::{Change, MANIFEST, Started, System};

/// The files, and the way from there to the first apply; nothing when nothing was written.
#[must_use]
pub fn started(started: &Started) -> String {
    let Some(root) = started.root.as_deref().filter(|_| !started.files.is_empty()) else { return String::new() };
    let mut text = format!("Started a branding repository. In {}:\n", inert(root));
    for file in &started.files {
        let note = match file.change {
            Change::Created => "",
            Change::Extended => "   (lines added)",
            Change::Unchanged => "   (as it was)",
        };
        let _ = writeln!(text, "  {}{note}", inert(&file.path));
    }
    let option = match started.manifest.as_str() {
        MANIFEST => String::new(),
        manifest => format!(" -f {}", word(&inert(manifest))),
    };
    let last = match started.ci {
        None => format!("brandctl apply{option}   do it"),
        Some(System::Github) => secret("GitHub the secret", System::Github.path()),
        Some(System::Gitlab) => secret("GitLab the variable", System::Gitlab.path()),
    };
    let _ = write!(
        text,
        "\nNext:\n  brandctl validate{option}   the samples pass: put your own art in their place\n  \
         brandctl plan{option}   what the first apply would do; BITRIX24_WEBHOOK_URL has the portal's webhook\n  {last}\n"
    );
    text
}

/// What CI needs before its first run.
fn secret(whose: &str, file: &str) -> String {
    format!("give {whose} BITRIX24_WEBHOOK_URL, as {file} says, and push: from then on merges are applied")
}

/// One word of a shell.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
