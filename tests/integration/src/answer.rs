use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The headers of the contract.
const SHOWN: [&str; 4] = ["allow", "content-type", "location", "retry-after"];

/// An HTTP answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    /// JSON, or a string if the body is not JSON.
    pub body: Value,
}

impl Answer {
    pub(crate) async fn read(response: reqwest_tls::Response) -> Result<Self, reqwest_tls::Error> {
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Self { status, headers, body })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The status of an answer with a `detail`, as in `(404, "Order not found")`.
    pub fn failure(&self) -> (u16, &str) {
        (self.status, self.body["detail"].as_str().unwrap_or_default())
    }

    /// The id of this answer's order.
    ///
    /// # Panics
    /// When the answer has none.
    pub fn order_id(&self) -> Uuid {
        self.find_order_id().unwrap_or_else(|| panic!("expected an answer with an order_id (a UUID), got {self:?}"))
    }

    pub fn find_order_id(&self) -> Option<Uuid> {
        self.body["order_id"].as_str()?.parse().ok()
    }

    /// The answer for a snapshot. Replaces values that change with every run, but only those in exactly the contract's form.
    pub fn redacted(&self) -> Value {
        let headers: Map<String, Value> = SHOWN
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), json!(redacted_text(self.header(name)?)))))
            .collect();
        json!({ "status": self.status, "headers": headers, "body": redacted(&self.body) })
    }
}

fn redacted(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(redacted_text(text)),
        Value::Array(values) => values.iter().map(redacted).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), redacted(value))).collect(),
        other => other.clone(),
    }
}

fn redacted_text(text: &str) -> String {
    if is_uuid(text) {
        "[uuid]".to_owned()
    } else if is_moment(text) {
        "[moment]".to_owned()
    } else if let Some(id) = text.strip_prefix("/orders/").filter(|id| is_uuid(id)) {
        text.replace(id, "[uuid]")
    } else {
        let made = ["product", "customer"].into_iter().find(|kind| {
            text.strip_prefix(kind)
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|id| Uuid::try_parse(id).is_ok())
        });
        made.map_or_else(|| text.to_owned(), |kind| format!("[{kind}]"))
    }
}

/// A UUID in lower case with hyphens.
fn is_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text)
}

/// An RFC 3339 time in UTC with exactly six decimals.
fn is_moment(text: &str) -> bool {
    text.len() == "2000-01-01T00:00:00.000000Z".len() && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_right_form_is_redacted() {
        for (text, shown) in [
            ("018f0000-0000-7000-8000-000000000000", "[uuid]"),
            ("/orders/018f0000-0000-7000-8000-000000000000", "/orders/[uuid]"),
            ("2026-03-01T10:00:00.123456Z", "[moment]"),
            ("product-018f00000000700080000000000000ff", "[product]"),
        ] {
            assert_eq!(redacted_text(text), shown);
        }
        for other in [
            "018F0000-0000-7000-8000-000000000000",
            "018f00000000700080000000000000ff",
            "2026-03-01T10:00:00.123Z",
            "2026-03-01T10:00:00.123456+00:00",
            "/orders/1",
            "product-1",
        ] {
            assert_eq!(redacted_text(other), other);
        }
    }
}
