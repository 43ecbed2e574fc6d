//! The table of the REST engine's errors: what each one means for brandctl, and what the user can do about it.

use std::time::Duration;

use crate::domain::command::Answer;
use crate::domain::retry::Class;
use crate::ops::ports::PortalError;

use super::access::{Access, AccessHints};
use super::allowance::PairsHeld;
use super::deadlines::RequestDeadline;
use super::http::{CertProblem, TransportError, TransportFailure};
use super::limits::{ALLOWANCE_USED_UP, NotPermitted};
use super::redact::Redactor;
use super::wire::{ErrorBody, Malformed};

/// The effect of a failed request: whether it may have changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It did nothing.
    None,
    /// It may have done something, and is over: the portal answered.
    Unclear,
    /// It may have done something, and may still be doing it: no answer of the portal came.
    Unanswered,
}

/// A request that failed, with what the port's error does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestError {
    pub(super) error: PortalError,
    pub(super) effect: Effect,
    /// When the portal said to try again.
    pub(super) retry_after: Option<Duration>,
    /// The portal's own words, when it reported the error itself.
    pub(super) description: Option<Box<str>>,
}

impl RequestError {
    /// A failure that was not reported by the portal itself.
    pub(super) const fn new(class: Class, effect: Effect, message: String, hint: Option<String>) -> Self {
        let error = PortalError { class, code: None, message, hint };
        Self { error, effect, retry_after: None, description: None }
    }

    pub(super) const fn class(&self) -> Class {
        self.error.class
    }

    /// Whether the method has no time allowance left, so that nothing was done.
    pub(super) fn is_allowance_used_up(&self) -> bool {
        let code = self.error.code.as_deref().unwrap_or_default();
        self.effect == Effect::None && code.eq_ignore_ascii_case(ALLOWANCE_USED_UP)
    }
}

const HINT_TIMEOUT: &str = "give it more time with --timeout";
const HINT_WAY: &str = "run it again; if it fails again, check the network, the proxy and the firewall";

fn hint_access(access: &Access) -> String {
    let AccessHints { what, how_to_renew, .. } = access.hints();
    format!("{what} is wrong or was revoked: {how_to_renew}")
}

fn hint_host(access: &Access) -> String {
    format!("check that the host in {} is the portal's own", access.hints().place)
}

fn hint_removing(access: &Access) -> String {
    match access {
        Access::Webhook(_) => {
            "only the application that added an entry can delete it; a webhook is not an application: it cannot delete any entry, and no one can delete an entry that it added"
        }
        Access::Application(_) => "only the application that added an entry can delete it, and this application did not add it",
    }
    .to_owned()
}

