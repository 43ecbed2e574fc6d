//! What a method looks at before it looks at the entries, in the server's order.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;

use super::wire::{Parameters, Refusal, lenient_base64};
use super::world::Caller;
use crate::domain::asset::Kind;

/// The check that writes have after that of their parameters.
pub(super) fn administrators_only(caller: &Caller) -> Result<(), Refusal> {
    if caller.administrator { Ok(()) } else { Err(Refusal::new(400, "ACCESS_DENIED", "Access denied")) }
}

/// Code and content of an `add`, after all checks that come before the file is stored.
pub(super) fn image(kind: Kind, given: &Parameters, caller: &Caller) -> Result<(String, Bytes), Refusal> {
    let [code, content] = strings(given, ["code", "fileContent"])?;
    administrators_only(caller)?;
    let content = lenient_base64(content);
    if content.is_empty() {
        return Err(Refusal::new(400, "INVALID_ARG_VALUE", "Invalid image"));
    }
    let side = kind.side();
    if png_size(&content) != Some((side, side)) {
        let text = format!("Only png {side}px on {side}px is supported");
        return Err(Refusal::new(400, "INVALID_ARG_VALUE", &text));
    }
    Ok((code.to_owned(), content.into()))
}

/// Width and height from the header; nothing behind it is looked at.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let number = |at| rest.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    (rest.get(4..8)? == b"IHDR").then_some(())?;
    Some((number(8)?, number(12)?))
}

/// Parameters that must be there and be strings: first all are looked for, then all are looked at.
pub(super) fn strings<'a, const N: usize>(given: &'a Parameters, names: [&str; N]) -> Result<[&'a str; N], Refusal> {
    let values = present(given, names)?;
    let mut texts = [""; N];
    for ((text, name), value) in texts.iter_mut().zip(names).zip(values) {
        *text = value.as_str().ok_or_else(|| mistyped(value, name, "string"))?;
    }
    Ok(texts)
}

/// Parameters that must be there and be integers, or texts of integers.
pub(super) fn integers<const N: usize>(given: &Parameters, names: [&str; N]) -> Result<[i64; N], Refusal> {
    let values = present(given, names)?;
    let mut numbers = [0; N];
    for ((number, name), value) in numbers.iter_mut().zip(names).zip(values) {
        *number = match value {
            Value::Number(value) => value.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
        .ok_or_else(|| mistyped(value, name, "int"))?;
    }
    Ok(numbers)
}

/// A parameter that must be there and be an array.
pub(super) fn array<'a>(given: &'a Parameters, name: &str) -> Result<Cow<'a, Parameters>, Refusal> {
    let [value] = present(given, [name])?;
    match value {
        Value::Object(map) => Ok(Cow::Borrowed(map)),
        Value::Array(list) => {
            Ok(Cow::Owned(list.iter().enumerate().map(|(index, value)| (index.to_string(), value.clone())).collect()))
        }
        _ => Err(mistyped(value, name, "array")),
    }
}

fn present<'a, const N: usize>(given: &'a Parameters, names: [&str; N]) -> Result<[&'a Value; N], Refusal> {
    let mut values = [&Value::Null; N];
    for (value, name) in values.iter_mut().zip(names) {
        let missing = || Refusal::new(400, "100", &format!("Could not find value for parameter {{{name}}}"));
        *value = given.get(name).ok_or_else(missing)?;
    }
    Ok(values)
}

fn mistyped(value: &Value, name: &str, wanted: &str) -> Refusal {
    let shown = text(value);
    let text =
        format!("Invalid value {{{shown}}} to match with parameter {{{name}}}. Should be value of type {wanted}.");
    Refusal::new(400, "100", &text)
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

/// A value as PHP casts it to an integer: a text counts as far as it is a number, and what is none is 0.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
