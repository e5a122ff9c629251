//! Seed files of queues: lists of `SendMessage` inputs without `QueueUrl`.

use std::ops::Range;
use std::sync::Arc;

use devenv_document::closest::closest;
use devenv_document::json;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::Node;
use devenv_model::messaging::MessageSeed;
use serde_json::Value;

use super::queues::ReadQueue;

const KEYS: [&str; 6] = [
    "MessageBody",
    "DelaySeconds",
    "MessageAttributes",
    "MessageSystemAttributes",
    "MessageGroupId",
    "MessageDeduplicationId",
];
/// SQS's limits: bytes of a message, seconds of a delay, attributes of a message.
const BODY_LIMIT: usize = 1024 * 1024;
const DELAY_LIMIT: u64 = 900;
const ATTRIBUTE_LIMIT: usize = 10;
const EXAMPLE: &str = "write [{ \"MessageBody\": \"...\" }]";

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    queue: &'a ReadQueue,
    problems: &'a mut Vec<Problem>,
}

/// Reads the messages of a queue.
pub(super) fn read(file: &Arc<SourceFile>, queue: &ReadQueue, problems: &mut Vec<Problem>) -> Option<MessageSeed> {
    let parsed = json::parse(file, "seed.syntax");
    let (document, value) = parsed.map_err(|problem| problems.push(problem)).ok()?;
    let mut reader = Reader { file, queue, problems };
    let Some(nodes) = document.items() else {
        reader.report("seed.value", document.span.clone(), "a seed file holds a list of messages", EXAMPLE);
        return None;
    };
    for node in nodes {
        reader.message(node);
    }
    let Value::Array(messages) = value else { return None };
    Some(MessageSeed { queue: queue.name.name.clone(), file: file.path.clone(), messages })
}

impl Reader<'_> {
    fn report(&mut self, code: &'static str, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(code, self.file, span, message).help(help));
    }

    fn message(&mut self, node: &Node) {
        let Some(entries) = node.entries() else {
            let message = format!("expected a message, found {}", node.kind());
            self.report("seed.value", node.span.clone(), message, EXAMPLE);
            return;
        };
        let before = self.problems.len();
        for entry in entries.iter().filter(|entry| !KEYS.contains(&entry.key.as_str())) {
            let help = closest(&entry.key, KEYS).map_or_else(
                || format!("the keys here are {}", KEYS.join(", ")),
                |meant| format!("did you mean {meant}?"),
            );
            self.report("seed.unknown_key", entry.key_span.clone(), format!("unknown key {}", entry.key), help);
        }
        // A misspelt key would be reported as missing too.
        if self.problems.len() > before {
            return;
        }
        self.body(node);
        self.delay(node);
        self.attributes(node);
        self.fifo(node);
    }

    fn body(&mut self, node: &Node) {
        let body = node.get("MessageBody");
        let span = body.unwrap_or(node).span.clone();
        match body.and_then(Node::string) {
            None | Some("") => {
                let help = "write JSON in a string, with \\\" for its quotes";
                self.report("seed.value", span, "MessageBody is missing, empty or not a string", help);
            }
            Some(text) if text.len() > BODY_LIMIT => {
                self.report("seed.value", span, "the message has more than 1 MiB", "SQS refuses it");
            }
            Some(_) => {}
        }
    }

    fn delay(&mut self, node: &Node) {
        let Some(delay) = node.get("DelaySeconds") else { return };
        let seconds = delay.text().filter(|_| delay.string().is_none()).and_then(|text| text.parse::<u64>().ok());
        if self.queue.is_fifo {
            let message = "a message of a FIFO queue has no delay of its own";
            self.report("seed.value", delay.span.clone(), message, "set DelaySeconds of the queue");
        } else if seconds.is_none_or(|seconds| seconds > DELAY_LIMIT) {
            let help = format!("write a whole number from 0 to {DELAY_LIMIT}");
            self.report("seed.value", delay.span.clone(), "this is not a delay in seconds", help);
        }
    }

    fn attributes(&mut self, node: &Node) {
        for key in ["MessageAttributes", "MessageSystemAttributes"] {
            let Some(attributes) = node.get(key) else { continue };
            let is_attribute = |node: &Node| {
                let value = node.get("StringValue").or(node.get("BinaryValue"));
                node.get("DataType").and_then(Node::string).is_some() && value.and_then(Node::string).is_some()
            };
            let entries = attributes.entries().unwrap_or_default();
            let is_known = attributes.entries().is_some() && entries.iter().all(|entry| is_attribute(&entry.value));
            if !is_known || entries.len() > ATTRIBUTE_LIMIT {
                let message = format!("{key} is not a mapping of at most {ATTRIBUTE_LIMIT} attributes");
                let help = "write { \"type\": { \"DataType\": \"String\", \"StringValue\": \"...\" } }";
                self.report("seed.value", attributes.span.clone(), message, help);
            }
        }
    }

    fn fifo(&mut self, node: &Node) {
        let queue = self.queue;
        let name = &queue.name.name;
        let text = |key: &str| node.get(key).and_then(Node::string).filter(|text| !text.is_empty());
        if !queue.is_fifo {
            if let Some(id) = node.get("MessageDeduplicationId") {
                let message = format!("{name} is a standard queue, which has no MessageDeduplicationId");
                self.report("seed.value", id.span.clone(), message, "remove it");
            }
            return;
        }
        if text("MessageGroupId").is_none() {
            let message = format!("a message of the FIFO queue {name} needs a MessageGroupId");
            self.report("seed.value", node.span.clone(), message, "write \"MessageGroupId\": \"...\"");
        }
        if text("MessageDeduplicationId").is_none() && !queue.deduplicates {
            let message = format!("a message of the FIFO queue {name} needs a MessageDeduplicationId");
            let help = "write one, or set ContentBasedDeduplication of the queue";
            self.report("seed.value", node.span.clone(), message, help);
        }
    }
}
