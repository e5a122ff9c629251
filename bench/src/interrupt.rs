//! Ends this program in order: what it started is taken down also when somebody presses Ctrl-C.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::Failure;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// An error once somebody wants this program to end. Whoever gets it returns, and leaves what it began to its `Drop`.
pub(crate) fn check() -> Result<(), Failure> {
    if INTERRUPTED.load(Ordering::Relaxed) { Err("interrupted".into()) } else { Ok(()) }
}

/// Keeps the signals of the terminal from a command that takes something down: the second Ctrl-C of an impatient person
/// would leave everything running.
pub(crate) fn shield(command: &mut Command, arguments: &[&str]) {
    if arguments.first() == Some(&"down") {
        command.process_group(0);
    }
}

/// Runs `work` to its end, which a signal brings nearer.
pub(crate) fn guarded(work: impl FnOnce() -> Result<(), Failure> + Send + 'static) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        // A terminal that is closed.
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
