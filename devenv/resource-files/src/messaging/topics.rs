//! Topic files: the `CreateTopic` input in the AWS CLI's form.

use std::sync::Arc;

use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::Node;
use devenv_model::messaging::Topic;

use super::reader::{self, Kind, Named, Reader, attribute};
use super::rules::{BOOLEAN, POLICY, Rule, Rules};

const KIND: Kind = Kind {
    noun: "topic",
    syntax: "topic.syntax",
    unknown_key: "topic.unknown_key",
    value: "topic.value",
    reference: "see `aws sns create-topic help`",
};
/// SNS's limits, in characters.
const NAME_LIMIT: usize = 256;
const DISPLAY_NAME_LIMIT: usize = 100;
const ATTRIBUTES: Rules = &[
    ("DisplayName", Rule::Text(DISPLAY_NAME_LIMIT)),
    ("FifoTopic", Rule::OneOf(&["true"])),
    ("ContentBasedDeduplication", BOOLEAN),
    ("FifoThroughputScope", Rule::OneOf(&["Topic", "MessageGroup"])),
    ("SignatureVersion", Rule::OneOf(&["1", "2"])),
    ("TracingConfig", Rule::OneOf(&["PassThrough", "Active"])),
    ("KmsMasterKeyId", Rule::LeftOut("Terraform names the key, which is another in each account")),
    ("DeliveryPolicy", Rule::LeftOut("it is for HTTP, and subscriptions here are of queues")),
    ("ArchivePolicy", Rule::LeftOut("no emulator keeps an archive")),
    ("Policy", POLICY),
];
const OF_FIFO: [&str; 2] = ["ContentBasedDeduplication", "FifoThroughputScope"];

/// A topic, and the places that checks across files mark.
pub(super) struct ReadTopic {
    pub(super) topic: Topic,
    pub(super) file: Arc<SourceFile>,
    pub(super) name: Named,
    pub(super) is_fifo: bool,
}

/// Reads a topic file.
pub(super) fn read(file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<ReadTopic> {
    reader::read(file, &KIND, problems, topic)
}

fn topic(reader: &mut Reader<'_>) -> Option<ReadTopic> {
    let (document, definition) = reader.document(&["Name", "Attributes", "Tags"])?;
    let name = reader.required_text(&document, "Name");
    reader.attributes(&document, ATTRIBUTES);
    tags(reader, &document);
    let is_fifo = attribute(&definition, "FifoTopic") == Some("true");
    if !is_fifo {
        reader.of_fifo_only(&document, &OF_FIFO, "FifoTopic");
    }
    let name = name?;
    reader.check_name(&name, NAME_LIMIT, is_fifo, "FifoTopic");
    let topic = Topic { name: name.name.clone(), file: reader.file.path.clone(), definition };
    Some(ReadTopic { topic, file: Arc::clone(reader.file), name, is_fifo })
}

fn tags(reader: &mut Reader<'_>, document: &Node) {
    let Some(tags) = document.get("Tags") else { return };
    let is_tag = |node: &Node| ["Key", "Value"].iter().all(|key| node.get(key).and_then(Node::string).is_some());
    if !tags.items().is_some_and(|items| items.iter().all(is_tag)) {
        let help = "write \"Tags\": [{ \"Key\": \"team\", \"Value\": \"orders\" }]";
        reader.report(tags.span.clone(), "Tags must be a list of keys with values", help);
    }
}
