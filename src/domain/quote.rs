//! How the user's own text is quoted in messages: as it is, unless it may be a password.

use crate::text;

/// How many characters of a text are quoted.
const MAX_CHARS: usize = 80;

/// The text in backticks, cut when long, and hidden when it looks like a webhook, whose path is a password.
pub(in crate::domain) fn quoted(text: &str) -> String {
    if looks_secret(text) { "`(hidden)`".to_owned() } else { text::quote(text, MAX_CHARS) }
}

/// Whether a text holds what may be a password: the path of a webhook, as in `https://acme.bitrix24.com/rest/1/…`, a
/// token in a query, a user before a host. It errs on the side of hiding.
pub(crate) fn looks_secret(text: &str) -> bool {
    let webhook =
        || after_rest(text).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) || rest.starts_with("api/"));
    let token = || ["auth=", "_token=", "client_secret="].iter().any(|name| text.contains(name));
    let user = || {
        text.split("://").skip(1).any(|rest| rest.split(['/', ' ', '\n']).next().is_some_and(|host| host.contains('@')))
    };
    webhook() || token() || user()
}

/// The byte at which a webhook with its secret begins.
pub(in crate::domain) fn webhook_at(line: &str) -> Option<usize> {
    after_rest(line).find_map(|rest| {
        let path = rest.strip_prefix("api/").unwrap_or(rest);
        let (user, token) = path.split_once('/')?;
        let token: Vec<u8> = token.bytes().take_while(u8::is_ascii_alphanumeric).collect();
        // Placeholders such as `xxxxxxxxxxxx` are not secrets.
        let varied = token.first().is_some_and(|first| token.iter().any(|byte| byte != first));
        let is_webhook =
            !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit()) && token.len() >= 8 && varied;
        is_webhook.then(|| line.len() - rest.len() - "/rest/".len())
    })
}

/// The text after each `/rest/`, in the text's own case.
fn after_rest(text: &str) -> impl Iterator<Item = &str> {
    const NEEDLE: &[u8] = b"/rest/";
    text.as_bytes()
        .windows(NEEDLE.len())
        .enumerate()
        .filter(|(_, window)| window.eq_ignore_ascii_case(NEEDLE))
        .filter_map(move |(index, _)| text.get(index + NEEDLE.len()..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_it_is_but_without_secrets() {
        assert_eq!(quoted("acme-call"), "`acme-call`");
        assert_eq!(quoted("it's a\\b"), "`it's a\\b`");
        assert_eq!(quoted("a\u{1b}[31m\n\u{202e}b"), "`a\u{1b}[31m\n\u{202e}b`", "whoever shows it escapes it");
        assert_eq!(quoted(&"x".repeat(100)), format!("`{}…`", "x".repeat(80)));
        assert_eq!(quoted("https://acme.bitrix24.com/rest/1/abcdefgh12345678/"), "`(hidden)`");
        assert_eq!(quoted("acme.bitrix24.com/REST/api/1/abcdefgh12345678"), "`(hidden)`");
        assert_eq!(quoted("https://acme.bitrix24.com/crm?auth=abc"), "`(hidden)`");
        assert_eq!(quoted("https://user:pass@acme.bitrix24.com"), "`(hidden)`");
        assert_eq!(quoted("art/rest/call.png"), "`art/rest/call.png`");
        assert_eq!(quoted("https://acme.bitrix24.com/@a.png"), "`https://acme.bitrix24.com/@a.png`");
    }

    #[test]
    fn webhooks_are_found_and_placeholders_are_not() {
        assert_eq!(webhook_at("x: https://a.b/rest/1/abcdefgh12345678/"), Some(14));
        assert_eq!(webhook_at("x: https://a.b/Rest/api/12/abcdefgh12345678/"), Some(14));
        assert_eq!(webhook_at("# https://a.b/rest/1/xxxxxxxxxxxxxxxx/"), None);
        assert_eq!(webhook_at("# https://a.b/rest/1/<secret>/"), None);
        assert_eq!(webhook_at("icons/rest/1/call.png"), None);
    }
}
