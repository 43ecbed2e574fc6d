//! The words of a script's text, and their places.

use std::iter::Peekable;
use std::str::FromStr;
use std::vec::IntoIter;

use crate::text;

/// An error in a script in text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct SpecError {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column, from 1, in characters.
    pub(crate) column: usize,
    /// What is wrong and what is expected.
    pub(crate) message: String,
}

/// The place of a word in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpecPlace {
    line: usize,
    column: usize,
}

impl SpecPlace {
    pub(super) fn error<T>(self, message: impl Into<String>) -> Result<T, SpecError> {
        Err(SpecError { line: self.line, column: self.column, message: message.into() })
    }
}

/// One word, without its quotes.
#[derive(Debug, Clone)]
pub(super) struct SpecWord {
    pub(super) text: String,
    pub(super) place: SpecPlace,
}

/// The words of one rule.
pub(super) struct RuleWords {
    words: Peekable<IntoIter<SpecWord>>,
    end: SpecPlace,
}

impl RuleWords {
    /// The next word; `wanted` describes it.
    pub(super) fn next(&mut self, wanted: &str) -> Result<SpecWord, SpecError> {
        match self.words.next() {
            Some(word) => Ok(word),
            None => self.end.error(format!("the rule ends too early: {wanted} is missing")),
        }
    }

    /// The next word, if there is one that satisfies `is`.
    pub(super) fn next_if(&mut self, is: impl Fn(&str) -> bool) -> Option<SpecWord> {
        self.words.next_if(|word| is(&word.text))
    }

    /// The next word as a number from `least` to `most`.
    pub(super) fn number<T: FromStr + PartialOrd>(&mut self, wanted: &str, least: T, most: T) -> Result<T, SpecError> {
        let word = self.next(wanted)?;
        match word.text.parse() {
            Ok(number) if number >= least && number <= most => Ok(number),
            _ => word.place.error(format!("{} is not {wanted}", quoted(&word.text))),
        }
    }

    /// Checks that no word is left.
    pub(super) fn finish(mut self) -> Result<(), SpecError> {
        match self.words.next() {
            None => Ok(()),
            Some(word) => {
                let text = quoted(&word.text);
                word.place.error(format!("the rule should end before {text}; rules are separated by `;` or a new line"))
            }
        }
    }
}

/// A word in a message.
pub(super) fn quoted(word: &str) -> String {
    /// A longer one would push the rest of the message out of sight.
    const MAX_CHARS: usize = 200;
    text::quote(word, MAX_CHARS)
}

/// Splits a text into rules and words. Rules end at `;` or at the end of a line, `#` at the beginning of a word makes the
/// rest of the line a comment, and a word in double quotes is written as in JSON. Rules without words are left out.
pub(super) fn rules(text: &str) -> Result<Vec<RuleWords>, SpecError> {
    let mut rules = Vec::new();
    for (text, line) in text.lines().zip(1..) {
        let (mut words, mut rest) = (Vec::new(), text);
        loop {
            rest = rest.trim_start();
            let place = SpecPlace { line, column: text.chars().count() - rest.chars().count() + 1 };
            let first = rest.chars().next();
            if matches!(first, None | Some(';' | '#')) {
                let words = std::mem::take(&mut words);
                if !words.is_empty() {
                    rules.push(RuleWords { words: words.into_iter().peekable(), end: place });
                }
                match rest.strip_prefix(';') {
                    Some(after) => rest = after,
                    None => break,
                }
                continue;
            }
            let (word, after) = if first == Some('"') { quoted_word(rest, place)? } else { bare_word(rest, place)? };
            words.push(SpecWord { text: word, place });
            rest = after;
        }
    }
    Ok(rules)
}

fn bare_word(text: &str, place: SpecPlace) -> Result<(String, &str), SpecError> {
    let end = text.find(|c: char| c.is_whitespace() || c == ';').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.contains('"') {
        return place.error("a word with quotes in it must be quoted as a whole, as in JSON: \"say \\\"no\\\"\"");
    }
    Ok((word.to_owned(), rest))
}

fn quoted_word(text: &str, place: SpecPlace) -> Result<(String, &str), SpecError> {
    let mut read = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let Some(Ok(word)) = read.next() else {
        return place.error("the quotes are not closed on this line, or their content is not a JSON string");
    };
    let rest = text.get(read.byte_offset()..).unwrap_or_default();
    if rest.starts_with(|c: char| !c.is_whitespace() && c != ';') {
        return place.error("something follows the closing quote: leave a space after it");
    }
    Ok((word, rest))
}
