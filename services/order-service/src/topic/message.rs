use form_urlencoded::Serializer;

/// The largest number of messages of one call.
pub const MOST_MESSAGES: usize = 10;

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// In the characters of XML 1.0; ten of them together have at most 256 KiB with their attributes.
    pub body: String,
    /// Names and values; a value is not empty.
    pub attributes: Vec<(&'static str, String)>,
}

/// Returns the form of a `PublishBatch`. An entry's id is its index.
pub(super) fn form(topic: &str, messages: &[&Message]) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", "PublishBatch").append_pair("Version", "2010-03-31").append_pair("TopicArn", topic);
    for (index, message) in messages.iter().enumerate() {
        let entry = format!("PublishBatchRequestEntries.member.{}", index + 1);
        form.append_pair(&format!("{entry}.Id"), &index.to_string());
        form.append_pair(&format!("{entry}.Message"), &message.body);
        for (place, (name, value)) in message.attributes.iter().enumerate() {
            let attribute = format!("{entry}.MessageAttributes.entry.{}", place + 1);
            form.append_pair(&format!("{attribute}.Name"), name);
            form.append_pair(&format!("{attribute}.Value.DataType"), "String");
            form.append_pair(&format!("{attribute}.Value.StringValue"), value);
        }
    }
    form.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_one_entry_a_message() {
        let first = Message { body: r#"{"a": "ü&="}"#.into(), attributes: vec![("type", "order.confirmed".into())] };
        let second = Message { body: "b".into(), attributes: Vec::new() };
        let text = form("arn:aws:sns:eu-west-1:123456789012:t", &[&first, &second]);
        let pairs: Vec<String> =
            form_urlencoded::parse(text.as_bytes()).map(|(name, value)| format!("{name}={value}")).collect();
        insta::assert_snapshot!(pairs.join("\n"));
    }
}
