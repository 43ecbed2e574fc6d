//! What a single command comes to: the method's lookup, scripted refusals, the few methods that are no business of the
//! world, and the world's changes on their way through the store.

use serde_json::{Value, json};

use super::engine::Core;
use super::record::End;
use super::store::random_path;
use super::wire::{Parameters, Refusal, Success};
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
            let (kind, verb) = name.strip_prefix("crm.timeline.")?.split_once('.')?;
            let kind = Kind::ALL.into_iter().find(|known| known.name() == kind)?;
            let verb = match verb {
                "add" => Verb::Add,
                "get" => Verb::Get,
                "list" => Verb::List,
                "delete" => Verb::Delete,
                _ => return None,
            };
            Method::Asset(kind, verb)
        }
    })
}

impl Core {
    /// One command from its lookup to its end; `at` is where it is recorded.
    pub(super) fn execute(
        &mut self,
        at: (usize, usize),
        name: &str,
        given: &Parameters,
        caller: Caller,
    ) -> Result<Success, Refusal> {
        let changed = &mut false;
        let end = self.answer(name, given, caller, changed);
        if let Some(record) = self.requests.get_mut(at.0) {
            record.wrote |= *changed;
            if let Some(command) = record.commands.get_mut(at.1) {
                command.end = match &end {
                    Ok(_) => End::Done,
                    Err(refusal) => End::Refused(refusal.code.clone()),
                };
            }
        }
        end
    }

    fn answer(
        &mut self,
        name: &str,
        given: &Parameters,
        caller: Caller,
        changed: &mut bool,
    ) -> Result<Success, Refusal> {
        let method = lookup(name).ok_or_else(Refusal::unknown_method)?;
        if let Some(refusal) = self.script.refusal(name) {
            return Err(refusal);
        }
        match method {
            Method::Batch => Err(Refusal::not_in_batch()),
            Method::Scope => Ok(Success::of(json!(["crm"]))),
            Method::UserAdmin => Ok(Success::of(Value::Bool(caller.administrator))),
            Method::Profile => Ok(Success::of(profile(caller))),
            Method::Exists => {
                let asked = given.get("name").and_then(Value::as_str).unwrap_or_default();
                let known = exists(&asked.to_ascii_lowercase());
                Ok(Success::of(json!({ "isExisting": known, "isAvailable": known })))
            }
            Method::Asset(kind, verb) => {
                let not_saved = |_| Refusal::new(400, "FILE_SAVE_ERROR", "File not saved");
                let path = random_path().map_err(not_saved)?;
                let Outcome { reply, change } = self.world.decide(kind, verb, given, caller, &path);
                if let Some(change) = change {
                    if verb == Verb::Add && self.script.disk_is_full() {
                        return Err(Refusal::new(400, "FILE_SAVE_ERROR", "File not saved"));
                    }
                    *changed = change != Change::Orphan;
                    self.change(vec![change]).map_err(|error| match verb {
                        Verb::Add => Refusal::new(400, "FILE_SAVE_ERROR", "File not saved"),
                        _ => Refusal::new(500, "INTERNAL_SERVER_ERROR", &error.to_string()),
                    })?;
                }
                reply
            }
        }
    }
}

fn profile(caller: Caller) -> Value {
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
