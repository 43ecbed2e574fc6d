//! The art rules: what an image must be before it may be planned. [`check`] is the only way to a [`DesiredState`].
//!
//! A rule is one row of [`RULES`]: its id, its default level, why it exists, how to mend what it finds, where the fact
//! behind it comes from, and a check: of a code, of one image, or of all of them. To add a rule, write its check in the
//! file of its family and give it a row: the manifest, its schema, `brandctl rules` and README.md learn of it from there.

mod circle;
mod code;
mod color;
mod contrast;
mod png_file;
#[cfg(test)]
mod tests;
mod together;
mod transparency;

use std::cell::OnceCell;
use std::sync::Arc;

use rayon::prelude::*;

use super::asset::{Address, Code, Digest};
use super::finding::{Finding, Place, Severity};
use super::manifest::{Level, Manifest};
use super::png::{self, Header, Image, PngFault};
use super::state::{Content, Desired, DesiredState};
use contrast::Legibility;

pub(in crate::domain) use code::CODE_STYLE;

/// The id of the rule that needs [`OrphanFiles`], so that nobody need look for them when it is off.
pub const ORPHAN_FILE: &str = together::ORPHAN_FILE.id;

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

/// What was read of a branding repository, beside its manifest.
#[derive(Debug, Clone, Default)]
pub struct Art {
    /// The declared images.
    pub pieces: Vec<Piece>,
    /// The PNGs beside them that nobody declares.
    pub unclaimed: OrphanFiles,
}

/// PNGs that nobody declares.
#[derive(Debug, Clone, Default)]
pub struct OrphanFiles {
    /// Their paths, relative to the manifest, sorted.
    pub files: Vec<String>,
    /// Why there may be more of them: what could not be looked through, and the reason.
    pub unseen: Option<String>,
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
    /// How well it is seen, measured once for all the rules that ask.
    legibility: OnceCell<Legibility>,
}

impl Subject<'_> {
    /// How well the image is seen on the grounds of its kind.
    fn legibility(&self) -> Option<&Legibility> {
        let image = self.image?.ok()?;
        Some(self.legibility.get_or_init(|| Legibility::of(self.piece.address.kind, &image.pixels)))
    }
}

/// All the sound art, and what lies beside it.
struct Whole<'a> {
    /// How the user names the manifest.
    manifest: &'a str,
    /// Sorted by address, each with the sketch of its image.
    pieces: &'a [(&'a Piece, u32)],
    unclaimed: &'a OrphanFiles,
}

