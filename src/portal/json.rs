//! JSON from a portal, read with a limit on memory.

use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The most memory that the values of one answer may take in addition to its text: enough for a list of 200,000
/// entries. An answer made only of `{}` would take thirty times its size.
const MAX_BYTES: usize = 128 * 1024 * 1024;

/// The memory of a value in its list or map, which doubles its capacity as it grows.
const VALUE: usize = 2 * size_of::<Value>();

/// The memory of a map for its first members.
const MAP: usize = 512;

/// The reason why bytes could not be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// They end too early.
    BreaksOff,
    /// They are not JSON.
    NotJson,
    /// Their values would take more memory than any answer needs.
    TooMuch,
}

/// Reads one JSON value.
pub(super) fn read(bytes: &[u8]) -> Result<Value, Unreadable> {
    read_within(bytes, MAX_BYTES)
}

fn read_within(bytes: &[u8], max_bytes: usize) -> Result<Value, Unreadable> {
    let mut left = Budget { left: max_bytes, is_spent: false };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = left.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| match error {
        _ if left.is_spent => Unreadable::TooMuch,
        error if error.is_eof() => Unreadable::BreaksOff,
        _ => Unreadable::NotJson,
    })
}

/// The memory that is left.
struct Budget {
    left: usize,
    is_spent: bool,
}

impl Budget {
    fn spend<E: serde::de::Error>(&mut self, bytes: usize) -> Result<(), E> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.is_spent = true;
                Err(E::custom("too many values"))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Budget {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Budget {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.spend(text.len())?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(&mut *self)? {
            self.spend(VALUE)?;
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            self.spend(if map.is_empty() { MAP } else { 2 * VALUE } + key.len())?;
            let value = members.next_value_seed(&mut *self)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn it_is_read_as_serde_json_reads_it() {
        let text = r#" {"a": [null, true, -1, 18446744073709551615, 1.5e300, "ключ\n\u0041"], "b": {}, "a2": [], "b": {"c": {"d": [[]]}}} "#;
        assert_eq!(read(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        assert!(matches!(read(b"{\"a\": [1, "), Err(Unreadable::BreaksOff)));
        assert!(matches!(read(b"{\"a\": 1} x"), Err(Unreadable::NotJson)));
        assert!(matches!(read(b"[\"\xff\"]"), Err(Unreadable::NotJson)));
    }

    #[test]
    fn an_answer_takes_no_more_memory_than_it_may_whatever_it_holds() {
        for item in ["{}", "[]", "0", "\"a\"", "[[]]", "{\"a\":1}", "{\"a\":{\"a\":{}}}"] {
            let items = |count: usize| format!("[{}]", vec![item; count].join(","));
            assert!(read_within(items(500).as_bytes(), 1024 * 1024).is_ok(), "{item}");
            assert!(matches!(read_within(items(100_000).as_bytes(), 1024 * 1024), Err(Unreadable::TooMuch)), "{item}");
        }
        let keys =
            |count: u32| format!("{{{}}}", (0..count).map(|key| format!("\"{key}\":0")).collect::<Vec<_>>().join(","));
        assert!(read_within(keys(500).as_bytes(), 1024 * 1024).is_ok());
        assert!(matches!(read_within(keys(100_000).as_bytes(), 1024 * 1024), Err(Unreadable::TooMuch)));
    }

    #[test]
    fn a_list_of_a_hundred_thousand_entries_is_read() {
        let entry = r#"{"code":"acme-a-code-of-usual-length","isSystem":false,"fileUri":"/upload/crm/0123456789abcdef0123456789abcdef/acme-call.png"}"#;
        let list = format!("[{}]", vec![entry; 100_000].join(","));
        assert!(read(list.as_bytes()).is_ok());
    }
}
