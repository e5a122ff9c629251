//! Reads the files of functions and event source mappings, and reports each mistake at its place.

use devenv_model::functions::EventSource;

use crate::sources::{Sources, TABLE};

const FUNCTION: &str = r#"{
  "FunctionName": "back",
  "PackageType": "Image",
  "Timeout": 5,
  "MemorySize": 256
}
"#;
const QUEUE: &str = r#"{ "QueueName": "work", "Attributes": { "VisibilityTimeout": "30" } }
"#;
const MAPPING: &str = r#"{
  "FunctionName": "back",
  "EventSourceArn": "arn:aws:sqs:::work",
  "BatchSize": 10,
  "FunctionResponseTypes": ["ReportBatchItemFailures"],
  "FilterCriteria": { "Filters": [{ "Pattern": "{\"body\":{\"type\":[\"order.confirmed\"]}}" }] },
  "ScalingConfig": { "MaximumConcurrency": 2 }
}
"#;
const STREAM: &str = r#"{
  "FunctionName": "back",
  "EventSourceArn": "arn:aws:dynamodb:::table/items/stream",
  "StartingPosition": "TRIM_HORIZON",
  "MaximumRetryAttempts": 3,
  "BisectBatchOnFunctionError": true
}
"#;

fn named(name: &str, text: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), text.to_owned())]
}

