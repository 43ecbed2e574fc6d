//! An image in the cells of a terminal: two pixels a cell, one above the other, on a checkered ground.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use image::imageops::{self, FilterType};
use image::{Rgba, RgbaImage};
use textwrap::core::display_width;

use super::screen::{Colours, padded};
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

/// The images of one change.
pub(super) struct PicturePair {
    /// What they are of; styles take no room.
    pub(super) title: String,
    pub(super) before: Option<RgbaImage>,
    pub(super) after: Option<RgbaImage>,
}

/// The columns left of the first picture, and between two pairs.
const INDENT: usize = 4;

/// The columns between the two pictures of a pair.
const GAP: usize = 3;

/// A pair as lines, all of the same width.
struct Block {
    lines: Vec<String>,
    width: usize,
}

/// Pairs under their titles, as many side by side as fit; each picture is made as small as `columns` demand.
pub(super) fn grid(pairs: &[PicturePair], columns: usize, colours: Colours) -> String {
    let mut text = String::new();
    let (mut row, mut taken): (Vec<Block>, usize) = (Vec::new(), 0);
    for pair in pairs {
        let block = block(pair, columns, colours);
        if !row.is_empty() && taken + INDENT + block.width > columns {
            text.push_str(&beside(&std::mem::take(&mut row)));
            taken = 0;
        }
        taken += INDENT + block.width;
        row.push(block);
    }
    if row.is_empty() { text } else { text + &beside(&row) }
}

/// Blocks side by side, and an empty line below them.
fn beside(row: &[Block]) -> String {
    let mut text = String::new();
    let height = row.iter().map(|block| block.lines.len()).max().unwrap_or_default();
    for at in 0..height {
        let mut line = String::new();
        for block in row {
            let cells = block.lines.get(at).map_or("", String::as_str);
            let _ = write!(line, "{:INDENT$}{}", "", padded(cells, block.width));
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text + "\n"
}

/// One pair: its title, the names of its pictures, and the pictures side by side, or the only one.
fn block(pair: &PicturePair, columns: usize, colours: Colours) -> Block {
    let room = columns.saturating_sub(INDENT + GAP) / 2;
    let most = u32::try_from(room).unwrap_or(WIDTH).clamp(1, WIDTH);
    let drawn: Vec<_> = [("before", &pair.before), ("after", &pair.after)]
        .into_iter()
        .filter_map(|(name, image)| {
            let image = image.as_ref()?;
            let (width, _) = size(image, most);
            Some((name, lines(image, most, colours), usize::try_from(width).unwrap_or_default().max(name.len())))
        })
        .collect();
    let height = drawn.iter().map(|(_, lines, _)| lines.len()).max().unwrap_or_default();
    let row = |at: Option<usize>| {
        let cells = drawn.iter().map(|(name, lines, width)| match at {
            None => padded(&format!("{DIM}{name}{DIM:#}"), *width),
            Some(at) => padded(lines.get(at).map_or("", String::as_str), *width),
        });
        cells.collect::<Vec<_>>().join(&" ".repeat(GAP))
    };
    let pictures: Vec<_> = std::iter::once(None).chain((0..height).map(Some)).map(row).collect();
    let width = drawn.iter().map(|(.., width)| width + GAP).sum::<usize>().saturating_sub(GAP);
    let room = columns.saturating_sub(INDENT).max(1);
    let titles: Vec<_> = textwrap::wrap(&pair.title, room).into_iter().map(Cow::into_owned).collect();
    let width = titles.iter().map(|title| display_width(title)).chain([width]).max().unwrap_or_default();
    Block { lines: [titles, pictures].concat(), width }
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

/// The image with its colours weighed by their alpha, so that invisible pixels do not bleed into visible ones when the
/// image is scaled down to what a terminal can show.
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

    fn drawn(pairs: usize, before: bool, columns: usize, colours: Colours) -> String {
        let image = RgbaImage::from_pixel(24, 24, Rgba([1, 2, 3, 255]));
        let pair = |number: usize| PicturePair {
            title: format!("title {number}"),
            before: before.then(|| image.clone()),
            after: Some(image.clone()),
        };
        grid(&(0..pairs).map(pair).collect::<Vec<_>>(), columns, colours)
    }

    #[test]
    fn a_pair_stands_side_by_side_as_wide_as_there_is_room() {
        for (columns, width, height) in [(80, 24, 12), (40, 16, 8), (10, 1, 1)] {
            let text = drawn(1, true, columns, Colours::Indexed);
            let pictures = |line: &&str| line.contains('▀');
            assert_eq!(text.lines().filter(pictures).count(), height, "{columns}: {text}");
            assert!(text.lines().filter(pictures).all(|line| line.matches('▀').count() == 2 * width), "{columns}");
        }
        let alone = drawn(1, false, 80, Colours::True);
        assert!(
            alone.contains("after") && !alone.contains("before") && alone.contains("\u{1b}[48;2;1;2;3m"),
            "{alone}"
        );
    }

    #[test]
    fn pairs_stand_beside_each_other_as_far_as_the_terminal_is_wide() {
        for (columns, before, a_row) in [(200, true, 3), (120, true, 2), (80, true, 1), (80, false, 2), (200, false, 7)]
        {
            let text = drawn(7, before, columns, Colours::Indexed);
            let titles = text.lines().map(|line| line.matches("title").count()).max();
            assert_eq!(titles, Some(a_row), "{columns} columns: {text}");
            let widest = text.lines().map(|line| display_width(&anstream::adapter::strip_str(line).to_string())).max();
            assert!(widest.is_some_and(|widest| widest <= columns), "{columns}");
            assert_eq!(text.matches("title").count(), 7);
        }
    }
}
