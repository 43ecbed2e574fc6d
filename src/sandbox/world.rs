//! What the portal holds and how its methods answer: a state machine without sockets, files, clock or randomness.
//!
//! [`World::decide`] only says what a call comes to; [`World::apply`] takes a [`Change`] over. So a change can be stored
//! between the two, and a portal is the fold of its changes.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::checks::{administrators_only, image, strings};
use super::logmessage::{Log, LogMessage};
use super::system;
use super::wire::{Parameters, Refusal, Success};
use crate::domain::asset::Kind;

/// Somebody whose credentials were right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) user: u32,
    pub(super) administrator: bool,
    /// What the webhook or the application was given.
    pub(super) scopes: &'static [&'static str],
    /// The client id of the application through which the call comes; a webhook has none.
    pub(super) app: Option<String>,
}

/// One thing that changes what the portal holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(super) enum Change {
    /// A custom entry and its file appear.
    Add {
        kind: Kind,
        code: String,
        path: String,
        #[serde(with = "base64_text")]
        content: Bytes,
        /// When; logs of older versions do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        added: Option<Timestamp>,
    },
    /// A custom entry and its file go; the code is matched without case.
    Delete { kind: Kind, code: String },
    /// A file was stored that no entry refers to.
    Orphan,
    /// The file of a custom entry gets another path.
    Move { kind: Kind, code: String, path: String },
    /// A code comes with the product from now on.
    System { kind: Kind, code: String },
    /// A log entry appears.
    LogAdd(LogMessage),
    /// A log entry goes. Its id is never used again.
    LogDelete { id: u64 },
}

/// What a call comes to.
pub(super) struct Outcome {
    pub(super) reply: Result<Success, Refusal>,
    /// Stored and applied before the reply is given.
    pub(super) change: Option<Change>,
}

impl Outcome {
    /// What is only read, or refused without effect.
    pub(super) const fn unchanged(reply: Result<Success, Refusal>) -> Self {
        Self { reply, change: None }
    }
}

/// A custom entry.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The code as it was spelt when it was added.
    pub(super) code: String,
    pub(super) path: String,
    pub(super) content: Bytes,
    pub(super) added: Option<Timestamp>,
}

/// Everything that the portal holds.
#[derive(Debug, Default)]
pub(super) struct World {
    icons: Shelf,
    logos: Shelf,
    files: HashMap<String, Bytes>,
    orphans: u64,
    pub(super) log: Log,
    stale_icons: Option<Success>,
    null_element: bool,
}

/// One kind's entries. The rows' order is that of their adding.
#[derive(Debug, Default)]
struct Shelf {
    rows: BTreeMap<u64, Row>,
    by_code: HashMap<String, u64>,
    next: u64,
    extra_system: Vec<String>,
}

/// The form in which the database compares codes: without case and trailing spaces.
fn folded(code: &str) -> String {
    code.trim_end_matches(' ').to_lowercase()
}

impl Shelf {
    fn find(&self, code: &str) -> Option<&Row> {
        self.by_code.get(&folded(code)).and_then(|id| self.rows.get(id))
    }

    fn remove(&mut self, code: &str) -> Option<Row> {
        self.by_code.remove(&folded(code)).and_then(|id| self.rows.remove(&id))
    }

    fn insert(&mut self, row: Row) {
        self.by_code.insert(folded(&row.code), self.next);
        self.rows.insert(self.next, row);
        self.next += 1;
    }
}

impl World {
    const fn shelf(&self, kind: Kind) -> &Shelf {
        match kind {
            Kind::Icon => &self.icons,
            Kind::Logo => &self.logos,
        }
    }

    const fn shelf_mut(&mut self, kind: Kind) -> &mut Shelf {
        match kind {
            Kind::Icon => &mut self.icons,
            Kind::Logo => &mut self.logos,
        }
    }

    fn is_system(&self, kind: Kind, code: &str) -> bool {
        system::codes(kind).contains(&code) || self.shelf(kind).extra_system.iter().any(|known| known == code)
    }

    /// The codes of a kind that come with the product, in the order of the list.
    pub(super) fn system_codes(&self, kind: Kind) -> impl Iterator<Item = &str> {
        system::codes(kind).iter().copied().chain(self.shelf(kind).extra_system.iter().map(String::as_str))
    }

    /// The custom entries of a kind in the order of their adding, those hidden behind a system code included.
    pub(super) fn rows(&self, kind: Kind) -> impl Iterator<Item = &Row> {
        self.shelf(kind).rows.values()
    }

    /// A custom entry, matched as the database does.
    pub(super) fn find(&self, kind: Kind, code: &str) -> Option<&Row> {
        self.shelf(kind).find(code)
    }

    /// The content of a file.
    pub(super) fn file(&self, path: &str) -> Option<Bytes> {
        self.files.get(path).cloned()
    }

    /// How many files no entry refers to.
    pub(super) const fn orphans(&self) -> u64 {
        self.orphans
    }

    /// As few changes as possible that make a world like this one.
    pub(super) fn changes(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        for kind in Kind::ALL {
            let shelf = self.shelf(kind);
            changes.extend(shelf.extra_system.iter().map(|code| Change::System { kind, code: code.clone() }));
            changes.extend(shelf.rows.values().cloned().map(|row| Change::Add {
                kind,
                code: row.code,
                path: row.path,
                content: row.content,
                added: row.added,
            }));
        }
        changes.extend((0..self.orphans).map(|_| Change::Orphan));
        changes.extend(self.log.changes());
        changes
    }

    /// Freezes the icon list as it is now, or lets it follow the entries again.
    pub(super) fn set_stale_icon_list(&mut self, stale: bool) {
        self.stale_icons = None;
        if stale {
            self.stale_icons = Some(self.list(Kind::Icon));
        }
    }

