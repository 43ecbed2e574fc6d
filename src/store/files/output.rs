//! Files that the user names to be written.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::time::{Duration, Instant};

#[cfg(unix)]
use rustix::fs::OFlags;
#[cfg(unix)]
use rustix::io::Errno;

use super::place;
use super::replace::{Replacement, is_closed, overwrite};

/// How long brandctl waits for a reader to open a pipe.
#[cfg(unix)]
const READER_TIMEOUT: Duration = Duration::from_secs(10);

/// The destination of a write. It is only made if it can be written, as far as can be checked without writing.
#[derive(Debug)]
pub(crate) enum Output {
    /// A file, replaced in one step.
    File(Replacement),
    /// A file in a folder that does not accept other files, written in place.
    InPlace(File),
    /// A pipe or a device, written directly. It is opened only for the write, because its reader may first read
    /// something else of ours.
    Stream(PathBuf),
    /// An open file of this process, by its number, written at its current position.
    Descriptor(PathBuf, i32),
    /// Standard output.
    Standard,
    /// Standard error.
    Diagnostics,
}

impl Output {
    /// The destination that `path` stands for: a file that is not a link; anything else that exists; or standard
    /// output, as `-` or under another of its names.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        match descriptor(path) {
            Some(1) => return Ok(Self::Standard),
            Some(2) => return Ok(Self::Diagnostics),
            Some(number) => return Ok(Self::Descriptor(path.to_owned(), number)),
            None => {}
        }
        refuse_link(path)?;
        match fs::metadata(path) {
            Ok(facts) if facts.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
            // If the file that a shell sends standard output to were replaced, the rest of the output would be lost.
            Ok(facts) if is_standard(&facts) => Ok(Self::Standard),
            Ok(facts) if !facts.is_file() => Ok(Self::Stream(path.to_owned())),
            found => {
                let named = place::folder_of(path);
                let folder = place::real(named)
                    .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", named.display())))?;
                let name = path.file_name().ok_or_else(|| io::Error::other("it does not name a file"))?;
                let place = folder.join(name);
                Replacement::begin(&place).map(Self::File).or_else(|error| match found {
                    Ok(_) if is_closed(&error) => {
                        OpenOptions::new().write(true).open(&place).map(Self::InPlace).map_err(|_| error)
                    }
                    _ => Err(error),
                })
            }
        }
    }

    /// Whether `path` names standard output, a pipe or a device, where no older file can be lost.
    pub(crate) fn is_stream(path: &Path) -> bool {
        descriptor(path).is_some() || fs::metadata(path).is_ok_and(|facts| !facts.is_file() && !facts.is_dir())
    }

    /// Writes `bytes` there.
    pub(crate) fn write(self, bytes: &[u8]) -> io::Result<()> {
        let all = |out: &mut dyn io::Write| out.write_all(bytes).and_then(|()| out.flush());
        match self {
            Self::File(replacement) => replacement.finish_or_overwrite(bytes),
            Self::InPlace(file) => overwrite(&file, bytes),
            Self::Stream(path) => all(&mut open_stream(&path)?),
            Self::Descriptor(path, number) => all(&mut open_descriptor(&path, number)?),
            Self::Standard => all(&mut io::stdout().lock()),
            Self::Diagnostics => all(&mut io::stderr().lock()),
        }
    }
}

