//! What must hold whatever the bytes: the same functions for the fuzz targets and for `tests/it/corpus.rs`, which replays
//! what they found. (Answers of a portal are read by private code; their check is in `src/portal/fuzzing.rs`.)

use std::io::Cursor;

use brandctl::domain::finding::{Finding, Place};
use brandctl::domain::manifest;
use brandctl::domain::png::{self as art, Image};
use brandctl::domain::report::Validation;
use brandctl::format::Document;
use brandctl::render;
use png::{BitDepth, ColorType, Transformations};

/// A manifest is sound, or there is an error; each finding points at a place that exists.
pub(crate) fn manifest(bytes: &[u8]) {
    let (manifest, findings) = manifest::read(bytes, "brand.yaml");
    assert!(manifest.is_some() || findings.iter().any(Finding::is_error), "neither a manifest nor an error");
    let places =
        findings.iter().flat_map(|finding| finding.place.iter().chain(finding.related.iter().map(|(at, _)| at)));
    for Place { line, column, bytes: range } in places {
        let Some(before) = bytes.get(..range.start) else { panic!("{range:?} lies outside {} bytes", bytes.len()) };
        assert!(bytes.get(range.clone()).is_some(), "{range:?} lies outside {} bytes", bytes.len());
        let lines = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        assert!(
            (1..=lines + before.iter().filter(|byte| **byte == b'\r').count()).contains(line),
            "line {line} of {lines}"
        );
        assert!(*column >= 1, "columns count from 1");
    }
    for finding in &findings {
        assert!(!finding.message.is_empty() && !finding.message.ends_with('.'), "{:?}", finding.message);
    }
    let validation = Validation { findings, ..Validation::default() };
    for drawn in [render::junit::validation(&validation), render::github::validation(&validation)] {
        let mut drawn = drawn.chars().filter(|character| *character != '\n');
        assert!(!drawn.any(char::is_control), "a control character is drawn: {:?}", validation.findings);
    }
}

/// A PNG is refused, or has the pixels that a lenient decoder gives it. Once as it is, and once with every CRC made
/// right, without which a change hardly ever gets past the first chunk.
pub(crate) fn png(bytes: &[u8]) {
    one_png(bytes);
    let fixed = with_right_checksums(bytes);
    if fixed != bytes {
        one_png(&fixed);
    }
}

fn one_png(bytes: &[u8]) {
    match (art::header(bytes), art::read(bytes)) {
        (Err(of_walk), Err(of_reading)) => assert_eq!(of_walk, of_reading, "the first fault is the first fault"),
        (Ok(_), Err(fault)) => assert!(!fault.to_string().contains('\n'), "{fault:?}"),
        (Ok(header), Ok(image)) => {
            assert_eq!(header, image.header);
            assert_shows_what_a_lenient_decoder_does(&image, bytes);
        }
        (Err(fault), Ok(_)) => panic!("read, though its chunks are at fault: {fault}"),
    }
}

/// Compares with the expansion of the `png` crate, told to forgive what it can.
pub(crate) fn assert_shows_what_a_lenient_decoder_does(image: &Image, bytes: &[u8]) {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::EXPAND | Transformations::ALPHA);
    decoder.set_limits(png::Limits { bytes: 256 << 20 });
    let mut reader = decoder.read_info().expect("ours read it");
    let mut samples = vec![0; reader.output_buffer_size().expect("ours read it")];
    let info = reader.next_frame(&mut samples).expect("ours read it");
    samples.truncate(info.buffer_size());
    if info.bit_depth == BitDepth::Sixteen {
        let (pairs, _) = samples.as_chunks::<2>();
        samples = pairs.iter().map(|pair| (f64::from(u16::from_be_bytes(*pair)) / 257.0).round() as u8).collect();
    }
    let mut pixels: Vec<[u8; 4]> = match info.color_type {
        ColorType::GrayscaleAlpha => {
            samples.as_chunks().0.iter().map(|&[grey, alpha]| [grey, grey, grey, alpha]).collect()
        }
        ColorType::Rgba => samples.as_chunks().0.to_vec(),
        other => panic!("{other:?} after expansion"),
    };
    pixels.iter_mut().filter(|pixel| pixel[3] == 0).for_each(|pixel| *pixel = [0; 4]);
    assert_eq!((info.width, info.height), image.pixels.dimensions());
    assert!(image.pixels.as_raw() == pixels.as_flattened(), "other pixels than the decoder's");
    assert_eq!(image.is_blank(), pixels.iter().all(|pixel| pixel[3] == 0));
    assert_eq!(image.has_transparent_pixel(), pixels.iter().any(|pixel| pixel[3] == 0));
}

/// The same file with the CRC of every whole chunk made right.
fn with_right_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut fixed = bytes.to_vec();
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes) {
        let end = at + 8 + length as usize;
        let Some(body) = bytes.get(at + 4..end) else { break };
        let crc = crc32fast::hash(body).to_be_bytes();
        let Some(place) = fixed.get_mut(end..end + 4) else { break };
        place.copy_from_slice(&crc);
        at = end + 4;
    }
    fixed
}

/// A saved plan is refused, or written again it is the same plan. Once as it is, and once with its own digest made
/// right, without which a change is always refused.
pub(crate) fn plan(bytes: &[u8]) {
    one_plan(bytes);
    if let Ok(mut document) = serde_json::from_slice::<Document>(bytes) {
        document.plan_sha256 = Some(document.digest().expect("it was read from JSON"));
        one_plan(&serde_json::to_vec(&document).expect("it was read from JSON"));
    }
}

fn one_plan(bytes: &[u8]) {
    match Document::read_saved(bytes) {
        Ok(saved) => {
            let written = saved.document().clone().with_contents(&saved.plan().contents);
            let written = serde_json::to_vec(&written).expect("it was read from JSON");
            let again = Document::read_saved(&written).expect("what was accepted once is accepted again");
            assert_eq!(again.digest(), saved.digest());
            assert_eq!(again.document(), saved.document());
            assert_eq!(again.plan(), saved.plan());
        }
        Err(bad) => assert!(!bad.to_string().is_empty()),
    }
}
