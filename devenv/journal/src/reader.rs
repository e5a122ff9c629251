//! The readers of the journal: the list of runs, and one run's lines.

use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::error::Error;
use crate::limits::LINE_BYTES;
use crate::run::{Ended, Run, RunState, Started, id_of};

/// The name of the newest run.
const LAST: &str = "last";

/// The end of a file in which the last line is looked for.
const TAIL_BYTES: u64 = 16 << 10;

pub(crate) fn folder(state_dir: &Utf8Path) -> Utf8PathBuf {
    state_dir.join("runs")
}

/// The names of the runs' files, newest first.
pub(crate) fn names(folder: &Utf8Path) -> Result<Vec<String>, Error> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    let entries = match folder.read_dir_utf8() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name().to_owned();
        if id_of(&name).is_some() {
            names.push(name);
        }
    }
    names.sort_unstable_by(|one, other| other.cmp(one));
    Ok(names)
}

/// The newest runs of an environment, at most `limit`. A file that is not a run's is left out, as is a run that is removed meanwhile.
pub fn list(state_dir: &Utf8Path, limit: usize) -> Result<Vec<Run>, Error> {
    let folder = folder(state_dir);
    let names = names(&folder)?;
    let mut runs = Vec::new();
    for name in names {
        match read(&folder.join(name)) {
            Ok(run) => runs.push(run),
            Err(Error::Foreign { .. }) => {}
            Err(Error::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if runs.len() == limit {
            break;
        }
    }
    Ok(runs)
}

/// The file of the run whose id begins with `id`; of the newest one for `last`.
pub fn find(state_dir: &Utf8Path, id: &str) -> Result<Utf8PathBuf, Error> {
    let folder = folder(state_dir);
    let names = names(&folder)?;
    let matching: Vec<&String> = if id.is_empty() {
        return Err(Error::NoId);
    } else if id == LAST {
        names.iter().take(1).collect()
    } else {
        names.iter().filter(|name| id_of(name).is_some_and(|of| of.starts_with(id))).collect()
    };
    match matching[..] {
        [] => Err(Error::Unknown { id: id.to_owned() }),
        [name] => Ok(folder.join(name)),
        _ => {
            let runs = matching.iter().filter_map(|name| id_of(name)).map(str::to_owned).collect();
            Err(Error::Ambiguous { id: id.to_owned(), runs })
        }
    }
}

/// Reads the first and the last line of a run's file.
pub fn read(path: &Utf8Path) -> Result<Run, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let first = first_line(&mut file).map_err(failed)?;
    let started = event::<Started>(&first, "run_started").ok_or_else(|| Error::Foreign { path: path.to_owned() })?;
    // Asked before the last line is read: a run that ends between the two would look killed otherwise.
    let runs = match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| false).map_err(failed)?,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    };
    let last = last_line(&mut file).map_err(failed)?;
    let state = match event::<Ended>(&last, "run_ended") {
        Some(ended) => RunState::Ended(ended),
        None if runs => RunState::Running,
        None => RunState::Killed,
    };
    Ok(Run { started, state })
}

/// Every whole line of a run's file.
pub fn lines(path: &Utf8Path) -> Result<Vec<Value>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(failed)?);
    let mut values = Vec::new();
    for line in file.split(b'\n') {
        // A killed run's last line may be cut short.
        if let Ok(value) = serde_json::from_slice(&line.map_err(failed)?) {
            values.push(value);
        }
    }
    Ok(values)
}

fn event<T: serde::de::DeserializeOwned>(line: &[u8], name: &str) -> Option<T> {
    let value: Value = serde_json::from_slice(line).ok()?;
    (value["event"] == name).then(|| serde_json::from_value(value).ok())?
}

fn first_line(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(file.take(LINE_BYTES as u64)).read_until(b'\n', &mut line)?;
    Ok(line)
}

fn last_line(file: &mut File) -> std::io::Result<Vec<u8>> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    let whole = tail.strip_suffix(b"\n").unwrap_or_default();
    Ok(whole.rsplit(|byte| *byte == b'\n').next().unwrap_or_default().to_vec())
}
