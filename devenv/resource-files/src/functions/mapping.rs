//! Event source mapping files: the `CreateEventSourceMapping` input in the AWS CLI's form. A file's name is the mapping's in lists.

use std::ops::RangeInclusive;
use std::sync::Arc;

use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::Node;
use devenv_filters::{FilterError, FilterPolicy, Scope, Step};
use devenv_model::functions::{EventSource, Mapping};

use super::source::source;
use crate::messaging::reader::{self, Kind, Named, Reader};

const KIND: Kind = Kind {
    noun: "mapping",
    syntax: "mapping.syntax",
    unknown_key: "mapping.unknown_key",
    value: "mapping.value",
    reference: "see `aws lambda create-event-source-mapping help`",
};
const KEYS: [&str; 15] = [
    "FunctionName",
    "EventSourceArn",
    "Enabled",
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "FilterCriteria",
    "FunctionResponseTypes",
    "ScalingConfig",
    "StartingPosition",
    "ParallelizationFactor",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
    "Tags",
    "StartingPositionTimestamp",
];
const LEFT_OUT: [(&str, &str); 5] = [
    ("DestinationConfig", "no local source sends its failures elsewhere"),
    ("TumblingWindowInSeconds", "no local source has windows"),
    ("KMSKeyArn", "Terraform names the key, which is another in each account"),
    ("MetricsConfig", "Terraform decides it"),
    ("ProvisionedPollerConfig", "Terraform decides it"),
];
/// The keys of streams alone.
const OF_STREAMS: [&str; 6] = [
    "StartingPosition",
    "StartingPositionTimestamp",
    "ParallelizationFactor",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
];
/// Lambda's limits.
const BATCH: RangeInclusive<i64> = 1..=10_000;
/// Of a FIFO queue, and of any queue without a window.
const SMALL_BATCH: i64 = 10;
const WINDOW: RangeInclusive<i64> = 0..=300;
const CONCURRENCY: RangeInclusive<i64> = 2..=1000;
const PARALLEL: RangeInclusive<i64> = 1..=10;
/// -1 stands for no limit.
const RETRIES: RangeInclusive<i64> = -1..=10_000;
const AGE: RangeInclusive<i64> = -1..=604_800;
const SHORTEST_AGE: i64 = 60;
const FILTERS: usize = 5;

/// A mapping, and the places that checks across files mark.
#[derive(Debug)]
pub(crate) struct ReadMapping {
    pub(crate) mapping: Mapping,
    pub(crate) file: Arc<SourceFile>,
    pub(crate) function: Named,
    /// The place of the source's ARN.
    pub(crate) source: Named,
    pub(crate) window_seconds: i64,
}

