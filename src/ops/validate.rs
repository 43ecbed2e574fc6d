//! Checks a branding repository offline: what was read goes in, findings and a desired state come out.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use rayon::prelude::*;

use crate::domain::finding::Finding;
use crate::domain::manifest::{self, Manifest, Section};
use crate::domain::rules::{self, Aim, Checked, Piece, RULES};

use super::events::{Event, Observer, Stage};
use super::ports::ReadArt;
use crate::text::slashed;

/// A checked repository.
#[derive(Debug, Default)]
pub struct Validated {
    /// The manifest, if it is sound.
    pub manifest: Option<Manifest>,
    /// The results of the rules for it and its art.
    pub checked: Checked,
    /// The manifest's text, for snippets.
    pub(crate) source: String,
    /// The images that were checked, with their files named as the user would; the bytes are shared.
    pub(crate) art: Vec<Piece>,
    pub(crate) images: usize,
}

/// The findings for people who asked for something else: of the warnings of an art rule, only the number, in place of
/// the first one. `validate` lists them.
pub(crate) fn in_brief(findings: &[Finding], validate: &str) -> Vec<Finding> {
    let is_counted = |finding: &Finding| !finding.is_error() && RULES.iter().any(|rule| rule.id == finding.rule);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| is_counted(finding)) {
        *counts.entry(&finding.rule).or_default() += 1;
    }
    let mut brief = Vec::new();
    for finding in findings {
        match counts.get(&*finding.rule).copied().filter(|_| is_counted(finding)) {
            None | Some(1) => brief.push(finding.clone()),
            Some(0) => {}
            Some(count) => {
                let rule = finding.rule.clone();
                let counted = Finding { rule, ..Finding::warning("", format!("{count} findings of this rule")) };
                brief.push(counted.help(format!("`{validate}` lists them one by one")));
                counts.insert(&finding.rule, 0);
            }
        }
    }
    brief
}

/// Reads and checks a repository. `name` is how the user names the manifest.
pub fn validate(name: &str, repository: &impl ReadArt, aim: Aim, observer: &dyn Observer) -> Validated {
    let text = match repository.manifest() {
        Ok(text) => text,
        Err(finding) => {
            return Validated { checked: Checked { desired: None, findings: vec![*finding] }, ..Validated::default() };
        }
    };
    let (manifest, mut findings) = manifest::read(&text, name);
    let sound = !findings.iter().any(Finding::is_error);
    let source = String::from_utf8_lossy(&text).into_owned();
    let Some(manifest) = manifest else {
        rules::sort(&mut findings);
        return Validated { checked: Checked { desired: None, findings }, source, ..Validated::default() };
    };
    observer.observe(Event::Stage { stage: Stage::Checking, total: None });
    let (mut art, unreadable) = repository.art(&manifest);
    findings.extend(unreadable);
    let mut checked = rules::check(&manifest, name, &art, findings, aim);
    place(&mut checked.findings, &manifest, name);
    art.pieces.par_iter_mut().for_each(|piece| piece.file = beside(name, &piece.file));
    Validated { images: art.pieces.len(), art: art.pieces, manifest: Some(manifest).filter(|_| sound), checked, source }
}

/// Names the images of findings as the user would, and adds where the manifest declares their entries, if it does so
/// entry by entry.
fn place(findings: &mut [Finding], manifest: &Manifest, name: &str) {
    for finding in findings {
        let Some(path) = finding.path.as_mut().filter(|path| *path != name) else { continue };
        *path = beside(name, path);
        if let Some(address) = &finding.address
            && let Some(Section::Entries(entries)) = manifest.section(address.kind)
        {
            finding.declared = entries.get(&address.code).map(|entry| entry.place.clone());
        }
    }
}

/// The name of a file that is relative to the manifest, named as the manifest is: without `.`, doubled slashes, and `..`
/// that goes back over a name.
pub(crate) fn beside(manifest: &str, file: &str) -> String {
    let folder = Path::new(manifest).parent().unwrap_or(Path::new(""));
    let mut named = folder.to_owned();
    for part in Path::new(file).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if named.file_name().is_some() => {
                named.pop();
            }
            part => named.push(part),
        }
    }
    slashed(&named)
}
