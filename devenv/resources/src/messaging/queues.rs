//! Queues as a kind of resource, and what a person does with their messages.

use std::sync::Arc;

use devenv_model::manifest::Manifest;
use devenv_model::messaging::{MessageSeed, Queue, completed};
use devenv_model::observed::ObservedResource;
use devenv_model::resource::{ResourceId, ResourceKind};
use serde_json::{Value, json};

use super::depth::Depth;
use super::difference::{Differences, QUEUE, differences};
use super::queue_service::{Attributes, QueueService};
use super::sqs::Sqs;
use crate::endpoint::{DUMMY, Endpoint};
use crate::error::Error;
use crate::provider::{Answer, Provider};

/// The tag of a queue that had its seed, or the number of messages that it had of it so far. Messages leave a queue, so their
/// absence proves nothing.
const SEEDED: &str = "devenv:seeded";
/// The tag's value once the whole seed was sent.
const WHOLE: &str = "true";
/// The time in seconds for which messages are hidden while they are listed.
const LOOK: u32 = 20;

/// The queue files and their seeds, and their emulator.
#[derive(Debug, Clone)]
pub struct Queues {
    pub(super) service: Arc<dyn QueueService>,
    pub(super) files: Vec<Queue>,
    seeds: Vec<MessageSeed>,
    region: String,
}

impl Queues {
    /// Returns the queues of `manifest` in the emulator that has them at `endpoint`.
    pub fn of(manifest: &Manifest, endpoint: &Endpoint, region: &str) -> Self {
        Self::as_caller(manifest, endpoint, region, DUMMY)
    }

    pub(crate) fn as_caller(manifest: &Manifest, endpoint: &Endpoint, region: &str, access_key: &str) -> Self {
        Self::new(Arc::new(Sqs::new(endpoint, region, access_key)), manifest, region)
    }

    pub(super) fn new(service: Arc<dyn QueueService>, manifest: &Manifest, region: &str) -> Self {
        let messaging = &manifest.messaging;
        let (files, seeds) = (messaging.queues.clone(), messaging.seeds.clone());
        Self { service, files, seeds, region: region.to_owned() }
    }

    /// Returns the number of messages in a queue; none in an absent one.
    pub async fn depth(&self, queue: &str) -> Result<Depth, Error> {
        self.known(queue)?;
        let attributes = self.service.attributes(queue).await?;
        Ok(attributes.as_ref().map(Depth::of).unwrap_or_default())
    }

    /// Deletes every message of a queue, also those in flight and delayed.
    pub async fn purge(&self, queue: &str) -> Result<(), Error> {
        self.known(queue)?;
        self.service.purge(queue).await
    }

    pub(super) fn known(&self, name: &str) -> Result<&Queue, Error> {
        self.files.iter().find(|queue| queue.name == name).ok_or_else(|| Error::UnknownQueue {
            name: name.to_owned(),
            known: self.files.iter().map(|queue| queue.name.clone()).collect(),
        })
    }

    fn queue(&self, name: &str) -> &Queue {
        self.files.iter().find(|queue| queue.name == name).expect("only queues of the manifest are named")
    }

    fn messages(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.seeds.iter().filter(move |seed| seed.queue == name).flat_map(|seed| &seed.messages)
    }

    fn differences(&self, name: &str, attributes: &Attributes) -> Differences {
        differences("queue", QUEUE, &self.queue(name).definition, attributes)
    }

    async fn seen(&self, name: &str) -> Result<Option<ObservedResource>, Error> {
        let Some(attributes) = self.service.attributes(name).await? else {
            return Ok(None);
        };
        let absent_seeds = self.absent_seeds(name, &attributes).await?;
        Ok(Some(ObservedResource::changeable(self.differences(name, &attributes).lines, absent_seeds)))
    }

    /// The messages of the seed that are still to be sent, at its end. A queue that had its seed is left alone, and so is one that
    /// holds messages without a record of a seed.
    async fn absent_seeds(&self, name: &str, attributes: &Attributes) -> Result<usize, Error> {
        let count = self.messages(name).count();
        if count == 0 {
            return Ok(0);
        }
        let sent = match self.service.tags(name).await?.get(SEEDED) {
            Some(progress) => progress.parse().unwrap_or(count),
            None if Depth::of(attributes).total() > 0 => count,
            None => 0,
        };
        Ok(count.saturating_sub(sent))
    }

    async fn made(&self, name: &str) -> Result<(), Error> {
        let Some(attributes) = self.service.attributes(name).await? else {
            return self.service.create(&completed(&self.queue(name).definition, &self.region)).await;
        };
        let wanted = self.differences(name, &attributes).wanted;
        if wanted.is_empty() {
            return Ok(());
        }
        let completed = completed(&json!(wanted), &self.region);
        let wanted = serde_json::from_value(completed).expect("texts stay texts");
        self.service.set_attributes(name, &wanted).await
    }

    async fn sown(&self, name: &str) -> Result<usize, Error> {
        let attributes = self.service.attributes(name).await?.unwrap_or_default();
        let absent = self.absent_seeds(name, &attributes).await?;
        if absent == 0 {
            return Ok(0);
        }
        let sent = self.messages(name).count() - absent;
        // The record comes first: without one, the first message would keep the others out.
        self.service.tag(name, SEEDED, &sent.to_string()).await?;
        // One after the other: a FIFO queue keeps their order.
        for (index, message) in self.messages(name).enumerate().skip(sent) {
            self.service.send(name, message).await?;
            self.service.tag(name, SEEDED, &(index + 1).to_string()).await?;
        }
        self.service.tag(name, SEEDED, WHOLE).await?;
        Ok(absent)
    }

    /// Receives messages until there is none left, and releases them. Each then counts as received once more.
    async fn listed(&self, name: &str, limit: usize) -> Result<Vec<Value>, Error> {
        let mut found = Vec::new();
        while found.len() < limit {
            let some = self.service.receive(name, LOOK).await?;
            if some.is_empty() {
                break;
            }
            found.extend(some);
        }
        for receipt in found.iter().filter_map(|message| message["ReceiptHandle"].as_str()) {
            self.service.release(name, receipt).await?;
        }
        found.truncate(limit);
        Ok(found)
    }
}

impl Provider for Queues {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Queue
    }

    fn names(&self) -> Vec<String> {
        self.files.iter().map(|queue| queue.name.clone()).collect()
    }

    fn needs(&self, name: &str) -> Vec<ResourceId> {
        self.queue(name).needs()
    }

    fn observe_one<'a>(&'a self, name: &'a str) -> Answer<'a, Option<ObservedResource>> {
        Box::pin(self.seen(name))
    }

    fn ensure<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        Box::pin(self.made(name))
    }

    fn seed<'a>(&'a self, name: &'a str) -> Answer<'a, usize> {
        Box::pin(self.sown(name))
    }

    fn remove<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        self.service.delete(name)
    }

    fn dump<'a>(&'a self, name: &'a str, limit: usize) -> Answer<'a, Vec<Value>> {
        Box::pin(self.listed(name, limit))
    }

    fn depth<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Depth>> {
        Box::pin(async move { Ok(Some(Queues::depth(self, name).await?)) })
    }
}
