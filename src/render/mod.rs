//! A report as text: data in, `String` out. Whoever prints decides on colour; the text carries ANSI styles that a
//! stream without colour strips.

pub mod diff;
pub mod doctor;
pub mod export;
pub mod github;
pub mod html;
pub mod human;
pub mod init;
pub mod json;
pub mod junit;
pub mod list;
pub mod logmessage;
pub mod markdown;
mod origin;
mod outcome;
pub mod picture;
mod reason;
pub mod rules;
pub mod sarif;
pub mod schemas;
pub mod screen;
pub mod snippet;
pub mod summary;
pub mod usage;

use std::collections::BTreeMap;

use crate::domain::asset::{Address, Kind};
use crate::domain::diff::{Action, Change};
use crate::domain::ownership::Unmanaged;
use crate::domain::plan::Plan;

/// Text from a portal or a file with everything escaped that a terminal could take for a command: control characters,
/// and the marks that change the direction of text.
#[must_use]
pub fn inert(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || reorders(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Whether a character changes the direction of text, breaks its line or is not seen.
const fn reorders(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{180e}' | '\u{2060}'..='\u{2065}' | '\u{e0000}'..='\u{e0fff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}' | '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

/// A number with its noun.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The changes of a plan, the old name of a rename right below the new one.
fn in_pairs(plan: &Plan) -> Vec<&Change> {
    let is_old = |change: &Change| change.rename.is_some() && matches!(change.action, Action::Delete(_));
    let (old, others): (Vec<&Change>, Vec<&Change>) = plan.diff.changes.iter().partition(|change| is_old(change));
    let mut old: BTreeMap<&Address, &Change> = old.into_iter().map(|change| (&change.address, change)).collect();
    let mut paired = Vec::with_capacity(plan.diff.changes.len());
    for change in others {
        paired.push(change);
        paired.extend(change.rename.as_ref().and_then(|name| old.remove(name)));
    }
    // A half whose other half is not there, as in a plan that was written by hand.
    paired.extend(old.into_values());
    paired
}

/// Why an entry is left alone, in words.
fn unmanaged(kind: Kind, why: Unmanaged) -> String {
    match why {
        Unmanaged::KindAbsent => format!("the manifest has no `{}`", kind.plural()),
        Unmanaged::NotOwned => "not owned".to_owned(),
        Unmanaged::Ignored => "ignored".to_owned(),
        Unmanaged::NotPruned => "not declared, but `prune` is off".to_owned(),
        Unmanaged::Reserved => "a system entry has this code but for case".to_owned(),
    }
}
