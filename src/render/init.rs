//! What `init` wrote, and the next steps, for people.

use std::fmt::Write as _;

use super::export::summary;
use crate::domain::init::{CiSystem, FileChange, InitReport, MANIFEST, WrittenFile};
use crate::text::{escape, shell_word};

/// The most images of a folder that are named one by one.
const MAX_NAMED: usize = 5;

/// The files, and the way from there to the first apply; nothing when nothing was written.
pub(crate) fn report(report: &InitReport) -> String {
    let Some(root) = report.root.as_deref().filter(|_| !report.files.is_empty()) else { return String::new() };
    let mut text = report.export.as_ref().map(summary).unwrap_or_default();
    let _ = writeln!(text, "Created a branding repository in {}:", escape(root));
    for files in report.files.chunk_by(|a, b| folder(a).is_some() && folder(a) == folder(b)) {
        if let Some(folder) = files.first().and_then(folder).filter(|_| files.len() > MAX_NAMED) {
            let _ = writeln!(text, "  {}/   {} images", escape(folder), files.len());
            continue;
        }
        for file in files {
            let note = match file.change {
                FileChange::Created => "",
                FileChange::Extended => "   (lines added)",
                FileChange::Unchanged => "   (unchanged)",
            };
            let _ = writeln!(text, "  {}{note}", escape(&file.path));
        }
    }
    let option = match report.manifest.as_str() {
        MANIFEST => String::new(),
        manifest => format!(" -f {}", shell_word(&escape(manifest))),
    };
    let machine = report.ci.filter(|_| !report.installs).map(|system| {
        let file = system.path();
        format!("  give CI the program: set BRANDCTL_TOOL in {file}, or use a machine or image that has brandctl\n")
    });
    let machine = machine.unwrap_or_default();
    let last = match report.ci {
        None => format!("brandctl apply{option}   do it"),
        Some(CiSystem::Github) => secret("GitHub the secret", CiSystem::Github.path()),
        Some(CiSystem::Gitlab) => secret("GitLab the variable", CiSystem::Gitlab.path()),
        Some(CiSystem::Shell) => {
            format!("let your CI system run {}, whose first lines say how", CiSystem::Shell.path())
        }
    };
    let (validate, plan) = if report.export.is_some() {
        ("checks it with the art rules", "has nothing to do yet: change an image, and the plan shows it")
    } else {
        (
            "the samples pass: replace them with your own art",
            "shows what the first apply would do; BITRIX24_WEBHOOK_URL must hold the portal's webhook",
        )
    };
    let _ = write!(
        text,
        "\nNext:\n  brandctl validate{option}   {validate}\n  brandctl plan{option}   {plan}\n{machine}  {last}\n"
    );
    text
}

/// The folder of an image.
fn folder(image: &WrittenFile) -> Option<&str> {
    image.path.strip_suffix(".png")?.rsplit_once('/').map(|(folder, _)| folder)
}

/// The secret that CI needs before its first run.
fn secret(whose: &str, file: &str) -> String {
    format!("give {whose} BITRIX24_WEBHOOK_URL (see {file}), and push: from then on, merges are applied")
}
