//! What to do about a request that failed, decided purely: sleeping happens elsewhere.

/// What kind of failure it was; see the table "The REST engine" of the portal's facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The portal asked to slow down (`QUERY_LIMIT_EXCEEDED`, `OPERATION_TIME_LIMIT`): it had no effect, wait and send again.
    Busy,
    /// It may pass: 5xx, a broken connection, a body that is no answer. A write may have had its effect.
    Transient,
    /// The access token expired.
    Expired,
    /// The configuration is wrong (credentials, scope, rights, URL): only the user can mend it.
    Configuration,
    /// The portal refuses batches of this method (`ERROR_BATCH_METHOD_NOT_ALLOWED`).
    NoBatch,
    /// The portal said no in a way that asking again does not change.
    Refused,
    /// The command's time is up.
    Deadline,
}
