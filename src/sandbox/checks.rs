//! The checks that a method makes before it looks at the entries, in the server's order. Those that need the entries, such as
//! whether a code is free or reserved, are in `world.rs`.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;

use super::identity::Caller;
use super::php::{Parameters, lenient_base64, text};
use super::wire::CallRefusal;
use crate::domain::asset::Kind;

/// The check that comes after that of the parameters in methods that write.
pub(super) fn administrators_only(caller: &Caller) -> Result<(), CallRefusal> {
    if caller.administrator { Ok(()) } else { Err(CallRefusal::new(400, "ACCESS_DENIED", "Access denied")) }
}

/// Code and content of an `add`, after all checks that come before the file is stored.
pub(super) fn image(kind: Kind, given: &Parameters, caller: &Caller) -> Result<(String, Bytes), CallRefusal> {
    let [code, content] = strings(given, ["code", "fileContent"])?;
    administrators_only(caller)?;
    let content = lenient_base64(content);
    if content.is_empty() {
        return Err(CallRefusal::new(400, "INVALID_ARG_VALUE", "Invalid image"));
    }
    let side = kind.side();
    if png_size(&content) != Some((side, side)) {
        let text = format!("Only png {side}px on {side}px is supported");
        return Err(CallRefusal::new(400, "INVALID_ARG_VALUE", &text));
    }
    Ok((code.to_owned(), content.into()))
}

/// Width and height from the header; nothing after it is read.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let number = |at| rest.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    (rest.get(4..8)? == b"IHDR").then_some(())?;
    Some((number(8)?, number(12)?))
}

/// Parameters that are required and must be strings. That all are present is checked first, then their types.
pub(super) fn strings<'a, const N: usize>(
    given: &'a Parameters,
    names: [&str; N],
) -> Result<[&'a str; N], CallRefusal> {
    let values = present(given, names)?;
    let mut texts = [""; N];
    for ((text, name), value) in texts.iter_mut().zip(names).zip(values) {
        *text = value.as_str().ok_or_else(|| mistyped(value, name, "string"))?;
    }
    Ok(texts)
}

/// Parameters that are required and must be integers, or texts of integers.
pub(super) fn integers<const N: usize>(given: &Parameters, names: [&str; N]) -> Result<[i64; N], CallRefusal> {
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

/// A parameter that is required and must be an array.
pub(super) fn array<'a>(given: &'a Parameters, name: &str) -> Result<Cow<'a, Parameters>, CallRefusal> {
    let [value] = present(given, [name])?;
    match value {
        Value::Object(map) => Ok(Cow::Borrowed(map)),
        Value::Array(list) => {
            Ok(Cow::Owned(list.iter().enumerate().map(|(index, value)| (index.to_string(), value.clone())).collect()))
        }
        _ => Err(mistyped(value, name, "array")),
    }
}

fn present<'a, const N: usize>(given: &'a Parameters, names: [&str; N]) -> Result<[&'a Value; N], CallRefusal> {
    let mut values = [&Value::Null; N];
    for (value, name) in values.iter_mut().zip(names) {
        let missing = || CallRefusal::new(400, "100", &format!("Could not find value for parameter {{{name}}}"));
        *value = given.get(name).ok_or_else(missing)?;
    }
    Ok(values)
}

fn mistyped(value: &Value, name: &str, wanted: &str) -> CallRefusal {
    let shown = text(value);
    let text =
        format!("Invalid value {{{shown}}} to match with parameter {{{name}}}. Should be value of type {wanted}.");
    CallRefusal::new(400, "100", &text)
}
