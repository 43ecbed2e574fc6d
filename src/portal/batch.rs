//! Batches: from commands to the `cmd` of a request, and from the maps of its answer to an answer for each command.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::domain::asset::{Address, Kind};
use crate::domain::command::{Answer, Command, Halt};
use crate::domain::state::Listed;

use super::access::Access;
use super::error;
use super::wire::{self, CallTime, ErrorBody, Malformed, RestResult};

/// The most commands that a portal runs in one batch.
pub(super) const MAX_COMMANDS: usize = 50;

/// The key of the command that asks whether the caller may write.
pub(super) const RIGHTS: &str = "rights";

/// The method that answers whether the caller may write.
pub(super) const RIGHTS_METHOD: &str = "user.admin";

/// The method of a command, as in `crm.timeline.icon.add`.
pub(super) fn method(command: &Command) -> String {
    let verb = match command {
        Command::Add { .. } => "add",
        Command::Delete { .. } => "delete",
    };
    format!("crm.timeline.{}.{verb}", command.address().kind)
}

/// Whether a method is one of those that commands have.
pub(super) fn is_write(method: &str) -> bool {
    let ending = method.strip_prefix("crm.timeline.").and_then(|rest| rest.split_once('.'));
    ending.is_some_and(|(kind, verb)| {
        Kind::ALL.iter().any(|known| known.name() == kind) && matches!(verb, "add" | "delete")
    })
}

/// The method that lists a kind.
pub(super) fn list_method(kind: Kind) -> String {
    format!("crm.timeline.{kind}.list")
}

/// The parameters of a command that is sent as a separate request.
pub(super) fn parameters(command: &Command) -> Value {
    match command {
        Command::Add { address, png } => json!({"code": address.code.as_str(), "fileContent": STANDARD.encode(png)}),
        Command::Delete { address } => json!({"code": address.code.as_str()}),
    }
}

/// The body of a batch of writes.
pub(super) fn of_writes(commands: &[Command], halt: Halt) -> Value {
    let cmd: Map<String, Value> =
        commands.iter().enumerate().map(|(index, command)| (key(index), Value::String(query(command)))).collect();
    json!({"halt": halt_flag(halt), "cmd": cmd})
}

/// The body of the batch that reads both lists.
pub(super) fn of_lists() -> Value {
    let cmd: Map<String, Value> = lists().collect();
    json!({"halt": halt_flag(Halt::Never), "cmd": cmd})
}

/// The body of the batch that asks whether the caller may write, and then reads both lists.
pub(super) fn of_rights_and_lists() -> Value {
    let rights = (RIGHTS.to_owned(), Value::String(RIGHTS_METHOD.to_owned()));
    let cmd: Map<String, Value> = [rights].into_iter().chain(lists()).collect();
    json!({"halt": halt_flag(Halt::Never), "cmd": cmd})
}

fn lists() -> impl Iterator<Item = (String, Value)> {
    Kind::ALL.into_iter().map(|kind| (kind.plural().to_owned(), Value::String(list_method(kind))))
}

/// The method that gets one entry of a kind.
pub(super) fn get_method(kind: Kind) -> String {
    format!("crm.timeline.{kind}.get")
}

/// The body of a batch that gets entries.
pub(super) fn of_gets(addresses: &[Address]) -> Value {
    let query = |address: &Address| {
        let code = utf8_percent_encode(address.code.as_str(), NON_ALPHANUMERIC);
        Value::String(format!("{}?code={code}", get_method(address.kind)))
    };
    let cmd: Map<String, Value> =
        addresses.iter().enumerate().map(|(index, address)| (key(index), query(address))).collect();
    json!({"halt": halt_flag(Halt::Never), "cmd": cmd})
}

/// The body of a batch of one method, each command with its own parameters.
pub(super) fn of_queries(method: &str, queries: &[Vec<(&str, String)>]) -> Value {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query = |parameters: &Vec<(&str, String)>| {
        let pairs: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        Value::String(format!("{method}?{}", pairs.join("&")))
    };
    let cmd: Map<String, Value> =
        queries.iter().enumerate().map(|(index, parameters)| (key(index), query(parameters))).collect();
    json!({"halt": halt_flag(Halt::Never), "cmd": cmd})
}

