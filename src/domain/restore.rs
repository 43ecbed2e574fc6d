//! The desired state of a restore: what a run replaced or deleted. The ordinary diff, plan and guards then bring it
//! back.
//!
//! The art rules are not applied. These images were on the portal before, even those that the rules would refuse today.

use std::collections::BTreeMap;

use super::asset::Address;
use super::diff::Change;
use super::finding::{Finding, Place};
use super::ownership::Ownership;
use super::plan::Contents;
use super::state::{Content, Desired, DesiredState};

/// The desired state of the old images of `changes`: of those about `addresses`, or of all when there are none. `from`
/// is the user's name for the run. With it comes a warning for each copy that may not be the old image. The error has a
/// finding for each address that the run did not replace or delete, and for each image without a copy.
pub(crate) fn desired(
    changes: &[Change],
    contents: &Contents,
    addresses: &[Address],
    ownership: &Ownership,
    from: &str,
) -> Result<(DesiredState, Vec<Finding>), Vec<Finding>> {
    let (mut entries, mut warnings) = (BTreeMap::new(), Vec::new());
    let mut findings: Vec<_> = addresses
        .iter()
        .filter(|address| !changes.iter().any(|change| change.action.before().is_some() && about(change, address)))
        .map(|address| {
            let message = format!("{from} did not replace or delete {address}");
            Finding::error("restore", message).about(address.clone())
        })
        .collect();
    for change in
        changes.iter().filter(|change| addresses.is_empty() || addresses.iter().any(|address| about(change, address)))
    {
        let Some(before) = change.action.before() else { continue };
        let address = Address::new(change.address.kind, before.code.clone());
        let old = before.content.as_ref().and_then(|content| Some((content, contents.get(&content.sha256)?)));
        // Bytes that are not a sound PNG come back as they were, if the portal takes them.
        let taken = match old {
            Some((content, png)) => match Content::of_download(address.kind, png) {
                Ok(_) => Ok((content.clone(), png.clone())),
                Err(why) => Err(format!("the copy of {address} in {from} cannot be put back: {why}")),
            },
            None => Err(format!("{from} has no copy of the old image of {address}")),
        };
        match taken {
            Ok((content, png)) => {
                warnings.extend(change.copy_doubt().map(|doubt| {
                    let message = format!("the copy of {address} in {from} {doubt}");
                    Finding::warning("restore", message).about(address.clone())
                }));
                entries.insert(address, Desired { file: from.to_owned(), place: Place::START, png, content });
            }
            Err(message) => {
                findings
                    .push(Finding::error("restore", message).about(address).help("to restore the others, name them"));
            }
        }
    }
    if findings.is_empty() { Ok((DesiredState::of_backup(ownership, entries), warnings)) } else { Err(findings) }
}

fn about(change: &Change, address: &Address) -> bool {
    change.address.folded() == address.folded()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

    use super::*;
    use crate::domain::diff::{Action, Before, Reason};
    use crate::domain::png::testing::rgba;
    use crate::domain::testing::{Repository, address};

    /// What comes back of a run that deleted `icon/a`, which was these bytes.
    fn restored(bytes: &[u8]) -> Result<(DesiredState, Vec<Finding>), Vec<Finding>> {
        let content = Content::of(bytes);
        let contents = Contents::from([(content.sha256, bytes.into())]);
        let entry = address("icon/a");
        let before = Before { code: entry.code.clone(), file_uri: "/1".to_owned(), content: Some(content) };
        let change = Change { address: entry, action: Action::Delete(before), reason: Reason::Unsound, rename: None };
        desired(&[change], &contents, &[], Repository::declaring(&[]).ownership(), "run r")
    }

    #[test]
    fn bytes_that_are_not_sound_come_back_if_the_portal_takes_them() {
        let whole = rgba(24, 24, |_, _| [1, 2, 3, 255]);
        for bytes in [whole.as_slice(), &whole[..40]] {
            let (desired, warnings) = restored(bytes).unwrap();
            let warned: Vec<_> = warnings.iter().map(|warning| warning.message.as_str()).collect();
            let expected: &[&str] =
                if bytes == whole { &[] } else { &["the copy of icon/a in run r is not a sound PNG"] };
            assert_eq!(warned, expected);
            assert_eq!(&*desired.entries()[&address("icon/a")].png, bytes);
        }
        let other_size = rgba(48, 48, |_, _| [1, 2, 3, 255]);
        for (bytes, why) in [
            (&whole[..20], "the download is not a PNG"),
            (other_size.as_slice(), "the download is a PNG of 48×48 pixels"),
        ] {
            let findings = restored(bytes).unwrap_err();
            let told = format!("the copy of icon/a in run r cannot be put back: {why}");
            assert!(findings[0].message.starts_with(&told), "{}", findings[0].message);
        }
    }
}
