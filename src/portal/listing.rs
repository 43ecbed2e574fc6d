//! Reading what a portal lists: both lists in one batch, single entries in batches, one by one where batches are refused.

use serde_json::json;

use crate::domain::asset::{Address, Kind};
use crate::domain::retry::Class;
use crate::domain::state::{Listed, Listing};

use super::batch::{self, Answers, Part};
use super::client::{Client, Purpose};
use super::error::{self, Fault};
use super::wire::{self, Answered, Malformed};

/// The error code of a `get` or `delete` of a code that does not exist.
const NOT_FOUND: &str = "NOT_FOUND";

impl Client {
    /// Both lists, in one request.
    pub(super) async fn read_list(&self) -> Result<Listing, Fault> {
        let read = |answered: Answered| {
            self.lists(Answers::read(answered.result).map_err(|why| self.malformed("batch", &why))?)
        };
        let together = self.ask(Purpose::Read, "batch", &batch::of_lists(), read).await;
        let listing = match together {
            Err(fault) if fault.class() == Class::NoBatch => self.list_singly().await,
            other => other,
        }?;
        self.reject_listed_secret(listing)
    }

    /// Whether the caller may write, and both lists, in one request.
    pub(super) async fn read_rights_and_list(&self) -> Result<(Listing, bool), Fault> {
        let read = |answered: Answered| {
            let mut answers = Answers::read(answered.result).map_err(|why| self.malformed("batch", &why))?;
            let rights = match answers.take(batch::RIGHTS) {
                Part::Result(answered) => self.rights(&answered)?,
                Part::Error(body) => return Err(error::refused(&self.access, None, &body)),
                Part::Nothing => return Err(self.malformed(batch::RIGHTS_METHOD, &unmentioned())),
            };
            Ok((self.lists(answers)?, rights))
        };
        match self.ask(Purpose::Read, "batch", &batch::of_rights_and_lists(), read).await {
            Ok((listing, rights)) => Ok((self.reject_listed_secret(listing)?, rights)),
            Err(fault) if fault.class() == Class::NoBatch => {
                let rights = |answered: Answered| self.rights(&answered);
                let rights = self.ask(Purpose::Read, batch::RIGHTS_METHOD, &json!({}), rights).await?;
                Ok((self.reject_listed_secret(self.list_singly().await?)?, rights))
            }
            Err(fault) => Err(fault),
        }
    }

    fn rights(&self, answered: &Answered) -> Result<bool, Fault> {
        let neither = || Malformed("the result is neither yes nor no".to_owned());
        wire::truth(&answered.result).ok_or_else(|| self.malformed(batch::RIGHTS_METHOD, &neither()))
    }

    /// Addresses and codes go into plans, journals and caches: one with our own secret in it must not get there.
    fn reject_listed_secret(&self, listing: Listing) -> Result<Listing, Fault> {
        let holds_secret = |text: &str| self.access.redact(text) != text;
        let told = listing
            .entries
            .iter()
            .any(|entry| holds_secret(&entry.file_uri) || holds_secret(entry.address.code.as_str()));
        if told {
            return Err(error::secret_in_listing(&self.access));
        }
        Ok(listing)
    }

    /// Entries, 50 in a request.
    pub(super) async fn read_entries(&self, addresses: &[Address]) -> Result<Vec<Option<Listed>>, Fault> {
        let mut entries = Vec::with_capacity(addresses.len());
        for part in addresses.chunks(batch::MOST) {
            let read = |answered| self.entries(part, answered);
            let answered = if part.iter().any(batch::would_be_substituted) {
                Err(self.not_in_a_batch())
            } else {
                self.ask(Purpose::Read, "batch", &batch::of_gets(part), read).await
            };
            match answered {
                Ok(found) => entries.extend(found),
                Err(fault) if fault.class() == Class::NoBatch => {
                    for address in part {
                        entries.push(self.get_singly(address).await?);
                    }
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(entries)
    }

    fn lists(&self, mut answers: Answers) -> Result<Listing, Fault> {
        self.note_reset(answers.resets_in());
        let mut entries = Vec::new();
        for kind in Kind::ALL {
            let malformed = |why| self.malformed(&batch::list_method(kind), &why);
            match answers.take(kind.plural()) {
                Part::Result(list) => entries.extend(wire::entries(kind, list).map_err(malformed)?),
                Part::Error(body) => return Err(error::refused(&self.access, None, &body)),
                Part::Nothing => return Err(malformed(unmentioned())),
            }
        }
        Ok(Listing { entries })
    }

    fn entries(&self, addresses: &[Address], answered: Answered) -> Result<Vec<Option<Listed>>, Fault> {
        let mut answers = Answers::read(answered.result).map_err(|why| self.malformed("batch", &why))?;
        self.note_reset(answers.resets_in());
        let entry = |(index, address): (usize, &Address)| {
            let malformed = |why| self.malformed(&batch::get_method(address.kind), &why);
            match answers.take(&batch::key(index)) {
                Part::Result(answered) => wire::single(address.kind, &answered.result).map(Some).map_err(malformed),
                Part::Error(body) if body.code == NOT_FOUND => Ok(None),
                Part::Error(body) => Err(error::refused(&self.access, None, &body)),
                Part::Nothing => Err(malformed(unmentioned())),
            }
        };
        addresses.iter().enumerate().map(entry).collect()
    }

    /// For portals that refuse batches.
    async fn get_singly(&self, address: &Address) -> Result<Option<Listed>, Fault> {
        let method = batch::get_method(address.kind);
        let read = |answered: Answered| {
            wire::single(address.kind, &answered.result).map_err(|why| self.malformed(&method, &why))
        };
        match self.ask(Purpose::Read, &method, &json!({"code": address.code.as_str()}), read).await {
            Ok(listed) => Ok(Some(listed)),
            Err(fault) if fault.class() == Class::Refused && fault.error.code.as_deref() == Some(NOT_FOUND) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// For portals that refuse batches.
    async fn list_singly(&self) -> Result<Listing, Fault> {
        let mut entries = Vec::new();
        for kind in Kind::ALL {
            let method = batch::list_method(kind);
            let read = |answered| wire::entries(kind, answered).map_err(|why| self.malformed(&method, &why));
            entries.extend(self.ask(Purpose::Read, &method, &json!({}), read).await?);
        }
        Ok(Listing { entries })
    }
}

pub(super) fn unmentioned() -> Malformed {
    Malformed("the batch does not speak of it".to_owned())
}
