use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// A record of `GetRecords`.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamRecord {
    pub sequence_number: String,
    value: Value,
    /// Bytes in an event.
    pub(crate) size: usize,
}

impl StreamRecord {
    /// Reads a record; `None` if it has no sequence number.
    pub fn of(value: Value) -> Option<Self> {
        let sequence_number = value["dynamodb"]["SequenceNumber"].as_str()?.to_owned();
        let size = value.to_string().len();
        Some(Self { sequence_number, value, size })
    }

    /// The record as Lambda gives it to a function.
    pub fn for_function(&self, stream_arn: &str, region: &str) -> Value {
        let mut record = self.value.clone();
        record["eventSource"] = json!("aws:dynamodb");
        record["eventSourceARN"] = json!(stream_arn);
        record["awsRegion"] = json!(region);
        record
    }

    /// The time since the write, at `now`.
    pub(crate) fn age(&self, now: SystemTime) -> Option<Duration> {
        let seconds = self.value["dynamodb"]["ApproximateCreationDateTime"].as_f64()?;
        let created = UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        // A write of another clock may be in the future.
        Some(now.duration_since(created).unwrap_or_default())
    }
}
