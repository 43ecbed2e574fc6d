//! What a run replaced or deleted, as a desired state: the ordinary diff, plan and guards then bring it back.
//!
//! The art rules are not asked. These images were on the portal already, and an old image that the rules would refuse
//! today is still the one that was there.

use std::collections::BTreeMap;

use super::asset::Address;
use super::diff::Change;
use super::finding::{Finding, Place};
use super::ownership::Ownership;
use super::plan::Contents;
use super::state::{Content, Desired, DesiredState};

/// The desired state of the old images of `changes`: of those about `addresses`, or of all when there are none. `from`
/// is how the user knows the run.
/// The error has a finding for each address that the run did not replace or delete, and for each image without a copy.
pub(crate) fn desired(
    changes: &[Change],
    contents: &Contents,
    addresses: &[Address],
    ownership: &Ownership,
    from: &str,
) -> Result<DesiredState, Vec<Finding>> {
    let mut entries = BTreeMap::new();
    let mut findings: Vec<_> = addresses
        .iter()
        .filter(|address| !changes.iter().any(|change| change.action.before().is_some() && about(change, address)))
        .map(|address| {
            let message = format!("{from} neither replaced nor deleted {address}");
            Finding::error("restore", message).about(address.clone())
        })
        .collect();
    for change in
        changes.iter().filter(|change| addresses.is_empty() || addresses.iter().any(|address| about(change, address)))
    {
        let Some(before) = change.action.before() else { continue };
        let address = Address::new(change.address.kind, before.code.clone());
        let old = before.content.as_ref().and_then(|content| Some((content, contents.get(&content.sha256)?)));
        // Bytes that are no sound PNG come back as they were, if the portal takes them.
        let taken = match old {
            Some((content, png)) => Content::of_download(address.kind, png).map(|_| (content.clone(), png.clone())),
            None => Err("there is none".to_owned()),
        };
        match taken {
            Ok((content, png)) => {
                entries.insert(address, Desired { file: from.to_owned(), place: Place::START, png, content });
            }
            Err(why) => {
                let message = format!("{from} has no copy of the old image of {address} that can be put back: {why}");
                findings
                    .push(Finding::error("restore", message).about(address).help("name the others to restore them"));
            }
        }
    }
    if findings.is_empty() { Ok(DesiredState::of_backup(ownership, entries)) } else { Err(findings) }
}

fn about(change: &Change, address: &Address) -> bool {
    change.address.folded() == address.folded()
}
