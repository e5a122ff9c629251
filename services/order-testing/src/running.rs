use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
    thread::JoinHandle,
};

use serde_json::Value;

/// A service as a process that logs JSON. Dropping it kills the process.
pub struct Running {
    child: Child,
    log: Option<JoinHandle<Vec<Value>>>,
    pub address: String,
    pub metrics_address: String,
}

impl Running {
    /// Starts a service and waits until it listens.
    ///
    /// # Panics
    /// If it does not listen, or a line of its log is not JSON.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let listening = loop {
            let line = next(&mut lines).expect("it says where it listens");
            if line["message"] == "listening" {
                break line;
            }
        };
        let text = |name: &str| listening[name].as_str().expect("text").to_owned();
        let (address, metrics_address) = (text("address"), text("metrics_address"));
        // Read continuously, or the service blocks on a full pipe.
        let log = std::thread::spawn(move || std::iter::from_fn(|| next(&mut lines)).collect());
        Self { child, log: Some(log), address, metrics_address }
    }

    /// Sends SIGTERM.
    ///
    /// # Panics
    /// If `kill` cannot run.
    pub fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(status.success());
    }

    /// Waits for the end; returns the exit code and the log lines after `listening`.
    ///
    /// # Panics
    /// If a line of its log is not JSON.
    pub fn ended(mut self) -> (Option<i32>, Vec<Value>) {
        let code = self.child.wait().expect("a child").code();
        let log = self.log.take().map(|log| log.join().expect("every line is JSON")).unwrap_or_default();
        (code, log)
    }
}

fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<Value> {
    let line = lines.next()?.expect("UTF-8");
    Some(serde_json::from_str(&line).expect("every line is JSON"))
}

impl Drop for Running {
    fn drop(&mut self) {
        // Usually the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
