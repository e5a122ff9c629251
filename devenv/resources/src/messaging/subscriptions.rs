//! Subscriptions of queues to topics as a kind of resource.

use std::sync::Arc;

use devenv_model::manifest::Manifest;
use devenv_model::messaging::{Subscription, completed};
use devenv_model::observed::ObservedResource;
use devenv_model::resource::{ResourceId, ResourceKind};
use serde_json::{Value, json};

use super::difference::{Differences, SUBSCRIPTION, differences, name_of};
use super::queue_service::Attributes;
use super::topic_service::TopicService;
use crate::error::Error;
use crate::provider::{Answer, Provider};

/// The policy that removes a filter policy: SNS refuses an empty text.
const NO_POLICY: &str = "{}";

/// The subscription files and their emulator.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    service: Arc<dyn TopicService>,
    files: Vec<Subscription>,
    region: String,
}

impl Subscriptions {
    pub(crate) fn new(service: Arc<dyn TopicService>, manifest: &Manifest, region: &str) -> Self {
        Self { service, files: manifest.messaging.subscriptions.clone(), region: region.to_owned() }
    }

    fn subscription(&self, name: &str) -> &Subscription {
        self.files.iter().find(|file| file.name == name).expect("only subscriptions of the manifest are named")
    }

    /// The ARN of a subscription: a topic has at most one for each queue, which is the same one in every region.
    async fn arn(&self, file: &Subscription) -> Result<Option<String>, Error> {
        let listed = self.service.subscriptions(&file.topic).await?;
        let found = listed.into_iter().find(|one| one.protocol == "sqs" && name_of(&one.endpoint) == file.queue);
        Ok(found.map(|one| one.arn))
    }

    /// The ARN and the attributes of an existing subscription.
    async fn there(&self, file: &Subscription) -> Result<Option<(String, Attributes)>, Error> {
        let Some(arn) = self.arn(file).await? else { return Ok(None) };
        let attributes = self.service.subscription_attributes(&arn).await?;
        Ok(attributes.map(|attributes| (arn, attributes)))
    }

    async fn seen(&self, file: &Subscription) -> Result<Option<ObservedResource>, Error> {
        let there = self.there(file).await?;
        Ok(there.map(|(_, there)| ObservedResource::changeable(compared(file, &there).lines, 0)))
    }

    async fn made(&self, file: &Subscription) -> Result<(), Error> {
        let Some((arn, there)) = self.there(file).await? else {
            return self.service.subscribe(&completed(&file.definition, &self.region)).await;
        };
        let wanted = completed(&json!(compared(file, &there).wanted), &self.region);
        let mut wanted: Vec<(&String, &Value)> = wanted.as_object().into_iter().flatten().collect();
        wanted.sort_by_key(|(name, value)| rank(name, value));
        for (name, value) in wanted {
            let value = match value.as_str().unwrap_or_default() {
                "" if name == "FilterPolicy" => NO_POLICY,
                value => value,
            };
            self.service.set_subscription_attribute(&arn, name, value).await?;
        }
        Ok(())
    }

    async fn removed(&self, file: &Subscription) -> Result<(), Error> {
        match self.arn(file).await? {
            Some(arn) => self.service.unsubscribe(&arn).await,
            None => Ok(()),
        }
    }
}

/// The place of a change among the others. SNS checks a filter policy with the scope that is there: a filter on attributes has
/// a meaning for bodies too, so that the scope is wide while the policy changes.
fn rank(name: &str, value: &Value) -> u8 {
    match name {
        "FilterPolicyScope" if value == "MessageBody" => 0,
        "FilterPolicy" => 1,
        _ => 2,
    }
}

fn compared(file: &Subscription, there: &Attributes) -> Differences {
    differences("subscription", SUBSCRIPTION, &file.definition, there)
}

impl Provider for Subscriptions {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Subscription
    }

    fn names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }

    fn needs(&self, name: &str) -> Vec<ResourceId> {
        self.subscription(name).needs()
    }

    fn observe_one<'a>(&'a self, name: &'a str) -> Answer<'a, Option<ObservedResource>> {
        Box::pin(self.seen(self.subscription(name)))
    }

    fn ensure<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        Box::pin(self.made(self.subscription(name)))
    }

    fn remove<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        Box::pin(self.removed(self.subscription(name)))
    }
}
