//! A command in a container, on this process's input, output and terminal.

use std::io::Write;
use std::time::Duration;

use devenv_model::exec::ExecOrder;
use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::engine::{ContainerEngine, ExecOutput, ExecSession, HostError, HostErrorKind};
use crate::raw_terminal::{RawTerminal, size};

/// The interval between two looks at a command whose output has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// An engine reports the end of a command within milliseconds after the end of its output.
const LOOKS: usize = 300;
/// The exit code if the engine loses the command.
const LOST: i32 = 255;

/// Runs the command and returns its exit code. With a terminal of its own, the keys reach it as they are typed; else SIGINT,
/// SIGTERM and SIGHUP are passed on.
pub(crate) async fn exec(engine: &dyn ContainerEngine, container: &str, order: &ExecOrder) -> Result<i32, HostError> {
    let mut signals = Signals::new().map_err(|error| of_terminal(&error))?;
    let mut window = signal(SignalKind::window_change()).map_err(|error| of_terminal(&error))?;
    let session = engine.exec(container, order).await?;
    // Not earlier: an error is printed on a terminal in its usual mode.
    let raw = if order.tty { Some(RawTerminal::enter().map_err(|error| of_terminal(&error))?) } else { None };
    let id = session.id.clone();
    let mut out = std::io::stdout();
    let mut err = std::io::stderr();
    let passing = pass(session, tokio::io::stdin(), |output| match output {
        ExecOutput::Out(bytes) => out.write_all(&bytes).and_then(|()| out.flush()),
        ExecOutput::Err(bytes) => err.write_all(&bytes).and_then(|()| err.flush()),
    });
    tokio::pin!(passing);
    if order.tty {
        resize(engine, &id).await;
    }
    loop {
        tokio::select! {
            passed = &mut passing => {
                passed?;
                break;
            }
            Some(()) = window.recv(), if order.tty => resize(engine, &id).await,
            name = signals.next(), if !order.tty => interrupt(engine, container, &id, order, name).await,
        }
    }
    drop(raw);
    exit_code(engine, &id).await
}

/// Passes input and output between the command and this process until the command's output ends. An output that nobody reads
/// any more ends it too.
async fn pass(
    session: ExecSession,
    mut stdin: impl AsyncRead + Unpin,
    mut print: impl FnMut(ExecOutput) -> std::io::Result<()>,
) -> Result<(), HostError> {
    let ExecSession { mut output, input, .. } = session;
    let feeding = feed(&mut stdin, input);
    tokio::pin!(feeding);
    let mut is_fed = false;
    loop {
        tokio::select! {
            chunk = output.next() => match chunk {
                Some(chunk) => if print(chunk?).is_err() { return Ok(()) },
                None => return Ok(()),
            },
            () = &mut feeding, if !is_fed => is_fed = true,
        }
    }
}

/// Copies the input to its end. An error means that the command reads no more.
async fn feed(stdin: &mut (impl AsyncRead + Unpin), mut input: impl AsyncWrite + Unpin) {
    let _ = tokio::io::copy(stdin, &mut input).await;
    let _ = input.shutdown().await;
}

