//! PngSuite, the collection by Willem van Schaik that every decoder is held against: what is sound is read for what it
//! is, and what is damaged is refused with the place. Its terms are in `files/PngSuite.LICENSE`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use brandctl::domain::png::{self, Image};

use crate::checks;

/// The damaged ones, and what is said of each.
const DAMAGED: [(&str, &str); 14] = [
    ("xc1n0g08", "the IHDR chunk at byte 8 pairs colour type 1 with bit depth 8, which PNG does not allow"),
    ("xc9n2c08", "the IHDR chunk at byte 8 pairs colour type 9 with bit depth 8, which PNG does not allow"),
    ("xcrn0g04", "it is a PNG that a transfer in text mode damaged"),
    ("xcsn0g01", "the IDAT chunk at byte 49 fails its CRC"),
    ("xd0n2c08", "the IHDR chunk at byte 8 pairs colour type 2 with bit depth 0, which PNG does not allow"),
    ("xd3n2c08", "the IHDR chunk at byte 8 pairs colour type 2 with bit depth 3, which PNG does not allow"),
    ("xd9n2c08", "the IHDR chunk at byte 8 pairs colour type 2 with bit depth 99, which PNG does not allow"),
    ("xdtn0g01", "the file has no IDAT chunk, so it holds no pixels"),
    ("xhdn0g08", "the IHDR chunk at byte 8 fails its CRC"),
    ("xlfn0g04", "it is a PNG that a transfer in text mode damaged"),
    ("xs1n0g01", "it is a PNG that a transfer in text mode damaged"),
    ("xs2n0g01", "it does not start with the PNG signature"),
    ("xs4n0g01", "it does not start with the PNG signature"),
    ("xs7n0g01", "it does not start with the PNG signature"),
];

/// How many files each class has, by the first letters of their names. The logo of the suite is one more.
const CLASSES: [(&str, &str, usize); 11] = [
    ("basic formats", "bas", 30),
    ("odd sizes", "s", 36),
    ("backgrounds", "bg", 8),
    ("transparency", "t", 14),
    ("gamma", "g", 18),
    ("filters", "f", 11),
    ("additional palettes", "p", 6),
    ("ancillary chunks", "c", 25),
    ("chunk order", "oi", 8),
    ("zlib levels", "z", 4),
    ("damaged", "x", 14),
];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/pngsuite/files"))
}

/// Name without extension, and bytes.
fn files() -> BTreeMap<String, Vec<u8>> {
    let files: BTreeMap<String, Vec<u8>> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .filter(|(name, _)| name != "PngSuite")
        .collect();
    for (class, start, count) in CLASSES {
        assert_eq!(files.keys().filter(|name| name.starts_with(start)).count(), count, "{class}");
    }
    assert_eq!(files.len(), CLASSES.iter().map(|(.., count)| count).sum::<usize>());
    files
}

fn sound() -> impl Iterator<Item = (String, Vec<u8>)> {
    files().into_iter().filter(|(name, _)| !name.starts_with('x'))
}

