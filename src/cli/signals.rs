//! Ctrl-C and SIGTERM: the first asks the command to finish what is in flight, the second stops at once.

use crate::ops::ports::Interrupt;

/// Watches for signals on a thread of its own, for as long as the process lives.
#[expect(clippy::exit, reason = "a second signal means: at once; the journal is on disk")]
pub(super) fn finish_first(interrupt: &Interrupt) {
    let interrupt = interrupt.clone();
    let watching = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            while next().await {
                if interrupt.is_raised() {
                    std::process::exit(i32::from(super::exit::Exit::Interrupted as u8));
                }
                interrupt.raise();
                anstream::eprintln!("stopping once what is in flight has ended; again to stop at once");
            }
        });
    });
    // Without the thread, signals end the process as they always do; what is on disk is enough for the next run.
    drop(watching);
}

#[cfg(unix)]
async fn next() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return false;
    };
    tokio::select! {
        heard = interrupt.recv() => heard.is_some(),
        heard = terminate.recv() => heard.is_some(),
    }
}

#[cfg(not(unix))]
async fn next() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}