/// The class and hint of an error code; `None` when the table does not know it.
fn known(access: &Access, code: &str) -> Option<(Class, Option<String>)> {
    let AccessHints { what, place, how_to_renew, how_to_add_scope } = access.hints();
    let configuration = |hint: String| (Class::Configuration, hint);
    let (class, hint) = match code.to_ascii_uppercase().as_str() {
        "QUERY_LIMIT_EXCEEDED" => (
            Class::Busy,
            "other integrations may use up the portal's rate limit: lower --rps, or run it again later".to_owned(),
        ),
        ALLOWANCE_USED_UP => (
            Class::Busy,
            "the method used up its time allowance for ten minutes: run it again later, or allow a longer wait with --timeout".to_owned(),
        ),
        "INTERNAL_SERVER_ERROR" | "ERROR_UNEXPECTED_ANSWER" => {
            (Class::Transient, "run it again; if it fails again, see the portal's own error log for the cause".to_owned())
        }
        "CONNECTION_ERROR" => (
            Class::Transient,
            "the portal could not reach the server that checks tokens: run it again later".to_owned(),
        ),
        "APPLICATION_NOT_FOUND" => configuration(format!(
            "{what} is no longer installed on this portal: install it again, or {how_to_renew}"
        )),
        "PAYMENT_REQUIRED" => configuration(format!(
            "{what} needs a plan or a subscription that the portal no longer has: the portal's administrator must renew it"
        )),
        "EXPIRED_TOKEN" => (Class::Expired, format!("the access token of {what} expired: {how_to_renew}")),
        "NO_AUTH_FOUND" | "INVALID_CREDENTIALS" => configuration(hint_access(access)),
        "INVALID_SCOPE" | "INSUFFICIENT_SCOPE" => configuration(how_to_add_scope.to_owned()),
        "USER_ACCESS_ERROR" | "AUTHORIZATION_ERROR" => configuration(format!(
            "the user of {what} may not sign in: activate the user, or set up {what} for another user"
        )),
        "INVALID_REQUEST" => configuration(format!("start the address in {place} with https://")),
        "OVERLOAD_LIMIT" => configuration(
            "Bitrix24 has blocked REST on this portal: ask its support to unblock it, and do not run it again until it is unblocked"
                .to_owned(),
        ),
        "ACCESS_DENIED" => configuration(format!(
            "{what}'s user must be an administrator, and the portal's plan must include REST (a commercial plan)"
        )),
        "ERROR_METHOD_NOT_FOUND" => configuration(format!(
            "{what} needs the scope `crm`, and the portal needs a CRM that is new enough to have crm.timeline.icon"
        )),
        "PORTAL_DELETED" => configuration(format!("the portal is gone or switched off: check the host in {place}")),
        "OWNER_NOT_FOUND" => {
            (Class::Refused, "the portal has no such item: check the type and the number in --entity".to_owned())
        }
        "REMOVING_DISABLED" => (Class::Refused, hint_removing(access)),
        "ERROR_BATCH_METHOD_NOT_ALLOWED" => return Some((Class::NoBatch, None)),
        _ => return None,
    };
    Some((class, Some(hint)))
}

/// The class and hint of any error. `status` is absent inside a batch, where everything comes under 200.
fn meaning(access: &Access, code: &str, status: Option<u16>) -> (Class, Option<String>) {
    known(access, code).unwrap_or_else(|| match status {
        Some(401 | 403) => (Class::Configuration, Some(hint_access(access))),
        Some(429) => (Class::Busy, None),
        Some(408 | 425 | 500..) => (Class::Transient, None),
        _ => (Class::Refused, None),
    })
}

/// The portal answered with an error.
pub(super) fn refused(access: &Access, status: Option<u16>, body: &ErrorBody) -> RequestError {
    let (class, hint) = meaning(access, &body.code, status);
    let code = access.redact(&body.code);
    let shown =
        if code.is_empty() { "an empty error code".to_owned() } else { format!("error {}", access.quote(&code)) };
    let and = status.map(|status| format!("{status} and ")).unwrap_or_default();
    let mut message = format!("{} answered {and}{shown}", access.host());
    let words = access.quote(&body.description);
    if !words.is_empty() {
        message = format!("{message}: {words}");
    }
    RequestError {
        error: PortalError { class, code: Some(code), message, hint },
        effect: effect(class, status, body),
        retry_after: None,
        description: Some(access.redact(&body.description).into()),
    }
}

/// The effect of a request that failed with an error of the portal, or of a gateway in front of it that answers as
/// portals do. A server error may happen after the work was done.
const fn effect(class: Class, status: Option<u16>, body: &ErrorBody) -> Effect {
    match (class, status) {
        (_, Some(408 | 425 | 502 | 504..)) => Effect::Unanswered,
        (Class::Transient, Some(500 | 503)) if !body.is_described => Effect::Unanswered,
        (Class::Transient, _) => Effect::Unclear,
        _ => Effect::None,
    }
}

/// The answer to a command, made from a failure that is about this command only.
pub(super) fn answer(failure: RequestError) -> Answer {
    match failure.effect {
        Effect::Unclear | Effect::Unanswered => Answer::Unknown(failure.error.message),
        Effect::None => Answer::Refused {
            class: failure.error.class,
            code: failure.error.code.unwrap_or_default(),
            description: failure.description.unwrap_or_default().into(),
        },
    }
}

