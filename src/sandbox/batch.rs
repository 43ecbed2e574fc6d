//! `batch`: its commands, references to earlier results, and the five maps of its answer.

use serde_json::{Map, Value, json};

use super::php::{Parameters, form, is_true, php_array};
use super::wire::{CallRefusal, Success, method_name};

/// The most commands in a batch; each further command is refused by itself.
pub(super) const MAX_COMMANDS: usize = 50;

/// The most bytes that the references of one batch may add up to. Without a limit, texts that repeat an earlier text of
/// the same kind grow tenfold with each command; a real server hits PHP's memory limit.
const MAX_REFERENCED_BYTES: usize = 64 * 1024 * 1024;

/// One command of a batch, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BatchCommand {
    pub(super) key: String,
    /// In lower case, without `.json`.
    pub(super) method: String,
    query: String,
}

impl BatchCommand {
    /// The parameters, with references that are not resolved yet.
    pub(super) fn parameters(&self) -> Parameters {
        form(self.query.as_bytes())
    }
}

/// A batch, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BatchRequest {
    /// Whether it ends at the first refusal.
    pub(super) halt: bool,
    pub(super) commands: Vec<BatchCommand>,
}

/// Reads the parameters of a batch. Their names are matched without case; a command that is not a string is ignored.
pub(super) fn read(given: &Parameters) -> BatchRequest {
    let named = |name: &str| given.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let mut commands = Vec::new();
    let mut take = |key: String, call: &Value| {
        if let Value::String(call) = call {
            let (method, query) = call.split_once('?').unwrap_or((call, ""));
            commands.push(BatchCommand { key, method: method_name(method), query: query.to_owned() });
        }
    };
    match named("cmd") {
        Some(Value::Object(map)) => map.iter().for_each(|(key, call)| take(key.clone(), call)),
        Some(Value::Array(list)) => list.iter().enumerate().for_each(|(index, call)| take(index.to_string(), call)),
        _ => {}
    }
    BatchRequest { halt: named("halt").is_some_and(is_true), commands }
}

/// The results of a batch so far.
#[derive(Debug, Default)]
pub(super) struct BatchResults {
    /// How many bytes the references have added up to.
    referenced: usize,
    result: Map<String, Value>,
    error: Map<String, Value>,
    total: Map<String, Value>,
    next: Map<String, Value>,
    time: Map<String, Value>,
}

/// The error for references that add up to more than [`MAX_REFERENCED_BYTES`].
#[derive(Debug)]
struct TooLong;

impl BatchResults {
    /// The parameters of a command, with references to earlier results resolved.
    pub(super) fn parameters(&mut self, command: &BatchCommand) -> Result<Parameters, CallRefusal> {
        let mut given = command.parameters();
        let mut room = MAX_REFERENCED_BYTES.saturating_sub(self.referenced);
        let done = given.values_mut().try_for_each(|value| self.resolve(value, &mut room));
        self.referenced = MAX_REFERENCED_BYTES - room;
        let refused = |TooLong| {
            let text = format!("The references in this batch come to more than {MAX_REFERENCED_BYTES} bytes");
            CallRefusal::new(500, "INTERNAL_SERVER_ERROR", &text)
        };
        done.map(|()| given).map_err(refused)
    }

    /// Adds the end of a command. `time` is its `time` object.
    pub(super) fn add(&mut self, key: &str, end: Result<Success, CallRefusal>, time: Value) {
        match end {
            Ok(success) => {
                self.result.insert(key.to_owned(), success.result);
                self.total.extend(success.total.map(|total| (key.to_owned(), total.into())));
                self.next.extend(success.next.map(|next| (key.to_owned(), next.into())));
                self.time.insert(key.to_owned(), time);
            }
            Err(refusal) => {
                self.error.insert(key.to_owned(), refusal.envelope());
            }
        }
    }

    /// The `result` of the batch.
    pub(super) fn into_value(self) -> Value {
        json!({
            "result": php_array(self.result),
            "result_error": php_array(self.error),
            "result_total": php_array(self.total),
            "result_next": php_array(self.next),
            "result_time": php_array(self.time),
        })
    }

    fn resolve(&self, value: &mut Value, room: &mut usize) -> Result<(), TooLong> {
        match value {
            Value::String(text) if text.contains("$result[") => *value = self.resolved(text, room)?,
            Value::Object(map) => map.values_mut().try_for_each(|value| self.resolve(value, room))?,
            _ => {}
        }
        Ok(())
    }