fn good() -> Sources {
    let mut sources = Sources::good();
    let folders =
        "seeds = \"seeds\"\nqueues = \"queues\"\nfunctions = \"functions\"\nevent-source-mappings = \"mappings\"\n";
    sources.settings = sources.settings.replace("seeds = \"seeds\"\n", folders);
    sources.queues = named("work", QUEUE);
    sources.functions = named("back", FUNCTION);
    sources.mappings = named("back-work", MAPPING);
    sources
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

fn function(from: &str, to: &str) -> String {
    let mut sources = good();
    sources.functions[0].1 = replaced(FUNCTION, from, to);
    sources.drawn()
}

fn mapping(from: &str, to: &str) -> String {
    let mut sources = good();
    sources.mappings[0].1 = replaced(MAPPING, from, to);
    sources.drawn()
}

fn stream(from: &str, to: &str) -> String {
    let mut sources = with_stream();
    sources.mappings[0].1 = replaced(STREAM, from, to);
    sources.drawn()
}

fn with_stream() -> Sources {
    let mut sources = good();
    sources.mappings = named("back-items", STREAM);
    sources
}

#[test]
fn a_service_with_a_function_file_is_a_function() {
    let manifest = good().assemble().unwrap_or_else(|error| panic!("{error}"));
    let function = manifest.functions.function("back").expect("it is one");
    assert_eq!((function.timeout_seconds, function.memory_megabytes), (5, 256));
    let mapping = &manifest.functions.mappings[0];
    assert_eq!((mapping.name.as_str(), mapping.function.as_str()), ("back-work", "back"));
    assert_eq!(mapping.source, EventSource::Queue("work".to_owned()));
    let names: Vec<String> = manifest.functions.resources().map(|resource| resource.to_string()).collect();
    assert_eq!(names, ["function back", "mapping back-work"]);
    let file =
        manifest.functions.resources().last().and_then(|resource| manifest.file_of(&resource).map(ToString::to_string));
    assert_eq!(file.as_deref(), Some("event-source-mappings/back-work.json"));
}

#[test]
fn a_function_of_a_profile_that_is_not_enabled_waits_with_its_mappings() {
    let mut sources = good();
    sources.compose =
        sources.compose.replace("    depends_on: [back]\n", "").replace("back:1\n", "back:1\n    profiles: [more]\n");
    let manifest = sources.assemble().unwrap_or_else(|error| panic!("{error}"));
    assert!(manifest.functions.is_empty() && manifest.functions.mappings.is_empty());
}

#[test]
fn a_service_with_a_health_path_becomes_a_function_by_its_files_alone() {
    let mut sources = good();
    sources.functions = named("web", &FUNCTION.replace("back", "web"));
    sources.mappings = named("web-work", &MAPPING.replace("back", "web"));
    let manifest = sources.assemble().unwrap_or_else(|error| panic!("{error}"));
    assert!(manifest.functions.function("web").is_some());
    assert_eq!(manifest.services["web"].health, None, "nothing answers there");
    sources.functions.clear();
    sources.mappings.clear();
    let manifest = sources.assemble().unwrap_or_else(|error| panic!("{error}"));
    assert!(manifest.services["web"].health.is_some());
}

#[test]
fn others_may_wait_for_a_function_without_a_health_check() {
    let mut sources = good();
    let healthy = "depends_on: { back: { condition: service_healthy } }";
    sources.compose = replaced(&sources.compose, "depends_on: [back]", healthy);
    sources.assemble().unwrap_or_else(|error| panic!("{error}"));
    sources.functions.clear();
    sources.mappings.clear();
    assert!(sources.drawn().contains("back has no health check"));
}

#[test]
fn of_functions() {
    insta::assert_snapshot!("function unknown key", function("MemorySize", "MemorySizes"));
    insta::assert_snapshot!("function package type", function("\"Image\"", "\"Zip\""));
    insta::assert_snapshot!("function timeout", function("5,", "901,"));
    insta::assert_snapshot!("function memory", function("256", "\"256\""));
    insta::assert_snapshot!("function name", function("\"back\"", "\"back end\""));
    insta::assert_snapshot!("function environment", function("\"Timeout\": 5", "\"Environment\": {}"));
    insta::assert_snapshot!("function without service", function("\"back\"", "\"backs\""));
    insta::assert_snapshot!("function architectures", function("\"Timeout\": 5", "\"Architectures\": [\"x86\"]"));
    let mut sources = good();
    sources.functions.push(("more".to_owned(), FUNCTION.to_owned()));
    insta::assert_snapshot!("function twice", sources.drawn());
    let mut sources = good();
    sources.compose += "  functions:\n    image: f:1\n";
    insta::assert_snapshot!("function host's name", sources.drawn());
}

#[test]
fn of_mappings() {
    insta::assert_snapshot!("mapping unknown key", mapping("BatchSize", "BatchSizes"));
    insta::assert_snapshot!("mapping unknown function", mapping("\"back\"", "\"bac\""));
    insta::assert_snapshot!("mapping unknown queue", mapping("sqs:::work", "sqs:::works"));
    insta::assert_snapshot!("mapping full arn", mapping("sqs:::work", "sqs:eu-west-1:111122223333:work"));
    insta::assert_snapshot!("mapping other service", mapping("arn:aws:sqs:::work", "arn:aws:kinesis:::stream/work"));
    insta::assert_snapshot!("mapping batch without window", mapping("10,", "100,"));
    insta::assert_snapshot!("mapping batch range", mapping("10,", "0,"));
    insta::assert_snapshot!("mapping response types", mapping("ReportBatchItemFailures", "ReportFailures"));
    insta::assert_snapshot!(
        "mapping pattern",
        mapping("order.confirmed\\\"", "order.confirmed\\\",{\\\"prefx\\\":\\\"o\\\"}")
    );
    insta::assert_snapshot!("mapping concurrency", mapping("\"MaximumConcurrency\": 2", "\"MaximumConcurrency\": 1"));
    insta::assert_snapshot!("mapping of streams", mapping("\"BatchSize\": 10", "\"StartingPosition\": \"LATEST\""));
    insta::assert_snapshot!("mapping destination", mapping("\"BatchSize\": 10", "\"DestinationConfig\": {}"));
    insta::assert_snapshot!("mapping enabled", mapping("\"BatchSize\": 10", "\"Enabled\": \"true\""));
    let mut sources = good();
    sources.functions[0].1 = FUNCTION.replace("5,", "6,");
    insta::assert_snapshot!("mapping visibility", sources.drawn());
    let mut sources = good();
    sources.mappings.push(("again".to_owned(), MAPPING.to_owned()));
    insta::assert_snapshot!("mapping twice", sources.drawn());
    let mut sources = good();
    sources.queues = named("work", r#"{ "QueueName": "work.fifo", "Attributes": { "FifoQueue": "true" } }"#);
    sources.mappings[0].1 =
        MAPPING.replace("sqs:::work", "sqs:::work.fifo").replace("10,", "11, \"MaximumBatchingWindowInSeconds\": 1,");
    insta::assert_snapshot!("mapping of a fifo queue", sources.drawn());
}

#[test]
fn of_streams() {
    let no_stream = with_stream().drawn();
    insta::assert_snapshot!("mapping table without stream", no_stream);
    insta::assert_snapshot!("mapping unknown table", stream("table/items", "table/item"));
    insta::assert_snapshot!("mapping no stream arn", stream("table/items/stream", "table/items"));
    insta::assert_snapshot!("mapping starting position", stream("TRIM_HORIZON", "AT_TIMESTAMP"));
    insta::assert_snapshot!(
        "mapping without starting position",
        stream("  \"StartingPosition\": \"TRIM_HORIZON\",\n", "")
    );
    insta::assert_snapshot!(
        "mapping of queues",
        stream("\"MaximumRetryAttempts\": 3", "\"ScalingConfig\": { \"MaximumConcurrency\": 2 }")
    );
    assert!(TABLE.contains("items"));
}
