use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use rustix::process::{Pid, Signal};

use crate::environment::Environment;
use crate::{Failure, say};

/// A start takes a few hundred milliseconds at most; the kill falls anywhere within it, or shortly after.
const KILL_WITHIN: u64 = 300;
/// What a killed command leaves may take this long to end by itself.
const SETTLE: Duration = Duration::from_secs(10);

/// Rounds of `up`, `kill -9` of the command and of the supervisor at a random moment, `up`, `down`.
pub(crate) fn run(program: &Utf8Path, rounds: usize) -> Result<(), Failure> {
    let environment = Environment::new(program)?;
    // Somebody else's process, which every repair must leave alone.
    let mut stranger = Stranger(std::process::Command::new("sleep").arg("100000").spawn()?);
    for round in 1..=rounds {
        let pause = Duration::from_millis(random() % KILL_WITHIN);
        let mut up = environment.command(&["up", "-d"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        std::thread::sleep(pause);
        let supervisor = environment.status().ok().and_then(|status| status["supervisor_pid"].as_u64());
        // In turn: the command alone, the supervisor alone, both.
        if round % 3 != 2 {
            up.kill()?;
        }
        if round % 3 != 1
            && let Some(supervisor) = supervisor
        {
            kill(supervisor);
        }
        up.wait()?;
        environment.run(&["up", "-d"])?;
        let units = environment.status()?["units"].as_array().cloned().unwrap_or_default();
        if units.iter().any(|unit| unit["state"] != "ready") {
            return Err(format!("round {round}: not everything is ready after the repair: {units:?}").into());
        }
        environment.run(&["down"])?;
        let left = left(&environment)?;
        if !left.is_empty() {
            return Err(format!("round {round}: left behind: {left:?}").into());
        }
        say(&format!("round {round} of {rounds}: killed after {} ms, repaired, nothing left", pause.as_millis()));
    }
    if stranger.0.try_wait()?.is_some() {
        return Err("a stranger's process was ended".into());
    }
    say(&format!("{rounds} passed, 0 failed"));
    Ok(())
}

/// Ended with the run, however that ends.
struct Stranger(Child);

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Processes with this environment's state directory on their command line or in their environment.
fn left(environment: &Environment) -> Result<Vec<String>, Failure> {
    let end = Instant::now() + SETTLE;
    loop {
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let pid = entry.file_name().to_string_lossy().into_owned();
            if pid.parse::<u32>().is_err() || pid == std::process::id().to_string() {
                continue;
            }
            let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            let locks = std::fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten().any(|descriptor| {
                std::fs::read_link(descriptor.path())
                    .is_ok_and(|path| path.starts_with(environment.state.join("units")))
            });
            if locks || words.contains(environment.state.as_str()) {
                found.push(format!("{pid}: {words}"));
            }
        }
        if found.is_empty() || Instant::now() > end {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn kill(pid: u64) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}

/// The clock's nanoseconds are random enough for choosing a moment.
fn random() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) / 1000
}
