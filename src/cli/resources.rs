//! The threads and files that the system grants this process. Without this check, libraries panic if they get too few.

use std::io;
use std::sync::Mutex;
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// Threads that other parts start: the signals, progress, the reader of an answer, look-ups of names, two for a process.
const OTHER_THREADS: usize = 6;

/// The maximum number of workers: more do not help, even if `RAYON_NUM_THREADS` asks for them.
const MAX_WORKERS: usize = 256;

/// Starts the threads that share the work on images: as many as `RAYON_NUM_THREADS` asks for, or one for each core; fewer
/// if the system refuses so many.
pub(super) fn start_workers() {
    let wanted =
        std::env::var("RAYON_NUM_THREADS").ok().and_then(|count| count.parse().ok()).filter(|count| *count > 0);
    let wanted = wanted.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)).min(MAX_WORKERS);
    let workers = rayon::ThreadPoolBuilder::new();
    let workers = match startable(wanted + OTHER_THREADS).saturating_sub(OTHER_THREADS) {
        0 | 1 => workers.num_threads(1).use_current_thread(),
        count => workers.num_threads(count),
    };
    // This fails only if the threads already exist, in a process that runs several commands.
    let _ = workers.build_global();
}

/// How many of `wanted` threads the system grants at once.
fn startable(wanted: usize) -> usize {
    let all_started = Mutex::new(());
    thread::scope(|scope| {
        let waiting = all_started.lock();
        let wait = || drop(all_started.lock());
        let start = || thread::Builder::new().stack_size(64 * 1024).spawn_scoped(scope, wait);
        let count = (0..wanted).map_while(|_| start().ok()).count();
        drop(waiting);
        count
    })
}

/// A runtime of this thread, with signals, clocks and sockets.
///
/// # Errors
///
/// When the system does not grant the threads or files that it needs; the message names the limit.
pub(super) fn runtime() -> io::Result<Runtime> {
    check()?;
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| io::Error::new(error.kind(), format!("no runtime: {error}")))
}

/// Whether some threads and files are left.
///
/// # Errors
///
/// As for [`runtime`].
pub(super) fn check() -> io::Result<()> {
    spare_files().map_err(|error| too_few(&error, "files", "ulimit -n"))?;
    // For look-ups of names.
    thread::Builder::new().spawn(|| {}).map(drop).map_err(|error| too_few(&error, "threads", "ulimit -u"))
}

fn too_few(error: &io::Error, what: &str, limit: &str) -> io::Error {
    io::Error::new(error.kind(), format!("too few {what} are granted to this process ({error}); see `{limit}`"))
}

/// Whether some more files can be opened: for the runtime, its signals, a connection and what is read meanwhile.
#[cfg(unix)]
fn spare_files() -> io::Result<()> {
    const PAIRS: usize = 8;
    (0..PAIRS).map(|_| std::os::unix::net::UnixStream::pair()).collect::<io::Result<Vec<_>>>().map(drop)
}

#[cfg(not(unix))]
fn spare_files() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_threads_as_wanted_can_be_had_at_once() {
        assert_eq!(startable(3), 3);
    }
}
