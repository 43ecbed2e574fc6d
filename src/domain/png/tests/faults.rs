//! Each rule of the format, broken once.

use png::{BitDepth, ColorType};

use crate::domain::png::testing::{Drawing, chunk, deflate, file, insert, rgba};
use crate::domain::png::{PngFault, header, read};

const SRGB: &[u8; 4] = b"sRGB";

fn grey() -> Drawing<'static> {
    Drawing::new(2, 2, ColorType::Grayscale, BitDepth::Eight)
}

fn palette(entries: usize) -> Drawing<'static> {
    Drawing::new(2, 2, ColorType::Indexed, BitDepth::Four).with(b"PLTE", vec![7; 3 * entries])
}

fn sound() -> Vec<u8> {
    grey().draw(|x, y, _| (40 * x + 70 * y) as u16)
}

/// The fault of the chunk walk, which decoding must find too.
fn walk_fault(bytes: &[u8]) -> String {
    let fault = header(bytes).unwrap_err();
    assert_eq!(read(bytes).unwrap_err(), fault);
    fault.to_string()
}

/// The fault that shows only when decoding.
fn read_fault(bytes: &[u8]) -> String {
    header(bytes).unwrap();
    read(bytes).unwrap_err().to_string()
}

fn ihdr(width: u32, height: u32, rest: [u8; 5]) -> Vec<u8> {
    let mut data = [width.to_be_bytes(), height.to_be_bytes()].concat();
    data.extend(rest);
    file(&[(b"IHDR", &data), (b"IEND", &[])])
}

#[test]
fn the_sound_one_is_sound() {
    read(&sound()).unwrap();
    read(&palette(16).draw(|x, _, _| x as u16)).unwrap();
}

#[test]
fn a_broken_frame_is_named_with_its_place() {
    let sound = sound();
    assert_eq!(walk_fault(&sound[..8]), "the file ends inside the chunk header at byte 8");
    assert_eq!(walk_fault(&sound[..20]), "the file ends inside the IHDR chunk at byte 8");
    assert_eq!(walk_fault(&sound[..50]), "the file ends inside the IDAT chunk at byte 33");
    assert_eq!(
        walk_fault(&sound[..sound.len() - 12]),
        format!("the file ends at byte {} without an IEND chunk", sound.len() - 12)
    );
    assert_eq!(walk_fault(&[&sound[..], b"\n"].concat()), "1 byte follows the IEND chunk");
    assert_eq!(walk_fault(&[&sound[..], &chunk(b"tEXt", b"")].concat()), "12 bytes follow the IEND chunk");

    let mut damaged = sound.clone();
    damaged[45] ^= 1;
    assert_eq!(walk_fault(&damaged), "the IDAT chunk at byte 33 fails its CRC");
    let at = sound.len() - 1;
    damaged = sound.clone();
    damaged[at] ^= 1;
    assert_eq!(walk_fault(&damaged), format!("the IEND chunk at byte {} fails its CRC", at - 11));
    damaged = insert(&sound, b"IDAT", b"tEXt", b"a\0b");
    damaged[45] ^= 1;
    assert_eq!(walk_fault(&damaged), "the tEXt chunk at byte 33 fails its CRC");
    damaged = insert(&sound, b"IDAT", b"tEXt", b"");
    damaged[33] = 0x80;
    assert_eq!(walk_fault(&damaged), "the tEXt chunk at byte 33 has a length of 2147483648, not below 2³¹");
}

fn tolerated(image: &crate::domain::png::Image) -> Vec<String> {
    image.header.tolerated.iter().map(ToString::to_string).collect()
}

