//! The source as others build it: the crate as it would be published, offline, with vendored dependencies. And the parts
//! of a release that cannot be built here.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::shared::init::git;

use super::built::{self, ROOT, command, kept, mirror, succeeds};
use super::pip;

/// The dependencies of Cargo.lock as files. They are fetched once for each list of them.
fn vendored() -> std::path::PathBuf {
    let folder = kept("vendor");
    let lock = fs::read(Path::new(ROOT).join("Cargo.lock")).unwrap();
    let done = folder.join("Cargo.lock");
    if fs::read(&done).unwrap_or_default() != lock {
        let mut vendor = command("cargo");
        succeeds(vendor.current_dir(ROOT).args(["vendor", "--locked", "--quiet"]).arg(folder.join("crates")));
        fs::write(done, lock).unwrap();
    }
    folder.join("crates")
}

#[test]
fn the_crate_is_small_and_builds_offline_from_vendored_crates() {
    let checkout = kept("crate/checkout");
    mirror(&checkout);
    let target = kept("crate/target");
    let cargo = |arguments: &[&str]| {
        let mut command = command("cargo");
        command.args(arguments).arg("--target-dir").arg(&target);
        command
    };
    succeeds(cargo(&["package", "--no-verify", "--allow-dirty", "--locked", "--quiet"]).current_dir(&checkout));
    let file = target.join(format!("package/brandctl-{}.crate", env!("CARGO_PKG_VERSION")));
    assert!(fs::metadata(&file).unwrap().len() < 1_000_000, "{}", fs::metadata(&file).unwrap().len());
    let unpacked = tempfile::tempdir().unwrap();
    succeeds(Command::new("tar").arg("-xzf").arg(&file).arg("-C").arg(unpacked.path()));
    let [name] = <[_; 1]>::try_from(built::files(unpacked.path())).unwrap();
    let top = built::files(&unpacked.path().join(&name));
    let published = [
        ".cargo_vcs_info.json",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "Cargo.toml.orig",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "src",
    ];
    assert!(top.iter().all(|name| published.contains(&name.as_str())), "{top:?}");
    // The place stays the same, so that the second run of this test has nothing to compile.
    let source = kept("crate").join("source");
    if source.exists() {
        fs::remove_dir_all(&source).unwrap();
    }
    succeeds(Command::new("cp").arg("-a").arg(unpacked.path().join(name)).arg(&source));
    let directory = format!("source.vendored.directory={:?}", vendored());
    let replace = ["--config", "source.crates-io.replace-with=\"vendored\"", "--config", &directory];
    // An empty home: what is built comes from the vendored files alone.
    let home = tempfile::tempdir().unwrap();
    let mut check = cargo(&[&["check", "--frozen", "--quiet"], &replace[..]].concat());
    succeeds(check.current_dir(&source).env("CARGO_HOME", home.path()).env("CARGO_NET_OFFLINE", "true"));
}

#[test]
fn the_image_with_git_is_described_as_it_should_be() {
    let file = Path::new(ROOT).join("release/Containerfile");
    let hadolint = pip::tools().join("bin/hadolint");
    succeeds(Command::new(&hadolint).arg(&file));
    let text = fs::read_to_string(&file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("Containerfile");
    fs::write(&wrong, text.replace("--no-install-recommends ", "").replace("@${DEBIAN}", ":latest")).unwrap();
    assert!(!Command::new(&hadolint).arg(&wrong).output().unwrap().status.success());
    // The name of the package is the one that release/build gives it.
    let deb = built::built().file(".deb");
    let name = deb.file_name().unwrap().to_str().unwrap().replace(env!("CARGO_PKG_VERSION"), "${VERSION}");
    assert!(text.contains(&format!("COPY {name} ")), "{name}");
}

#[test]
fn the_scripts_are_sound() {
    let mut shellcheck = Command::new(pip::tools().join("bin/shellcheck"));
    assert_eq!(succeeds(shellcheck.current_dir(ROOT).args(["--external-sources", "release/build"])), "");
}

#[test]
fn a_build_without_a_commit_asks_for_its_time() {
    let folder = tempfile::tempdir().unwrap();
    mirror(folder.path());
    // Somebody else's repository around the copy has a time too, but not that of the release.
    succeeds(Command::new("git").args(["init", "-q"]).arg(folder.path()));
    let copy = folder.path().join("copy");
    mirror(&copy);
    let output = command(copy.join("release/build")).arg(folder.path().join("out")).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("SOURCE_DATE_EPOCH"), "{stderr}");
}

#[test]
fn nothing_that_lies_there_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine"), "").unwrap();
    let output = command(Path::new(ROOT).join("release/build")).arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not empty"));
    assert_eq!(built::files(folder.path()), ["mine"]);
}

#[test]
fn an_archive_of_a_commit_knows_the_time_of_the_commit() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    mirror(&copy);
    git(&copy, &["init", "-q"]);
    git(&copy, &["add", "-A"]);
    git(&copy, &["commit", "-q", "-m", "all"]);
    let said = |arguments: &[&str]| succeeds(Command::new("git").current_dir(&copy).args(arguments));
    said(&["archive", "--output", "../archive.tar", "HEAD"]);
    let mut tar = Command::new("tar");
    let written = succeeds(tar.arg("-xOf").arg(folder.path().join("archive.tar")).arg("release/commit-time"));
    assert_eq!(written, said(&["log", "-1", "--format=%ct"]));
}
