//! How files below a folder are opened, and what they permit when they are made.

/// The permissions of what is made for its owner alone.
pub(super) const OWN_FILE: u32 = 0o600;
pub(super) const OWN_FOLDER: u32 = 0o700;
/// The permissions of what is for everybody, whatever the umask says.
pub(super) const PUBLIC_FILE: u32 = 0o644;
/// The permissions of what is made for anybody, before the umask takes its part.
pub(super) const ANY_FILE: u32 = 0o666;
pub(super) const ANY_FOLDER: u32 = 0o777;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// To be read.
    Read,
    /// To be written where it is.
    Write,
    /// To be written at its end.
    Append,
    /// As a new file to be written, with these permissions.
    New(u32),
    /// As a new file to be written at its end, with these permissions.
    NewToAppend(u32),
    /// To be read and written as it is, made with these permissions where it is not there.
    Shared(u32),
}
