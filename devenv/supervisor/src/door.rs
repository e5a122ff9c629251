//! The supervisor's listening socket.

use std::io::Result;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::Duration;

use camino::Utf8Path;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::Instant;

use crate::trust::is_own;

const FIRST_REST: Duration = Duration::from_millis(10);
const LONGEST_REST: Duration = Duration::from_secs(1);

/// A listening socket, with the device and inode of its file.
#[derive(Debug)]
pub(crate) struct Door {
    listener: UnixListener,
    file: (u64, u64),
    pace: Pace,
}

impl Door {
    /// Listens on `socket`. Only the owner may connect: the modes of the socket and its folder ensure it, and [`Self::next`]
    /// checks each connection.
    ///
    /// The caller holds the supervisor's lock, so an existing socket is a killed supervisor's.
    pub(crate) fn open(socket: &Utf8Path) -> Result<Self> {
        match std::fs::remove_file(socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(socket.as_std_path())?;
        std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, file: identity(socket)?, pace: Pace::default() })
    }

    /// Whether `socket` still leads here.
    pub(crate) fn is_at(&self, socket: &Utf8Path) -> bool {
        identity(socket).is_ok_and(|file| file == self.file)
    }

    /// The next connection from this user. Cancel-safe: a dropped wait loses no connection.
    pub(crate) async fn next(&mut self) -> UnixStream {
        loop {
            let accept = async || self.listener.accept().await;
            let (stream, _) = self.pace.until_done(accept).await;
            if is_own(&stream) {
                return stream;
            }
            tracing::warn!("refused a connection from another user");
        }
    }
}

fn identity(path: &Utf8Path) -> Result<(u64, u64)> {
    path.symlink_metadata().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Pauses between failed attempts: an operation that fails (too many open files, say) would fail again at once.
#[derive(Debug, Default)]
struct Pace {
    failures: u32,
    rests_until: Option<Instant>,
}

impl Pace {
    async fn until_done<T>(&mut self, mut operation: impl AsyncFnMut() -> Result<T>) -> T {
        loop {
            if let Some(until) = self.rests_until {
                tokio::time::sleep_until(until).await;
                self.rests_until = None;
            }
            match operation().await {
                Ok(done) => {
                    self.failures = 0;
                    return done;
                }
                Err(error) => {
                    if self.failures == 0 {
                        tracing::warn!(%error, "cannot accept a connection, trying again");
                    }
                    let rest = FIRST_REST.saturating_mul(1 << self.failures.min(16)).min(LONGEST_REST);
                    self.failures += 1;
                    self.rests_until = Some(Instant::now() + rest);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_tried_again_after_longer_and_longer_rests() {
        let mut tries = 0;
        let mut pace = Pace::default();
        let failing = pace.until_done(async || {
            tries += 1;
            Err::<(), _>(std::io::Error::from(std::io::ErrorKind::Other))
        });
        assert!(tokio::time::timeout(Duration::from_secs(10), failing).await.is_err(), "it never works");
        assert!((10..30).contains(&tries), "{tries} tries in ten seconds");
        assert_eq!(pace.until_done(async || Ok(7)).await, 7);
        assert_eq!(pace.failures, 0, "all is well again");
    }
}
