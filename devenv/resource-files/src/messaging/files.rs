//! Reads all files of queues, topics and subscriptions.

use std::sync::Arc;

use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_model::messaging::{MessageSeed, Messaging};
use serde_json::Value;

use super::cross::{Cross, meant};
use super::order::sorted;
use super::queues::{self, ReadQueue};
use super::seeds;
use super::subscriptions::{self, ReadSubscription};
use super::topics::{self, ReadTopic};

/// The end of a seed's name for a queue that shares its own with a table: `NAME.messages.json`.
const MESSAGES: &str = ".messages";

/// The files that were read, with the places that later checks mark.
pub struct ReadMessaging {
    queues: Vec<ReadQueue>,
    topics: Vec<ReadTopic>,
    subscriptions: Vec<ReadSubscription>,
    /// Whether a file was unreadable: a missing name then proves nothing.
    pub(crate) incomplete: bool,
}

/// Reads and checks the files. The queues are in the order of their creation.
pub(crate) fn read(
    queues: &[SourceFile],
    topics: &[SourceFile],
    subscriptions: &[SourceFile],
    problems: &mut Vec<Problem>,
) -> ReadMessaging {
    let before = problems.len();
    let shared = |file: &SourceFile| Arc::new(file.clone());
    let queues: Vec<_> = queues.iter().filter_map(|file| queues::read(&shared(file), problems)).collect();
    let topics: Vec<_> = topics.iter().filter_map(|file| topics::read(&shared(file), problems)).collect();
    let subscriptions: Vec<_> =
        subscriptions.iter().filter_map(|file| subscriptions::read(&shared(file), problems)).collect();
    if problems.len() == before {
        Cross { queues: &queues, topics: &topics, subscriptions: &subscriptions }.check(problems);
    }
    let mut read = ReadMessaging { queues, topics, subscriptions, incomplete: problems.len() > before };
    sorted(&mut read.queues);
    read
}

impl ReadMessaging {
    pub(crate) fn queue_names(&self) -> impl Iterator<Item = &str> {
        self.queues.iter().map(|queue| queue.name.name.as_str())
    }

    /// A queue's `CreateQueue` input.
    pub(crate) fn definition_of_queue(&self, name: &str) -> Option<&Value> {
        self.queues.iter().find(|queue| queue.name.name == name).map(|read| &read.queue.definition)
    }

    /// The mistake in a reference to a queue, as its remedy; `None` if a file declares the queue.
    pub fn unknown_queue(&self, name: &str) -> Option<String> {
        let is_known = self.incomplete || self.queue_names().any(|known| known == name);
        (!is_known).then(|| meant("queue", name, self.queue_names()))
    }

    /// The mistake in a reference to a topic, as its remedy; `None` if a file declares the topic.
    pub fn unknown_topic(&self, name: &str) -> Option<String> {
        let names = || self.topics.iter().map(|topic| topic.name.name.as_str());
        let is_known = self.incomplete || names().any(|known| known == name);
        (!is_known).then(|| meant("topic", name, names()))
    }

    /// Whether a seed is of a queue, and not of the table of this name, if there is one.
    pub(crate) fn has_seed(&self, file: &SourceFile, is_table: impl Fn(&str) -> bool) -> bool {
        let stem = file.path.file_stem().unwrap_or_default();
        !is_table(stem) && self.seeded(stem).is_some()
    }

    /// Reads a seed of a queue.
    pub(crate) fn seed(&self, file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<MessageSeed> {
        let queue = self.seeded(file.path.file_stem().unwrap_or_default())?;
        seeds::read(file, queue, problems)
    }

    fn seeded(&self, stem: &str) -> Option<&ReadQueue> {
        let name = stem.strip_suffix(MESSAGES).unwrap_or(stem);
        self.queues.iter().find(|queue| queue.name.name == name)
    }

    pub fn into_messaging(self, seeds: Vec<MessageSeed>) -> Messaging {
        Messaging {
            queues: self.queues.into_iter().map(|read| read.queue).collect(),
            topics: self.topics.into_iter().map(|read| read.topic).collect(),
            subscriptions: self.subscriptions.into_iter().map(|read| read.subscription).collect(),
            seeds,
        }
    }
}
