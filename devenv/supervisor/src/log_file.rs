//! The lines of a log, and its rotated files.

use std::fs::File;
use std::io::{Result, Write};
use std::os::unix::fs::MetadataExt;

use camino::Utf8PathBuf;

/// Bytes at which a file is rotated.
const ROTATE_AT: u64 = 10 * 1024 * 1024;
/// The number of rotated files that are kept.
const KEPT: u32 = 2;
/// Bytes; a longer line is broken, so that a program that never ends its line cannot fill the memory.
const LINE_LIMIT: usize = 64 * 1024;

/// Splits a unit's output into whole lines, and puts the time of reading before each.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    unfinished: Vec<u8>,
}

impl Lines {
    /// The lines that `bytes` completes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let time = timestamp();
        let mut block = Vec::with_capacity(bytes.len() + 64);
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(&rest[..end]);
            push_line(&mut block, &time, &self.unfinished);
            self.unfinished.clear();
            rest = &rest[end + 1..];
        }
        self.unfinished.extend_from_slice(rest);
        if self.unfinished.len() >= LINE_LIMIT {
            push_line(&mut block, &time, &self.unfinished);
            self.unfinished.clear();
        }
        block
    }

    /// The last line, if the unit did not end it.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        if self.unfinished.is_empty() { Vec::new() } else { self.take(b"\n") }
    }
}

/// A line of the supervisor about a unit.
pub(crate) fn note(text: &str) -> Vec<u8> {
    let mut block = Vec::new();
    push_line(&mut block, &timestamp(), format!("[devenv] {text}").as_bytes());
    block
}

/// A log file that rotates, and is made again after a removal if its folder exists.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: Utf8PathBuf,
    /// `None` after a failed write; the next write opens the file again. A full disk must not stop a service.
    file: Option<File>,
    size: u64,
    rotate_at: u64,
}

impl LogFile {
    pub(crate) fn new(path: Utf8PathBuf) -> Self {
        Self { path, file: None, size: 0, rotate_at: ROTATE_AT }
    }

    pub(crate) fn write(&mut self, block: &[u8]) -> Result<()> {
        if self.size >= self.rotate_at {
            self.rotate();
        }
        let mut file = match self.file.take().filter(|file| self.leads_to(file)) {
            Some(file) => file,
            None => self.open()?,
        };
        file.write_all(block)?;
        self.size += block.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    fn open(&mut self) -> Result<File> {
        let file = File::options().create(true).append(true).open(&self.path)?;
        self.size = file.metadata()?.len();
        Ok(file)
    }

    /// Whether the path still leads to this file. Lines written to a removed file are lost.
    fn leads_to(&self, file: &File) -> bool {
        let inode = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let there = std::fs::metadata(&self.path).map(inode);
        there.is_ok_and(|there| file.metadata().is_ok_and(|open| inode(open) == there))
    }

    fn rotate(&mut self) {
        self.file = None;
        self.size = 0;
        for number in (1..=KEPT).rev() {
            let older = format!("{}.{number}", self.path);
            let newer = if number == 1 { self.path.to_string() } else { format!("{}.{}", self.path, number - 1) };
            let _ = std::fs::rename(newer, older);
        }
    }
}

fn push_line(block: &mut Vec<u8>, time: &str, line: &[u8]) {
    block.extend_from_slice(time.as_bytes());
    block.push(b' ');
    block.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    block.push(b'\n');
}

fn timestamp() -> String {
    format!("{:.6}", jiff::Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> (tempfile::TempDir, LogFile) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8PathBuf::from_path_buf(folder.path().join("unit.log")).expect("UTF-8");
        (folder, LogFile::new(path))
    }

    fn without_times(block: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(block);
        text.lines().map(|line| line.split_once(' ').expect("a time first").1.to_owned()).collect()
    }

    fn kept(log: &LogFile) -> Vec<String> {
        without_times(&std::fs::read(&log.path).expect("readable"))
    }

    #[test]
    fn lines_are_whole_however_they_arrive() {
        let mut lines = Lines::default();
        assert_eq!(without_times(&lines.take(b"one\ntw")), ["one"]);
        assert_eq!(without_times(&lines.take(b"o\r\n")), ["two"]);
        assert!(lines.take(b"three").is_empty());
        assert_eq!(without_times(&lines.finish()), ["three"]);
        assert!(lines.finish().is_empty());
        assert_eq!(without_times(&note("ended")), ["[devenv] ended"]);
    }

    #[test]
    fn a_line_without_an_end_is_broken() {
        let block = Lines::default().take(&vec![b'x'; LINE_LIMIT]);
        assert_eq!(without_times(&block).len(), 1);
    }

    #[test]
    fn a_full_file_is_set_aside_and_the_oldest_goes() {
        let (folder, mut log) = log();
        log.rotate_at = 1;
        for line in ["a", "b", "c", "d"] {
            log.write(&note(line)).expect("writable");
        }
        assert_eq!(kept(&log), ["[devenv] d"]);
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 3);
    }

    #[test]
    fn a_file_that_was_removed_is_made_anew() {
        let (folder, mut log) = log();
        log.write(&note("lost")).expect("writable");
        std::fs::remove_file(&log.path).expect("ours");
        log.write(&note("kept")).expect("writable");
        assert_eq!(kept(&log), ["[devenv] kept"]);
        std::fs::remove_dir_all(folder.path()).expect("ours");
        log.write(&note("nowhere")).expect_err("its folder is gone");
        std::fs::create_dir(folder.path()).expect("writable");
        log.write(&note("here again")).expect("writable");
        assert_eq!(kept(&log), ["[devenv] here again"]);
    }
}
