//! What Lambda hands over and takes back.

use serde::{Deserialize, Serialize};

use crate::record::Record;

/// Records of one shard, in the order of their writes.
#[derive(Debug, Clone, Deserialize)]
pub struct Batch {
    #[serde(rename = "Records", default)]
    pub(crate) records: Vec<Record>,
}

/// The answer to a batch: nothing, or the first record that failed. Lambda hands that one and all after it over again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    #[serde(rename = "batchItemFailures")]
    failures: Vec<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Failure {
    #[serde(rename = "itemIdentifier")]
    sequence_number: String,
}

impl Answer {
    pub(crate) fn done() -> Self {
        Self { failures: Vec::new() }
    }

    pub(crate) fn failed_at(sequence_number: &str) -> Self {
        Self { failures: vec![Failure { sequence_number: sequence_number.to_owned() }] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_names_of_lambda() {
        let text = |answer| serde_json::to_string(&answer).expect("JSON");
        assert_eq!(text(Answer::done()), r#"{"batchItemFailures":[]}"#);
        assert_eq!(text(Answer::failed_at("12")), r#"{"batchItemFailures":[{"itemIdentifier":"12"}]}"#);
    }
}
