//! The differences between the attributes of a file and those of an existing queue, topic or subscription.

use std::collections::BTreeMap;

use serde_json::Value;

use super::queue_service::Attributes;

/// An attribute that a file may set.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    /// The values that AWS fills in; the first one is current. An absent attribute has the value "".
    defaults: &'static [&'static str],
    form: Form,
    /// Whether an emulator reports it once it is set. The absence of another attribute proves nothing.
    is_reported: bool,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Text,
    Flag,
    /// JSON in which an ARN may be complete or not.
    Policy,
}

const fn reported(name: &'static str, defaults: &'static [&'static str], form: Form) -> Known {
    Known { name, defaults, form, is_reported: true }
}

const fn optional(name: &'static str, defaults: &'static [&'static str], form: Form) -> Known {
    Known { name, defaults, form, is_reported: false }
}

pub(super) const QUEUE: &[Known] = &[
    reported("DelaySeconds", &["0"], Form::Text),
    // The limit of a message was 256 KiB until 2025.
    reported("MaximumMessageSize", &["1048576", "262144"], Form::Text),
    reported("MessageRetentionPeriod", &["345600"], Form::Text),
    reported("ReceiveMessageWaitTimeSeconds", &["0"], Form::Text),
    reported("VisibilityTimeout", &["30"], Form::Text),
    reported("RedrivePolicy", &[""], Form::Policy),
    reported("ContentBasedDeduplication", &["false"], Form::Flag),
    reported("RedriveAllowPolicy", &["", "{\"redrivePermission\":\"allowAll\"}"], Form::Policy),
    optional("DeduplicationScope", &["queue"], Form::Text),
    optional("FifoThroughputLimit", &["perQueue"], Form::Text),
    optional("SqsManagedSseEnabled", &["true", "false"], Form::Flag),
];

pub(super) const TOPIC: &[Known] = &[
    reported("DisplayName", &[""], Form::Text),
    reported("ContentBasedDeduplication", &["false"], Form::Flag),
    optional("FifoThroughputScope", &["Topic", "MessageGroup"], Form::Text),
    optional("SignatureVersion", &["1", "2"], Form::Text),
    optional("TracingConfig", &["PassThrough"], Form::Text),
];

pub(super) const SUBSCRIPTION: &[Known] = &[
    reported("RawMessageDelivery", &["false"], Form::Flag),
    reported("FilterPolicy", &[""], Form::Policy),
    reported("FilterPolicyScope", &["MessageAttributes"], Form::Text),
    reported("RedrivePolicy", &[""], Form::Policy),
];

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    /// One line for each, in the words of the file.
    pub(super) lines: Vec<String>,
    /// The values that end them.
    pub(super) wanted: Attributes,
}

/// Compares the `Attributes` of a definition with those of the existing `noun`.
pub(super) fn differences(noun: &str, known: &[Known], definition: &Value, there: &Attributes) -> Differences {
    let mut found = Differences::default();
    for attribute in known {
        let file = definition["Attributes"][attribute.name].as_str();
        let seen = there.get(attribute.name).map(String::as_str);
        if !attribute.is_reported && seen.is_none() {
            continue;
        }
        let default = attribute.defaults[0];
        let seen_form = attribute.form.of(seen.unwrap_or(default));
        let is_same = match file {
            Some(file) => attribute.form.of(file) == seen_form,
            None => attribute.defaults.iter().any(|default| attribute.form.of(default) == seen_form),
        };
        if !is_same {
            let word = |text: Option<&str>| {
                let text = text.map(|text| attribute.form.of(text)).filter(|text| !text.is_empty());
                text.unwrap_or_else(|| "absent".to_owned())
            };
            let line = format!("{} is {} in the file, {} in the {noun}", attribute.name, word(file), word(seen));
            found.lines.push(line);
            found.wanted.insert(attribute.name.to_owned(), file.unwrap_or(default).to_owned());
        }
    }
    found
}

impl Form {
    /// The form in which two values of the same meaning are equal.
    fn of(self, value: &str) -> String {
        match self {
            Self::Text => value.to_owned(),
            Self::Flag => value.to_ascii_lowercase(),
            Self::Policy => match serde_json::from_str::<Value>(value) {
                Ok(Value::Object(entries)) if entries.is_empty() => String::new(),
                Ok(policy) => canonical(&policy),
                Err(_) => value.to_owned(),
            },
        }
    }
}

/// JSON with sorted keys, numbers instead of their texts where AWS takes either, and ARNs as their names.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let sorted: BTreeMap<&String, &Value> = entries.iter().collect();
            let field = |(key, value): (&String, &Value)| {
                let value = match value.as_str().filter(|_| key == "maxReceiveCount") {
                    Some(text) => text.to_owned(),
                    None => canonical(value),
                };
                format!("{}:{value}", Value::from(key.as_str()))
            };
            format!("{{{}}}", sorted.into_iter().map(field).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::String(text) => Value::from(name_of(text)).to_string(),
        other => other.to_string(),
    }
}

