//! Rules about transparency.

use crate::domain::finding::Problem;

use super::rule::{ArtRule, Level, RuleCheck};

pub(super) const TRANSPARENT_BACKGROUND: ArtRule = ArtRule {
    id: "transparent-background",
    default: Level::Error,
    adjustable: true,
    why: "the vendor's documentation requires a transparent background; an opaque square covers the round marker behind it",
    fix: "export it with a transparent background, or set `rules: {transparent-background: warn}`",
    source: "documentation of crm.timeline.icon.add and crm.timeline.logo.add: the background must be transparent; newer portals do not enforce it",
    check: RuleCheck::Image(|decoded| {
        let image = decoded.image?.ok()?;
        (!image.has_transparent_pixel()).then(|| Problem::new("the image has no transparent pixel"))
    }),
};

pub(super) const BLANK: ArtRule = ArtRule {
    id: "blank",
    default: Level::Error,
    adjustable: true,
    why: "an image with only transparent pixels shows nothing",
    fix: "export the layer that holds the art",
    source: "server code: `add` looks at the size and not at the pixels",
    check: RuleCheck::Image(|decoded| {
        let image = decoded.image?.ok()?;
        image.is_blank().then(|| Problem::new("every pixel of the image is transparent"))
    }),
};
