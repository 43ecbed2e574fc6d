//! Files that the user names: a plan to save, a plan to read.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use super::atomic;

/// The largest saved plan that is read, in bytes.
const MAX_PLAN: u64 = 512 * 1024 * 1024;

/// Writes `bytes` where the user wants them: a file in one step, following links; anything else that is there already,
/// such as a pipe or a device, as it is; `-` is standard output.
///
/// # Errors
/// When it cannot be written; an older file is then still whole.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path == Path::new("-") {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        return out.flush();
    }
    match fs::metadata(path) {
        Ok(facts) if facts.is_file() => atomic::write(&fs::canonicalize(path)?, bytes),
        Ok(_) => fs::OpenOptions::new().write(true).open(path)?.write_all(bytes),
        Err(_) => atomic::write(path, bytes),
    }
}

/// Reads a file that the user names.
///
/// # Errors
/// When it cannot be read or is larger than any plan.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_PLAN + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_PLAN {
        return Err(io::Error::other("it is larger than any plan"));
    }
    Ok(bytes)
}
