//! The shapes of answers. PHP writes an empty map as `[]`, a map with the keys 0, 1, 2… as a list, and a boolean in one
//! of many ways; all of them are read here, and only here.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::asset::{Address, Code, Kind};
use crate::domain::state::Listed;

use super::json::{self, Unreadable};

/// The body of a response, as read.
#[derive(Debug, PartialEq)]
pub(super) enum AnswerBody {
    /// It has a `result` and no `error`.
    Result(RestResult),
    /// It has an `error`, under any status.
    Error(ErrorBody),
    /// It is not an answer of a portal, and why.
    NoAnswer(&'static str),
}

/// The answer of a method that succeeds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RestResult {
    /// What the method returns.
    pub(super) result: Value,
    /// How many items there are in all, next to a list.
    pub(super) total: Option<Value>,
    /// Whether there is another page.
    pub(super) more: bool,
    /// What it says about the method's time.
    pub(super) time: CallTime,
}

/// What an answer says about the time of its method.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct CallTime {
    /// How long the call took, in seconds.
    pub(super) took: f64,
    /// How much the method has used of its time allowance, in seconds.
    pub(super) operating: Option<f64>,
    /// When some of that is free again, counted from the answer on.
    pub(super) resets_in: Option<Duration>,
}

/// An error as the portal reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// Its code as a string, also where it was a number on the wire; may be empty or `0`.
    pub(super) code: String,
    /// Its words; may be empty.
    pub(super) description: String,
    /// Whether it has a field for words, as all errors of the engine have: a gateway's may not.
    pub(super) is_described: bool,
}

/// The reason why an answer does not have the shape that it should.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

/// Reads the body of a response.
pub(super) fn body(bytes: &[u8]) -> AnswerBody {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return AnswerBody::NoAnswer("nothing");
    }
    let mut fields = match json::read(bytes) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return AnswerBody::NoAnswer("JSON that is not an answer"),
        Err(Unreadable::BreaksOff) => return AnswerBody::NoAnswer("JSON that breaks off"),
        Err(Unreadable::NotJson) => return AnswerBody::NoAnswer("no JSON"),
        Err(Unreadable::TooMuch) => return AnswerBody::NoAnswer("JSON with far more values than an answer can have"),
    };
    // The key alone makes it an error: "0", 0 and "" are codes that portals use.
    let is_error = match fields.get("error") {
        None => false,
        Some(Value::Null) => !fields.contains_key("result"),
        Some(_) => true,
    };
    if is_error {
        return AnswerBody::Error(error(&Value::Object(fields)));
    }
    let time = fields.get("time").map(call_time).unwrap_or_default();
    let more = fields.get("next").is_some_and(|next| !next.is_null());
    let total = fields.remove("total");
    match fields.remove("result") {
        Some(result) => AnswerBody::Result(RestResult { result, total, more, time }),
        None => AnswerBody::NoAnswer("JSON without a result"),
    }
}

/// Reads an error: an object with `error` and `error_description`, or the bare code.
pub(super) fn error(value: &Value) -> ErrorBody {
    match value {
        Value::Object(fields) => ErrorBody {
            code: fields.get("error").map(plain).unwrap_or_default(),
            description: fields.get("error_description").map(plain).unwrap_or_default(),
            is_described: fields.contains_key("error_description"),
        },
        other => ErrorBody { code: plain(other), description: String::new(), is_described: false },
    }
}

