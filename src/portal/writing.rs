//! Writing to a portal: commands in one batch, or one by one where batches are refused.

use crate::domain::asset::Address;
use crate::domain::command::{Answer, Command, Halt};
use crate::domain::retry::Class;
use crate::domain::state::Listed;
use crate::ops::ports::{Urgency, WriteError, WritePortal};

use super::batch::{self, BatchAnswers};
use super::client::Client;
use super::error::{self, Effect, RequestError};
use super::limits::ALLOWANCE_USED_UP;
use super::redact::MASK;
use super::wire::{self, RestResult};

impl WritePortal for Client {
    async fn write(
        &self,
        commands: &[Command],
        halt: Halt,
        urgency: Urgency,
        sent: &dyn Fn(),
    ) -> Result<Vec<Answer>, WriteError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        if commands.len() > batch::MAX_COMMANDS {
            let message = format!("{} runs at most {} commands in a batch", self.access.host(), batch::MAX_COMMANDS);
            return Err(RequestError::new(Class::Refused, Effect::None, message, None).into());
        }
        if commands.iter().any(|command| batch::would_be_substituted(command.address())) {
            return Err(self.not_in_a_batch().into());
        }
        let read = |result: RestResult| {
            let answers = BatchAnswers::read(result.result).map_err(|why| self.malformed("batch", &why))?;
            self.throttle.note_reset(answers.resets_in());
            let mut added = self.added.borrow_mut();
            // One that holds our own secret must not get into the cache; the next reading of the lists reports it.
            let on_added = |address: &Address, entry: Listed| {
                if !entry.file_uri.contains(MASK) {
                    added.push((address.clone(), entry.file_uri));
                }
            };
            let answers = answers.into_writes(&self.access, commands, halt, on_added);
            if answers.iter().any(is_used_up) {
                self.throttle.hold_writes();
            }
            Ok(answers)
        };
        let writes = batch::of_writes(commands, halt);
        Ok(self.ask_to_write(urgency, "batch", &writes, sent, read).await?)
    }

    async fn write_single(&self, command: &Command, urgency: Urgency, sent: &dyn Fn()) -> Result<Answer, WriteError> {
        let read = |answered: RestResult| {
            if let Command::Add { address, .. } = command
                && let Ok(entry) = wire::single(address.kind, &answered.result)
                && !entry.file_uri.contains(MASK)
            {
                self.added.borrow_mut().push((address.clone(), entry.file_uri));
            }
            Ok(batch::judge(command, &answered.result))
        };
        let (method, parameters) = (batch::method(command), batch::parameters(command));
        match self.ask_to_write(urgency, &method, &parameters, sent, read).await {
            Ok(answer) => Ok(answer),
            Err(failure) if failure.class() == Class::Refused && failure.description.is_some() => {
                Ok(error::answer(failure))
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

impl From<RequestError> for WriteError {
    fn from(failure: RequestError) -> Self {
        match failure.effect {
            Effect::None => Self::NoEffect(failure.error),
            Effect::Unclear => Self::Unclear(failure.error),
            Effect::Unanswered => Self::Unanswered(failure.error),
        }
    }
}

fn is_used_up(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused { code, .. } if code.eq_ignore_ascii_case(ALLOWANCE_USED_UP))
}
