//! The life of an init.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use devenv_resources::function_host::settings::RUNTIME_API;
use rustix::process::Signal;
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::host::Host;
use super::output::Output;
use super::program::{End, Program};
use crate::error::Error;

/// The exit code of a program that was killed.
const KILLED: u8 = 128 + 9;
/// A function's program runs until it is told to end: any other end is a failure, after which the engine starts the container again.
const ENDED_BY_ITSELF: u8 = 1;
/// The signals that reach the program.
const PASSED_ON: [SignalKind; 6] = [
    SignalKind::terminate(),
    SignalKind::interrupt(),
    SignalKind::hangup(),
    SignalKind::quit(),
    SignalKind::user_defined1(),
    SignalKind::user_defined2(),
];

/// Runs `-- PROGRAM ARGUMENTS` as the program of a function's unit. Returns its exit code, 128 and the number for an end by a signal.
pub fn run(words: Vec<OsString>) -> Result<ExitCode, Error> {
    let mut words = words.into_iter();
    if words.next().is_none_or(|first| first != "--") || words.len() == 0 {
        return Err(Error::NoProgram);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let code = runtime.block_on(async {
        let mut init = Init {
            words: words.collect(),
            host: Host::at(&std::env::var(RUNTIME_API).map_err(|_| Error::NoRuntime)?),
            // Before the program starts, so that no signal is lost.
            signals: signals().map_err(Error::Runtime)?,
            children: signal(SignalKind::child()).map_err(Error::Runtime)?,
        };
        init.run().await
    });
    // A look at a name may still be under way.
    runtime.shutdown_background();
    code.map(ExitCode::from)
}

/// The signals to pass on, as they arrive.
fn signals() -> std::io::Result<mpsc::UnboundedReceiver<Signal>> {
    let (arrived, signals) = mpsc::unbounded_channel();
    for kind in PASSED_ON {
        let mut stream = signal(kind)?;
        let Some(signal) = Signal::from_named_raw(kind.as_raw_value()) else { continue };
        let arrived = arrived.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                let _ = arrived.send(signal);
            }
        });
    }
    Ok(signals)
}

struct Init {
    words: Vec<OsString>,
    host: Host,
    signals: mpsc::UnboundedReceiver<Signal>,
    /// Notified when a process has ended whose parent this one is.
    children: SignalStream,
}

impl Init {
    async fn run(&mut self) -> Result<u8, Error> {
        loop {
            let instance = Uuid::new_v4().to_string();
            let output = Arc::new(Output::default());
            let mut program = Program::start(&self.words, &output)?;
            let sending = tokio::spawn(self.host.sending(&instance, &output));
            let end = self.until_end(&program, &instance).await;
            let code = match end {
                Some(End { code, asked_for }) => {
                    program.last_output().await;
                    Some(if code == 0 && !asked_for { ENDED_BY_ITSELF } else { code })
                }
                None if program.end_all(&mut self.children).await => None,
                // The engine ends the rest with this process.
                None => Some(KILLED),
            };
            sending.abort();
            if let Some(code) = code {
                self.host.send_rest(&instance, &output).await;
                return Ok(code);
            }
        }
    }

    /// The end of the program; `None` if the host orders it.
    async fn until_end(&mut self, program: &Program, instance: &str) -> Option<End> {
        let order = self.host.order(instance, program.group());
        tokio::pin!(order);
        let mut asked_for = false;
        loop {
            if let Some(code) = program.reap() {
                return Some(End { code, asked_for });
            }
            tokio::select! {
                () = &mut order => return None,
                Some(signal) = self.signals.recv() => {
                    asked_for = true;
                    program.signal(signal);
                }
                _ = self.children.recv() => {}
            }
        }
    }
}
