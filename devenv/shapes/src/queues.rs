//! The inputs and outputs of SQS.

use crate::shape::Shape::{Blob, Boolean, Integer, List, Map, Structure, Text};
use crate::shape::{Member, Operation, Shape, optional, required};

const TEXTS: Shape = List { item: &Text, within: None };
const ATTRIBUTES: Shape = Map { key: "Name", value: "Value", item: &Text, within: None };
const TAGS: Shape = Map { key: "Key", value: "Value", item: &Text, within: None };
const VALUE: Shape = Structure(&[
    optional("StringValue", Text),
    optional("BinaryValue", Blob),
    optional("StringListValues", TEXTS).on_wire("StringListValue"),
    optional("BinaryListValues", List { item: &Blob, within: None }).on_wire("BinaryListValue"),
    required("DataType", Text),
]);
const MESSAGE_ATTRIBUTES: Shape = Map { key: "Name", value: "Value", item: &VALUE, within: None };

const QUEUE_URL: Member = required("QueueUrl", Text);

const fn attributes() -> Member {
    optional("Attributes", ATTRIBUTES).on_wire("Attribute")
}

const fn message_attributes() -> Member {
    optional("MessageAttributes", MESSAGE_ATTRIBUTES).on_wire("MessageAttribute")
}

const fn system_attributes() -> Member {
    optional("MessageSystemAttributes", MESSAGE_ATTRIBUTES).on_wire("MessageSystemAttribute")
}

const fn entries(wire: &'static str, entry: &'static Shape) -> Member {
    required("Entries", List { item: entry, within: None }).on_wire(wire)
}

const SEND_ENTRY: Shape = Structure(&[
    required("Id", Text),
    optional("MessageBody", Text),
    optional("DelaySeconds", Integer),
    message_attributes(),
    system_attributes(),
    optional("MessageDeduplicationId", Text),
    optional("MessageGroupId", Text),
]);
const DELETE_ENTRY: Shape = Structure(&[required("Id", Text), required("ReceiptHandle", Text)]);
const VISIBILITY_ENTRY: Shape =
    Structure(&[required("Id", Text), required("ReceiptHandle", Text), optional("VisibilityTimeout", Integer)]);

const SENT: &[Member] = &[
    optional("MD5OfMessageBody", Text),
    optional("MD5OfMessageAttributes", Text),
    optional("MD5OfMessageSystemAttributes", Text),
    optional("MessageId", Text),
    optional("SequenceNumber", Text),
];
const SENT_ENTRY: Shape = Structure(&[
    required("Id", Text),
    optional("MessageId", Text),
    optional("MD5OfMessageBody", Text),
    optional("MD5OfMessageAttributes", Text),
    optional("MD5OfMessageSystemAttributes", Text),
    optional("SequenceNumber", Text),
]);
const DONE_ENTRY: Shape = Structure(&[required("Id", Text)]);
const FAILED: Shape = List {
    item: &Structure(&[
        required("Id", Text),
        required("SenderFault", Boolean),
        required("Code", Text),
        optional("Message", Text),
    ]),
    within: None,
};

const fn successful(wire: &'static str, entry: &'static Shape) -> Member {
    optional("Successful", List { item: entry, within: None }).on_wire(wire)
}

const fn failed() -> Member {
    optional("Failed", FAILED).on_wire("BatchResultErrorEntry")
}

const MESSAGE: Shape = Structure(&[
    required("MessageId", Text),
    required("ReceiptHandle", Text),
    required("MD5OfBody", Text),
    required("Body", Text),
    attributes(),
    optional("MD5OfMessageAttributes", Text),
    message_attributes(),
]);
const TASK: Shape = Structure(&[
    optional("TaskHandle", Text),
    required("Status", Text),
    required("SourceArn", Text),
    optional("DestinationArn", Text),
    optional("MaxNumberOfMessagesPerSecond", Integer),
    required("ApproximateNumberOfMessagesMoved", Integer),
    optional("ApproximateNumberOfMessagesToMove", Integer),
    optional("FailureReason", Text),
    required("StartedTimestamp", Integer),
]);

const fn operation(name: &'static str, input: &'static [Member], output: &'static [Member]) -> Operation {
    Operation { name, input, output }
}

