//! The filters of a mapping: a record that none of them accepts never reaches the function.

use devenv_filters::{FilterPolicy, Scope};
use serde_json::{Map, Value};

/// A record passes if one of the patterns accepts it, or if there is none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filters(Vec<FilterPolicy>);

impl Filters {
    /// Reads `FilterCriteria`.
    pub(crate) fn of(criteria: &Value) -> Result<Self, String> {
        let filters = criteria["Filters"].as_array().into_iter().flatten();
        let pattern = |filter: &Value| {
            let text = filter["Pattern"].as_str().unwrap_or("{}");
            FilterPolicy::parse(text, Scope::MessageBody).map_err(|error| error.to_string())
        };
        Ok(Self(filters.map(pattern).collect::<Result<_, _>>()?))
    }

    /// `record` is the record as patterns see it.
    pub(crate) fn accept(&self, record: &Map<String, Value>) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| pattern.accepts(record))
    }
}

/// A queue's record as patterns see it: a body that is JSON is looked into.
pub(crate) fn of_message(record: &Value) -> Map<String, Value> {
    let mut seen = record.as_object().cloned().unwrap_or_default();
    let body = seen.get("body").and_then(Value::as_str).and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(body) = body.filter(Value::is_object) {
        seen.insert("body".to_owned(), body);
    }
    seen
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn accepted(patterns: &[&str], body: &str) -> bool {
        let filters: Vec<Value> = patterns.iter().map(|pattern| json!({ "Pattern": pattern })).collect();
        let filters = Filters::of(&json!({ "Filters": filters })).expect("valid");
        filters.accept(&of_message(&json!({ "body": body, "messageAttributes": {} })))
    }

    #[test]
    fn a_record_passes_by_one_of_the_patterns() {
        let confirmed = r#"{"body":{"type":["order.confirmed"]}}"#;
        let large = r#"{"body":{"total":[{"numeric":[">",100]}]}}"#;
        assert!(accepted(&[], "anything"));
        assert!(accepted(&[confirmed], r#"{"type":"order.confirmed"}"#));
        assert!(!accepted(&[confirmed], r#"{"type":"order.rejected"}"#));
        assert!(!accepted(&[confirmed], "no JSON"));
        assert!(accepted(&[confirmed, large], r#"{"type":"order.rejected","total":101}"#));
        assert!(accepted(&[r#"{"body":["plain"]}"#], "plain"));
    }
}
