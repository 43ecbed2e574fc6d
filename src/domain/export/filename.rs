//! The file name for a code, which every system can keep.
//!
//! A code may contain anything, and disks fold case, forbid characters and reserve names. Characters that every disk
//! accepts stay: `CRM Client` becomes `CRM Client.png`. Every other byte is percent-encoded, as in URLs: `Acme/fax`
//! becomes `Acme%2ffax`. Two names never collide, because they can be decoded. Where two codes of an export differ only
//! in case, which a portal should not have, their capitals are encoded too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::domain::asset::{Code, Digest};

/// The longest stem, in bytes; the longest file name is 255 on most disks, 143 on encrypted ones, and on Windows a whole
/// path may have 260.
const MAX_STEM_BYTES: usize = 120;

/// How many bytes of a longer stem are kept.
const KEPT_BYTES: usize = 48;

/// The names of devices, which Windows reserves with any extension: `nul.png` is not a file there.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The names of devices that are followed by a digit.
const NUMBERED: [&str; 2] = ["com", "lpt"];

/// The spelling of capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Capitals {
    /// As they are.
    Kept,
    /// Percent-encoded: another code of the export differs from this one only in case.
    Encoded,
}

/// The file name for a code, without its extension.
pub(crate) fn stem(code: &Code, capitals: Capitals) -> String {
    let code = code.as_str();
    let device = is_device(code);
    let last = code.len().saturating_sub(1);
    let mut stem = String::with_capacity(code.len());
    for (at, byte) in code.bytes().enumerate() {
        let plain = match byte {
            b'a'..=b'z' => at > 0 || !device,
            b'A'..=b'Z' => capitals == Capitals::Kept && (at > 0 || !device),
            b'0'..=b'9' | b'_' => true,
            // Hidden files begin with a dot, and options with a dash.
            b'.' | b'-' => at > 0,
            // A space at an end is invisible.
            b' ' => at > 0 && at < last,
            b'+' | b',' | b'=' | b'@' | b'(' | b')' | b'#' | b'!' | b'&' | b'\'' | b'[' | b']' => at > 0,
            _ => false,
        };
        if plain {
            stem.push(char::from(byte));
        } else {
            let _ = write!(stem, "%{byte:02x}");
        }
    }
    if !stem.is_empty() && stem.len() <= MAX_STEM_BYTES {
        return stem;
    }
    // `%%` is in no other name.
    let kept = (0..=KEPT_BYTES).rev().find_map(|end| stem.get(..end).filter(|kept| is_whole(kept))).unwrap_or_default();
    format!("{kept}%%{}", Digest::of(code.as_bytes()))
}

/// The codes of an export that differ from another one only in case.
#[derive(Debug, Default)]
pub(super) struct Alike(BTreeSet<String>);

impl Alike {
    /// Those among `codes`, which are of one kind; a code that is listed twice is not another one.
    pub(super) fn of<'a>(codes: impl Iterator<Item = &'a Code>) -> Self {
        let mut spellings: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for code in codes {
            spellings.entry(code.as_str().to_ascii_lowercase()).or_default().insert(code.as_str());
        }
        Self(spellings.into_iter().filter(|(_, spellings)| spellings.len() > 1).map(|(folded, _)| folded).collect())
    }

    pub(super) fn capitals(&self, code: &Code) -> Capitals {
        if self.0.contains(&code.as_str().to_ascii_lowercase()) { Capitals::Encoded } else { Capitals::Kept }
    }
}

/// Whether no percent-encoded byte is cut at the end.
fn is_whole(stem: &str) -> bool {
    !stem.bytes().rev().take(2).any(|byte| byte == b'%')
}

fn is_device(code: &str) -> bool {
    // Windows overlooks case, and spaces before the dot.
    let name = code.split('.').next().unwrap_or_default().trim_end_matches(' ').to_ascii_lowercase();
    let mut numbered = NUMBERED.iter().filter_map(|device| name.strip_prefix(device));
    let is_digit = |number: &str| number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit());
    DEVICES.contains(&name.as_str()) || numbered.any(is_digit)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(code: &str) -> String {
        stem(&Code::new(code), Capitals::Kept)
    }

    #[test]
    fn plain_codes_stay_as_they_are_and_others_are_encoded() {
        for (code, expected) in [
            ("acme-call.2_x", "acme-call.2_x"),
            ("Acme-Call", "Acme-Call"),
            ("CRM Client", "CRM Client"),
            ("Deal #7 (50+)", "Deal #7 (50+)"),
            (" a ", "%20a%20"),
            ("a:b*c?", "a%3ab%2ac%3f"),
            ("../../x", "%2e.%2f..%2fx"),
            ("..", "%2e."),
            (".hidden", "%2ehidden"),
            ("-rf", "%2drf"),
            ("con", "%63on"),
            ("CON", "%43ON"),
            ("Con .x", "%43on .x"),
            ("nul.png", "%6eul.png"),
            ("com1", "%63om1"),
            ("com10", "com10"),
            ("console", "console"),
            ("a b.", "a b."),
            ("a%2fb", "a%252fb"),
            ("ü", "%c3%bc"),
            ("C:\\x\0", "C%3a%5cx%00"),
        ] {
            assert_eq!(of(code), expected);
        }
        assert_eq!(of(&"x".repeat(MAX_STEM_BYTES)), "x".repeat(MAX_STEM_BYTES));
        let long = of(&"/".repeat(255));
        assert!(
            long.starts_with(&format!("{}%%", "%2f".repeat(KEPT_BYTES / 3))) && long.len() <= MAX_STEM_BYTES,
            "{long}"
        );
        assert!(of("").starts_with("%%"));
        assert_eq!(stem(&Code::new("Acme Fax"), Capitals::Encoded), "%41cme %46ax");
    }

    /// Whether Windows, macOS and a shell take it as an ordinary file's name.
    fn is_safe(name: &str) -> bool {
        let reserved = ["con", "prn", "aux", "nul"].map(str::to_owned).into_iter();
        let mut reserved = reserved.chain((0..10).flat_map(|n| [format!("com{n}"), format!("lpt{n}")]));
        let first = name.split('.').next().unwrap().trim_end().to_lowercase();
        name.len() <= 255
            && !name.starts_with(['.', '-', ' '])
            && name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"<>:\"/\\|?*".contains(&byte))
            && !name.ends_with(" .png")
            && !reserved.any(|device| device == first)
    }

    fn codes() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{0,255}",
            "[aA./\\\\%\0 ]{0,6}",
            "(con|nul|prn|aux|com[0-9]|lpt[0-9])(\\.png)?[a. ]{0,2}",
            "[ -~]{0,255}",
            "(%[0-9a-f]{2}){0,4}",
        ]
    }

    proptest! {
        #[test]
        fn every_name_is_safe_and_no_two_codes_share_one(codes in proptest::collection::btree_set(codes(), 1..40)) {
            let codes: Vec<Code> = codes.iter().map(|code| Code::new(code.as_str())).collect();
            let alike = Alike::of(codes.iter());
            let mut names: BTreeMap<String, String> = BTreeMap::new();
            for code in &codes {
                let name = format!("{}.png", stem(code, alike.capitals(code)));
                prop_assert!(is_safe(&name), "{code:?} {name}");
                // On disks that fold case, too.
                if let Some(other) = names.insert(name.to_lowercase(), code.to_string()) {
                    prop_assert_eq!(other, code.to_string(), "{}", name);
                }
            }
        }
    }
}
