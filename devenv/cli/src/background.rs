//! Standard error of a long-lived process. A thread of its own writes it, so that a slow disk does not block the process.

use std::io::{Result, Write};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Lines that may wait for the disk; further ones are dropped.
const WAITING: usize = 256;

/// Accepts whole writes without blocking. Every clone writes to the same place.
#[derive(Debug, Clone)]
pub(crate) struct Background(SyncSender<Vec<u8>>);

impl Background {
    pub(crate) fn stderr() -> Self {
        let (lines, taken) = sync_channel::<Vec<u8>>(WAITING);
        let write = move || {
            for line in taken {
                // A full disk is no reason to end.
                let _ = std::io::stderr().write_all(&line);
            }
        };
        // Without a thread nothing is written.
        let _ = std::thread::Builder::new().name("log".to_owned()).stack_size(128 * 1024).spawn(write);
        Self(lines)
    }
}

impl Write for Background {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let _ = self.0.try_send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
