use serde_json::Value;

/// Turns a structured line into level, message and the other fields. Returns any other line unchanged.
pub(super) fn readable(line: &str) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(line) else {
        return line.to_owned();
    };
    if let Some(Value::Object(inner)) = fields.remove("fields") {
        fields.extend(inner);
    }
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let Some(message) = fields.remove("message").map(text) else {
        return line.to_owned();
    };
    let level = fields.remove("level").map(text).unwrap_or_default();
    let left_out = ["timestamp", "target", "span", "spans", "threadId"];
    let rest: Vec<String> = fields
        .into_iter()
        .filter(|(name, _)| !left_out.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={}", text(value)))
        .collect();
    format!("{level:<5} {message} {}", rest.join(" ")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structured_line_is_made_readable() {
        let line =
            r#"{"timestamp":"2026-01-01T00:00:00Z","level":"INFO","message":"order placed","order_id":"a","ms":3}"#;
        assert_eq!(readable(line), "INFO  order placed ms=3 order_id=a");
        assert_eq!(readable("plain words"), "plain words");
        assert_eq!(readable("{\"a\":1}"), "{\"a\":1}");
    }
}
