//! Reads the units' log files: each line begins with the time at which the supervisor read it.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};

/// Bytes at the end of a file in which its last lines are searched.
const TAIL_BYTES: u64 = 256 * 1024;

pub struct Line {
    pub time: String,
    pub unit: String,
    pub text: String,
}

/// A unit's log, with the position of the last read.
pub struct Followed {
    unit: String,
    path: Utf8PathBuf,
    position: u64,
    inode: u64,
}

impl Followed {
    pub fn new(unit: String, path: Utf8PathBuf) -> Self {
        Self { unit, path, position: 0, inode: 0 }
    }

    /// All lines of the rotated files and the current one, or the last `tail` lines of the current one.
    pub fn backlog(&mut self, tail: Option<usize>) -> Vec<Line> {
        let mut lines = Vec::new();
        for number in (1..=2).rev() {
            let older = Utf8PathBuf::from(format!("{}.{number}", self.path));
            if tail.is_none()
                && let Ok(text) = std::fs::read(&older)
            {
                lines.extend(String::from_utf8_lossy(&text).lines().map(|line| self.line(line)));
            }
        }
        lines.extend(self.news());
        if let Some(tail) = tail {
            lines.drain(..lines.len().saturating_sub(tail));
        }
        lines
    }

    /// The whole lines added since the last read; after a rotation, the rest of the old file and then the new file.
    pub fn news(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        let Ok(mut file) = std::fs::File::open(&self.path) else {
            return lines;
        };
        let Ok(metadata) = file.metadata() else {
            return lines;
        };
        if self.inode != metadata.ino() || metadata.len() < self.position {
            self.finish_set_aside(metadata.ino(), &mut lines);
            self.inode = metadata.ino();
            self.position = 0;
        }
        if metadata.len() > self.position && file.seek(SeekFrom::Start(self.position)).is_ok() {
            self.position += self.read(file, &mut lines);
        }
        lines
    }

    /// Reads the rest of the followed file, which the rotation has renamed to `.1`.
    fn finish_set_aside(&self, current: u64, lines: &mut Vec<Line>) {
        let Ok(mut older) = std::fs::File::open(format!("{}.1", self.path)) else {
            return;
        };
        let same = older.metadata().is_ok_and(|metadata| metadata.ino() == self.inode && self.inode != current);
        if same && older.seek(SeekFrom::Start(self.position)).is_ok() {
            self.read(older, lines);
        }
    }

    fn read(&self, file: std::fs::File, lines: &mut Vec<Line>) -> u64 {
        let mut reader = BufReader::new(file);
        let mut taken = 0;
        let mut bytes = Vec::new();
        while let Ok(read) = reader.read_until(b'\n', &mut bytes) {
            // The writer has not finished a line without an end.
            if read == 0 || bytes.last() != Some(&b'\n') {
                break;
            }
            taken += read as u64;
            lines.push(self.line(String::from_utf8_lossy(&bytes).trim_end_matches('\n')));
            bytes.clear();
        }
        taken
    }

    fn line(&self, line: &str) -> Line {
        let (time, text) = line.split_once(' ').unwrap_or(("", line));
        Line { time: time.to_owned(), unit: self.unit.clone(), text: text.to_owned() }
    }
}

/// The last lines of a unit's log without their times; none if the file does not exist.
pub fn last_lines(path: &Utf8Path, count: usize) -> Vec<String> {
    let Ok(mut file) = std::fs::File::open(path) else {
        return Vec::new();
    };
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = Vec::new();
    let _ = file.seek(SeekFrom::Start(size.saturating_sub(TAIL_BYTES)));
    let _ = file.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..]
        .iter()
        .map(|line| line.split_once(' ').map_or(*line, |(_, text)| text).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn log() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").join("api.log");
        (folder, path)
    }

    fn append(path: &Utf8Path, text: &str) {
        let mut file = std::fs::File::options().create(true).append(true).open(path).expect("writable");
        file.write_all(text.as_bytes()).expect("writable");
    }

    fn texts(lines: Vec<Line>) -> Vec<String> {
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn a_line_is_read_once_and_only_when_it_is_whole() {
        let (_folder, path) = log();
        let mut followed = Followed::new("api".to_owned(), path.clone());
        assert!(followed.news().is_empty(), "there is no file yet");
        append(&path, "10:00 one\n10:01 tw");
        assert_eq!(texts(followed.news()), ["one"]);
        append(&path, "o\n");
        assert_eq!(texts(followed.news()), ["two"]);
        assert!(followed.news().is_empty());
    }

    #[test]
    fn a_file_that_is_set_aside_is_read_to_its_end_before_its_successor() {
        let (_folder, path) = log();
        let mut followed = Followed::new("api".to_owned(), path.clone());
        append(&path, "10:00 one\n");
        assert_eq!(texts(followed.news()), ["one"]);
        append(&path, "10:01 two\n");
        std::fs::rename(&path, format!("{path}.1")).expect("writable");
        append(&path, "10:02 three\n");
        assert_eq!(texts(followed.news()), ["two", "three"]);
    }

    #[test]
    fn the_backlog_begins_with_what_was_set_aside_or_is_the_last_lines() {
        let (_folder, path) = log();
        append(&Utf8PathBuf::from(format!("{path}.2")), "10:00 one\n");
        append(&Utf8PathBuf::from(format!("{path}.1")), "10:01 two\n");
        append(&path, "10:02 three\n10:03 four\n");
        let backlog = |tail| texts(Followed::new("api".to_owned(), path.clone()).backlog(tail));
        assert_eq!(backlog(None), ["one", "two", "three", "four"]);
        assert_eq!(backlog(Some(1)), ["four"]);
        assert_eq!(last_lines(&path, 5), ["three", "four"], "without their times");
        assert!(last_lines(Utf8Path::new("/nonexistent"), 5).is_empty());
    }
}
