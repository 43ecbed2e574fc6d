//! The secrets that must not get into any text, and how they are taken out of what a server says. The set can grow, since
//! tokens are renewed.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::text;

/// The most characters of a server's words in a message.
const MAX_QUOTED_CHARS: usize = 120;

/// The text that replaces a secret.
pub(super) const MASK: &str = "[secret]";

/// A beginning of a secret of at least this many characters is hidden like the whole: an answer may be cut inside the
/// secret.
const MIN_PREFIX: usize = 6;
/// The same for a secret in Base64.
const MIN_BASE64_PREFIX: usize = 8;
/// This many first characters identify a secret in data, because they do not occur there by chance; as a whole word,
/// fewer are enough.
const SURE_PREFIX: usize = 12;

/// The secrets of one access, in every spelling.
#[derive(Default)]
pub(super) struct Redactor {
    secrets: RefCell<Secrets>,
}

/// The secrets that are hidden.
struct Secrets {
    /// The longest first.
    spellings: Vec<Spelling>,
    /// The bytes that one of them can begin with, however it is written.
    begins: Box<[bool; 256]>,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { spellings: Vec::new(), begins: Box::new([false; 256]) }
    }
}

impl Secrets {
    fn add(&mut self, text: String, min_prefix: usize) {
        if self.spellings.iter().any(|known| known.text.expose_secret() == text) {
            return;
        }
        let first = text.bytes().next().into_iter();
        for byte in first.flat_map(|byte| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]).chain(*b"%\\&") {
            if let Some(begins) = self.begins.get_mut(usize::from(byte)) {
                *begins = true;
            }
        }
        self.spellings.push(Spelling { text: SecretString::from(text), min_prefix });
        self.spellings.sort_by_key(|spelling| Reverse(spelling.text.expose_secret().len()));
    }

    /// The secret that begins at a place of a text.
    fn at(&self, text: &str, at: usize) -> Option<Match> {
        let byte = text.as_bytes().get(at)?;
        if self.begins.get(usize::from(*byte)) != Some(&true) || !text.is_char_boundary(at) {
            return None;
        }
        let found = self.spellings.iter().filter_map(|spelling| spelling.at(text.as_bytes(), at));
        found.max_by_key(|found| (found.end, found.sure))
    }
}

/// One way to write a secret.
struct Spelling {
    text: SecretString,
    /// How many of its first characters are enough.
    min_prefix: usize,
}

/// A place in a text where a secret stands, or the beginning of one.
struct Match {
    start: usize,
    end: usize,
    /// Whether it is too much of the secret to be there by chance.
    sure: bool,
}

impl Redactor {
    /// Hides one more secret from here on; those before it stay hidden.
    pub(super) fn hide(&self, secret: &str) {
        let plain = percent_decode_str(secret).decode_utf8_lossy().into_owned();
        if plain.is_empty() {
            return;
        }
        let mut known = self.secrets.borrow_mut();
        let mut spellings = Vec::new();
        if plain.len() >= MIN_PREFIX {
            spellings.extend(in_base64(plain.as_bytes()).into_iter().map(|text| (text, MIN_BASE64_PREFIX)));
            let hex: String = plain.bytes().map(|byte| format!("{byte:02x}")).collect();
            spellings.push((hex, 2 * MIN_PREFIX));
        }
        spellings.push((plain, MIN_PREFIX));
        for (text, min_prefix) in spellings {
            known.add(text, min_prefix);
        }
    }

