//! Reading a file up to a limit, and the errors of files.

use std::fs::File;
use std::io::{self, Read as _};

/// Reads an open file whole; `None` when it has more than `max_bytes`. Its length is known only at its end, because it
/// may be a pipe.
pub(super) fn read(file: File, max_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= max_bytes).then_some(bytes))
}

/// The error of a file that is larger than it may be.
pub(super) fn too_large(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, message)
}

/// The text of an error without the operating system's number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