/// The portal's host sent something that is not a portal's answer: the HTML of a proxy, nothing, half an answer.
pub(super) fn garbage(access: &Access, status: u16, why: &str, body: &[u8]) -> RequestError {
    let notice = php_notice(body);
    let (why, body) = match &notice {
        Some(notice) => ("a PHP notice instead of plain JSON", notice.as_bytes()),
        None => (why, body),
    };
    let mut failure = garbage_of(access.redactor(), access.host(), status, why, body);
    failure.error.hint = match status {
        429 => None,
        408 | 425 | 500.. => Some("the portal, or a proxy in front of it, has a problem: run it again later".to_owned()),
        413 => Some("the portal's web server does not accept a request of this size: ask its administrator to raise the limit".to_owned()),
        407 => Some("the proxy asks for credentials: check those in HTTPS_PROXY".to_owned()),
        _ if notice.is_some() => Some(
            "PHP on the portal prints its notices into answers: its administrator must set `display_errors` to off in php.ini, or `debug` to false in bitrix/.settings.php"
                .to_owned(),
        ),
        _ => Some(hint_host(access)),
    };
    failure
}

/// The notice that PHP printed into an answer, without its HTML.
fn php_notice(body: &[u8]) -> Option<String> {
    /// The words that PHP's notices begin with.
    const KINDS: [&str; 8] = [
        "Warning:",
        "Notice:",
        "Deprecated:",
        "Fatal error:",
        "Parse error:",
        "Strict Standards:",
        "Recoverable fatal error:",
        "User Notice:",
    ];
    /// The beginning of a body that is searched for notices.
    const HEAD: usize = 8 * 1024;
    let head = String::from_utf8_lossy(body.get(..HEAD).unwrap_or(body));
    let mut plain = String::new();
    let mut in_tag = false;
    for character in head.chars() {
        match character {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if !in_tag => plain.push(character),
            _ => {}
        }
    }
    let is_notice = |line: &&str| {
        let line = line.strip_prefix("PHP ").unwrap_or(line);
        KINDS.iter().any(|kind| line.starts_with(kind)) && line.contains(" on line ")
    };
    plain.lines().map(str::trim).find(is_notice).map(str::to_owned)
}

/// A server sent something that is not an answer. The caller adds the hint.
pub(super) fn garbage_of(redactor: &Redactor, host: &str, status: u16, why: &str, body: &[u8]) -> RequestError {
    /// The beginning of a body that is searched for its first line.
    const HEAD: usize = 8 * 1024;
    let class = match status {
        429 => Class::Busy,
        408 | 425 | 500.. => Class::Transient,
        413 => Class::Refused,
        400.. => Class::Configuration,
        _ => Class::Transient,
    };
    let mut message = format!("{host} answered {status} with {why}");
    let body = body.trim_ascii_start();
    let line = redactor.quote(&String::from_utf8_lossy(body.get(..HEAD).unwrap_or(body)));
    if !line.is_empty() {
        message = format!("{message}: {line}");
    }
    RequestError::new(class, Effect::Unanswered, message, None)
}

/// An answer of the wrong shape. It may be temporary: lists can be read while someone writes.
pub(super) fn malformed(access: &Access, method: &str, Malformed(why): &Malformed) -> RequestError {
    let message = format!("{} gave an unexpected answer to {method}: {}", access.host(), access.quote(why));
    RequestError::new(Class::Transient, Effect::Unanswered, message, Some(hint_host(access)))
}

/// The portal's answer holds our own secret in a place where it does not belong.
pub(super) fn secret_in_answer(access: &Access) -> RequestError {
    let AccessHints { what, how_to_renew, .. } = access.hints();
    let message = format!("{} answered with the secret of {what} in its data", access.host());
    let hint = format!(
        "someone knows the secret, or a server on the way repeats it: revoke {what}, {how_to_renew}, and remove by hand the data that holds it"
    );
    RequestError::new(Class::Refused, Effect::None, message, Some(hint))
}

/// The portal redirects. REST calls do not follow redirects, because that would give the secret to another server.
pub(super) fn redirected(access: &Access, status: u16, to: Option<&str>) -> RequestError {
    let to = match to {
        Some(host) => format!("to {}", access.quote(host)),
        None => "elsewhere".to_owned(),
    };
    let message = format!("{} answered {status} and redirects {to}", access.host());
    let place = access.hints().place;
    let hint = format!(
        "brandctl does not follow redirects: if the portal was renamed, put its new address into {place}; otherwise {}",
        hint_host(access)
    );
    RequestError::new(Class::Configuration, Effect::Unanswered, message, Some(hint))
}