#[test]
fn what_browsers_pass_over_is_noted_and_counts_for_nothing() {
    let sound = sound();
    let appearance = read(&sound).unwrap().appearance();
    for (name, shown) in [(b"ab\0d", "61620064"), (b"abcd", "abcd"), (b"a1Cd", "61314364")] {
        let image = read(&insert(&insert(&sound, b"IDAT", name, b"x"), b"IEND", name, b"")).unwrap();
        assert_eq!(tolerated(&image), [format!("the {shown} chunk at byte 33 has a type that PNG does not allow")]);
        assert_eq!(image.appearance(), appearance);
    }
    let mut damaged = insert(&sound, b"IDAT", b"abcd", b"x");
    damaged[41] ^= 1;
    assert_eq!(walk_fault(&damaged), "the abcd chunk at byte 33 fails its CRC");
    let profile = |name: &[u8]| [name, b"\0\0", &deflate(b"profile", 6)].concat();
    let one = insert(&sound, b"IDAT", b"iCCP", &profile(b"first"));
    let two = insert(&one, b"IDAT", b"iCCP", b"anything");
    let image = read(&two).unwrap();
    let at = 33 + 12 + profile(b"first").len();
    assert_eq!(tolerated(&image), [format!("the iCCP chunk at byte {at} is the second of its kind")]);
    assert_eq!(image.header.color.profile_name.as_deref(), Some("first"));
    assert_eq!(image.appearance(), read(&one).unwrap().appearance());
    assert!(read(&one).unwrap().header.tolerated.is_empty());
    // Out of place it stays a fault.
    assert!(walk_fault(&insert(&one, b"IEND", b"iCCP", b"x")).ends_with("is the second of its kind"));
    // Of many, the first of each kind is enough.
    let many = [b"abcd", b"abce"].iter().fold(two, |png, name| insert(&png, b"IDAT", name, b""));
    assert_eq!(read(&many).unwrap().header.tolerated.len(), 2);
}

#[test]
fn a_chunk_type_is_checked() {
    let sound = sound();
    assert_eq!(
        walk_fault(&insert(&sound, b"IDAT", b"Ab\0d", b"")),
        "the 41620064 chunk at byte 33 has a type that PNG does not allow"
    );
    assert_eq!(
        walk_fault(&insert(&sound, b"IDAT", b"Abcd", b"")),
        "the Abcd chunk at byte 33 has a type that PNG does not allow"
    );
    assert_eq!(walk_fault(&insert(&sound, b"IDAT", b"ABCD", b"")), "the ABCD chunk at byte 33 is critical and unknown");
    assert_eq!(
        walk_fault(&insert(&sound, b"IEND", b"FDAT", b"")),
        format!("the FDAT chunk at byte {} is critical and unknown", sound.len() - 12)
    );
    read(&insert(&sound, b"IDAT", b"prVt", b"anything")).unwrap();
}

#[test]
fn the_header_chunk_is_checked_field_by_field() {
    let at = "the IHDR chunk at byte 8";
    assert_eq!(walk_fault(&ihdr(0, 1, [8, 0, 0, 0, 0])), format!("{at} states 0×1 pixels"));
    assert_eq!(walk_fault(&ihdr(1, 1 << 31, [8, 0, 0, 0, 0])), format!("{at} states 1×2147483648 pixels"));
    assert_eq!(walk_fault(&ihdr(1, 1, [8, 0, 1, 0, 0])), format!("{at} has an unknown compression method (1)"));
    assert_eq!(walk_fault(&ihdr(1, 1, [8, 0, 0, 1, 0])), format!("{at} has an unknown filter method (1)"));
    assert_eq!(walk_fault(&ihdr(1, 1, [8, 0, 0, 0, 2])), format!("{at} has an unknown interlace method (2)"));
    assert_eq!(walk_fault(&file(&[(b"IHDR", &[0; 12])])), format!("{at} has a length of 12, not 13"));
    assert_eq!(walk_fault(&file(&[(b"IDAT", b"")])), "the IDAT chunk at byte 8 comes before the IHDR chunk");
    assert_eq!(walk_fault(&file(&[(b"CgBI", &[0; 4])])), "it is an iOS-optimised image, not a PNG");
    assert_eq!(walk_fault(&ihdr(1, 1, [8, 0, 0, 0, 0])), "the file has no IDAT chunk, so it holds no pixels");
    let allowed =
        [(0, vec![1, 2, 4, 8, 16]), (2, vec![8, 16]), (3, vec![1, 2, 4, 8]), (4, vec![8, 16]), (6, vec![8, 16])];
    for color_type in 0..=255 {
        for bit_depth in 0..=255 {
            let is_allowed = allowed.iter().any(|(color, depths)| *color == color_type && depths.contains(&bit_depth));
            let fault = header(&ihdr(1, 1, [bit_depth, color_type, 0, 0, 0])).unwrap_err();
            assert_eq!(fault == PngFault::NoPixels, is_allowed, "{color_type}, {bit_depth}: {fault}");
        }
    }
}