/// The members of a PHP array, which is a list or a map on the wire. `None` when it is neither.
pub(super) fn members(value: Value) -> Option<Vec<(String, Value)>> {
    match value {
        Value::Array(items) => Some(items.into_iter().enumerate().map(|(i, item)| (i.to_string(), item)).collect()),
        Value::Object(fields) => Some(fields.into_iter().collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// A boolean: `true`, `"Y"`, `1`, `"1"` and their opposites.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_u64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.as_str() {
            "Y" | "y" | "1" | "true" => Some(true),
            "N" | "n" | "0" | "false" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The entries of a list. It is complete, or an error.
pub(super) fn entries(kind: Kind, list: RestResult) -> Result<Vec<Listed>, Malformed> {
    let field = kind.plural();
    let total = match list.total {
        None | Some(Value::Null) => None,
        Some(total) => Some(count(&total).ok_or_else(|| Malformed("the field `total` is not a number".to_owned()))?),
    };
    let items = match list.result {
        Value::Object(mut fields) => fields.remove(field),
        // PHP's empty array may stand for the whole result, but only if a count says so.
        Value::Array(items) if items.is_empty() && total == Some(0) => Some(Value::Array(items)),
        _ => None,
    };
    let items = items.ok_or_else(|| Malformed(format!("there is no field `{field}`")))?;
    let items = members(items).ok_or_else(|| Malformed(format!("the field `{field}` is not a list")))?;
    let with_nulls = items.len();
    let entries: Vec<Listed> = items
        .into_iter()
        .filter(|(_, item)| !item.is_null())
        .map(|(key, item)| {
            entry(kind, &item).map_err(|Malformed(why)| Malformed(format!("entry {key} of `{field}`: {why}")))
        })
        .collect::<Result<_, _>>()?;
    match total {
        Some(total) if total != with_nulls && total != entries.len() => {
            Err(Malformed(format!("incomplete list: {with_nulls} of {total} {field}")))
        }
        _ if list.more => Err(Malformed(format!("incomplete list: more {field} follow"))),
        _ => Ok(entries),
    }
}

/// The entry of a get answer.
pub(super) fn single(kind: Kind, result: &Value) -> Result<Listed, Malformed> {
    let field = kind.name();
    let item = result.get(field).ok_or_else(|| Malformed(format!("there is no field `{field}`")))?;
    entry(kind, item)
}

/// Whether a write's `result` is what success looks like.
pub(super) fn is_added(kind: Kind, result: &Value) -> bool {
    result.get(kind.name()).is_some_and(Value::is_object)
}

/// Whether a delete's `result` is what success looks like.
pub(super) fn is_deleted(result: &Value) -> bool {
    truth(result) == Some(true)
}

/// Reads a `time` object. Any of its fields may be missing.
pub(super) fn call_time(time: &Value) -> CallTime {
    let seconds = |name: &str| moment(time.get(name)?).filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    CallTime {
        took: seconds("duration").unwrap_or_default(),
        operating: seconds("operating"),
        resets_in: resets_in(time),
    }
}

/// The time from the answer until the method's time allowance resets, by the server's clock.
pub(super) fn resets_in(time: &Value) -> Option<Duration> {
    /// The allowance is counted over ten minutes: more than that is a mistake somewhere.
    const WINDOW: f64 = 600.0;
    let reset = moment(time.get("operating_reset_at")?)?;
    let seconds = reset - ["finish", "date_finish"].iter().find_map(|name| moment(time.get(name)?))?;
    (0.0..=WINDOW).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// A moment in seconds since 1970: a number, also as text, or an ISO 8601 date.
fn moment(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => {
            let date = || {
                let date = text.parse::<Timestamp>().ok()?;
                Some(date.as_duration().as_secs_f64())
            };
            text.trim().parse().ok().or_else(date)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn entry(kind: Kind, item: &Value) -> Result<Listed, Malformed> {
    let field = |name: &str| item.get(name).ok_or_else(|| Malformed(format!("there is no field `{name}`")));
    let wrong = |name: &str| Malformed(format!("the field `{name}` is of the wrong type"));
    let code = match field("code")? {
        Value::String(code) => code.clone(),
        // PHP turns digits into a number when they were a key.
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return Err(wrong("code")),
    };
    let system = truth(field("isSystem")?).ok_or_else(|| wrong("isSystem"))?;
    let file_uri = match field("fileUri")? {
        Value::String(uri) => uri.clone(),
        Value::Null | Value::Bool(false) => String::new(),
        _ => return Err(wrong("fileUri")),
    };
    Ok(Listed { address: Address::new(kind, Code::new(code)), system, file_uri })
}

fn count(value: &Value) -> Option<usize> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|count| usize::try_from(count).ok()),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
    use super::*;
    use serde_json::json;

    fn answered(result: Value, total: Option<Value>) -> RestResult {
        RestResult { result, total, ..RestResult::default() }
    }

    fn icons(list: Value, total: u64) -> Result<Vec<Listed>, Malformed> {
        entries(Kind::Icon, answered(json!({ "icons": list }), Some(json!(total))))
    }

    #[test]
    fn the_key_error_makes_an_error() {
        for (code, expected) in
            [(json!("0"), "0"), (json!(0), "0"), (json!(""), ""), (json!("X"), "X"), (json!(100), "100")]
        {
            let bytes = json!({"error": code, "error_description": "no", "result": true}).to_string();
            let AnswerBody::Error(error) = body(bytes.as_bytes()) else { panic!("{bytes} is an error") };
            assert_eq!((error.code.as_str(), error.description.as_str()), (expected, "no"));
        }
        assert!(matches!(body(br#"{"error":null}"#), AnswerBody::Error(_)));
        assert!(matches!(body(br#"{"error":null,"result":1}"#), AnswerBody::Result(_)));
    }

    #[test]
    fn what_is_not_an_answer_says_why() {
        for (bytes, why) in [
            (&b""[..], "nothing"),
            (b" \r\n", "nothing"),
            (b"<html>", "no JSON"),
            (b"{\"result\":{\"ico", "JSON that breaks off"),
            (b"[]", "JSON that is not an answer"),
            (b"true", "JSON that is not an answer"),
            (b"{}", "JSON without a result"),
            (b"{\"time\":{}}", "JSON without a result"),
        ] {
            assert_eq!(body(bytes), AnswerBody::NoAnswer(why), "{}", bytes.escape_ascii());
        }
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert_eq!(body(&deep), AnswerBody::NoAnswer("no JSON"));
        assert!(matches!(body(b"\xef\xbb\xbf{\"result\":true}"), AnswerBody::Result(_)));
    }

    #[test]
    fn a_php_array_is_a_list_or_a_map() {
        assert_eq!(members(json!([])), Some(vec![]));
        assert_eq!(members(json!({})), Some(vec![]));
        assert_eq!(members(json!(["a"])), Some(vec![("0".to_owned(), json!("a"))]));
        assert_eq!(members(json!({"k": 1})), Some(vec![("k".to_owned(), json!(1))]));
        assert_eq!(members(json!("text")), None);
    }

    #[test]
    fn lists_come_in_every_shape() {
        let entry = json!({"code": "a", "isSystem": false, "fileUri": "/upload/a.png"});
        let expected = vec![Listed {
            address: Address::new(Kind::Icon, Code::new("a")),
            system: false,
            file_uri: "/upload/a.png".to_owned(),
        }];
        assert_eq!(icons(json!([entry]), 1).unwrap(), expected);
        assert_eq!(icons(json!({"7": entry}), 1).unwrap(), expected);
        assert_eq!(icons(json!([null, entry]), 1).unwrap(), expected);
        assert_eq!(icons(json!([null, entry]), 2).unwrap(), expected);
        assert_eq!(icons(json!([]), 0).unwrap(), []);
        assert_eq!(icons(json!({}), 0).unwrap(), []);
        assert_eq!(entries(Kind::Icon, answered(json!([]), Some(json!("0")))).unwrap(), []);
        assert_eq!(entries(Kind::Icon, answered(json!({"icons": []}), None)).unwrap(), []);
    }

    #[test]
    fn an_incomplete_list_is_refused() {
        let entry = json!({"code": "a", "isSystem": false, "fileUri": ""});
        assert_eq!(icons(json!([entry]), 2), Err(Malformed("incomplete list: 1 of 2 icons".to_owned())));
        assert_eq!(icons(json!([]), 49), Err(Malformed("incomplete list: 0 of 49 icons".to_owned())));
        let more = RestResult { more: true, ..answered(json!({"icons": [entry]}), Some(json!(1))) };
        assert!(entries(Kind::Icon, more).is_err());
        for result in [json!([]), json!({}), json!(null), json!({"logos": []}), json!({"icons": 7}), json!([entry])] {
            assert!(entries(Kind::Icon, answered(result.clone(), Some(json!(1)))).is_err(), "{result}");
        }
        assert!(entries(Kind::Icon, answered(json!([]), None)).is_err());
        assert!(entries(Kind::Icon, answered(json!({"icons": []}), Some(json!([])))).is_err());
    }

    #[test]
    fn entries_that_lack_something_name_it() {
        let whole = json!({"code": "a", "isSystem": true, "fileUri": ""});
        for field in ["code", "isSystem", "fileUri"] {
            let mut item = whole.clone();
            item.as_object_mut().unwrap().remove(field);
            let Err(Malformed(why)) = icons(json!([whole, item]), 2) else { panic!("{field} is missing") };
            assert_eq!(why, format!("entry 1 of `icons`: there is no field `{field}`"));
            let mut item = whole.clone();
            item.as_object_mut().unwrap().insert(field.to_owned(), json!({"a": []}));
            let Err(Malformed(why)) = icons(json!([item]), 1) else { panic!("{field} is wrong") };
            assert_eq!(why, format!("entry 0 of `icons`: the field `{field}` is of the wrong type"));
        }
    }

    #[test]
    fn truth_comes_in_many_spellings_and_nonsense_is_refused() {
        for yes in [json!(true), json!("Y"), json!(1), json!("1")] {
            assert_eq!(truth(&yes), Some(true), "{yes}");
        }
        for no in [json!(false), json!("N"), json!(0), json!("0")] {
            assert_eq!(truth(&no), Some(false), "{no}");
        }
        for nonsense in [json!(null), json!(""), json!(2), json!("perhaps"), json!([]), json!({})] {
            assert_eq!(truth(&nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn numeric_codes_and_absent_files_are_read() {
        let entry = icons(json!([{"code": 12, "isSystem": "N", "fileUri": null}]), 1).unwrap().remove(0);
        assert_eq!((entry.address.code.as_str(), entry.file_uri.as_str()), ("12", ""));
        assert_eq!(
            single(Kind::Logo, &json!({"logo": {"code": "x", "isSystem": 1, "fileUri": false}})).unwrap().file_uri,
            ""
        );
        assert_eq!(single(Kind::Logo, &json!({"icon": {}})), Err(Malformed("there is no field `logo`".to_owned())));
    }

    #[test]
    fn the_time_of_a_call_is_read_whatever_it_lacks() {
        let time = json!({"finish": 10, "duration": 0.5, "operating": "1.5", "operating_reset_at": 70});
        let resets_in = Some(Duration::from_secs(60));
        assert_eq!(call_time(&time), CallTime { took: 0.5, operating: Some(1.5), resets_in });
        for odd in [json!(null), json!([]), json!({"duration": -1, "operating": "NaN"}), json!({"operating": null})] {
            assert_eq!(call_time(&odd), CallTime::default(), "{odd}");
        }
        assert_eq!(call_time(&json!({"operating": 2})), CallTime { operating: Some(2.0), ..CallTime::default() });
    }

    #[test]
    fn the_reset_is_counted_by_the_servers_clock() {
        let time = |reset: f64| json!({"finish": 1000.5, "operating_reset_at": reset});
        assert_eq!(resets_in(&time(1060.5)), Some(Duration::from_secs(60)));
        assert_eq!(resets_in(&time(900.0)), None);
        for (finish, reset) in [
            (json!(1000.5), json!("1970-01-01T00:17:40.5Z")),
            (json!(1000.5), json!("1970-01-01T03:17:40.500+03:00")),
            (json!("1000.5"), json!("1060.5")),
            (json!("1970-01-01T03:16:40.5+03:00"), json!(1060.5)),
        ] {
            let time = json!({"finish": finish, "operating_reset_at": reset});
            assert_eq!(resets_in(&time), Some(Duration::from_secs(60)), "{time}");
        }
        let dated = json!({"date_finish": "1970-01-01T03:16:40+03:00", "operating_reset_at": 1060});
        assert_eq!(resets_in(&dated), Some(Duration::from_secs(60)));
        assert_eq!(resets_in(&json!({"finish": 1, "operating_reset_at": "soon"})), None);
        assert_eq!(resets_in(&time(1e12)), None);
        assert_eq!(resets_in(&json!({"finish": 1})), None);
        assert_eq!(resets_in(&json!([])), None);
    }
}