/// The failure when no response of `host` came, or not all of it.
pub(super) fn broken(
    redactor: &Redactor,
    host: &str,
    broken: &TransportError,
    deadline: RequestDeadline,
) -> RequestError {
    let cause = redactor.quote(&broken.cause);
    let (class, effect, message, hint) = match broken.kind {
        TransportFailure::TimedOut if deadline.cut_short => {
            return timed_out(host, deadline.budget, Effect::Unanswered);
        }
        TransportFailure::TimedOut => {
            let message = format!("{host} did not answer within {} s", deadline.timeout.as_secs());
            (Class::Transient, Effect::Unanswered, message, Some(HINT_WAY))
        }
        TransportFailure::NotSent => {
            let hint = "check the host, the network, and the proxy if HTTPS_PROXY is set";
            (Class::Transient, Effect::None, format!("{host} cannot be reached: {cause}"), Some(hint))
        }
        TransportFailure::NotTls => {
            let hint = "put the portal's https port into the URL, or no port if it is 443; brandctl does not send secrets over plain http";
            (Class::Configuration, Effect::None, format!("{host} does not use https on this port"), Some(hint))
        }
        TransportFailure::NotTrusted(problem) => {
            let message = format!("the certificate of {host} is not trusted: {cause}");
            (Class::Configuration, Effect::None, message, Some(hint_certificate(problem)))
        }
        TransportFailure::Lost => {
            let message = format!("the connection to {host} broke: {cause}");
            (Class::Transient, Effect::Unanswered, message, Some(HINT_WAY))
        }
        TransportFailure::TooLarge => {
            (Class::Refused, Effect::Unanswered, format!("{host} answered with {cause}"), None)
        }
    };
    RequestError::new(class, effect, message, hint.map(str::to_owned))
}

/// The hint about a certificate.
const fn hint_certificate(problem: CertProblem) -> &'static str {
    match problem {
        CertProblem::Expired => "check this machine's clock; if it is right, the portal's administrator must renew it",
        CertProblem::NotYetValid => "check this machine's clock: the certificate is not valid yet",
        CertProblem::WrongName => "in the portal's URL, use the host name that the certificate is for",
        CertProblem::Unknown => {
            "if the portal uses its own certificate authority, pass that authority's certificate with --ca-cert"
        }
    }
}

/// The command's time is up. `budget` is what it was given.
pub(super) fn timed_out(host: &str, budget: Duration, effect: Effect) -> RequestError {
    let message = format!("timed out after {} s with {host}", budget.as_secs_f64().round());
    RequestError::new(Class::Deadline, effect, message, Some(HINT_TIMEOUT.to_owned()))
}

/// A request was not sent.
pub(super) fn not_permitted(host: &str, budget: Duration, why: NotPermitted) -> RequestError {
    match why {
        NotPermitted::OutOfTime => timed_out(host, budget, Effect::None),
        NotPermitted::WritesHeld(held) => {
            let message = format!("{host} does not accept writes for another {} s", held.as_secs());
            no_time_to_wait(RequestError::new(Class::Busy, Effect::None, message, None))
        }
        NotPermitted::WaitedTooLong(waited) => {
            let message = format!("a write to {host} waited for {} s", waited.as_secs());
            RequestError::new(Class::Waited, Effect::None, message, None)
        }
    }
}

/// No replace was sent, because the time allowance of a method may not last for both of its halves.
pub(super) fn pairs_held(host: &str, held: PairsHeld) -> RequestError {
    let of = |method: &str| format!("the time allowance of {host} for {method} may not last for another replace");
    match held {
        PairsHeld::Waited(method, waited) => {
            let message = format!("{}; brandctl waited {} s for more", of(&method), waited.as_secs());
            RequestError::new(Class::Waited, Effect::None, message, None)
        }
        PairsHeld::NoTime(method, held) => {
            let seconds = held.as_secs_f64().ceil();
            let message = format!("{} and resets in {seconds} s", of(&method));
            no_time_to_wait(RequestError::new(Class::Busy, Effect::None, message, None))
        }
    }
}

