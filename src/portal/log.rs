//! Timeline log entries: `crm.timeline.logmessage.*`.

use serde_json::{Value, json};

use crate::domain::log::{Draft, Entity, LogEntry, Order, Page};
use crate::domain::retry::Class;
use crate::ops::ports::{PortalError, ReadLog, Urgency, WriteError, WriteLog};

use super::client::{Client, Purpose};
use super::error::Fault;
use super::wire::{self, Answered, Malformed};

const ADD: &str = "crm.timeline.logmessage.add";
const GET: &str = "crm.timeline.logmessage.get";
const LIST: &str = "crm.timeline.logmessage.list";
const DELETE: &str = "crm.timeline.logmessage.delete";

impl ReadLog for Client {
    async fn log_entry(&self, id: u64) -> Result<LogEntry, PortalError> {
        let read = |answered: Answered| self.single(GET, &answered.result);
        self.ask(Purpose::Read, GET, &json!({ "id": id }), read).await.map_err(|fault| fault.error)
    }

    async fn log_page(&self, entity: Entity, order: Order, start: usize) -> Result<Page, PortalError> {
        let direction = match order {
            Order::Ascending => "asc",
            Order::Descending => "desc",
        };
        // Documented is `start`; published server code passes it over and takes `offset`.
        let parameters = json!({
            "entityTypeId": entity.type_id,
            "entityId": entity.id,
            "order": { "id": direction },
            "start": start,
            "offset": start,
        });
        let read = |answered| {
            let mut page = page(answered).map_err(|why| self.malformed(LIST, &why))?;
            page.entries.iter_mut().for_each(|entry| self.redact_entry(entry));
            Ok(page)
        };
        self.ask(Purpose::Read, LIST, &parameters, read).await.map_err(|fault| fault.error)
    }
}

impl WriteLog for Client {
    async fn add_log_entry(&self, entity: Entity, draft: &Draft) -> Result<LogEntry, WriteError> {
        let Draft { title, text, icon } = draft;
        let parameters = json!({ "fields": {
            "entityTypeId": entity.type_id,
            "entityId": entity.id,
            "title": title,
            "text": text,
            "iconCode": icon,
        }});
        self.write_log(ADD, &parameters, |answered| self.single(ADD, &answered.result)).await
    }

    async fn delete_log_entry(&self, id: u64) -> Result<(), WriteError> {
        let read = |answered: Answered| {
            let unclear = || self.malformed(DELETE, &Malformed("the result is not `true`".to_owned()));
            if wire::is_deleted(&answered.result) { Ok(()) } else { Err(unclear()) }
        };
        self.write_log(DELETE, &json!({ "id": id }), read).await
    }
}

impl Client {
    /// Sends a write until it was sent once. One that waited long for its turn depends on nothing that could have
    /// changed meanwhile.
    async fn write_log<T>(
        &self,
        method: &str,
        parameters: &Value,
        read: impl Fn(Answered) -> Result<T, Fault>,
    ) -> Result<T, WriteError> {
        loop {
            match self.ask(Purpose::Write(Urgency::Ordinary), method, parameters, &read).await {
                Err(fault) if fault.class() == Class::Waited => {}
                other => return other.map_err(WriteError::from),
            }
        }
    }

    fn single(&self, method: &str, result: &Value) -> Result<LogEntry, Fault> {
        let missing = || Malformed("there is no field `logMessage`".to_owned());
        let read = result.get("logMessage").ok_or_else(missing).and_then(entry);
        let mut entry = read.map_err(|why| self.malformed(method, &why))?;
        self.redact_entry(&mut entry);
        Ok(entry)
    }

    /// Anybody can write anything into an entry, and the secret must get into no output.
    fn redact_entry(&self, entry: &mut LogEntry) {
        let LogEntry { id: _, created, author: _, title, text, icon } = entry;
        for field in [created, title, text, icon] {
            *field = self.access.redact(field);
        }
    }
}

/// A list, documented as a bare array, and in published server code `{"logMessages": […]}`. A count that is no number
/// is none.
fn page(answered: Answered) -> Result<Page, Malformed> {
    let items = match answered.result {
        Value::Object(mut fields) => match fields.remove("logMessages") {
            Some(items) => wire::members(items),
            None => wire::members(Value::Object(fields)),
        },
        other => wire::members(other),
    };
    let items = items.ok_or_else(|| Malformed("the result is no list".to_owned()))?;
    let entries =
        items.iter().filter(|(_, item)| !item.is_null()).map(|(_, item)| entry(item)).collect::<Result<_, _>>()?;
    Ok(Page { entries, total: answered.total.as_ref().and_then(number) })
}

fn entry(item: &Value) -> Result<LogEntry, Malformed> {
    let text = |name: &str| match item.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err(Malformed(format!("the field `{name}` is of the wrong type"))),
    };
    let id =
        item.get("id").and_then(number).ok_or_else(|| Malformed("an entry has no number as its `id`".to_owned()))?;
    Ok(LogEntry {
        id,
        created: text("created")?,
        author: item.get("authorId").and_then(number),
        title: text("title")?,
        text: text("text")?,
        icon: text("iconCode")?,
    })
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn read(result: Value, total: Value) -> Result<Page, Malformed> {
        page(Answered { result, total: Some(total), more: false, resets_in: None })
    }

    #[test]
    fn both_shapes_of_a_list_are_read() {
        let item = json!({"id": 7, "created": "2024-04-03T10:26:32+02:00", "authorId": "1", "title": "T", "text": null, "iconCode": 12});
        let expected = LogEntry {
            id: 7,
            created: "2024-04-03T10:26:32+02:00".to_owned(),
            author: Some(1),
            title: "T".to_owned(),
            text: String::new(),
            icon: "12".to_owned(),
        };
        for result in [
            json!([item]),
            json!({"logMessages": [item]}),
            json!({"logMessages": {"0": item, "1": null}}),
            json!({"3": item}),
        ] {
            let page = read(result.clone(), json!("1")).unwrap();
            assert_eq!(page, Page { entries: vec![expected.clone()], total: Some(1) }, "{result}");
        }
        for result in [json!([]), json!({}), json!({"logMessages": []}), json!({"logMessages": {}})] {
            assert_eq!(read(result, json!("many")).unwrap(), Page::default());
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for result in [
            json!(true),
            json!(null),
            json!("x"),
            json!([1]),
            json!([{"id": "x"}]),
            json!([{"title": "T"}]),
            json!([{"id": 1, "title": []}]),
            json!({"logMessages": 7}),
            json!({"items": [{"id": 1}]}),
        ] {
            assert!(read(result.clone(), json!(1)).is_err(), "{result}");
        }
    }
}
