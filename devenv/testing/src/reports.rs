//! The JUnit files that a test command writes.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_document::input;

use crate::glob;
use crate::junit_file;
use crate::runners::runner::{MOST_TESTS, TestCase};

/// Bytes of a report.
const FILE_LIMIT: u64 = 32 * 1024 * 1024;
/// Reports of a run.
const MOST_FILES: usize = 2000;

/// What distinguishes a file from the one that was there before: also if it has the same content and the same time.
type Stamp = (u64, i64, i64, u64);

/// The reports of a run, distinguished from those of earlier runs.
pub(crate) struct Reports<'a> {
    folder: &'a Utf8Path,
    pattern: &'a str,
    before: BTreeMap<Utf8PathBuf, Stamp>,
}

impl<'a> Reports<'a> {
    /// Notes the files that are there before the run.
    pub(crate) fn before(folder: &'a Utf8Path, pattern: &'a str) -> Self {
        let files = glob::files(folder, pattern).unwrap_or_default();
        let before =
            files.into_iter().filter_map(|path| Some((stamp(&path)?, path))).map(|(stamp, path)| (path, stamp));
        Self { folder, pattern, before: before.collect() }
    }

    /// The tests of the files that were written since. An error is a reason not to trust the run.
    pub(crate) fn read(&self) -> Result<Vec<TestCase>, String> {
        let pattern = self.pattern;
        let mut files =
            glob::files(self.folder, pattern).map_err(|why| format!("[test] junit = \"{pattern}\": {why}"))?;
        files.retain(|path| stamp(path) != self.before.get(path).copied());
        if files.is_empty() {
            return Err(match self.before.len() {
                0 => format!("the test command wrote no file that [test] junit = \"{pattern}\" names"),
                old => format!(
                    "the test command wrote no file that [test] junit = \"{pattern}\" names; {old} of an earlier run do not count"
                ),
            });
        }
        if files.len() > MOST_FILES {
            return Err(format!("[test] junit = \"{pattern}\" names {} files, more than {MOST_FILES}", files.len()));
        }
        let mut tests = Vec::new();
        for path in files {
            let shown = path.strip_prefix(self.folder).unwrap_or(&path);
            let failed = |why: String| format!("cannot read the test report {shown}: {why}");
            let content = input::read(&path, FILE_LIMIT).map_err(|error| failed(error.to_string()))?;
            tests.extend(junit_file::tests(&content).map_err(failed)?);
            if tests.len() > MOST_TESTS {
                return Err(failed(format!("there are more than {MOST_TESTS} tests")));
            }
        }
        Ok(tests)
    }
}

fn stamp(path: &Utf8Path) -> Option<Stamp> {
    let facts = path.metadata().ok()?;
    Some((facts.ino(), facts.ctime(), facts.ctime_nsec(), facts.size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_an_earlier_run_does_not_count() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let report = |name: &str| format!("<testsuite><testcase name=\"{name}\"/></testsuite>");
        std::fs::write(root.join("old.xml"), report("old")).expect("writable");
        std::fs::write(root.join("again.xml"), report("again")).expect("writable");
        let reports = Reports::before(root, "*.xml");
        let why = reports.read().expect_err("nothing new");
        assert!(why.contains("2 of an earlier run"), "{why}");
        // Time stamps have the resolution of the kernel's clock.
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(root.join("new.xml"), report("new")).expect("writable");
        std::fs::write(root.join("again.xml"), report("again")).expect("writable");
        let names: Vec<String> = reports.read().expect("readable").into_iter().map(|test| test.name).collect();
        assert_eq!(names, ["again", "new"]);
        std::fs::write(root.join("bad.xml"), "<testsuite>").expect("writable");
        let why = reports.read().expect_err("cut off");
        assert!(why.contains("bad.xml"), "{why}");
    }
}
