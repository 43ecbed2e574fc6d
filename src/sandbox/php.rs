//! Values as PHP treats them: names with brackets become nested parameters, and values are cast.

use std::collections::HashMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use percent_encoding::percent_decode;
use serde_json::{Map, Value};

/// The parameters of a call. Arrays that were written with brackets are objects, also those with keys 0, 1, 2….
pub(super) type Parameters = Map<String, Value>;

/// The deepest nesting of names that PHP reads.
const MAX_DEPTH: usize = 64;

/// Reads a query string or a form body as PHP does: `+` is a space, `a[b][c]=x` nests, `a[]=x` appends.
pub(super) fn form(text: &[u8]) -> Parameters {
    let mut all = Variables::default();
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decoded(halves.next().unwrap_or_default());
        let value = decoded(halves.next().unwrap_or_default());
        all.put(&name, value);
    }
    all.parameters
}

fn decoded(part: &[u8]) -> String {
    let spaced: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

/// Parameters that are being read one by one.
#[derive(Debug, Default)]
pub(super) struct Variables {
    pub(super) parameters: Parameters,
    appending: Appending,
}

/// The key that `[]` appends to an array, and to the arrays in it. As in PHP, it is kept with the array: searching all keys
/// for the highest each time would take minutes for a body of some hundred kilobytes.
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
        // PHP turns names into variables, and these cannot contain dots or spaces.
        let first = first.trim_start().replace(['.', ' '], "_");
        if first.is_empty() || keys.len() > MAX_DEPTH {
            return;
        }
        let mut appending = self.appending.inner.entry(first.clone()).or_default();
        let mut slot = self.parameters.entry(first).or_insert(Value::Null);
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
}

/// The keys of `[a][b][]`; anything after the last closing bracket is ignored.
fn bracketed(mut rest: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    while let Some((key, after)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        keys.push(key);
        rest = after;
    }
    keys
}

/// A PHP array as `json_encode` writes it: `[]` when it is empty, a list when its keys are 0, 1, 2…, else an object.
pub(super) fn php_array(map: Map<String, Value>) -> Value {
    if map.keys().enumerate().all(|(index, key)| *key == index.to_string()) {
        Value::Array(map.into_iter().map(|(_, value)| value).collect())
    } else {
        Value::Object(map)
    }
}

/// Whether PHP takes a value for true. The word `false` is false too, because clients send it as text.
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

/// A value as PHP casts it to a string.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Bool(true) => "1".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => "Array".to_owned(),
    }
}

/// A value as PHP casts it to an integer: the number that a text begins with, or 0.
pub(super) fn integer(value: &Value) -> i64 {
    match value {
        Value::Null => 0,
        Value::Bool(truth) => i64::from(*truth),
        Value::Number(number) => number.as_i64().unwrap_or_default(),
        Value::String(text) => {
            let text = text.trim_start();
            let signed = text.strip_prefix(['-', '+']).unwrap_or(text);
            let digits = signed.bytes().take_while(u8::is_ascii_digit).count();
            text.get(..text.len() - signed.len() + digits).and_then(|number| number.parse().ok()).unwrap_or_default()
        }
        Value::Array(list) => i64::from(!list.is_empty()),
        Value::Object(map) => i64::from(!map.is_empty()),
    }
}

/// Decodes base64 as PHP does when it is not strict: every other character is skipped, also padding in the middle.
pub(super) fn lenient_base64(text: &str) -> Vec<u8> {
    const UNPADDED: GeneralPurpose = GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let mut digits: Vec<u8> = text.bytes().filter(is_digit).collect();
    // One digit alone is not a byte.
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    UNPADDED.decode(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

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
        // When every append searched all keys, this took minutes.
        let many = 200_000;
        let read = form("a[]=&".repeat(many).as_bytes());
        let list = read.get("a").and_then(Value::as_object).unwrap();
        assert_eq!((list.len(), list.keys().next_back().unwrap().as_str()), (many, "199999"));
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
    fn values_are_cast_as_php_does() {
        for (value, number) in [
            (json!(12), 12),
            (json!(" 12abc"), 12),
            (json!("-3"), -3),
            (json!("+"), 0),
            (json!("abc"), 0),
            (json!("99999999999999999999"), 0),
            (json!(1.5), 0),
            (json!(true), 1),
            (json!(null), 0),
            (json!([]), 0),
            (json!({ "a": 1 }), 1),
        ] {
            assert_eq!(integer(&value), number, "{value}");
        }
    }
}