/// Whether a batch would read the entry's code as a reference to another command's result, and so act on another code.
/// Declared codes have no `$`; other codes on the portal may have one.
pub(super) fn would_be_substituted(address: &Address) -> bool {
    address.code.as_str().contains("$result")
}

/// The answers of a batch to each of its commands.
#[derive(Debug)]
pub(super) struct BatchAnswers {
    result: Map<String, Value>,
    errors: Map<String, Value>,
    total: Map<String, Value>,
    next: Map<String, Value>,
    time: Map<String, Value>,
}

/// One command's part of an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    Result(RestResult),
    Error(ErrorBody),
    /// Neither, or both, which is just as meaningless.
    Nothing,
}

impl BatchAnswers {
    /// Reads the five maps. A map that is absent counts as empty, but `result` or `result_error` must be present.
    pub(super) fn read(result: Value) -> Result<Self, Malformed> {
        let Value::Object(mut maps) = result else {
            return Err(Malformed("the result of the batch is not an object".to_owned()));
        };
        if !maps.contains_key("result") && !maps.contains_key("result_error") {
            return Err(Malformed("there is no field `result_error`".to_owned()));
        }
        let mut take = |field: &str| match maps.remove(field) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(value) => wire::members(value)
                .map(|members| members.into_iter().collect())
                .ok_or_else(|| Malformed(format!("the field `{field}` is neither a map nor a list"))),
        };
        Ok(Self {
            result: take("result")?,
            errors: take("result_error")?,
            total: take("result_total")?,
            next: take("result_next")?,
            time: take("result_time")?,
        })
    }

    /// The time until the allowances of all its methods are filled up again.
    pub(super) fn resets_in(&self) -> Option<Duration> {
        self.time.values().filter_map(wire::resets_in).max()
    }

    /// The most time that one of its methods has used up of its allowance, in seconds.
    pub(super) fn operating(&self) -> Option<f64> {
        self.time.values().filter_map(|time| time.get("operating")?.as_f64()).reduce(f64::max)
    }

    /// What the answer says about the time of the command with this key, if it was not refused.
    pub(super) fn time_of_result(&self, key: &str) -> Option<CallTime> {
        self.result.contains_key(key).then(|| self.time(key))
    }

    /// What the answer says about the time of the command with this key.
    fn time(&self, key: &str) -> CallTime {
        self.time.get(key).map(wire::call_time).unwrap_or_default()
    }

    /// Takes the part of the command with this key.
    pub(super) fn take(&mut self, key: &str) -> Part {
        match (self.result.remove(key), self.errors.remove(key)) {
            (Some(result), None) => Part::Result(RestResult {
                result,
                total: self.total.remove(key),
                more: self.next.get(key).is_some_and(|next| !next.is_null()),
                time: self.time(key),
            }),
            (None | Some(Value::Null), Some(error)) => Part::Error(wire::error(&error)),
            (None, None) | (Some(_), Some(_)) => Part::Nothing,
        }
    }

    /// One answer for each command, in order.
    ///
    /// `on_added` gets every entry that the portal reports as added.
    pub(super) fn into_writes(
        mut self,
        access: &Access,
        commands: &[Command],
        halt: Halt,
        mut on_added: impl FnMut(&Address, Listed),
    ) -> Vec<Answer> {
        let mut halted = false;
        commands
            .iter()
            .enumerate()
            .map(|(index, command)| match self.take(&key(index)) {
                Part::Result(answered) => {
                    if let Command::Add { address, .. } = command {
                        let added = wire::single(address.kind, &answered.result).ok();
                        added.into_iter().for_each(|entry| on_added(address, entry));
                    }
                    judge(command, &answered.result)
                }
                Part::Error(error) => {
                    halted = halt == Halt::OnError;
                    error::answer(error::refused(access, None, &error))
                }
                Part::Nothing if halted => Answer::NotRun,
                Part::Nothing => unmentioned(),
            })
            .collect()
    }
}