/// The failure to report once the time is up: the `last` failure that brandctl waited to retry, which says more than
/// the timeout.
pub(super) fn used_up(last: Option<RequestError>, late: RequestError) -> RequestError {
    match last {
        Some(failure) if late.class() == Class::Deadline => no_time_to_wait(failure),
        _ => late,
    }
}

/// The portal asked to wait for longer than there is time.
pub(super) fn no_time_to_wait(failure: RequestError) -> RequestError {
    let message = format!("{}, and --timeout leaves no time to wait", failure.error.message);
    let hint = failure.error.hint.or_else(|| Some(HINT_TIMEOUT.to_owned()));
    RequestError { error: PortalError { class: Class::Deadline, message, hint, ..failure.error }, ..failure }
}

/// An error in the settings of a client.
pub(super) fn misconfigured(message: impl Into<String>, hint: &str) -> PortalError {
    PortalError { class: Class::Configuration, code: None, message: message.into(), hint: Some(hint.to_owned()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use tokio::time::Instant;

    const SECRET: &str = "s3cr3tS3cr3t";

    fn access() -> Access {
        crate::portal::Webhook::parse(&format!("https://acme.example/rest/1/{SECRET}/"), "test").unwrap().into()
    }

    fn failure(status: u16, code: &str) -> RequestError {
        refused(
            &access(),
            Some(status),
            &ErrorBody { code: code.to_owned(), description: "Words.".to_owned(), is_described: true },
        )
    }

    #[test]
    fn every_row_of_the_table_has_its_class() {
        for (status, code, class, effect, fix) in [
            (503, "QUERY_LIMIT_EXCEEDED", Class::Busy, Effect::None, "--rps"),
            (429, "OPERATION_TIME_LIMIT", Class::Busy, Effect::None, "--timeout"),
            (500, "INTERNAL_SERVER_ERROR", Class::Transient, Effect::Unclear, "error log"),
            (500, "ERROR_UNEXPECTED_ANSWER", Class::Transient, Effect::Unclear, "error log"),
            (401, "CONNECTION_ERROR", Class::Transient, Effect::Unclear, "later"),
            (401, "APPLICATION_NOT_FOUND", Class::Configuration, Effect::None, "install"),
            (402, "PAYMENT_REQUIRED", Class::Configuration, Effect::None, "subscription"),
            (401, "invalid_scope", Class::Configuration, Effect::None, "scope `crm`"),
            (401, "expired_token", Class::Expired, Effect::None, "access token"),
            (401, "NO_AUTH_FOUND", Class::Configuration, Effect::None, "BITRIX24_WEBHOOK_URL"),
            (401, "INVALID_CREDENTIALS", Class::Configuration, Effect::None, "revoked"),
            (403, "insufficient_scope", Class::Configuration, Effect::None, "scope `crm`"),
            (401, "user_access_error", Class::Configuration, Effect::None, "user"),
            (401, "authorization_error", Class::Configuration, Effect::None, "user"),
            (400, "INVALID_REQUEST", Class::Configuration, Effect::None, "https://"),
            (503, "OVERLOAD_LIMIT", Class::Configuration, Effect::None, "support"),
            (401, "ACCESS_DENIED", Class::Configuration, Effect::None, "commercial plan"),
            (404, "ERROR_METHOD_NOT_FOUND", Class::Configuration, Effect::None, "scope `crm`"),
            (403, "PORTAL_DELETED", Class::Configuration, Effect::None, "BITRIX24_WEBHOOK_URL"),
        ] {
            let failure = failure(status, code);
            assert_eq!((failure.class(), failure.effect), (class, effect), "{code}");
            assert!(failure.error.hint.as_deref().unwrap().contains(fix), "{code}: {:?}", failure.error.hint);
            assert_eq!(failure.error.code.as_deref(), Some(code));
            assert_eq!(failure.error.message, format!("acme.example answered {status} and error {code}: Words"));
        }
        assert_eq!(failure(405, "ERROR_BATCH_METHOD_NOT_ALLOWED").class(), Class::NoBatch);
    }

    #[test]
    fn an_unknown_code_goes_by_its_status() {
        for (status, class, effect) in [
            (200, Class::Refused, Effect::None),
            (400, Class::Refused, Effect::None),
            (404, Class::Refused, Effect::None),
            (401, Class::Configuration, Effect::None),
            (403, Class::Configuration, Effect::None),
            (429, Class::Busy, Effect::None),
            (500, Class::Transient, Effect::Unclear),
            (502, Class::Transient, Effect::Unanswered),
        ] {
            let failure = failure(status, "0");
            assert_eq!((failure.class(), failure.effect), (class, effect), "{status}");
        }
        assert!(failure(400, "").error.message.contains("an empty error code"));
    }

    #[test]
    fn each_problem_of_a_certificate_has_its_hint() {
        use rustls::CertificateError;
        let now = Instant::now();
        let deadline =
            RequestDeadline { until: now, timeout: Duration::ZERO, cut_short: false, budget: Duration::ZERO };
        for (failure, fix) in [
            (CertificateError::Expired, "renew"),
            (CertificateError::NotValidYet, "clock"),
            (CertificateError::NotValidForName, "host name"),
            (CertificateError::UnknownIssuer, "--ca-cert"),
            (CertificateError::Revoked, "--ca-cert"),
        ] {
            let kind = TransportFailure::NotTrusted((&failure).into());
            let failure = broken(
                access().redactor(),
                "acme.example",
                &TransportError { kind, cause: failure.to_string() },
                deadline,
            );
            assert_eq!((failure.class(), failure.effect), (Class::Configuration, Effect::None));
            assert!(failure.error.hint.as_deref().unwrap().contains(fix), "{:?}", failure.error);
        }
    }

    #[test]
    fn notices_of_php_are_named_as_such() {
        for body in [
            "<br />\n<b>Warning</b>:  Undefined array key 1 in <b>/home/x.php</b> on line <b>3</b><br />\n{\"result\":true}",
            "\nDeprecated: Undefined array key 1 in /home/x.php on line 3\n{\"result\":true}",
            "PHP Notice: Undefined array key 1 in /home/x.php on line 3\n{}",
        ] {
            let failure = garbage(&access(), 200, "no JSON", body.as_bytes());
            let shown = &failure.error.message;
            assert!(
                shown.contains("a PHP notice") && shown.contains("Undefined array key 1 in /home/x.php on line 3"),
                "{shown}"
            );
            assert!(failure.error.hint.as_deref().unwrap().contains("display_errors"), "{failure:?}");
            assert_eq!((failure.class(), failure.effect), (Class::Transient, Effect::Unanswered));
        }
        for body in ["<html>Warning: this is a proxy", "{\"result\"", ""] {
            assert_eq!(php_notice(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn garbage_has_its_status_and_first_line() {
        let failure = garbage(&access(), 503, "no JSON", b"\n<html>\x1b[2J\n<body>");
        assert_eq!(failure.error.message, "acme.example answered 503 with no JSON: <html>\u{1b}[2J");
        assert_eq!((failure.class(), failure.effect), (Class::Transient, Effect::Unanswered));
        assert_eq!(garbage(&access(), 200, "nothing", b"").class(), Class::Transient);
        assert_eq!(garbage(&access(), 404, "no JSON", b"<html>").class(), Class::Configuration);
        assert_eq!(garbage(&access(), 429, "no JSON", b"<html>").effect, Effect::Unanswered);
    }

    #[test]
    fn the_secret_stays_inside_whatever_the_server_echoes() {
        let echo = format!("GET /rest/1/{SECRET}/batch.json {}", SECRET.to_uppercase());
        let body = ErrorBody { code: echo.clone(), description: echo.clone(), is_described: true };
        for failure in [
            refused(&access(), Some(500), &body),
            garbage(&access(), 502, "no JSON", echo.as_bytes()),
            malformed(&access(), "batch", &Malformed(echo.clone())),
            redirected(&access(), 302, Some(&echo)),
        ] {
            let shown = format!("{} {failure:?}", failure.error).to_lowercase();
            assert!(!shown.contains(&SECRET.to_lowercase()), "{shown}");
        }
    }
}
