//! The portal's content and the answers of its methods: a state machine without sockets, files, clock or randomness.
//!
//! [`World::decide`] only gives the outcome of a call; [`World::apply`] applies its [`WorldChange`]. So a change can be
//! stored between the two, and a portal is the fold of its changes.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{CallOutcome, Verb, WorldChange};
use super::checks::{administrators_only, image, strings};
use super::identity::Caller;
use super::logmessage::MessageLog;
use super::php::Parameters;
use super::system;
use super::wire::{CallRefusal, Success};
use crate::domain::asset::Kind;

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
    icons: EntryTable,
    logos: EntryTable,
    files: HashMap<String, Bytes>,
    /// How many files no entry refers to.
    pub(super) orphans: u64,
    pub(super) log: MessageLog,
    stale_icons: Option<Success>,
    /// Whether the icon list ends with a `null`.
    pub(super) null_element: bool,
}

/// The entries of one kind. The rows are in the order in which they were added.
#[derive(Debug, Default)]
struct EntryTable {
    rows: BTreeMap<u64, Row>,
    by_code: HashMap<String, u64>,
    next: u64,
    extra_system: Vec<String>,
}

/// The form in which the database compares codes: without case and trailing spaces.
fn folded(code: &str) -> String {
    code.trim_end_matches(' ').to_lowercase()
}

impl EntryTable {
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
    const fn table(&self, kind: Kind) -> &EntryTable {
        match kind {
            Kind::Icon => &self.icons,
            Kind::Logo => &self.logos,
        }
    }

    const fn table_mut(&mut self, kind: Kind) -> &mut EntryTable {
        match kind {
            Kind::Icon => &mut self.icons,
            Kind::Logo => &mut self.logos,
        }
    }

    fn is_system(&self, kind: Kind, code: &str) -> bool {
        system::codes(kind).contains(&code) || self.table(kind).extra_system.iter().any(|known| known == code)
    }

    /// The system codes of a kind, in the order of the list.
    pub(super) fn system_codes(&self, kind: Kind) -> impl Iterator<Item = &str> {
        system::codes(kind).iter().copied().chain(self.table(kind).extra_system.iter().map(String::as_str))
    }

    /// The custom entries of a kind in the order in which they were added, also those hidden by a system code.
    pub(super) fn rows(&self, kind: Kind) -> impl Iterator<Item = &Row> {
        self.table(kind).rows.values()
    }

    /// The custom entry with a code, matched as the database does.
    pub(super) fn find(&self, kind: Kind, code: &str) -> Option<&Row> {
        let table = self.table(kind);
        table.by_code.get(&folded(code)).and_then(|id| table.rows.get(id))
    }

    pub(super) fn file(&self, path: &str) -> Option<Bytes> {
        self.files.get(path).cloned()
    }

