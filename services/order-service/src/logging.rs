//! Log lines on standard output: one JSON object a line, or text for a terminal.

use std::{fmt, io};

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::{JsonFields, Writer},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use order_domain::Moment;

use crate::config::{Common, LogFormat};

/// Starts logging for the whole process. [`Common::read`] has already refused an invalid filter.
pub(crate) fn start(service: &'static str, common: &Common) {
    let filtered = tracing_subscriber::registry().with(common.log_filter.clone());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stdout)
        // If the reader of standard output is gone, a complaint on standard error may fail as well.
        .log_internal_errors(false);
    let started = match common.log_format {
        LogFormat::Json => {
            filtered.with(lines.fmt_fields(JsonFields::new()).event_format(JsonLine { service })).try_init()
        }
        LogFormat::Text => {
            filtered.with(lines.compact().with_ansi(io::IsTerminal::is_terminal(&io::stdout()))).try_init()
        }
    };
    // It fails only if a test in this process has already started logging.
    drop(started);
}

/// Formats an event as one JSON object, with the fields of the event and of its spans (such as `trace_id`) at the top level.
struct JsonLine {
    service: &'static str,
}

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        write!(
            writer,
            r#"{{"timestamp":"{}","level":"{}","service":"{}","target":"{}""#,
            Moment::now(),
            metadata.level(),
            self.service,
            metadata.target()
        )?;
        for span in context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            let extensions = span.extensions();
            // Already `{"name":value,...}`: only the braces go.
            let fields = extensions.get::<FormattedFields<N>>().map_or("", |fields| fields.fields.as_str());
            if let Some(inner) = fields.strip_prefix('{').and_then(|fields| fields.strip_suffix('}'))
                && !inner.is_empty()
            {
                write!(writer, ",{inner}")?;
            }
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        for (name, value) in &fields.0 {
            write!(writer, ",\"{name}\":{value}")?;
        }
        writeln!(writer, "}}")
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic while held").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_an_object_with_the_trace_id() {
        let buffer = Buffer::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer({
                let buffer = buffer.clone();
                move || buffer.clone()
            })
            .fmt_fields(JsonFields::new())
            .event_format(JsonLine { service: "order-api" })
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let _request = tracing::error_span!("request", trace_id = %"4bf9", endpoint = "/orders").entered();
            tracing::info!(order_id = "o \"1\"", attempts = 2, "order\nsettled");
        });
        let text = String::from_utf8(buffer.0.lock().expect("no panic while held").clone()).expect("UTF-8");
        assert_eq!(text.lines().count(), 1, "{text}");
        let mut line: Value = serde_json::from_str(&text).expect("JSON");
        let timestamp = line.as_object_mut().expect("object").remove("timestamp").expect("timestamp");
        assert!(timestamp.as_str().expect("text").ends_with('Z'));
        insta::assert_json_snapshot!(line);
    }
}
