//! Runs that were cut short: settled and closed by the next command that looks at the portal.

use crate::domain::finding::Finding;
use crate::domain::journal::RunState;
use crate::ops::recover::{self, NotSettled};
use crate::store::run::RunStore;

use super::session::{self, Connection, Session};

/// Settles open runs, says so, and returns every run of this portal, the oldest first. `None` when an apply could not
/// go on safely; why is in the report.
///
/// A run that another process is at is left alone: whoever holds the lock is alive.
pub(super) fn settle(session: &mut Session<'_>, connection: &Connection) -> Option<Vec<RunState>> {
    let runs = RunStore::new(connection.state.clone(), None);
    let all = match runs.all() {
        Ok(all) => all,
        Err(error) => {
            return refuse(session, connection, format!("the state folder cannot be read: {error}"));
        }
    };
    if all.iter().any(|run| run.state.ended.is_none()) {
        let Some(_lock) = connection.lock_for_settling(session) else { return Some(Vec::new()) };
        let settled = session::block_on(recover::settle(&runs, &session.eyes(connection), session.settle));
        match settled {
            Ok(Ok((_, findings))) => session.report.findings.extend(findings),
            Ok(Err(NotSettled::Portal(error))) => {
                session.fail(&error);
                return None;
            }
            Ok(Err(error @ (NotSettled::Restless(_) | NotSettled::Store(_)))) => {
                return refuse(session, connection, error.to_string());
            }
            Err(error) => return refuse(session, connection, format!("no runtime: {error}")),
        }
        return runs.all().ok().map(|all| all.into_iter().map(|run| run.state).collect());
    }
    Some(all.into_iter().map(|run| run.state).collect())
}

/// An apply stops where a run cannot be settled; a plan says so and goes on.
fn refuse(session: &mut Session<'_>, connection: &Connection, message: String) -> Option<Vec<RunState>> {
    if connection.writes() {
        session.report.findings.push(Finding::error("run-open", message).help("mend that, then apply again"));
        return None;
    }
    session.report.findings.push(Finding::warning("run-open", message));
    Some(Vec::new())
}
