use std::fmt;
use std::time::{Duration, Instant};

use devenv_model::event::Event;
use tokio::sync::mpsc;

/// The only output of a command's logic: it emits events, and the command line renders them.
#[derive(Debug, Clone)]
pub struct Emitter(mpsc::UnboundedSender<Event>);

impl Emitter {
    /// An emitter, and the receiver of its events, in order.
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Never blocks and never fails: without a receiver, the event is dropped.
    pub fn emit(&self, event: Event) {
        let _ = self.0.send(event);
    }

    /// Runs one stage of a command and emits its beginning and end.
    pub async fn stage<T, E: fmt::Display>(
        &self,
        stage: String,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.emit(Event::StageStarted { stage: stage.clone() });
        let began = Instant::now();
        let outcome = work.await;
        self.emit(match &outcome {
            Ok(_) => Event::StageFinished { stage, elapsed_ms: millis(began.elapsed()) },
            Err(error) => Event::StageFailed { stage, error: error.to_string() },
        });
        outcome
    }

    pub fn notice(&self, message: impl Into<String>) {
        self.emit(Event::Notice { message: message.into() });
    }
}

pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
