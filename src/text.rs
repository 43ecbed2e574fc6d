//! Small functions on text that every room uses: show text that someone else wrote, count things, cut long text, find
//! which of several names was meant.
//!
//! Messages hold raw text: they have a code as the portal spells it. It is escaped once, by the room that prints it
//! (`render` or `cli`), with [`escape`].

use std::borrow::Cow;
use std::fmt::Display;
use std::path::{MAIN_SEPARATOR, Path};

/// Text from a portal or a file, with every character escaped that a terminal could read as a command, that changes the
/// direction of writing, or that is invisible. Quotes and backslashes stay as they are.
///
/// So is the `[` of `##[` and `##vso[`, with which GitHub and Azure begin a command anywhere in a line of a log.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            '[' if safe.ends_with("##") || safe.ends_with("##vso") => safe.extend(character.escape_unicode()),
            _ if is_plain(character) => safe.push(character),
            _ => safe.extend(character.escape_unicode()),
        }
    }
    Cow::Owned(safe)
}

/// What a value displays, escaped as by [`escape`].
pub(crate) fn escaped(value: impl Display) -> String {
    escape(&value.to_string()).into_owned()
}

/// JSON with everything in its strings escaped that [`escape`] escapes, which JSON itself does not require: a terminal
/// shows what is there, and a program reads the same text. Outside strings, the only such characters in JSON are line
/// breaks.
pub(crate) fn escape_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        if is_plain(character) || character == '\n' {
            safe.push(character);
        } else {
            safe.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    safe
}

/// Whether a character is shown as itself: it is not a control character, does not change the direction of writing,
/// does not break the line and is not invisible.
pub fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The text in backticks, unescaped: the code that prints the message escapes it. Cut at `max_chars` characters.
pub(crate) fn quote(text: &str, max_chars: usize) -> String {
    format!("`{}`", cut(text, max_chars))
}

/// The first `max_chars` characters of a text, with `…` if there are more.
pub(crate) fn cut(text: &str, max_chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max_chars) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
    }
}

/// A word of a command line, in quotes if a shell would not read it as one plain word.
pub(crate) fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/-_.".contains(character);
    if text.chars().all(is_plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
    }
}

/// A number with its noun: "1 entry", "2 entries".
pub(crate) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A path as people and annotations read it on every system: with `/` between its parts.
pub(crate) fn slashed(path: &Path) -> String {
    let shown = path.display().to_string();
    if MAIN_SEPARATOR == '/' { shown } else { shown.replace(MAIN_SEPARATOR, "/") }
}

/// Several names in backticks: "`a`, `b` or `c`".
pub(crate) fn listed(names: &[&str], joint: &str) -> String {
    match names {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("{} {joint} `{last}`", first.join(", "))
        }
    }
}

/// The first names in backticks, and how many more there are: "`a`, `b`, and 3 more".
pub(crate) fn first_names(names: impl ExactSizeIterator<Item: Display>, max: usize) -> String {
    let more = names.len().saturating_sub(max);
    let more = (more > 0).then(|| format!("and {more} more"));
    names.take(max).map(|name| format!("`{name}`")).chain(more).collect::<Vec<_>>().join(", ")
}

/// The one of `names` that `word` probably means: the same except for case, hyphens and spaces, or else the most
/// similar one.
pub(crate) fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    /// A longer word is not a typo, and comparing it takes long.
    const MAX_CHARS: usize = 80;
    if word.chars().nth(MAX_CHARS).is_some() {
        return None;
    }
    let folded = word.to_lowercase();
    let alike = folded.replace(['-', ' '], "_");
    names
        .iter()
        .copied()
        .find(|name| name.to_lowercase().replace('-', "_") == alike)
        .or_else(|| similar::get_close_matches(folded.as_str(), names, 1, 0.7).first().copied())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_only_where_it_could_do_harm() {
        assert_eq!(escape("it's a \\ \"quote\" – ключ 鍵"), "it's a \\ \"quote\" – ключ 鍵");
        assert!(matches!(escape("acme-it's"), Cow::Borrowed(_)));
        assert_eq!(escape("a\u{1b}[31m\n\r\t\0b"), "a\\u{1b}[31m\\n\\r\\t\\u{0}b");
        for hidden in ['\u{202e}', '\u{200b}', '\u{2028}', '\u{feff}', '\u{ad}', '\u{e0041}', '\u{9b}', '\u{7f}'] {
            assert_eq!(escape(&hidden.to_string()), hidden.escape_unicode().to_string());
        }
        assert_eq!(escape("a ##[error]b ##vso[x]"), "a ##\\u{5b}error]b ##vso\\u{5b}x]");
        assert_eq!(escape("# a ## b #[c] [d]"), "# a ## b #[c] [d]");
        assert_eq!(escape(&escape("a\u{7}b")), escape("a\u{7}b"), "what is escaped stays as it is");
    }

    #[test]
    fn json_says_the_same_with_escapes() {
        let text = "it's \"– ключ\u{202e}\u{9b}\u{e0041}\n\u{7f}";
        let escaped = escape_json(&serde_json::to_string(text).unwrap());
        assert_eq!(escaped, r#""it's \"– ключ\u202e\u009b\udb40\udc41\n\u007f""#);
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("ключ", 4), "ключ");
        assert_eq!(cut("ключи", 4), "ключ…");
        assert_eq!(cut("", 0), "");
        assert_eq!(quote("abc", 2), "`ab…`");
        assert_eq!(quote("it's", 80), "`it's`");
    }

    #[test]
    fn things_are_counted_and_listed() {
        assert_eq!(plural(1, "entry", "entries"), "1 entry");
        assert_eq!(plural(0, "entry", "entries"), "0 entries");
        assert_eq!(listed(&[], "or"), "");
        assert_eq!(listed(&["a"], "or"), "`a`");
        assert_eq!(listed(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
        assert_eq!(first_names(["a", "b"].iter(), 2), "`a`, `b`");
        assert_eq!(first_names(["a", "b", "c"].iter(), 2), "`a`, `b`, and 1 more");
    }

    #[test]
    fn a_shell_takes_a_word_for_what_it_says() {
        assert_eq!(shell_word("icon/acme-call"), "icon/acme-call");
        assert_eq!(shell_word("icon/it's $(x)"), r"'icon/it'\''s $(x)'");
    }

    #[test]
    fn the_nearest_name_is_meant() {
        let names = ["owns", "icons", "max_deletes", "low-contrast"];
        assert_eq!(nearest("own", &names), Some("owns"));
        assert_eq!(nearest("max-deletes", &names), Some("max_deletes"));
        assert_eq!(nearest("Low_Contrast", &names), Some("low-contrast"));
        assert_eq!(nearest("zebra", &names), None);
        assert_eq!(nearest(&"owns".repeat(30), &names), None);
    }
}
