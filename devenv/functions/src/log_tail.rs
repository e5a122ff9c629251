//! The lines that a unit wrote during one invocation.

use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

/// Bytes of a log's end that an answer has: Lambda's limit.
const TAIL_LIMIT: usize = 4 * 1024;
/// The supervisor writes a line a moment after the function: an answer waits this long for the last lines.
const LAST_LINES: Duration = Duration::from_millis(20);

/// A place in a unit's log.
#[derive(Debug)]
pub(crate) struct LogMark {
    path: Option<Utf8PathBuf>,
    position: u64,
}

impl LogMark {
    /// The log's end at this moment.
    pub(crate) fn at_end(path: Option<Utf8PathBuf>) -> Self {
        let size = |path: &Utf8PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
        let position = path.as_ref().map_or(0, size);
        Self { path, position }
    }

    /// The lines since the mark, without the times before them.
    pub(crate) async fn lines(&self) -> Vec<String> {
        let Some(path) = &self.path else { return Vec::new() };
        tokio::time::sleep(LAST_LINES).await;
        read(path, self.position).unwrap_or_default()
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
        let mark = LogMark::at_end(Some(path.clone()));
        std::fs::write(&path, "t0 before\nt1 one two\nt2 [devenv] api started\nt3 three\n").expect("writable");
        assert_eq!(mark.lines().await, ["one two", "three"]);
        std::fs::write(&path, "t4 new\n").expect("writable");
        assert_eq!(mark.lines().await, ["new"], "the log was rotated");
        assert!(LogMark::at_end(None).lines().await.is_empty());
    }

    #[test]
    fn a_long_log_loses_its_beginning() {
        let lines = vec!["é".repeat(TAIL_LIMIT), "end".to_owned()];
        let tail = tail(&lines);
        assert!(tail.len() <= TAIL_LIMIT && tail.ends_with("end\n"));
    }
}