    /// Whether the icon list ends with a `null`.
    pub(super) const fn set_null_element(&mut self, present: bool) {
        self.null_element = present;
    }

    /// Takes a change over.
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Add { kind, code, path, content, added } => {
                self.files.insert(path.clone(), content.clone());
                self.shelf_mut(kind).insert(Row { code, path, content, added });
            }
            Change::Delete { kind, code } => {
                if let Some(row) = self.shelf_mut(kind).remove(&code) {
                    self.files.remove(&row.path);
                }
            }
            Change::Orphan => self.orphans += 1,
            Change::Move { kind, code, path } => {
                let shelf = self.shelf_mut(kind);
                let row = shelf.by_code.get(&folded(&code)).and_then(|id| shelf.rows.get_mut(id));
                if let Some(row) = row {
                    let content = row.content.clone();
                    let old = std::mem::replace(&mut row.path, path.clone());
                    self.files.remove(&old);
                    self.files.insert(path, content);
                }
            }
            Change::System { kind, code } => {
                if !self.is_system(kind, &code) {
                    self.shelf_mut(kind).extra_system.push(code);
                }
            }
            Change::LogAdd(message) => self.log.add(message),
            Change::LogDelete { id } => self.log.delete(id),
        }
    }

    /// What a call of a method for icons or logos comes to. `path` is where a file would be stored, and `now` when.
    pub(super) fn decide(
        &self,
        kind: Kind,
        verb: Verb,
        given: &Parameters,
        caller: &Caller,
        path: &str,
        now: Timestamp,
    ) -> Outcome {
        match verb {
            Verb::List => Outcome::unchanged(Ok(self.list(kind))),
            Verb::Get => Outcome::unchanged(self.get(kind, given)),
            Verb::Delete => match self.deletable(kind, given, caller) {
                Ok(code) => {
                    Outcome { reply: Ok(Success::of(Value::Bool(true))), change: Some(Change::Delete { kind, code }) }
                }
                Err(refusal) => Outcome::unchanged(Err(refusal)),
            },
            Verb::Add => match image(kind, given, caller) {
                Err(refusal) => Outcome::unchanged(Err(refusal)),
                // The file is stored before the code is looked at, so from here on a refusal leaves an orphan.
                Ok((code, content)) => match self.free(kind, &code) {
                    Err(refusal) => Outcome { reply: Err(refusal), change: Some(Change::Orphan) },
                    Ok(()) => {
                        let entry = json!({ kind.name(): { "code": code, "isSystem": false, "fileUri": path } });
                        let change = Change::Add { kind, code, path: path.to_owned(), content, added: Some(now) };
                        Outcome { reply: Ok(Success::of(entry)), change: Some(change) }
                    }
                },
            },
        }
    }

    fn list(&self, kind: Kind) -> Success {
        if let (Kind::Icon, Some(stale)) = (kind, &self.stale_icons) {
            return stale.clone();
        }
        let shelf = self.shelf(kind);
        let mut entries: Vec<Value> = self.system_codes(kind).map(|code| listed(code, None)).collect();
        entries.extend(shelf.rows.values().map(|row| {
            let hidden = self.is_system(kind, &row.code);
            listed(&row.code, (!hidden).then_some(&row.path))
        }));
        if kind == Kind::Icon && self.null_element {
            entries.push(Value::Null);
        }
        let total = entries.len();
        Success { result: json!({ kind.plural(): entries }), total: Some(total), next: None }
    }

    fn get(&self, kind: Kind, given: &Parameters) -> Result<Success, Refusal> {
        let [code] = strings(given, ["code"])?;
        let entry = if self.is_system(kind, code) {
            listed(code, None)
        } else {
            // The spelling of the question is echoed, not that of the database.
            let row = self.find(kind, code).ok_or_else(|| unknown(kind, code))?;
            listed(code, Some(&row.path))
        };
        Ok(Success::of(json!({ kind.name(): entry })))
    }

    fn deletable(&self, kind: Kind, given: &Parameters, caller: &Caller) -> Result<String, Refusal> {
        let [code] = strings(given, ["code"])?;
        administrators_only(caller)?;
        self.find(kind, code).map(|row| row.code.clone()).ok_or_else(|| unknown(kind, code))
    }

    fn free(&self, kind: Kind, code: &str) -> Result<(), Refusal> {
        let refuse = |error: &str, text: &str| Err(Refusal::new(400, error, text));
        if code.is_empty() {
            return refuse("BX_EMPTY_REQUIRED", "Required field \"Code\" is empty");
        }
        if code.chars().count() > 255 {
            return refuse("BX_INVALID_VALUE", "The field \"Code\" must not exceed 255 characters");
        }
        if self.find(kind, code).is_some() {
            return refuse("BX_INVALID_VALUE", "Code must be unique");
        }
        if self.is_system(kind, code) {
            return refuse("BX_INVALID_VALUE", &format!("{code} is reserved word and cannot be used"));
        }
        Ok(())
    }
}

/// What the methods of a kind do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Get,
    List,
    Delete,
}

fn listed(code: &str, path: Option<&String>) -> Value {
    json!({ "code": code, "isSystem": path.is_none(), "fileUri": path.map_or("", String::as_str) })
}

fn unknown(kind: Kind, code: &str) -> Refusal {
    let noun = match kind {
        Kind::Icon => "Icon",
        Kind::Logo => "Logo",
    };
    Refusal::new(400, "NOT_FOUND", &format!("{noun} not found for code `{code}`"))
}

/// Content in the log: base64, because its lines are JSON.
mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(content: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(content))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Bytes::from).map_err(serde::de::Error::custom)
    }
}