    /// The value of a text with references. A text that is one reference becomes what it refers to; references inside a
    /// longer text become text. A reference to nothing is empty.
    fn resolved(&self, text: &str, room: &mut usize) -> Result<Value, TooLong> {
        let mut whole = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("$result[") {
            whole.push_str(rest.get(..at).unwrap_or_default());
            let mut tail = rest.get(at + "$result".len()..).unwrap_or_default();
            let mut keys = Vec::new();
            while let Some((key, after)) = tail.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
                keys.push(key);
                tail = after;
            }
            if keys.is_empty() {
                break;
            }
            let found = self.find(&keys);
            if at == 0 && whole.is_empty() && tail.is_empty() {
                *room = room.checked_sub(found.map_or(0, size)).ok_or(TooLong)?;
                return Ok(found.cloned().unwrap_or_else(|| Value::String(String::new())));
            }
            match found {
                Some(Value::String(text)) => {
                    *room = room.checked_sub(text.len()).ok_or(TooLong)?;
                    whole.push_str(text);
                }
                Some(Value::Number(number)) => whole.push_str(&number.to_string()),
                Some(Value::Bool(true)) => whole.push('1'),
                _ => {}
            }
            rest = tail;
        }
        whole.push_str(rest);
        Ok(Value::String(whole))
    }

    fn find(&self, keys: &[&str]) -> Option<&Value> {
        let (first, rest) = keys.split_first()?;
        rest.iter().try_fold(self.result.get(*first)?, |value, key| match value {
            Value::Object(map) => map.get(*key),
            Value::Array(list) => list.get(key.parse::<usize>().ok()?),
            _ => None,
        })
    }
}

/// About how many bytes a copy of a value takes.
fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(list) => list.iter().map(size).sum(),
            Value::Object(map) => map.iter().map(|(key, value)| key.len() + size(value)).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn batch(given: Value) -> BatchRequest {
        read(given.as_object().unwrap())
    }

    #[test]
    fn commands_come_as_map_or_list_and_halt_in_any_type() {
        let map = batch(json!({"CMD": {"b": "User.Admin.json", "a": "x?y=1?2"}, "halt": 1}));
        let methods: Vec<_> =
            map.commands.iter().map(|command| (command.key.as_str(), command.method.as_str())).collect();
        assert_eq!((map.halt, methods), (true, vec![("b", "user.admin"), ("a", "x")]));
        assert_eq!(
            batch(json!({"cmd": ["a", 5, "b"]})).commands.iter().map(|c| c.key.as_str()).collect::<Vec<_>>(),
            ["0", "2"]
        );
        assert_eq!(batch(json!({})).commands, []);
        for halt in [json!(true), json!(1), json!("1"), json!("true"), json!("Y")] {
            assert!(batch(json!({ "halt": halt })).halt, "{halt}");
        }
        for halt in [json!(false), json!(0), json!(0.0), json!("0"), json!(""), json!("false"), json!(null)] {
            assert!(!batch(json!({ "halt": halt })).halt, "{halt}");
        }
    }

    #[test]
    fn references_keep_their_type_when_they_stand_alone() {
        let mut results = BatchResults::default();
        results.add("a", Ok(Success::of(json!({"icons": [{"code": "x", "isSystem": true}], "n": 5}))), Value::Null);
        let text = |text: &str| results.resolved(text, &mut usize::MAX.clone()).unwrap();
        assert_eq!(text("$result[a][n]"), json!(5));
        assert_eq!(text("$result[a][icons][0][code]"), json!("x"));
        assert_eq!(text("<$result[a][n]-$result[a][icons][0][isSystem]>"), json!("<5-1>"));
        assert_eq!(text("$result[b]"), json!(""));
        assert_eq!(text("-$result[a][n][deeper]"), json!("-"));
        assert_eq!(text("$result[a"), json!("$result[a"));
    }

    #[test]
    fn references_cannot_grow_without_bound() {
        let title = "x".repeat(MAX_REFERENCED_BYTES / 16);
        for (query, once) in [("a=-$result[t]", 16), ("a=$result[t]", 15)] {
            let mut results = BatchResults::default();
            results.add("t", Ok(Success::of(json!(title))), Value::Null);
            let command =
                |query: &str| BatchCommand { key: String::new(), method: String::new(), query: query.to_owned() };
            for number in 0..once {
                assert!(results.parameters(&command(query)).is_ok(), "{query}, {number}");
            }
            let refusal = results.parameters(&command(query)).unwrap_err();
            assert_eq!((refusal.status, &*refusal.code), (500, "INTERNAL_SERVER_ERROR"));
            assert!(results.parameters(&command("a=b")).is_ok(), "a reference to nothing does not end the batch");
        }
    }
}
