//! Reads and writes timeline log entries.

use crate::domain::asset::{Address, Code, Kind};
use crate::domain::logmessage::{Entity, LogEntry, LogOrder, NewLogEntry, Paging};

use super::ports::{PortalError, ReadLog, ReadPortal};

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

/// Whether the portal has the icon of an entry: it takes entries with any.
pub(crate) async fn has_icon(portal: &impl ReadPortal, draft: &NewLogEntry) -> Result<bool, PortalError> {
    let icon = Address::new(Kind::Icon, Code::new(draft.icon.as_str()));
    let found = portal.get(std::slice::from_ref(&icon)).await?;
    Ok(found.iter().any(Option::is_some))
}
