//! The secrets that must not get into any text, and how they are taken out of what a server says. The set can grow, since
//! tokens are renewed.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};

use crate::text;

/// The most characters of a server's words in a message.
const MAX_QUOTED_CHARS: usize = 120;

/// The secrets of one access, in every spelling.
#[derive(Default)]
pub(super) struct Redactor {
    /// The longest first: a short one may be a part of it.
    spellings: RefCell<Vec<SecretString>>,
}

impl Redactor {
    /// Hides one more secret from here on; those before it stay hidden.
    pub(super) fn hide(&self, secret: &str) {
        let mut known = self.spellings.borrow_mut();
        for spelling in spellings(secret) {
            if !spelling.is_empty() && known.iter().all(|known| known.expose_secret() != spelling) {
                known.push(SecretString::from(spelling));
            }
        }
        known.sort_by_key(|spelling| Reverse(spelling.expose_secret().len()));
    }

    /// The text without the secrets, in any spelling.
    pub(super) fn redact(&self, text: &str) -> String {
        let known = self.spellings.borrow();
        known.iter().fold(text.to_owned(), |text, secret| without(&text, secret.expose_secret()))
    }

    /// A server's words for a message: the first line that is not empty, without any secret, cut, without a full stop.
    /// They are raw otherwise: whoever draws the message escapes it.
    pub(super) fn quote(&self, text: &str) -> String {
        // Redacting comes first: a secret that is cut would not be found.
        let text = self.redact(text);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        text::cut(line.trim_end_matches('.'), MAX_QUOTED_CHARS).into_owned()
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// The spellings of a secret: as it is, fully percent-encoded, and decoded.
fn spellings(secret: &str) -> [String; 3] {
    let plain = percent_decode_str(secret).decode_utf8_lossy().into_owned();
    let encoded = utf8_percent_encode(&plain, NON_ALPHANUMERIC).to_string();
    [secret.to_owned(), encoded, plain]
}

/// `text` with each occurrence of `secret`, in whatever case, replaced.
fn without(text: &str, secret: &str) -> String {
    const MASK: &str = "[secret]";
    // ASCII folding keeps every byte where it is, so places found in the one are places in the other.
    let (folded, needle) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for (start, found) in folded.match_indices(&needle) {
        kept.push_str(text.get(from..start).unwrap_or_default());
        kept.push_str(MASK);
        from = start + found.len();
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
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
    fn it_hides_what_it_learns_later_and_forgets_nothing() {
        let redactor = hiding("first-token");
        redactor.hide("first-token-and-more");
        redactor.hide("");
        assert_eq!(redactor.redact("first-token-and-more first-token x"), "[secret] [secret] x");
        let told = format!("{redactor:?} {redactor:#?}");
        assert!(!told.contains("first"), "{told}");
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
