//! Replays the inputs that the fuzz targets found worth keeping, through the same functions. How to fuzz:
//! `tests/fuzz/README.md`.
#![allow(clippy::print_stdout, reason = "the input is named when its check fails")]

use std::path::Path;

use crate::checks;

/// Every file of a target's corpus, in order. `least` guards against looking in the wrong place.
fn replay(target: &str, least: usize, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= least, "{target} has {} inputs", files.len());
    for file in files {
        // Seen when the check fails.
        println!("{}", file.display());
        check(&std::fs::read(file).unwrap());
    }
}

#[test]
fn manifests() {
    replay("manifest", 10, checks::manifest);
}

#[test]
fn pngs() {
    replay("png", 10, checks::png);
}

#[test]
fn plans() {
    replay("plan", 3, checks::plan);
}
