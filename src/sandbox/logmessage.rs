//! Log entries of CRM items: `crm.timeline.logmessage.*`, as pure as the rest of the world.
//!
//! Where the documentation and the published server code differ, the code is followed. So only administrators add and
//! delete (documented: whoever may edit the item), everybody may read, and a list is an object whose `start` is ignored;
//! [`LogList::Pages`] gives the documented list instead. Two checks are only documented and still made: those of the
//! item's type and number.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::checks::{administrators_only, array, integer, integers, text};
use super::wire::{Parameters, Refusal, Success};
use super::world::{Caller, Change, Outcome, Verb};

/// The longest list.
const PAGE: usize = 10;

/// How `crm.timeline.logmessage.list` answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogList {
    /// As published server code does: `{"logMessages": […]}`, ten entries at most, from `offset` on. `start` does not
    /// count, so a client that pages with it gets the same entries again.
    #[default]
    Object,
    /// As documented: a bare array, pages of ten by `start`, and `next` while there are more.
    Pages,
}

/// A log entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogMessage {
    id: u64,
    entity_type: i64,
    entity: i64,
    /// As the portal writes dates, always with the same offset: texts sort as the dates do.
    created: String,
    author: u32,
    title: String,
    text: String,
    icon: String,
    /// The client id of the application that added it.
    app: Option<String>,
}

impl LogMessage {
    fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "created": self.created,
            "authorId": self.author,
            "title": self.title,
            "text": self.text,
            "iconCode": self.icon,
        })
    }
}

/// All log entries.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: BTreeMap<u64, LogMessage>,
    last: u64,
}

impl Log {
    /// Takes an entry over.
    pub(super) fn add(&mut self, message: LogMessage) {
        self.last = self.last.max(message.id);
        self.entries.insert(message.id, message);
    }

    /// Forgets an entry. Its id counts as used, also when there was none.
    pub(super) fn delete(&mut self, id: u64) {
        self.last = self.last.max(id);
        self.entries.remove(&id);
    }

    /// As few changes as possible that make a log like this one.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change> {
        let used = (self.last > 0 && !self.entries.contains_key(&self.last)).then_some(self.last);
        let entries = self.entries.values().cloned().map(Change::LogAdd);
        entries.chain(used.map(|id| Change::LogDelete { id }))
    }

    /// What a call comes to. `now` is a date as the portal writes it.
    pub(super) fn decide(
        &self,
        verb: Verb,
        given: &Parameters,
        caller: &Caller,
        now: String,
        shape: LogList,
    ) -> Outcome {
        let changed = |change: Result<(Value, Change), Refusal>| match change {
            Ok((result, change)) => Outcome { reply: Ok(Success::of(result)), change: Some(change) },
            Err(refusal) => Outcome::unchanged(Err(refusal)),
        };
        match verb {
            Verb::Add => changed(self.new_entry(given, caller, now)),
            Verb::Get => Outcome::unchanged(self.get(given)),
            Verb::List => Outcome::unchanged(self.list(given, shape)),
            Verb::Delete => changed(self.deletable(given, caller)),
        }
    }

    fn new_entry(&self, given: &Parameters, caller: &Caller, now: String) -> Result<(Value, Change), Refusal> {
        let fields = array(given, "fields")?;
        administrators_only(caller)?;
        let required = |name: &str| {
            let missing = || Refusal::new(400, "0", &format!("Missing a required field: {name}"));
            fields.get(name).filter(|value| !value.is_null()).ok_or_else(missing)
        };
        let message = LogMessage {
            id: self.last + 1,
            entity_type: integer(required("entityTypeId")?),
            entity: integer(required("entityId")?),
            created: now,
            author: caller.user,
            title: text(required("title")?),
            text: text(required("text")?),
            icon: text(required("iconCode")?),
            app: caller.app.clone(),
        };
        if !is_known(message.entity_type) || message.entity <= 0 {
            return Err(Refusal::new(400, "OWNER_NOT_FOUND", "Owner was not found"));
        }
        Ok((json!({ "logMessage": message.shown() }), Change::LogAdd(message)))
    }

    fn get(&self, given: &Parameters) -> Result<Success, Refusal> {
        let [id] = integers(given, ["id"])?;
        Ok(Success::of(json!({ "logMessage": self.find(id)?.shown() })))
    }

    fn deletable(&self, given: &Parameters, caller: &Caller) -> Result<(Value, Change), Refusal> {
        let [id] = integers(given, ["id"])?;
        administrators_only(caller)?;
        let message = self.find(id)?;
        // A webhook is no application, so nobody can delete what a webhook added.
        if caller.app.is_none() || caller.app != message.app {
            let text = "Only the application that added a log message can delete it";
            return Err(Refusal::new(400, "REMOVING_DISABLED", text));
        }
        Ok((Value::Bool(true), Change::LogDelete { id: message.id }))
    }

    fn find(&self, id: i64) -> Result<&LogMessage, Refusal> {
        let unknown = || Refusal::new(400, "NOT_FOUND", &format!("Timeline logmessage not found for id `{id}`"));
        u64::try_from(id).ok().and_then(|id| self.entries.get(&id)).ok_or_else(unknown)
    }

    fn list(&self, given: &Parameters, shape: LogList) -> Result<Success, Refusal> {
        let [entity_type, entity] = integers(given, ["entityTypeId", "entityId"])?;
        let order = match given.get("order") {
            None | Some(Value::Null) => Vec::new(),
            Some(_) => array(given, "order")?.iter().filter_map(Order::read).collect(),
        };
        let of_item = |message: &&LogMessage| message.entity_type == entity_type && message.entity == entity;
        let mut found: Vec<_> = self.entries.values().rev().filter(of_item).collect();
        found.sort_by(|one, other| Order::compare(&order, one, other));
        let number = |name: &str| given.get(name).map_or(0, |value| usize::try_from(integer(value)).unwrap_or(0));
        let first = match shape {
            LogList::Object => number("offset"),
            LogList::Pages => number("start") / PAGE * PAGE,
        };
        let page: Vec<_> = found.iter().skip(first).take(PAGE).map(|message| message.shown()).collect();
        let next = first.saturating_add(PAGE);
        let (result, next) = match shape {
            LogList::Object => (json!({ "logMessages": page }), None),
            LogList::Pages => (Value::Array(page), (next < found.len()).then_some(next)),
        };
        Ok(Success { result, total: Some(found.len()), next })
    }
}

