//! Log entries of CRM items: the methods `crm.timeline.logmessage.*`, pure like the rest of the world.
//!
//! Where the documentation and the published server code differ, this follows the code. So only administrators add and
//! delete (documented: everyone who may edit the item), everyone may read, and a list is an object whose `start` is
//! ignored; [`LogList::Pages`] gives the documented list instead. Two checks are only documented and are made anyway:
//! those of the item's type and number.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{CallOutcome, LogMessage, Verb, WorldChange};
use super::checks::{administrators_only, array, integers};
use super::identity::Caller;
use super::php::{Parameters, integer, text};
use super::wire::{CallRefusal, Success};

/// The most entries of a list.
const PAGE_SIZE: usize = 10;

/// The form in which `crm.timeline.logmessage.list` answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogList {
    /// As the published server code does: `{"logMessages": […]}`, ten entries at most, from `offset` on. `start` is
    /// ignored, so a client that pages with it gets the same entries again.
    #[default]
    Object,
    /// As documented: a bare array, pages of ten by `start`, and `next` while there are more.
    Pages,
}

/// All log entries.
#[derive(Debug, Default)]
pub(super) struct MessageLog {
    entries: BTreeMap<u64, LogMessage>,
    last: u64,
}

impl MessageLog {
    pub(super) fn add(&mut self, message: LogMessage) {
        self.last = self.last.max(message.id);
        self.entries.insert(message.id, message);
    }

    /// Removes an entry. Its id counts as used, even if there was none.
    pub(super) fn delete(&mut self, id: u64) {
        self.last = self.last.max(id);
        self.entries.remove(&id);
    }

    /// The fewest changes that make a log like this one.
    pub(super) fn changes(&self) -> impl Iterator<Item = WorldChange> {
        let used = (self.last > 0 && !self.entries.contains_key(&self.last)).then_some(self.last);
        let entries = self.entries.values().cloned().map(WorldChange::LogAdd);
        entries.chain(used.map(|id| WorldChange::LogDelete { id }))
    }

    /// The outcome of a call. `now` is a date as the portal writes it.
    pub(super) fn decide(
        &self,
        verb: Verb,
        given: &Parameters,
        caller: &Caller,
        now: String,
        shape: LogList,
    ) -> CallOutcome {
        let changed = |change: Result<(Value, WorldChange), CallRefusal>| match change {
            Ok((result, change)) => CallOutcome { reply: Ok(Success::of(result)), change: Some(change) },
            Err(refusal) => CallOutcome::unchanged(Err(refusal)),
        };
        match verb {
            Verb::Add => changed(self.new_entry(given, caller, now)),
            Verb::Get => CallOutcome::unchanged(self.get(given)),
            Verb::List => CallOutcome::unchanged(self.list(given, shape)),
            Verb::Delete => changed(self.deletable(given, caller)),
        }
    }

    fn new_entry(&self, given: &Parameters, caller: &Caller, now: String) -> Result<(Value, WorldChange), CallRefusal> {
        let fields = array(given, "fields")?;
        administrators_only(caller)?;
        let required = |name: &str| {
            let missing = || CallRefusal::new(400, "0", &format!("Missing a required field: {name}"));
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
            return Err(CallRefusal::new(400, "OWNER_NOT_FOUND", "Owner was not found"));
        }
        Ok((json!({ "logMessage": message.shown() }), WorldChange::LogAdd(message)))
    }

    fn get(&self, given: &Parameters) -> Result<Success, CallRefusal> {
        let [id] = integers(given, ["id"])?;
        Ok(Success::of(json!({ "logMessage": self.find(id)?.shown() })))
    }

    fn deletable(&self, given: &Parameters, caller: &Caller) -> Result<(Value, WorldChange), CallRefusal> {
        let [id] = integers(given, ["id"])?;
        administrators_only(caller)?;
        let message = self.find(id)?;
        // A webhook is not an application, so no one can delete what a webhook added.
        if caller.app.is_none() || caller.app != message.app {
            let text = "Only the application that added a log message can delete it";
            return Err(CallRefusal::new(400, "REMOVING_DISABLED", text));
        }
        Ok((Value::Bool(true), WorldChange::LogDelete { id: message.id }))
    }

    fn find(&self, id: i64) -> Result<&LogMessage, CallRefusal> {
        let unknown = || CallRefusal::new(400, "NOT_FOUND", &format!("Timeline logmessage not found for id `{id}`"));
        u64::try_from(id).ok().and_then(|id| self.entries.get(&id)).ok_or_else(unknown)
    }

    fn list(&self, given: &Parameters, shape: LogList) -> Result<Success, CallRefusal> {
        let [entity_type, entity] = integers(given, ["entityTypeId", "entityId"])?;
        let order = match given.get("order") {
            None | Some(Value::Null) => Vec::new(),
            Some(_) => array(given, "order")?.iter().filter_map(SortKey::read).collect(),
        };
        let of_item = |message: &&LogMessage| message.entity_type == entity_type && message.entity == entity;
        let mut found: Vec<_> = self.entries.values().rev().filter(of_item).collect();
        found.sort_by(|one, other| SortKey::compare(&order, one, other));
        let number = |name: &str| given.get(name).map_or(0, |value| usize::try_from(integer(value)).unwrap_or(0));
        let first = match shape {
            LogList::Object => number("offset"),
            LogList::Pages => number("start") / PAGE_SIZE * PAGE_SIZE,
        };
        let page: Vec<_> = found.iter().skip(first).take(PAGE_SIZE).map(|message| message.shown()).collect();
        let next = first.saturating_add(PAGE_SIZE);
        let (result, next) = match shape {
            LogList::Object => (json!({ "logMessages": page }), None),
            LogList::Pages => (Value::Array(page), (next < found.len()).then_some(next)),
        };
        Ok(Success { result, total: Some(found.len()), next })
    }
}

/// One key that a list is sorted by.
struct SortKey {
    by_created: bool,
    ascending: bool,
}

impl SortKey {
    /// The key of one field of `order`. Spellings must match exactly; any other field is ignored.
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

    /// Compares by the keys, then by id in the direction of the last key. Without keys, the newest is first.
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

/// Whether this portal has items of a type; if so, every number names an item. Leads, deals, contacts, companies,
/// quotes and smart invoices come with the product; the others are types of smart processes, which every portal makes
/// for itself.
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
        for change in [1, 2, 3].map(|id| WorldChange::LogAdd(message(id))) {
            world.apply(change);
        }
        world.apply(WorldChange::LogDelete { id: 1 });
        world.apply(WorldChange::LogDelete { id: 3 });
        let mut rewritten = World::default();
        world.changes().into_iter().for_each(|change| rewritten.apply(change));
        assert_eq!(rewritten.log.entries, world.log.entries);
        assert_eq!((rewritten.log.last, rewritten.changes().len()), (3, 2));
    }
}
