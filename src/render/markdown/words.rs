//! Words in Markdown: names in code spans, and messages as text in which no host finds anything to link, mention or
//! format.

use crate::render::prose::{ProsePart, parts};
use crate::text::{cut, escape};

/// The longest name or message, in characters: a code may have 255.
pub(super) const MAX_NAME_CHARS: usize = 300;

/// A text in a code span, cut to the maximum length. It cannot end the span, nor the cell of the table around it.
pub(super) fn code(text: &str) -> String {
    span(&cut(&escape(text).replace('|', "\\u{7c}"), MAX_NAME_CHARS))
}

/// A code span as in [`code`], of any length: a command that is cut off would do something else.
pub(super) fn whole(text: &str) -> String {
    span(&escape(text).replace('|', "\\u{7c}"))
}

/// A message as text, cut to the maximum length: text in backticks becomes a code span, and so does every word that a
/// host could interpret.
pub(super) fn prose(message: &str) -> String {
    written(&cut(message, MAX_NAME_CHARS), code)
}

/// A headline, complete: it may end in a command.
pub(super) fn headline(message: &str) -> String {
    written(message, whole)
}

fn written(message: &str, span: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for part in parts(message) {
        match part {
            ProsePart::Code(code) => push_span(&mut text, &span(code)),
            ProsePart::Text(words) => push_words(&mut text, words, &span),
        }
    }
    text
}

/// Adds words. Words that are not plain go together into one code span, up to the next closing punctuation, and so does
/// the value of an option.
fn push_words(text: &mut String, words: &str, span: impl Fn(&str) -> String) {
    let mut odd = String::new();
    for word in words.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        // Invisible characters are escaped, and spaces alone are not a word.
        let blank = if word.len() > bare.len() { " " } else { "" };
        if is_plain(bare) && !is_value(&odd, bare) {
            push_odd(text, &mut odd, &span);
            text.push_str(bare);
            text.push_str(blank);
        } else {
            odd.push_str(word);
            if bare.ends_with(CLOSING) {
                push_odd(text, &mut odd, &span);
            }
        }
    }
    push_odd(text, &mut odd, &span);
}

/// Punctuation that ends a word, a clause or a sentence.
const CLOSING: [char; 7] = ['.', ',', ';', ':', '?', '!', ')'];

/// Adds the words that are not plain, if there are any, as a code span between their punctuation.
fn push_odd(text: &mut String, odd: &mut String, span: impl Fn(&str) -> String) {
    let words = std::mem::take(odd);
    if words.is_empty() {
        return;
    }
    let ends_in_blank = words.ends_with(char::is_whitespace);
    let bare = words.trim_end();
    let opening = if bare.len() > 1 && bare.starts_with('(') { "(" } else { "" };
    let mut inner = bare.get(opening.len()..).unwrap_or_default();
    while let Some(shorter) = inner.strip_suffix(CLOSING) {
        let is_own_bracket = inner.ends_with(')') && inner.matches('(').count() >= inner.matches(')').count();
        // The colons of `:smile:` belong together.
        let is_pair = inner.starts_with(':') && inner.ends_with(':');
        if shorter.is_empty() || is_own_bracket || is_pair {
            break;
        }
        inner = shorter;
    }
    text.push_str(opening);
    push_span(text, &span(inner));
    text.push_str(bare.get(opening.len() + inner.len()..).unwrap_or_default());
    text.push_str(if ends_in_blank { " " } else { "" });
}

/// Whether a word is the value of the option before it: a number, or a placeholder such as `DIR`.
fn is_value(before: &str, word: &str) -> bool {
    let core = word.trim_end_matches(CLOSING);
    let is_number = core.bytes().all(|byte| byte.is_ascii_digit());
    let is_placeholder = core.len() > 1 && core.bytes().all(|byte| byte.is_ascii_uppercase());
    let option = before.trim_end().rsplit(' ').next().unwrap_or_default();
    option.starts_with('-') && !option.contains('=') && !core.is_empty() && (is_number || is_placeholder)
}

/// Adds a code span. Two of them side by side would be one.
fn push_span(text: &mut String, span: &str) {
    if text.ends_with('`') {
        text.push(' ');
    }
    text.push_str(span);
}

/// Whether every host takes a word as plain text: letters, digits and harmless punctuation, and neither an address nor
/// the number of an issue (`GH-1`) nor the name of a commit.
fn is_plain(word: &str) -> bool {
    let core =
        word.trim_start_matches(['(', '"', '\'']).trim_end_matches(['.', ',', ';', ':', '?', '!', ')', '"', '\'', '%']);
    let is_harmless = |character: char| character.is_alphanumeric() || ".,'/–-×·".contains(character);
    let is_number_of = core.split('-').skip(1).any(|part| part.starts_with(|first: char| first.is_ascii_digit()));
    let is_commit = core.len() >= 7 && core.bytes().all(|byte| byte.is_ascii_hexdigit());
    core.chars().all(is_harmless)
        && !core.to_ascii_lowercase().contains("www.")
        && !core.starts_with(['/', '-'])
        && !is_number_of
        && !is_commit
}

fn span(shown: &str) -> String {
    // A span of nothing, or of spaces alone, is not a span.
    if shown.trim().is_empty() {
        return "–".to_owned();
    }
    // A span ends with as many backticks as it began with; a space beside them is not part of it.
    let longest = shown.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{shown}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_stays_outside_a_span_and_a_value_inside() {
        for (message, written) in [
            ("refused (FILE_SAVE_ERROR); again", "refused (`FILE_SAVE_ERROR`); again"),
            ("since ec05a9e5fb, by hand", "since `ec05a9e5fb`, by hand"),
            ("if this is intended, pass --max-deletes 5", "if this is intended, pass `--max-deletes 5`"),
            ("name another with --state-dir DIR.", "name another with `--state-dir DIR`."),
            ("pass --yes to go on", "pass `--yes` to go on"),
            ("A_B, C_D and f(x_y)", "`A_B`, `C_D` and `f(x_y)`"),
            ("see https://example.com/a.", "see `https://example.com/a`."),
            ("@one #2 now", "`@one #2` now"),
            ("#)", "`#`)"),
            (":smile:, please", "`:smile:`, please"),
        ] {
            assert_eq!(prose(message), written);
        }
    }
}
