//! The execution of a single command: scripted refusals, the few methods that do not need the world, and storing the
//! world's changes.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{CallOutcome, Verb, WorldChange};
use super::core::Core;
use super::identity::{Caller, SCOPES, random_path};
use super::methods::{Method, lookup};
use super::php::{Parameters, is_true};
use super::record::End;
use super::wire::{CallRefusal, Success, date, duration, time};

impl Core {
    /// Executes one command, and gives its end and its `time` object; `at` is the recorded request and the place in it.
    pub(super) fn execute(
        &mut self,
        at: Option<(usize, usize)>,
        name: &str,
        given: &Parameters,
        caller: &Caller,
        start: Timestamp,
    ) -> (Result<Success, CallRefusal>, Value) {
        let changed = &mut false;
        let end = self.answer(name, given, caller, start, changed);
        self.record(at, &end, *changed);
        let finish = Timestamp::now();
        let used = match &end {
            // Nothing was done, and a method that does not exist is not counted.
            Err(CallRefusal { status: 404 | 429, .. }) => self.meter.time_used(name, start),
            _ => self.meter.count(name, start, duration(start, finish)),
        };
        (end, time(start, finish, used))
    }

    /// Records how a command ended.
    pub(super) fn record(&mut self, at: Option<(usize, usize)>, end: &Result<Success, CallRefusal>, changed: bool) {
        if let Some((request, place)) = at
            && let Some(record) = self.requests.get_mut(request)
        {
            record.wrote |= changed;
            if let Some(command) = record.commands.get_mut(place) {
                command.end = match end {
                    Ok(_) => End::Done,
                    Err(refusal) => End::Refused(refusal.code.to_string()),
                };
            }
        }
    }

    fn answer(
        &mut self,
        name: &str,
        given: &Parameters,
        caller: &Caller,
        now: Timestamp,
        changed: &mut bool,
    ) -> Result<Success, CallRefusal> {
        match self.admitted(name, caller, now)? {
            Method::Batch => Err(CallRefusal::NOT_IN_BATCH),
            Method::Scope => {
                let full = given.get("full").is_some_and(is_true);
                Ok(Success::of(json!(if full { &SCOPES } else { caller.scopes })))
            }
            Method::UserAdmin => Ok(Success::of(Value::Bool(caller.administrator))),
            Method::Profile => Ok(Success::of(profile(caller))),
            Method::Exists => Ok(Success::of(existence(given, caller))),
            Method::Asset(kind, verb) => {
                let path = random_path().map_err(|_| not_saved())?;
                let outcome = self.world.decide(kind, verb, given, caller, &path, now);
                if verb != Verb::Add {
                    return self.settle(outcome, changed, |error| CallRefusal::internal(&error));
                }
                if outcome.change.is_some() && self.script.lasting.disk_is_full {
                    return Err(not_saved());
                }
                self.settle(outcome, changed, |_| not_saved())
            }
            Method::LogMessage(verb) => {
                let outcome = self.world.log.decide(verb, given, caller, date(now), self.log_list);
                self.settle(outcome, changed, |error| CallRefusal::internal(&error))
            }
        }
    }

    /// The method of that name, if the caller may use it now.
    fn admitted(&self, name: &str, caller: &Caller, now: Timestamp) -> Result<Method, CallRefusal> {
        let method = lookup(name).ok_or(CallRefusal::UNKNOWN_METHOD)?;
        if method.scope().is_some_and(|scope| !caller.scopes.contains(&scope)) {
            let text = "The request requires higher privileges than provided by the webhook token";
            return Err(CallRefusal::new(401, "insufficient_scope", text));
        }
        if !self.meter.admits(name, now) {
            return Err(CallRefusal::TIME_LIMIT);
        }
        self.script.refusal(name).map_or(Ok(method), Err)
    }

    /// Stores and applies the change of an outcome, then gives its reply.
    fn settle(
        &mut self,
        outcome: CallOutcome,
        changed: &mut bool,
        failed: impl FnOnce(std::io::Error) -> CallRefusal,
    ) -> Result<Success, CallRefusal> {
        let CallOutcome { reply, change } = outcome;
        if let Some(change) = change {
            let visible = change != WorldChange::Orphan;
            self.change(vec![change]).map_err(failed)?;
            *changed = visible;
        }
        reply
    }
}

/// Whether a method exists, and whether the caller may call it.
fn existence(given: &Parameters, caller: &Caller) -> Value {
    let name = given.get("name").and_then(Value::as_str).unwrap_or_default();
    let method = lookup(&name.to_ascii_lowercase());
    let is_available = |method: Method| method.scope().is_none_or(|scope| caller.scopes.contains(&scope));
    json!({ "isExisting": method.is_some(), "isAvailable": method.is_some_and(is_available) })
}

fn not_saved() -> CallRefusal {
    CallRefusal::new(400, "FILE_SAVE_ERROR", "File not saved")
}

fn profile(caller: &Caller) -> Value {
    json!({
        "ID": caller.user.to_string(),
        "ADMIN": caller.administrator,
        "NAME": "Sandbox",
        "LAST_NAME": if caller.administrator { "Administrator" } else { "User" },
        "PERSONAL_GENDER": "",
        "TIME_ZONE": "",
        "TIME_ZONE_OFFSET": 0,
    })
}
