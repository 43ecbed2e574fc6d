//! The words of a script in text, and where each stands.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::FromStr;
use std::vec::IntoIter;

/// What is wrong with a script in text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct SpecError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong and what was expected.
    pub message: String,
}

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    line: usize,
    column: usize,
}

impl At {
    pub(super) fn error<T>(self, message: impl Into<String>) -> Result<T, SpecError> {
        Err(SpecError { line: self.line, column: self.column, message: message.into() })
    }
}

/// One word, without its quotes.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) at: At,
}

/// The words of one rule.
pub(super) struct Words {
    words: Peekable<IntoIter<Word>>,
    end: At,
}

impl Words {
    /// The next word; `wanted` says what it should be.
    pub(super) fn next(&mut self, wanted: &str) -> Result<Word, SpecError> {
        match self.words.next() {
            Some(word) => Ok(word),
            None => self.end.error(format!("the rule ends too early: {wanted} is missing")),
        }
    }

    /// The next word, if there is one and it is such.
    pub(super) fn next_if(&mut self, is: impl Fn(&str) -> bool) -> Option<Word> {
        self.words.next_if(|word| is(&word.text))
    }

    /// The next word as a number from `least` to `most`.
    pub(super) fn number<T: FromStr + PartialOrd>(&mut self, wanted: &str, least: T, most: T) -> Result<T, SpecError> {
        let word = self.next(wanted)?;
        match word.text.parse() {
            Ok(number) if number >= least && number <= most => Ok(number),
            _ => word.at.error(format!("`{}` is not {wanted}", word.text.escape_debug())),
        }
    }

    /// Nothing may be left.
    pub(super) fn finish(mut self) -> Result<(), SpecError> {
        match self.words.next() {
            None => Ok(()),
            Some(word) => {
                let text = word.text.escape_debug();
                word.at.error(format!("the rule should end before `{text}`; rules are separated by `;` or a new line"))
            }
        }
    }
}

/// Takes a text apart: rules end at `;` or at the end of a line, `#` at the beginning of a word makes the rest of the
/// line a remark, and a word in double quotes is written as in JSON. Rules without words are left out.
pub(super) fn rules(text: &str) -> Result<Vec<Words>, SpecError> {
    let mut rules = Vec::new();
    for (text, line) in text.lines().zip(1..) {
        let (mut words, mut rest) = (Vec::new(), text);
        loop {
            rest = rest.trim_start();
            let at = At { line, column: text.chars().count() - rest.chars().count() + 1 };
            let first = rest.chars().next();
            if matches!(first, None | Some(';' | '#')) {
                let words = std::mem::take(&mut words);
                if !words.is_empty() {
                    rules.push(Words { words: words.into_iter().peekable(), end: at });
                }
                match rest.strip_prefix(';') {
                    Some(after) => rest = after,
                    None => break,
                }
                continue;
            }
            let (word, after) = if first == Some('"') { quoted(rest, at)? } else { bare(rest, at)? };
            words.push(Word { text: word, at });
            rest = after;
        }
    }
    Ok(rules)
}

fn bare(text: &str, at: At) -> Result<(String, &str), SpecError> {
    let end = text.find(|c: char| c.is_whitespace() || c == ';').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.contains('"') {
        return at.error("a word with quotes in it must be quoted as a whole, as in JSON: \"say \\\"no\\\"\"");
    }
    Ok((word.to_owned(), rest))
}

fn quoted(text: &str, at: At) -> Result<(String, &str), SpecError> {
    let mut read = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let Some(Ok(word)) = read.next() else {
        return at.error("the quotes are not closed on this line, or hold what no JSON string holds");
    };
    let rest = text.get(read.byte_offset()..).unwrap_or_default();
    if rest.starts_with(|c: char| !c.is_whitespace() && c != ';') {
        return at.error("something follows the closing quote: leave a space after it");
    }
    Ok((word, rest))
}

/// A word as it is to be written.
pub(super) fn written(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, ';' | '#' | '"');
    if !text.is_empty() && text.chars().all(is_plain) {
        text.into()
    } else {
        // A string is always representable.
        serde_json::Value::from(text).to_string().into()
    }
}
