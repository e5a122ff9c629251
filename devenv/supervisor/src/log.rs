//! A unit's log. A thread of its own writes it, so that a slow disk blocks neither the unit nor the supervisor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use camino::Utf8PathBuf;
use tokio::sync::oneshot;

use crate::log_file::{LogFile, note};

/// The blocks, of a few lines each, that may wait for the disk. Beyond that, lines are dropped: neither the unit nor the
/// supervisor may wait for a slow disk.
const WAITING: usize = 256;
/// The pause between two attempts to enter a full queue.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Bytes; the writer's thread makes no deep calls.
const STACK: usize = 128 * 1024;

/// The handle of a log: it takes whole lines and never blocks. Every clone writes to the same file.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    jobs: SyncSender<Job>,
    lost: Arc<AtomicU64>,
}

enum Job {
    Write(Vec<u8>),
    /// Answered when all earlier jobs are written.
    Flush(oneshot::Sender<()>),
}

impl Log {
    /// Starts the writer's thread, which ends with the last clone. If no thread can be started, all lines are lost.
    pub(crate) fn open(path: Utf8PathBuf) -> Self {
        let (jobs, orders) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let writer = Writer { file: LogFile::new(path), lost: Arc::clone(&lost) };
        let thread = std::thread::Builder::new().name("log".to_owned()).stack_size(STACK);
        if let Err(error) = thread.spawn(move || writer.run(&orders)) {
            tracing::warn!(%error, "cannot start the thread of a log");
        }
        Self { jobs, lost }
    }

    pub(crate) fn take(&self, lines: Vec<u8>) {
        if lines.is_empty() {
            return;
        }
        let count = count(&lines);
        if self.jobs.try_send(Job::Write(lines)).is_err() {
            self.lost.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// A line of the supervisor's own.
    pub(crate) fn note(&self, text: &str) {
        self.take(note(text));
    }

    /// Resolves when all lines taken so far are in the file, or after `limit`.
    pub(crate) async fn written(&self, limit: Duration) {
        let (done, written) = oneshot::channel();
        let mut job = Job::Flush(done);
        let in_time = async {
            while let Err(TrySendError::Full(refused)) = self.jobs.try_send(job) {
                job = refused;
                tokio::time::sleep(LOOK_EVERY).await;
            }
            let _ = written.await;
        };
        let _ = tokio::time::timeout(limit, in_time).await;
    }
}

struct Writer {
    file: LogFile,
    lost: Arc<AtomicU64>,
}

impl Writer {
    fn run(mut self, orders: &Receiver<Job>) {
        for job in orders {
            match job {
                Job::Write(lines) => self.write(&lines),
                Job::Flush(done) => {
                    let _ = done.send(());
                }
            }
        }
    }

    /// Writes the lines, after a note with the number of lines lost before them.
    fn write(&mut self, lines: &[u8]) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let mut block = if lost == 0 { Vec::new() } else { note(&format!("{lost} lines could not be written")) };
        block.extend_from_slice(lines);
        if self.file.write(&block).is_err() {
            self.lost.fetch_add(lost + count(lines), Ordering::Relaxed);
        }
    }
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8PathBuf::from_path_buf(folder.path().join("unit.log")).expect("UTF-8");
        (folder, path)
    }

    fn make_pipe(path: &Utf8PathBuf) {
        let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo is there");
        assert!(made.success());
    }

    #[tokio::test]
    async fn a_file_that_blocks_its_writer_keeps_nobody_waiting() {
        let (_folder, path) = folder();
        make_pipe(&path);
        let log = Log::open(path.clone());
        // Nobody reads the pipe: if a call blocked, the test would not end.
        for number in 0..2 * WAITING {
            log.note(&number.to_string());
        }
        assert!(log.lost.load(Ordering::Relaxed) > 0, "what does not fit is left out");
        let reader = std::thread::spawn(move || std::fs::read_to_string(path));
        log.written(LIMIT).await;
        log.note("the last");
        drop(log);
        let text = reader.join().expect("no panic").expect("readable");
        assert!(text.contains("[devenv] 0\n") && text.contains("lines could not be written"), "{text}");
        assert!(text.ends_with("the last\n"), "{text}");
    }

    #[tokio::test]
    async fn lines_that_a_full_disk_refused_are_counted() {
        let (folder, path) = folder();
        std::fs::create_dir(&path).expect("writable");
        let log = Log::open(path.clone());
        log.take(b"one\ntwo\n".to_vec());
        log.written(LIMIT).await;
        std::fs::remove_dir(&path).expect("ours");
        log.note("three");
        log.written(LIMIT).await;
        let text = std::fs::read_to_string(&path).expect("readable");
        assert!(text.contains("2 lines could not be written") && text.contains("three"), "{text}");
        drop(folder);
    }
}
