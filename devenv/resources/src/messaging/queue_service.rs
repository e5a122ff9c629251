//! The operations of SQS that devenv needs, on queues by their names.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::provider::Answer;

pub(crate) type Attributes = BTreeMap<String, String>;

/// A task that moves messages from a dead-letter queue back to their sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MoveTask {
    pub(crate) state: MoveState,
    pub(crate) moved: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MoveState {
    Running,
    Completed,
    Ended { reason: String },
}

pub(crate) trait QueueService: fmt::Debug + Send + Sync {
    /// `CreateQueue` with an input whose ARNs are complete.
    fn create<'a>(&'a self, definition: &'a Value) -> Answer<'a, ()>;
    /// `None` if there is no such queue.
    fn attributes<'a>(&'a self, queue: &'a str) -> Answer<'a, Option<Attributes>>;
    fn set_attributes<'a>(&'a self, queue: &'a str, attributes: &'a Attributes) -> Answer<'a, ()>;
    fn tags<'a>(&'a self, queue: &'a str) -> Answer<'a, BTreeMap<String, String>>;
    fn tag<'a>(&'a self, queue: &'a str, key: &'a str, value: &'a str) -> Answer<'a, ()>;
    /// `SendMessage` with an input without `QueueUrl`.
    fn send<'a>(&'a self, queue: &'a str, message: &'a Value) -> Answer<'a, ()>;
    /// Up to ten messages, which stay hidden for `seconds`.
    fn receive<'a>(&'a self, queue: &'a str, seconds: u32) -> Answer<'a, Vec<Value>>;
    /// Makes a received message visible again.
    fn release<'a>(&'a self, queue: &'a str, receipt: &'a str) -> Answer<'a, ()>;
    /// An absent queue is no error.
    fn delete<'a>(&'a self, queue: &'a str) -> Answer<'a, ()>;
    fn purge<'a>(&'a self, queue: &'a str) -> Answer<'a, ()>;
    /// Starts to move the messages of a dead-letter queue to a queue or, without one, back to the queues that they come from.
    fn start_move<'a>(&'a self, dead_letter: &'a str, destination: Option<&'a str>) -> Answer<'a, ()>;
    /// The latest such task of a dead-letter queue.
    fn latest_move<'a>(&'a self, dead_letter: &'a str) -> Answer<'a, Option<MoveTask>>;
}
