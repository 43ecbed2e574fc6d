//! Rules about the file: it must be a PNG of the right size, not animated, and small.

use crate::domain::asset::Kind;
use crate::domain::finding::Problem;

use super::piece::DecodedPiece;
use super::rule::{ArtRule, Level, RuleCheck};

/// The largest file that is accepted by default, in bytes.
const MAX_SIZE: u64 = 256 * 1024;

pub(super) const FILE_TOO_LARGE: ArtRule = ArtRule {
    id: "file-too-large",
    default: Level::Error,
    adjustable: true,
    why: "a 24-pixel icon needs a few hundred bytes; a large file slows down every timeline that shows it",
    fix: "export it without metadata, or run it through oxipng or zopflipng",
    source: "brandctl's own limit: the documentation does not name one",
    check: RuleCheck::Image(|decoded| {
        let size = decoded.piece.size;
        (size > MAX_SIZE)
            .then(|| Problem::new(format!("the file has {} KiB; the limit is 256 KiB", size.div_ceil(1024))))
    }),
};

pub(super) const PNG_FORMAT: ArtRule = ArtRule {
    id: "png-format",
    default: Level::Error,
    adjustable: false,
    why: "the portal checks only the first bytes, so it stores a damaged file and then shows it broken",
    fix: "export the image again as PNG",
    source: "server code: `add` reads no more than the header, and stores truncated files",
    check: RuleCheck::Image(|decoded| match decoded.image {
        Some(Err(fault)) => Some(Problem { help: fault.help().map(str::to_owned), ..Problem::new(fault.to_string()) }),
        None | Some(Ok(_)) => None,
    }),
};

pub(super) const PNG_TOLERATED: ArtRule = ArtRule {
    id: "png-tolerated",
    default: Level::Warn,
    adjustable: true,
    why: "browsers and the portal accept the image although it violates the PNG standard; other programs may refuse it",
    fix: "export it again, or run it through oxipng",
    source: "PNG specification: one colour profile that inflates, names of chunks in letters, nothing after the pixels; libpng ignores such faults where it can",
    check: RuleCheck::Image(|decoded| {
        let tolerated: Vec<_> = decoded.header?.tolerated.iter().map(ToString::to_string).collect();
        (!tolerated.is_empty()).then(|| Problem::new(tolerated.join("; ")))
    }),
};

pub(super) const PNG_SIZE: ArtRule = ArtRule {
    id: "png-size",
    default: Level::Error,
    adjustable: false,
    why: "the portal refuses icons other than 24×24 and logos other than 60×60 pixels",
    fix: "export the image at 24×24 (icon) or 60×60 (logo); do not scale the PNG",
    source: "documentation of crm.timeline.icon.add and crm.timeline.logo.add; the server answers `Only png 24px on 24px is supported`",
    check: RuleCheck::Image(size),
};

fn size(decoded: &DecodedPiece<'_>) -> Option<Problem> {
    let header = decoded.header?;
    let kind = decoded.piece.address.kind;
    let side = kind.side();
    (header.width != side || header.height != side).then(|| {
        let problem = Problem::new(format!(
            "the image is {}×{} pixels; {} must be {side}×{side}",
            header.width,
            header.height,
            article(kind),
        ));
        let other = Kind::ALL.into_iter().find(|other| header.width == other.side() && header.height == other.side());
        let help =
            |other| format!("it has the size of {}: should it be under `{}`?", article(other), Kind::plural(other));
        let help = if is_scaled(&decoded.piece.file) { Some(SCALED.to_owned()) } else { other.map(help) };
        Problem { help, ..problem }
    })
}

const SCALED: &str =
    "an `@2x` file is a larger copy for other screens, and the portal has only one size: move it out of the folder";

/// Whether a file's name marks it as a larger copy, as in `call@2x.png`.
fn is_scaled(file: &str) -> bool {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    stem.rsplit_once('@').is_some_and(|(_, scale)| {
        let factor = scale.strip_suffix(['x', 'X']);
        factor.is_some_and(|factor| {
            !factor.is_empty() && factor.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        })
    })
}

/// The kind with its article.
const fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Icon => "an icon",
        Kind::Logo => "a logo",
    }
}

pub(super) const PNG_ANIMATED: ArtRule = ArtRule {
    id: "png-animated",
    default: Level::Error,
    adjustable: true,
    why: "an animation distracts in a timeline, and viewers that do not know APNG show one frame",
    fix: "export a single frame",
    source: "server code: the portal shows the uploaded bytes as they are",
    check: RuleCheck::Image(|decoded| {
        decoded.header.filter(|header| header.animated).map(|_| Problem::new("the image is an animated PNG"))
    }),
};
