//! Runs that were cut short: the next command that reads the portal settles and closes them.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::finding::Finding;
use crate::domain::journal::RunState;
use crate::domain::report::FailureKind;
use crate::domain::retry::Class;
use crate::ops::recover::{self, Closing, NotSettled, Patience, Settling};
use crate::store::files::is_unexpected;
use crate::store::lock::LockError;
use crate::store::runs::RunStore;
use crate::store::state_dir::StateError;

use super::attempt::Attempt;
use super::connection::Connection;
use super::context::Context;
use super::error::Failure;

/// Settles open runs, says so, and returns every run of this portal, the oldest first. What they left is known to the
/// connection from here on.
pub(super) fn settle(
    context: &Context<'_>,
    connection: &Connection,
    attempt: &mut Attempt,
) -> Result<Vec<RunState>, Failure> {
    let runs = settled(context, connection, attempt)?;
    connection.remember(&runs);
    Ok(runs)
}

/// Lets a connection know what the runs left, without settling any. Where they cannot be read, nothing is known.
pub(super) fn remember(connection: &Connection) -> Result<(), Failure> {
    match RunStore::new(connection.state.clone(), None).all() {
        Ok(all) => connection.remember(all.iter().map(|run| &run.state)),
        Err(error) if is_unexpected(&error) => return Err(StateError::from(error).into()),
        Err(_) => {}
    }
    Ok(())
}

/// A run of another live process is left alone: that process holds the lock.
fn settled(context: &Context<'_>, connection: &Connection, attempt: &mut Attempt) -> Result<Vec<RunState>, Failure> {
    let runs = RunStore::new(connection.state.clone(), None);
    let all = match readable(context, &runs)? {
        Ok(all) => all,
        Err(why) => return unsettled(connection, attempt, why),
    };
    if all.iter().all(|run| run.ended.is_some()) {
        return Ok(all);
    }
    // They are read again under the lock.
    drop(all);
    let (_lock, closing) = match connection.lock_for_settling() {
        Ok(lock) => (lock, Closing::Write),
        // A command that cannot write the state folder can still report what the open run did.
        Err(LockError::Io(error)) if is_unexpected(&error) => return Err(LockError::Io(error).into()),
        Err(LockError::Io(_)) => (None, Closing::Leave),
        Err(LockError::Held(holder)) => {
            let since = holder.as_ref().map(|holder| holder.since.clone());
            let error = LockError::Held(holder);
            let finding = Finding::warning("run-open", error.to_string());
            attempt.findings.push(finding.help("its changes may not be in this plan yet"));
            // What it sends may change the portal, too.
            attempt.findings.extend(recover::tell(&runs, context.settle, now(), since.as_deref()).unwrap_or_default());
            return readable(context, &runs)?.or_else(|why| unsettled(connection, attempt, why));
        }
    };
    let patience = if connection.writes() { Patience::Wait } else { Patience::Tell };
    let how = Settling { settle: context.settle, closing, patience, now };
    match context.wait(recover::settle(&runs, &connection.reader(context), &context.globals.next(), how))? {
        Ok(findings) => attempt.findings.extend(findings),
        Err(error @ NotSettled::NeverSettled(_)) => {
            let finding = Finding::error("run-open", error.to_string());
            let help = "the portal's servers may not agree with each other: run it again later";
            return Err(Failure::new(FailureKind::Portal(Class::Transient), finding.help(help)));
        }
        Err(error @ NotSettled::Store(_)) => return unsettled(connection, attempt, error.to_string()),
        Err(NotSettled::Portal(error)) => return Err(error.into()),
        Err(error @ NotSettled::NoTime(_)) => {
            let finding = Finding::error("may-change", error.to_string());
            let finding = finding.help("run it again later, or use --timeout to allow more time");
            return Err(Failure::new(FailureKind::Portal(Class::Deadline), finding));
        }
    }
    readable(context, &runs)?.or_else(|why| unsettled(connection, attempt, why))
}

/// The runs, each open one with a plan of its own; or why they cannot be read.
fn readable(context: &Context<'_>, runs: &RunStore) -> Result<Result<Vec<RunState>, String>, Failure> {
    let all = match runs.all() {
        Ok(all) => all,
        Err(error) if is_unexpected(&error) => return Err(StateError::from(error).into()),
        Err(error) => {
            let why = format!("the runs cannot be read: {error}");
            return final_failure(context, &error).map_or(Ok(Err(why)), Err);
        }
    };
    for run in all.iter().filter(|run| run.state.ended.is_none()) {
        match run.plan() {
            Err(error) if is_unexpected(&error) => return Err(StateError::from(error).into()),
            Err(error) => final_failure(context, &error).map_or(Ok(()), Err)?,
            Ok(_) => {}
        }
    }
    Ok(Ok(all.into_iter().map(|run| run.state).collect()))
}

/// The failure of a command that must end while it reads runs: after it no command can go on, and no plan is made.
fn final_failure(context: &Context<'_>, error: &io::Error) -> Option<Failure> {
    if context.interrupt.is_raised() {
        return Some(Failure::interrupted("interrupted before the runs were read"));
    }
    let finding = Finding::error("run-open", error.to_string())
        .help("use --timeout to allow more time, or move old runs away: they are backups, and nothing else needs them");
    (error.kind() == io::ErrorKind::TimedOut).then(|| Failure::new(FailureKind::Store, finding))
}

/// A command that writes stops if a run cannot be settled; a plan reports it and goes on.
fn unsettled(connection: &Connection, attempt: &mut Attempt, message: String) -> Result<Vec<RunState>, Failure> {
    if connection.writes() {
        let help =
            "use the version that made it, or move that run's folder away: it is a backup, and nothing else needs it";
        return Err(Failure::new(FailureKind::Store, Finding::error("run-open", message).help(help)));
    }
    attempt.findings.push(Finding::warning("run-open", message));
    Ok(Vec::new())
}

/// The time since 1970; 0 for a clock before that.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
