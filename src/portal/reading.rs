//! Reading what a portal lists: both lists in one batch, single entries in batches, one by one where batches are refused;
//! and the images behind them.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::domain::asset::{Address, Kind};
use crate::domain::retry::Class;
use crate::domain::state::{Listed, Listing};
use crate::ops::ports::{PortalError, ReadPortal, Urgency};

use super::batch::{self, BatchAnswers, Part};
use super::client::Client;
use super::download;
use super::error::{self, Effect, RequestError};
use super::limits::{RequestPurpose, RetryCounts};
use super::wire::{self, Malformed, RestResult};

/// The error code of a `get` or `delete` of a code that does not exist.
const NOT_FOUND: &str = "NOT_FOUND";

impl ReadPortal for Client {
    async fn list(&self) -> Result<Listing, PortalError> {
        self.read_list().await.map_err(|failure| failure.error)
    }

    async fn list_to_write(&self) -> Result<(Listing, bool), PortalError> {
        self.read_rights_and_list().await.map_err(|failure| failure.error)
    }

    async fn get(&self, addresses: &[Address]) -> Result<Vec<Option<Listed>>, PortalError> {
        self.read_entries(addresses).await.map_err(|failure| failure.error)
    }

    async fn download(&self, file_uri: &str) -> Result<Vec<u8>, PortalError> {
        self.read_file(file_uri).await.map_err(|failure| failure.error)
    }

    fn added_files(&self) -> Vec<(Address, String)> {
        self.added.take()
    }

    fn begin_grace_period(&self) {
        self.deadlines.begin_grace_period();
    }

    fn time_left(&self) -> Duration {
        self.deadlines.left(RequestPurpose::Write(Urgency::Ordinary), Instant::now())
    }
}

impl Client {
    /// Reads both lists in one request.
    async fn read_list(&self) -> Result<Listing, RequestError> {
        let read = |answered: RestResult| {
            self.lists(BatchAnswers::read(answered.result).map_err(|why| self.malformed("batch", &why))?)
        };
        let together = self.ask("batch", &batch::of_lists(), read).await;
        match together {
            Err(failure) if failure.class() == Class::NoBatch => self.list_singly().await,
            other => other,
        }
    }

    /// Reads whether the caller may write, and both lists, in one request.
    async fn read_rights_and_list(&self) -> Result<(Listing, bool), RequestError> {
        let read = |answered: RestResult| {
            let mut answers = BatchAnswers::read(answered.result).map_err(|why| self.malformed("batch", &why))?;
            let rights = match answers.take(batch::RIGHTS) {
                Part::Result(answered) => self.rights(&answered)?,
                Part::Error(body) => return Err(error::refused(&self.access, None, &body)),
                Part::Nothing => return Err(self.malformed(batch::RIGHTS_METHOD, &unmentioned())),
            };
            Ok((self.lists(answers)?, rights))
        };
        match self.ask("batch", &batch::of_rights_and_lists(), read).await {
            Err(failure) if failure.class() == Class::NoBatch => {
                let rights = |answered: RestResult| self.rights(&answered);
                let rights = self.ask(batch::RIGHTS_METHOD, &json!({}), rights).await?;
                Ok((self.list_singly().await?, rights))
            }
            other => other,
        }
    }

    fn rights(&self, answered: &RestResult) -> Result<bool, RequestError> {
        let neither = || Malformed("the result is neither yes nor no".to_owned());
        wire::truth(&answered.result).ok_or_else(|| self.malformed(batch::RIGHTS_METHOD, &neither()))
    }

    /// Reads entries by their addresses, at most 50 in a request.
    async fn read_entries(&self, addresses: &[Address]) -> Result<Vec<Option<Listed>>, RequestError> {
        let mut entries = Vec::with_capacity(addresses.len());
        for part in addresses.chunks(batch::MAX_COMMANDS) {
            let read = |answered| self.entries(part, answered);
            let answered = if part.iter().any(batch::would_be_substituted) {
                Err(self.not_in_a_batch())
            } else {
                self.ask("batch", &batch::of_gets(part), read).await
            };
            match answered {
                Ok(found) => entries.extend(found),
                Err(failure) if failure.class() == Class::NoBatch => {
                    for address in part {
                        entries.push(self.get_singly(address).await?);
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(entries)
    }

    /// The bytes behind a `fileUri`.
    async fn read_file(&self, file_uri: &str) -> Result<Vec<u8>, RequestError> {
        let purpose = RequestPurpose::Read;
        let timed_out = || error::timed_out(self.access.host(), self.deadlines.budget(), Effect::None);
        let _slot = self.throttle.download_slot(self.deadlines.until(purpose)).await.ok_or_else(timed_out)?;
        let mut retries = RetryCounts::default();
        loop {
            let now = Instant::now();
            if self.deadlines.left(purpose, now).is_zero() {
                return Err(timed_out());
            }
            let deadline = self.deadlines.of_request(purpose, now);
            match download::fetch(&self.transport.downloads, &self.access, file_uri, deadline).await {
                Ok(bytes) => return Ok(bytes),
                Err(failure) => self.wait_out(purpose, failure, &mut retries).await?,
            }
        }
    }

    fn lists(&self, mut answers: BatchAnswers) -> Result<Listing, RequestError> {
        self.throttle.note_reset(answers.resets_in());
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

    fn entries(&self, addresses: &[Address], answered: RestResult) -> Result<Vec<Option<Listed>>, RequestError> {
        let mut answers = BatchAnswers::read(answered.result).map_err(|why| self.malformed("batch", &why))?;
        self.throttle.note_reset(answers.resets_in());
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

    /// Gets one entry, for portals that refuse batches.
    async fn get_singly(&self, address: &Address) -> Result<Option<Listed>, RequestError> {
        let method = batch::get_method(address.kind);
        let read = |answered: RestResult| {
            wire::single(address.kind, &answered.result).map_err(|why| self.malformed(&method, &why))
        };
        match self.ask(&method, &json!({"code": address.code.as_str()}), read).await {
            Ok(listed) => Ok(Some(listed)),
            Err(failure) if failure.class() == Class::Refused && failure.error.code.as_deref() == Some(NOT_FOUND) => {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Reads one list after the other, for portals that refuse batches.
    async fn list_singly(&self) -> Result<Listing, RequestError> {
        let mut entries = Vec::new();
        for kind in Kind::ALL {
            let method = batch::list_method(kind);
            let read = |answered| wire::entries(kind, answered).map_err(|why| self.malformed(&method, &why));
            entries.extend(self.ask(&method, &json!({}), read).await?);
        }
        Ok(Listing { entries })
    }
}

pub(super) fn unmentioned() -> Malformed {
    Malformed("the batch does not mention it".to_owned())
}
