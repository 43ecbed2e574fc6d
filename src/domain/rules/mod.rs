//! The art rules: what an image must be before it may be planned. [`check`] is the only way to a [`DesiredState`].
//!
//! A rule is one row of [`RULES`]: its id, its default level, why it exists, how to mend what it finds, and a check of
//! one piece of art. To add a rule, write its check in the file of its family and give it a row.

mod code;
mod png;
mod transparency;

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::asset::{Address, Digest};
use super::finding::{Finding, Place, Severity};
use super::image::{self, Header, Image, PngFault};
use super::manifest::{Level, Manifest};
use super::state::{Content, Desired, DesiredState};

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
    /// Its bytes; `None` when it is larger than anything worth reading ([`MAX_READ`]).
    pub bytes: Option<Arc<[u8]>>,
}

/// The size in bytes past which art is not even read.
pub const MAX_READ: u64 = 1024 * 1024;

/// What a rule found wrong with one piece.
struct Problem {
    message: String,
    help: Option<String>,
}

impl Problem {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A piece with what could be made of its bytes.
struct Subject<'a> {
    piece: &'a Piece,
    /// The header, when every chunk is sound.
    header: Option<&'a Header>,
    /// The image, when its pixels are sound too; `None` when there were no bytes or too many pixels to decode.
    image: Option<Result<&'a Image, &'a PngFault>>,
}

/// A rule.
pub struct Rule {
    /// Its id, as in the manifest's `rules`.
    pub id: &'static str,
    /// Its level unless the manifest sets another.
    pub default: Level,
    /// Whether the manifest may set another: not when the portal itself would refuse or spoil such an image.
    pub adjustable: bool,
    /// Why it exists, in one sentence.
    pub why: &'static str,
    /// How to mend what it finds.
    pub fix: &'static str,
    check: fn(&Subject<'_>) -> Option<Problem>,
}

/// Every rule, in the order in which findings about one image are told.
pub const RULES: &[Rule] = &[
    png::FILE_TOO_LARGE,
    png::PNG_FORMAT,
    png::PNG_SIZE,
    png::PNG_ANIMATED,
    transparency::TRANSPARENT_BACKGROUND,
    transparency::BLANK,
    code::CODE_RESERVED,
];

/// What the rules made of a manifest and its art.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// The desired state, if no finding is an error.
    pub desired: Option<DesiredState>,
    /// Everything found, sorted by file.
    pub findings: Vec<Finding>,
}

/// Checks art, on all cores. `findings` is what is known already (of the manifest, and of art that could not be read):
/// an error among them leaves no desired state either.
#[must_use]
pub fn check(manifest: &Manifest, art: Vec<Piece>, mut findings: Vec<Finding>) -> Checked {
    let count = art.len();
    let judged: Vec<_> = art.par_iter().map(|piece| judge(manifest, piece)).collect();
    let mut entries = BTreeMap::new();
    for (piece, (found, content)) in art.into_iter().zip(judged) {
        let Piece { address, file, place, bytes, .. } = piece;
        findings.extend(found);
        if let (Some(content), Some(png)) = (content, bytes) {
            entries.insert(address, Desired { file, place, png, content });
        }
    }
    sort(&mut findings);
    let sound = !findings.iter().any(Finding::is_error) && entries.len() == count;
    let desired = sound.then(|| DesiredState::new(manifest.ownership(), entries));
    Checked { desired, findings }
}

/// What is wrong with an image that a saved plan would upload as `address`: a plan is no way round the rules.
#[must_use]
pub fn check_planned(manifest: &Manifest, address: &Address, file: &str, bytes: &Arc<[u8]>) -> Vec<Finding> {
    let piece = Piece {
        address: address.clone(),
        file: file.to_owned(),
        place: Place { line: 1, column: 1, bytes: 0..0 },
        size: bytes.len() as u64,
        bytes: Some(bytes.clone()),
    };
    judge(manifest, &piece).0
}

/// Sorts findings for showing: by file, place, rule and message, without repetition.
pub fn sort(findings: &mut Vec<Finding>) {
    let key = |finding: &Finding| {
        let place = finding.place.as_ref().map(|place| (place.line, place.column));
        (finding.path.clone(), place, finding.severity, finding.rule, finding.message.clone())
    };
    findings.sort_by_cached_key(key);
    findings.dedup();
}

fn judge(manifest: &Manifest, piece: &Piece) -> (Vec<Finding>, Option<Content>) {
    let header = piece.bytes.as_deref().map(image::header);
    let image = match (&header, piece.bytes.as_deref()) {
        (Some(Ok(header)), Some(bytes)) if is_worth_decoding(header) => Some(image::read(bytes)),
        (Some(Err(fault)), _) => Some(Err(fault.clone())),
        _ => None,
    };
    let subject = Subject {
        piece,
        header: header.as_ref().and_then(|header| header.as_ref().ok()),
        image: image.as_ref().map(Result::as_ref),
    };
    let mut findings = Vec::new();
    for rule in RULES {
        // What is too large to be read can be judged by no other rule.
        let level = match (&piece.bytes, manifest.level(rule.id)) {
            (None, _) | (_, None) => rule.default,
            (Some(_), Some(level)) => level,
        };
        let severity = match level {
            Level::Error => Severity::Error,
            Level::Warn => Severity::Warning,
            Level::Off => continue,
        };
        if let Some(problem) = (rule.check)(&subject) {
            findings.push(Finding {
                rule: rule.id,
                severity,
                path: Some(piece.file.clone()),
                place: None,
                address: Some(piece.address.clone()),
                declared: None,
                message: problem.message,
                help: Some(problem.help.unwrap_or_else(|| rule.fix.to_owned())),
                related: Vec::new(),
            });
        }
    }
    let content = match (&image, piece.bytes.as_deref()) {
        (Some(Ok(image)), Some(bytes)) => {
            Some(Content { sha256: Digest::of(bytes), size: bytes.len() as u64, look: Some(image.look) })
        }
        _ => None,
    };
    (findings, content)
}

/// Whether the pixels are looked at: of an image that `png-size` refuses anyway, only while they are few.
fn is_worth_decoding(header: &Header) -> bool {
    u64::from(header.width) * u64::from(header.height) <= 1024 * 1024
}
