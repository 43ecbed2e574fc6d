//! How things look on the wire: PHP-like parameters on the way in, JSON envelopes on the way out. No socket here.

use std::collections::HashMap;

use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::percent_decode;
use serde_json::{Map, Value, json};

use super::multipart;

/// The parameters of a call. PHP's arrays that came with brackets are objects, also those with keys 0, 1, 2….
pub(super) type Parameters = Map<String, Value>;

/// PHP gives up on names nested deeper than this.
const DEEPEST: usize = 64;

/// An HTTP answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

impl Answer {
    /// Any text.
    pub(super) fn text(status: u16, content_type: &str, body: &str) -> Self {
        Self { status, content_type: content_type.to_owned(), body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    /// A page such as a proxy or a web server puts in the place of an answer.
    pub(super) fn page(status: u16) -> Self {
        let body = format!("<html>\n<head><title>{status}</title></head>\n<body><h1>{status}</h1></body>\n</html>\n");
        Self::text(status, "text/html; charset=utf-8", &body)
    }

    /// A JSON document.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json; charset=utf-8".to_owned(), body: body.to_string().into() }
    }

    /// The envelope of an error.
    pub(super) fn refused(refusal: &Refusal) -> Self {
        Self::json(refusal.status, &refusal.envelope())
    }
}

/// An error of the REST engine or of a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The HTTP status of a single call.
    pub(super) status: u16,
    /// `error`.
    pub(super) code: String,
    /// `error_description`.
    pub(super) description: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, description: &str) -> Self {
        Self { status, code: code.to_owned(), description: description.to_owned() }
    }

    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) fn too_many_requests() -> Self {
        Self::new(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")
    }

    pub(super) fn time_limit() -> Self {
        Self::new(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")
    }

    pub(super) fn overload() -> Self {
        Self::new(503, "OVERLOAD_LIMIT", "REST API is blocked due to overload.")
    }

    pub(super) fn expired_token() -> Self {
        Self::new(401, "expired_token", "The access token provided has expired.")
    }

    pub(super) fn unknown_method() -> Self {
        Self::new(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
    }

    pub(super) fn no_auth() -> Self {
        Self::new(401, "NO_AUTH_FOUND", "Wrong authorization data")
    }

    pub(super) fn insufficient_scope() -> Self {
        let text = "The request requires higher privileges than provided by the webhook token";
        Self::new(401, "insufficient_scope", text)
    }

    pub(super) fn operation_time_limit() -> Self {
        Self::new(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")
    }

    pub(super) fn not_in_batch() -> Self {
        Self::new(400, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
    }

    pub(super) fn internal(error: &std::io::Error) -> Self {
        Self::new(500, "INTERNAL_SERVER_ERROR", &error.to_string())
    }

    pub(super) fn not_secured() -> Self {
        Self::new(400, "INVALID_REQUEST", "Https required.")
    }

    /// `{"error", "error_description"}`.
    pub(super) fn envelope(&self) -> Value {
        json!({ "error": self.code, "error_description": self.description })
    }
}

/// What a method gives when it succeeds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Success {
    /// `result`.
    pub(super) result: Value,
    /// `total`, which lists have.
    pub(super) total: Option<usize>,
    /// `next`, where the next page starts.
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

/// What a method has cost so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usage {
    /// Seconds of method time since the count last began.
    pub(super) operating: f64,
    /// When it begins anew, in seconds since 1970.
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
pub(super) fn time(start: Timestamp, finish: Timestamp, usage: Usage) -> Value {
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

/// A PHP array as `json_encode` writes it: `[]` when it is empty, a list when its keys are 0, 1, 2…, else an object.
pub(super) fn php_array(map: Map<String, Value>) -> Value {
    if map.keys().enumerate().all(|(index, key)| *key == index.to_string()) {
        Value::Array(map.into_iter().map(|(_, value)| value).collect())
    } else {
        Value::Object(map)
    }
}

/// PHP's truth, and the word `false`, which clients send as text.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !["", "0", "false"].contains(&text.to_ascii_lowercase().as_str()),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// The parameters of a request: those of its query, then those of its body, which win.
pub(super) fn parameters(query: &str, content_type: &str, body: &[u8]) -> Parameters {
    let mut all = form(query.as_bytes());
    let media_type = content_type.to_ascii_lowercase();
    // Malformed JSON counts as no parameters, as does JSON that is no object. PHP takes a byte order mark for malformed.
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

/// A query string or a form body, read as PHP reads it: `+` is a space, `a[b][c]=x` nests, `a[]=x` appends.
pub(super) fn form(text: &[u8]) -> Parameters {
    let mut all = Variables::default();
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decoded(halves.next().unwrap_or_default());
        let value = decoded(halves.next().unwrap_or_default());
        all.put(&name, value);
    }
    all.into_parameters()
}

fn decoded(part: &[u8]) -> String {
    let spaced: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

/// Parameters while they are read one by one.
#[derive(Debug, Default)]
pub(super) struct Variables {
    all: Parameters,
    appending: Appending,
}

/// Where `[]` appends to an array, and to the arrays in it. As PHP does, it is kept with the array: looking through all
/// keys for the highest each time would take minutes for a body of some hundred kilobytes.
#[derive(Debug, Default)]
struct Appending {
    next: u64,
    inner: HashMap<String, Self>,
}

impl Variables {
    /// Adds a parameter whose name may nest.
    pub(super) fn put(&mut self, name: &str, value: String) {
        let (first, keys) = match name.find('[').filter(|at| *at > 0) {
            Some(at) => (name.get(..at).unwrap_or_default(), bracketed(name.get(at..).unwrap_or_default())),
            None => (name, Vec::new()),
        };
        // PHP makes variables of names, and these cannot hold dots or spaces.
        let first = first.trim_start().replace(['.', ' '], "_");
        if first.is_empty() || keys.len() > DEEPEST {
            return;
        }
        let mut appending = self.appending.inner.entry(first.clone()).or_default();
        let mut slot = self.all.entry(first).or_insert(Value::Null);
        for key in keys {
            if !slot.is_object() {
                *slot = Value::Object(Map::new());
                *appending = Appending::default();
            }
            let Value::Object(map) = slot else { return };
            let key = if key.is_empty() { appending.next.to_string() } else { key.to_owned() };
            if let Ok(index) = key.parse::<u64>() {
                appending.next = appending.next.max(index.saturating_add(1));
            }
            appending = appending.inner.entry(key.clone()).or_default();
            slot = map.entry(key).or_insert(Value::Null);
        }
        *slot = Value::String(value);
    }

    pub(super) fn into_parameters(self) -> Parameters {
        self.all
    }
}

/// The keys of `[a][b][]`; whatever follows the last closing bracket does not count.
fn bracketed(mut rest: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    while let Some((key, after)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        keys.push(key);
        rest = after;
    }
    keys
}

/// A method name as the engine looks it up: lower case, without slashes around it and without `.json`.
pub(super) fn method_name(spelling: &str) -> String {
    let name = spelling.trim_matches('/').to_ascii_lowercase();
    name.strip_suffix(".json").map(ToOwned::to_owned).unwrap_or(name)
}

/// Base64 as PHP decodes it when it is not strict: whatever is no base64 character is skipped, also padding in the middle.
pub(super) fn lenient_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6 | u32::from(six)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xff).to_le_bytes()[0]);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn names_nest_as_in_php() {
        let read = |text: &str| Value::Object(form(text.as_bytes()));
        assert_eq!(read("a=1&b=2&a=3"), json!({"a": "3", "b": "2"}));
        assert_eq!(read("f[x][y]=1&f[x][z]=2"), json!({"f": {"x": {"y": "1", "z": "2"}}}));
        assert_eq!(read("l[]=a&l[]=b&l[7]=c&l[]=d"), json!({"l": {"0": "a", "1": "b", "7": "c", "8": "d"}}));
        assert_eq!(read("f%5Bx%5D=a+b%2Bc"), json!({"f": {"x": "a b+c"}}));
        assert_eq!(read("a.b=1&c"), json!({"a_b": "1", "c": ""}));
        assert_eq!(read("&&=x&[y]=z"), json!({"[y]": "z"}));
        assert_eq!(read(&format!("a{}=1", "[b]".repeat(10_000))), json!({}));
        assert_eq!(read("a[]=1&a=2&a[]=3"), json!({"a": {"0": "3"}}));
        assert_eq!(read("a[][x]=1&a[][x]=2&a[1][]=3"), json!({"a": {"0": {"x": "1"}, "1": {"x": "2", "0": "3"}}}));
    }

    #[test]
    fn appending_often_costs_no_more_than_naming_the_keys() {
        // When every append looked through all keys, this took longer than anybody waits.
        let many = 200_000;
        let read = form("a[]=&".repeat(many).as_bytes());
        let list = read.get("a").and_then(Value::as_object).unwrap();
        assert_eq!((list.len(), list.keys().next_back().unwrap().as_str()), (many, "199999"));
    }

    #[test]
    fn malformed_json_is_no_parameters_and_a_body_wins_over_a_query() {
        assert_eq!(parameters("a=1", "application/json", b"{\"a\":"), form(b"a=1"));
        assert_eq!(parameters("", "application/json", b"[1]"), Map::new());
        assert_eq!(Value::Object(parameters("a=1&b=2", "application/json", b"{\"a\":3}")), json!({"a": 3, "b": "2"}));
        assert_eq!(parameters("a=1", "", b"a=2"), form(b"a=2"));
    }

    #[test]
    fn empty_and_counted_arrays_are_lists() {
        let array = |value: Value| php_array(value.as_object().cloned().unwrap());
        assert_eq!(array(json!({})), json!([]));
        assert_eq!(array(json!({"0": 1, "1": 2})), json!([1, 2]));
        assert_eq!(array(json!({"1": 1})), json!({"1": 1}));
        assert_eq!(array(json!({"1": 1, "0": 2})), json!({"1": 1, "0": 2}));
    }

    #[test]
    fn base64_is_lenient() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in [0, 1, 2, 3, 24, 255, 256] {
            let part = bytes.get(..length).unwrap();
            assert_eq!(lenient_base64(&STANDARD.encode(part)), part);
        }
        assert_eq!(lenient_base64("QU\nJD "), b"ABC");
        assert_eq!(lenient_base64("QQ==QQ=="), STANDARD.decode("QQQQ").unwrap());
        assert_eq!(lenient_base64("QUJDR"), b"ABC");
        assert_eq!(lenient_base64("€!-_"), b"");
    }

    #[test]
    fn time_has_every_field() {
        let start: Timestamp = "2026-11-02T10:00:00.25Z".parse().unwrap();
        let usage = Usage { operating: 1.25, reset_at: 1_793_614_200 };
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
