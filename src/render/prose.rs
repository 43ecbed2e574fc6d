//! Messages as prose: text in backticks is code, all else is text.

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProsePart<'a> {
    Text(&'a str),
    /// The text in backticks, without them.
    Code(&'a str),
}

/// The parts of a message, none of them empty. A backtick without a partner is text.
pub(super) fn parts(message: &str) -> Vec<ProsePart<'_>> {
    let mut parts = Vec::new();
    let mut rest = message;
    while let Some((text, opened)) = rest.split_once('`')
        && let Some((code, closed)) = opened.split_once('`')
    {
        parts.push(ProsePart::Text(text));
        parts.push(ProsePart::Code(code));
        rest = closed;
    }
    parts.push(ProsePart::Text(rest));
    parts.retain(|part| !matches!(part, ProsePart::Text("") | ProsePart::Code("")));
    parts
}

#[cfg(test)]
mod tests {
    use super::ProsePart::{Code, Text};
    use super::*;

    #[test]
    fn backticks_mark_code_in_pairs() {
        assert_eq!(parts("edit `protect` in it"), [Text("edit "), Code("protect"), Text(" in it")]);
        assert_eq!(parts("`a``b`"), [Code("a"), Code("b")]);
        assert_eq!(parts("a ` b"), [Text("a ` b")]);
        assert_eq!(parts("`a` ` b"), [Code("a"), Text(" ` b")]);
        assert_eq!(parts("``"), []);
        assert_eq!(parts(""), []);
    }
}
