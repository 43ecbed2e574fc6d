#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;

use super::*;
use crate::domain::asset::{Code, Kind};
use crate::domain::png::testing;

const BLACK: [u8; 4] = [0, 0, 0, 255];
const WHITE: [u8; 4] = [255; 4];
const CLEAR: [u8; 4] = [0; 4];

/// What the rules about one image say of a drawing, as "id: message".
fn said(kind: Kind, draw: impl Fn(u32, u32) -> [u8; 4]) -> Vec<String> {
    let (manifest, _) = crate::domain::manifest::parse(b"version: 1\nowns: [a]\n", "brand.yaml");
    let bytes: Arc<[u8]> = testing::rgba(kind.side(), kind.side(), draw).into();
    let findings = check_planned(&manifest.unwrap(), &Address::new(kind, Code::new("a")), "a.png", &bytes);
    findings.into_iter().map(|finding| format!("{}: {}", finding.rule, finding.message)).collect()
}

/// How far a pixel's centre is from the image's, squared, in half pixels.
fn distance(kind: Kind, x: u32, y: u32) -> u32 {
    let far = |at: u32| (2 * at + 1).abs_diff(kind.side()).pow(2);
    far(x) + far(y)
}

/// A disc of 18 pixels with an outline of about one pixel.
fn disc(fill: [u8; 4], outline: [u8; 4]) -> impl Fn(u32, u32) -> [u8; 4] {
    move |x, y| match distance(Kind::Icon, x, y) {
        0..=256 => fill,
        257..=324 => outline,
        _ => CLEAR,
    }
}

#[test]
fn dark_art_and_dark_outlines_are_seen() {
    for colour in [BLACK, [0x1b, 0x3a, 0x57, 255], [0x77, 0, 0, 255]] {
        assert_eq!(said(Kind::Icon, disc(colour, colour)), [""; 0], "{colour:?}");
        assert_eq!(said(Kind::Icon, disc(WHITE, colour)), [""; 0], "{colour:?}");
    }
    assert_eq!(said(Kind::Logo, |x, _| if x < 30 { BLACK } else { CLEAR }), [""; 0]);
}

#[test]
fn what_is_not_seen_is_told_with_ground_and_ratio() {
    let white = "white-on-white: the image is invisible on the white marker of log entries: its contrast is 1.0:1";
    assert_eq!(said(Kind::Icon, disc(WHITE, WHITE)), [white]);
    // A speck saves nothing.
    assert_eq!(said(Kind::Icon, |x, y| if x == 12 && y < 8 { BLACK } else { disc(WHITE, WHITE)(x, y) }), [white]);
    let blue = [0x2f, 0xc6, 0xf6, 255];
    assert_eq!(
        said(Kind::Icon, disc(blue, blue)),
        ["low-contrast: the image has hardly any contrast: 1.0:1 on the blue marker of activities (#2fc6f6), \
          1.9:1 on the white marker of log entries"]
    );
    // Black at a tenth of its strength is light grey.
    let faint = [0, 0, 0, 26];
    assert_eq!(
        said(Kind::Icon, disc(faint, faint)),
        ["low-contrast: the image has little contrast: 1.2:1 on the white marker of log entries, \
          1.2:1 on the blue marker of activities (#2fc6f6)"]
    );
    // No logo is drawn on white.
    assert_eq!(
        said(Kind::Logo, |x, _| if x < 30 { WHITE } else { CLEAR }),
        ["low-contrast: the image has hardly any contrast: 1.1:1 on the tile of a logo (#d5f4fd)"]
    );
}

#[test]
fn corners_are_cut_and_edges_are_not() {
    let square = |margin: u32| {
        move |x: u32, y: u32| {
            let inside = |at: u32| (margin..24 - margin).contains(&at);
            if inside(x) && inside(y) { BLACK } else { CLEAR }
        }
    };
    assert_eq!(said(Kind::Icon, square(2)), [""; 0], "20 pixels lose three in each corner");
    let clipped = "clipped: 40 opaque pixels lie outside the circle that the portal cuts";
    assert_eq!(said(Kind::Icon, square(1)), [clipped]);
    let badge = |x, y| if x < 5 && y < 5 { BLACK } else { disc(BLACK, BLACK)(x, y) };
    assert!(said(Kind::Icon, badge)[0].starts_with("clipped: "), "one corner is enough");
    let faint = |x, y| if distance(Kind::Icon, x, y) < 576 { BLACK } else { [0, 0, 0, 127] };
    assert!(!said(Kind::Icon, faint).iter().any(|finding| finding.starts_with("clipped")));
    assert_eq!(said(Kind::Logo, |x, y| if x + y < 118 { BLACK } else { CLEAR }), [""; 0], "only icons are cut");
}

#[test]
fn a_pixel_outside_has_no_point_in_the_circle() {
    // Judged pixel by pixel from the geometry: the corner nearest to the centre is 12 pixels away or more.
    let nearest = |at: u32| if at < 12 { 11 - at } else { at - 12 };
    for (x, y) in (0..24).flat_map(|y| (0..24).map(move |x| (x, y))) {
        let corner = (0..24).flat_map(|y| (0..24).map(move |x| (x, y)));
        let same_corner = corner.filter(|(a, b)| (a / 12, b / 12) == (x / 12, y / 12));
        let outside = nearest(x).pow(2) + nearest(y).pow(2) >= 144;
        // Three others of the corner are the most that is tolerated; this one makes it too many, if it counts.
        let fill: Vec<_> = same_corner
            .filter(|at| *at != (x, y) && nearest(at.0).pow(2) + nearest(at.1).pow(2) >= 144)
            .take(3)
            .collect();
        let shown = said(Kind::Icon, |a, b| if (a, b) == (x, y) || fill.contains(&(a, b)) { BLACK } else { CLEAR });
        assert_eq!(shown.iter().any(|finding| finding.starts_with("clipped: 4 ")), outside, "{x} {y}: {shown:?}");
    }
}

#[test]
fn the_table_is_sound() {
    let mut ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len(), "an id names one rule");
    assert!(RULES.iter().all(|rule| rule.default != crate::domain::rulebook::Level::Off));
}

proptest! {
    #[test]
    fn no_drawing_makes_a_rule_panic(pixels in proptest::collection::vec(any::<[u8; 4]>(), 60 * 60), alike: bool) {
        for kind in Kind::ALL {
            let side = kind.side();
            let at = |x: u32, y: u32| pixels[if alike { 0 } else { (y * side + x) as usize }];
            let shown = said(kind, at);
            // One finding a rule and image.
            let mut rules: Vec<_> = shown.iter().map(|finding| finding.split(':').next()).collect();
            rules.dedup();
            prop_assert_eq!(rules.len(), shown.len());
        }
    }
}
