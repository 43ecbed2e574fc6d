//! Files that the user names: a plan to save, a plan to read, a report.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::atomic::{self, Replacement};

/// The largest saved plan that is read, in bytes.
const MAX_PLAN: u64 = 512 * 1024 * 1024;

/// The most links that are followed one after another, as systems do.
const MOST_LINKS: usize = 40;

/// Where something is about to be written. That there is one shows that it can be, as far as can be told without writing.
#[derive(Debug)]
pub enum Target {
    /// A file, replaced in one step.
    File(Replacement),
    /// A pipe or a device, written as it is. It is opened only then: who reads it may read something else of ours first.
    Stream(PathBuf),
    /// Standard output.
    Standard,
}

impl Target {
    /// What `path` stands for: a file, links followed also where they lead to nothing yet; anything else that is there
    /// already; or, as `-` or by another of its names, standard output.
    ///
    /// # Errors
    /// When it cannot be written, or is a folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Standard);
        }
        match fs::metadata(path) {
            Ok(facts) if facts.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
            // Replacing the file that a shell sends standard output to would leave the rest of it nowhere.
            Ok(facts) if is_standard(&facts) => Ok(Self::Standard),
            Ok(facts) if !facts.is_file() => Ok(Self::Stream(path.to_owned())),
            _ => Replacement::begin(&real(path)?).map(Self::File),
        }
    }

    /// Writes `bytes` there.
    ///
    /// # Errors
    /// When that fails; an older file is then still whole.
    pub fn write(self, bytes: &[u8]) -> io::Result<()> {
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

/// Where a file is or would be, whatever it is called: two paths of one file have one answer.
///
/// # Errors
/// When its folder does not exist, or links lead round in a circle.
pub fn real(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if let Ok(real) = fs::canonicalize(&path) {
            return Ok(real);
        }
        let folder = atomic::folder_of(&path);
        let folder = fs::canonicalize(folder)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
        let Some(name) = path.file_name() else { break };
        path = folder.join(name);
        match fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("it names no file"))
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