#[test]
fn order_and_number_are_checked() {
    let sound = sound();
    let twice =
        |name: &[u8; 4], data: &[u8]| walk_fault(&insert(&insert(&sound, b"IDAT", name, data), b"IDAT", name, data));
    for (name, length) in [
        (b"gAMA", 4),
        (b"cHRM", 32),
        (b"sRGB", 1),
        (b"cICP", 4),
        (b"pHYs", 9),
        (b"tIME", 7),
        (b"bKGD", 2),
        (b"tRNS", 2),
    ] {
        assert!(twice(name, &vec![0; length]).ends_with(" is the second of its kind"));
    }
    assert_eq!(
        walk_fault(&insert(&sound, b"IDAT", b"IHDR", &grey().ihdr())),
        "the IHDR chunk at byte 33 is the second of its kind"
    );
    for name in [b"gAMA", b"tRNS", b"bKGD", b"pHYs", b"sPLT", b"PLTE", b"iCCP"] {
        let name_text = std::str::from_utf8(name).unwrap();
        assert_eq!(
            walk_fault(&insert(&sound, b"IEND", name, b"")),
            format!("the {name_text} chunk at byte {} comes after the IDAT chunk", sound.len() - 12)
        );
    }
    for name in [b"tIME", b"eXIf", b"tEXt", b"prVt"] {
        read(&insert(&sound, b"IEND", name, b"")).unwrap();
    }
    let coloured = Drawing::new(1, 1, ColorType::Rgb, BitDepth::Eight).with(b"PLTE", [0; 3]);
    assert_eq!(
        walk_fault(&coloured.with(SRGB, [0]).draw(|_, _, _| 0)),
        "the sRGB chunk at byte 48 comes after the PLTE chunk"
    );
    let coloured = Drawing::new(1, 1, ColorType::Rgb, BitDepth::Eight).with(b"bKGD", [0; 6]);
    assert_eq!(
        walk_fault(&coloured.with(b"PLTE", [0; 3]).draw(|_, _, _| 0)),
        "the PLTE chunk at byte 51 comes after the bKGD chunk"
    );
    let (ihdr, stream) = (grey().ihdr(), deflate(&[0; 6], 6));
    let (start, end) = stream.split_at(4);
    let split = |between: &[(&[u8; 4], &[u8])]| {
        let mut chunks: Vec<(&[u8; 4], &[u8])> = vec![(b"IHDR", &ihdr), (b"IDAT", start)];
        chunks.extend_from_slice(between);
        chunks.extend([(b"IDAT", end), (b"IEND", &b""[..])]);
        file(&chunks)
    };
    read(&split(&[])).unwrap();
    read(&split(&[(b"IDAT", b""), (b"IDAT", b"")])).unwrap();
    assert_eq!(
        walk_fault(&split(&[(b"tEXt", b"a\0b")])),
        "the IDAT chunk at byte 64 does not directly follow the previous IDAT chunk"
    );
}

#[test]
fn the_end_chunk_is_empty() {
    let sound = sound();
    let bytes = [&sound[..sound.len() - 12], &chunk(b"IEND", b"x")].concat();
    assert_eq!(walk_fault(&bytes), format!("the IEND chunk at byte {} has a length of 1, not 0", sound.len() - 12));
}

