//! The program of a function, and every process that it has left behind.

use std::ffi::OsString;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, wait};
use tokio::signal::unix::Signal as SignalStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::output::{Output, copy};
use crate::error::Error;

/// The limit for killed processes to be gone. One of another user may outlive it.
const END_LIMIT: Duration = Duration::from_secs(2);
/// A process that started at the moment of a kill is killed after this time.
const KILL_AGAIN: Duration = Duration::from_millis(10);
/// The limit for the last output of a program that has ended: another process may hold its pipe.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

/// A program's own end.
pub(super) struct End {
    pub(super) code: u8,
    /// Whether a signal was passed on before.
    pub(super) asked_for: bool,
}

pub(super) struct Program {
    /// Its process group has the same number.
    pid: Pid,
    copying: Vec<JoinHandle<()>>,
}

impl Program {
    pub(super) fn start(words: &[OsString], output: &Arc<Output>) -> Result<Self, Error> {
        let [program, arguments @ ..] = words else { return Err(Error::NoProgram) };
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let failed = |source| Error::Program { program: program.to_string_lossy().into_owned(), source };
        let mut child = command.spawn().map_err(failed)?;
        let mut copying = Vec::new();
        if let Some(from) = child.stdout.take() {
            copying.push(copy(from, std::io::stdout(), output));
        }
        if let Some(from) = child.stderr.take() {
            copying.push(copy(from, std::io::stderr(), output));
        }
        let pid = Pid::from_child(&child);
        Ok(Self { pid, copying })
    }

    /// The number of its process group.
    pub(super) fn group(&self) -> u32 {
        self.pid.as_raw_pid().unsigned_abs()
    }

    pub(super) fn signal(&self, signal: Signal) {
        // It may have ended at this moment.
        let _ = kill_process(self.pid, signal);
    }

    /// Collects every process that has ended and whose parent is gone. Returns the program's exit code, if it is among them.
    pub(super) fn reap(&self) -> Option<u8> {
        let mut code = None;
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid == self.pid {
                code = Some(code_of(ExitStatus::from_raw(status.as_raw())));
            }
        }
        code
    }

    /// Waits for what the ended program has written last.
    pub(super) async fn last_output(&mut self) {
        let all = async {
            for copying in self.copying.drain(..) {
                let _ = copying.await;
            }
        };
        let _ = tokio::time::timeout(LAST_OUTPUT, all).await;
    }

    /// Kills every process. Returns whether all are gone.
    pub(super) async fn end_all(&self, children: &mut SignalStream) -> bool {
        // As the group of process 1, all processes of the container but this one are addressed.
        let group = if std::process::id() == 1 { Pid::INIT } else { self.pid };
        let end = Instant::now() + END_LIMIT;
        while Instant::now() < end {
            let _ = kill_process_group(group, Signal::KILL);
            loop {
                match wait(WaitOptions::NOHANG) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    // No process has this one as its parent any more, and the first process of a container is the last parent of all.
                    Err(_) => return true,
                }
            }
            let _ = tokio::time::timeout(KILL_AGAIN, children.recv()).await;
        }
        false
    }
}

/// As a shell has it.
fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_by_a_signal_has_a_code_of_its_own() {
        assert_eq!(code_of(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(code_of(ExitStatus::from_raw(0)), 0);
        assert_eq!(code_of(ExitStatus::from_raw(9)), 137);
        assert_eq!(code_of(ExitStatus::from_raw(255 << 8)), 255);
    }
}
