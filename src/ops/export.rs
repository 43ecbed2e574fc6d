//! Exports what a portal holds: a manifest, every image, and a snapshot. Nothing is written to the portal, and nothing to
//! disk before everything is read.

use crate::domain::export::{self, Export, ExportChoice, ExportSource};
use crate::domain::retry::Class;
use crate::domain::state::Listed;
use crate::format::SnapshotDocument;

use super::events::{Event, Stage};
use super::observe::{self, Freshness, KeptImages, Reader};
use super::ports::{Existing, PortalError, ReadPortal, WriteExport};

/// The maximum size of the images of one export, in bytes: all of them are read before the first is written.
pub(super) const MAX_EXPORT_BYTES: usize = 512 * 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Exported {
    /// What was read and laid out, with all findings.
    pub(crate) export: Export,
    /// The files that were written, relative to the folder; none if something prevented it.
    pub(crate) written: Vec<String>,
}

/// Reads both lists and the selected images, and writes them. What could not be fetched is reported, and the
/// rest is still written; nothing is if a pattern matches nothing.
pub(crate) async fn export(
    choice: &ExportChoice,
    source: &ExportSource,
    reader: &Reader<'_, impl ReadPortal>,
    target: &impl WriteExport,
    existing: Existing,
) -> Result<Exported, PortalError> {
    let mut export = read(choice, source, reader).await?;
    if export.files.is_empty() {
        return Ok(Exported { export, ..Exported::default() });
    }
    let written = match target.write(&export.files, existing) {
        Ok(remarks) => {
            export.findings.extend(remarks);
            export.files.iter().map(|(path, _)| path.clone()).collect()
        }
        Err(obstacle) => {
            export.findings.push(*obstacle);
            Vec::new()
        }
    };
    Ok(Exported { export, written })
}

pub(super) fn too_much() -> PortalError {
    PortalError {
        class: Class::Refused,
        code: None,
        message: format!("the portal's images take more than {} MiB", MAX_EXPORT_BYTES >> 20),
        hint: Some("export it in parts with --only".to_owned()),
    }
}

/// Reads both lists and the selected images, and lays them out. Without files if a pattern matches nothing.
pub async fn read(
    choice: &ExportChoice,
    source: &ExportSource,
    reader: &Reader<'_, impl ReadPortal>,
) -> Result<Export, PortalError> {
    reader.observer.observe(Event::Stage { stage: Stage::Listing, total: None });
    let listing = reader.portal.list().await?;
    let findings = choice.unmatched(&listing);
    if !findings.is_empty() {
        return Ok(Export { findings, ..Export::default() });
    }
    let wanted = |listed: &Listed| !listed.system && choice.admits(&listed.address);
    let mut kept = KeptImages::with_room(MAX_EXPORT_BYTES);
    let observed = observe::observe(reader, &listing, wanted, Freshness::Refetched, &mut kept, |_, _| true).await;
    if kept.is_full() {
        return Err(too_much());
    }
    let mut export = export::build(&observed, &kept.into_contents(), choice, source);
    export.add_snapshot(SnapshotDocument::of(source, &observed, &export.items).text());
    Ok(export)
}
