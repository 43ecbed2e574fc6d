//! Texts → scalars of YAML.

use std::fmt::Write as _;

use crate::domain::quote::looks_secret;
use crate::text::is_plain;

/// A scalar that every YAML reader takes as this text: plain if no reader, old or new, reads it as another type.
pub(crate) fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let is_simple = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'))
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_simple && !looks_secret(text) { text.to_owned() } else { double_quoted(text) }
}

/// A text in double quotes, with everything escaped that cannot be seen. A code may look like a webhook, which is refused
/// in a manifest, without being one: its slashes are escaped too.
pub(crate) fn double_quoted(text: &str) -> String {
    let is_hidden = looks_secret(text);
    let mut quoted = "\"".to_owned();
    for character in text.chars() {
        let _ = match character {
            '"' | '\\' => write!(quoted, "\\{character}"),
            '/' if is_hidden => write!(quoted, "\\u002F"),
            _ if is_plain(character) => write!(quoted, "{character}"),
            '\0'..='\u{ffff}' => write!(quoted, "\\u{:04X}", u32::from(character)),
            _ => write!(quoted, "\\U{:08X}", u32::from(character)),
        };
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_quoted_where_yaml_would_take_them_for_more_than_text() {
        for text in ["acme-call", "A.b_c-1", "icons/call.png"] {
            assert_eq!(scalar(text), text);
        }
        for text in ["no", "Null", "1e3", "-a", "a: b", "a #b", "\u{202e}\u{1b}[31m\n", "`|<!--", "😀", "", "*", "~"]
        {
            let quoted = scalar(text);
            assert!(quoted.starts_with('"') && !quoted.contains(['\n', '\u{1b}', '\u{202e}']), "{quoted}");
        }
        assert_eq!(scalar("it's \"\\\u{e0041}"), "\"it's \\\"\\\\\\U000E0041\"");
        assert!(!looks_secret(&scalar("/rest/1/abcdefgh12345678")));
    }

    proptest! {
        #[test]
        fn a_scalar_reads_back_as_its_text(text in "\\PC{0,12}|[ -~\n\t\u{0}\u{85}\u{2028}\u{feff}\u{e0041}]{0,12}|(https?://a)?/rest/[0-9]/[a-z0-9]{8}") {
            for written in [scalar(&text), double_quoted(&text)] {
                prop_assert_eq!(&serde_saphyr::from_str::<String>(&written).unwrap(), &text, "{}", written);
            }
        }
    }
}