async fn exit_code(engine: &dyn ContainerEngine, id: &str) -> Result<i32, HostError> {
    for _ in 0..LOOKS {
        if let Some(code) = engine.inspect_exec(id).await?.exit_code {
            return Ok(i32::try_from(code).unwrap_or(LOST));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(LOST)
}

/// The size is a courtesy: without it, the command assumes one.
async fn resize(engine: &dyn ContainerEngine, id: &str) {
    if let Some(size) = size()
        && let Err(error) = engine.resize_exec(id, size).await
    {
        tracing::debug!(%id, %error, "cannot resize the terminal");
    }
}

/// Sends a signal to the command. An engine has no request for it, so a second command in the container sends it, to the
/// process id that the kernel of this machine shows for the container.
async fn interrupt(engine: &dyn ContainerEngine, container: &str, id: &str, order: &ExecOrder, name: &str) {
    let Ok(state) = engine.inspect_exec(id).await else { return };
    let Some(pid) = pid_in_container(state.pid, &order.command) else {
        tracing::warn!(%container, "the command cannot be reached from this machine");
        return;
    };
    let kill = ExecOrder {
        command: ["sh", "-c", &format!("kill -s {name} {pid}")].map(str::to_owned).into(),
        environment: std::collections::BTreeMap::new(),
        directory: None,
        user: order.user.clone(),
        tty: false,
    };
    match engine.exec(container, &kill).await {
        Ok(mut session) => while session.output.next().await.is_some() {},
        Err(error) => tracing::warn!(%container, %error, "cannot pass the signal on"),
    }
}

/// Returns the id by which the container knows the process, if the process of this machine is that command.
fn pid_in_container(pid: u32, command: &[String]) -> Option<u32> {
    let running = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = running.split(|byte| *byte == 0);
    if !command.iter().all(|word| words.next() == Some(word.as_bytes())) {
        return None;
    }
    innermost(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// The id in the innermost namespace of a process's status.
fn innermost(status: &str) -> Option<u32> {
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    ids.split_whitespace().last()?.parse().ok()
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The name of the next signal to pass on.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "INT",
            _ = self.terminate.recv() => "TERM",
            _ = self.hang_up.recv() => "HUP",
        }
    }
}

fn of_terminal(error: &std::io::Error) -> HostError {
    HostError { action: "prepare the terminal".to_owned(), cause: error.to_string(), kind: HostErrorKind::Other }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[test]
    fn a_process_has_an_id_in_every_namespace() {
        assert_eq!(innermost("Name:\tsh\nNSpid:\t4711\t12\nThreads:\t1\n"), Some(12));
        assert_eq!(innermost("NSpid:\t4711\n"), Some(4711));
        assert_eq!(innermost("Name:\tsh\n"), None);
    }

    #[test]
    fn another_process_with_the_same_id_is_left_alone() {
        let own = std::env::args().collect::<Vec<_>>();
        assert!(pid_in_container(std::process::id(), &own[..1]).is_some());
        assert_eq!(pid_in_container(std::process::id(), &["sleep".to_owned()]), None);
    }

    fn session(chunks: Vec<Result<ExecOutput, HostError>>) -> (ExecSession, tokio::io::DuplexStream) {
        let (input, fed) = tokio::io::duplex(64);
        let output = stream::iter(chunks).boxed();
        (ExecSession { id: "1".to_owned(), output, input: Box::pin(input) }, fed)
    }

    #[tokio::test]
    async fn output_is_passed_on_to_its_end_and_the_end_of_input_too() {
        let (session, mut fed) =
            session(vec![Ok(ExecOutput::Out(b"one".to_vec())), Ok(ExecOutput::Err(b"two".to_vec()))]);
        let ExecSession { id, output, input } = session;
        let slow = output.then(|chunk| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            chunk
        });
        let session = ExecSession { id, output: slow.boxed(), input };
        let mut printed = Vec::new();
        let print = |output| {
            printed.push(output);
            Ok(())
        };
        pass(session, &b"typed"[..], print).await.expect("no fault");
        assert_eq!(printed, [ExecOutput::Out(b"one".to_vec()), ExecOutput::Err(b"two".to_vec())]);
        let mut read = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut fed, &mut read).await.expect("readable");
        assert_eq!(read, "typed");
    }

    #[tokio::test]
    async fn an_output_that_nobody_reads_ends_the_command() {
        let (session, _fed) = session(vec![Ok(ExecOutput::Out(b"one".to_vec())); 3]);
        let mut tries = 0;
        let print = |_| {
            tries += 1;
            Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe))
        };
        pass(session, tokio::io::empty(), print).await.expect("no fault");
        assert_eq!(tries, 1);
    }
}
