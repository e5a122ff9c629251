//! Repeats a request after a passing error: AWS throttles for a moment, or the network breaks.

use std::time::Duration;

use devenv_cloud::{CloudError, CloudErrorKind};
use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// An error after this time is final. Shorter than a lease.
const WITHIN: Duration = Duration::from_secs(30);

/// The remaining attempts of one request.
#[derive(Debug)]
pub(crate) struct Retry {
    until: Instant,
    pause: Duration,
}

impl Retry {
    pub(crate) fn new() -> Self {
        Self { until: Instant::now() + WITHIN, pause: FIRST_PAUSE }
    }

    /// Waits before the next attempt; returns the error if there is none.
    pub(crate) async fn after(&mut self, error: CloudError) -> Result<(), CloudError> {
        // An unknown error may pass too: half a minute is cheap here, unlike in a wait.
        let is_hopeless = !error.may_pass() && error.kind != CloudErrorKind::Other;
        if is_hopeless || Instant::now() + self.pause > self.until {
            return Err(error);
        }
        self.pause().await;
        Ok(())
    }

    /// Waits before the next attempt. Returns false when the time is over.
    pub(crate) async fn pause(&mut self) -> bool {
        if Instant::now() + self.pause > self.until {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

/// Repeats idempotent work until it has an answer.
pub async fn retry<T, F>(mut work: impl FnMut() -> F) -> Result<T, CloudError>
where
    F: Future<Output = Result<T, CloudError>>,
{
    let mut retry = Retry::new();
    loop {
        match work().await {
            Ok(answer) => return Ok(answer),
            Err(error) => retry.after(error).await?,
        }
    }
}