fn read(name: &str, bytes: &[u8]) -> Image {
    png::read(bytes).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// `basi3p04`: interlaced (`i`, else `n`), colour type 3, 4 bits a sample; of an odd size, it starts with its side.
#[test]
fn each_sound_file_is_what_its_name_says() {
    for (name, bytes) in sound() {
        let header = read(&name, &bytes).header;
        let said = &name[name.len() - 5..];
        assert_eq!(header.interlaced, said.starts_with('i'), "{name}");
        assert_eq!((header.color_type as u8).to_string(), said[1..2], "{name}");
        assert_eq!(format!("{:02}", header.bit_depth as u8), said[3..], "{name}");
        let size = match &name[..3] {
            "cdf" => (8, 32),
            "cdh" => (32, 8),
            "cds" => (8, 8),
            odd if odd.starts_with('s') => (odd[1..].parse().unwrap(), odd[1..].parse().unwrap()),
            _ => (32, 32),
        };
        assert_eq!((header.width, header.height), size, "{name}");
        assert!(!header.animated, "{name}");
        // g03 to g25: the exponent, times ten.
        if let Some(exponent) = name.strip_prefix('g').map(|rest| rest[..2].parse::<u32>().unwrap()) {
            // The names are rounded down.
            let expected = if exponent < 10 && exponent != 7 { exponent * 10_000 + 5_000 } else { exponent * 10_000 };
            assert_eq!(header.color.gamma, Some(expected), "{name}");
            assert_eq!(header.has_color_profile(), expected != 45_000, "{name}");
        }
        assert_eq!(header.color.chromaticities.is_some(), name.starts_with("ccw"), "{name}");
    }
}

#[test]
fn each_sound_file_has_the_pixels_that_the_png_crate_sees() {
    for (name, bytes) in sound() {
        checks::assert_shows_what_a_lenient_decoder_does(&read(&name, &bytes), &bytes);
    }
}

/// The suite shows one picture in many ways. Where no sample is lost, the appearance is the same too.
#[test]
fn one_picture_in_many_ways_looks_the_same() {
    let look = |name: &str| read(name, &fs::read(folder().join(name).with_extension("png")).unwrap()).appearance();
    for sound in sound().map(|(name, _)| name).filter(|name| name.starts_with("basi")) {
        assert_eq!(look(&sound), look(&sound.replace("basi", "basn")), "{sound}");
    }
    for same in [
        &["basn0g16", "oi1n0g16", "oi2n0g16", "oi4n0g16", "oi9n0g16"][..],
        &["basn2c16", "oi1n2c16", "oi2n2c16", "oi4n2c16", "oi9n2c16"],
        &["z00n2c08", "z03n2c08", "z06n2c08", "z09n2c08"],
        &["ct0n0g04", "ct1n0g04", "ctzn0g04", "cm0n0g04", "cm7n0g04", "cm9n0g04"],
    ] {
        assert!(same.windows(2).all(|pair| look(pair[0]) == look(pair[1])), "{same:?}");
    }
}

#[test]
fn each_damaged_file_is_refused_with_the_place() {
    let found: Vec<(String, String)> = files()
        .into_iter()
        .filter(|(name, _)| name.starts_with('x'))
        .map(|(name, bytes)| (name, png::read(&bytes).unwrap_err().to_string()))
        .collect();
    assert_eq!(found, DAMAGED.map(|(name, fault)| (name.to_owned(), fault.to_owned())));
}

/// The whole way: what `validate` says of a folder with all of them.
#[test]
fn validate_finds_the_damaged_ones_and_of_the_others_only_what_is_true() {
    let repository = tempfile::tempdir().unwrap();
    let manifest = repository.path().join("brand.yaml");
    fs::write(&manifest, "version: 1\nowns: [\"*\"]\npolicy: {prune: true}\nicons: icons/\n").unwrap();
    fs::create_dir(repository.path().join("icons")).unwrap();
    for (name, bytes) in files() {
        fs::write(repository.path().join("icons").join(name).with_extension("png"), bytes).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_brandctl"))
        .args(["validate", "--format", "json", "--file"])
        .arg(&manifest)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut of_format = BTreeMap::new();
    let mut of_size = 0;
    for finding in document["findings"].as_array().unwrap() {
        let file = finding["path"].as_str().unwrap();
        let name = Path::new(file).file_stem().unwrap().to_str().unwrap().to_owned();
        match finding["rule"].as_str().unwrap() {
            "png-format" => assert!(of_format.insert(name, finding["message"].as_str().unwrap().to_owned()).is_none()),
            "png-size" => of_size += 1,
            _ => {}
        }
    }
    assert_eq!(of_format, DAMAGED.into_iter().map(|(name, fault)| (name.to_owned(), fault.to_owned())).collect());
    assert_eq!(of_size, sound().count(), "none is of 24×24 pixels");
}
