//! Reads the XML of SNS.

use std::collections::HashMap;

use quick_xml::{Reader, events::Event};

use super::error::TopicCause;

/// The outcome of a call by entry id: nothing, or the reason the topic did not take the message.
pub(super) type Outcomes = HashMap<String, Result<(), String>>;

/// The texts of the elements of an answer, each with its path of names from the root on.
fn texts(body: &[u8]) -> Result<Vec<(Vec<String>, String)>, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(text);
    let (mut path, mut found, mut current) = (Vec::new(), Vec::new(), String::new());
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                path.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
                current.clear();
            }
            Event::Text(text) => current.push_str(&text.decode().map_err(|error| error.to_string())?),
            Event::End(_) => {
                found.push((path.clone(), std::mem::take(&mut current)));
                path.pop();
            }
            Event::Eof if path.is_empty() => return Ok(found),
            Event::Eof => return Err("the answer breaks off".to_owned()),
            _ => {}
        }
    }
}

/// Reads the answer of a `PublishBatch`.
pub(super) fn outcomes(body: &[u8]) -> Result<Outcomes, String> {
    let mut outcomes = Outcomes::new();
    let mut failed: HashMap<&str, String> = HashMap::new();
    let found = texts(body)?;
    for (path, text) in &found {
        match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [_, _, "Successful", "member", "Id"] => drop(outcomes.insert(text.clone(), Ok(()))),
            [_, _, "Failed", "member", field @ ("Id" | "Code" | "Message")] => drop(failed.insert(field, text.clone())),
            [_, _, "Failed", "member"] => {
                let mut field = |name| failed.remove(name).unwrap_or_default();
                outcomes.insert(field("Id"), Err(format!("{}: {}", field("Code"), field("Message"))));
            }
            _ => {}
        }
    }
    Ok(outcomes)
}

/// Reads an answer that is no success. A gateway's page has no code.
pub(super) fn refusal(status: u16, body: &[u8]) -> TopicCause {
    let found = texts(body).unwrap_or_default();
    let field = |name: &str| {
        found
            .iter()
            .find(|(path, _)| path.iter().map(String::as_str).eq(["ErrorResponse", "Error", name]))
            .map_or("", |(_, text)| text.as_str())
    };
    TopicCause::of(status, field("Code"), field("Message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = r#"<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <PublishBatchResult>
    <Successful>
      <member><MessageId>m-0</MessageId><Id>0</Id></member>
      <member><MessageId>m-2</MessageId><Id>2</Id></member>
    </Successful>
    <Failed>
      <member><Id>1</Id><Code>InvalidParameter</Code><Message>Empty message</Message><SenderFault>true</SenderFault></member>
    </Failed>
  </PublishBatchResult>
  <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>
</PublishBatchResponse>"#;

    #[test]
    fn each_entry_has_its_outcome() {
        let outcomes = outcomes(MIXED.as_bytes()).expect("readable");
        assert_eq!(outcomes.len(), 3);
        assert_eq!(outcomes["0"], Ok(()));
        assert_eq!(outcomes["1"], Err("InvalidParameter: Empty message".into()));
        assert_eq!(outcomes["2"], Ok(()));
        assert!(super::outcomes(&MIXED.as_bytes()[..200]).is_err(), "a truncated answer reports no message");
        assert_eq!(super::outcomes(b"<html></html>").expect("readable").len(), 0);
    }

    #[test]
    fn a_refusal_has_its_code() {
        let body = "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>Topic does not exist</Message>\
            </Error><RequestId>0</RequestId></ErrorResponse>";
        assert_eq!(refusal(404, body.as_bytes()), TopicCause::Closed("404 NotFound: Topic does not exist".into()));
        assert!(matches!(refusal(404, b"<html>"), TopicCause::Busy(_)), "another program at the address");
    }
}
