//! Writing to a portal: commands in one batch, or one by one where batches are refused.

use tokio::time::Instant;

use crate::domain::asset::Address;
use crate::domain::command::{Answer, Command, Halt};
use crate::domain::retry::Class;
use crate::domain::state::Listed;
use crate::ops::events::Event;
use crate::ops::ports::{Transmission, Urgency, WriteError, WritePortal};

use super::batch::{self, BatchAnswers};
use super::client::Client;
use super::error::{self, Effect, RequestError};
use super::limits::{ALLOWANCE_USED_UP, RequestPurpose};
use super::redact::MASK;
use super::wire::{self, RestResult};

impl WritePortal for Client {
    async fn permitted_pairs(&self, commands: &[Command]) -> Result<usize, WriteError> {
        let pairs: Vec<_> =
            commands.as_chunks().0.iter().map(|pair: &[Command; 2]| pair.each_ref().map(batch::method)).collect();
        let deadline = self.deadlines.until(RequestPurpose::Write(Urgency::Ordinary));
        let held = |held| error::pairs_held(self.access.host(), held).into();
        self.throttle.permitted(&pairs, deadline).await.map_err(held)
    }

    async fn write(
        &self,
        commands: &[Command],
        halt: Halt,
        urgency: Urgency,
        note: &dyn Fn(Transmission),
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
        let send = async || self.send_batch(commands, halt, urgency, note).await;
        match commands {
            [command] if urgency == Urgency::Completing => {
                Ok(self.complete(command, note, send, |answers| answers.iter().all(is_used_up)).await?)
            }
            _ => Ok(send().await?),
        }
    }

    async fn write_single(
        &self,
        command: &Command,
        urgency: Urgency,
        note: &dyn Fn(Transmission),
    ) -> Result<Answer, WriteError> {
        let send = async || self.send_single(command, urgency, note).await;
        let outcome = match urgency {
            Urgency::Ordinary | Urgency::Removing => match send().await {
                Err(failure) if failure.is_allowance_used_up() => Err(self.give_back(command, failure).await),
                outcome => outcome,
            },
            Urgency::Completing => self.complete(command, note, send, |_| false).await,
        };
        match outcome {
            Ok(answer) => Ok(answer),
            Err(failure) if failure.class() == Class::Refused && failure.description.is_some() => {
                Ok(error::answer(failure))
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

impl Client {
    async fn send_batch(
        &self,
        commands: &[Command],
        halt: Halt,
        urgency: Urgency,
        note: &dyn Fn(Transmission),
    ) -> Result<Vec<Answer>, RequestError> {
        let read = |result: RestResult| {
            let answers = BatchAnswers::read(result.result).map_err(|why| self.malformed("batch", &why))?;
            self.throttle.note_reset(answers.resets_in());
            for (index, command) in commands.iter().enumerate() {
                if let Some(time) = answers.time_of_result(&batch::key(index)) {
                    self.throttle.note_call(&batch::method(command), time);
                }
            }
            let mut added = self.added.borrow_mut();
            // An address that holds our own secret must not get into the cache; the next reading of the lists reports
            // it.
            let on_added = |address: &Address, entry: Listed| {
                if !entry.file_uri.contains(MASK) {
                    added.push((address.clone(), entry.file_uri));
                }
            };
            let mut answers = answers.into_writes(&self.access, commands, halt, on_added);
            for (command, answer) in commands.iter().zip(&mut answers).filter(|(_, answer)| is_used_up(answer)) {
                self.throttle.note_refusal(&batch::method(command));
                // Nothing was begun: the whole pair is sent again once there is a time allowance for it.
                if halt == Halt::OnError && matches!(command, Command::Delete { .. }) {
                    *answer = Answer::NotRun;
                }
            }
            Ok(answers)
        };
        let writes = batch::of_writes(commands, halt);
        let outcome = self.ask_to_write(urgency, "batch", &writes, note, read).await;
        if let ([command], Err(failure)) = (commands, &outcome)
            && failure.is_allowance_used_up()
        {
            self.throttle.note_refusal(&batch::method(command));
        }
        outcome
    }

    async fn send_single(
        &self,
        command: &Command,
        urgency: Urgency,
        note: &dyn Fn(Transmission),
    ) -> Result<Answer, RequestError> {
        let method = batch::method(command);
        let read = |answered: RestResult| {
            self.throttle.note_call(&method, answered.time);
            if let Command::Add { address, .. } = command
                && let Ok(entry) = wire::single(address.kind, &answered.result)
                && !entry.file_uri.contains(MASK)
            {
                self.added.borrow_mut().push((address.clone(), entry.file_uri));
            }
            Ok(batch::judge(command, &answered.result))
        };
        let outcome = self.ask_to_write(urgency, &method, &batch::parameters(command), note, read).await;
        if outcome.as_ref().is_err_and(RequestError::is_allowance_used_up) {
            self.throttle.note_refusal(&method);
        }
        outcome
    }

    /// Waits until the refused method has a time allowance again, then requests that the portal be read again; or says
    /// that there is no time for that.
    async fn give_back(&self, command: &Command, failure: RequestError) -> RequestError {
        let method = batch::method(command);
        let wait = self.throttle.wait_for_allowance(&method);
        if wait >= self.deadlines.left(RequestPurpose::Write(Urgency::Ordinary), Instant::now()) {
            return error::no_time_to_wait(failure);
        }
        self.throttle.pause(&format!("the portal's time allowance for {method} is used up"), wait).await;
        let message = format!("{}; brandctl waited until it was reset", failure.error.message);
        RequestError::new(Class::Waited, Effect::None, message, None)
    }

    /// Sends the second half of a replace until it is no longer refused because the time allowance is used up, also
    /// past the command's end: until it takes effect, a code that had an image has none.
    async fn complete<T>(
        &self,
        command: &Command,
        note: &dyn Fn(Transmission),
        send: impl AsyncFn() -> Result<T, RequestError>,
        is_used_up: impl Fn(&T) -> bool,
    ) -> Result<T, RequestError> {
        loop {
            let sent = send().await;
            let refused = match &sent {
                Ok(answer) => is_used_up(answer),
                Err(failure) => failure.is_allowance_used_up(),
            };
            let (method, now) = (batch::method(command), Instant::now());
            let wait = self.throttle.wait_for_allowance(&method);
            if !refused || wait >= self.deadlines.left_for_allowance(now) {
                return sent;
            }
            note(Transmission::Refused);
            let used_up = format!("the portal's time allowance for {method} is used up");
            if self.deadlines.ends_before(now + wait) {
                let (address, seconds) = (command.address(), wait.as_secs_f64().ceil());
                let when = format!("the image of {address} is sent again in {seconds} s, after the time of --timeout");
                self.throttle.observer().observe(Event::Warning(format!("{used_up}: {when}")));
                // This message covers that too, and its wait may be longer than the one announced then.
                self.deadlines.announce();
            }
            self.throttle.pause(&used_up, wait).await;
            self.deadlines.renew_grace_period(Instant::now());
            note(Transmission::Again);
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
