//! A process that is granted few threads and files.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::Brand;

/// Nobody in particular.
const SOMEBODY: u32 = 65_534;

/// Runs a line in a shell, where `$0` is the program and files belong to whom it runs as: root is granted any number of
/// threads.
fn limited(brand: &Brand, line: &str) -> Output {
    let folder = brand.folder.path();
    let program = folder.join("brandctl");
    if !program.exists() {
        // By another process: one that a test beside this one starts meanwhile would inherit a handle that writes the
        // program, and a program that is being written cannot be run.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_brandctl")).arg(&program).status().unwrap();
        assert!(copied.success());
    }
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut command = if is_root {
        give(folder);
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "bash"]);
        command
    } else {
        Command::new("bash")
    };
    command.args(["--norc", "-c", line]).arg(&program).current_dir(folder).stdin(Stdio::null());
    command.env("HOME", folder).env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook());
    command.output().unwrap()
}

fn give(path: &Path) {
    chown(path, Some(SOMEBODY), Some(SOMEBODY)).unwrap();
    if path.is_dir() {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        for item in path.read_dir().unwrap() {
            give(&item.unwrap().path());
        }
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn brand() -> Brand {
    Brand::new().declares("icon/acme-a", 1).declares("icon/acme-b", 2)
}

#[test]
fn more_workers_than_the_system_grants_are_fewer() {
    let brand = brand();
    for threads in [1, 3, 12] {
        let output = limited(
            &brand,
            &format!("RAYON_NUM_THREADS=64; export RAYON_NUM_THREADS; ulimit -u {threads}; exec \"$0\" validate"),
        );
        assert_eq!(output.status.code(), Some(0), "{threads}: {}", told(&output));
    }
}

#[test]
fn a_number_of_workers_that_nobody_has_is_no_reason_to_stop() {
    let brand = brand();
    for count in [u64::MAX.to_string(), "100000".to_owned(), "0".to_owned(), "-1".to_owned(), "many".to_owned()] {
        let output = limited(&brand, &format!("RAYON_NUM_THREADS={count} exec \"$0\" validate"));
        assert_eq!(output.status.code(), Some(0), "{count}: {}", told(&output));
    }
}

#[test]
fn without_a_thread_a_portal_is_not_asked_and_the_reason_is_given() {
    let brand = brand();
    let output = limited(&brand, "ulimit -u 1; exec \"$0\" plan");
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("too few threads are granted to this process"), "{}", told(&output));
    assert!(brand.portal.requests().is_empty());
}

#[test]
fn with_few_files_a_command_works_or_says_what_is_missing() {
    let brand = brand();
    for files in [4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 24, 32] {
        for command in ["validate", "plan", "plan --sandbox"] {
            let output = limited(&brand, &format!("ulimit -n {files}; exec \"$0\" {command}"));
            let told = told(&output);
            let is_told =
                told.contains("too few files are granted") || told.to_lowercase().contains("too many open files");
            assert!(
                output.status.code() == Some(0) || output.status.code() == Some(1) && is_told,
                "{command} with {files}: {:?} {told}",
                output.status.code()
            );
        }
    }
}
