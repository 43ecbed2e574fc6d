//! Checks a branding repository offline: what was read goes in, findings and a desired state come out.

use crate::domain::finding::Finding;
use crate::domain::manifest::{self, Manifest};
use crate::domain::rules::{self, Checked, Piece};

use super::events::{Event, Observer, Stage};
use super::ports::ReadArt;

/// A checked repository.
#[derive(Debug, Default)]
pub struct Validated {
    /// The manifest, if it is sound.
    pub manifest: Option<Manifest>,
    /// What the rules made of it and its art.
    pub checked: Checked,
    /// The manifest's text, for snippets.
    pub source: String,
    /// How many images were looked at.
    pub images: usize,
    /// Those images, for whoever draws them; their bytes are shared.
    pub art: Vec<Piece>,
}

/// Reads and checks a repository. `name` is how the user names the manifest.
pub fn validate(name: &str, repository: &impl ReadArt, observer: &dyn Observer) -> Validated {
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
    let (pieces, unreadable) = repository.art(&manifest);
    findings.extend(unreadable);
    let (images, art) = (pieces.len(), pieces.clone());
    let checked = rules::check(&manifest, pieces, findings);
    Validated { images, art, manifest: Some(manifest).filter(|_| sound), checked, source }
}
