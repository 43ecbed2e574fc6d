//! What `init` wrote, and what to do next, for people.

use std::fmt::Write as _;

use super::export::summary;
use crate::domain::init::{Change, MANIFEST, Started, System, Written};
use crate::text::{escape, shell_word};

/// The most images of a folder that are named one by one.
const MAX_NAMED: usize = 5;

/// The files, and the way from there to the first apply; nothing when nothing was written.
#[must_use]
pub fn started(started: &Started) -> String {
    let Some(root) = started.root.as_deref().filter(|_| !started.files.is_empty()) else { return String::new() };
    let mut text = started.export.as_ref().map(summary).unwrap_or_default();
    let _ = writeln!(text, "Started a branding repository. In {}:", escape(root));
    for files in started.files.chunk_by(|a, b| folder(a).is_some() && folder(a) == folder(b)) {
        if let Some(folder) = files.first().and_then(folder).filter(|_| files.len() > MAX_NAMED) {
            let _ = writeln!(text, "  {}/   {} images", escape(folder), files.len());
            continue;
        }
        for file in files {
            let note = match file.change {
                Change::Created => "",
                Change::Extended => "   (lines added)",
                Change::Unchanged => "   (as it was)",
            };
            let _ = writeln!(text, "  {}{note}", escape(&file.path));
        }
    }
    let option = match started.manifest.as_str() {
        MANIFEST => String::new(),
        manifest => format!(" -f {}", shell_word(&escape(manifest))),
    };
    let last = match started.ci {
        None => format!("brandctl apply{option}   do it"),
        Some(System::Github) => secret("GitHub the secret", System::Github.path()),
        Some(System::Gitlab) => secret("GitLab the variable", System::Gitlab.path()),
    };
    let (validate, plan) = if started.export.is_some() {
        ("what the art rules say of it", "nothing to do yet: change an image, and it is here")
    } else {
        (
            "the samples pass: put your own art in their place",
            "what the first apply would do; BITRIX24_WEBHOOK_URL has the portal's webhook",
        )
    };
    let _ =
        write!(text, "\nNext:\n  brandctl validate{option}   {validate}\n  brandctl plan{option}   {plan}\n  {last}\n");
    text
}

/// The folder of an image.
fn folder(image: &Written) -> Option<&str> {
    image.path.strip_suffix(".png")?.rsplit_once('/').map(|(folder, _)| folder)
}

/// What CI needs before its first run.
fn secret(whose: &str, file: &str) -> String {
    format!("give {whose} BITRIX24_WEBHOOK_URL, as {file} says, and push: from then on merges are applied")
}
