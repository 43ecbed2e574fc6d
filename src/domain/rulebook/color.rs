//! The rule about the colour space that a file declares.

use crate::domain::finding::Problem;

use super::rule::{ArtRule, Level, RuleCheck};

pub(super) const NON_SRGB: ArtRule = ArtRule {
    id: "non-srgb",
    default: Level::Warn,
    adjustable: true,
    why: "browsers apply the colour profile of an image and other viewers do not, so its colours differ",
    fix: "convert it to sRGB and export it without a profile",
    source: "PNG specification, colour space information: cICP, iCCP, sRGB, gAMA and cHRM, in this order of weight",
    check: RuleCheck::Image(|decoded| {
        let header = decoded.header.filter(|header| header.has_color_profile())?;
        let color = &header.color;
        Some(Problem::new(match (&color.cicp, &color.profile_name) {
            (Some(_), _) => "the image has the colour space of a cICP chunk, which is not sRGB".to_owned(),
            (None, Some(name)) => format!("the image carries the colour profile `{}`", name),
            (None, None) => "the image has a gamma or primaries other than those of sRGB (gAMA, cHRM)".to_owned(),
        }))
    }),
};
