//! Bytes → text, and the search for secrets in it.

use crate::domain::finding::{Finding, Place};

use super::checks;
use super::collector::Collector;
use crate::domain::quote::{looks_secret, webhook_at};
use crate::domain::yaml::lines;

/// The longest manifest that is read, in bytes: 10,000 entries need about a tenth of it.
pub(crate) const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The text of a manifest; without one, a finding says why.
pub(super) fn decode<'a>(bytes: &'a [u8], collector: &mut Collector<'_>) -> Option<&'a str> {
    let mut fail = |what: String, place: Option<Place>, help: &str| {
        collector.push(Finding { place, ..Finding::error(checks::TEXT, what).help(help) });
        None
    };
    if bytes.len() > MAX_BYTES {
        return fail(format!("the manifest is larger than {} MiB", MAX_BYTES >> 20), None, "is this the right file?");
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return fail("the manifest is UTF-16".to_owned(), None, "save it as UTF-8");
    }
    let (what, at, help) = match std::str::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            Some(at) => ("the manifest is not text: there is a NUL", at, "is this the right file?"),
            None => return Some(text),
        },
        Err(error) if bytes.contains(&0) || bytes.starts_with(b"\x89PNG") => {
            ("the manifest is not text: invalid UTF-8 begins", error.valid_up_to(), "is this the right file?")
        }
        Err(error) => ("the manifest is not UTF-8: invalid bytes begin", error.valid_up_to(), "save it as UTF-8"),
    };
    let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or_default());
    let (line, rest) = (1..).zip(lines(&before)).last().unwrap_or((1, ""));
    let place = Place { line, column: rest.chars().count() + 1, bytes: at..at };
    fail(format!("{what} at byte {at}"), Some(place), help)
}

/// A webhook is a password everywhere, also in comments.
pub(super) fn find_secrets(text: &str, collector: &mut Collector<'_>) {
    if !looks_secret(text) {
        return;
    }
    for (line, number) in lines(text).zip(1..) {
        if let Some(at) = webhook_at(line) {
            let column = line.get(..at).unwrap_or_default().chars().count() + 1;
            collector.push(
                Finding::error(checks::SECRET, "the manifest contains a webhook, and a webhook is a password")
                    .at(Place { line: number, column, bytes: 0..0 })
                    .help("remove it, set BITRIX24_WEBHOOK_URL instead, and create a new webhook: others may have a copy of this file"),
            );
        }
    }
}
