//! Queue files: the `CreateQueue` input in the AWS CLI's form.

use std::ops::Range;
use std::sync::Arc;

use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::Node;
use devenv_model::messaging::Queue;
use serde_json::Value;

use super::reader::{self, Kind, Named, Reader, attribute};
use super::rules::{BOOLEAN, POLICY, Rule, Rules};

const KIND: Kind = Kind {
    noun: "queue",
    syntax: "queue.syntax",
    unknown_key: "queue.unknown_key",
    value: "queue.value",
    reference: "see `aws sqs create-queue help`",
};
/// SQS's limit, in characters.
const NAME_LIMIT: usize = 80;
const KIBIBYTE: u64 = 1024;
const DAY: u64 = 24 * 60 * 60;
/// The attributes of `CreateQueue` with SQS's limits; times in seconds, sizes in bytes.
const ATTRIBUTES: Rules = &[
    ("DelaySeconds", Rule::Number(0..=900)),
    ("MaximumMessageSize", Rule::Number(KIBIBYTE..=1024 * KIBIBYTE)),
    ("MessageRetentionPeriod", Rule::Number(60..=14 * DAY)),
    ("ReceiveMessageWaitTimeSeconds", Rule::Number(0..=20)),
    ("VisibilityTimeout", Rule::Number(0..=DAY / 2)),
    ("RedrivePolicy", Rule::Json),
    ("RedriveAllowPolicy", Rule::Json),
    ("FifoQueue", Rule::OneOf(&["true"])),
    ("ContentBasedDeduplication", BOOLEAN),
    ("DeduplicationScope", Rule::OneOf(&["queue", "messageGroup"])),
    ("FifoThroughputLimit", Rule::OneOf(&["perQueue", "perMessageGroupId"])),
    ("SqsManagedSseEnabled", BOOLEAN),
    ("KmsMasterKeyId", Rule::LeftOut("Terraform names the key, which is another in each account")),
    ("KmsDataKeyReusePeriodSeconds", Rule::LeftOut("it belongs to a key, and Terraform names the key")),
    ("Policy", POLICY),
];
/// The attributes that only a FIFO queue has.
const OF_FIFO: [&str; 3] = ["ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"];
/// SQS's limits for the number of receives before a message is dead.
const RECEIVES: std::ops::RangeInclusive<u64> = 1..=1000;

/// A queue, and the places that checks across files mark.
pub(super) struct ReadQueue {
    pub(super) queue: Queue,
    pub(super) file: Arc<SourceFile>,
    pub(super) name: Named,
    pub(super) is_fifo: bool,
    pub(super) deduplicates: bool,
    pub(super) dead_letter: Option<Named>,
    pub(super) sources: Sources,
}

/// The queues that may use this one for their dead letters.
pub(super) enum Sources {
    All,
    None,
    /// Only these.
    Named(Vec<Named>),
}

/// Reads a queue file.
pub(super) fn read(file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<ReadQueue> {
    reader::read(file, &KIND, problems, queue)
}

fn queue(reader: &mut Reader<'_>) -> Option<ReadQueue> {
    let (document, definition) = reader.document(&["QueueName", "Attributes", "tags"])?;
    let name = reader.required_text(&document, "QueueName");
    reader.attributes(&document, ATTRIBUTES);
    tags(reader, &document);
    let is_fifo = attribute(&definition, "FifoQueue") == Some("true");
    if !is_fifo {
        reader.of_fifo_only(&document, &OF_FIFO, "FifoQueue");
    }
    let dead_letter = dead_letter(reader, &document);
    let sources = sources(reader, &document);
    let name = name?;
    reader.check_name(&name, NAME_LIMIT, is_fifo, "FifoQueue");
    let queue = Queue {
        name: name.name.clone(),
        file: reader.file.path.clone(),
        dead_letter: dead_letter.as_ref().map(|named| named.name.clone()),
        definition: definition.clone(),
    };
    let deduplicates = attribute(&definition, "ContentBasedDeduplication") == Some("true");
    Some(ReadQueue { queue, file: Arc::clone(reader.file), name, is_fifo, deduplicates, dead_letter, sources })
}

fn tags(reader: &mut Reader<'_>, document: &Node) {
    let Some(tags) = document.get("tags") else { return };
    let texts = tags.entries().map(|entries| entries.iter().all(|entry| entry.value.string().is_some()));
    if texts != Some(true) {
        reader.report(
            tags.span.clone(),
            "tags must be a mapping of strings",
            "write \"tags\": { \"team\": \"orders\" }",
        );
    }
}

fn dead_letter(reader: &mut Reader<'_>, document: &Node) -> Option<Named> {
    let (named, node, policy) = reader.dead_letter(document, &["deadLetterTargetArn", "maxReceiveCount"])?;
    let count = &policy["maxReceiveCount"];
    let number = count.as_u64().or_else(|| count.as_str()?.parse().ok());
    if !number.is_some_and(|number| RECEIVES.contains(&number)) {
        let message = if count.is_null() {
            "the redrive policy has no maxReceiveCount".to_owned()
        } else {
            format!("maxReceiveCount cannot be {count}")
        };
        let span = reader.part(&node, "maxReceiveCount");
        let help = format!("write a whole number from {} to {}", RECEIVES.start(), RECEIVES.end());
        reader.report(span, message, help);
    }
    Some(named)
}

fn sources(reader: &mut Reader<'_>, document: &Node) -> Sources {
    let keys = ["redrivePermission", "sourceQueueArns"];
    let Some((node, policy)) = reader.embedded(document, "RedriveAllowPolicy", &keys) else {
        return Sources::All;
    };
    let arns = policy["sourceQueueArns"].as_array();
    match (policy["redrivePermission"].as_str(), arns) {
        (Some("allowAll"), None) => Sources::All,
        (Some("denyAll"), None) => Sources::None,
        (Some("byQueue"), Some(arns)) if (1..=10).contains(&arns.len()) => {
            Sources::Named(arns.iter().filter_map(|arn| source(reader, &node, arn)).collect())
        }
        _ => {
            let help = "write allowAll or denyAll, or byQueue with 1 to 10 sourceQueueArns";
            reader.report(node.span.clone(), "the redrive permission is not complete", help);
            Sources::All
        }
    }
}

fn source(reader: &mut Reader<'_>, node: &Node, arn: &Value) -> Option<Named> {
    let arn = arn.as_str().unwrap_or_default();
    let span: Range<usize> = reader.part(node, arn);
    reader.declared(arn, "sqs", span)
}
