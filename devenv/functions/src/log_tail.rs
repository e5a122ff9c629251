//! The lines that a unit wrote during one invocation.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::seat::Seat;

/// Bytes of a log's end that an answer has: Lambda's limit.
const TAIL_LIMIT: usize = 4 * 1024;
/// A line arrives a moment after the function has written it: an answer waits this long for the last lines.
const LAST_LINES: Duration = Duration::from_millis(20);

/// A place in a unit's output.
#[derive(Debug)]
pub(crate) enum LogMark {
    /// Nobody reads the output.
    Nothing,
    /// In the supervisor's file.
    InFile { path: Utf8PathBuf, position: u64 },
    /// In what the init of a container has brought.
    Kept(Arc<Seat>, usize),
}

impl LogMark {
    /// The end of a file at this moment.
    pub(crate) fn at_end(path: Utf8PathBuf) -> Self {
        let position = std::fs::metadata(&path).map_or(0, |file| file.len());
        Self::InFile { path, position }
    }

    /// The lines since the mark, without the times before them.
    pub(crate) async fn lines(&self) -> Vec<String> {
        if matches!(self, Self::Nothing) {
            return Vec::new();
        }
        tokio::time::sleep(LAST_LINES).await;
        match self {
            Self::Nothing => Vec::new(),
            Self::InFile { path, position } => read(path, *position).unwrap_or_default(),
            Self::Kept(seat, written) => {
                String::from_utf8_lossy(&seat.since(*written)).lines().map(str::to_owned).collect()
            }
        }
    }
}

fn read(path: &Utf8Path, position: u64) -> std::io::Result<Vec<String>> {
    let mut file = std::fs::File::open(path)?;
    let size = file.metadata()?.len();
    // A log that shrank was rotated: its new file has only newer lines.
    let from = if size < position { 0 } else { position };
    let enough = u64::try_from(8 * TAIL_LIMIT).unwrap_or(u64::MAX);
    file.seek(SeekFrom::Start(from.max(size.saturating_sub(enough))))?;
    let mut bytes = Vec::new();
    file.take(enough).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let own = |line: &str| Some(line.split_once(' ')?.1.to_owned()).filter(|line| !line.starts_with("[devenv] "));
    Ok(text.lines().filter_map(own).collect())
}

/// The end of the lines, at most as long as Lambda's.
pub(crate) fn tail(lines: &[String]) -> String {
    let mut text = lines.join("\n") + "\n";
    if text.len() > TAIL_LIMIT {
        let from = text.ceil_char_boundary(text.len() - TAIL_LIMIT);
        text = text.split_off(from);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_lines_of_the_invocation_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").join("api.log");
        std::fs::write(&path, "t0 before\n").expect("writable");
        let mark = LogMark::at_end(path.clone());
        std::fs::write(&path, "t0 before\nt1 one two\nt2 [devenv] api started\nt3 three\n").expect("writable");
        assert_eq!(mark.lines().await, ["one two", "three"]);
        std::fs::write(&path, "t4 new\n").expect("writable");
        assert_eq!(mark.lines().await, ["new"], "the log was rotated");
    }

    #[tokio::test]
    async fn the_output_of_a_container_is_read_from_its_mark() {
        let seat = Arc::new(Seat::default());
        seat.append(b"before\n");
        let mark = LogMark::Kept(Arc::clone(&seat), seat.written());
        seat.append(b"one two\nthree");
        assert_eq!(mark.lines().await, ["one two", "three"]);
        assert!(LogMark::Nothing.lines().await.is_empty());
    }

    #[test]
    fn a_long_log_loses_its_beginning() {
        let lines = vec!["é".repeat(TAIL_LIMIT), "end".to_owned()];
        let tail = tail(&lines);
        assert!(tail.len() <= TAIL_LIMIT && tail.ends_with("end\n"));
    }
}
