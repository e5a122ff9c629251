//! The operations of SNS that devenv needs, on topics by their names.

use std::fmt;

use serde_json::Value;

use super::queue_service::Attributes;
use crate::provider::Answer;

/// A subscription as its topic lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscribed {
    pub(crate) arn: String,
    pub(crate) protocol: String,
    pub(crate) endpoint: String,
}

pub(crate) trait TopicService: fmt::Debug + Send + Sync {
    /// `CreateTopic` with an input whose ARNs are complete.
    fn create<'a>(&'a self, definition: &'a Value) -> Answer<'a, ()>;
    /// `None` if there is no such topic.
    fn attributes<'a>(&'a self, topic: &'a str) -> Answer<'a, Option<Attributes>>;
    fn set_attribute<'a>(&'a self, topic: &'a str, name: &'a str, value: &'a str) -> Answer<'a, ()>;
    /// Removes the topic and its subscriptions. An absent topic is no error.
    fn delete<'a>(&'a self, topic: &'a str) -> Answer<'a, ()>;
    /// `Subscribe` with an input whose ARNs are complete.
    fn subscribe<'a>(&'a self, definition: &'a Value) -> Answer<'a, ()>;
    /// The subscriptions of a topic; none if there is no such topic.
    fn subscriptions<'a>(&'a self, topic: &'a str) -> Answer<'a, Vec<Subscribed>>;
    /// `None` if there is no such subscription.
    fn subscription_attributes<'a>(&'a self, arn: &'a str) -> Answer<'a, Option<Attributes>>;
    fn set_subscription_attribute<'a>(&'a self, arn: &'a str, name: &'a str, value: &'a str) -> Answer<'a, ()>;
    /// An absent subscription is no error.
    fn unsubscribe<'a>(&'a self, arn: &'a str) -> Answer<'a, ()>;
}