/// Whether a command's result is what success looks like. Anything else does not count as a success.
pub(super) fn judge(command: &Command, result: &Value) -> Answer {
    let done = match command {
        Command::Add { address, .. } => wire::is_added(address.kind, result),
        Command::Delete { .. } => wire::is_deleted(result),
    };
    if done { Answer::Done } else { unmentioned() }
}

fn unmentioned() -> Answer {
    Answer::Unknown("the answer does not mention it".to_owned())
}

/// The key of the command at this index. It begins with a letter, so that PHP keeps the keys as a map.
pub(super) fn key(index: usize) -> String {
    format!("c{index}")
}

const fn halt_flag(halt: Halt) -> u8 {
    match halt {
        Halt::Never => 0,
        Halt::OnError => 1,
    }
}

/// The query of a command: `method?code=…&fileContent=…`. Everything but letters and digits is percent-encoded: a bare `+`
/// would be read as a space, and a corrupt image would be stored silently.
fn query(command: &Command) -> String {
    let code = utf8_percent_encode(command.address().code.as_str(), NON_ALPHANUMERIC);
    let method = method(command);
    match command {
        Command::Add { png, .. } => {
            let content = STANDARD.encode(png);
            format!("{method}?code={code}&fileContent={}", utf8_percent_encode(&content, NON_ALPHANUMERIC))
        }
        Command::Delete { .. } => format!("{method}?code={code}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
    use super::*;
    use crate::domain::asset::Code;
    use crate::domain::retry::Class;
    use percent_encoding::percent_decode_str;

    fn access() -> Access {
        crate::portal::Webhook::parse("https://acme.example/rest/1/s3cr3tS3cr3t/", "test").unwrap().into()
    }

    fn add(code: &str, png: &[u8]) -> Command {
        Command::Add { address: Address::new(Kind::Icon, Code::new(code)), png: png.into() }
    }

    fn delete(code: &str) -> Command {
        Command::Delete { address: Address::new(Kind::Logo, Code::new(code)) }
    }

    fn answers(result: Value, commands: &[Command], halt: Halt) -> Vec<Answer> {
        BatchAnswers::read(result).unwrap().into_writes(&access(), commands, halt, |_, _| {})
    }

    fn refused(code: &str, description: &str) -> Answer {
        Answer::Refused { class: Class::Refused, code: code.to_owned(), description: description.to_owned() }
    }

    #[test]
    fn every_byte_and_every_code_survives_the_query() {
        let bytes: Vec<u8> = (0..=255).chain([0xfb, 0xef, 0xff]).collect();
        let odd = "a b&c=d+e$result[c0][id]/é%41?#";
        let body = of_writes(&[add(odd, &bytes), delete(odd)], Halt::OnError);
        assert_eq!(body["halt"], 1);
        let query = body["cmd"]["c0"].as_str().unwrap();
        let (method, rest) = query.split_once('?').unwrap();
        assert_eq!(method, "crm.timeline.icon.add");
        let (code, content) = rest.split_once('&').unwrap();
        assert!(!rest.contains(['+', '/', '$', ' ']), "{rest}");
        let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        assert_eq!(decode(code.strip_prefix("code=").unwrap()), odd);
        let content = decode(content.strip_prefix("fileContent=").unwrap());
        assert!(content.contains('+') && content.contains('/'), "the sample must be a difficult one");
        assert_eq!(STANDARD.decode(content).unwrap(), bytes);
        assert!(body["cmd"]["c1"].as_str().unwrap().starts_with("crm.timeline.logo.delete?code=a%20b%26c"));
    }

    #[test]
    fn the_methods_of_commands_are_known() {
        assert!([method(&add("a", b"1")), method(&delete("a"))].iter().all(|method| is_write(method)));
        for other in ["batch", "crm.timeline.icon.list", "crm.timeline.logmessage.add", "icon.add"] {
            assert!(!is_write(other), "{other}");
        }
    }

    #[test]
    fn names_and_values_of_a_query_are_encoded() {
        let body = of_queries("m.list", &[vec![("order[id]", "a&b".to_owned()), ("start", "0".to_owned())], vec![]]);
        assert_eq!(body, json!({"halt": 0, "cmd": {"c0": "m.list?order%5Bid%5D=a%26b&start=0", "c1": "m.list?"}}));
    }

    #[test]
    fn both_lists_are_one_batch() {
        assert_eq!(
            of_lists(),
            json!({"halt": 0, "cmd": {"icons": "crm.timeline.icon.list", "logos": "crm.timeline.logo.list"}})
        );
    }

    #[test]
    fn each_command_gets_its_answer() {
        let commands = [add("a", b"1"), add("b", b"2"), delete("c"), delete("d"), add("e", b"3")];
        let result = json!({
            "result": {"c0": {"icon": {"code": "a"}}, "c2": true},
            "result_error": {
                "c1": {"error": "BX_INVALID_VALUE", "error_description": "Code must be unique"},
                "c3": {"error": 0, "error_description": ""},
            },
            "result_total": [], "result_next": [], "result_time": [],
        });
        let expected = [
            Answer::Done,
            refused("BX_INVALID_VALUE", "Code must be unique"),
            Answer::Done,
            refused("0", ""),
            unmentioned(),
        ];
        assert_eq!(answers(result, &commands, Halt::Never), expected);
    }

    #[test]
    fn what_comes_after_a_halt_was_not_run() {
        let commands = [delete("a"), add("b", b"1"), delete("c")];
        let result = |first: Value| json!({"result": first, "result_error": {"c1": {"error": ""}}});
        assert_eq!(
            answers(result(json!({"c0": true})), &commands, Halt::OnError),
            [Answer::Done, refused("", ""), Answer::NotRun]
        );
        assert_eq!(
            answers(result(json!([])), &commands, Halt::OnError),
            [unmentioned(), refused("", ""), Answer::NotRun]
        );
        assert_eq!(
            answers(json!({"result": [], "result_error": []}), &commands, Halt::OnError),
            [unmentioned(), unmentioned(), unmentioned()],
            "no command was refused, so nothing halted"
        );
    }

    #[test]
    fn success_must_look_like_one() {
        let commands = [add("a", b"1"), delete("b")];
        for (added, deleted) in [
            (json!(true), json!({"icon": {}})),
            (json!({"logo": {}}), json!(false)),
            (json!([]), json!([])),
            (json!(null), json!(null)),
        ] {
            let result = json!({"result": {"c0": added, "c1": deleted}, "result_error": []});
            assert_eq!(answers(result.clone(), &commands, Halt::Never), [unmentioned(), unmentioned()], "{result}");
        }
    }

    #[test]
    fn contradictions_say_nothing() {
        let result = json!({"result": {"c0": true}, "result_error": {"c0": {"error": "NOT_FOUND"}}});
        assert_eq!(answers(result, &[delete("a")], Halt::OnError), [unmentioned()]);
        let result = json!({"result": {"c0": null}, "result_error": {"c0": "NOT_FOUND"}});
        assert_eq!(answers(result, &[delete("a")], Halt::OnError), [refused("NOT_FOUND", "")]);
    }

    #[test]
    fn what_is_no_batch_answer_is_refused() {
        for result in [json!([]), json!(true), json!({}), json!({"result": 7}), json!({"result_error": "x"})] {
            assert!(BatchAnswers::read(result.clone()).is_err(), "{result}");
        }
        assert!(BatchAnswers::read(json!({"result": null, "result_error": []})).is_ok());
    }

    #[test]
    fn refusals_do_not_echo_the_secret() {
        let result = json!({"result": [], "result_error": {"c0": {"error": "s3cr3tS3cr3t", "error_description": "at s3cr3tS3cr3t!"}}});
        assert_eq!(answers(result, &[delete("a")], Halt::Never), [refused("[secret]", "at [secret]!")]);
    }
}
