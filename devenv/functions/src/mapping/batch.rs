//! The event that a function gets for messages of a queue.

use serde_json::{Map, Value, json};

/// A received message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) receipt: String,
    /// The record that the function gets.
    pub(crate) record: Value,
}

impl Message {
    /// Reads a message of `ReceiveMessage`; `None` if it has no id or receipt.
    pub(crate) fn of(message: &Value, queue_arn: &str, region: &str) -> Option<Self> {
        let text = |key: &str| message[key].as_str().map(str::to_owned);
        let (id, receipt) = (text("MessageId")?, text("ReceiptHandle")?);
        let mut record = json!({
            "messageId": id,
            "receiptHandle": receipt,
            "body": message["Body"].as_str().unwrap_or_default(),
            "attributes": message.get("Attributes").cloned().unwrap_or_else(|| json!({})),
            "messageAttributes": attributes(&message["MessageAttributes"]),
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": region,
        });
        if let Some(digest) = message.get("MD5OfMessageAttributes") {
            record["md5OfMessageAttributes"] = digest.clone();
        }
        Some(Self { id, receipt, record })
    }

    /// Bytes that the message takes in an event.
    pub(crate) fn size(&self) -> usize {
        self.record.to_string().len()
    }
}

fn attributes(of_message: &Value) -> Map<String, Value> {
    let attribute = |(name, attribute): (&String, &Value)| {
        let mut renamed = json!({ "stringListValues": [], "binaryListValues": [], "dataType": attribute["DataType"] });
        for (theirs, ours) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
            if let Some(value) = attribute.get(theirs) {
                renamed[ours] = value.clone();
            }
        }
        (name.clone(), renamed)
    };
    of_message.as_object().into_iter().flatten().map(attribute).collect()
}

pub(crate) fn event<'m>(messages: impl IntoIterator<Item = &'m Message>) -> Value {
    let records: Vec<&Value> = messages.into_iter().map(|message| &message.record).collect();
    json!({ "Records": records })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_form_that_lambda_gives_it() {
        let received = json!({
            "MessageId": "m", "ReceiptHandle": "r", "Body": "{\"a\":1}", "MD5OfBody": "d",
            "Attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "5" },
            "MessageAttributes": { "type": { "DataType": "String", "StringValue": "order.confirmed" } },
            "MD5OfMessageAttributes": "e",
        });
        let message = Message::of(&received, "arn:aws:sqs:eu-west-1:0:work", "eu-west-1").expect("complete");
        let expected = json!({ "Records": [{
            "messageId": "m", "receiptHandle": "r", "body": "{\"a\":1}", "md5OfBody": "d", "md5OfMessageAttributes": "e",
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "5" },
            "messageAttributes": { "type": {
                "stringValue": "order.confirmed", "stringListValues": [], "binaryListValues": [], "dataType": "String",
            } },
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:0:work", "awsRegion": "eu-west-1",
        }] });
        assert_eq!(event([&message]), expected);
        assert_eq!(Message::of(&json!({ "Body": "x" }), "a", "r"), None);
    }
}
