//! Edits of the one line of a manifest that declares an entry. Comments, order, quotes and line ends stay as they are.

use std::collections::BTreeMap;

use super::{Entry, Manifest, Section, parse};
use crate::domain::asset::{Address, Code};
use crate::domain::finding::Place;
use crate::domain::yaml::scalar;

/// The line that declares an entry with a file, as it stands below `icons:` or `logos:`.
pub(crate) fn line(address: &Address, file: &str) -> String {
    format!("{}: {}", scalar(address.code.as_str()), scalar(file))
}

/// The text of a manifest in which the entry at `address` is declared with `file`. `None` if one line cannot do that
/// without changing the meaning of another, for example of an anchor.
pub(crate) fn with_file(text: &str, address: &Address, file: &str) -> Option<String> {
    let manifest = parse(text.as_bytes(), "").0?;
    let Some(Section::Entries(entries)) = manifest.section(address.kind) else { return None };
    let edited = match entries.get(&address.code) {
        Some(entry) => changed(text, entry, file)?,
        None => added(text, entries, &line(address, file))?,
    };
    // The edited text must mean exactly this.
    let found = parse(edited.as_bytes(), "").0?;
    (without_places(found) == declaring(without_places(manifest), address, file)).then_some(edited)
}

/// The text with another file in an entry's line.
fn changed(text: &str, entry: &Entry, file: &str) -> Option<String> {
    let Entry { path_place, place, .. } = entry;
    if path_place != place {
        let (before, after) = (text.get(..path_place.bytes.start)?, text.get(path_place.bytes.end..)?);
        return Some([before, &scalar(file), after].concat());
    }
    // Only the colon follows the key.
    let colon = place.bytes.end + text.get(place.bytes.end..)?.find(':')? + 1;
    Some([text.get(..colon)?, " ", &scalar(file), text.get(colon..)?].concat())
}

/// The text with a line more, below the last entry of a section.
fn added(text: &str, entries: &BTreeMap<Code, Entry>, line: &str) -> Option<String> {
    let last = entries.values().max_by_key(|entry| entry.place.bytes.start)?;
    let begin = text.get(..last.place.bytes.start)?.rfind('\n').map_or(0, |end| end + 1);
    let indent = text.get(begin..last.place.bytes.start)?;
    let end = last.path_place.bytes.end;
    let end = text.get(end..)?.find('\n').map_or(text.len(), |rest| end + rest);
    let (before, after) = text.split_at_checked(end)?;
    let (before, line_end) = before.strip_suffix('\r').map_or((before, "\n"), |before| (before, "\r\n"));
    Some([before, line_end, indent, line, if line_end == "\r\n" { "\r" } else { "" }, after].concat())
}

/// The manifest in which an entry is declared with a file.
fn declaring(mut manifest: Manifest, address: &Address, file: &str) -> Manifest {
    if let Some(Section::Entries(entries)) = manifest.section_mut(address.kind) {
        let entry = Entry { path: file.to_owned(), path_place: Place::START, place: Place::START };
        entries.insert(address.code.clone(), entry);
    }
    manifest
}

/// The manifest as it would be wherever it is written.
fn without_places(mut manifest: Manifest) -> Manifest {
    for section in [&mut manifest.icons, &mut manifest.logos].into_iter().flatten() {
        match section {
            Section::Folder { place, .. } => *place = Place::START,
            Section::Entries(entries) => {
                for entry in entries.values_mut() {
                    (entry.path_place, entry.place) = (Place::START, Place::START);
                }
            }
        }
    }
    manifest
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    const TEXT: &str = "# ours\nversion: 1\nowns: ['acme-*'] # all of them\n\nicons: # the round ones\n  acme-call: icons/call.png # blue\n  \"acme-fax\": {file: 'icons/fax.png'}\n  acme-paid: # by its code\n\n# the square ones\nlogos:\n  acme-brand: logos/brand.png\n";

    fn edited(text: &str, address: &str, file: &str) -> Option<String> {
        with_file(text, &address.parse().unwrap(), file)
    }

    #[test]
    fn one_line_is_changed_and_nothing_else() {
        for (address, old, new) in [
            ("icon/acme-call", "icons/call.png #", "icons/new.png #"),
            ("icon/acme-fax", "{file: 'icons/fax.png'}", "{file: icons/new.png}"),
            ("icon/acme-paid", "acme-paid: #", "acme-paid: icons/new.png #"),
        ] {
            assert_eq!(edited(TEXT, address, "icons/new.png").unwrap(), TEXT.replacen(old, new, 1), "{address}");
        }
        let spaced = edited(TEXT, "icon/acme-call", "icons/a b.png").unwrap();
        assert_eq!(spaced, TEXT.replacen("icons/call.png #", "\"icons/a b.png\" #", 1));
    }

    #[test]
    fn a_line_is_added_below_the_last_entry_of_its_kind() {
        let paid = "  acme-paid: # by its code\n";
        let expected = TEXT.replacen(paid, &format!("{paid}  acme-new: icons/new.png\n"), 1);
        assert_eq!(edited(TEXT, "icon/acme-new", "icons/new.png").unwrap(), expected);
        assert_eq!(
            edited(TEXT.trim_end(), "logo/acme-no", "logos/no.png").unwrap(),
            format!("{TEXT}  acme-no: logos/no.png")
        );
        let dos = TEXT.replace('\n', "\r\n");
        assert_eq!(edited(&dos, "icon/acme-new", "icons/new.png").unwrap(), expected.replace('\n', "\r\n"));
    }

    #[test]
    fn what_one_line_cannot_say_is_left() {
        for (why, text) in [
            ("an anchor", "icons:\n  acme-call: &it icons/call.png\n  acme-fax: *it\n"),
            ("a folder", "icons: icons/\n"),
            ("a section without an entry", "icons: {}\n"),
            ("no section", "logos:\n  acme-call: logos/call.png\n"),
            ("a word for nothing", "icons:\n  acme-call: ~\n"),
            ("a scalar of two lines", "icons:\n  acme-call: icons/a\n    b.png\n"),
            ("a mistake", "icons:\n  acme-call: icons/call.png\n  acme-call: icons/call.png\n"),
        ] {
            let text = format!("version: 1\nowns: ['acme-*']\n{text}");
            assert_eq!(edited(&text, "icon/acme-call", "icons/new.png"), None, "{why}");
        }
        let alias = "version: 1\nowns: ['acme-*']\nicons:\n  acme-call: &it icons/call.png\n  acme-fax: *it\n";
        let taken = edited(alias, "icon/acme-fax", "icons/new.png").unwrap();
        assert_eq!(taken, alias.replace("*it", "icons/new.png"));
    }
}
