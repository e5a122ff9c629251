//! The life of a server's process.

use std::pin::Pin;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// A server waits for others; the second thread answers while the first works.
const THREADS: usize = 2;

/// Resolves at the first signal.
pub type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs a server until it ends: SIGTERM and SIGINT resolve its [`Shutdown`], upon which it drains. A second signal ends it at once, with
/// `None`. Tasks that the server leaves behind end with it.
pub fn run<T, F: Future<Output = T>>(serve: impl FnOnce(Shutdown) -> F) -> std::io::Result<Option<T>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
    let outcome = runtime.block_on(until_signalled_twice(serve));
    // Do not wait for connections that nothing drains.
    runtime.shutdown_background();
    outcome
}

async fn until_signalled_twice<T, F: Future<Output = T>>(
    serve: impl FnOnce(Shutdown) -> F,
) -> std::io::Result<Option<T>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (first, asked) = oneshot::channel::<()>();
    let mut first = Some(first);
    let serving = serve(Box::pin(async move { drop(asked.await) }));
    tokio::pin!(serving);
    loop {
        tokio::select! {
            served = &mut serving => return Ok(Some(served)),
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if first.take().is_none() {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    /// One test: a signal reaches every server of a process.
    #[test]
    fn the_first_signal_drains_and_the_second_one_ends() {
        let signalled = || kill_process(getpid(), Signal::TERM).expect("its own process");
        let drained = run(async |shutdown| {
            signalled();
            shutdown.await;
            7
        });
        assert_eq!(drained.expect("a runtime"), Some(7));
        let ended = run(async |shutdown| {
            signalled();
            shutdown.await;
            signalled();
            std::future::pending::<u8>().await
        });
        assert_eq!(ended.expect("a runtime"), None);
    }
}
