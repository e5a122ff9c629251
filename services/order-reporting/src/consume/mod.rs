//! Takes events from the queue and adds them to the figures. A message is deleted after the commit of its event, so that each
//! message comes at least once; the figures count each event once.

mod condition;
mod consumer;
mod process;
mod queue;
mod sqs;

pub use condition::Condition;
pub use consumer::{Pace, consume};
pub use process::{Fate, Message, Patience, ReadModel, process};
pub use queue::{Delivery, Queue, QueueError};
pub use sqs::SqsQueue;
