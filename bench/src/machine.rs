use std::process::Command;

use serde_json::{Value, json};

/// The machine of the measurements, and its load.
pub(crate) fn describe() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or("", |(_, value)| value.trim()).to_owned()
    };
    json!({
        "cpu": field(&read("/proc/cpuinfo"), "model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": field(&read("/proc/meminfo"), "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load": read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
        "commit": git(&["rev-parse", "--short=12", "HEAD"]),
        "dirty": !git(&["status", "--porcelain"]).is_empty(),
        "at": jiff::Timestamp::now().to_string(),
    })
}

fn git(arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).output();
    output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
