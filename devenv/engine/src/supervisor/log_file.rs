use std::fs::File;
use std::io::Write;

use camino::Utf8PathBuf;

/// A file is set aside when it has grown to this many bytes.
const ROTATE_AT: u64 = 10 * 1024 * 1024;
/// How many files that were set aside are kept.
const KEPT: u32 = 2;
/// A longer line is broken, so that a program that never ends its line cannot fill the memory.
const LINE_LIMIT: usize = 64 * 1024;

/// What a unit writes, a line at a time, each after the time at which it was read.
#[derive(Debug)]
pub(super) struct LogFile {
    path: Utf8PathBuf,
    /// `None` after a write failed, until the next one opens the file again: a full disk must not stop a service.
    file: Option<File>,
    size: u64,
    unfinished: Vec<u8>,
    rotate_at: u64,
}

impl LogFile {
    pub(super) fn new(path: Utf8PathBuf) -> Self {
        Self { path, file: None, size: 0, unfinished: Vec::new(), rotate_at: ROTATE_AT }
    }

    /// Takes what was read; whole lines are written at once.
    pub(super) fn take(&mut self, bytes: &[u8]) {
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
        self.write(&block);
    }

    /// A line of the supervisor's own about the unit.
    pub(super) fn note(&mut self, text: &str) {
        self.finish();
        let mut block = Vec::new();
        push_line(&mut block, &timestamp(), format!("[devenv] {text}").as_bytes());
        self.write(&block);
    }

    /// Ends a line that the unit left without its end.
    pub(super) fn finish(&mut self) {
        if !self.unfinished.is_empty() {
            self.take(b"\n");
        }
    }

    fn write(&mut self, block: &[u8]) {
        if block.is_empty() {
            return;
        }
        if self.size >= self.rotate_at {
            self.rotate();
        }
        if self.file.is_none() {
            let opened = File::options().create(true).append(true).open(&self.path);
            self.size = opened.as_ref().ok().and_then(|file| file.metadata().ok()).map_or(0, |metadata| metadata.len());
            self.file = opened.ok();
        }
        let written = self.file.as_mut().map(|file| file.write_all(block));
        match written {
            Some(Ok(())) => self.size += block.len() as u64,
            _ => self.file = None,
        }
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

    fn lines(log: &LogFile) -> Vec<String> {
        let text = std::fs::read_to_string(&log.path).expect("readable");
        text.lines().map(|line| line.split_once(' ').expect("a time first").1.to_owned()).collect()
    }

    #[test]
    fn lines_are_whole_however_they_arrive() {
        let (_folder, mut log) = log();
        log.take(b"one\ntw");
        log.take(b"o\r\n");
        log.take(b"three");
        assert_eq!(lines(&log), ["one", "two"]);
        log.note("ended");
        assert_eq!(lines(&log), ["one", "two", "three", "[devenv] ended"]);
    }

    #[test]
    fn a_line_without_an_end_is_broken() {
        let (_folder, mut log) = log();
        log.take(&vec![b'x'; LINE_LIMIT]);
        assert_eq!(lines(&log).len(), 1);
    }

    #[test]
    fn a_full_file_is_set_aside_and_the_oldest_goes() {
        let (folder, mut log) = log();
        log.rotate_at = 1;
        for line in ["a\n", "b\n", "c\n", "d\n"] {
            log.take(line.as_bytes());
        }
        assert_eq!(lines(&log), ["d"]);
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 3);
    }
}
