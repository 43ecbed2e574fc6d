//! The rule about the circle in which an icon is drawn.

use image::RgbaImage;

use crate::domain::asset::Kind;
use crate::domain::finding::Problem;

use super::rule::{ArtRule, Level, RuleCheck};

/// How many pixels of each row, from the top, lie wholly outside the circle on either side. The rows in the middle have
/// none, and those at the bottom mirror these.
const OUTSIDE: [u32; 7] = [7, 5, 4, 3, 2, 1, 1];

/// A pixel that covers less than half of its ground is taken for a smoothed edge.
const OPAQUE: u8 = 128;

/// The most pixels of one corner that nobody misses: a square of 20 pixels, to which icon sets keep their art, loses 3.
const TOLERATED: usize = 3;

pub(super) const CLIPPED: ArtRule = ArtRule {
    id: "clipped",
    default: Level::Warn,
    adjustable: true,
    why: "the portal draws an icon in a circle of 24 pixels, and what lies in the corners is cut off",
    fix: "keep the art within 12 pixels of the centre: a square of 16 pixels fits",
    source: "the portal's timeline: an icon is drawn as it is in a 24-px circle on its marker",
    check: RuleCheck::Image(|decoded| {
        let image = decoded.image?.ok()?;
        if decoded.piece.address.kind != Kind::Icon || image.pixels.dimensions() != (24, 24) {
            return None;
        }
        let lost = lost(&image.pixels);
        let sum: usize = lost.iter().sum();
        lost.iter()
            .any(|corner| *corner > TOLERATED)
            .then(|| Problem::new(format!("{sum} opaque pixels lie outside the circle that the portal cuts")))
    }),
};

/// How many opaque pixels of a 24×24 image lie wholly outside the circle, in each corner.
fn lost(pixels: &RgbaImage) -> [usize; 4] {
    let is_opaque = |x: u32, y: u32| pixels.get_pixel_checked(x, y).is_some_and(|pixel| pixel.0[3] >= OPAQUE);
    let corner = || (0..).zip(OUTSIDE).flat_map(|(y, outside)| (0..outside).map(move |x| (x, y)));
    [
        corner().filter(|(x, y)| is_opaque(*x, *y)).count(),
        corner().filter(|(x, y)| is_opaque(23 - x, *y)).count(),
        corner().filter(|(x, y)| is_opaque(*x, 23 - y)).count(),
        corner().filter(|(x, y)| is_opaque(23 - x, 23 - y)).count(),
    ]
}