#[test]
fn palette_and_transparency_fit_the_colour_type() {
    let at = "chunk at byte 33";
    let drawing = |color_type| Drawing::new(1, 1, color_type, BitDepth::Eight);
    for color_type in [ColorType::Grayscale, ColorType::GrayscaleAlpha] {
        let bytes = drawing(color_type).with(b"PLTE", [0; 3]).draw(|_, _, _| 0);
        let number = color_type as u8;
        assert_eq!(walk_fault(&bytes), format!("the PLTE {at} is not allowed in an image of colour type {number}"));
    }
    for color_type in [ColorType::Rgba, ColorType::GrayscaleAlpha] {
        let bytes = drawing(color_type).with(b"tRNS", [0; 6]).draw(|_, _, _| 0);
        let number = color_type as u8;
        assert_eq!(walk_fault(&bytes), format!("the tRNS {at} is not allowed in an image of colour type {number}"));
    }
    for (color_type, wanted) in [(ColorType::Grayscale, 2), (ColorType::Rgb, 6)] {
        for length in (0..10).filter(|length| *length != wanted) {
            let bytes = drawing(color_type).with(b"tRNS", vec![0; length]).draw(|_, _, _| 0);
            assert_eq!(walk_fault(&bytes), format!("the tRNS {at} has a length of {length}, not {wanted}"));
        }
    }
    let indexed = || drawing(ColorType::Indexed);
    let draw = |drawing: Drawing<'_>| walk_fault(&drawing.draw(|_, _, _| 0));
    assert_eq!(draw(indexed()), "the IDAT chunk at byte 33 needs a PLTE chunk before it");
    assert_eq!(draw(indexed().with(b"tRNS", [0])), format!("the tRNS {at} comes before the PLTE chunk"));
    for length in [0, 1, 4] {
        assert_eq!(
            draw(indexed().with(b"PLTE", vec![0; length])),
            format!("the PLTE {at} has a length of {length}, not a positive multiple of 3")
        );
    }
    assert_eq!(draw(palette(17)), format!("the PLTE {at} has 17 entries where at most 16 fit"));
    assert_eq!(
        draw(drawing(ColorType::Rgb).with(b"PLTE", vec![0; 3 * 257])),
        format!("the PLTE {at} has 257 entries where at most 256 fit")
    );
    let behind = "the tRNS chunk at byte 51";
    assert_eq!(draw(palette(2).with(b"tRNS", [0; 3])), format!("{behind} has 3 entries where at most 2 fit"));
    assert_eq!(draw(palette(2).with(b"tRNS", [])), format!("{behind} has a length of 0, not at least 1"));
    assert_eq!(
        read_fault(&palette(2).draw(|x, y, _| (2 * x * y) as u16)),
        "the pixel at 1,1 uses palette entry 2, but the PLTE chunk has 2"
    );
}

#[test]
fn colour_chunks_have_their_lengths() {
    for (name, length) in [(b"gAMA", 4), (b"cHRM", 32), (b"cICP", 4), (b"sRGB", 1)] {
        for wrong in [0, length - 1, length + 1] {
            let fault = walk_fault(&insert(&sound(), b"IDAT", name, &vec![0; wrong]));
            assert!(fault.ends_with(&format!("has a length of {wrong}, not {length}")) || wrong == length, "{fault}");
        }
    }
    assert_eq!(
        walk_fault(&insert(&sound(), b"IDAT", SRGB, &[4])),
        "the sRGB chunk at byte 33 has an unknown rendering intent (4)"
    );
    for (code_points, field) in [([1, 13, 1, 1], "colour matrix (1)"), ([1, 13, 0, 2], "range flag (2)")] {
        assert_eq!(
            walk_fault(&insert(&sound(), b"IDAT", b"cICP", &code_points)),
            format!("the cICP chunk at byte 33 has an unknown {field}")
        );
    }
}

#[test]
fn a_profile_has_a_name_and_inflates() {
    let at = "the iCCP chunk at byte 33";
    let with = |data: &[u8]| insert(&sound(), b"IDAT", b"iCCP", data);
    let named = |name: &[u8], rest: &[u8]| with(&[name, rest].concat());
    let profile = deflate(&[1, 2, 3], 6);
    let closed = |stream: &[u8]| [b"\0\0", stream].concat();
    read(&named(b"x", &closed(&profile))).unwrap();
    read(&named(&[b'x'; 79], &closed(&profile))).unwrap();
    for bytes in
        [with(b""), with(b"x"), named(b"", &closed(&profile)), named(&[b'x'; 80], &closed(&profile)), with(b"x\0")]
    {
        assert_eq!(walk_fault(&bytes), format!("{at} has an invalid profile name"));
    }
    assert_eq!(walk_fault(&named(b"x\0\x01", &profile)), format!("{at} has an unknown compression method (1)"));
    let damaged = format!("{at} holds a colour profile that does not inflate");
    let mut wrong_sum = profile.clone();
    *wrong_sum.last_mut().unwrap() ^= 1;
    for stream in [&b""[..], b"no zlib", &profile[..profile.len() - 1], &wrong_sum] {
        let image = read(&named(b"x", &closed(stream))).unwrap();
        assert_eq!(tolerated(&image), [damaged.as_str()]);
        assert_eq!(image.header.color.profile_name, None, "it counts for nothing");
        assert_eq!(image.appearance(), read(&sound()).unwrap().appearance());
    }
    let bomb = deflate(&vec![0; (4 << 20) + 1], 9);
    assert_eq!(
        read_fault(&named(b"x", &closed(&bomb))),
        format!("{at} holds a colour profile larger than 4194304 bytes")
    );
}

