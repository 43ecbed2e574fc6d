//! Rules about contrast: the art against the backgrounds that the portal draws it on.

use crate::domain::finding::Problem;

use super::legibility::WHITE;
use super::rule::{ArtRule, Level, RuleCheck};

/// The contrast below which art is almost invisible, in tenths: pale yellow on white has 1.1:1.
const INVISIBLE: u16 = 12;

pub(super) const WHITE_ON_WHITE: ArtRule = ArtRule {
    id: "white-on-white",
    default: Level::Warn,
    adjustable: true,
    why: "log entries draw an icon on a white marker, where white art is invisible",
    fix: "draw it in a darker colour, or give it a dark outline",
    source: "the portal's timeline: the marker of a log entry is white; the ratio is WCAG 2's",
    check: RuleCheck::Image(|decoded| {
        let ratio = decoded.legibility()?.on_white().filter(|ratio| *ratio < INVISIBLE)?;
        Some(Problem::new(format!("the image is invisible on {}: its contrast is {}", WHITE.name, shown(ratio))))
    }),
};

pub(super) const LOW_CONTRAST: ArtRule = ArtRule {
    id: "low-contrast",
    default: Level::Warn,
    adjustable: true,
    why: "an icon is drawn on a white or a blue marker and a logo on a light blue tile; art that is about as light as its \
          background is hard to see",
    fix: "draw it in a darker colour, or give it a dark outline",
    source: "the portal's timeline: markers #ffffff and #2fc6f6, tile rgba(47,198,246,.2) on #ffffff; WCAG 2.1, 1.4.11, \
             requires 3:1 for graphics; on the blue marker, where even white has only 1.98:1, 1.5:1 is enough",
    check: RuleCheck::Image(|decoded| {
        let mut low: Vec<_> =
            decoded.legibility()?.ratios().iter().filter(|(ground, ratio)| *ratio < ground.enough).collect();
        // `white-on-white` reports these.
        low.retain(|(ground, ratio)| ground.rgb != WHITE.rgb || *ratio >= INVISIBLE);
        low.sort_by_key(|(_, ratio)| *ratio);
        let ratios: Vec<_> =
            low.iter().map(|(ground, ratio)| format!("{} on {}", shown(*ratio), ground.name)).collect();
        let (_, worst) = low.first()?;
        let word = if *worst < INVISIBLE { "hardly any" } else { "little" };
        Some(Problem::new(format!("the image has {word} contrast: {}", ratios.join(", "))))
    }),
};

/// A ratio in tenths, as people write it.
fn shown(tenths: u16) -> String {
    format!("{}.{}:1", tenths / 10, tenths % 10)
}
