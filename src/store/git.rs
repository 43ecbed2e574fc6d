//! What Git knows of a branding repository.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The commit that `folder` is at, with a `+` when files in it differ from that commit; `None` outside Git or without
/// it.
#[must_use]
pub fn commit(folder: &Path) -> Option<String> {
    let commit = git(folder, &["rev-parse", "HEAD"])?;
    let changes = git(folder, &["status", "--porcelain", "--", "."])?;
    let mark = if changes.trim().is_empty() { "" } else { "+" };
    Some(format!("{}{mark}", commit.trim()))
}

/// The path of `file` from the root of the repository that it is in, with `/` between its parts; outside of one, its name.
/// So it is called the same wherever the repository is checked out.
#[must_use]
pub fn path_in_repository(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(folder) = fs::canonicalize(folder) else { return name.to_string_lossy().into_owned() };
    // It is a file where the checkout is a worktree or a submodule.
    let root = folder.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&folder);
    let inside = folder.strip_prefix(root).unwrap_or(Path::new("")).join(name);
    inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
