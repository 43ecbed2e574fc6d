//! Runs that were cut short: settled and closed by the next command that looks at the portal.

use crate::domain::finding::Finding;
use crate::domain::journal::RunState;
use crate::ops::recover::{self, Closing, NotSettled};
use crate::store::lock::LockError;
use crate::store::runs::RunStore;

use super::session::{Connection, Session};

/// Settles open runs, says so, and returns every run of this portal, the oldest first. `None` when the command cannot go
/// on; why is in the report.
///
/// A run that another process is at is left alone: whoever holds the lock is alive.
pub(super) fn settle(session: &mut Session<'_>, connection: &Connection) -> Option<Vec<RunState>> {
    let runs = RunStore::new(connection.state.clone(), None);
    let all = match runs.all() {
        Ok(all) => all,
        Err(error) => return refuse(session, connection, format!("the runs cannot be read: {error}")),
    };
    if all.iter().all(|run| run.state.ended.is_some()) {
        return Some(all.into_iter().map(|run| run.state).collect());
    }
    let (_lock, closing) = match connection.lock_for_settling() {
        Ok(lock) => (lock, Closing::Write),
        // Whoever cannot write the state folder can still say what the open run did.
        Err(LockError::Io(_)) => (None, Closing::Leave),
        Err(error @ LockError::Held(_)) => {
            session
                .report
                .findings
                .push(Finding::warning("run-open", error.to_string()).help("what it does may not be in this plan yet"));
            return Some(Vec::new());
        }
    };
    let settled = session.read(recover::settle(&runs, &session.reader(connection), session.settle, closing));
    match settled {
        Ok(Ok((_, findings))) => session.report.findings.extend(findings),
        Ok(Err(NotSettled::Portal(error))) => {
            session.fail(&error);
            return None;
        }
        Ok(Err(error @ (NotSettled::NeverSettled(_) | NotSettled::Store(_)))) => {
            return refuse(session, connection, error.to_string());
        }
        Err(cut) => {
            session.cut_short(&cut);
            return None;
        }
    }
    runs.all().ok().map(|all| all.into_iter().map(|run| run.state).collect())
}

/// A command that writes stops where a run cannot be settled; a plan says so and goes on.
fn refuse(session: &mut Session<'_>, connection: &Connection, message: String) -> Option<Vec<RunState>> {
    if connection.writes() {
        let help =
            "use the version that made it, or move that run's folder away: it is a backup, and nothing else needs it";
        session.report.findings.push(Finding::error("run-open", message).help(help));
        return None;
    }
    session.report.findings.push(Finding::warning("run-open", message));
    Some(Vec::new())
}