/// Opens a pipe or a device. It waits for a pipe's reader, but only for a limited time, because `--timeout` and signals
/// do not end an open().
#[cfg(unix)]
fn open_stream(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let until = Instant::now() + READER_TIMEOUT;
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    loop {
        match options.open(path) {
            Ok(file) => {
                // From here on, writes wait for a slow reader.
                rustix::fs::fcntl_setfl(&file, OFlags::empty())?;
                return Ok(file);
            }
            Err(error) if error.raw_os_error() != Some(Errno::NXIO.raw_os_error()) => return Err(error),
            Err(_) if Instant::now() >= until => {
                let message = format!("no program opened this pipe for reading within {} s", READER_TIMEOUT.as_secs());
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

#[cfg(not(unix))]
fn open_stream(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

/// Refuses a link, unless it leads to a pipe or a device, and a folder on the way that is a link out of the repository:
/// anyone who can commit to a repository could make them lead to any file of the user who runs brandctl.
pub(crate) fn refuse_link(path: &Path) -> io::Result<()> {
    if Output::is_stream(path) {
        return Ok(());
    }
    refuse_way_out(place::folder_of(path))?;
    if path.file_name().is_some_and(|name| place::is_in_git(Path::new(name))) {
        return Err(in_git());
    }
    let leads_to_stream = || fs::metadata(path).is_ok_and(|facts| !facts.is_file() && !facts.is_dir());
    match fs::read_link(path) {
        Ok(target) if descriptor(path).is_none() && !leads_to_stream() => {
            let message = format!("it is a link to {}, and brandctl does not write through links", target.display());
            Err(io::Error::other(message))
        }
        _ => Ok(()),
    }
}

/// Refuses a folder that is reached by a link from inside a repository to a place outside it, and Git's own folders.
pub(crate) fn refuse_way_out(folder: &Path) -> io::Result<()> {
    let whole = std::path::absolute(folder)?;
    if let Some((link, target)) = place::way_out(&whole) {
        let (link, target) = (link.display(), target.display());
        let message = format!(
            "{link} is a link to {target}, which is outside the repository, and brandctl does not write through it"
        );
        return Err(io::Error::other(message));
    }
    // A folder that does not exist yet is created below the nearest one that does.
    let nearest = whole.ancestors().find_map(|folder| place::real(folder).ok());
    if place::is_in_git(&whole) || nearest.is_some_and(|real| place::is_in_git(&real)) { Err(in_git()) } else { Ok(()) }
}

fn in_git() -> io::Error {
    io::Error::other("it is in .git, and only Git writes there")
}

/// The number of the open file of this process that a name stands for: `-` is standard output.
fn descriptor(path: &Path) -> Option<i32> {
    match path.to_str()? {
        "-" | "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        name => {
            let number = name.strip_prefix("/dev/fd/").or_else(|| name.strip_prefix("/proc/self/fd/"))?;
            number.parse().ok().filter(|number: &i32| *number >= 0 && cfg!(unix))
        }
    }
}

/// Opens a file that is open already, so that both write behind one another.
#[cfg(target_os = "linux")]
fn open_descriptor(path: &Path, number: i32) -> io::Result<File> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    let own = pidfd_open(getpid(), PidfdFlags::empty());
    let same = own.and_then(|own| pidfd_getfd(own, number, PidfdGetfdFlags::empty()));
    // Not every container allows that. A file that is opened again has its own position: use its end.
    same.map(File::from).or_else(|_| OpenOptions::new().append(true).open(path))
}

/// Opens a file that is open already, so that both write behind one another.
#[cfg(not(target_os = "linux"))]
fn open_descriptor(path: &Path, _: i32) -> io::Result<File> {
    OpenOptions::new().append(true).open(path)
}

/// Whether what was found is standard output under another name, such as that of the file it goes to.
#[cfg(unix)]
fn is_standard(found: &Metadata) -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;
    let standard = io::stdout().as_fd().try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
    standard.is_ok_and(|standard| (standard.dev(), standard.ino()) == (found.dev(), found.ino()))
}

/// Here it has no other name among files.
#[cfg(not(unix))]
const fn is_standard(_: &Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

    use std::os::unix::fs::symlink;

    use std::io::{Read as _, Seek as _, Write as _};

    use super::*;

    #[test]
    fn nothing_is_written_through_a_link() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::write(at("theirs"), "theirs").unwrap();
        symlink("theirs", at("link")).unwrap();
        symlink("link", at("chain")).unwrap();
        symlink("nothing-yet", at("dangling")).unwrap();
        symlink("round", at("round")).unwrap();
        symlink("/dev/null", at("device")).unwrap();
        for (name, target) in [("link", "theirs"), ("chain", "link"), ("dangling", "nothing-yet"), ("round", "round")] {
            let error = Output::open(&at(name)).unwrap_err().to_string();
            assert_eq!(error, format!("it is a link to {target}, and brandctl does not write through links"), "{name}");
        }
        Output::open(&at("device")).unwrap().write(b"gone").unwrap();
        assert_eq!(fs::read(at("theirs")).unwrap(), b"theirs");
        assert!(!at("nothing-yet").exists());
    }

    #[test]
    fn no_folder_leads_out_of_the_repository() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for folder in ["repository/.git", "repository/inside", "outside/.git"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        symlink("../outside", at("repository/out")).unwrap();
        symlink("inside", at("repository/in")).unwrap();
        symlink("repository", at("above")).unwrap();
        for path in ["repository/out/plan.json", "above/out/plan.json", "repository/in/../out/x/plan.json"] {
            let error = refuse_link(&at(path)).unwrap_err().to_string();
            assert!(error.contains("out is a link to ../outside, which is outside the repository"), "{path}: {error}");
        }
        for path in ["repository/in/plan.json", "above/inside/plan.json", "above/plan.json", "outside/plan.json"] {
            refuse_link(&at(path)).unwrap();
        }
    }

    #[test]
    fn open_files_have_their_names() {
        for (name, number) in [
            ("-", Some(1)),
            ("/dev/stdout", Some(1)),
            ("/dev/fd/1", Some(1)),
            ("/proc/self/fd/1", Some(1)),
            ("/dev/stderr", Some(2)),
            ("/dev/fd/63", Some(63)),
            ("/dev/fd/", None),
            ("/dev/fd/-1", None),
            ("/dev/fd/1/x", None),
            ("/dev/null", None),
            ("dev/stdout", None),
        ] {
            assert_eq!(descriptor(Path::new(name)), number, "{name}");
        }
    }

    #[test]
    fn what_is_open_already_is_written_where_it_stands() {
        use std::os::fd::AsRawFd as _;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"before, ").unwrap();
        let name = format!("/dev/fd/{}", file.as_raw_fd());
        Output::open(Path::new(&name)).unwrap().write(b"ours, ").unwrap();
        file.write_all(b"after").unwrap();
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "before, ours, after");
    }
}
