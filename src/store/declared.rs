//! The files that a manifest declares: those of its maps, and the PNGs of its folders.

use rayon::prelude::*;

use crate::domain::asset::{Address, Code, Kind};
use crate::domain::finding::{Finding, Place};
use crate::domain::manifest::{Manifest, Section};

use super::files::{FileKind, Folder, NotRead, plain};
use super::root::Root;

/// A file that declares an entry of the manifest.
pub(super) struct DeclaredFile {
    pub(super) address: Address,
    /// Relative to the manifest.
    pub(super) file: String,
    /// Where the manifest declares it.
    pub(super) place: Place,
    /// Where the path is written.
    pub(super) path_place: Place,
    /// What it is according to its folder's listing, if the folder was listed.
    pub(super) kind: Option<FileKind>,
}

/// Every file that `manifest` declares, sorted by address, and the findings about folders that cannot be listed.
pub(super) fn files(
    folder: &Folder,
    root: &Root,
    manifest: &Manifest,
    manifest_name: &str,
) -> (Vec<DeclaredFile>, Vec<Finding>) {
    let (mut declared, mut findings) = (Vec::new(), Vec::new());
    for kind in Kind::ALL {
        match manifest.section(kind) {
            None => {}
            Some(Section::Entries(entries)) => declared.extend(entries.iter().map(|(code, entry)| DeclaredFile {
                address: Address::new(kind, code.clone()),
                file: entry.path.clone(),
                place: entry.place.clone(),
                path_place: entry.path_place.clone(),
                kind: None,
            })),
            Some(Section::Folder { path, place }) => match list(folder, root, kind, path, place) {
                Ok(listed) => declared.extend(listed),
                Err(finding) => findings.push(finding.in_file(manifest_name).at(place.clone())),
            },
        }
    }
    declared.par_sort_unstable_by(|a, b| a.address.cmp(&b.address));
    (declared, findings)
}

/// The PNGs in the folder `name`; the finding says why it cannot be listed.
fn list(
    manifest_folder: &Folder,
    root: &Root,
    kind: Kind,
    name: &str,
    place: &Place,
) -> Result<Vec<DeclaredFile>, Box<Finding>> {
    let fail = |message: String| {
        let help = format!("write a folder of PNGs, relative to the manifest, or a map after `{}`", kind.plural());
        Box::new(Finding::error("folder-unreadable", message).help(help))
    };
    let unreadable = |error| fail(format!("the folder `{name}` cannot be read: {}", plain(&error)));
    let inside = root.inside(manifest_folder, std::iter::empty()).map_err(unreadable)?;
    let items = inside.items(name).map_err(|why| match root.refusal(&why, "folder", name) {
        Some(refusal) => Box::new(refusal),
        None => match why {
            NotRead::Kind(kind) => fail(format!("the folder `{name}` cannot be read: it is {}", kind.words())),
            NotRead::Io(error) => unreadable(error),
            NotRead::LeadsOut | NotRead::Outside | NotRead::Kept(_) => fail(format!("`{name}` cannot be read")),
        },
    })?;
    let mut listed = Vec::new();
    for item in items {
        let item = item.map_err(unreadable)?;
        let file_name = item.name();
        let Some(file_name) = file_name.to_str() else {
            if !file_name.to_string_lossy().to_lowercase().ends_with(".png") {
                continue;
            }
            let message = format!("the folder `{name}` holds a file whose name is not UTF-8: {}", file_name.display());
            return Err(fail(message));
        };
        if let Some(stem) = file_name.strip_suffix(".png").filter(|_| !file_name.starts_with('.')) {
            listed.push(DeclaredFile {
                address: Address::new(kind, Code::new(stem)),
                file: [name.trim_end_matches('/'), "/", file_name].concat(),
                place: place.clone(),
                path_place: place.clone(),
                kind: item.kind(),
            });
        }
    }
    Ok(listed)
}
