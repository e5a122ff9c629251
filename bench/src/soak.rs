use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use rustix::process::{Pid, Signal};

use crate::environment::Environment;
use crate::{Failure, say};

/// A start takes a few hundred milliseconds at most; the kill falls anywhere within it, or shortly after.
const KILL_WITHIN: u64 = 300;
/// Containers take longer.
const KILL_CONTAINERS_WITHIN: u64 = 1500;
/// What a killed command leaves may take this long to end by itself.
const SETTLE: Duration = Duration::from_secs(10);

/// Rounds of `up`, `kill -9` of the command and of the supervisor at a random moment, `up`, `down`.
pub(crate) fn run(program: &Utf8Path, runtime: &str, rounds: usize) -> Result<(), Failure> {
    let environment = Environment::new(program, &["--runtime", runtime])?;
    let kill_within = if runtime == "docker" { KILL_CONTAINERS_WITHIN } else { KILL_WITHIN };
    // Somebody else's process, which every repair must leave alone.
    let mut stranger = Stranger(std::process::Command::new("sleep").arg("100000").spawn()?);
    for round in 1..=rounds {
        let pause = Duration::from_millis(random() % kill_within);
        let mut up = environment.up_command().stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
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
        environment.up()?;
        let units = environment.status()?["units"].as_array().cloned().unwrap_or_default();
        if units.iter().any(|unit| unit["state"] != "ready") {
            return Err(format!("round {round}: not everything is ready after the repair: {units:?}").into());
        }
        environment.run(&["down", "--volumes"])?;
        let mut left = left(&environment)?;
        if runtime == "docker" {
            left.extend(left_in_engine(&environment)?);
        }
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

/// Containers, networks and volumes that bear this environment's label.
fn left_in_engine(environment: &Environment) -> Result<Vec<String>, Failure> {
    let filter = format!("label=devenv.state={}", environment.state);
    let mut found = Vec::new();
    for kind in [&["ps", "--all", "--quiet"][..], &["network", "ls", "--quiet"], &["volume", "ls", "--quiet"]] {
        let output = std::process::Command::new("docker").args(kind).args(["--filter", &filter]).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        found.extend(String::from_utf8(output.stdout)?.lines().map(|id| format!("{} {id}", kind[0])));
    }
    Ok(found)
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
