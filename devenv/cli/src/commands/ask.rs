//! A question to the person at the terminal.

use std::io::{BufRead, IsTerminal, Write};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Yes,
    No,
    /// Standard input is not a terminal.
    Nobody,
}

/// Asks on standard error, and reads the answer on a thread of its own, so that a signal still ends the command.
pub(super) async fn ask(question: String) -> Reply {
    let read = move || {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            return None;
        }
        let mut out = std::io::stderr();
        write!(out, "{question} [y/N] ").and_then(|()| out.flush()).ok()?;
        let mut line = String::new();
        stdin.lock().read_line(&mut line).ok().map(|_| line)
    };
    match tokio::task::spawn_blocking(read).await.ok().flatten() {
        None => Reply::Nobody,
        Some(answer) if answer.trim().starts_with(['y', 'Y']) => Reply::Yes,
        Some(_) => Reply::No,
    }
}
