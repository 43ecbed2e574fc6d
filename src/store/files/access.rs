//! The ways in which files below a folder are opened, and the permissions of new files.

/// The permissions of files for their owner only.
pub(super) const OWN_FILE: u32 = 0o600;
pub(super) const OWN_FOLDER: u32 = 0o700;
/// The permissions of files for everyone, regardless of the umask.
pub(super) const PUBLIC_FILE: u32 = 0o644;
/// The permissions of ordinary new files, before the umask is applied.
pub(super) const ANY_FILE: u32 = 0o666;
pub(super) const ANY_FOLDER: u32 = 0o777;

/// The way in which a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// To be read.
    Read,
    /// To be written in place.
    Write,
    /// To be written at its end.
    Append,
    /// As a new file to be written, with these permissions.
    New(u32),
    /// As a new file to be written at its end, with these permissions.
    NewToAppend(u32),
    /// To be read and written in place; created with these permissions if it does not exist.
    Shared(u32),
}
