//! Ends this program in order: it takes its environments down even after Ctrl-C.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::Failure;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Returns an error once a signal has asked this program to end. The caller returns the error, and `Drop` cleans up.
pub(crate) fn check() -> Result<(), Failure> {
    if INTERRUPTED.load(Ordering::Relaxed) { Err("interrupted".into()) } else { Ok(()) }
}

/// Shields `down` from the terminal's signals: a second Ctrl-C would leave everything running.
pub(crate) fn shield(command: &mut Command, arguments: &[&str]) {
    if arguments.first() == Some(&"down") {
        command.process_group(0);
    }
}

/// Runs `work` to its end. A signal makes `check` fail, so that `work` ends early.
pub(crate) fn guarded(work: impl FnOnce() -> Result<(), Failure> + Send + 'static) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        // A closed terminal sends SIGHUP.
        let mut hangup = signal(SignalKind::hangup())?;
        let mut worker = tokio::task::spawn_blocking(work);
        loop {
            tokio::select! {
                outcome = &mut worker => return outcome?,
                _ = interrupt.recv() => INTERRUPTED.store(true, Ordering::Relaxed),
                _ = terminate.recv() => INTERRUPTED.store(true, Ordering::Relaxed),
                _ = hangup.recv() => INTERRUPTED.store(true, Ordering::Relaxed),
            }
        }
    })
}
