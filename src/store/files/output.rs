//! Files that the user names to be written.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::place;
use super::replace::Replacement;

/// The destination of a write. Its existence shows that it can be written, as far as can be seen without writing.
#[derive(Debug)]
pub(crate) enum Output {
    /// A file, replaced in one step.
    File(Replacement),
    /// A pipe or a device, written as it is. It is opened only then: who reads it may read something else of ours first.
    Stream(PathBuf),
    /// Standard output.
    Standard,
}

impl Output {
    /// The destination that `path` stands for: a file, links followed also where they lead to nothing yet; anything
    /// else that is there already; or, as `-` or by another of its names, standard output.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Standard);
        }
        match fs::metadata(path) {
            Ok(facts) if facts.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
            // Replacing the file that a shell sends standard output to would leave the rest of it nowhere.
            Ok(facts) if is_standard(&facts) => Ok(Self::Standard),
            Ok(facts) if !facts.is_file() => Ok(Self::Stream(path.to_owned())),
            _ => Replacement::begin(&place::destination(path)?).map(Self::File),
        }
    }

    /// Whether `path` names something in which no older file can be lost: standard output, a pipe, a device.
    pub(crate) fn is_stream(path: &Path) -> bool {
        path == Path::new("-") || fs::metadata(path).is_ok_and(|facts| !facts.is_file() && !facts.is_dir())
    }

    /// Writes `bytes` there.
    pub(crate) fn write(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File(replacement) => replacement.finish(bytes),
            Self::Stream(path) => OpenOptions::new().write(true).open(path)?.write_all(bytes),
            Self::Standard => {
                let mut out = io::stdout().lock();
                out.write_all(bytes)?;
                out.flush()
            }
        }
    }
}

/// Whether what was found is standard output under another name, such as `/dev/stdout`.
#[cfg(unix)]
fn is_standard(found: &Metadata) -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;
    let standard = io::stdout().as_fd().try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
    standard.is_ok_and(|standard| (standard.dev(), standard.ino()) == (found.dev(), found.ino()))
}

/// It has no other name that a file could have.
#[cfg(not(unix))]
const fn is_standard(_: &Metadata) -> bool {
    false
}
