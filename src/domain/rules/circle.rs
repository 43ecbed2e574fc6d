//! The rule about the circle in which an icon is drawn.

use image::RgbaImage;

use crate::domain::asset::Kind;

use super::{Check, Level, Problem, Rule};

/// How many pixels of each row, from the top, lie wholly outside the circle on either side. The rows in the middle have
/// none, and those at the bottom mirror these.
const OUTSIDE: [u32; 7] = [7, 5, 4, 3, 2, 1, 1];

/// A pixel that covers less than half of its ground is taken for a smoothed edge.
const OPAQUE: u8 = 128;

/// So many lost pixels are not worth a word.
const TOLERATED: usize = 0;

pub(super) const CLIPPED: Rule = Rule {
    id: "clipped",
    default: Level::Warn,
    adjustable: true,
    why: "the portal draws an icon in a circle of 24 pixels, and what lies in the corners is cut off",
    fix: "keep the art within 12 pixels of the centre: a square of 16 pixels fits",
    source: "the portal's timeline: an icon is drawn as it is in a 24-px circle on its marker",
    check: Check::Image(|subject| {
        let image = subject.image?.ok()?;
        if subject.piece.address.kind != Kind::Icon || image.pixels.dimensions() != (24, 24) {
            return None;
        }
        let lost = lost(&image.pixels);
        (lost > TOLERATED)
            .then(|| Problem::new(format!("{lost} opaque pixels lie outside the circle that the portal cuts")))
    }),
};

/// How many opaque pixels of a 24×24 image lie wholly outside the circle.
fn lost(pixels: &RgbaImage) -> usize {
    let is_opaque = |x: u32, y: u32| pixels.get_pixel_checked(x, y).is_some_and(|pixel| pixel.0[3] >= OPAQUE);
    (0..)
        .zip(OUTSIDE)
        .flat_map(|(y, outside)| (0..outside).map(move |x| (x, y)))
        .flat_map(|(x, y)| [(x, y), (23 - x, y), (x, 23 - y), (23 - x, 23 - y)])
        .filter(|(x, y)| is_opaque(*x, *y))
        .count()
}
