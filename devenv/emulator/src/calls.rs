//! Records each caller's operations, one line for each new pair.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::Error;

/// The name for callers that do not give their own.
const NAMELESS: &str = "-";

/// The pairs so far, and the file to append new ones to: `CALLER OPERATION`, such as `order-api GetItem` or
/// `order-api sqs:SendMessage`.
pub(crate) struct Calls {
    file: File,
    seen: Mutex<BTreeSet<String>>,
}

impl Calls {
    pub(crate) fn append_to(path: &Path) -> Result<Self, Error> {
        let opened = File::options().append(true).create(true).open(path);
        let file = opened.map_err(|source| Error::Calls { path: path.to_owned(), source })?;
        Ok(Self { file, seen: Mutex::default() })
    }

    pub(crate) fn note(&self, caller: Option<&str>, operation: &str) {
        let pair = format!("{} {operation}", caller.unwrap_or(NAMELESS));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.contains(&pair) {
            // Write each line at once: several emulators may append to one file.
            let _ = (&self.file).write_all(format!("{pair}\n").as_bytes());
            seen.insert(pair);
        }
    }
}

/// The name that an SDK sends along: the `app/` of a user agent. `header` finds a header by its lower-case name.
pub(crate) fn caller<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<&'a str> {
    ["x-amz-user-agent", "user-agent"]
        .iter()
        .find_map(|name| header(name)?.split_whitespace().find_map(|word| word.strip_prefix("app/")))
}

/// The operation of an `x-amz-target`, without its service.
pub(crate) fn operation(target: &str) -> &str {
    target.rsplit('.').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called_by(headers: &[(&str, &'static str)]) -> Option<&'static str> {
        caller(|name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
    }

    #[test]
    fn a_caller_is_named_by_its_sdk() {
        assert_eq!(called_by(&[("user-agent", "sdk app/api lang/rust")]), Some("api"));
        assert_eq!(called_by(&[("x-amz-user-agent", "app/api"), ("user-agent", "sdk")]), Some("api"));
        assert_eq!(called_by(&[("user-agent", "curl")]), None);
    }

    #[test]
    fn a_pair_is_written_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls");
        let calls = Calls::append_to(&path).expect("opened");
        for _ in 0..2 {
            calls.note(Some("api"), operation("DynamoDB_20120810.GetItem"));
            calls.note(None, "PutItem");
            calls.note(Some("api"), "sqs:SendMessage");
        }
        let written = std::fs::read_to_string(path).expect("written");
        assert_eq!(written, "api GetItem\n- PutItem\napi sqs:SendMessage\n");
    }
}
