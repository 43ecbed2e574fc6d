//! Rules about all of the art together: duplicates, and files that are not declared.

use std::collections::BTreeMap;

use crate::domain::finding::{Finding, Problem, Severity};
use crate::domain::png;
use crate::domain::quote::quoted;

use super::piece::Piece;
use super::rule::{ArtRule, Level, RuleCheck};

/// How many codes of a group are named one by one.
const NAMED: usize = 10;

pub(super) const DUPLICATE_ART: ArtRule = ArtRule {
    id: "duplicate-art",
    default: Level::Warn,
    adjustable: true,
    why: "two codes with the same image are usually a mistake: a copy that was not redrawn",
    fix: "redraw one of them, or use one code for both",
    source: "brandctl's own check: images are compared as in a plan",
    check: RuleCheck::All(|all| {
        let mut pieces = all.pieces.to_vec();
        pieces.sort_by_key(|(piece, pixel_crc)| (piece.address.kind, *pixel_crc));
        let alike =
            pieces.chunk_by(|(a, pixel_crc), (b, other)| a.address.kind == b.address.kind && pixel_crc == other);
        // Few have the same checksum without looking the same.
        let groups = alike.filter(|alike| alike.len() > 1).flat_map(same_look);
        groups.filter_map(|group| duplicate(&group, all.manifest)).collect()
    }),
};

/// Groups pieces by their appearance.
fn same_look<'a>(pieces: &[(&'a Piece, u32)]) -> Vec<Vec<&'a Piece>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (piece, _) in pieces {
        if let Some(Ok(image)) = piece.bytes.as_deref().map(png::read) {
            groups.entry(image.appearance()).or_default().push(*piece);
        }
    }
    groups.into_values().collect()
}

/// One finding about a group that looks the same, at its second member.
fn duplicate(group: &[&Piece], manifest: &str) -> Option<Finding> {
    let [first, second, ..] = group else { return None };
    let mut names: Vec<_> = group.iter().take(NAMED).map(|piece| quoted(piece.address.code.as_str())).collect();
    if group.len() > NAMED {
        names.push(format!("{} more", group.len() - NAMED));
    }
    let last = names.pop()?;
    let kind = first.address.kind.plural();
    let problem = Problem::new(format!("the {kind} {} and {last} look the same", names.join(", ")));
    let finding = DUPLICATE_ART.finding(Severity::Warning, problem).about(second.address.clone());
    // A folder declares all of its files in one place, which does not help the reader.
    Some(if first.place == second.place {
        finding.in_file(second.file.clone())
    } else {
        let here = format!("{} is here", quoted(first.address.code.as_str()));
        finding.in_file(manifest).at(second.place.clone()).related(first.place.clone(), here)
    })
}

pub(super) const ORPHAN_FILE: ArtRule = ArtRule {
    id: "orphan-file",
    default: Level::Warn,
    adjustable: true,
    why: "an image in a folder of declared images looks as if it were declared, but it never reaches the portal",
    fix: "declare it, or move it out of the folder",
    source: "brandctl's own check: only declared images are uploaded",
    check: RuleCheck::All(|all| {
        let orphan = |file: &String| {
            let problem = Problem::new(format!("the manifest does not declare `{file}`"));
            let end = file.rsplit_once('.').map_or("", |(_, end)| end);
            // In a folder that is declared as a whole, only its name can be why.
            let problem = match end {
                "png" => problem,
                _ if end.eq_ignore_ascii_case("png") => {
                    problem.help("the extension must be `.png`, in lower case: rename it if it should be declared")
                }
                _ => problem.help("only PNG files can be declared: convert it if it should be, or move it elsewhere"),
            };
            ORPHAN_FILE.finding(Severity::Warning, problem).in_file(file.clone())
        };
        let unseen = all.orphans.unseen.iter().map(|why| {
            let problem = Problem::new(format!(
                "not all folders could be searched for files that the manifest does not declare: {why}"
            ));
            ORPHAN_FILE.finding(Severity::Warning, problem.help("keep the art in separate folders"))
        });
        all.orphans.files.iter().map(orphan).chain(unseen).collect()
    }),
};