/// The name in an ARN of a queue, however complete; any other text as it is.
pub(super) fn name_of(text: &str) -> &str {
    match text.strip_prefix("arn:aws:sqs:") {
        Some(rest) => rest.rsplit(':').next().unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attributes(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn queue() -> Value {
        json!({ "Attributes": {
            "VisibilityTimeout": "60",
            "RedrivePolicy": r#"{"deadLetterTargetArn":"arn:aws:sqs:::dead","maxReceiveCount":"5"}"#,
        } })
    }

    #[test]
    fn what_aws_fills_in_and_another_spelling_are_no_difference() {
        let there = attributes(&[
            ("VisibilityTimeout", "60"),
            ("MaximumMessageSize", "262144"),
            ("MessageRetentionPeriod", "345600"),
            ("QueueArn", "arn:aws:sqs:eu-west-1:000000000000:work"),
            ("SqsManagedSseEnabled", "false"),
            (
                "RedrivePolicy",
                r#"{"maxReceiveCount": 5, "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:000000000000:dead"}"#,
            ),
        ]);
        assert_eq!(differences("queue", QUEUE, &queue(), &there), Differences::default());
    }

    #[test]
    fn each_difference_has_its_line_and_the_value_that_ends_it() {
        let there = attributes(&[
            ("DelaySeconds", "5"),
            ("VisibilityTimeout", "30"),
            ("RedrivePolicy", r#"{"maxReceiveCount":3,"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:other"}"#),
        ]);
        let found = differences("queue", QUEUE, &queue(), &there);
        insta::assert_snapshot!(found.lines.join("\n"), @r#"
        DelaySeconds is absent in the file, 5 in the queue
        VisibilityTimeout is 60 in the file, 30 in the queue
        RedrivePolicy is {"deadLetterTargetArn":"dead","maxReceiveCount":5} in the file, {"deadLetterTargetArn":"other","maxReceiveCount":3} in the queue
        "#);
        assert_eq!(found.wanted["DelaySeconds"], "0");
        assert_eq!(found.wanted["VisibilityTimeout"], "60");
        assert_eq!(found.wanted.len(), 3);
    }

    #[test]
    fn what_an_emulator_reports_only_if_it_is_set_can_be_added_and_removed() {
        let redrive = r#"{"deadLetterTargetArn":"arn:aws:sqs:::dead"}"#;
        let set = [("FilterPolicyScope", "MessageBody"), ("RedrivePolicy", redrive)];
        let with = json!({ "Attributes": { "FilterPolicyScope": "MessageBody", "RedrivePolicy": redrive } });
        let added = differences("subscription", SUBSCRIPTION, &with, &attributes(&[]));
        assert_eq!(added.wanted, attributes(&set));
        assert_eq!(differences("subscription", SUBSCRIPTION, &with, &attributes(&set)), Differences::default());
        let removed = differences("subscription", SUBSCRIPTION, &json!({}), &attributes(&set));
        assert_eq!(removed.wanted, attributes(&[("FilterPolicyScope", "MessageAttributes"), ("RedrivePolicy", "")]));

        let closed = r#"{"redrivePermission":"denyAll"}"#;
        let with = json!({ "Attributes": { "RedriveAllowPolicy": closed } });
        let added = differences("queue", QUEUE, &with, &attributes(&[]));
        assert_eq!(added.wanted, attributes(&[("RedriveAllowPolicy", closed)]));
        let there = attributes(&[("RedriveAllowPolicy", closed), ("DeduplicationScope", "messageGroup")]);
        let removed = differences("queue", QUEUE, &json!({}), &there);
        assert_eq!(removed.wanted, attributes(&[("DeduplicationScope", "queue"), ("RedriveAllowPolicy", "")]));
        let everybody = attributes(&[("RedriveAllowPolicy", r#"{"redrivePermission":"allowAll"}"#)]);
        assert_eq!(differences("queue", QUEUE, &json!({}), &everybody), Differences::default());
    }

    #[test]
    fn a_policy_that_the_file_no_longer_has_is_removed() {
        let there = attributes(&[("FilterPolicy", r#"{"type":["a"]}"#), ("RawMessageDelivery", "True")]);
        let file = json!({ "Attributes": { "RawMessageDelivery": "true" } });
        let found = differences("subscription", SUBSCRIPTION, &file, &there);
        assert_eq!(found.wanted, attributes(&[("FilterPolicy", "")]));
    }
}
