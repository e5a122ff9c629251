//! A run in the journal: its name, its first line and its last one.

use std::hash::{BuildHasher, Hasher, RandomState};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Raised when the shape of the lines changes for their readers.
pub(crate) const VERSION: u32 = 1;

/// The first line of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The format of this file.
    pub version: u32,
    /// Unique among the runs of an environment.
    pub run: String,
    pub at: Timestamp,
    pub verb: String,
    pub argv: Vec<String>,
    /// The commit that was checked out; `None` outside a repository.
    pub commit: Option<String>,
    /// The version of the program.
    pub devenv: String,
}

/// The last line of a run. A killed run has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub exit: u8,
    pub elapsed_ms: u64,
    /// The first line of the error, if the run failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The events that were left out, because the file was full.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A run, as its file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    #[serde(flatten)]
    pub started: Started,
    #[serde(flatten)]
    pub state: RunState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunState {
    /// Its process still holds the file.
    Running,
    Ended(Ended),
    /// Its process ended without a word.
    Killed,
}

/// The name of a run's file, which sorts by time: `20261130T024146.123Z-up-1a2b3c.jsonl`.
pub(crate) fn file_name(at: Timestamp, verb: &str, run: &str) -> String {
    let at = at.strftime("%Y%m%dT%H%M%S%.3fZ");
    format!("{at}-{verb}-{run}{EXTENSION}")
}

/// The id in the name of a run's file; `None` for any other file.
pub(crate) fn id_of(file_name: &str) -> Option<&str> {
    let (_, id) = file_name.strip_suffix(EXTENSION)?.rsplit_once('-')?;
    let is_id = id.len() == ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some(id)
}

const EXTENSION: &str = ".jsonl";
const ID_DIGITS: usize = 6;

/// Six hexadecimal digits: unique enough among 200 runs, and short enough to type. A name that is taken makes the writer draw again.
pub(crate) fn new_id() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("{:06x}", random & 0xff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_sorts_by_time_and_has_the_id() {
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).expect("a time");
        let first = file_name(at(1_790_000_000_120), "up", "0a1b2c");
        assert_eq!(first, "20260921T141320.120Z-up-0a1b2c.jsonl");
        assert!(first < file_name(at(1_790_000_000_121), "down", "000000"));
        assert_eq!(id_of(&first), Some("0a1b2c"));
        for other in ["notes.txt", "20260921T134640.120Z-up-0a1b2.jsonl", "x-0a1b2g.jsonl", ".jsonl"] {
            assert_eq!(id_of(other), None, "{other}");
        }
    }
}
