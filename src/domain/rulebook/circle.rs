//! The rule about the circle in which an icon is drawn.

use image::RgbaImage;

use crate::domain::asset::Kind;
use crate::domain::finding::Problem;

use super::rule::{ArtRule, Level, RuleCheck};

/// The width and height of an icon, in pixels.
const SIDE: u32 = Kind::Icon.side();

/// The radius of the circle in which the portal draws an icon, in pixels. Its centre is that of the icon.
const RADIUS: u32 = SIDE / 2;

/// The alpha from which a pixel counts as opaque. One below it is taken for a smoothed edge.
const OPAQUE: u8 = 128;

/// The most opaque pixels outside the circle in one corner that are not reported: a square of 20 pixels, to which icon sets
/// keep their art, has 3.
const TOLERATED: usize = 3;

pub(super) const CLIPPED: ArtRule = ArtRule {
    id: "clipped",
    default: Level::Warn,
    adjustable: true,
    why: "the portal draws an icon in a circle of 24 pixels and cuts off its corners",
    fix: "keep the art within 12 pixels of the centre: a square of 16 pixels fits",
    source: "the portal's timeline: an icon is drawn as it is in a 24-px circle on its marker",
    check: RuleCheck::Image(|decoded| {
        let image = decoded.image?.ok()?;
        if decoded.piece.address.kind != Kind::Icon || image.pixels.dimensions() != (SIDE, SIDE) {
            return None;
        }
        let lost = lost(&image.pixels);
        let sum: usize = lost.iter().sum();
        lost.iter()
            .any(|corner| *corner > TOLERATED)
            .then(|| Problem::new(format!("{sum} opaque pixels lie outside the circle that the portal cuts")))
    }),
};

/// How many opaque pixels of an icon lie wholly outside the circle, in each corner.
fn lost(pixels: &RgbaImage) -> [usize; 4] {
    let is_opaque = |x: u32, y: u32| pixels.get_pixel_checked(x, y).is_some_and(|pixel| pixel.0[3] >= OPAQUE);
    let corner = || (0..RADIUS).flat_map(|y| (0..outside(y)).map(move |x| (x, y)));
    [
        corner().filter(|(x, y)| is_opaque(*x, *y)).count(),
        corner().filter(|(x, y)| is_opaque(SIDE - 1 - x, *y)).count(),
        corner().filter(|(x, y)| is_opaque(*x, SIDE - 1 - y)).count(),
        corner().filter(|(x, y)| is_opaque(SIDE - 1 - x, SIDE - 1 - y)).count(),
    ]
}

/// How many pixels at the left end of a row in the upper half lie wholly outside the circle. The right end and the lower half
/// mirror them.
const fn outside(y: u32) -> u32 {
    let mut x = 0;
    // A pixel lies wholly outside when its corner that is nearest to the centre does.
    while x < RADIUS && (RADIUS - 1 - x).pow(2) + (RADIUS - 1 - y).pow(2) >= RADIUS.pow(2) {
        x += 1;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corners_that_a_circle_cuts_shrink_towards_the_middle() {
        let rows: Vec<u32> = (0..RADIUS).map(outside).collect();
        assert_eq!(rows, [7, 5, 4, 3, 2, 1, 1, 0, 0, 0, 0, 0]);
    }
}
