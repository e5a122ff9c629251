//! The build command of a unit that runs as a process.

use std::collections::{BTreeMap, VecDeque};
use std::process::Stdio;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::artifact::{CommandArtifact, CommandInputs};
use devenv_supervisor::leftovers;
use devenv_supervisor::lock::{HeldLock, LockAttempt, take_for_child, try_hold};
use devenv_supervisor::state_directory::StateDirectory;
use rustix::io::FdFlags;
use rustix::process::Signal;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::contents::{Look, Memory, look};
use crate::error::{BuildError, FilesError};
use crate::gitignore::matching;

/// The lines of the builder's output that an error keeps.
pub const OUTPUT_KEPT: usize = 20;
/// A longer line is cut.
const LONGEST_LINE: usize = 4096;
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A command that is built from files of a project.
#[derive(Debug)]
pub struct CommandBuild<'a> {
    pub unit: &'a str,
    pub artifact: &'a CommandArtifact,
    /// The project's folder.
    pub root: &'a Utf8Path,
    /// The folder that all environments of the checkout share.
    pub shared: &'a Utf8Path,
}

impl CommandBuild<'_> {
    /// Whether files or a build decide when the command starts again.
    pub fn is_watched(artifact: &CommandArtifact) -> bool {
        artifact.build.is_some() || matches!(artifact.inputs, CommandInputs::Patterns(_))
    }

    fn memory(&self) -> Memory {
        Memory::new(self.shared, self.unit, "process")
    }

    /// Compares the inputs with those of the last build, or, without a build, of the last start.
    pub fn look(&self) -> Result<Look, BuildError> {
        let failed = |source| BuildError::Files { unit: self.unit.to_owned(), source };
        let found = match &self.artifact.inputs {
            CommandInputs::Patterns(patterns) => matching(self.root, patterns).map_err(|error| failed(error.into()))?,
            CommandInputs::Files(_) => Vec::new(),
        };
        let made = self.memory().read();
        let settings = serde_json::to_vec(&self.artifact.build.as_ref().map(|build| (build, &self.artifact.workdir)));
        let settings = settings.expect("plain data");
        let compared = look(self.root, &found, &[], &settings, made.as_ref(), str::to_owned);
        let mut look = compared.map_err(|source| failed(FilesError::Read { path: self.root.to_owned(), source }))?;
        match made {
            Some(made) => self.memory().refresh(&look, &made),
            // What was never built here starts like any other unit.
            None if self.artifact.build.is_none() => look.stale = None,
            None => {}
        }
        Ok(look)
    }

    /// Remembers that the unit was built, or started, from these files.
    pub fn keep(&self, look: &Look) {
        self.memory().keep(look, "");
    }

    /// Runs the build. `local` replaces the caller's variables for AWS. A build of a killed command ends first.
    pub async fn run(
        &self,
        state: &StateDirectory,
        local: &BTreeMap<String, String>,
        progress: &(dyn Fn(String) + Send + Sync),
    ) -> Result<(), BuildError> {
        let Some((program, arguments)) = self.artifact.build.as_ref().and_then(|build| build.split_first()) else {
            return Ok(());
        };
        let folder = self.root.join(&self.artifact.workdir);
        let line = self.artifact.build.iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        let remedy = format!("run it yourself: cd {folder} && {line}");
        let failed = |cause: String, output: Vec<String>| BuildError::Unit {
            unit: self.unit.to_owned(),
            cause,
            output,
            remedy: remedy.clone(),
        };
        let io = |action: &str, error: &std::io::Error| failed(format!("cannot {action}: {error}"), Vec::new());
        let _alone = self.alone(progress).await.map_err(|error| io("lock the build", &error))?;
        let name = lock_name(self.unit);
        leftovers::end(state, &name).await.map_err(|error| io("end an earlier build", &error))?;
        let mut command = Command::new(program);
        let own = std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("AWS_"));
        command
            .args(arguments)
            .current_dir(&folder)
            .env_clear()
            .envs(own)
            .envs(local.iter().filter(|(name, _)| name.starts_with("AWS_")))
            .stdin(Stdio::null())
            // Ctrl-C in this terminal goes to devenv only, which then ends the whole group.
            .process_group(0);
        let (mut child, output) = {
            let (output, input) = std::io::pipe().map_err(|error| io("make a pipe", &error))?;
            let lock = take_for_child(&state.unit_lock(&name)).map_err(|error| io("lock the build", &error))?;
            rustix::io::fcntl_setfd(&lock, FdFlags::empty()).map_err(|error| io("lock the build", &error.into()))?;
            let error_input = input.try_clone().map_err(|error| io("make a pipe", &error))?;
            command.stdout(input).stderr(error_input);
            let child = command.spawn().map_err(|error| io(&format!("start {program} in {folder}"), &error))?;
            (child, output)
        };
        // Closes this process's ends of the pipe.
        drop(command);
        let group = Group(child.id());
        let output = tokio::net::unix::pipe::Receiver::from_owned_fd(output.into());
        let output = output.map_err(|error| io("read the build's output", &error))?;
        let reading = async {
            let mut last = VecDeque::new();
            let read = lines(output, |line| {
                progress(line.clone());
                if last.len() == OUTPUT_KEPT {
                    last.pop_front();
                }
                last.push_back(line);
            });
            let _ = read.await;
            last
        };
        tokio::pin!(reading);
        // A build may leave a process in the background, which keeps the pipe open.
        let (status, last) = tokio::select! {
            last = &mut reading => (child.wait().await, last),
            status = child.wait() => {
                let last = tokio::time::timeout(LOOK_AGAIN_AFTER, &mut reading).await.unwrap_or_default();
                (status, last)
            }
        };
        drop(group);
        let status = status.map_err(|error| io("wait for the build", &error))?;
        if status.success() {
            return Ok(());
        }
        let end = status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"));
        Err(failed(format!("{line} ended with {end}"), last.into()))
    }

    /// Waits until no other command builds this unit in this checkout.
    async fn alone(&self, progress: &(dyn Fn(String) + Send + Sync)) -> std::io::Result<HeldLock> {
        let path: Utf8PathBuf = self.shared.join("built").join(format!("{}.lock", self.unit));
        std::fs::create_dir_all(path.parent().unwrap_or(self.shared))?;
        let mut told = false;
        loop {
            match try_hold(&path)? {
                LockAttempt::Held(held) => return Ok(held),
                LockAttempt::Taken { pid } => {
                    if !std::mem::replace(&mut told, true) {
                        progress(format!("waiting for devenv (process {pid}), which builds it too"));
                    }
                    tokio::time::sleep(LOOK_AGAIN_AFTER).await;
                }
            }
        }
    }
}

