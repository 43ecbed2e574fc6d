//! The art rules applied: what an image must be before it may be planned. [`check`] is the only way to a [`DesiredState`].
//!
//! The rules themselves are the rows of the [`rulebook`](super::rulebook); the manifest sets the level of their
//! findings.

use std::sync::Arc;

use rayon::prelude::*;

use super::asset::{Address, Digest};
use super::finding::{Finding, Place};
use super::manifest::Manifest;
use super::png::{self, Image};
use super::rulebook::{AllArt, DecodedPiece, RuleCheck};
use super::state::{Content, Desired, DesiredState};

pub use super::rulebook::{ArtRule, OTHER_FINDINGS, Piece, RULES};
pub(crate) use super::rulebook::{FINDING_IDS, ORPHAN_FILE, OrphanFiles, TRANSPARENT_BACKGROUND};

#[cfg(test)]
mod tests;

/// The images that were read from a branding repository.
#[derive(Debug, Clone, Default)]
pub struct Art {
    pub(crate) pieces: Vec<Piece>,
    /// The PNGs beside them that the manifest does not declare.
    pub(crate) orphans: OrphanFiles,
}

/// The size in bytes past which art is not even read.
pub(crate) const MAX_READ: u64 = 1024 * 1024;

/// The purpose of a check by the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// What they find.
    Findings,
    /// The desired state too, for which every image is hashed.
    DesiredState,
}

/// The result of checking a manifest and its art by the rules.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// The desired state, if it was wanted and no finding is an error.
    pub desired: Option<DesiredState>,
    /// Everything found, sorted by file.
    pub findings: Vec<Finding>,
}

/// Checks art, on all cores. `name` is the user's name for the manifest. `findings` are those made so far (about the
/// manifest, and of art that could not be read): an error among them leaves no desired state either.
pub(crate) fn check(manifest: &Manifest, name: &str, art: &Art, mut findings: Vec<Finding>, aim: Aim) -> Checked {
    let judged: Vec<_> = art.pieces.par_iter().map(|piece| judge(manifest, piece, aim)).collect();
    let (mut pieces, mut entries) = (Vec::new(), Vec::new());
    for (piece, Judged { found, pixel_crc, desired }) in art.pieces.iter().zip(judged) {
        findings.extend(found);
        pieces.extend(pixel_crc.map(|pixel_crc| (piece, pixel_crc)));
        entries.extend(desired.map(|desired| (piece.address.clone(), desired)));
    }
    let all = AllArt { manifest: name, pieces: &pieces, orphans: &art.orphans };
    findings.extend(RULES.iter().flat_map(|rule| judge_together(manifest, rule, &all)));
    sort(&mut findings);
    let sound = !findings.iter().any(Finding::is_error) && entries.len() == art.pieces.len();
    let desired = (aim == Aim::DesiredState && sound)
        .then(|| DesiredState::declared(manifest.ownership(), entries.into_iter().collect()));
    Checked { desired, findings }
}

fn judge_together(manifest: &Manifest, rule: &ArtRule, all: &AllArt<'_>) -> Vec<Finding> {
    let (RuleCheck::All(check), Some(severity)) = (&rule.check, rule.severity(manifest.level(rule.id))) else {
        return Vec::new();
    };
    check(all).into_iter().map(|finding| Finding { severity, ..finding }).collect()
}

/// The findings about an image that a saved plan would upload as `address`: a plan does not bypass the rules.
pub(crate) fn check_planned(manifest: &Manifest, address: &Address, file: &str, bytes: &Arc<[u8]>) -> Vec<Finding> {
    let piece = Piece {
        address: address.clone(),
        file: file.to_owned(),
        place: Place::START,
        size: bytes.len() as u64,
        bytes: Some(bytes.clone()),
    };
    judge(manifest, &piece, Aim::Findings).found
}

/// Sorts findings for showing: by file, place, rule and message, without repetition.
pub(crate) fn sort(findings: &mut Vec<Finding>) {
    let key = |finding: &Finding| {
        let place = finding.place.as_ref().map(|place| (place.line, place.column));
        (finding.path.clone(), place, finding.severity, finding.rule.clone(), finding.message.clone())
    };
    findings.sort_by_cached_key(key);
    findings.dedup();
}

/// The result of the rules about single images for one image.
struct Judged {
    found: Vec<Finding>,
    /// The checksum of the pixels of a sound image.
    pixel_crc: Option<u32>,
    /// What a sound image makes desired, if that is wanted.
    desired: Option<Desired>,
}

fn judge(manifest: &Manifest, piece: &Piece, aim: Aim) -> Judged {
    let bytes = piece.bytes.as_deref();
    let image = bytes.filter(|bytes| is_worth_decoding(bytes)).map(png::read);
    // A sound image has its header; the chunks are read again only for others.
    let header = match &image {
        Some(Ok(image)) => Some(Ok(image.header.clone())),
        _ => bytes.map(png::header),
    };
    let image = match (&header, image) {
        (Some(Err(fault)), None) => Some(Err(fault.clone())),
        (_, image) => image,
    };
    let decoded = DecodedPiece::new(
        piece,
        header.as_ref().and_then(|header| header.as_ref().ok()),
        image.as_ref().map(Result::as_ref),
    );
    let mut found = Vec::new();
    for rule in RULES {
        let RuleCheck::Image(check) = rule.check else { continue };
        // Other rules cannot check a file that is too large to be read.
        let set = piece.bytes.as_ref().and_then(|_| manifest.level(rule.id));
        let Some(severity) = rule.severity(set) else { continue };
        if let Some(problem) = check(&decoded) {
            let finding = rule.finding(severity, problem);
            found.push(finding.in_file(piece.file.clone()).about(piece.address.clone()));
        }
    }
    let sound = image.as_ref().and_then(|image| image.as_ref().ok());
    let desired = sound.zip(piece.bytes.clone()).filter(|_| aim == Aim::DesiredState).map(|(image, png)| {
        let content =
            Content { sha256: Digest::of(&png), size: png.len() as u64, appearance: Some(image.appearance()) };
        Desired { file: piece.file.clone(), place: piece.place.clone(), png, content }
    });
    Judged { found, pixel_crc: sound.map(Image::pixel_crc), desired }
}

/// Whether the pixels are looked at: of an image that `png-size` refuses anyway, only while they are few.
fn is_worth_decoding(bytes: &[u8]) -> bool {
    png::dimensions(bytes).is_none_or(|(width, height)| u64::from(width) * u64::from(height) <= 1024 * 1024)
}
