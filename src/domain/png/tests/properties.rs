//! What holds of every image: however it is written it is the same, and looking the same is an equivalence.

use png::{BitDepth, ColorType, Compression, Filter};
use proptest::prelude::*;

use super::pixels::PAIRS;
use crate::domain::png::testing::Drawing;
use crate::domain::png::{Image, changed_pixels, read};

const FILTERS: [Filter; 7] =
    [Filter::NoFilter, Filter::Sub, Filter::Up, Filter::Avg, Filter::Paeth, Filter::Adaptive, Filter::MinEntropy];
const COMPRESSIONS: [Compression; 5] =
    [Compression::NoCompression, Compression::Fastest, Compression::Fast, Compression::Balanced, Compression::High];

/// Packed samples as the encoder takes them, written with these options.
fn written(form: &Drawing<'_>, samples: &[u8], filter: Filter, compression: Compression) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, form.width, form.height);
    encoder.set_color(form.color_type);
    encoder.set_depth(form.bit_depth);
    encoder.set_compression(compression);
    encoder.set_filter(filter);
    if form.color_type == ColorType::Indexed {
        encoder.set_palette(
            (0..=255).flat_map(|entry| [entry, 255 - entry, 7]).take(palette_len(form)).collect::<Vec<u8>>(),
        );
        encoder.set_trns([0, 99].as_slice());
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(samples).unwrap();
    writer.finish().unwrap();
    bytes
}

fn palette_len(form: &Drawing<'_>) -> usize {
    3 << form.bit_depth as usize
}

/// The pixels that packed samples stand for, worked out bit by bit.
fn expected(form: &Drawing<'_>, samples: &[u8]) -> Vec<[u8; 4]> {
    let bits = form.bit_depth as usize;
    let channels = form.color_type.samples();
    let row_len = (form.width as usize * channels * bits).div_ceil(8);
    let sample = |x: usize, y: usize, channel: usize| {
        let first = (x * channels + channel) * bits;
        (first..first + bits)
            .fold(0_u32, |sum, bit| sum << 1 | u32::from(samples[y * row_len + bit / 8] >> (7 - bit % 8) & 1))
    };
    let most = (1_u32 << bits) - 1;
    let scaled = |value: u32| ((value * 255 + most / 2) / most) as u8;
    let mut pixels = Vec::new();
    for y in 0..form.height as usize {
        for x in 0..form.width as usize {
            let of = |channel| scaled(sample(x, y, channel));
            let mut pixel = match form.color_type {
                ColorType::Grayscale => [of(0), of(0), of(0), 255],
                ColorType::GrayscaleAlpha => [of(0), of(0), of(0), of(1)],
                ColorType::Rgb => [of(0), of(1), of(2), 255],
                ColorType::Rgba => [of(0), of(1), of(2), of(3)],
                ColorType::Indexed => {
                    let entry = sample(x, y, 0) as u8;
                    [entry, 255 - entry, 7, *[0, 99].get(usize::from(entry)).unwrap_or(&255)]
                }
            };
            if pixel[3] == 0 {
                pixel = [0; 4];
            }
            pixels.push(pixel);
        }
    }
    pixels
}

/// A form, and samples that fill it.
fn art() -> impl Strategy<Value = (Drawing<'static>, Vec<u8>)> {
    (prop::sample::select(PAIRS.to_vec()), 1_u32..40, 1_u32..40).prop_flat_map(
        |((color_type, depth), width, height)| {
            let row_len = (width as usize * color_type.samples() * depth as usize).div_ceil(8);
            let samples = prop::collection::vec(any::<u8>(), row_len * height as usize);
            samples.prop_map(move |samples| (Drawing::new(width, height, color_type, depth), samples))
        },
    )
}

/// Few colours in few places, so that two are often the same or nearly so.
fn tiny() -> impl Strategy<Value = Image> {
    let pixel = prop::sample::select(vec![[0_u8; 4], [9, 9, 9, 0], [9, 9, 9, 255], [8, 9, 9, 255]]);
    (prop::collection::vec(pixel, 2), 0_usize..2, any::<bool>()).prop_map(|(pixels, shape, interlaced)| {
        let (width, height) = [(1, 2), (2, 1)][shape];
        let mut form = Drawing::new(width, height, ColorType::Rgba, BitDepth::Eight);
        form.interlaced = interlaced;
        read(&form.draw(|x, y, channel| pixels[(x + y) as usize][channel].into())).unwrap()
    })
}

proptest! {
    #[test]
    fn every_way_to_write_an_image_gives_its_pixels((form, samples) in art(), compression in prop::sample::select(COMPRESSIONS.to_vec())) {
        let expected = expected(&form, &samples);
        let first = read(&written(&form, &samples, Filter::NoFilter, Compression::Fast)).unwrap();
        prop_assert!(first.pixels.as_raw() == expected.as_flattened());
        for filter in FILTERS {
            prop_assert_eq!(&read(&written(&form, &samples, filter, compression)).unwrap(), &first);
        }
    }

    #[test]
    fn what_is_read_and_written_again_looks_the_same((form, samples) in art()) {
        let image = read(&written(&form, &samples, Filter::Adaptive, Compression::Fast)).unwrap();
        let rgba = Drawing::new(form.width, form.height, ColorType::Rgba, BitDepth::Eight);
        let again = read(&written(&rgba, image.pixels.as_raw(), Filter::Adaptive, Compression::Balanced)).unwrap();
        prop_assert_eq!(&again.pixels, &image.pixels);
        // Rounded to 8 bits, 16 that said more look different, and with 8 nothing is lost.
        prop_assert!(again.appearance() == image.appearance() || form.bit_depth == BitDepth::Sixteen);
    }

    #[test]
    fn looking_the_same_is_an_equivalence_and_means_equal_pixels(a in tiny(), b in tiny(), c in tiny()) {
        prop_assert_eq!(a.appearance(), a.appearance());
        prop_assert_eq!(a.appearance() == b.appearance(), b.appearance() == a.appearance());
        prop_assert!(!(a.appearance() == b.appearance() && b.appearance() == c.appearance()) || a.appearance() == c.appearance());
        prop_assert_eq!(a.appearance() == b.appearance(), a.pixels == b.pixels);
        prop_assert_eq!(a.appearance() == b.appearance(), changed_pixels(&a, &b) == Some(0));
    }
}

/// Our own sizes, in every form that PNG has: each filter on each row, drawn without the help of an encoder.
#[test]
fn icons_and_logos_of_every_form_interlacing_and_filter_are_read() {
    for ((color_type, bit_depth), side) in PAIRS.into_iter().flat_map(|pair| [(pair, 24), (pair, 60)]) {
        for (interlaced, filter) in [false, true].into_iter().flat_map(|way| (0..=5).map(move |filter| (way, filter))) {
            let mut drawing = Drawing::new(side, side, color_type, bit_depth);
            if color_type == ColorType::Indexed {
                let palette: Vec<u8> = (0..=255).flat_map(|e| [e, 255 - e, 7]).take(palette_len(&drawing)).collect();
                drawing = drawing.with(b"PLTE", palette).with(b"tRNS", [0, 99]);
            }
            let sample = |x: u32, y: u32, channel: usize| (x * 2311 + y * y * 97 + 7919 * channel as u32) as u16;
            let packed: Vec<u8> = drawing
                .rows(sample)
                .chunks(1 + (side as usize * color_type.samples() * bit_depth as usize).div_ceil(8))
                .flat_map(|row| row[1..].to_vec())
                .collect();
            drawing.interlaced = interlaced;
            let image = read(&drawing.file_of(&drawing.filtered_rows(sample, filter))).unwrap();
            let name = format!("{color_type:?} {bit_depth:?} {side} interlaced {interlaced} filter {filter}");
            assert!(image.pixels.as_raw() == expected(&drawing, &packed).as_flattened(), "{name}");
        }
    }
}
