use std::time::Duration;

use crate::emitter::Emitter;
use crate::error::Error;

/// The time after which a stop is explained.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// Runs a stop, and emits a notice with the reason if it takes long.
pub async fn explained<T>(stopping: impl Future<Output = Result<T, Error>>, emitter: &Emitter) -> Result<T, Error> {
    tokio::pin!(stopping);
    tokio::select! {
        outcome = &mut stopping => outcome,
        () = tokio::time::sleep(TELL_AFTER) => {
            emitter.notice("waiting for the services to finish their requests, within their grace periods");
            stopping.await
        }
    }
}

#[cfg(test)]
mod tests {
    use devenv_model::event::Event;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_stop_that_takes_long_is_explained_and_both_end_as_they_end() {
        for (takes, is_told) in [(TELL_AFTER / 2, false), (TELL_AFTER * 20, true)] {
            let (emitter, mut events) = Emitter::channel();
            let stopping = async {
                tokio::time::sleep(takes).await;
                Ok(7)
            };
            assert_eq!(explained(stopping, &emitter).await.expect("nothing fails"), 7);
            drop(emitter);
            assert_eq!(matches!(events.recv().await, Some(Event::Notice { .. })), is_told, "{takes:?}");
        }
    }
}
