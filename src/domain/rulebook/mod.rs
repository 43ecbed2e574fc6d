//! The rulebook: every art rule as one row of [`RULES`].
//!
//! A row is a rule's id, its default level, why it exists, how to fix what it finds, where the fact behind it comes from,
//! and a check: of a code, of one image, or of all of them. To add a rule, write its check in the file of its family and
//! give it a row: the manifest, its schema, `brandctl rules` and README.md learn of it from there. Which level applies is
//! for the manifest to say, and holding art against the rules is the work of [`rules`](super::rules).

mod circle;
mod code;
mod color;
mod contrast;
mod png_file;
mod together;
mod transparency;

use std::cell::OnceCell;
use std::sync::{Arc, LazyLock};

use super::asset::{Address, Code};
use super::finding::{Finding, Place, Problem, Severity};
use super::png::{Header, Image, PngFault};
use contrast::Legibility;

pub(in crate::domain) use code::CODE_STYLE;

/// Every rule, in the order in which findings about one image are reported.
pub const RULES: &[ArtRule] = &[
    png_file::FILE_TOO_LARGE,
    png_file::PNG_FORMAT,
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

/// The id of the rule that needs [`OrphanFiles`], so that nobody searches for them when it is off.
pub(crate) const ORPHAN_FILE: &str = together::ORPHAN_FILE.id;

/// An art rule.
pub struct ArtRule {
    /// Its id, as in the manifest's `rules`.
    pub id: &'static str,
    /// Its level unless the manifest sets another.
    pub(crate) default: Level,
    /// Whether the manifest may set another: not when the portal itself would refuse or spoil such an image.
    pub adjustable: bool,
    /// Why it exists, in one sentence.
    pub why: &'static str,
    /// How to fix what it finds.
    pub fix: &'static str,
    /// Where the fact behind it comes from.
    pub source: &'static str,
    pub(in crate::domain) check: RuleCheck,
}

/// The subject and the function of a rule's check.
pub(in crate::domain) enum RuleCheck {
    /// A code, where the manifest or a file's name spells it.
    Code(fn(&Code) -> Option<Problem>),
    /// One declared image.
    Image(fn(&DecodedPiece<'_>) -> Option<Problem>),
    /// All images together: the findings name their places themselves.
    All(fn(&AllArt<'_>) -> Vec<Finding>),
}

impl ArtRule {
    /// The severity of a finding when the manifest sets this level, or none; `None` when the rule is off.
    pub(in crate::domain) fn severity(&self, set: Option<Level>) -> Option<Severity> {
        set.unwrap_or(self.default).severity()
    }

    /// A problem as a finding without a place.
    pub(in crate::domain) fn finding(&self, severity: Severity, problem: Problem) -> Finding {
        let help = problem.help.unwrap_or_else(|| self.fix.to_owned());
        Finding { severity, ..Finding::error(self.id, problem.message).help(help) }
    }

    /// The finding of this rule about a code where the manifest sets it to `set`.
    pub(in crate::domain) fn of_code(&self, code: &Code, set: Option<Level>) -> Option<Finding> {
        let RuleCheck::Code(check) = self.check else { return None };
        let severity = self.severity(set)?;
        check(code).map(|problem| self.finding(severity, problem))
    }
}

/// The level of a rule's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Nothing is written until it is fixed.
    Error,
    /// Worth a look; nothing stops.
    Warn,
    /// Not looked for.
    Off,
}

impl Level {
    /// All levels, the worst first.
    pub(crate) const ALL: [Self; 3] = [Self::Error, Self::Warn, Self::Off];

    /// How the manifest spells it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }

    /// The severity of a finding at this level; `None` when there is none.
    pub(crate) const fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warn => Some(Severity::Warning),
            Self::Off => None,
        }
    }
}

/// One declared image, as read from disk.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The entry it is for.
    pub address: Address,
    /// Its file, as the user would name it, relative to the manifest.
    pub file: String,
    /// Where the manifest declares it.
    pub place: Place,
    /// Its size on disk, in bytes.
    pub size: u64,
    /// Its bytes; `None` when it is larger than anything worth reading ([`MAX_READ`](super::rules::MAX_READ)).
    pub bytes: Option<Arc<[u8]>>,
}

/// PNGs that nobody declares.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrphanFiles {
    /// Their paths, relative to the manifest, sorted.
    pub(crate) files: Vec<String>,
    /// The reason why there may be more of them: what could not be searched, and the reason.
    pub(crate) unseen: Option<String>,
}

/// A piece with what could be decoded of its bytes.
pub(in crate::domain) struct DecodedPiece<'a> {
    piece: &'a Piece,
    /// The header, when every chunk is sound.
    header: Option<&'a Header>,
    /// The image, when its pixels are sound too; `None` when there were no bytes or too many pixels to decode.
    image: Option<Result<&'a Image, &'a PngFault>>,
    /// How well it is seen, measured once for all the rules that ask.
    legibility: OnceCell<Legibility>,
}

impl<'a> DecodedPiece<'a> {
    pub(in crate::domain) const fn new(
        piece: &'a Piece,
        header: Option<&'a Header>,
        image: Option<Result<&'a Image, &'a PngFault>>,
    ) -> Self {
        Self { piece, header, image, legibility: OnceCell::new() }
    }

    /// The legibility of the image on the grounds of its kind.
    fn legibility(&self) -> Option<&Legibility> {
        let image = self.image?.ok()?;
        Some(self.legibility.get_or_init(|| Legibility::of(self.piece.address.kind, &image.pixels)))
    }
}

/// All the sound art, and what lies beside it.
pub(in crate::domain) struct AllArt<'a> {
    /// How the user names the manifest.
    pub(in crate::domain) manifest: &'a str,
    /// Sorted by address, each with the checksum of its pixels.
    pub(in crate::domain) pieces: &'a [(&'a Piece, u32)],
    pub(in crate::domain) orphans: &'a OrphanFiles,
}
