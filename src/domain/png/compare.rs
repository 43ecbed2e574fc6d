//! The comparison of two images: how many pixels differ, in which part, and a small picture of them.

use png::{BitDepth, ColorType, Encoder, EncodingError};

use super::pixels::Image;

/// The largest difference of a channel that counts as faint: it is hardly visible at the size of an icon.
const FAINT: u8 = 16;

/// The mark of one pixel in the picture of a comparison; the number is its place in [`PALETTE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The same in both, and clear or nearly so.
    Ground = 0,
    /// The same in both.
    Drawn = 1,
    /// Different, but hardly.
    Faint = 2,
    /// Different.
    Changed = 3,
}

/// The palette of the comparison: neon on greys.
const PALETTE: [[u8; 3]; 4] = [[0xe4, 0xe7, 0xeb], [0xa4, 0xac, 0xb8], [0xff, 0x99, 0xed], [0xff, 0x00, 0xd4]];

/// A rectangle of pixels, counted from 0, its last row and column included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    /// The first column.
    pub(crate) left: u32,
    /// The first row.
    pub(crate) top: u32,
    /// The last column.
    pub(crate) right: u32,
    /// The last row.
    pub(crate) bottom: u32,
}

impl Area {
    /// The smallest area that holds this one and a pixel.
    fn with(self, x: u32, y: u32) -> Self {
        Self { left: self.left.min(x), top: self.top.min(y), right: self.right.max(x), bottom: self.bottom.max(y) }
    }
}

/// The difference of two images of the same dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// How many pixels differ.
    pub(crate) changed: usize,
    /// How many of those differ so little that it is hardly visible.
    pub(crate) faint: usize,
    /// How many pixels there are.
    pub(crate) total: usize,
    /// The area that holds every pixel that differs; `None` when none does.
    pub(crate) area: Option<Area>,
    width: u32,
    marks: Vec<Mark>,
}

/// Compares pixel by pixel; `None` when the dimensions differ. Pixels can all be the same in images that do not look the
/// same: see [`changed_pixels`](super::changed_pixels).
pub(crate) fn compare(before: &Image, after: &Image) -> Option<Comparison> {
    if before.pixels.dimensions() != after.pixels.dimensions() {
        return None;
    }
    let mut area: Option<Area> = None;
    let mut marks = Vec::new();
    for ((x, y, pixel), old) in after.pixels.enumerate_pixels().zip(before.pixels.pixels()) {
        let [.., alpha] = pixel.0;
        let step = pixel.0.iter().zip(&old.0).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
        marks.push(match step {
            0 if alpha < 0x20 => Mark::Ground,
            0 => Mark::Drawn,
            1..=FAINT => Mark::Faint,
            _ => Mark::Changed,
        });
        if step > 0 {
            let pixel = Area { left: x, top: y, right: x, bottom: y };
            area = Some(area.map_or(pixel, |area| area.with(x, y)));
        }
    }
    let count = |wanted| marks.iter().filter(|mark| **mark == wanted).count();
    let faint = count(Mark::Faint);
    Some(Comparison {
        changed: count(Mark::Changed) + faint,
        faint,
        total: marks.len(),
        area,
        width: after.pixels.width(),
        marks,
    })
}

impl Comparison {
    /// The picture of the comparison: the differences in neon (paler if faint), the rest in greys: a PNG with two bits
    /// per pixel.
    ///
    /// # Errors
    /// When it cannot be encoded, which no comparison can cause.
    pub(crate) fn picture(&self) -> Result<Vec<u8>, EncodingError> {
        let width = usize::try_from(self.width).unwrap_or(usize::MAX).max(1);
        let rows = self.marks.chunks(width);
        let height = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let packed: Vec<u8> = rows
            .flat_map(|row| row.chunks(4))
            .map(|four| four.iter().zip([6, 4, 2, 0]).fold(0, |byte, (mark, place)| byte | (*mark as u8) << place))
            .collect();
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, self.width, height);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Two);
        encoder.set_palette(PALETTE.as_flattened());
        encoder.set_compression(png::Compression::High);
        encoder.set_filter(png::Filter::NoFilter);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&packed)?;
        writer.finish()?;
        Ok(bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::super::testing::rgba;
    use super::super::{changed_pixels, read};
    use super::*;

    const INK: [u8; 4] = [20, 30, 40, 255];

    fn image(pixel: impl Fn(u32, u32) -> [u8; 4]) -> Image {
        read(&rgba(30, 24, pixel)).unwrap()
    }

    /// A square of ink with its corner at (4, 6).
    fn square(x: u32, y: u32) -> [u8; 4] {
        if (4..12).contains(&x) && (6..14).contains(&y) { INK } else { [0; 4] }
    }

    #[test]
    fn what_differs_is_counted_and_bounded() {
        let before = image(square);
        let after = image(|x, y| match (x, y) {
            (5, 7) => [36, 30, 40, 255],
            (20, 3) => INK,
            (11, 13) => [0; 4],
            _ => square(x, y),
        });
        let comparison = compare(&before, &after).unwrap();
        assert_eq!((comparison.changed, comparison.faint, comparison.total), (3, 1, 720));
        assert_eq!(comparison.area, Some(Area { left: 5, top: 3, right: 20, bottom: 13 }));
        assert_eq!(Some(comparison.changed), changed_pixels(&before, &after));
        assert_eq!(compare(&after, &after).unwrap().area, None);
        assert_eq!(compare(&before, &read(&rgba(24, 30, |_, _| INK)).unwrap()), None);
    }

    #[test]
    fn the_picture_is_neon_where_they_differ() {
        let after = image(|x, y| if (x, y) == (29, 23) { INK } else { square(x, y) });
        let picture = compare(&image(square), &after).unwrap().picture().unwrap();
        assert!(picture.len() < 200, "{} bytes", picture.len());
        let picture = read(&picture).unwrap();
        assert_eq!(picture.pixels.dimensions(), (30, 24));
        for (x, y, pixel) in picture.pixels.enumerate_pixels() {
            let expected = match (x, y) {
                (29, 23) => [0xff, 0x00, 0xd4, 0xff],
                _ if square(x, y) == INK => [0xa4, 0xac, 0xb8, 0xff],
                _ => [0xe4, 0xe7, 0xeb, 0xff],
            };
            assert_eq!(pixel.0, expected, "at {x}, {y}");
        }
    }
}
