//! What a method looks at before it looks at the entries, in the server's order.

use bytes::Bytes;
use serde_json::Value;

use super::wire::{Parameters, Refusal, lenient_base64};
use super::world::Caller;
use crate::domain::asset::Kind;

/// The check that writes have after that of their parameters.
pub(super) fn administrators_only(caller: Caller) -> Result<(), Refusal> {
    if caller.administrator { Ok(()) } else { Err(Refusal::new(400, "ACCESS_DENIED", "Access denied")) }
}

/// Code and content of an `add`, after all checks that come before the file is stored.
pub(super) fn image(kind: Kind, given: &Parameters, caller: Caller) -> Result<(String, Bytes), Refusal> {
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
    if let Some(name) = names.iter().find(|name| !given.contains_key(**name)) {
        return Err(Refusal::new(400, "100", &format!("Could not find value for parameter {{{name}}}")));
    }
    let mut texts = [""; N];
    for (text, name) in texts.iter_mut().zip(names) {
        *text = match given.get(name) {
            Some(Value::String(value)) => value,
            other => {
                let shown = as_php_shows(other.unwrap_or(&Value::Null));
                let text = format!(
                    "Invalid value {{{shown}}} to match with parameter {{{name}}}. Should be value of type string."
                );
                return Err(Refusal::new(400, "100", &text));
            }
        };
    }
    Ok(texts)
}

fn as_php_shows(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Bool(true) => "1".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => "Array".to_owned(),
    }
}
