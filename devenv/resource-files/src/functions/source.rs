//! The ARN of an event source that a file here declares.

use std::ops::Range;

use devenv_model::functions::EventSource;

use crate::messaging::reader::Reader;

const HELP: &str = "write arn:aws:sqs:::QUEUE, or arn:aws:dynamodb:::table/TABLE/stream";

/// The source in an ARN that leaves region and account empty; any other ARN is a mistake.
pub(super) fn source(reader: &mut Reader<'_>, arn: &str, span: Range<usize>) -> Option<EventSource> {
    match arn.split(':').nth(2) {
        Some("sqs") => reader.declared(arn, "sqs", span).map(|named| EventSource::Queue(named.name)),
        Some("dynamodb") => {
            let named = reader.declared(arn, "dynamodb", span.clone())?;
            let table = table(&named.name);
            if table.is_none() {
                reader.report(span, format!("{arn} names no stream of a table"), HELP);
            }
            table.map(EventSource::Stream)
        }
        _ => {
            reader.report(span, format!("{arn} is no event source that devenv serves"), HELP);
            None
        }
    }
}

/// The table in `table/NAME/stream`. AWS adds a label, the stream's date of birth, which a file cannot know.
fn table(resource: &str) -> Option<String> {
    let rest = resource.strip_prefix("table/")?;
    let name = rest.strip_suffix("/stream").or_else(|| rest.strip_suffix("/stream/*"))?;
    (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_by_its_table() {
        assert_eq!(table("table/inventory/stream").as_deref(), Some("inventory"));
        assert_eq!(table("table/inventory/stream/*").as_deref(), Some("inventory"));
        for wrong in ["table/inventory", "inventory/stream", "table//stream", "table/a/b/stream"] {
            assert_eq!(table(wrong), None, "{wrong}");
        }
    }
}