    /// The fewest changes that make a world like this one.
    pub(super) fn changes(&self) -> Vec<WorldChange> {
        let mut changes = Vec::new();
        for kind in Kind::ALL {
            let table = self.table(kind);
            changes.extend(table.extra_system.iter().map(|code| WorldChange::System { kind, code: code.clone() }));
            changes.extend(table.rows.values().cloned().map(|row| WorldChange::Add {
                kind,
                code: row.code,
                path: row.path,
                content: row.content,
                added: row.added,
            }));
        }
        changes.extend((0..self.orphans).map(|_| WorldChange::Orphan));
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

    pub(super) fn apply(&mut self, change: WorldChange) {
        match change {
            WorldChange::Add { kind, code, path, content, added } => {
                self.files.insert(path.clone(), content.clone());
                self.table_mut(kind).insert(Row { code, path, content, added });
            }
            WorldChange::Delete { kind, code } => {
                if let Some(row) = self.table_mut(kind).remove(&code) {
                    self.files.remove(&row.path);
                }
            }
            WorldChange::Orphan => self.orphans += 1,
            WorldChange::Move { kind, code, path } => {
                let table = self.table_mut(kind);
                if let Some(row) = table.by_code.get(&folded(&code)).and_then(|id| table.rows.get_mut(id)) {
                    let content = row.content.clone();
                    let old = std::mem::replace(&mut row.path, path.clone());
                    self.files.remove(&old);
                    self.files.insert(path, content);
                }
            }
            WorldChange::System { kind, code } => {
                if !self.is_system(kind, &code) {
                    self.table_mut(kind).extra_system.push(code);
                }
            }
            WorldChange::LogAdd(message) => self.log.add(message),
            WorldChange::LogDelete { id } => self.log.delete(id),
        }
    }

    /// The outcome of a call of a method for icons or logos. A file would be stored at `path`, at the time `now`.
    pub(super) fn decide(
        &self,
        kind: Kind,
        verb: Verb,
        given: &Parameters,
        caller: &Caller,
        path: &str,
        now: Timestamp,
    ) -> CallOutcome {
        match verb {
            Verb::List => CallOutcome::unchanged(Ok(self.list(kind))),
            Verb::Get => CallOutcome::unchanged(self.get(kind, given)),
            Verb::Delete => match self.deletable(kind, given, caller) {
                Ok(code) => CallOutcome {
                    reply: Ok(Success::of(Value::Bool(true))),
                    change: Some(WorldChange::Delete { kind, code }),
                },
                Err(refusal) => CallOutcome::unchanged(Err(refusal)),
            },
            Verb::Add => match image(kind, given, caller) {
                Err(refusal) => CallOutcome::unchanged(Err(refusal)),
                // The file is stored before the code is checked, so from here on a refusal leaves an orphan.
                Ok((code, content)) => match self.check_code_is_free(kind, &code) {
                    Err(refusal) => CallOutcome { reply: Err(refusal), change: Some(WorldChange::Orphan) },
                    Ok(()) => {
                        let entry = json!({ kind.name(): { "code": code, "isSystem": false, "fileUri": path } });
                        let change = WorldChange::Add { kind, code, path: path.to_owned(), content, added: Some(now) };
                        CallOutcome { reply: Ok(Success::of(entry)), change: Some(change) }
                    }
                },
            },
        }
    }

    fn list(&self, kind: Kind) -> Success {
        if let (Kind::Icon, Some(stale)) = (kind, &self.stale_icons) {
            return stale.clone();
        }
        let table = self.table(kind);
        let shown = |code| if has_entry(kind, code) { listed(code, None) } else { Value::Null };
        let mut entries: Vec<Value> = self.system_codes(kind).map(shown).collect();
        entries.extend(table.rows.values().map(|row| {
            let hidden = self.is_system(kind, &row.code);
            listed(&row.code, (!hidden).then_some(&row.path))
        }));
        if kind == Kind::Icon && self.null_element {
            entries.push(Value::Null);
        }
        let total = entries.len();
        Success { result: json!({ kind.plural(): entries }), total: Some(total), next: None }
    }

    fn get(&self, kind: Kind, given: &Parameters) -> Result<Success, CallRefusal> {
        let [code] = strings(given, ["code"])?;
        let entry = if self.is_system(kind, code) && has_entry(kind, code) {
            listed(code, None)
        } else {
            // The answer has the request's spelling, not that of the database.
            let row = self.find(kind, code).ok_or_else(|| unknown(kind, code))?;
            listed(code, Some(&row.path))
        };
        Ok(Success::of(json!({ kind.name(): entry })))
    }

    fn deletable(&self, kind: Kind, given: &Parameters, caller: &Caller) -> Result<String, CallRefusal> {
        let [code] = strings(given, ["code"])?;
        administrators_only(caller)?;
        self.find(kind, code).map(|row| row.code.clone()).ok_or_else(|| unknown(kind, code))
    }

    fn check_code_is_free(&self, kind: Kind, code: &str) -> Result<(), CallRefusal> {
        let refuse = |error: &str, text: &str| Err(CallRefusal::new(400, error, text));
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

/// Whether a system code has an entry, instead of only being reserved.
pub(super) fn has_entry(kind: Kind, code: &str) -> bool {
    kind != Kind::Logo || code != system::WITHOUT_ENTRY
}

fn listed(code: &str, path: Option<&String>) -> Value {
    json!({ "code": code, "isSystem": path.is_none(), "fileUri": path.map_or("", String::as_str) })
}

fn unknown(kind: Kind, code: &str) -> CallRefusal {
    let noun = match kind {
        Kind::Icon => "Icon",
        Kind::Logo => "Logo",
    };
    CallRefusal::new(400, "NOT_FOUND", &format!("{noun} not found for code `{code}`"))
}