    /// The text without the secrets, in any spelling, and without beginnings of them.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut kept = String::with_capacity(text.len());
        let mut from = 0;
        for Match { start, end, .. } in self.matches(text) {
            kept.push_str(text.get(from..start).unwrap_or_default());
            kept.push_str(MASK);
            from = end;
        }
        kept.push_str(text.get(from..).unwrap_or_default());
        kept
    }

    /// Whether data holds a secret, or enough of one.
    pub(super) fn is_in(&self, data: &str) -> bool {
        let is_part = |at: Option<char>| at.is_some_and(char::is_alphanumeric);
        self.matches(data).iter().any(|found| {
            let before = data.get(..found.start).and_then(|before| before.chars().next_back());
            let after = data.get(found.end..).and_then(|after| after.chars().next());
            found.sure || !(is_part(before) || is_part(after))
        })
    }

    /// Takes the secrets out of every text of an answer.
    pub(super) fn redact_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if !self.matches(text).is_empty() {
                    *text = self.redact(text);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_value(item)),
            Value::Object(fields) => {
                if fields.keys().any(|name| !self.matches(name).is_empty()) {
                    let named = std::mem::take(fields).into_iter();
                    *fields = named.map(|(name, value)| (self.redact(&name), value)).collect();
                }
                fields.values_mut().for_each(|value| self.redact_value(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Whether an answer holds a secret anywhere but in the words of an error, which are redacted when they are read.
    pub(super) fn is_in_value(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.is_in(text),
            Value::Array(items) => items.iter().any(|item| self.is_in_value(item)),
            Value::Object(fields) => fields.iter().any(|(name, value)| {
                let is_error = matches!(name.as_str(), "error" | "error_description");
                self.is_in(name) || (!is_error && self.is_in_value(value))
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// A server's words for a message: the first line that is not empty, without any secret, cut, without a full stop.
    /// They are otherwise raw: the code that prints the message escapes it.
    pub(super) fn quote(&self, text: &str) -> String {
        // Redacting comes first: a secret that is cut would not be found.
        let text = self.redact(text);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        text::cut(line.trim_end_matches('.'), MAX_QUOTED_CHARS).into_owned()
    }

    /// The places of secrets and of their beginnings, in order.
    fn matches(&self, text: &str) -> Vec<Match> {
        let known = self.secrets.borrow();
        let mut found = Vec::new();
        let mut at = 0;
        while at < text.len() {
            match known.at(text, at) {
                Some(mut longest) => {
                    while !text.is_char_boundary(longest.end) {
                        longest.end += 1;
                    }
                    at = longest.end;
                    found.push(longest);
                }
                None => at += 1,
            }
        }
        found
    }
}

impl Spelling {
    /// The part of the secret at a place of a text, if that is enough of it.
    fn at(&self, text: &[u8], start: usize) -> Option<Match> {
        let secret = self.text.expose_secret().as_bytes();
        let (mut end, mut count) = (start, 0);
        for expected in secret {
            let seen = end + if count == 0 { 0 } else { unseen(text.get(end..).unwrap_or_default()) };
            let rest = text.get(seen..).unwrap_or_default();
            let read = |reader: &fn(&[u8]) -> Option<(u8, usize)>| {
                reader(rest).filter(|(byte, _)| byte.eq_ignore_ascii_case(expected))
            };
            let Some((_, length)) = [literal as fn(&[u8]) -> _, percent, json, html].iter().find_map(read) else {
                break;
            };
            (end, count) = (seen + length, count + 1);
        }
        let whole = count == secret.len();
        (whole || count >= self.min_prefix).then_some(Match { start, end, sure: whole || count >= SURE_PREFIX })
    }
}

/// The byte that a text begins with, as it is, and how many bytes that takes.
fn literal(text: &[u8]) -> Option<(u8, usize)> {
    text.first().map(|byte| (*byte, 1))
}

/// How many invisible bytes a text begins with: a page in UTF-16 has a NUL in every character, and others have marks
/// between letters.
fn unseen(text: &[u8]) -> usize {
    const MARKS: [&str; 7] = ["\0", "\u{ad}", "\u{200b}", "\u{200c}", "\u{200d}", "\u{2060}", "\u{feff}"];
    let mut rest = text;
    while let Some(next) = MARKS.iter().find_map(|mark| rest.strip_prefix(mark.as_bytes())) {
        rest = next;
    }
    text.len() - rest.len()
}

/// The same, written as in `%41`.
fn percent(text: &[u8]) -> Option<(u8, usize)> {
    let [b'%', rest @ ..] = text else { return None };
    Some((number(rest.get(..2)?, 16)?, 3))
}

/// The same, written as in `\u0041`, `\x41` or `\/`.
fn json(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'\\', b'u', rest @ ..] => Some((number(rest.get(..4)?, 16)?, 6)),
        [b'\\', b'x', rest @ ..] => Some((number(rest.get(..2)?, 16)?, 4)),
        [b'\\', byte, ..] => Some((*byte, 2)),
        _ => None,
    }
}

/// The same, written as in `&#65;` or `&#x41;`.
fn html(text: &[u8]) -> Option<(u8, usize)> {
    let [b'&', b'#', rest @ ..] = text else { return None };
    let length = rest.iter().take(8).position(|byte| *byte == b';')?;
    let byte = match rest.get(..length)? {
        [b'x' | b'X', digits @ ..] => number(digits, 16)?,
        digits => number(digits, 10)?,
    };
    Some((byte, length + 3))
}

fn number(digits: &[u8], radix: u32) -> Option<u8> {
    u8::try_from(u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?).ok()
}

/// The Base64 forms of bytes at any position in the encoded data: only the characters that depend on no other bytes.
fn in_base64(secret: &[u8]) -> Vec<String> {
    let mut spellings = Vec::new();
    for before in 0..3 {
        let bytes = [vec![0; before], secret.to_vec()].concat();
        let (first, last) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            spellings.extend(encoded.get(first..last).map(str::to_owned));
        }
    }
    spellings
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr3tS3cr3t";

    fn hiding(secret: &str) -> Redactor {
        let redactor = Redactor::default();
        redactor.hide(secret);
        redactor
    }

    #[test]
    fn a_secret_is_taken_out_in_every_spelling() {
        let redactor = hiding("a%2Bb-c_d");
        let text = "1 /a%2Bb-c_d/ 2 a+b-c_d 3 a%2Bb%2Dc%5Fd 4 A%2bB-C_D 5";
        assert_eq!(redactor.redact(text), "1 /[secret]/ 2 [secret] 3 [secret] 4 [secret] 5");
        assert_eq!(redactor.redact("ünïcode äußerst fein"), "ünïcode äußerst fein");
    }

    #[test]
    fn encodings_hide_nothing() {
        let redactor = hiding(SECRET);
        for text in [
            "s3cr3tS3cr3t",
            "%733cr%33tS3cr3t",
            "%73%33%63%72%33%74%53%33%63%72%33%74",
            r"s3cr3t\u00533cr3t",
            "s3cr3t&#83;3cr3t",
            "s3cr3t&#x53;3cr3t",
            r"\x73\x33cr3tS3cr3t",
            "733363723374533363723374",
            "733363723374533363723374".to_ascii_uppercase().as_str(),
            "s\u{0}3\u{0}c\u{0}r\u{0}3\u{0}t\u{0}S\u{0}3\u{0}c\u{0}r\u{0}3\u{0}t",
            "s3c\u{200b}r3t\u{ad}S3cr3t",
        ] {
            assert_eq!(redactor.redact(&format!("a/{text}/b")), "a/[secret]/b", "{text}");
        }
        for before in ["", "a", "ab", "abc", "user:"] {
            for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let text = engine.encode(format!("{before}{SECRET}/batch"));
                let shown = redactor.redact(&text);
                assert!(shown.contains(MASK) && shown.len() < text.len(), "{before}: {shown}");
            }
        }
    }

    #[test]
    fn an_answer_may_be_cut_inside_a_secret() {
        let redactor = hiding(SECRET);
        for length in 6..=SECRET.len() {
            let cut = SECRET.get(..length).unwrap_or_default();
            assert_eq!(redactor.redact(&format!("/rest/1/{cut}")), "/rest/1/[secret]");
            assert_eq!(redactor.redact(&format!("/rest/1/{cut}...")), "/rest/1/[secret]...");
            assert!(redactor.is_in(&format!("/upload/{cut}")) && redactor.is_in(&format!("/upload/{cut}/a.png")));
        }
        assert_eq!(redactor.redact("/rest/1/s3cr3"), "/rest/1/s3cr3");
        // A few characters can be there by chance.
        assert!(!redactor.is_in("/upload/crm/a1s3cr3tb2c3"));
        assert!(redactor.is_in(&format!("/upload/crm/a1{SECRET}b2c3")));
    }

    #[test]
    fn answers_are_cleaned_in_every_part() {
        let redactor = hiding(SECRET);
        let clean = serde_json::json!({"a": [1, null, {"b": "c"}]});
        assert!(!redactor.is_in_value(&clean));
        let mut value = serde_json::json!({SECRET: [1, {"b": format!("x{SECRET}")}, "c"]});
        assert!(redactor.is_in_value(&value));
        redactor.redact_value(&mut value);
        assert_eq!(value, serde_json::json!({MASK: [1, {"b": "x[secret]"}, "c"]}));
        let error = serde_json::json!({"result_error": {"c0": {"error": "X", "error_description": SECRET}}});
        assert!(!redactor.is_in_value(&error), "it is redacted when it is read");
    }

    #[test]
    fn it_hides_what_it_learns_later_and_forgets_nothing() {
        let redactor = hiding("first-token");
        redactor.hide("first-token-and-more");
        redactor.hide("");
        assert_eq!(redactor.redact("first-token-and-more first-token x"), "[secret] [secret] x");
        let shown = format!("{redactor:?} {redactor:#?}");
        assert!(!shown.contains("first"), "{shown}");
    }

    #[test]
    fn quotations_are_one_short_line() {
        let redactor = hiding(SECRET);
        assert_eq!(redactor.quote("\r\n  Bad \u{1b}[31mred\u{202e}.\nmore"), "Bad \u{1b}[31mred\u{202e}");
        let long = redactor.quote(&"é".repeat(500));
        assert_eq!(long.chars().count(), MAX_QUOTED_CHARS + 1);
        // A secret that straddles the cut leaves nothing of itself.
        let straddling = redactor.quote(&format!("{}{SECRET}", "x".repeat(MAX_QUOTED_CHARS - 5)));
        assert!(!straddling.contains("s3cr"), "{straddling}");
    }
}