/// The name of a build among the locks of units. It has a blank, which no service's name has.
fn lock_name(unit: &str) -> String {
    format!("build {unit}")
}

/// A build's processes, which end with this value.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            leftovers::signal_group(leader, Signal::KILL);
        }
    }
}

/// Reads lines to their end. A carriage return ends a line too: progress bars have no other end.
async fn lines(mut output: impl AsyncRead + Unpin, mut each: impl FnMut(String)) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    let mut line = Vec::new();
    let mut emit = |line: &mut Vec<u8>| {
        let text = String::from_utf8_lossy(line).trim_end().to_owned();
        line.clear();
        if !text.is_empty() {
            each(text);
        }
    };
    loop {
        let count = output.read(&mut buffer).await?;
        for byte in &buffer[..count] {
            match byte {
                b'\n' | b'\r' => emit(&mut line),
                byte if line.len() < LONGEST_LINE => line.push(*byte),
                _ => {}
            }
        }
        if count == 0 {
            emit(&mut line);
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Fixture {
        _folder: tempfile::TempDir,
        root: Utf8PathBuf,
        state: StateDirectory,
        artifact: CommandArtifact,
    }

    impl Fixture {
        fn new(build: Option<&str>) -> Self {
            let folder = tempfile::tempdir().expect("a temporary directory");
            let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
            let state = StateDirectory::within(&root.join(".devenv"), &[root.join("run")]);
            state.prepare().expect("writable");
            std::fs::write(root.join("app.py"), "1").expect("writable");
            let artifact = CommandArtifact {
                run: vec!["true".to_owned()],
                build: build.map(|script| ["sh", "-c", script].map(str::to_owned).to_vec()),
                inputs: CommandInputs::Patterns(vec!["*.py".to_owned()]),
                ..CommandArtifact::default()
            };
            Self { _folder: folder, root, state, artifact }
        }

        fn build(&self) -> CommandBuild<'_> {
            CommandBuild { unit: "web", artifact: &self.artifact, root: &self.root, shared: self.state.path() }
        }

        async fn run(&self) -> (Result<(), BuildError>, Vec<String>) {
            let told = Mutex::new(Vec::new());
            let progress = |line| told.lock().expect("not poisoned").push(line);
            let local = [("AWS_PROFILE".to_owned(), "none".to_owned()), ("PATH".to_owned(), "/nowhere".to_owned())];
            let outcome = self.build().run(&self.state, &local.into(), &progress).await;
            (outcome, told.into_inner().expect("not poisoned"))
        }
    }

    #[tokio::test]
    async fn a_build_runs_in_its_folder_with_local_variables_of_aws_and_is_shown() {
        let fixture = Fixture::new(Some("cat app.py; echo; echo $AWS_PROFILE; printf 'a\\rb\\n' >&2"));
        let (outcome, told) = fixture.run().await;
        outcome.expect("it succeeds");
        assert_eq!(told, ["1", "none", "a", "b"]);
    }

    #[tokio::test]
    async fn a_failed_build_has_its_last_lines_and_its_exit_code() {
        let fixture = Fixture::new(Some("for n in $(seq 30); do echo line $n; done; exit 7"));
        let Err(error) = fixture.run().await.0 else { panic!("it fails") };
        assert!(error.to_string().ends_with("ended with exit code 7"), "{error}");
        let BuildError::Unit { output, remedy, .. } = error else { panic!("of the unit") };
        assert_eq!((output.len(), output[0].as_str(), output[19].as_str()), (20, "line 11", "line 30"));
        assert!(remedy.contains(fixture.root.as_str()), "{remedy}");
        let mut absent = Fixture::new(None);
        absent.artifact.build = Some(vec!["/no/such/program".to_owned()]);
        let error = absent.run().await.0.expect_err("there is no such program").to_string();
        assert!(error.contains("cannot start /no/such/program"), "{error}");
    }

    #[tokio::test]
    async fn a_build_is_due_until_it_has_succeeded_and_when_an_input_changes() {
        let fixture = Fixture::new(Some("true"));
        let stale = || fixture.build().look().expect("readable").stale;
        assert_eq!(stale().as_deref(), Some("not built yet"));
        fixture.build().keep(&fixture.build().look().expect("readable"));
        assert_eq!(stale(), None);
        std::fs::write(fixture.root.join("app.py"), "22").expect("writable");
        assert_eq!(stale().as_deref(), Some("app.py changed"));
        let without = Fixture::new(None);
        assert_eq!(without.build().look().expect("readable").stale, None);
    }

    #[tokio::test]
    async fn a_cancelled_build_ends_with_all_its_processes() {
        let fixture = Fixture::new(Some("sleep 600 & echo $! > pid; sleep 600"));
        let pid = fixture.root.join("pid");
        tokio::select! {
            _ = fixture.run() => panic!("it sleeps"),
            () = async {
                while !std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            } => {}
        }
        let lock = fixture.state.unit_lock(&lock_name("web"));
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while devenv_supervisor::lock::is_held(&lock).expect("readable") {
            assert!(std::time::Instant::now() < deadline, "its processes still live");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_build_of_a_killed_command_ends_before_the_next() {
        let fixture = Fixture::new(Some("true"));
        let lock = fixture.state.unit_lock(&lock_name("web"));
        let held = take_for_child(&lock).expect("free");
        rustix::io::fcntl_setfd(&held, FdFlags::empty()).expect("a file");
        let mut left = std::process::Command::new("sleep").arg("600").spawn().expect("there is a sleep");
        drop(held);
        let reaped = std::thread::spawn(move || left.wait());
        fixture.run().await.0.expect("it succeeds");
        assert!(!reaped.join().expect("no panic").expect("it ended").success());
    }
}
