//! Moving dead letters back to the queues that they come from.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::depth::Depth;
use super::queue_service::{MoveState, MoveTask};
use super::queues::Queues;
use crate::error::Error;

/// The time without a moved message after which the task counts as stuck.
const STALL: Duration = Duration::from_mins(1);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The result of a redrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redriven {
    pub dead_letter: String,
    pub moved: u64,
}

impl Queues {
    /// Moves the messages of the queue's dead-letter queue, or of the dead-letter queue itself if it is named, back to the queues
    /// that they come from. To the named queue, if no other queue's file names its dead-letter queue: that takes the messages
    /// along that nobody received too often, such as those that were sent to the dead-letter queue. Waits for the end, and calls `progress` with the number of moved messages whenever it grows.
    pub async fn redrive(&self, queue: &str, progress: impl FnMut(u64)) -> Result<Redriven, Error> {
        let dead_letter = self.dead_letter_of(queue)?.to_owned();
        let mut sources = self.files.iter().filter(|file| file.dead_letter.as_ref() == Some(&dead_letter));
        let destination =
            Some(queue).filter(|queue| sources.all(|source| source.name == *queue) && *queue != dead_letter);
        let attributes = self.service.attributes(&dead_letter).await?.unwrap_or_default();
        let moved = if Depth::of(&attributes).visible == 0 {
            0
        } else {
            self.moved(&dead_letter, destination, progress).await?
        };
        Ok(Redriven { dead_letter, moved })
    }

    fn dead_letter_of(&self, name: &str) -> Result<&str, Error> {
        let queue = self.known(name)?;
        if let Some(dead_letter) = &queue.dead_letter {
            return Ok(dead_letter);
        }
        let is_dead_letter = self.files.iter().any(|other| other.dead_letter.as_deref() == Some(name));
        if is_dead_letter { Ok(&queue.name) } else { Err(Error::NoDeadLetterQueue { queue: name.to_owned() }) }
    }

    async fn moved(
        &self,
        dead_letter: &str,
        destination: Option<&str>,
        mut progress: impl FnMut(u64),
    ) -> Result<u64, Error> {
        if let Err(error) = self.service.start_move(dead_letter, destination).await {
            // A queue has one task at a time: another command may have started it.
            match self.service.latest_move(dead_letter).await {
                Ok(Some(MoveTask { state: MoveState::Running, .. })) => {}
                _ => return Err(error),
            }
        }
        let mut last = (0, Instant::now());
        let mut pause = FIRST_PAUSE;
        loop {
            let task = self.service.latest_move(dead_letter).await?;
            let moved = task.as_ref().map_or(last.0, |task| task.moved);
            match task.map(|task| task.state) {
                Some(MoveState::Completed) => return Ok(moved),
                Some(MoveState::Ended { reason }) => {
                    return Err(Error::MoveFailed { queue: dead_letter.to_owned(), moved, reason });
                }
                Some(MoveState::Running) | None => {}
            }
            if moved > last.0 {
                progress(moved);
                last = (moved, Instant::now());
            } else if last.1.elapsed() > STALL {
                return Err(Error::MoveStalled { queue: dead_letter.to_owned(), moved, after: STALL });
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
