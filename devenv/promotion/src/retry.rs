//! AWS takes fewer requests for a moment, or a network breaks: such an error is no answer, and the same is asked again.

use std::time::Duration;

use tokio::time::Instant;

use crate::cloud::{CloudError, CloudErrorKind};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// After that, it counts. Shorter than a lease lasts.
const WITHIN: Duration = Duration::from_secs(30);

/// How long one request is tried.
#[derive(Debug)]
pub(crate) struct Retry {
    until: Instant,
    pause: Duration,
}

impl Retry {
    pub(crate) fn new() -> Self {
        Self { until: Instant::now() + WITHIN, pause: FIRST_PAUSE }
    }

    /// Waits before the next try; an error when there is to be none.
    pub(crate) async fn after(&mut self, error: CloudError) -> Result<(), CloudError> {
        // What is not known may pass too: half a minute is cheap here, unlike in a wait.
        let is_hopeless = !error.may_pass() && error.kind != CloudErrorKind::Other;
        if is_hopeless || Instant::now() + self.pause > self.until {
            return Err(error);
        }
        self.pause().await;
        Ok(())
    }

    /// The same for what must be tried again whatever it was. Returns whether there is time left.
    pub(crate) async fn pause(&mut self) -> bool {
        if Instant::now() + self.pause > self.until {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

/// Does what may be done twice until there is an answer.
pub(crate) async fn retry<T, F>(mut work: impl FnMut() -> F) -> Result<T, CloudError>
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
