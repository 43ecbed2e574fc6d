//! Checks a branding repository offline: what was read goes in, findings and a desired state come out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Component, Path};

use rayon::prelude::*;

use crate::domain::finding::Finding;
use crate::domain::manifest::{self, Manifest, Section};
use crate::domain::rules::{self, Aim, Checked, Piece};

use super::events::{Event, Observer, Stage};
use super::ports::ReadArt;

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

/// The findings for a command that has something else to report: errors unchanged, and only the number of warnings of
/// each rule. `validate` is the command that lists the warnings.
pub(crate) fn in_brief(findings: Vec<Finding>, validate: &str) -> Vec<Finding> {
    let mut counts: BTreeMap<Cow<'static, str>, usize> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| !finding.is_error()) {
        *counts.entry(finding.rule.clone()).or_default() += 1;
    }
    let is_told = |finding: &Finding| finding.is_error() || counts.get(&finding.rule) == Some(&1);
    let mut brief: Vec<_> = findings.into_iter().filter(is_told).collect();
    brief.extend(counts.into_iter().filter(|(_, count)| *count > 1).map(|(rule, count)| {
        Finding { rule, ..Finding::warning("", format!("{count} findings of this rule")) }
            .help(format!("`{validate}` lists them one by one"))
    }));
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
fn beside(manifest: &str, file: &str) -> String {
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
    named.display().to_string()
}
