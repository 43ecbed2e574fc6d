//! What a single command comes to: the method's lookup, scripted refusals, the few methods that are no business of the
//! world, and the world's changes on their way through the store.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::engine::Core;
use super::identity::{CRM, SCOPES, random_path};
use super::record::End;
use super::wire::{Parameters, Refusal, Success, date, duration, is_true, time};
use super::world::{Caller, Change, Outcome, Verb};
use crate::domain::asset::Kind;

/// The methods that the sandbox has.
enum Method {
    Batch,
    Scope,
    UserAdmin,
    Profile,
    Exists,
    Asset(Kind, Verb),
    LogMessage(Verb),
}

impl Method {
    /// The scope that a caller needs for it.
    const fn scope(&self) -> Option<&'static str> {
        match self {
            Self::Batch | Self::Scope | Self::UserAdmin | Self::Profile | Self::Exists => None,
            Self::Asset(..) | Self::LogMessage(_) => Some(CRM),
        }
    }
}

/// The names of all methods, in lower case.
pub(super) fn names() -> impl Iterator<Item = String> {
    let general = ["batch", "scope", "user.admin", "profile", "method.get"].map(str::to_owned);
    let timeline = ["icon", "logo", "logmessage"].into_iter().flat_map(|noun| {
        ["add", "get", "list", "delete"].map(|verb| format!("crm.timeline.{noun}.{verb}")).into_iter()
    });
    general.into_iter().chain(timeline).filter(|name| exists(name))
}

/// Whether a name in lower case is that of a method.
pub(super) fn exists(name: &str) -> bool {
    lookup(name).is_some()
}

/// The method of a name in lower case.
fn lookup(name: &str) -> Option<Method> {
    Some(match name {
        "batch" => Method::Batch,
        "scope" => Method::Scope,
        "user.admin" => Method::UserAdmin,
        "profile" => Method::Profile,
        "method.get" => Method::Exists,
        _ => {
            let (noun, verb) = name.strip_prefix("crm.timeline.")?.split_once('.')?;
            let verb = match verb {
                "add" => Verb::Add,
                "get" => Verb::Get,
                "list" => Verb::List,
                "delete" => Verb::Delete,
                _ => return None,
            };
            if noun == "logmessage" {
                return Some(Method::LogMessage(verb));
            }
            Method::Asset(Kind::ALL.into_iter().find(|kind| kind.name() == noun)?, verb)
        }
    })
}

impl Core {
    /// One command from its lookup to its end, and its `time` object; `at` is where it is recorded.
    pub(super) fn execute(
        &mut self,
        at: (usize, usize),
        name: &str,
        given: &Parameters,
        caller: &Caller,
        start: Timestamp,
    ) -> (Result<Success, Refusal>, Value) {
        let changed = &mut false;
        let end = self.answer(name, given, caller, start, changed);
        if let Some(record) = self.requests.get_mut(at.0) {
            record.wrote |= *changed;
            if let Some(command) = record.commands.get_mut(at.1) {
                command.end = match &end {
                    Ok(_) => End::Done,
                    Err(refusal) => End::Refused(refusal.code.clone()),
                };
            }
        }
        let finish = Timestamp::now();
        let usage = match &end {
            // Nothing was worked, and what has no method has no count.
            Err(Refusal { status: 404 | 429, .. }) => self.meter.usage(name, start),
            _ => self.meter.count(name, start, duration(start, finish)),
        };
        (end, time(start, finish, usage))
    }

    fn answer(
        &mut self,
        name: &str,
        given: &Parameters,
        caller: &Caller,
        now: Timestamp,
        changed: &mut bool,
    ) -> Result<Success, Refusal> {
        let method = lookup(name).ok_or_else(Refusal::unknown_method)?;
        if method.scope().is_some_and(|scope| !caller.scopes.contains(&scope)) {
            return Err(Refusal::insufficient_scope());
        }
        if !self.meter.admits(name, now) {
            return Err(Refusal::operation_time_limit());
        }
        if let Some(refusal) = self.script.refusal(name) {
            return Err(refusal);
        }
        match method {
            Method::Batch => Err(Refusal::not_in_batch()),
            Method::Scope => {
                let full = given.get("full").is_some_and(is_true);
                Ok(Success::of(json!(if full { &SCOPES } else { caller.scopes })))
            }
            Method::UserAdmin => Ok(Success::of(Value::Bool(caller.administrator))),
            Method::Profile => Ok(Success::of(profile(caller))),
            Method::Exists => {
                let asked = given.get("name").and_then(Value::as_str).unwrap_or_default();
                let method = lookup(&asked.to_ascii_lowercase());
                let available = |method: &Method| method.scope().is_none_or(|scope| caller.scopes.contains(&scope));
                Ok(Success::of(json!({
                    "isExisting": method.is_some(),
                    "isAvailable": method.as_ref().is_some_and(available),
                })))
            }
            Method::Asset(kind, verb) => {
                let path = random_path().map_err(|_| not_saved())?;
                let outcome = self.world.decide(kind, verb, given, caller, &path, now);
                if verb == Verb::Add && outcome.change.is_some() && self.script.disk_is_full() {
                    return Err(not_saved());
                }
                let failed = |error: std::io::Error| match verb {
                    Verb::Add => not_saved(),
                    _ => Refusal::internal(&error),
                };
                self.settle(outcome, changed, failed)
            }
            Method::LogMessage(verb) => {
                let outcome = self.world.log.decide(verb, given, caller, date(now), self.log_list);
                self.settle(outcome, changed, |error| Refusal::internal(&error))
            }
        }
    }

    /// Stores and applies the change of an outcome, then gives its reply.
    fn settle(
        &mut self,
        outcome: Outcome,
        changed: &mut bool,
        failed: impl FnOnce(std::io::Error) -> Refusal,
    ) -> Result<Success, Refusal> {
        let Outcome { reply, change } = outcome;
        if let Some(change) = change {
            let visible = change != Change::Orphan;
            self.change(vec![change]).map_err(failed)?;
            *changed = visible;
        }
        reply
    }
}

fn not_saved() -> Refusal {
    Refusal::new(400, "FILE_SAVE_ERROR", "File not saved")
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
