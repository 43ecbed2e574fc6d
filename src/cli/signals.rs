//! Ctrl-C and SIGTERM, on Windows Ctrl-C, Ctrl-Break and a closed window: a command that reads stops reading and reports what it has, and one that writes first finishes
//! what is in flight. A second signal ends the process at once, except during a renewal of tokens, which is always
//! finished.

use std::io;

use crate::ops::ports::Interrupt;
use crate::portal::PendingRenewals;

use super::exit::Exit;
use super::output;
use super::resources;
use super::unfinished::LastWords;

/// Watches for signals on a separate thread, as long as the process lives. The first one raises `interrupt`; if `writing`
/// is raised, stopping takes a while, and the user gets a message.
pub(super) fn watch(interrupt: &Interrupt, writing: &Interrupt, renewals: &PendingRenewals, words: LastWords) {
    let (interrupt, writing) = (interrupt.clone(), writing.clone());
    at_each(renewals.clone(), words, move || {
        if interrupt.is_raised() {
            return Next::Leave;
        }
        interrupt.raise();
        if writing.is_raised() {
            output::diagnostic("\nstopping after what is in flight has ended; interrupt again to stop at once\n");
        }
        Next::GoOn
    });
}

/// Watches as [`watch`] does, for a command that only asks: a signal ends it at once, unless `writing` is raised, because
/// then it ends in a moment anyway.
pub(super) fn leave_unless(writing: &Interrupt, renewals: &PendingRenewals, words: LastWords) {
    let writing = writing.clone();
    at_each(renewals.clone(), words, move || if writing.is_raised() { Next::GoOn } else { Next::Leave });
}

/// What happens after a signal.
enum Next {
    GoOn,
    Leave,
}

#[expect(clippy::exit, reason = "the user asked to stop at once; what is needed later is on disk")]
async fn leave(renewals: &PendingRenewals, words: LastWords) -> ! {
    if renewals.are_pending() {
        output::diagnostic("\nstopping after the access token is renewed, in 30 s at most\n");
    }
    renewals.close().await;
    // Nothing else is printed until the process is gone.
    let _printing = words.interrupted().and_then(output::last_json);
    std::process::exit(i32::from(Exit::Interrupted as u8));
}

/// Decides at each signal, from the moment that this returns, so that a user can leave a question that is asked next.
fn at_each(renewals: PendingRenewals, words: LastWords, mut decide: impl FnMut() -> Next + Send + 'static) {
    let Ok(runtime) = resources::runtime() else { return };
    let Ok(mut signals) = runtime.block_on(async { Signals::catch() }) else { return };
    let watching = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            while signals.next().await {
                if matches!(decide(), Next::Leave) {
                    leave(&renewals, words).await;
                }
            }
        });
    });
    // Without the thread, signals do not stop the command early; what is on disk is enough for the next run.
    drop(watching);
}

/// The signals, caught from the moment that this is made.
pub(super) struct Signals {
    #[cfg(unix)]
    caught: [tokio::signal::unix::Signal; 2],
    #[cfg(windows)]
    caught: (tokio::signal::windows::CtrlC, tokio::signal::windows::CtrlBreak, tokio::signal::windows::CtrlClose),
}

/// The signal for a file that reaches its size limit, on Linux and macOS.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;

#[cfg(unix)]
impl Signals {
    /// Catches them; inside a runtime.
    pub(super) fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // Caught, so that a file at its size limit (`ulimit -f`) is a write error, and does not end the process without a
        // message.
        drop(signal(SignalKind::from_raw(SIGXFSZ))?);
        Ok(Self { caught: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?] })
    }

    /// Waits for one. `false` if none can come any more.
    pub(super) async fn next(&mut self) -> bool {
        let [interrupt, terminate] = &mut self.caught;
        tokio::select! {
            heard = interrupt.recv() => heard.is_some(),
            heard = terminate.recv() => heard.is_some(),
        }
    }
}

#[cfg(windows)]
impl Signals {
    /// Catches them; inside a runtime. After a window was closed, Windows gives the process some seconds; a run that is
    /// cut short then is finished by the next one. A process that another one ends gets no signal at all.
    pub(super) fn catch() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
        Ok(Self { caught: (ctrl_c()?, ctrl_break()?, ctrl_close()?) })
    }

    /// Waits for one. `false` if none can come any more.
    pub(super) async fn next(&mut self) -> bool {
        let (interrupt, stop, close) = &mut self.caught;
        tokio::select! {
            heard = interrupt.recv() => heard.is_some(),
            heard = stop.recv() => heard.is_some(),
            heard = close.recv() => heard.is_some(),
        }
    }
}
