//! How the commands of a request are sent: in a batch, as many as the portal's time allowance lasts for; or one by one if
//! the portal refuses batches, or what is in them.

use crate::domain::command::{Answer, Command, Halt};
use crate::domain::retry::Class;
use crate::ops::ports::{ReadPortal, Urgency, WriteError, WritePortal};

use super::write::{Batches, Form, Sent, Writer};

impl<P: ReadPortal + WritePortal> Writer<'_, P> {
    /// How many of `most` steps that delete go into one request: one if the portal refuses batches, because the portal is
    /// read before each.
    pub(super) fn at_once(&self, most: usize) -> usize {
        if self.batches.get() == Batches::Refused { 1 } else { most }
    }

    /// Sends one request, as [`Writer::send_now`] does. Of replaces, it sends only as many as the portal's allowance
    /// lasts for; the others are not run.
    pub(super) async fn send(&self, commands: &[Command], halt: Halt, urgency: Urgency) -> Sent {
        if halt == Halt::Never {
            return self.send_now(commands, halt, urgency).await;
        }
        let permitted = tokio::select! {
            biased;
            // Nothing is in flight that must end first; the request itself notices that the user asked to stop.
            () = self.tools.interrupt.raised() => Ok(1),
            permitted = self.tools.reader.portal.permitted_pairs(commands) => permitted,
        };
        let pairs = match permitted {
            Ok(pairs) => pairs,
            Err(held) => return self.sent(Err(held)),
        };
        let (now, later) = commands.split_at(commands.len().min(2 * pairs));
        let mut answers = match self.send_now(now, halt, urgency).await {
            Sent::Answered(answers) => answers,
            Sent::Lost(why) if !later.is_empty() => now.iter().map(|_| Answer::Unknown(why.clone())).collect(),
            sent => return sent,
        };
        answers.extend(later.iter().map(|_| Answer::NotRun));
        Sent::Answered(answers)
    }

    /// Sends one request; or one for each command, if the portal refuses batches or what is in them.
    async fn send_now(&self, commands: &[Command], halt: Halt, urgency: Urgency) -> Sent {
        // A code that a batch would take for a reference is sent by itself; that says nothing about the portal.
        let plain = !commands.iter().any(|command| command.address().code.as_str().contains('$'));
        let mut answered = Vec::new();
        if self.batches.get() == Batches::Accepted && plain {
            match self.request(commands, halt, urgency, Form::Batch).await {
                Err(WriteError::NoEffect(error)) if error.class == Class::NoBatch => {}
                Ok(answers) if answers.iter().any(is_refused_inside) => answered = answers,
                outcome => return self.sent(outcome),
            }
            self.batches.set(Batches::Refused);
            // The reading was for this request, and not for those that replace it.
            let deletes = commands.iter().any(|command| matches!(command, Command::Delete { .. }));
            if deletes && !answered.iter().any(has_begun) {
                return Sent::NotYet;
            }
        }
        self.send_singly(commands, answered, halt, urgency).await
    }

    /// Sends each command in a request of its own, except for those that a batch settled: `answered` has its answers, if
    /// there was one.
    async fn send_singly(&self, commands: &[Command], answered: Vec<Answer>, halt: Halt, urgency: Urgency) -> Sent {
        let mut answers: Vec<Answer> = Vec::with_capacity(commands.len());
        let mut settled = answered.into_iter();
        let mut anything_sent = settled.len() > 0;
        for command in commands {
            if let Some(answer) =
                settled.next().filter(|answer| !is_refused_inside(answer) && *answer != Answer::NotRun)
            {
                answers.push(answer);
                continue;
            }
            if halt == Halt::OnError && answers.iter().any(|answer| *answer != Answer::Done) {
                answers.push(Answer::NotRun);
                continue;
            }
            // The add of a pair whose delete took effect is never delayed.
            let urgency = match command {
                Command::Add { .. } if halt == Halt::OnError => Urgency::Completing,
                _ => urgency,
            };
            match self.sent(self.request(std::slice::from_ref(command), halt, urgency, Form::Single).await) {
                Sent::Answered(answer) => answers.extend(answer),
                Sent::Lost(why) => answers.push(Answer::Unknown(why)),
                unsent @ (Sent::Stopped | Sent::NotYet) if !anything_sent => return unsent,
                Sent::Stopped | Sent::NotYet => answers.push(Answer::NotRun),
            }
            anything_sent = true;
        }
        Sent::Answered(answers)
    }
}

/// Whether a command may have taken effect.
const fn has_begun(answer: &Answer) -> bool {
    matches!(answer, Answer::Done | Answer::Unknown(_))
}

/// Whether the portal accepts such a command, but not in a batch.
fn is_refused_inside(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused { class: Class::NoBatch, .. })
}
