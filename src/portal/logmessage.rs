//! Timeline log entries: `crm.timeline.logmessage.*`.

use serde_json::{Value, json};

use crate::domain::logmessage::{Entity, LogEntry, LogOrder, LogPage, NewLogEntry};
use crate::domain::retry::Class;
use crate::ops::ports::{PortalError, ReadLog, Urgency, WriteError, WriteLog};

use super::batch::{self, BatchAnswers, Part};
use super::client::Client;
use super::error::{self, RequestError};
use super::reading::unmentioned;
use super::wire::{self, Malformed, RestResult};

const ADD: &str = "crm.timeline.logmessage.add";
const GET: &str = "crm.timeline.logmessage.get";
const LIST: &str = "crm.timeline.logmessage.list";
const DELETE: &str = "crm.timeline.logmessage.delete";

impl ReadLog for Client {
    async fn log_entry(&self, id: u64) -> Result<LogEntry, PortalError> {
        let read = |answered: RestResult| self.single(GET, &answered.result);
        self.ask_for_words(GET, &json!({ "id": id }), read).await.map_err(|failure| failure.error)
    }

    async fn log_page(&self, entity: Entity, order: LogOrder, start: usize) -> Result<LogPage, PortalError> {
        self.single_page(entity, order, start).await.map_err(|failure| failure.error)
    }

    async fn log_pages(
        &self,
        wanted: &[(Entity, usize)],
        order: LogOrder,
    ) -> Result<Vec<Result<LogPage, PortalError>>, PortalError> {
        let queries: Vec<_> = wanted
            .iter()
            .map(|(entity, start)| {
                vec![
                    ("entityTypeId", entity.type_id.to_string()),
                    ("entityId", entity.id.to_string()),
                    ("order[id]", direction(order).to_owned()),
                    ("start", start.to_string()),
                    ("offset", start.to_string()),
                ]
            })
            .collect();
        let read = |answered| self.pages(wanted.len(), answered);
        match self.ask_for_words("batch", &batch::of_queries(LIST, &queries), read).await {
            Err(failure) if failure.class() == Class::NoBatch => {
                let mut pages = Vec::with_capacity(wanted.len());
                for (entity, start) in wanted {
                    pages.push(match self.single_page(*entity, order, *start).await {
                        Err(failure) if failure.class() == Class::Transient || !is_of_one_item(&failure) => {
                            return Err(failure.error);
                        }
                        page => page.map_err(|failure| failure.error),
                    });
                }
                Ok(pages)
            }
            pages => pages.map_err(|failure| failure.error),
        }
    }
}

impl WriteLog for Client {
    async fn add_log_entry(&self, entity: Entity, draft: &NewLogEntry) -> Result<LogEntry, WriteError> {
        let NewLogEntry { title, text, icon } = draft;
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
        let read = |answered: RestResult| {
            let unclear = || self.malformed(DELETE, &Malformed("the result is not `true`".to_owned()));
            if wire::is_deleted(&answered.result) { Ok(()) } else { Err(unclear()) }
        };
        self.write_log(DELETE, &json!({ "id": id }), read).await
    }
}

impl Client {
    /// Sends a write. It is also sent after a long wait: it does not depend on anything that could have changed meanwhile.
    async fn write_log<T>(
        &self,
        method: &str,
        parameters: &Value,
        read: impl Fn(RestResult) -> Result<T, RequestError>,
    ) -> Result<T, WriteError> {
        loop {
            match self.ask_to_write(Urgency::Ordinary, method, parameters, &|_| {}, &read).await {
                Err(failure) if failure.class() == Class::Waited => {}
                other => return other.map_err(WriteError::from),
            }
        }
    }

    async fn single_page(&self, entity: Entity, order: LogOrder, start: usize) -> Result<LogPage, RequestError> {
        // The documentation has `start`; published server code ignores it and reads `offset`.
        let parameters = json!({
            "entityTypeId": entity.type_id,
            "entityId": entity.id,
            "order": { "id": direction(order) },
            "start": start,
            "offset": start,
        });
        self.ask_for_words(LIST, &parameters, |answered| self.page(answered)).await
    }

    fn page(&self, answered: RestResult) -> Result<LogPage, RequestError> {
        let mut page = page(answered).map_err(|why| self.malformed(LIST, &why))?;
        page.entries.iter_mut().for_each(|entry| self.redact_entry(entry));
        Ok(page)
    }

    /// The pages of a batch's answer. A failure that concerns all of them is an error of the request, which may be repeated.
    fn pages(&self, count: usize, answered: RestResult) -> Result<Vec<Result<LogPage, PortalError>>, RequestError> {
        let mut answers = BatchAnswers::read(answered.result).map_err(|why| self.malformed("batch", &why))?;
        self.throttle.note_reset(answers.resets_in());
        let page = |index| {
            let page = match answers.take(&batch::key(index)) {
                Part::Result(answered) => self.page(answered),
                Part::Error(body) => Err(error::refused(&self.access, None, &body)),
                Part::Nothing => Err(self.malformed(LIST, &unmentioned())),
            };
            match page {
                Err(failure) if !is_of_one_item(&failure) => Err(failure),
                page => Ok(page.map_err(|failure| failure.error)),
            }
        };
        (0..count).map(page).collect()
    }

