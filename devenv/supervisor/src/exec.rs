//! Runs a command with the variables and the folder of a unit's process, on this command's own input and output.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use camino::Utf8Path;
use devenv_model::exec::ExecOrder;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::spawn::INHERITED;

/// What a shell adds to the number of the signal that ended a command.
const BY_SIGNAL: i32 = 128;

/// Runs the command and returns its exit code, as a shell reports it. The terminal's signals reach the command by themselves,
/// since it is in the caller's group; other signals to the caller are passed on.
pub async fn exec(
    directory: &Utf8Path,
    environment: &BTreeMap<String, String>,
    order: &ExecOrder,
) -> std::io::Result<i32> {
    let (program, arguments) =
        order.command.split_first().ok_or_else(|| std::io::Error::other("the command is empty"))?;
    let inherited = INHERITED.iter().chain(&["TERM"]).filter_map(|name| Some((name, std::env::var_os(name)?)));
    // Registered first: a signal during the start must not end the caller alone.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let folder = order.directory.as_ref().map_or_else(|| directory.to_owned(), |path| directory.join(path));
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(inherited)
        .envs(environment)
        .envs(&order.environment)
        .spawn()?;
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let pass = |signal: Signal| {
        // An error means that the command has just ended.
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
    };
    loop {
        tokio::select! {
            status = child.wait() => return status.map(code),
            // From a terminal, the command has it already.
            _ = interrupt.recv() => if !rustix::termios::isatty(std::io::stdin()) { pass(Signal::INT) },
            _ = terminate.recv() => pass(Signal::TERM),
            _ = hang_up.recv() => pass(Signal::HUP),
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| BY_SIGNAL + signal)).unwrap_or(BY_SIGNAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(script: &str) -> ExecOrder {
        ExecOrder {
            command: ["sh", "-c", script].map(str::to_owned).into(),
            environment: BTreeMap::from([("OWN".to_owned(), "1".to_owned())]),
            directory: None,
            user: None,
            tty: false,
        }
    }

    #[tokio::test]
    async fn a_command_has_the_units_variables_and_folder_and_its_code_is_returned() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        std::fs::create_dir(root.join("below")).expect("writable");
        let unit = BTreeMap::from([("GREETING".to_owned(), "hello".to_owned()), ("OWN".to_owned(), "0".to_owned())]);
        let script = "test \"$GREETING $OWN\" = 'hello 1' && test -z \"$CARGO\" && test -d below && exit 7";
        assert_eq!(exec(root, &unit, &order(script)).await.expect("sh is there"), 7);
        let below = ExecOrder { directory: Some("below".to_owned()), ..order("test ! -d below") };
        assert_eq!(exec(root, &unit, &below).await.expect("sh is there"), 0);
        assert_eq!(exec(root, &unit, &order("kill -9 $$")).await.expect("sh is there"), 137);
        let absent = ExecOrder { command: vec!["/nonexistent/program".to_owned()], ..order("") };
        let error = exec(root, &unit, &absent).await.expect_err("it is not there");
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    }
}
