//! Writing to a portal: commands in one batch, or one by one where batches are refused.

use std::sync::PoisonError;

use crate::domain::command::{Answer, Command, Halt};
use crate::domain::retry::Class;
use crate::domain::state::Listed;
use crate::ops::ports::{Urgency, WriteError, WritePortal};

use super::batch::{self, Answers};
use super::client::{Client, Purpose};
use super::error::{self, Effect, Fault};
use super::wire::Answered;

impl WritePortal for Client {
    async fn write(&self, commands: &[Command], halt: Halt, urgency: Urgency) -> Result<Vec<Answer>, WriteError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        if commands.len() > batch::MOST {
            let message = format!("{} runs at most {} commands in a batch", self.access.host(), batch::MOST);
            return Err(Fault::new(Class::Refused, Effect::None, message, None).into());
        }
        if commands.iter().any(|command| batch::would_be_substituted(command.address())) {
            return Err(self.not_in_a_batch().into());
        }
        let read = |answered: Answered| {
            let answers = Answers::read(answered.result).map_err(|why| self.malformed("batch", &why))?;
            self.note_reset(answers.resets_in());
            let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
            // One that holds our own secret must not get into the cache; the next reading of the lists tells of it.
            let took = |entry: Listed| {
                if self.access.redact(&entry.file_uri) == entry.file_uri {
                    added.push(entry.file_uri);
                }
            };
            let answers = answers.into_writes(&self.access, commands, halt, took);
            if answers.iter().any(is_used_up) {
                self.hold_writes();
            }
            Ok(answers)
        };
        Ok(self.ask(Purpose::Write(urgency), "batch", &batch::of_writes(commands, halt), read).await?)
    }

    async fn write_single(&self, command: &Command, urgency: Urgency) -> Result<Answer, WriteError> {
        let read = |answered: Answered| Ok(batch::judge(command, &answered.result));
        match self.ask(Purpose::Write(urgency), &batch::method(command), &batch::parameters(command), read).await {
            Ok(answer) => Ok(answer),
            Err(fault) if fault.class() == Class::Refused && fault.description.is_some() => Ok(error::answer(fault)),
            Err(fault) => Err(fault.into()),
        }
    }
}

impl From<Fault> for WriteError {
    fn from(fault: Fault) -> Self {
        match fault.effect {
            Effect::None => Self::NoEffect(fault.error),
            Effect::Unknown => Self::Unknown(fault.error),
        }
    }
}

fn is_used_up(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused { code, .. } if code.eq_ignore_ascii_case(error::USED_UP))
}