/// Reads a mapping file.
pub(super) fn read(file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<ReadMapping> {
    reader::read(file, &KIND, problems, mapping)
}

fn mapping(reader: &mut Reader<'_>) -> Option<ReadMapping> {
    let known: Vec<&str> = KEYS.into_iter().chain(LEFT_OUT.map(|(key, _)| key)).collect();
    let (document, definition) = reader.document(&known)?;
    reader.left_out(&document, &LEFT_OUT);
    let function = reader.required_text(&document, "FunctionName");
    let arn = reader.required_text(&document, "EventSourceArn");
    let event_source = arn.as_ref().and_then(|arn| source(reader, &arn.name, arn.span.clone()));
    boolean(reader, &document, "Enabled");
    let batch = reader.number(&document, "BatchSize", &BATCH);
    let window = reader.number(&document, "MaximumBatchingWindowInSeconds", &WINDOW).unwrap_or(0);
    filters(reader, &document);
    response_types(reader, &document);
    let (function, arn, event_source) = (function?, arn?, event_source?);
    match &event_source {
        EventSource::Queue(queue) => of_queue(reader, &document, queue, batch, window),
        EventSource::Stream(_) => of_stream(reader, &document),
    }
    let mapping = Mapping {
        name: reader.file.path.file_stem().unwrap_or_default().to_owned(),
        file: reader.file.path.clone(),
        function: function.name.clone(),
        source: event_source,
        definition,
    };
    Some(ReadMapping { mapping, file: Arc::clone(reader.file), function, source: arn, window_seconds: window })
}

fn of_queue(reader: &mut Reader<'_>, document: &Node, queue: &str, batch: Option<i64>, window: i64) {
    for entry in document.entries().unwrap_or_default() {
        if OF_STREAMS.contains(&entry.key.as_str()) {
            reader.report(
                entry.key_span.clone(),
                format!("only a stream has {}", entry.key),
                "remove it: the source is a queue",
            );
        }
    }
    let place = |key: &str| document.get(key).unwrap_or(document).span.clone();
    let is_fifo = queue.strip_suffix(".fifo").is_some();
    if is_fifo && window > 0 {
        let span = place("MaximumBatchingWindowInSeconds");
        reader.report(span, "a FIFO queue has no batching window", "remove MaximumBatchingWindowInSeconds");
    }
    if let Some(batch) = batch.filter(|batch| *batch > SMALL_BATCH) {
        let span = place("BatchSize");
        if is_fifo {
            let message = format!("a batch of a FIFO queue has at most {SMALL_BATCH} messages, not {batch}");
            reader.report(span, message, format!("write at most {SMALL_BATCH}"));
        } else if window == 0 {
            let message = format!("a batch of {batch} messages needs time to fill");
            let help = format!("add \"MaximumBatchingWindowInSeconds\": 1, or write at most {SMALL_BATCH}");
            reader.report(span, message, help);
        }
    }
    if let Some(scaling) = document.get("ScalingConfig") {
        reader.known_keys(scaling, &["MaximumConcurrency"]);
        reader.number(scaling, "MaximumConcurrency", &CONCURRENCY);
    }
}

fn of_stream(reader: &mut Reader<'_>, document: &Node) {
    if let Some(scaling) = document.get("ScalingConfig") {
        let help = "remove it; ParallelizationFactor is for streams";
        reader.report(scaling.span.clone(), "only a queue has ScalingConfig", help);
    }
    if let Some(Named { name, span }) = reader.required_text(document, "StartingPosition")
        && !["TRIM_HORIZON", "LATEST"].contains(&name.as_str())
    {
        let help = "write \"TRIM_HORIZON\" for every record that is kept, or \"LATEST\" for new ones";
        reader.report(span, format!("StartingPosition cannot be {name}"), help);
    }
    if let Some(time) = document.get("StartingPositionTimestamp") {
        reader.report(time.span.clone(), "a stream of a table begins at no time", "remove StartingPositionTimestamp");
    }
    reader.number(document, "ParallelizationFactor", &PARALLEL);
    reader.number(document, "MaximumRetryAttempts", &RETRIES);
    if let Some(age) =
        reader.number(document, "MaximumRecordAgeInSeconds", &AGE).filter(|age| (0..SHORTEST_AGE).contains(age))
    {
        let span = document.get("MaximumRecordAgeInSeconds").unwrap_or(document).span.clone();
        let help = format!("write -1 for no limit, or at least {SHORTEST_AGE}");
        reader.report(span, format!("MaximumRecordAgeInSeconds cannot be {age}"), help);
    }
    boolean(reader, document, "BisectBatchOnFunctionError");
}

fn boolean(reader: &mut Reader<'_>, document: &Node, key: &str) {
    let Some(value) = document.get(key) else { return };
    if value.string().is_some() || !matches!(value.text(), Some("true" | "false")) {
        reader.report(
            value.span.clone(),
            format!("{key} is neither true nor false"),
            "write true or false, without quotes",
        );
    }
}

fn response_types(reader: &mut Reader<'_>, document: &Node) {
    const REPORTS: &str = "ReportBatchItemFailures";
    let Some(node) = document.get("FunctionResponseTypes") else { return };
    if !node.items().is_some_and(|items| items.len() <= 1 && items.iter().all(|item| item.string() == Some(REPORTS))) {
        let help = format!("write [\"{REPORTS}\"], or remove it");
        reader.report(node.span.clone(), "FunctionResponseTypes has one value only", help);
    }
}

fn filters(reader: &mut Reader<'_>, document: &Node) {
    let Some(criteria) = document.get("FilterCriteria") else { return };
    reader.known_keys(criteria, &["Filters"]);
    let filters = criteria.get("Filters").and_then(Node::items);
    let Some(filters) = filters.filter(|filters| (1..=FILTERS).contains(&filters.len())) else {
        let help = "write { \"Filters\": [{ \"Pattern\": \"{...}\" }] }";
        reader.report(criteria.span.clone(), format!("FilterCriteria must have 1 to {FILTERS} Filters"), help);
        return;
    };
    for filter in filters {
        let Some(pattern) = filter.get("Pattern").filter(|pattern| pattern.string().is_some()) else {
            let help = "write JSON in a string, with \\\" for its quotes";
            reader.report(filter.span.clone(), "a filter has no Pattern", help);
            continue;
        };
        if let Err(FilterError { reason, at }) =
            FilterPolicy::parse(pattern.string().unwrap_or_default(), Scope::MessageBody)
        {
            let key = at.0.iter().rev().find_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Index(_) => None,
            });
            let span = reader.part(pattern, key.unwrap_or_default());
            let help = "docs/functions.md has an example, such as {\"body\":{\"type\":[\"order.confirmed\"]}}";
            reader.report(span, format!("the pattern is refused at {at}: {reason}"), help);
        }
    }
}
