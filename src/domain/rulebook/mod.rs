//! The rulebook: every art rule as one row of [`RULES`].
//!
//! A row is a rule's id, its default level, why it exists, how to fix its findings, the source of the fact behind it,
//! and a check: of a code, of one image, or of all of them. To add a rule, write its check in the file of its family
//! and give it a row: the manifest, its schema, `brandctl rules` and README.md learn of it from there. The manifest
//! sets the levels, and [`rules`](super::rules) applies the rules to art.

mod circle;
mod code;
mod color;
mod contrast;
mod legibility;
mod others;
mod piece;
mod png_file;
mod rule;
mod together;
mod transparency;

use std::sync::LazyLock;

pub(in crate::domain) use code::CODE_STYLE;
pub use others::OTHER_FINDINGS;
pub(crate) use piece::OrphanFiles;
pub use piece::Piece;
pub(in crate::domain) use piece::{AllArt, DecodedPiece};
pub use rule::ArtRule;
pub(crate) use rule::Level;
pub(in crate::domain) use rule::RuleCheck;

/// Every rule, in the order in which findings about one image are reported.
pub const RULES: &[ArtRule] = &[
    png_file::FILE_TOO_LARGE,
    png_file::PNG_FORMAT,
    png_file::PNG_TOLERATED,
    png_file::PNG_SIZE,
    png_file::PNG_ANIMATED,
    transparency::TRANSPARENT_BACKGROUND,
    transparency::BLANK,
    code::CODE_RESERVED,
    contrast::WHITE_ON_WHITE,
    contrast::LOW_CONTRAST,
    circle::CLIPPED,
    together::DUPLICATE_ART,
    together::ORPHAN_FILE,
    color::NON_SRGB,
    CODE_STYLE,
];

/// The ids of the art rules: the keys that the manifest's `rules` accepts.
pub(crate) static RULE_IDS: LazyLock<Vec<&str>> = LazyLock::new(|| RULES.iter().map(|rule| rule.id).collect());

/// The ids of the rules that cannot be lowered: the portal itself refuses what they find.
pub(crate) static FIXED_RULES: LazyLock<Vec<&str>> =
    LazyLock::new(|| RULES.iter().filter(|rule| !rule.adjustable).map(|rule| rule.id).collect());

/// The ids of all findings: those of the art rules first.
pub(crate) static FINDING_IDS: LazyLock<Vec<&str>> =
    LazyLock::new(|| RULES.iter().chain(OTHER_FINDINGS).map(|rule| rule.id).collect());

/// The id of the rule that needs [`OrphanFiles`], which are not searched for when it is off.
pub(crate) const ORPHAN_FILE: &str = together::ORPHAN_FILE.id;

/// The id of the rule that exported art may break: portals accept opaque images.
pub(crate) const TRANSPARENT_BACKGROUND: &str = transparency::TRANSPARENT_BACKGROUND.id;
