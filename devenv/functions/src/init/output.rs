//! The program's output: copied to that of the container, and its end kept for the host.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::seat::OUTPUT_LIMIT;

/// Bytes of one read.
const PART: usize = 8 * 1024;

/// What the host has not got yet.
#[derive(Debug, Default)]
pub(super) struct Output {
    waiting: Mutex<Vec<u8>>,
    arrived: Notify,
}

impl Output {
    fn waiting(&self) -> MutexGuard<'_, Vec<u8>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, bytes: &[u8]) {
        let mut waiting = self.waiting();
        waiting.extend_from_slice(bytes);
        // A host that is slow or away loses the beginning.
        let surplus = waiting.len().saturating_sub(OUTPUT_LIMIT);
        waiting.drain(..surplus);
        drop(waiting);
        self.arrived.notify_one();
    }

    /// What has arrived since the last call.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.waiting())
    }

    /// Resolves when there is something.
    pub(super) async fn next(&self) -> Vec<u8> {
        loop {
            let taken = self.take();
            if !taken.is_empty() {
                return taken;
            }
            self.arrived.notified().await;
        }
    }
}

/// Copies until the end, on a thread of its own: an engine that is slow to read stops the program, and not this process.
pub(super) fn copy(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    output: &Arc<Output>,
) -> JoinHandle<()> {
    let output = Arc::clone(output);
    tokio::task::spawn_blocking(move || {
        let mut part = [0; PART];
        loop {
            let length = match from.read(&mut part) {
                Ok(0) => return,
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            // Nobody may read the container's output any more: the program runs on.
            let _ = to.write_all(&part[..length]).and_then(|()| to.flush());
            output.append(&part[..length]);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn output_is_copied_whole_and_its_end_is_kept() {
        let output = Arc::new(Output::default());
        let text = vec![b'a'; OUTPUT_LIMIT + PART];
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        copy(std::io::Cursor::new(text.clone()), writer, &output);
        let copied = tokio::task::spawn_blocking(move || {
            let mut copied = Vec::new();
            reader.read_to_end(&mut copied).map(|_| copied)
        });
        assert!(copied.await.expect("no panic").expect("readable") == text);
        assert_eq!(output.next().await.len(), OUTPUT_LIMIT);
        assert!(output.take().is_empty());
    }
}
