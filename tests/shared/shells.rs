//! A branding repository for completions, and shells that complete in it.

use std::path::Path;
use std::process::Command;

use super::checkout::copy;

const PROGRAM: &str = env!("CARGO_BIN_EXE_brandctl");

/// A folder with a manifest, its art and one run, and a second manifest in a folder of its own.
pub(crate) fn branding() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/acme"), folder.path());
    std::fs::create_dir(folder.path().join("other")).unwrap();
    std::fs::write(folder.path().join("other/brand.yaml"), "version: 1\nowns: [z-*]\nicons: {z-only: a.png}\n")
        .unwrap();
    let applied = Command::new(PROGRAM)
        .args(["apply", "--sandbox", "--yes"])
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .output()
        .unwrap();
    assert!(applied.status.success(), "{applied:?}");
    folder
}

/// Runs a script in a shell that finds the program.
pub(crate) fn in_shell(shell: &str, arguments: &[&str], script: &str, folder: &Path) -> String {
    let programs = Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let output = Command::new(shell)
        .args(arguments)
        .args(["-c", script])
        .current_dir(folder)
        .env("PATH", path)
        .env("HOME", folder)
        .output()
        .unwrap_or_else(|error| panic!("{shell} is needed: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shell}: {printed}{}", String::from_utf8_lossy(&output.stderr));
    printed
}
