//! Finds and runs the Terraform binary. Its output becomes events.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::process::Stdio;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_artifacts::terraform::{terraform, terraform_version};
use devenv_runtime::Cancel;
use futures_util::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::error::Error;

/// The number of output lines in an error.
const KEPT: usize = 40;

/// Finds the Terraform of this machine.
pub trait Terraforms: Send + Sync + fmt::Debug {
    /// Finds the program. An error when it is absent or too old.
    fn find(&self) -> BoxFuture<'_, Result<Arc<dyn Terraform>, Error>>;
}

/// Runs Terraform.
pub trait Terraform: Send + Sync + fmt::Debug {
    /// Runs one command to its end. The process holds `alive`, a locked file, as long as it lives. On cancellation it gets one
    /// SIGINT and time to end: only then does it release its lock.
    fn run<'a>(
        &'a self,
        order: &'a TerraformOrder,
        alive: Option<File>,
        line: &'a (dyn Fn(String) + Send + Sync),
        cancel: &'a Cancel,
    ) -> BoxFuture<'a, Result<TerraformEnd, Error>>;
}

#[derive(Debug, Clone)]
pub struct TerraformOrder {
    /// The folder of the root.
    pub root: Utf8PathBuf,
    /// The command first.
    pub arguments: Vec<String>,
    /// The whole environment of the process.
    pub environment: BTreeMap<OsString, OsString>,
    /// Whether standard output is data for the caller and not progress.
    pub answers: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerraformEnd {
    pub code: i32,
    /// Standard output, if the order answers.
    pub answer: String,
    /// The last lines of its output.
    pub output: Vec<String>,
}

/// Becomes the program of its first argument. Plans and logs have the variables of services: only the user may read them.
const PRIVATELY: &str = "umask 077 && exec \"$0\" \"$@\"";

/// The program.
#[derive(Debug, Clone)]
struct TerraformBinary {
    program: OsString,
}

/// The `terraform` on the path, or the program that `DEVENV_TERRAFORM` names.
#[derive(Debug, Clone, Copy)]
pub struct InstalledTerraform;

impl Terraforms for InstalledTerraform {
    fn find(&self) -> BoxFuture<'_, Result<Arc<dyn Terraform>, Error>> {
        Box::pin(async {
            terraform_version().await?;
            Ok(Arc::new(TerraformBinary { program: terraform() }) as Arc<dyn Terraform>)
        })
    }
}

impl Terraform for TerraformBinary {
    fn run<'a>(
        &'a self,
        order: &'a TerraformOrder,
        alive: Option<File>,
        line: &'a (dyn Fn(String) + Send + Sync),
        cancel: &'a Cancel,
    ) -> BoxFuture<'a, Result<TerraformEnd, Error>> {
        Box::pin(run(&self.program, order, alive, line, cancel))
    }
}

async fn run(
    program: &OsString,
    order: &TerraformOrder,
    alive: Option<File>,
    line: &(dyn Fn(String) + Send + Sync),
    cancel: &Cancel,
) -> Result<TerraformEnd, Error> {
    let failed = |error: std::io::Error| Error::TerraformMissing { cause: error.to_string() };
    let mut child = Command::new("/bin/sh")
        .args(["-c", PRIVATELY])
        .arg(program)
        .arg(format!("-chdir={}", order.root))
        .args(&order.arguments)
        .env_clear()
        .envs(&order.environment)
        // It reads nothing; standard input only carries the lock.
        .stdin(alive.map_or_else(Stdio::null, Stdio::from))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A terminal's Ctrl-C would reach it in addition to our SIGINT, and after a second one it leaves its lock behind.
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    let (mut out, mut err) = (BufReader::new(stdout).split(b'\n'), BufReader::new(stderr).split(b'\n'));
    let (mut more_out, mut more_err, mut asked) = (true, true, false);
    let mut end = TerraformEnd { code: 0, answer: String::new(), output: Vec::new() };
    while more_out || more_err {
        tokio::select! {
            next = out.next_segment(), if more_out => match next.map_err(failed)? {
                Some(bytes) if order.answers => {
                    end.answer.push_str(&String::from_utf8_lossy(&bytes));
                    end.answer.push('\n');
                }
                Some(bytes) => end.take(&bytes, line),
                None => more_out = false,
            },
            next = err.next_segment(), if more_err => match next.map_err(failed)? {
                Some(bytes) => end.take(&bytes, line),
                None => more_err = false,
            },
            () = cancel.cancelled(), if !asked => {
                asked = true;
                if let Some(group) = group {
                    let _ = kill_process_group(group, Signal::INT);
                }
            }
        }
    }
    let status = child.wait().await.map_err(failed)?;
    end.code = status.code().unwrap_or(-1);
    Ok(end)
}

