//! An image in the cells of a terminal: two pixels a cell, one above the other, on a checkered ground.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use image::imageops::{self, FilterType};
use image::{Rgba, RgbaImage};

/// Images by their files, as findings name them.
pub type Pictures = BTreeMap<String, RgbaImage>;

/// The widest picture, in cells: an icon is shown pixel by pixel, a logo at half its size.
const WIDTH: u32 = 30;

/// The two greys of the ground: neither black nor white art is lost on them.
const GROUND: [u8; 2] = [0x99, 0x77];

/// The side of a square of the ground, in pixels.
const SQUARE: u32 = 4;

/// The image as lines of half blocks in true colour, each indented by `indent` cells.
#[must_use]
pub fn cells(image: &RgbaImage, indent: usize) -> String {
    let shown = fitted(image);
    let mut text = String::new();
    for y in (0..shown.height()).step_by(2) {
        let _ = write!(text, "{:indent$}", "");
        for x in 0..shown.width() {
            let [r, g, b] = colour(&shown, x, y);
            let _ = write!(text, "\u{1b}[38;2;{r};{g};{b}m");
            // Under an odd last row lies the terminal's own ground.
            if y + 1 < shown.height() {
                let [r, g, b] = colour(&shown, x, y + 1);
                let _ = write!(text, "\u{1b}[48;2;{r};{g};{b}m");
            }
            text.push('▀');
        }
        text.push_str("\u{1b}[0m\n");
    }
    text
}

/// The colour of a pixel on its square of the ground.
fn colour(image: &RgbaImage, x: u32, y: u32) -> [u8; 3] {
    let Rgba([r, g, b, alpha]) = *image.get_pixel(x, y);
    let [light, dark] = GROUND;
    let ground = if (x / SQUARE + y / SQUARE).is_multiple_of(2) { light } else { dark };
    let behind = weighed(ground, u8::MAX - alpha);
    [r, g, b].map(|channel| channel.saturating_add(behind))
}

/// The image with its colours weighed by their alpha, so that what cannot be seen does not bleed into what can when it
/// is made no larger than a terminal bears.
fn fitted(image: &RgbaImage) -> RgbaImage {
    let mut image = image.clone();
    for Rgba([r, g, b, alpha]) in image.pixels_mut() {
        [*r, *g, *b] = [*r, *g, *b].map(|channel| weighed(channel, *alpha));
    }
    let (width, height) = image.dimensions();
    let longest = width.max(height);
    if longest <= WIDTH {
        return image;
    }
    let scaled = |side: u32| (side * WIDTH / longest).max(1);
    imageops::resize(&image, scaled(width), scaled(height), FilterType::Triangle)
}

fn weighed(channel: u8, alpha: u8) -> u8 {
    u8::try_from((u16::from(channel) * u16::from(alpha) + 127) / 255).unwrap_or(u8::MAX)
}
