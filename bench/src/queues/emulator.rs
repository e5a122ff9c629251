use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use camino::Utf8Path;

use crate::{Failure, interrupt};

/// An embedded emulator with its data on disk, and without an environment around it.
pub(crate) struct Emulator {
    child: Child,
    /// The tables' address.
    pub(crate) tables: String,
    /// The address of queues and topics; empty without any.
    pub(crate) messages: String,
    _folder: tempfile::TempDir,
}

impl Emulator {
    /// Starts it from `devenv`, or from the program `devenv-emulator`.
    pub(crate) fn start(program: &Utf8Path, has_queues: bool) -> Result<Self, Failure> {
        let program = program.canonicalize_utf8().map_err(|error| format!("{program}: {error}; build it first"))?;
        // Beside the program: the default temporary folder may be in memory.
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(program.parent().unwrap_or(&program))?;
        let of_queues: &[&str] = if has_queues { &["--listen-messages", "127.0.0.1:0"] } else { &["--tables-only"] };
        let all = [&["emulator", "--listen", "127.0.0.1:0"], of_queues, &["--data"]].concat();
        let arguments = if program.file_name() == Some("devenv-emulator") { &all[1..] } else { &all[..] };
        let mut command = Command::new(&program);
        command.args(arguments).arg(folder.path().join("data.sqlite")).stdin(Stdio::null()).stderr(Stdio::piped());
        interrupt::shield(&mut command, arguments);
        let mut child = command.spawn()?;
        let mut output = BufReader::new(child.stderr.take().ok_or("the emulator has no standard error")?);
        let mut read = |prefix: &str| -> Result<String, Failure> {
            let mut line = String::new();
            output.read_line(&mut line)?;
            let address = line.trim().strip_prefix(prefix).map(str::to_owned);
            address.ok_or_else(|| format!("the emulator printed: {line}").into())
        };
        let tables = read("listening on http://");
        let messages = if has_queues { read("queues and topics on http://") } else { Ok(String::new()) };
        match (tables, messages) {
            (Ok(tables), Ok(messages)) => Ok(Self { child, tables, messages, _folder: folder }),
            (Err(failure), _) | (_, Err(failure)) => {
                let _ = child.kill();
                Err(failure)
            }
        }
    }

    /// Its resident memory, in MiB.
    pub(crate) fn resident(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        let kibibytes: f64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
        Ok(kibibytes / 1024.0)
    }

    /// The processor time that it has used so far.
    pub(crate) fn processor_time(&self) -> Result<Duration, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Behind the name, which may have spaces: field 14 is the user's time, 15 the system's, in hundredths of a second.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
        Ok(Duration::from_millis(10 * (ticks(11) + ticks(12))))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
