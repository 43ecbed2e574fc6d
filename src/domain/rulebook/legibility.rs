//! How well an image is seen on the grounds that the portal draws it on.
//!
//! Contrast is WCAG 2's ratio of relative luminances, from 1:1 to 21:1, of each visible pixel as a browser blends it with
//! the ground. An image is as legible as the contrast that [`SHARE`] of its visible area reaches, so that a dark outline
//! makes a white fill legible, and a dark speck does not.
//!
//! Icons are compared with the white marker of log entries and the blue one of activities; the green and the red marker
//! are rarer and no lighter than the blue. Logos are compared with the blue tile: the other three are as light, within
//! 5 %. None of them is white, so a white logo is a matter of low contrast.

use std::sync::LazyLock;

use image::RgbaImage;

use crate::domain::asset::Kind;

/// The ground on which the portal draws an image.
#[derive(Debug)]
pub(super) struct Background {
    pub(super) name: &'static str,
    pub(super) rgb: [u8; 3],
    /// The least contrast that is not reported, in tenths.
    pub(super) enough: u16,
}

/// WCAG 2.1, success criterion 1.4.11, asks graphics for 3:1.
pub(super) const WHITE: Background = Background { name: "the white marker of log entries", rgb: [0xff; 3], enough: 30 };
/// White art reaches at most 1.98:1 here, and light art with a grey outline is easy to recognise: half of that range is
/// required.
const BLUE: Background =
    Background { name: "the blue marker of activities (#2fc6f6)", rgb: [0x2f, 0xc6, 0xf6], enough: 15 };
/// rgba(47,198,246,.2) on the white of a card.
const TILE: Background = Background { name: "the tile of a logo (#d5f4fd)", rgb: [0xd5, 0xf4, 0xfd], enough: 30 };

/// The greatest ratio, in tenths: black on white.
const MAX_RATIO: u16 = 210;

/// The divisor of the visible area: one part in this many decides.
const SHARE: u32 = 16;

/// The legibility of an image on each ground of its kind, in tenths of a ratio; on none when nothing of it is visible.
pub(super) struct Legibility(Vec<(&'static Background, u16)>);

impl Legibility {
    pub(super) fn of(kind: Kind, pixels: &RgbaImage) -> Self {
        let grounds: &[&Background] = match kind {
            Kind::Icon => &[&WHITE, &BLUE],
            Kind::Logo => &[&TILE],
        };
        let runs = runs(pixels);
        Self(grounds.iter().filter_map(|ground| Some((*ground, reached(&runs, ground)?))).collect())
    }

    /// The grounds, each with the contrast of the image on it.
    pub(super) fn ratios(&self) -> &[(&'static Background, u16)] {
        &self.0
    }

    /// The contrast on the white marker, if it is one of the grounds.
    pub(super) fn on_white(&self) -> Option<u16> {
        self.0.iter().find(|(ground, _)| ground.rgb == WHITE.rgb).map(|(_, ratio)| *ratio)
    }
}

/// A run of visible pixels of one colour.
struct ColourRun {
    colour: [u8; 4],
    /// The sum of their alphas: half a pixel's worth of paint counts half.
    area: u32,
}

/// Art has few colours, so it is cheaper to blend runs than pixels.
fn runs(pixels: &RgbaImage) -> Vec<ColourRun> {
    let mut runs: Vec<ColourRun> = Vec::new();
    for same in pixels.as_raw().as_chunks::<4>().0.chunk_by(|a, b| a == b) {
        let Some(&colour) = same.first() else { continue };
        let area = u32::from(colour[3]) * u32::try_from(same.len()).unwrap_or_default();
        match runs.last_mut() {
            _ if area == 0 => {}
            Some(run) if run.colour == colour => run.area += area,
            _ => runs.push(ColourRun { colour, area }),
        }
    }
    runs
}

/// The contrast, in tenths, that [`SHARE`] of the visible area reaches; `None` when nothing is visible.
fn reached(runs: &[ColourRun], ground: &Background) -> Option<u16> {
    let mut areas = [0_u32; MAX_RATIO as usize + 1];
    let mut best = 0;
    let of_ground = luminance(ground.rgb);
    for run in runs {
        let ratio = contrast(luminance(blended(run.colour, ground.rgb)), of_ground);
        best = ratio.max(best);
        if let Some(area) = areas.get_mut(usize::from(ratio)) {
            *area += run.area;
        }
    }
    let visible: u32 = runs.iter().map(|run| run.area).sum();
    let mut rest = visible.div_ceil(SHARE);
    (0..=best).rev().find(|ratio| {
        rest = rest.saturating_sub(areas.get(usize::from(*ratio)).copied().unwrap_or_default());
        visible > 0 && rest == 0
    })
}

/// A colour over a ground, as a browser blends them: sample by sample, in sRGB.
fn blended([red, green, blue, alpha]: [u8; 4], ground: [u8; 3]) -> [u8; 3] {
    let mut blended = ground;
    for (under, over) in blended.iter_mut().zip([red, green, blue]) {
        let sum = u32::from(over) * u32::from(alpha) + u32::from(*under) * u32::from(255 - alpha);
        *under = u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX);
    }
    blended
}

/// WCAG 2's contrast ratio of two luminances in tenths, rounded down.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ratio lies between 1 and 21")]
fn contrast(a: f32, b: f32) -> u16 {
    let (a, b) = (a + 0.05, b + 0.05);
    // So that 21 does not come out as 20.9 because of a missing bit.
    ((10.0 * a.max(b) / a.min(b) + 1e-3) as u16).clamp(10, MAX_RATIO)
}

/// WCAG 2's relative luminance, from 0 to 1.
fn luminance([red, green, blue]: [u8; 3]) -> f32 {
    static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
        std::array::from_fn(|sample| {
            let sample = sample as f32 / 255.0;
            if sample <= 0.04045 { sample / 12.92 } else { ((sample + 0.055) / 1.055).powf(2.4) }
        })
    });
    let linear = |sample: u8| LINEAR.get(usize::from(sample)).copied().unwrap_or_default();
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn darker_art_is_seen_better_on_white(grey: u8, alpha in 1..=255_u8) {
            let ratio = |grey: u8| {
                let pixels = RgbaImage::from_pixel(24, 24, ::image::Rgba([grey, grey, grey, alpha]));
                Legibility::of(Kind::Icon, &pixels).on_white().unwrap()
            };
            prop_assert!(ratio(grey) <= ratio(grey / 2) && (10..=210).contains(&ratio(grey)));
        }
    }
}