    fn single(&self, method: &str, result: &Value) -> Result<LogEntry, RequestError> {
        let missing = || Malformed("there is no field `logMessage`".to_owned());
        let read = result.get("logMessage").ok_or_else(missing).and_then(entry);
        let mut entry = read.map_err(|why| self.malformed(method, &why))?;
        self.redact_entry(&mut entry);
        Ok(entry)
    }

    /// Takes the secrets out of an entry: anyone can write anything into one.
    fn redact_entry(&self, entry: &mut LogEntry) {
        let LogEntry { id: _, created, author: _, title, text, icon } = entry;
        for field in [created, title, text, icon] {
            *field = self.access.redact(field);
        }
    }
}

/// Whether a failure is about one item only, so that others may still be read. Here, `ACCESS_DENIED` is about the item.
fn is_of_one_item(failure: &RequestError) -> bool {
    let is_denied = || failure.error.code.as_deref().is_some_and(|code| code.eq_ignore_ascii_case("ACCESS_DENIED"));
    matches!(failure.class(), Class::Refused | Class::Transient) || is_denied()
}

const fn direction(order: LogOrder) -> &'static str {
    match order {
        LogOrder::Ascending => "asc",
        LogOrder::Descending => "desc",
    }
}

/// A page of a list: documented as a bare array, in published server code `{"logMessages": […]}`. A count that is not a
/// number counts as absent.
fn page(answered: RestResult) -> Result<LogPage, Malformed> {
    let items = match answered.result {
        Value::Object(mut fields) => match fields.remove("logMessages") {
            Some(items) => wire::members(items),
            None => wire::members(Value::Object(fields)),
        },
        other => wire::members(other),
    };
    let items = items.ok_or_else(|| Malformed("the result is not a list".to_owned()))?;
    let entries =
        items.iter().filter(|(_, item)| !item.is_null()).map(|(_, item)| entry(item)).collect::<Result<_, _>>()?;
    Ok(LogPage { entries, total: answered.total.as_ref().and_then(number) })
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
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
    use super::*;

    fn read(result: Value, total: Value) -> Result<LogPage, Malformed> {
        page(RestResult { result, total: Some(total), ..RestResult::default() })
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
            assert_eq!(page, LogPage { entries: vec![expected.clone()], total: Some(1) }, "{result}");
        }
        for result in [json!([]), json!({}), json!({"logMessages": []}), json!({"logMessages": {}})] {
            assert_eq!(read(result, json!("many")).unwrap(), LogPage::default());
        }
    }

    fn client() -> Client {
        struct Nobody;
        impl crate::ops::events::Observer for Nobody {
            fn observe(&self, _: crate::ops::events::Event) {}
        }
        let webhook = crate::portal::Webhook::parse("https://acme.example/rest/1/s3cr3tS3cr3t/", "test").unwrap();
        let throttle = crate::portal::Throttle::new(crate::portal::Rate::default(), 1, std::sync::Arc::new(Nobody));
        let deadlines = crate::portal::Deadlines::new(tokio::time::Instant::now(), std::time::Duration::from_secs(1));
        let trust = crate::portal::TrustStore::new(None).unwrap();
        Client::new(webhook.into(), &trust, throttle.unwrap(), deadlines).unwrap()
    }

    #[test]
    fn what_is_wrong_with_one_item_is_reported_for_that_one() {
        let pages = |result: Value| client().pages(4, RestResult { result, ..RestResult::default() });
        let refusal = |code: &str| json!({"error": code, "error_description": "at s3cr3tS3cr3t"});
        let found = pages(json!({
            "result": {"c0": [{"id": 1, "title": "s3cr3tS3cr3t"}], "c2": 7},
            "result_error": {"c1": refusal("ACCESS_DENIED")},
            "result_total": {"c0": 1},
        }))
        .unwrap();
        let first = found[0].as_ref().unwrap();
        assert_eq!((first.total, first.entries[0].title.as_str()), (Some(1), "[secret]"));
        let errors: Vec<_> = found[1..].iter().map(|page| page.as_ref().unwrap_err()).collect();
        assert!(errors[0].message.contains("ACCESS_DENIED: at [secret]"), "{errors:?}");
        assert_eq!(errors[1..].iter().map(|error| error.class).collect::<Vec<_>>(), [Class::Transient; 2]);
        for (code, class) in [
            ("QUERY_LIMIT_EXCEEDED", Class::Busy),
            ("OPERATION_TIME_LIMIT", Class::Busy),
            ("expired_token", Class::Expired),
            ("insufficient_scope", Class::Configuration),
            ("ERROR_METHOD_NOT_FOUND", Class::Configuration),
        ] {
            let failure = pages(json!({"result": {"c0": []}, "result_error": {"c1": refusal(code)}})).unwrap_err();
            assert_eq!(failure.class(), class, "{code} concerns all of them");
        }
    }

    #[test]
    fn what_is_not_a_list_is_refused() {
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
