//! What `init` wrote, and what to do next, for people.

use std::fmt::Write as _;

use super::inert;
use crate::domain::scaffold::{Change, MANIFEST, Started, System};

/// The files, and the way from there to the first plan; nothing when nothing was written.
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
    let manifest =
        if started.manifest == MANIFEST { String::new() } else { format!(" -f {}", word(&inert(&started.manifest))) };
    let _ =
        write!(text, "\nNext:\n  brandctl validate{manifest}   the samples pass: put your own art in their place\n");
    let secret = match started.ci {
        None => "export BITRIX24_WEBHOOK_URL=…   the webhook of the portal; brandctl doctor tries it".to_owned(),
        Some(System::Github) => {
            format!("give GitHub the secret BITRIX24_WEBHOOK_URL, as {} says", System::Github.path())
        }
        Some(System::Gitlab) => {
            format!("give GitLab the variable BITRIX24_WEBHOOK_URL, as {} says", System::Gitlab.path())
        }
    };
    let _ = write!(text, "  {secret}\n  brandctl plan{manifest}   what apply would do\n");
    text
}

/// One word of a shell.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
