//! The inputs and outputs of the operations. Source: the API model of SNS, version 2010-03-31.

use crate::shape::{Member, Operation, Shape, optional, required};

const TEXT: &Shape = &Shape::Text;
const MEMBER: Option<&str> = Some("member");

const fn list(item: &'static Shape) -> Shape {
    Shape::List { item, within: MEMBER }
}

/// `Attributes.entry.1.key` and `.value`.
const ATTRIBUTES: Shape = Shape::Map { key: "key", value: "value", item: TEXT, within: Some("entry") };
const TAG: &Shape = &Shape::Structure(&[required("Key", Shape::Text), required("Value", Shape::Text)]);
const VALUE: &Shape = &Shape::Structure(&[
    required("DataType", Shape::Text),
    optional("StringValue", Shape::Text),
    optional("BinaryValue", Shape::Blob),
]);
const MESSAGE_ATTRIBUTES: Shape = Shape::Map { key: "Name", value: "Value", item: VALUE, within: Some("entry") };

/// SNS wraps an empty result in an element too. No result has this member, so that the element stays empty.
const NOTHING: &[Member] = &[optional("Nothing", Shape::Text)];
const SUBSCRIPTION: &Shape = &Shape::Structure(&[
    required("SubscriptionArn", Shape::Text),
    required("Owner", Shape::Text),
    required("Protocol", Shape::Text),
    required("Endpoint", Shape::Text),
    required("TopicArn", Shape::Text),
]);
const TOPIC: &Shape = &Shape::Structure(&[required("TopicArn", Shape::Text)]);
const ENTRY: &Shape = &Shape::Structure(&[
    required("Id", Shape::Text),
    required("Message", Shape::Text),
    optional("Subject", Shape::Text),
    optional("MessageStructure", Shape::Text),
    optional("MessageAttributes", MESSAGE_ATTRIBUTES),
    optional("MessageDeduplicationId", Shape::Text),
    optional("MessageGroupId", Shape::Text),
]);
const SUCCEEDED: &Shape = &Shape::Structure(&[
    required("Id", Shape::Text),
    required("MessageId", Shape::Text),
    optional("SequenceNumber", Shape::Text),
]);
const FAILED: &Shape = &Shape::Structure(&[
    required("Id", Shape::Text),
    required("Code", Shape::Text),
    optional("Message", Shape::Text),
    required("SenderFault", Shape::Boolean),
]);

const fn operation(name: &'static str, input: &'static [Member], output: &'static [Member]) -> Operation {
    Operation { name, input, output }
}

pub static OPERATIONS: &[Operation] = &[
    operation(
        "CreateTopic",
        &[
            required("Name", Shape::Text),
            optional("Attributes", ATTRIBUTES),
            optional("Tags", list(TAG)),
            optional("DataProtectionPolicy", Shape::Text),
        ],
        &[required("TopicArn", Shape::Text)],
    ),
    operation("DeleteTopic", &[required("TopicArn", Shape::Text)], &[]),
    operation(
        "ListTopics",
        &[optional("NextToken", Shape::Text)],
        &[required("Topics", list(TOPIC)), optional("NextToken", Shape::Text)],
    ),
    operation("GetTopicAttributes", &[required("TopicArn", Shape::Text)], &[required("Attributes", ATTRIBUTES)]),
    operation(
        "SetTopicAttributes",
        &[
            required("TopicArn", Shape::Text),
            required("AttributeName", Shape::Text),
            optional("AttributeValue", Shape::Text),
        ],
        &[],
    ),
    operation(
        "Subscribe",
        &[
            required("TopicArn", Shape::Text),
            required("Protocol", Shape::Text),
            optional("Endpoint", Shape::Text),
            optional("Attributes", ATTRIBUTES),
            optional("ReturnSubscriptionArn", Shape::Boolean),
        ],
        &[required("SubscriptionArn", Shape::Text)],
    ),
    operation(
        "ConfirmSubscription",
        &[
            required("TopicArn", Shape::Text),
            required("Token", Shape::Text),
            optional("AuthenticateOnUnsubscribe", Shape::Text),
        ],
        &[required("SubscriptionArn", Shape::Text)],
    ),
    operation("Unsubscribe", &[required("SubscriptionArn", Shape::Text)], &[]),
    operation(
        "GetSubscriptionAttributes",
        &[required("SubscriptionArn", Shape::Text)],
        &[required("Attributes", ATTRIBUTES)],
    ),
    operation(
        "SetSubscriptionAttributes",
        &[
            required("SubscriptionArn", Shape::Text),
            required("AttributeName", Shape::Text),
            optional("AttributeValue", Shape::Text),
        ],
        &[],
    ),
    operation(
        "ListSubscriptions",
        &[optional("NextToken", Shape::Text)],
        &[required("Subscriptions", list(SUBSCRIPTION)), optional("NextToken", Shape::Text)],
    ),
    operation(
        "ListSubscriptionsByTopic",
        &[required("TopicArn", Shape::Text), optional("NextToken", Shape::Text)],
        &[required("Subscriptions", list(SUBSCRIPTION)), optional("NextToken", Shape::Text)],
    ),
    operation(
        "Publish",
        &[
            optional("TopicArn", Shape::Text),
            optional("TargetArn", Shape::Text),
            optional("PhoneNumber", Shape::Text),
            required("Message", Shape::Text),
            optional("Subject", Shape::Text),
            optional("MessageStructure", Shape::Text),
            optional("MessageAttributes", MESSAGE_ATTRIBUTES),
            optional("MessageDeduplicationId", Shape::Text),
            optional("MessageGroupId", Shape::Text),
        ],
        &[required("MessageId", Shape::Text), optional("SequenceNumber", Shape::Text)],
    ),
    operation(
        "PublishBatch",
        &[required("TopicArn", Shape::Text), optional("PublishBatchRequestEntries", list(ENTRY))],
        &[required("Successful", list(SUCCEEDED)), required("Failed", list(FAILED))],
    ),
    operation("TagResource", &[required("ResourceArn", Shape::Text), optional("Tags", list(TAG))], NOTHING),
    operation("UntagResource", &[required("ResourceArn", Shape::Text), optional("TagKeys", list(TEXT))], NOTHING),
    operation("ListTagsForResource", &[required("ResourceArn", Shape::Text)], &[required("Tags", list(TAG))]),
];