/// One key of an order.
struct Order {
    by_created: bool,
    ascending: bool,
}

impl Order {
    /// Spellings count exactly; what is no order is passed over.
    fn read((key, direction): (&String, &Value)) -> Option<Self> {
        let by_created = match key.as_str() {
            "id" => false,
            "created" => true,
            _ => return None,
        };
        let ascending = match direction.as_str()? {
            "asc" => true,
            "desc" => false,
            _ => return None,
        };
        Some(Self { by_created, ascending })
    }

    /// What the keys do not decide, the ids do, in the direction of the last key. The newest is first without any.
    fn compare(keys: &[Self], one: &LogMessage, other: &LogMessage) -> Ordering {
        let directed = |ascending: bool, order: Ordering| if ascending { order } else { order.reverse() };
        let by_key = keys.iter().fold(Ordering::Equal, |so_far, key| {
            so_far.then_with(|| {
                let order = if key.by_created { one.created.cmp(&other.created) } else { one.id.cmp(&other.id) };
                directed(key.ascending, order)
            })
        });
        let ascending = keys.last().is_some_and(|key| key.ascending);
        by_key.then_with(|| directed(ascending, one.id.cmp(&other.id)))
    }
}

/// Whether this portal has items of a type; it has every item of those. Leads, deals, contacts, companies, quotes and
/// smart invoices come with the product; the others are types of smart processes, which every portal makes for itself.
fn is_known(entity_type: i64) -> bool {
    matches!(entity_type, 1..=4 | 7 | 31 | 128..=191 | 1030..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::World;

    #[test]
    fn an_id_is_never_used_again() {
        let message = |id| LogMessage {
            id,
            entity_type: 2,
            entity: 7,
            created: String::new(),
            author: 1,
            title: String::new(),
            text: String::new(),
            icon: String::new(),
            app: None,
        };
        let mut world = World::default();
        for change in [1, 2, 3].map(|id| Change::LogAdd(message(id))) {
            world.apply(change);
        }
        world.apply(Change::LogDelete { id: 1 });
        world.apply(Change::LogDelete { id: 3 });
        let mut rewritten = World::default();
        world.changes().into_iter().for_each(|change| rewritten.apply(change));
        assert_eq!(rewritten.log.entries, world.log.entries);
        assert_eq!((rewritten.log.last, rewritten.changes().len()), (3, 2));
    }
}
