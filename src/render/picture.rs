//! An image in the cells of a terminal: two pixels a cell, one above the other, on a checkered ground.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use image::imageops::{self, FilterType};
use image::{Rgba, RgbaImage};

use super::screen::Colours;
use super::style::DIM;

/// The images by their files, as findings name them.
pub type Pictures = BTreeMap<String, RgbaImage>;

/// The widest picture, in cells: an icon is shown pixel by pixel, a logo at half its size.
const WIDTH: u32 = 30;

/// The two greys of the ground: neither black nor white art is lost on them.
const GROUND: [u8; 2] = [0x99, 0x77];

/// The side of a square of the ground, in pixels.
const SQUARE: u32 = 4;

/// The image as lines of half blocks in true colour, each indented by `indent` cells.
pub fn cells(image: &RgbaImage, indent: usize) -> String {
    let lines = lines(image, WIDTH, Colours::True);
    lines.iter().fold(String::new(), |text, line| format!("{text}{:indent$}{line}\n", ""))
}

/// Two images side by side under their names, or the one that there is; each is made as small as `columns` demand.
pub(super) fn pair(before: Option<&RgbaImage>, after: Option<&RgbaImage>, columns: usize, colours: Colours) -> String {
    const INDENT: usize = 4;
    const GAP: usize = 3;
    let room = columns.saturating_sub(INDENT + GAP) / 2;
    let most = u32::try_from(room).unwrap_or(WIDTH).clamp(1, WIDTH);
    let drawn: Vec<_> = [("before", before), ("after", after)]
        .into_iter()
        .filter_map(|(name, image)| {
            let image = image?;
            let (width, _) = size(image, most);
            Some((name, lines(image, most, colours), usize::try_from(width).unwrap_or_default().max(name.len())))
        })
        .collect();
    let mut text = String::new();
    let height = drawn.iter().map(|(_, lines, _)| lines.len()).max().unwrap_or_default();
    for row in 0..=height {
        let mut line = " ".repeat(INDENT);
        for (name, lines, width) in &drawn {
            // Half blocks are one cell each; the styles around them are none.
            let (cell, seen) = match row.checked_sub(1) {
                None => (format!("{DIM}{name}{DIM:#}"), name.len()),
                Some(row) => match lines.get(row) {
                    Some(cells) => (cells.clone(), cells.matches('▀').count()),
                    None => (String::new(), 0),
                },
            };
            let rest = " ".repeat(width.saturating_sub(seen) + GAP);
            let _ = write!(line, "{cell}{rest}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn lines(image: &RgbaImage, most: u32, colours: Colours) -> Vec<String> {
    let shown = fitted(image, most);
    (0..shown.height())
        .step_by(2)
        .map(|y| {
            let mut line = String::new();
            for x in 0..shown.width() {
                let _ = write!(line, "\u{1b}[38;{}m", code(colour(&shown, x, y), colours));
                // Under an odd last row lies the terminal's own ground.
                if y + 1 < shown.height() {
                    let _ = write!(line, "\u{1b}[48;{}m", code(colour(&shown, x, y + 1), colours));
                }
                line.push('▀');
            }
            line + "\u{1b}[0m"
        })
        .collect()
}

/// A colour as a terminal's escape sequence sets it.
fn code([r, g, b]: [u8; 3], colours: Colours) -> String {
    match colours {
        Colours::True => format!("2;{r};{g};{b}"),
        Colours::Indexed => format!("5;{}", indexed([r, g, b])),
    }
}

/// The nearest of the colours that xterm numbers: a cube of six levels from 16 on, and 24 greys from 232 on.
fn indexed(colour: [u8; 3]) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let away = |a: [u8; 3], b: [u8; 3]| -> u32 { a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum() };
    let nearest =
        colour.map(|channel| (0_u8..).zip(LEVELS).min_by_key(|(_, level)| level.abs_diff(channel)).unwrap_or_default());
    let [r, g, b] = nearest.map(|(index, _)| index);
    let cube = (16 + 36 * r + 6 * g + b, away(colour, nearest.map(|(_, level)| level)));
    let greys = (0..24).map(|index| (232 + index, away(colour, [8 + 10 * index; 3])));
    std::iter::once(cube).chain(greys).min_by_key(|(_, away)| *away).unwrap_or(cube).0
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
fn fitted(image: &RgbaImage, most: u32) -> RgbaImage {
    let mut weighted = image.clone();
    for Rgba([r, g, b, alpha]) in weighted.pixels_mut() {
        [*r, *g, *b] = [*r, *g, *b].map(|channel| weighed(channel, *alpha));
    }
    match size(image, most) {
        same if same == image.dimensions() => weighted,
        (width, height) => imageops::resize(&weighted, width, height, FilterType::Triangle),
    }
}

/// The drawn size of an image: no side is longer than `most`.
fn size(image: &RgbaImage, most: u32) -> (u32, u32) {
    let (width, height) = image.dimensions();
    let longest = width.max(height);
    if longest <= most {
        return (width, height);
    }
    let scaled = |side: u32| (side * most / longest).max(1);
    (scaled(width), scaled(height))
}

fn weighed(channel: u8, alpha: u8) -> u8 {
    u8::try_from((u16::from(channel) * u16::from(alpha) + 127) / 255).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_256_colours_is_taken() {
        for (colour, index) in [
            ([0, 0, 0], 16),
            ([255, 255, 255], 231),
            ([255, 0, 0], 196),
            ([0x2f, 0xc6, 0xf6], 45),
            ([8, 8, 8], 232),
            ([0x77, 0x77, 0x77], 243),
        ] {
            assert_eq!(indexed(colour), index, "{colour:?}");
        }
    }

    #[test]
    fn a_pair_stands_side_by_side_as_wide_as_there_is_room() {
        let image = RgbaImage::from_pixel(24, 24, Rgba([1, 2, 3, 255]));
        for (columns, width, height) in [(80, 24, 12), (40, 16, 8), (10, 1, 1)] {
            let text = pair(Some(&image), Some(&image), columns, Colours::Indexed);
            assert_eq!(text.lines().count(), height + 1, "{columns}");
            assert!(text.lines().skip(1).all(|line| line.matches('▀').count() == 2 * width), "{columns}: {text}");
        }
        let alone = pair(None, Some(&image), 80, Colours::True);
        assert!(
            alone.contains("after") && !alone.contains("before") && alone.contains("\u{1b}[48;2;1;2;3m"),
            "{alone}"
        );
    }
}
