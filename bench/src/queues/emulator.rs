use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use camino::Utf8Path;

use crate::{Failure, interrupt};

/// An embedded emulator with its data on disk, and without an environment around it.
pub(crate) struct Emulator {
    child: Child,
    pub(crate) authority: String,
    _folder: tempfile::TempDir,
}

impl Emulator {
    /// Starts it from `devenv`, or from the program `devenv-emulator`.
    pub(crate) fn start(program: &Utf8Path) -> Result<Self, Failure> {
        let program = program.canonicalize_utf8().map_err(|error| format!("{program}: {error}; build it first"))?;
        // Beside the program: the default temporary folder may be in memory.
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(program.parent().unwrap_or(&program))?;
        let all = ["emulator", "--listen", "127.0.0.1:0", "--data"];
        let arguments = if program.file_name() == Some("devenv-emulator") { &all[1..] } else { &all[..] };
        let mut command = Command::new(&program);
        command.args(arguments).arg(folder.path().join("data.sqlite")).stdin(Stdio::null()).stderr(Stdio::piped());
        interrupt::shield(&mut command, arguments);
        let mut child = command.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stderr.take().ok_or("the emulator has no standard error")?).read_line(&mut line)?;
        let authority = line.trim().strip_prefix("listening on http://").map(str::to_owned);
        let Some(authority) = authority else {
            let _ = child.kill();
            return Err(format!("the emulator printed: {line}").into());
        };
        Ok(Self { child, authority, _folder: folder })
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

    /// The address at which the database listens behind the emulator's port.
    pub(crate) fn database(&self) -> Result<String, Failure> {
        let mut own = Vec::new();
        for file in std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))? {
            let target = std::fs::read_link(file?.path()).unwrap_or_default();
            let inode = target.to_str().and_then(|name| name.strip_prefix("socket:[")?.strip_suffix(']'));
            own.extend(inode.map(str::to_owned));
        }
        // Columns: number, local address, remote address, state (0A: listening), five more, inode.
        for line in std::fs::read_to_string("/proc/net/tcp")?.lines() {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let (Some(local), Some(&"0A"), Some(inode)) = (columns.get(1), columns.get(3), columns.get(9)) else {
                continue;
            };
            let port = local.split(':').nth(1).and_then(|port| u16::from_str_radix(port, 16).ok()).unwrap_or_default();
            let address = format!("127.0.0.1:{port}");
            if own.iter().any(|own| own == inode) && address != self.authority {
                return Ok(address);
            }
        }
        Err("the database listens nowhere".into())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