#[test]
fn the_pixel_stream_is_exactly_as_long_as_the_header_says() {
    for drawing in [grey(), grey().interlaced()] {
        let rows = drawing.rows(|x, _, _| x as u16);
        let expected = rows.len();
        let mut longer = rows.clone();
        longer.push(0);
        assert_eq!(
            read_fault(&drawing.file_of(&longer)),
            format!("the compressed pixels hold more than the {expected} bytes that 2×2 pixels take")
        );
        longer.extend(vec![0; 1 << 20]);
        assert_eq!(
            read_fault(&drawing.file_of(&longer)),
            format!("the compressed pixels hold more than the {expected} bytes that 2×2 pixels take")
        );
        assert_eq!(
            read_fault(&drawing.file_of(&rows[1..])),
            format!("the compressed pixels hold {} of the {expected} bytes that 2×2 pixels take", expected - 1)
        );
        let stream = deflate(&rows, 6);
        assert_eq!(
            read_fault(&drawing.file_around(&stream[..stream.len() - 1])),
            "the compressed pixels are cut off before their end"
        );
        assert_eq!(read_fault(&drawing.file_around(b"")), "the compressed pixels are cut off before their end");
        let mut wrong_sum = stream.clone();
        *wrong_sum.last_mut().unwrap() ^= 1;
        assert_eq!(
            read_fault(&drawing.file_around(&wrong_sum)),
            "the IDAT chunk at byte 33 holds damaged compressed pixels"
        );
        let padded = read(&drawing.file_around(&[&stream[..], b"\0"].concat())).unwrap();
        assert_eq!(tolerated(&padded), ["the IDAT chunk at byte 33 goes on after the end of the compressed pixels"]);
        assert_eq!(padded.appearance(), read(&drawing.file_around(&stream)).unwrap().appearance());
        let next = insert(&insert(&drawing.file_around(&stream), b"IEND", b"IDAT", b""), b"IEND", b"IDAT", b"x");
        let at = 33 + 12 + stream.len() + 12;
        assert_eq!(
            tolerated(&read(&next).unwrap()),
            [format!("the IDAT chunk at byte {at} goes on after the end of the compressed pixels")]
        );
    }
}

#[test]
fn a_filter_type_that_does_not_exist_is_a_fault() {
    let mut rows = grey().rows(|_, _, _| 0);
    rows[3] = 5;
    assert_eq!(read_fault(&grey().file_of(&rows)), "the image cannot be decoded: unknown filter method 5");
}

#[test]
fn too_many_pixels_are_not_decoded_but_measured() {
    for (width, height) in [(2049, 2048), (30_000, 30_000), (1 << 17, 1), (i32::MAX as u32, i32::MAX as u32)] {
        let bytes = Drawing::new(width, height, ColorType::Rgba, BitDepth::Sixteen).file_around(b"");
        let header = header(&bytes).unwrap();
        assert_eq!((header.width, header.height), (width, height));
        let fault = read(&bytes).unwrap_err();
        assert!(matches!(fault, PngFault::TooLarge { .. }), "{fault:?}");
        assert_eq!(fault.to_string(), format!("{width}×{height} pixels are too many to decode"));
    }
    read(&rgba(2048, 2048, |_, _| [1, 2, 3, 4])).unwrap();
}