/// What a rule looks at.
enum Check {
    /// A code, where the manifest or a file's name spells it.
    Code(fn(&Code) -> Option<Problem>),
    /// One declared image.
    Image(fn(&Subject<'_>) -> Option<Problem>),
    /// All images together: the findings say themselves where they are.
    Whole(fn(&Whole<'_>) -> Vec<Finding>),
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
    /// Where the fact behind it comes from.
    pub source: &'static str,
    check: Check,
}

impl Rule {
    /// How bad a finding is when the manifest sets this level, or none; `None` when the rule is off.
    fn severity(&self, set: Option<Level>) -> Option<Severity> {
        set.unwrap_or(self.default).severity()
    }

    /// A problem as a finding, about no place yet.
    fn finding(&self, severity: Severity, problem: Problem) -> Finding {
        let help = problem.help.unwrap_or_else(|| self.fix.to_owned());
        Finding { severity, ..Finding::error(self.id, problem.message).help(help) }
    }

    /// What this rule says of a code where the manifest sets it to `set`.
    pub(in crate::domain) fn of_code(&self, code: &Code, set: Option<Level>) -> Option<Finding> {
        let Check::Code(check) = self.check else { return None };
        let severity = self.severity(set)?;
        check(code).map(|problem| self.finding(severity, problem))
    }
}

/// Every rule, in the order in which findings about one image are told.
pub const RULES: &[Rule] = &[
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

/// What is wanted of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// What they find.
    Findings,
    /// The desired state too, for which every image is hashed.
    DesiredState,
}

/// What the rules made of a manifest and its art.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// The desired state, if it was wanted and no finding is an error.
    pub desired: Option<DesiredState>,
    /// Everything found, sorted by file.
    pub findings: Vec<Finding>,
}

/// Checks art, on all cores. `name` is how the user calls the manifest. `findings` is what is known already (of the
/// manifest, and of art that could not be read): an error among them leaves no desired state either.
#[must_use]
pub fn check(manifest: &Manifest, name: &str, art: &Art, mut findings: Vec<Finding>, aim: Aim) -> Checked {
    let judged: Vec<_> = art.pieces.par_iter().map(|piece| judge(manifest, piece, aim)).collect();
    let (mut pieces, mut entries) = (Vec::new(), Vec::new());
    for (piece, Judged { found, pixel_crc, desired }) in art.pieces.iter().zip(judged) {
        findings.extend(found);
        pieces.extend(pixel_crc.map(|pixel_crc| (piece, pixel_crc)));
        entries.extend(desired.map(|desired| (piece.address.clone(), desired)));
    }
    let whole = Whole { manifest: name, pieces: &pieces, unclaimed: &art.unclaimed };
    findings.extend(RULES.iter().flat_map(|rule| judge_together(manifest, rule, &whole)));
    sort(&mut findings);
    let sound = !findings.iter().any(Finding::is_error) && entries.len() == art.pieces.len();
    let desired = (aim == Aim::DesiredState && sound)
        .then(|| DesiredState::declared(manifest.ownership(), entries.into_iter().collect()));
    Checked { desired, findings }
}

fn judge_together(manifest: &Manifest, rule: &Rule, whole: &Whole<'_>) -> Vec<Finding> {
    let (Check::Whole(check), Some(severity)) = (&rule.check, rule.severity(manifest.level(rule.id))) else {
        return Vec::new();
    };
    check(whole).into_iter().map(|finding| Finding { severity, ..finding }).collect()
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
    judge(manifest, &piece, Aim::Findings).found
}

/// Sorts findings for showing: by file, place, rule and message, without repetition.
pub fn sort(findings: &mut Vec<Finding>) {
    let key = |finding: &Finding| {
        let place = finding.place.as_ref().map(|place| (place.line, place.column));
        (finding.path.clone(), place, finding.severity, finding.rule.clone(), finding.message.clone())
    };
    findings.sort_by_cached_key(key);
    findings.dedup();
}

/// What the rules about single images made of one.
struct Judged {
    found: Vec<Finding>,
    /// Of a sound image.
    pixel_crc: Option<u32>,
    /// What a sound image makes desired, if that is wanted.
    desired: Option<Desired>,
}

fn judge(manifest: &Manifest, piece: &Piece, aim: Aim) -> Judged {
    let bytes = piece.bytes.as_deref();
    let image = bytes.filter(|bytes| is_worth_decoding(bytes)).map(png::read);
    // A sound image has its header; only for others are the chunks walked over once more.
    let header = match &image {
        Some(Ok(image)) => Some(Ok(image.header.clone())),
        _ => bytes.map(png::header),
    };
    let image = match (&header, image) {
        (Some(Err(fault)), None) => Some(Err(fault.clone())),
        (_, image) => image,
    };
    let subject = Subject {
        piece,
        header: header.as_ref().and_then(|header| header.as_ref().ok()),
        image: image.as_ref().map(Result::as_ref),
        legibility: OnceCell::new(),
    };
    let mut found = Vec::new();
    for rule in RULES {
        let Check::Image(check) = rule.check else { continue };
        // What is too large to be read can be judged by no other rule.
        let set = piece.bytes.as_ref().and_then(|_| manifest.level(rule.id));
        let Some(severity) = rule.severity(set) else { continue };
        if let Some(problem) = check(&subject) {
            let finding = rule.finding(severity, problem);
            found.push(finding.in_file(piece.file.clone()).about(piece.address.clone()));
        }
    }
    let sound = image.as_ref().and_then(|image| image.as_ref().ok());
    let desired = sound.zip(piece.bytes.clone()).filter(|_| aim == Aim::DesiredState).map(|(image, png)| {
        let content = Content { sha256: Digest::of(&png), size: png.len() as u64, look: Some(image.look()) };
        Desired { file: piece.file.clone(), place: piece.place.clone(), png, content }
    });
    Judged { found, pixel_crc: sound.map(Image::pixel_crc), desired }
}

/// Whether the pixels are looked at: of an image that `png-size` refuses anyway, only while they are few.
fn is_worth_decoding(bytes: &[u8]) -> bool {
    png::dimensions(bytes).is_none_or(|(width, height)| u64::from(width) * u64::from(height) <= 1024 * 1024)
}
