//! Subscription files: the `Subscribe` input in the AWS CLI's form. A file's name is the subscription's in plans.

use std::sync::Arc;

use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::Node;
use devenv_filters::{FilterError, FilterPolicy, Scope, Step};
use devenv_model::messaging::Subscription;
use serde_json::Value;

use super::reader::{self, Kind, Named, Reader, attribute};
use super::rules::{BOOLEAN, Rule, Rules};

const KIND: Kind = Kind {
    noun: "subscription",
    syntax: "subscription.syntax",
    unknown_key: "subscription.unknown_key",
    value: "subscription.value",
    reference: "see `aws sns subscribe help`",
};
const ATTRIBUTES: Rules = &[
    ("RawMessageDelivery", BOOLEAN),
    ("FilterPolicy", Rule::Json),
    ("FilterPolicyScope", Rule::OneOf(&["MessageAttributes", "MessageBody"])),
    ("RedrivePolicy", Rule::Json),
    ("DeliveryPolicy", Rule::LeftOut("it is for HTTP, and subscriptions here are of queues")),
    ("SubscriptionRoleArn", Rule::LeftOut("it is for Firehose, and subscriptions here are of queues")),
    ("ReplayPolicy", Rule::LeftOut("no emulator keeps an archive")),
];

/// A subscription, and the places that checks across files mark.
pub(super) struct ReadSubscription {
    pub(super) subscription: Subscription,
    pub(super) file: Arc<SourceFile>,
    pub(super) topic: Named,
    pub(super) queue: Named,
    pub(super) dead_letter: Option<Named>,
}

/// Reads a subscription file.
pub(super) fn read(file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<ReadSubscription> {
    reader::read(file, &KIND, problems, subscription)
}

fn subscription(reader: &mut Reader<'_>) -> Option<ReadSubscription> {
    let (document, definition) = reader.document(&["TopicArn", "Protocol", "Endpoint", "Attributes"])?;
    let topic = arn(reader, &document, "TopicArn", "sns");
    let protocol = reader.required_text(&document, "Protocol");
    let queue = match protocol {
        Some(Named { name, span }) if name != "sqs" => {
            let help = "write \"sqs\", with the ARN of a queue as Endpoint: only queues are subscribed here so far";
            reader.report(span, format!("the protocol {name} is not supported"), help);
            None
        }
        Some(_) => arn(reader, &document, "Endpoint", "sqs"),
        None => None,
    };
    reader.attributes(&document, ATTRIBUTES);
    filter(reader, &document, &definition);
    let dead_letter = reader.dead_letter(&document, &["deadLetterTargetArn"]).map(|(named, ..)| named);
    let (topic, queue) = (topic?, queue?);
    let subscription = Subscription {
        name: reader.file.path.file_stem().unwrap_or_default().to_owned(),
        file: reader.file.path.clone(),
        topic: topic.name.clone(),
        queue: queue.name.clone(),
        dead_letter: dead_letter.as_ref().map(|named| named.name.clone()),
        definition,
    };
    Some(ReadSubscription { subscription, file: Arc::clone(reader.file), topic, queue, dead_letter })
}

fn arn(reader: &mut Reader<'_>, document: &Node, key: &str, service: &str) -> Option<Named> {
    let Named { name, span } = reader.required_text(document, key)?;
    reader.declared(&name, service, span)
}

fn filter(reader: &mut Reader<'_>, document: &Node, definition: &Value) {
    let Some((node, _)) = reader.embedded(document, "FilterPolicy", &[]) else { return };
    let scope = attribute(definition, "FilterPolicyScope").and_then(Scope::named).unwrap_or_default();
    if let Err(FilterError { reason, at }) = FilterPolicy::parse(node.string().unwrap_or_default(), scope) {
        let key = at.0.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        });
        let span = reader.part(&node, key.unwrap_or_default());
        let help = "docs/resources.md has an example, and SNS's guide of filter policies every operator";
        reader.report(span, format!("the filter policy is refused at {at}: {reason}"), help);
    }
}
