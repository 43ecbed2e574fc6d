//! A small brand in a folder of its own, and the real program in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::finding::{Finding, Place};
use brandctl::domain::manifest;
use brandctl::domain::report::Validation;
use brandctl::domain::rules::Piece;

/// Icons by their lines, so that each has a place; logos by their folder.
pub(crate) const MANIFEST: &str = "\
version: 1
owns: [\"acme-*\"]
icons:
  acme-call: icons/call.png
  acme-fax: {file: icons/fax.png}
logos: logos/
rules: {transparent-background: warn}
";

/// An image in one colour: a square in the middle, which no rule minds, or all of it when it is `opaque`.
pub(crate) fn png(side: u32, colour: [u8; 3], opaque: bool) -> Vec<u8> {
    let [r, g, b] = colour;
    let middle = side / 4..side - side / 4;
    let pixel = |at: u32| {
        let drawn = opaque || middle.contains(&(at % side)) && middle.contains(&(at / side));
        if drawn { [r, g, b, 255] } else { [0; 4] }
    };
    let pixels: Vec<u8> = (0..side * side).flat_map(pixel).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    bytes
}

pub(crate) struct Brand(pub(crate) tempfile::TempDir);

impl Brand {
    /// All of it sound.
    pub(crate) fn new() -> Self {
        let brand = Self(tempfile::tempdir().unwrap());
        brand.write("brand.yaml", MANIFEST);
        brand.write("icons/call.png", png(24, [20, 30, 140], false));
        brand.write("icons/fax.png", png(24, [140, 30, 20], false));
        brand.write("logos/acme-brand.png", png(60, [20, 30, 140], false));
        brand
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        run_in(self.0.path(), arguments)
    }

    /// The exit code and the standard output.
    pub(crate) fn validate(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(&[&["validate"], arguments].concat());
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }
}

pub(crate) fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_brandctl"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("COLORTERM", "truecolor")
        .output()
        .unwrap()
}

fn piece(stem: &str) -> Piece {
    Piece {
        address: Address::new(Kind::Icon, Code::new(format!("acme-{stem}"))),
        file: format!("icons/{stem}.png"),
        place: Place::START,
        size: 0,
        bytes: None,
    }
}

/// What was found in a manifest and, besides, of two images.
pub(crate) fn found(source: &str, more: Vec<Finding>) -> Validation {
    let name = "brand.yaml";
    let mut findings = manifest::parse(source.as_bytes(), name).1;
    findings.extend(more);
    Validation {
        manifest: name.to_owned(),
        source: source.to_owned(),
        images: 2,
        art: ["call", "fax"].map(piece).into(),
        findings,
        ..Validation::default()
    }
}
