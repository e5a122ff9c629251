//! AWS's Query protocol: SNS. A request is a form, an answer is XML.

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::http::Http;
use crate::xml::{Element, parse};

const VERSION: &str = "2010-03-31";

#[derive(Debug, Clone)]
pub(crate) struct QueryWire {
    http: Http,
}

impl QueryWire {
    pub(crate) fn new(endpoint: Endpoint, region: &str, access_key: &str) -> Self {
        Self { http: Http::new(endpoint, region, access_key, "sns") }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        self.http.endpoint()
    }

    /// Sends an operation and returns its `...Result`, which is empty if the operation has none.
    pub(crate) async fn call(&self, operation: &'static str, input: &Value) -> Result<Element, Error> {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.http.post(operation, &headers, form(operation, input)).await?;
        let Some(root) = parse(&answer.body) else {
            return Err(self.http.stranger(operation, &answer, "SNS"));
        };
        if answer.is_success {
            return Ok(root.child(&format!("{operation}Result")).cloned().unwrap_or_default());
        }
        let error = root.child("Error").unwrap_or(&root);
        let text = |name: &str| error.text_of(name).unwrap_or_default().to_owned();
        Err(Error::Refused { operation, kind: text("Code"), message: text("Message") })
    }
}

fn form(operation: &str, input: &Value) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", operation).append_pair("Version", VERSION);
    form.extend_pairs(parameters(input));
    form.finish()
}

/// The parameters of an input in the AWS CLI's form: `Attributes` becomes `Attributes.entry.1.key` and so on, a list of mappings
/// `Tags.member.1.Key`.
fn parameters(input: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, value) in input.as_object().into_iter().flatten() {
        match value {
            Value::Object(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    let entry = format!("{name}.entry.{}", index + 1);
                    found.push((format!("{entry}.key"), key.clone()));
                    found.push((format!("{entry}.value"), scalar(value)));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    for (key, value) in item.as_object().into_iter().flatten() {
                        found.push((format!("{name}.member.{}.{key}", index + 1), scalar(value)));
                    }
                }
            }
            value => found.push((name.clone(), scalar(value))),
        }
    }
    found
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mappings_and_lists_become_numbered_parameters() {
        let input = json!({
            "Name": "events", "Attributes": { "DisplayName": "Events" }, "Tags": [{ "Key": "team", "Value": "orders" }],
        });
        let found = parameters(&input);
        let lines: Vec<String> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            lines,
            [
                "Attributes.entry.1.key=DisplayName",
                "Attributes.entry.1.value=Events",
                "Name=events",
                "Tags.member.1.Key=team",
                "Tags.member.1.Value=orders",
            ]
        );
    }
}
