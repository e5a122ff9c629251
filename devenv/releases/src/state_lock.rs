//! Terraform's own lock of a state: its holder, and whether a killed Terraform of this folder left it.

use std::collections::BTreeSet;

use serde::Deserialize;

/// The content of a lock, as Terraform writes it beside a state.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StateLock {
    #[serde(rename = "ID")]
    pub id: String,
    /// `user@host`, which several folders and containers may share.
    #[serde(default)]
    pub who: String,
}

/// The verdict on a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockVerdict {
    /// No lock.
    Free,
    /// A Terraform of this folder took it and was killed.
    LeftHere(StateLock),
    /// Another Terraform may work under it, whatever its user and host.
    Theirs,
}

/// `log` is the log of this folder's Terraforms, none of which lives.
///
/// Terraform writes the id of a lock into its log before it asks for the lock. So an id in the log was made up here, and
/// any other one elsewhere. User and host prove nothing: two checkouts share them.
pub fn judge_lock(object: Option<&[u8]>, log: &str) -> LockVerdict {
    let Some(object) = object else {
        return LockVerdict::Free;
    };
    match serde_json::from_slice::<StateLock>(object) {
        Ok(lock) if taken_ids(log).contains(lock.id.as_str()) => LockVerdict::LeftHere(lock),
        _ => LockVerdict::Theirs,
    }
}

/// The part of a log that [`judge_lock`] needs: the newest thousand lock requests.
pub fn lock_lines(log: &str) -> String {
    let mut lines: Vec<&str> = asked_for(log).collect();
    let surplus = lines.len().saturating_sub(KEPT);
    lines.drain(..surplus);
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

/// A promotion requests two or three locks.
const KEPT: usize = 1000;
/// The key of a lock's id in a line of Terraform's log: `tf_backend.lock.id=ID`, or in JSON `"tf_backend.lock.id":"ID"`.
const FIELD: &str = "tf_backend.lock.id";

fn taken_ids(log: &str) -> BTreeSet<&str> {
    asked_for(log).filter_map(id_in).collect()
}

/// Ignores lines about released locks: they may come from a `force-unlock` of another's lock.
fn asked_for(log: &str) -> impl Iterator<Item = &str> {
    log.lines().filter(|line| line.contains("Attempting to lock"))
}

fn id_in(line: &str) -> Option<&str> {
    let value = line.split_once(FIELD)?.1.trim_start_matches(['"', ':', '=', ' ']);
    let id = value.split(|char: char| !char.is_ascii_alphanumeric() && char != '-').next()?;
    Some(id).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"2026-11-21T18:12:52.911Z [INFO]  backend/local: starting Apply operation
2026-11-21T18:12:52.938Z [INFO]  backend-s3: Attempting to lock remote state (S3 Native only)...: tf_backend.lock.id=b31ed037-9968-14df-080d-b9350721ede8 tf_backend.lock.info="" tf_backend.lock.who=ada@laptop
{"@level":"info","@message":"Attempting to lock remote state (S3 Native only)...","tf_backend.lock.id":"0a-1b","tf_backend.lock.who":"ada@laptop"}
2026-11-21T18:12:57.138Z [INFO]  backend-s3: Attempting to unlock remote state (S3 Native only)...: tf_backend.lock.id=77-77 tf_backend.operation=Unlock
2026-11-21T18:12:59.000Z [INFO]  backend-s3: Attempting to lock remote state (S3 Native only)...: tf_backend.lock.id="#;

    fn judged(id: &str) -> LockVerdict {
        let object = format!(r#"{{"ID":"{id}","Operation":"OperationTypeApply","Who":"ada@laptop"}}"#);
        judge_lock(Some(object.as_bytes()), LOG)
    }

    #[test]
    fn a_lock_that_was_asked_for_here_was_left_here() {
        for id in ["b31ed037-9968-14df-080d-b9350721ede8", "0a-1b"] {
            let lock = StateLock { id: id.to_owned(), who: "ada@laptop".to_owned() };
            assert_eq!(judged(id), LockVerdict::LeftHere(lock));
        }
    }

    #[test]
    fn a_shortened_log_judges_the_same() {
        let long = format!("{LOG}\n").repeat(2000);
        let short = lock_lines(&long);
        assert!(short.lines().count() <= 1000 && !short.contains("starting Apply"));
        let object = br#"{"ID":"0a-1b"}"#;
        assert_eq!(judge_lock(Some(object), &short), judge_lock(Some(object), &long));
        assert_eq!(lock_lines(&short), short);
    }

    #[test]
    fn every_other_lock_is_somebody_elses_whatever_its_name() {
        // Another folder of the same user and machine; a part of an id of ours; one that was only given up here; none.
        for id in ["c0ffee00-0000-0000-0000-000000000000", "b31ed037", "77-77", ""] {
            assert_eq!(judged(id), LockVerdict::Theirs, "{id:?}");
        }
        assert_eq!(judge_lock(Some(b"{"), LOG), LockVerdict::Theirs);
        assert_eq!(judge_lock(None, LOG), LockVerdict::Free);
    }
}
