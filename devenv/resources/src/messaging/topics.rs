//! Topics as a kind of resource.

use std::sync::Arc;

use devenv_model::manifest::Manifest;
use devenv_model::messaging::{Topic, completed};
use devenv_model::observed::ObservedResource;
use devenv_model::resource::ResourceKind;

use super::difference::{TOPIC, differences};
use super::topic_service::TopicService;
use crate::error::Error;
use crate::provider::{Answer, Provider};

/// The topic files and their emulator.
#[derive(Debug)]
pub(crate) struct Topics {
    service: Arc<dyn TopicService>,
    files: Vec<Topic>,
    region: String,
}

impl Topics {
    pub(crate) fn new(service: Arc<dyn TopicService>, manifest: &Manifest, region: &str) -> Self {
        Self { service, files: manifest.messaging.topics.clone(), region: region.to_owned() }
    }

    fn topic(&self, name: &str) -> &Topic {
        self.files.iter().find(|topic| topic.name == name).expect("only topics of the manifest are named")
    }

    async fn seen(&self, topic: &Topic) -> Result<Option<ObservedResource>, Error> {
        let attributes = self.service.attributes(&topic.name).await?;
        let lines = |there| differences("topic", TOPIC, &topic.definition, &there).lines;
        Ok(attributes.map(|there| ObservedResource::changeable(lines(there), 0)))
    }

    async fn made(&self, topic: &Topic) -> Result<(), Error> {
        let Some(there) = self.service.attributes(&topic.name).await? else {
            return self.service.create(&completed(&topic.definition, &self.region)).await;
        };
        for (name, value) in differences("topic", TOPIC, &topic.definition, &there).wanted {
            self.service.set_attribute(&topic.name, &name, &value).await?;
        }
        Ok(())
    }
}

impl Provider for Topics {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Topic
    }

    fn names(&self) -> Vec<String> {
        self.files.iter().map(|topic| topic.name.clone()).collect()
    }

    fn observe_one<'a>(&'a self, name: &'a str) -> Answer<'a, Option<ObservedResource>> {
        Box::pin(self.seen(self.topic(name)))
    }

    fn ensure<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        Box::pin(self.made(self.topic(name)))
    }

    fn remove<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        self.service.delete(name)
    }
}
