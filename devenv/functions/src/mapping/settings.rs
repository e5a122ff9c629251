//! The settings of a mapping, from the input of `CreateEventSourceMapping`. Whoever read the file has checked it.

use std::time::Duration;

use serde_json::Value;

use super::filter::Filters;

/// AWS's defaults for queues.
const QUEUE_BATCH: u64 = 10;

#[derive(Debug, Clone)]
pub(crate) struct MappingSettings {
    pub(crate) batch_size: usize,
    /// The time that a batch waits for more messages after its first.
    pub(crate) window: Duration,
    /// Whether the function names the messages that it could not handle.
    pub(crate) reports_failures: bool,
    /// The most batches under way at the same time; `None` if only the function's units limit it.
    pub(crate) concurrency: Option<usize>,
    pub(crate) filters: Filters,
}

pub(crate) fn is_enabled(definition: &Value) -> bool {
    definition["Enabled"].as_bool().unwrap_or(true)
}

/// Whether the function names the records that it could not handle.
pub(crate) fn reports_failures(definition: &Value) -> bool {
    let types = definition["FunctionResponseTypes"].as_array();
    types.is_some_and(|types| types.iter().any(|kind| kind == "ReportBatchItemFailures"))
}

impl MappingSettings {
    pub(crate) fn of_queue(definition: &Value) -> Result<Self, String> {
        let number = |key: &str| definition[key].as_u64();
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let concurrency = definition["ScalingConfig"]["MaximumConcurrency"].as_u64();
        Ok(Self {
            batch_size: size(number("BatchSize").unwrap_or(QUEUE_BATCH)).max(1),
            window: Duration::from_secs(number("MaximumBatchingWindowInSeconds").unwrap_or(0)),
            reports_failures: reports_failures(definition),
            concurrency: concurrency.map(size),
            filters: Filters::of(&definition["FilterCriteria"])?,
        })
    }
}
