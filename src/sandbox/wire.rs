//! The wire format: the parameters of incoming requests, the JSON envelopes of outgoing answers. It uses no sockets.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::multipart;
use super::php::{Parameters, form};

/// An HTTP answer.
#[derive(Debug, Clone)]
pub(super) struct HttpAnswer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

impl HttpAnswer {
    pub(super) fn text(status: u16, content_type: &str, body: &str) -> Self {
        Self { status, content_type: content_type.to_owned(), body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    /// A page that a proxy or a web server would send instead of an answer.
    pub(super) fn page(status: u16) -> Self {
        let body = format!("<html>\n<head><title>{status}</title></head>\n<body><h1>{status}</h1></body>\n</html>\n");
        Self::text(status, "text/html; charset=utf-8", &body)
    }

    /// A grey PNG.
    pub(super) fn grey(width: u16, height: u16) -> Self {
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, width.into(), height.into());
        encoder.set_color(png::ColorType::Grayscale);
        let pixels = vec![0x80; usize::from(width) * usize::from(height)];
        match encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels)) {
            Ok(()) => Self { status: 200, content_type: "image/png".to_owned(), body: png.into() },
            Err(error) => Self::refused(&CallRefusal::internal(&error)),
        }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json; charset=utf-8".to_owned(), body: body.to_string().into() }
    }

    /// The envelope of an error.
    pub(super) fn refused(refusal: &CallRefusal) -> Self {
        Self::json(refusal.status, &refusal.envelope())
    }
}

/// A refusal of the REST engine or of a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallRefusal {
    /// The HTTP status of a single call.
    pub(super) status: u16,
    /// `error`.
    pub(super) code: Cow<'static, str>,
    /// `error_description`.
    pub(super) description: Cow<'static, str>,
}

impl CallRefusal {
    pub(super) const TOO_MANY_REQUESTS: Self = Self::fixed(503, "QUERY_LIMIT_EXCEEDED", "Too many requests");
    pub(super) const TIME_LIMIT: Self =
        Self::fixed(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.");
    pub(super) const EXPIRED_TOKEN: Self = Self::fixed(401, "expired_token", "The access token provided has expired.");
    pub(super) const UNKNOWN_METHOD: Self = Self::fixed(404, "ERROR_METHOD_NOT_FOUND", "Method not found!");
    pub(super) const NO_AUTH: Self = Self::fixed(401, "NO_AUTH_FOUND", "Wrong authorization data");
    pub(super) const NOT_IN_BATCH: Self =
        Self::fixed(400, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage");

    pub(super) fn new(status: u16, code: &str, description: &str) -> Self {
        Self { status, code: code.to_owned().into(), description: description.to_owned().into() }
    }

    const fn fixed(status: u16, code: &'static str, description: &'static str) -> Self {
        Self { status, code: Cow::Borrowed(code), description: Cow::Borrowed(description) }
    }

    pub(super) fn internal(error: &impl fmt::Display) -> Self {
        Self::new(500, "INTERNAL_SERVER_ERROR", &error.to_string())
    }

    /// `{"error", "error_description"}`.
    pub(super) fn envelope(&self) -> Value {
        json!({ "error": self.code, "error_description": self.description })
    }
}

/// The result of a method that succeeds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Success {
    /// `result`.
    pub(super) result: Value,
    /// `total`, in lists.
    pub(super) total: Option<usize>,
    /// `next`: where the next page starts.
    pub(super) next: Option<usize>,
}

impl Success {
    pub(super) const fn of(result: Value) -> Self {
        Self { result, total: None, next: None }
    }

    /// `{"result", "total"?, "next"?, "time"}`.
    pub(super) fn envelope(self, time: Value) -> Value {
        let mut envelope = Map::new();
        envelope.insert("result".to_owned(), self.result);
        if let Some(total) = self.total {
            envelope.insert("total".to_owned(), total.into());
        }
        if let Some(next) = self.next {
            envelope.insert("next".to_owned(), next.into());
        }
        envelope.insert("time".to_owned(), time);
        Value::Object(envelope)
    }
}

/// The time that a method has used in its window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MethodTime {
    /// Seconds of method time since the window began.
    pub(super) operating: f64,
    /// When the next window begins, in seconds since 1970.
    pub(super) reset_at: i64,
}

/// A time as the portal gives it, in seconds since 1970.
fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

/// How long something took, in seconds.
pub(super) fn duration(start: Timestamp, finish: Timestamp) -> f64 {
    (seconds(finish) - seconds(start)).max(0.0)
}

/// The `time` object.
pub(super) fn time(start: Timestamp, finish: Timestamp, usage: MethodTime) -> Value {
    let duration = duration(start, finish);
    json!({
        "start": seconds(start),
        "finish": seconds(finish),
        "duration": duration,
        "processing": duration,
        "date_start": date(start),
        "date_finish": date(finish),
        "operating_reset_at": usage.reset_at,
        "operating": usage.operating,
    })
}

/// A date as the portal writes it; this portal is in UTC.
pub(super) fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// The parameters of a request: those of its query and those of its body, which take precedence.
pub(super) fn parameters(query: &str, content_type: &str, body: &[u8]) -> Parameters {
    let mut all = form(query.as_bytes());
    let media_type = content_type.to_ascii_lowercase();
    // Malformed JSON means no parameters, as does JSON that is not an object. For PHP, a byte order mark is malformed.
    if media_type.contains("json") {
        if let Ok(Value::Object(map)) = serde_json::from_slice(body) {
            all.extend(map);
        }
    } else if media_type.starts_with("multipart/") {
        all.extend(multipart::fields(content_type, body));
    } else {
        all.extend(form(body));
    }
    all
}

/// A method name as the engine looks it up: lower case, without slashes around it and without `.json`.
pub(super) fn method_name(spelling: &str) -> String {
    let name = spelling.trim_matches('/').to_ascii_lowercase();
    name.strip_suffix(".json").map(ToOwned::to_owned).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn malformed_json_is_no_parameters_and_a_body_wins_over_a_query() {
        assert_eq!(parameters("a=1", "application/json", b"{\"a\":"), form(b"a=1"));
        assert_eq!(parameters("", "application/json", b"[1]"), Map::new());
        assert_eq!(Value::Object(parameters("a=1&b=2", "application/json", b"{\"a\":3}")), json!({"a": 3, "b": "2"}));
        assert_eq!(parameters("a=1", "", b"a=2"), form(b"a=2"));
    }

    #[test]
    fn time_has_every_field() {
        let start: Timestamp = "2026-11-02T10:00:00.25Z".parse().unwrap();
        let usage = MethodTime { operating: 1.25, reset_at: 1_793_614_200 };
        let time = time(start, "2026-11-02T10:00:01.5Z".parse().unwrap(), usage);
        assert_eq!(
            time,
            json!({
                "start": 1_793_613_600.25, "finish": 1_793_613_601.5, "duration": 1.25, "processing": 1.25,
                "date_start": "2026-11-02T10:00:00+00:00", "date_finish": "2026-11-02T10:00:01+00:00",
                "operating_reset_at": 1_793_614_200, "operating": 1.25,
            })
        );
    }
}