impl TerraformEnd {
    fn take(&mut self, bytes: &[u8], line: &(dyn Fn(String) + Send + Sync)) {
        let text = String::from_utf8_lossy(bytes).trim_end().to_owned();
        if text.is_empty() {
            return;
        }
        line(text.clone());
        self.output.push(text);
        if self.output.len() > KEPT {
            self.output.remove(0);
        }
    }
}

/// The environment of every Terraform that devenv runs: it keeps its files in `folder` and ignores the user's settings.
///
/// Its log goes there too. Terraform logs a lock's id before it takes the lock: see [`devenv_releases::state_lock::judge_lock`].
pub(crate) fn environment(folder: &Utf8Path) -> [(&'static str, String); 8] {
    [
        ("TF_IN_AUTOMATION", "1".to_owned()),
        ("TF_INPUT", "0".to_owned()),
        ("TF_CLI_ARGS", String::new()),
        ("TF_DATA_DIR", folder.join("data").into_string()),
        ("TF_CLI_CONFIG_FILE", folder.join("terraform.rc").into_string()),
        ("CHECKPOINT_DISABLE", "1".to_owned()),
        ("TF_LOG_CORE", "INFO".to_owned()),
        ("TF_LOG_PATH", log_path(folder).into_string()),
    ]
}

/// The log of every Terraform of a folder.
pub(crate) fn log_path(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join("terraform.log")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> TerraformOrder {
        TerraformOrder {
            root: "/".into(),
            // The first argument is the folder, the second one the script.
            arguments: vec![script.to_owned()],
            environment: std::env::vars_os().collect(),
            answers: false,
        }
    }

    /// A program that runs its second argument as a script.
    fn interpreter(folder: &Utf8Path) -> OsString {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.join("terraform");
        std::fs::write(&path, "#!/bin/sh\nexec /bin/sh -c \"$2\"\n").expect("writable");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("ours");
        path.into_os_string()
    }

    #[tokio::test]
    async fn a_cancelled_one_is_asked_once_and_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let program = interpreter(Utf8Path::from_path(folder.path()).expect("UTF-8"));
        let (canceller, cancel) = Cancel::channel();
        // Unbuffered: the signal may come while the first line is still being written.
        let script = "import os, signal, sys, time\n\
                      def end(*_):\n    os.write(1, b'asked\\n')\n    time.sleep(0.2)\n    os.write(1, b'unlocked\\n')\n    sys.exit(1)\n\
                      signal.signal(signal.SIGINT, end)\n\
                      os.write(1, b'began\\n')\n\
                      while True: time.sleep(0.05)";
        // Not in a shell: one that was started with the signal ignored, as a background job is, cannot take it.
        let order = shell(&format!("exec python3 -c \"{script}\""));
        let line = |line: String| {
            if line == "began" {
                canceller.cancel();
            }
        };
        let end = run(&program, &order, None, &line, &cancel).await.expect("it starts");
        assert_eq!((end.code, end.output), (1, ["began", "asked", "unlocked"].map(str::to_owned).to_vec()));
    }

    #[tokio::test]
    async fn the_files_of_a_run_are_its_users_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let (program, plan) = (interpreter(folder), folder.join("plan"));
        let order = shell(&format!("echo > {plan}"));
        let end = run(&program, &order, None, &|_| {}, &Cancel::never()).await.expect("it starts");
        assert_eq!(end.code, 0, "{:?}", end.output);
        assert_eq!(std::fs::metadata(&plan).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn an_answer_is_kept_from_the_news() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let program = interpreter(Utf8Path::from_path(folder.path()).expect("UTF-8"));
        let (_canceller, cancel) = Cancel::channel();
        let order = TerraformOrder { answers: true, ..shell("echo '{}'; echo warning >&2; exit 2") };
        let end = run(&program, &order, None, &|_| {}, &cancel).await.expect("it starts");
        assert_eq!((end.code, end.answer.as_str(), end.output.as_slice()), (2, "{}\n", &["warning".to_owned()][..]));
    }
}
