//! What the host knows of a unit in a container: its init calls here, and gets the order to end its program.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Bytes of a program's output that are kept, and that one request may bring.
pub(crate) const OUTPUT_LIMIT: usize = 32 * 1024;
/// An init that has waited this long asks again, with the program's memory as it is then.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// A unit's place at the host.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    seen: watch::Sender<Seen>,
    memory: Mutex<Option<u64>>,
    output: Mutex<Output>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The program that called last: each start of a program has an id of its own.
    instance: Option<String>,
    /// The program that must end.
    doomed: Option<String>,
}

#[derive(Debug, Default)]
struct Output {
    /// Bytes of all output so far.
    written: usize,
    /// The end of it.
    tail: Vec<u8>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seat {
    /// Waits for the order to end a program, which is the unit's current one from now on. Returns whether it came.
    pub(crate) async fn await_order(&self, instance: &str, memory: Option<u64>) -> bool {
        *locked(&self.memory) = memory;
        self.seen.send_if_modified(|seen| {
            let is_new = seen.instance.as_deref() != Some(instance);
            if is_new {
                seen.instance = Some(instance.to_owned());
            }
            is_new
        });
        let mut seen = self.seen.subscribe();
        let order = seen.wait_for(|seen| seen.doomed.as_deref() == Some(instance));
        tokio::time::timeout(ASK_AGAIN, order).await.is_ok()
    }

    /// Orders the end of the current program, and resolves when another one runs in its place. Waits without a limit of its own.
    pub(crate) async fn replace(&self) {
        let mut seen = self.seen.subscribe();
        // A host that has just started was not called yet.
        let Ok(old) = seen.wait_for(|seen| seen.instance.is_some()).await.map(|seen| seen.instance.clone()) else {
            return;
        };
        self.seen.send_modify(|seen| seen.doomed.clone_from(&old));
        let _ = seen.wait_for(|seen| seen.instance != old).await;
    }

    /// The bytes of memory of the program's processes.
    pub(crate) fn memory(&self) -> Option<u64> {
        *locked(&self.memory)
    }

    /// Adds what the program has written.
    pub(crate) fn append(&self, bytes: &[u8]) {
        let mut output = locked(&self.output);
        output.written += bytes.len();
        output.tail.extend_from_slice(bytes);
        let surplus = output.tail.len().saturating_sub(OUTPUT_LIMIT);
        output.tail.drain(..surplus);
    }

    /// The end of the output at this moment, for [`Self::since`].
    pub(crate) fn written(&self) -> usize {
        locked(&self.output).written
    }

    /// What the program has written since then, as far as it is kept.
    pub(crate) fn since(&self, written: usize) -> Vec<u8> {
        let output = locked(&self.output);
        let from = output.tail.len().saturating_sub(output.written.saturating_sub(written));
        output.tail[from..].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_program_is_replaced_when_another_one_calls() {
        let seat = Arc::new(Seat::default());
        let replacing = tokio::spawn({
            let seat = Arc::clone(&seat);
            async move { seat.replace().await }
        });
        assert!(seat.await_order("a", None).await, "the order waits for the first call");
        assert!(seat.await_order("a", None).await, "and holds until the program is gone");
        assert!(!replacing.is_finished());
        assert!(!seat.await_order("b", Some(7)).await, "another one lives");
        replacing.await.expect("it is over");
        assert_eq!(seat.memory(), Some(7));
    }

    #[test]
    fn the_end_of_the_output_is_kept() {
        let seat = Seat::default();
        seat.append(b"before");
        let mark = seat.written();
        assert_eq!(seat.since(mark), b"");
        seat.append(b"one\n");
        seat.append(b"two\n");
        assert_eq!(seat.since(mark), b"one\ntwo\n");
        let all = vec![b'x'; OUTPUT_LIMIT];
        seat.append(&all);
        assert_eq!(seat.since(mark), all, "the beginning is lost");
    }
}
