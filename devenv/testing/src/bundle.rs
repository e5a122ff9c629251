//! The bundle of a failed run: files that explain the failure after the environment is gone.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_document::input;
use devenv_model::event::TestOutcome;
use devenv_model::resource::ResourceKind;
use devenv_resources::resources::Resources;
use serde_json::{Value, json};

use crate::error::Error;
use crate::newest::keep_newest;
use crate::run::TestRun;

/// Bundles to keep; older ones are removed.
const KEPT: usize = 5;
/// Items or messages to keep of each table or queue.
const ITEMS: usize = 1000;
/// Bytes to keep of each copied file.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

/// The sources of a bundle.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) run: &'a TestRun,
    /// Files that may or may not exist.
    pub(crate) logs: Vec<Utf8PathBuf>,
    /// Folder in which the tests left files.
    pub(crate) left: &'a Utf8Path,
    pub(crate) environment: &'a BTreeMap<String, String>,
    pub(crate) resources: &'a Resources,
}

/// Writes a bundle into a new folder of `failures` and returns the folder. Leaves out unreadable sources: the emulator itself
/// may have failed.
pub(crate) async fn keep(failures: &Utf8Path, facts: &Facts<'_>) -> Result<Utf8PathBuf, Error> {
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let folder = failures.join(format!("{time}-{}", std::process::id()));
    std::fs::create_dir_all(failures).map_err(|source| Error::Write { path: failures.to_owned(), source })?;
    let logs = folder.join("logs");
    for path in [&folder, &logs] {
        private_folder(path).map_err(|source| Error::Write { path: path.clone(), source })?;
    }
    for log in &facts.logs {
        copy(log, &logs.join(log.file_name().unwrap_or("log")));
    }
    copy_files(facts.left, &folder.join("left"));
    write(&folder.join("output.txt"), &facts.run.output.join("\n"))?;
    let tests = facts.run.tests.iter();
    let timings: Vec<Value> = tests
        .map(|test| json!({ "test": test.name, "outcome": test.outcome, "seconds": test.seconds, "failure": test.failure }))
        .collect();
    write(&folder.join("tests.json"), &pretty(&Value::Array(timings)))?;
    let run = facts.run;
    let summary = json!({
        "passed": run.count(TestOutcome::Passed), "failed": run.count(TestOutcome::Failed),
        "ignored": run.count(TestOutcome::Ignored), "results_from": run.results_from, "failure": run.failure,
    });
    write(&folder.join("summary.json"), &pretty(&summary))?;
    write(&folder.join("environment.json"), &pretty(&json!(facts.environment)))?;
    for resource in facts.resources.ids() {
        let file = match resource.kind {
            ResourceKind::Table => format!("items-{}.json", resource.name),
            ResourceKind::Queue => format!("messages-{}.json", resource.name),
            // They hold nothing, or are no resource of an emulator.
            ResourceKind::Topic
            | ResourceKind::Subscription
            | ResourceKind::Database
            | ResourceKind::Function
            | ResourceKind::EventSourceMapping => continue,
        };
        if let Ok(items) = facts.resources.dump(&resource, ITEMS).await {
            write(&folder.join(file), &pretty(&Value::Array(items)))?;
        }
    }
    keep_newest(failures, KEPT);
    Ok(folder)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a JSON value can be written")
}

fn write(path: &Utf8Path, text: &str) -> Result<(), Error> {
    let written = private_file(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// Only its owner may enter it: a bundle has the passwords of databases.
fn private_folder(path: &Utf8Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

fn private_file(path: &Utf8Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn copy_files(from: &Utf8Path, to: &Utf8Path) {
    let _ = private_folder(to);
    for entry in from.read_dir_utf8().into_iter().flatten().flatten() {
        copy(entry.path(), &to.join(entry.file_name()));
    }
}

/// Copies only a regular file, up to a limit: a test may leave a pipe, a link to a device, or a file that fills the disk.
fn copy(from: &Utf8Path, to: &Utf8Path) {
    let copied = input::open(from).and_then(|file| std::io::copy(&mut file.take(FILE_LIMIT), &mut private_file(to)?));
    if let Err(error) = copied {
        tracing::debug!(%from, %error, "not kept in the bundle");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn a_pipe_that_a_test_left_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let (from, to) = (path.join("left"), path.join("kept"));
        std::fs::create_dir(&from).expect("new");
        mknodat(CWD, from.join("pipe").as_std_path(), FileType::Fifo, Mode::RWXU, 0).expect("a pipe");
        std::os::unix::fs::symlink("/dev/zero", from.join("zero")).expect("a link");
        std::fs::write(from.join("facts.txt"), "known").expect("writable");
        copy_files(&from, &to);
        assert_eq!(std::fs::read_to_string(to.join("facts.txt")).expect("copied"), "known");
        write(&to.join("environment.json"), "{}").expect("writable");
        let mode = |path: &Utf8Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
        let modes = [mode(&to), mode(&to.join("facts.txt")), mode(&to.join("environment.json"))];
        assert_eq!(modes, [0o700, 0o600, 0o600], "nobody else may read a password");
        assert!(!to.join("pipe").exists() && !to.join("zero").exists());
    }
}