pub static OPERATIONS: &[Operation] = &[
    operation(
        "SendMessage",
        &[
            QUEUE_URL,
            optional("MessageBody", Text),
            optional("DelaySeconds", Integer),
            message_attributes(),
            system_attributes(),
            optional("MessageDeduplicationId", Text),
            optional("MessageGroupId", Text),
        ],
        SENT,
    ),
    operation(
        "ReceiveMessage",
        &[
            QUEUE_URL,
            optional("AttributeNames", TEXTS).on_wire("AttributeName"),
            optional("MessageSystemAttributeNames", TEXTS).on_wire("MessageSystemAttributeName"),
            optional("MessageAttributeNames", TEXTS).on_wire("MessageAttributeName"),
            optional("MaxNumberOfMessages", Integer),
            optional("VisibilityTimeout", Integer),
            optional("WaitTimeSeconds", Integer),
            optional("ReceiveRequestAttemptId", Text),
        ],
        &[optional("Messages", List { item: &MESSAGE, within: None }).on_wire("Message")],
    ),
    operation("DeleteMessage", &[QUEUE_URL, required("ReceiptHandle", Text)], &[]),
    operation(
        "ChangeMessageVisibility",
        &[QUEUE_URL, required("ReceiptHandle", Text), required("VisibilityTimeout", Integer)],
        &[],
    ),
    operation(
        "SendMessageBatch",
        &[QUEUE_URL, entries("SendMessageBatchRequestEntry", &SEND_ENTRY)],
        &[successful("SendMessageBatchResultEntry", &SENT_ENTRY), failed()],
    ),
    operation(
        "DeleteMessageBatch",
        &[QUEUE_URL, entries("DeleteMessageBatchRequestEntry", &DELETE_ENTRY)],
        &[successful("DeleteMessageBatchResultEntry", &DONE_ENTRY), failed()],
    ),
    operation(
        "ChangeMessageVisibilityBatch",
        &[QUEUE_URL, entries("ChangeMessageVisibilityBatchRequestEntry", &VISIBILITY_ENTRY)],
        &[successful("ChangeMessageVisibilityBatchResultEntry", &DONE_ENTRY), failed()],
    ),
    operation(
        "CreateQueue",
        &[required("QueueName", Text), attributes(), optional("tags", TAGS).on_wire("Tag")],
        &[QUEUE_URL],
    ),
    operation("GetQueueUrl", &[required("QueueName", Text), optional("QueueOwnerAWSAccountId", Text)], &[QUEUE_URL]),
    operation("DeleteQueue", &[QUEUE_URL], &[]),
    operation("PurgeQueue", &[QUEUE_URL], &[]),
    operation(
        "ListQueues",
        &[optional("QueueNamePrefix", Text), optional("NextToken", Text), optional("MaxResults", Integer)],
        &[optional("NextToken", Text), optional("QueueUrls", TEXTS).on_wire("QueueUrl")],
    ),
    operation(
        "GetQueueAttributes",
        &[QUEUE_URL, optional("AttributeNames", TEXTS).on_wire("AttributeName")],
        &[attributes()],
    ),
    operation("SetQueueAttributes", &[QUEUE_URL, required("Attributes", ATTRIBUTES).on_wire("Attribute")], &[]),
    operation("TagQueue", &[QUEUE_URL, required("Tags", TAGS).on_wire("Tag")], &[]),
    operation("UntagQueue", &[QUEUE_URL, required("TagKeys", TEXTS).on_wire("TagKey")], &[]),
    operation("ListQueueTags", &[QUEUE_URL], &[optional("Tags", TAGS).on_wire("Tag")]),
    operation(
        "ListDeadLetterSourceQueues",
        &[QUEUE_URL, optional("NextToken", Text), optional("MaxResults", Integer)],
        &[required("queueUrls", TEXTS).on_wire("QueueUrl"), optional("NextToken", Text)],
    ),
    operation(
        "StartMessageMoveTask",
        &[
            required("SourceArn", Text),
            optional("DestinationArn", Text),
            optional("MaxNumberOfMessagesPerSecond", Integer),
        ],
        &[optional("TaskHandle", Text)],
    ),
    operation(
        "ListMessageMoveTasks",
        &[required("SourceArn", Text), optional("MaxResults", Integer)],
        &[optional("Results", List { item: &TASK, within: None }).on_wire("ListMessageMoveTasksResultEntry")],
    ),
    operation(
        "CancelMessageMoveTask",
        &[required("TaskHandle", Text)],
        &[optional("ApproximateNumberOfMessagesMoved", Integer)],
    ),
];
