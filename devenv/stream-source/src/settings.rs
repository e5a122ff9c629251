use std::time::Duration;

use serde_json::Value;

/// AWS's default for streams.
const BATCH_SIZE: u64 = 100;
/// The limit of one `GetRecords`, and of a batch without a window.
const MOST_RECORDS: u64 = 1_000;

/// Where a mapping without a checkpoint begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the oldest record.
    TrimHorizon,
    /// After the newest record.
    Latest,
}

/// The settings of a mapping of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSettings {
    pub start: Start,
    pub batch_size: usize,
    /// The time that a batch waits for more records after its first.
    pub window: Duration,
    /// Whether a failed batch is halved until it is one record.
    pub bisects: bool,
    /// The retries of a batch, after which it is given up; `None` without a limit.
    pub retries: Option<u32>,
    /// The age at which a record is given up; `None` without a limit.
    pub record_age: Option<Duration>,
}

impl StreamSettings {
    /// Reads the input of `CreateEventSourceMapping`, which whoever read the file has checked.
    pub fn of(definition: &Value) -> Self {
        let size = definition["BatchSize"].as_u64().unwrap_or(BATCH_SIZE).clamp(1, MOST_RECORDS);
        // AWS writes -1 for "without a limit".
        let limit = |key: &str| definition[key].as_i64().and_then(|number| u64::try_from(number).ok());
        Self {
            start: if definition["StartingPosition"] == "LATEST" { Start::Latest } else { Start::TrimHorizon },
            batch_size: usize::try_from(size).unwrap_or(usize::MAX),
            window: Duration::from_secs(definition["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or(0)),
            bisects: definition["BisectBatchOnFunctionError"].as_bool().unwrap_or(false),
            retries: limit("MaximumRetryAttempts").map(|number| u32::try_from(number).unwrap_or(u32::MAX)),
            record_age: limit("MaximumRecordAgeInSeconds").map(Duration::from_secs),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_settings_are_those_of_aws() {
        let settings = StreamSettings::of(&json!({ "StartingPosition": "LATEST", "MaximumRetryAttempts": -1 }));
        let expected = StreamSettings {
            start: Start::Latest,
            batch_size: 100,
            window: Duration::ZERO,
            bisects: false,
            retries: None,
            record_age: None,
        };
        assert_eq!(settings, expected);
    }
}
