//! Foreign processes, files and containers that resemble the project's own: every repair must leave them alone.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use camino::Utf8PathBuf;

use super::engine::docker;
use super::project::Project;
use crate::Failure;

const CONTENT: &str = "somebody else's";

pub(super) struct Decoys {
    processes: Vec<Child>,
    files: Vec<Utf8PathBuf>,
    /// The name of a container and of its network, and the container's state at first.
    container: Option<(String, String)>,
}

impl Decoys {
    pub(super) fn new(project: &Project, runtime: &str) -> Result<Self, Failure> {
        let mut decoys = Self { processes: Vec::new(), files: Vec::new(), container: None };
        let beside = Utf8PathBuf::from(format!("{}.decoy", project.state()));
        std::fs::create_dir_all(beside.join("units"))?;
        for name in ["state.json", "run.lock", "units/web.lock"] {
            let path = beside.join(name);
            std::fs::write(&path, CONTENT)?;
            decoys.files.push(path);
        }
        // A process with a supervisor's command line, and one that holds a lock with a unit's name.
        let supervisor = ["-c", "read line", "devenv", "supervise", "--state-dir"];
        decoys.processes.push(Command::new("sh").args(supervisor).arg(&beside).stdin(Stdio::piped()).spawn()?);
        let lock = File::open(beside.join("units/web.lock"))?;
        lock.try_lock()?;
        decoys.processes.push(Command::new("sleep").arg("100000").stdin(lock).spawn()?);
        if runtime == "docker" {
            let name = format!("{}-web-decoy", project.root.file_name().unwrap_or("soak"));
            decoys.container = Some((name.clone(), String::new()));
            let labels = ["root", "state"].map(|label| format!("devenv.{label}={beside}"));
            let labels = ["--label", &labels[0], "--label", &labels[1]];
            docker(&[&["network", "create"][..], &labels, &[&name]].concat())?;
            let command = ["devenv-emulator:local", "--memory", "--listen", "127.0.0.1:8080"];
            docker(&[&["run", "--detach", "--name", &name, "--network", &name][..], &labels, &command].concat())?;
            decoys.container = Some((name.clone(), started(&name)?));
        }
        Ok(decoys)
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        self.processes.iter().map(Child::id).collect()
    }

    /// Returns an error if any decoy was touched.
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        for process in &mut self.processes {
            if let Some(status) = process.try_wait()? {
                return Err(format!("a foreign process was ended: {status}").into());
            }
        }
        for file in &self.files {
            if std::fs::read_to_string(file).ok().as_deref() != Some(CONTENT) {
                return Err(format!("a foreign file was touched: {file}").into());
            }
        }
        if let Some((name, before)) = &self.container {
            docker(&["network", "inspect", name])?;
            if started(name)? != *before {
                return Err(format!("a foreign container was touched: {name}").into());
            }
        }
        Ok(())
    }
}

fn started(container: &str) -> Result<String, Failure> {
    docker(&["inspect", "--format", "{{.Id}} {{.State.Running}} {{.State.StartedAt}} {{.RestartCount}}", container])
}

impl Drop for Decoys {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
        if let Some((name, _)) = &self.container {
            let _ = docker(&["rm", "--force", "--volumes", name]);
            let _ = docker(&["network", "rm", name]);
        }
    }
}
