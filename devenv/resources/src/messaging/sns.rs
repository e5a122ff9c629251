//! SNS over the Query protocol.

use devenv_model::messaging::topic_arn;
use serde_json::{Value, json};

use super::queue_service::Attributes;
use super::topic_service::{Subscribed, TopicService};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::provider::Answer;
use crate::query_wire::QueryWire;
use crate::xml::Element;

/// The exceptions for an absent topic or subscription.
const ABSENT: [&str; 2] = ["NotFound", "NotFoundException"];
/// Pages of a hundred subscriptions; a topic of a project has fewer.
const PAGES: usize = 100;

#[derive(Debug)]
pub(crate) struct Sns {
    wire: QueryWire,
    region: String,
}

impl Sns {
    pub(crate) fn new(endpoint: &Endpoint, region: &str, access_key: &str) -> Self {
        let wire = QueryWire::new(endpoint.clone(), region, access_key);
        Self { wire, region: region.to_owned() }
    }

    async fn call(&self, operation: &'static str, input: Value) -> Result<Element, Error> {
        self.wire.call(operation, &input).await.map_err(|error| error.or_lacks(self.wire.endpoint()))
    }

    /// Like [`Self::call`]; `None` if what the operation names does not exist.
    async fn find(&self, operation: &'static str, input: Value) -> Result<Option<Element>, Error> {
        match self.call(operation, input).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if ABSENT.iter().any(|exception| error.is(exception)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn arn(&self, topic: &str) -> String {
        topic_arn(&self.region, topic)
    }
}

impl TopicService for Sns {
    fn create<'a>(&'a self, definition: &'a Value) -> Answer<'a, ()> {
        Box::pin(async move { self.call("CreateTopic", definition.clone()).await.map(drop) })
    }

    fn attributes<'a>(&'a self, topic: &'a str) -> Answer<'a, Option<Attributes>> {
        let input = json!({ "TopicArn": self.arn(topic) });
        Box::pin(async move {
            let found = self.find("GetTopicAttributes", input).await?;
            Ok(found.map(|answer| answer.entries("Attributes").collect()))
        })
    }

    fn set_attribute<'a>(&'a self, topic: &'a str, name: &'a str, value: &'a str) -> Answer<'a, ()> {
        let input = json!({ "TopicArn": self.arn(topic), "AttributeName": name, "AttributeValue": value });
        Box::pin(async move { self.call("SetTopicAttributes", input).await.map(drop) })
    }

    fn delete<'a>(&'a self, topic: &'a str) -> Answer<'a, ()> {
        let input = json!({ "TopicArn": self.arn(topic) });
        Box::pin(async move { self.find("DeleteTopic", input).await.map(drop) })
    }

    fn subscribe<'a>(&'a self, definition: &'a Value) -> Answer<'a, ()> {
        Box::pin(async move { self.call("Subscribe", definition.clone()).await.map(drop) })
    }

    fn subscriptions<'a>(&'a self, topic: &'a str) -> Answer<'a, Vec<Subscribed>> {
        Box::pin(async move {
            let mut found = Vec::new();
            let mut input = json!({ "TopicArn": self.arn(topic) });
            for _ in 0..PAGES {
                let Some(page) = self.find("ListSubscriptionsByTopic", input.clone()).await? else { break };
                found.extend(page.members("Subscriptions").filter_map(subscribed));
                match page.text_of("NextToken").filter(|token| !token.is_empty()) {
                    Some(token) => input["NextToken"] = token.into(),
                    None => break,
                }
            }
            Ok(found)
        })
    }

    fn subscription_attributes<'a>(&'a self, arn: &'a str) -> Answer<'a, Option<Attributes>> {
        let input = json!({ "SubscriptionArn": arn });
        Box::pin(async move {
            let found = self.find("GetSubscriptionAttributes", input).await?;
            Ok(found.map(|answer| answer.entries("Attributes").collect()))
        })
    }

    fn set_subscription_attribute<'a>(&'a self, arn: &'a str, name: &'a str, value: &'a str) -> Answer<'a, ()> {
        let input = json!({ "SubscriptionArn": arn, "AttributeName": name, "AttributeValue": value });
        Box::pin(async move { self.call("SetSubscriptionAttributes", input).await.map(drop) })
    }

    fn unsubscribe<'a>(&'a self, arn: &'a str) -> Answer<'a, ()> {
        let input = json!({ "SubscriptionArn": arn });
        Box::pin(async move { self.find("Unsubscribe", input).await.map(drop) })
    }
}

fn subscribed(member: &Element) -> Option<Subscribed> {
    Some(Subscribed {
        arn: member.text_of("SubscriptionArn")?.to_owned(),
        protocol: member.text_of("Protocol")?.to_owned(),
        endpoint: member.text_of("Endpoint")?.to_owned(),
    })
}
