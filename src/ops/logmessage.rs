//! Reads and writes timeline log entries.

use crate::domain::asset::{Address, Code, Kind};
use crate::domain::finding::Finding;
use crate::domain::logmessage::{Entity, LogEntry, LogOrder, NewLogEntry, Paging};

use super::ports::{PortalError, ReadLog, ReadPortal, WriteError, WriteLog};

/// The entries of an item, at most `limit` of them; and, when the portal counts more than it gave, how many.
pub(crate) async fn list(
    log: &impl ReadLog,
    entity: Entity,
    order: LogOrder,
    limit: Option<usize>,
) -> Result<(Vec<LogEntry>, Option<u64>), PortalError> {
    let mut paging = Paging::new(limit);
    let (mut entries, mut start) = (Vec::new(), Some(0));
    while let Some(from) = start {
        let (new, next) = paging.take(log.log_page(entity, order, from).await?, from);
        entries.extend(new);
        start = next;
    }
    Ok((entries, paging.missing()))
}

/// Adds an entry, and looks first whether the portal has its icon: the portal itself does not.
pub(crate) async fn add<P: ReadPortal + WriteLog>(
    portal: &P,
    entity: Entity,
    draft: &NewLogEntry,
    findings: &mut Vec<Finding>,
) -> Result<LogEntry, WriteError> {
    let icon = Address::new(Kind::Icon, Code::new(draft.icon.as_str()));
    let found = portal.get(std::slice::from_ref(&icon)).await.map_err(WriteError::NoEffect)?;
    if found.iter().all(Option::is_none) {
        let message = format!("the portal has no icon `{}`", draft.icon);
        let help = "the entry is shown without an icon until one of that code is added; `brandctl list --system` shows the codes";
        findings.push(Finding::warning("unknown-icon", message).help(help));
    }
    portal.add_log_entry(entity, draft).await
}
