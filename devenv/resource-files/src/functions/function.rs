//! Function files: the `CreateFunction` input in the AWS CLI's form, without what each environment has of its own.

use std::ops::RangeInclusive;
use std::sync::Arc;

use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::Node;
use devenv_model::functions::Function;

use crate::messaging::reader::{self, Kind, Named, Reader};

const KIND: Kind = Kind {
    noun: "function",
    syntax: "function.syntax",
    unknown_key: "function.unknown_key",
    value: "function.value",
    reference: "see `aws lambda create-function help`",
};
const KEYS: [&str; 9] = [
    "FunctionName",
    "PackageType",
    "Timeout",
    "MemorySize",
    "Description",
    "Architectures",
    "EphemeralStorage",
    "ImageConfig",
    "Tags",
];
const OWNED: &str = "Terraform owns it, which is another in each account";
/// The keys of `CreateFunction` that no file has.
const LEFT_OUT: [(&str, &str); 14] = [
    ("Code", "the image of the Compose service is the code"),
    ("Role", OWNED),
    ("Environment", "the Compose service has the variables"),
    ("VpcConfig", OWNED),
    ("KMSKeyArn", OWNED),
    ("FileSystemConfigs", OWNED),
    ("LoggingConfig", OWNED),
    ("TracingConfig", OWNED),
    ("DeadLetterConfig", OWNED),
    ("Runtime", "the image has the runtime"),
    ("Handler", "the image has the handler"),
    ("Layers", "a function of an image has none"),
    ("SnapStart", "a function of an image has none"),
    ("Publish", "Terraform decides it"),
];
/// Lambda's limits, in characters, seconds and megabytes.
const NAME_LIMIT: usize = 64;
const TIMEOUT: RangeInclusive<i64> = 1..=900;
const MEMORY: RangeInclusive<i64> = 128..=10_240;
const STORAGE: RangeInclusive<i64> = 512..=10_240;
/// Lambda's defaults.
const DEFAULT_TIMEOUT: i64 = 3;
const DEFAULT_MEMORY: i64 = 128;

/// A function, and the places that checks across files mark.
#[derive(Debug)]
pub(crate) struct ReadFunction {
    pub(crate) function: Function,
    pub(crate) file: Arc<SourceFile>,
    pub(crate) name: Named,
}

/// Reads a function file.
pub(super) fn read(file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<ReadFunction> {
    reader::read(file, &KIND, problems, function)
}

fn function(reader: &mut Reader<'_>) -> Option<ReadFunction> {
    let known: Vec<&str> = KEYS.into_iter().chain(LEFT_OUT.map(|(key, _)| key)).collect();
    let (document, definition) = reader.document(&known)?;
    reader.left_out(&document, &LEFT_OUT);
    let name = reader.required_text(&document, "FunctionName");
    package_type(reader, &document);
    let timeout = reader.number(&document, "Timeout", &TIMEOUT).unwrap_or(DEFAULT_TIMEOUT);
    let memory = reader.number(&document, "MemorySize", &MEMORY).unwrap_or(DEFAULT_MEMORY);
    architectures(reader, &document);
    if let Some(storage) = document.get("EphemeralStorage") {
        reader.known_keys(storage, &["Size"]);
        reader.number(storage, "Size", &STORAGE);
    }
    image_config(reader, &document);
    tags(reader, &document);
    let name = name?;
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    if name.name.is_empty() || name.name.len() > NAME_LIMIT || !name.name.chars().all(allowed) {
        let help = format!("use 1 to {NAME_LIMIT} letters, digits, `-` and `_`");
        reader.report(name.span.clone(), format!("{} is not a valid function name", name.name), help);
    }
    let function = Function {
        name: name.name.clone(),
        file: reader.file.path.clone(),
        timeout_seconds: u32::try_from(timeout).unwrap_or_default(),
        memory_megabytes: u32::try_from(memory).unwrap_or_default(),
        definition,
    };
    Some(ReadFunction { function, file: Arc::clone(reader.file), name })
}

fn package_type(reader: &mut Reader<'_>, document: &Node) {
    if let Some(Named { name, span }) = reader.required_text(document, "PackageType")
        && name != "Image"
    {
        let help = "write \"Image\": a function is a Compose service, and its image is what AWS runs";
        reader.report(span, format!("PackageType cannot be {name}"), help);
    }
}

fn architectures(reader: &mut Reader<'_>, document: &Node) {
    let Some(node) = document.get("Architectures") else { return };
    let is_known = |item: &Node| matches!(item.string(), Some("x86_64" | "arm64"));
    if !node.items().is_some_and(|items| items.len() == 1 && is_known(&items[0])) {
        reader.report(node.span.clone(), "Architectures must name one", "write [\"x86_64\"] or [\"arm64\"]");
    }
}

fn image_config(reader: &mut Reader<'_>, document: &Node) {
    let Some(node) = document.get("ImageConfig") else { return };
    reader.known_keys(node, &["EntryPoint", "Command", "WorkingDirectory"]);
    for key in ["EntryPoint", "Command"] {
        let Some(words) = node.get(key) else { continue };
        if !words.items().is_some_and(|items| items.iter().all(|item| item.string().is_some())) {
            reader.report(words.span.clone(), format!("{key} must be a list of strings"), "write [\"consume\"]");
        }
    }
}

fn tags(reader: &mut Reader<'_>, document: &Node) {
    let Some(tags) = document.get("Tags") else { return };
    if !tags.entries().is_some_and(|entries| entries.iter().all(|entry| entry.value.string().is_some())) {
        let help = "write \"Tags\": { \"team\": \"orders\" }";
        reader.report(tags.span.clone(), "Tags must be a mapping of strings", help);
    }
}
