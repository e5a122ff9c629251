//! W3C trace context: read from a request or generated, logged with every line, passed to other services.

use std::fmt;

use axum::http::HeaderMap;
use uuid::Uuid;

/// The header's name.
const HEADER: &str = "traceparent";

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// The trace of some work. Each outgoing call gets a new span id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    flags: u8,
}

/// Returns the trace of the current task, if it has one.
pub fn current() -> Option<TraceContext> {
    CURRENT.try_with(|context| *context).ok()
}

/// Runs `work` as part of a trace.
pub async fn scope<F: Future>(context: TraceContext, work: F) -> F::Output {
    CURRENT.scope(context, work).await
}

impl TraceContext {
    /// Returns the request's trace, or a new one if the header is absent, repeated or malformed.
    pub fn of_request(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(HEADER).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok().and_then(Self::parse).unwrap_or_else(Self::generate),
            _ => Self::generate(),
        }
    }

    pub fn generate() -> Self {
        Self { trace_id: Uuid::new_v4().as_u128(), flags: 1 }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.trim().split('-');
        let version = hexadecimal(fields.next()?, 2)?;
        let trace_id = hexadecimal(fields.next()?, 32)?;
        let parent_id = hexadecimal(fields.next()?, 16)?;
        let flags = u8::try_from(hexadecimal(fields.next()?, 2)?).ok()?;
        // Version 00 has exactly four fields; a later version may have more, and ff is forbidden.
        let length_fits = version != 0 || fields.next().is_none();
        (version != 0xff && trace_id != 0 && parent_id != 0 && length_fits).then_some(Self { trace_id, flags })
    }

    /// Returns the header for an outgoing call, with a new parent id.
    pub fn header(&self) -> String {
        // The low half of a random UUID; its variant bits make it never zero.
        let parent_id = Uuid::new_v4().as_u64_pair().1;
        format!("00-{self}-{parent_id:016x}-{:02x}", self.flags)
    }
}

/// Formats the trace id for logs.
impl fmt::Display for TraceContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.trace_id)
    }
}

fn hexadecimal(text: &str, length: usize) -> Option<u128> {
    let fits = text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if fits { u128::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_header_is_taken_and_passed_on() {
        let context = TraceContext::parse(GOOD).expect("valid");
        assert_eq!(context.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let onward = context.header();
        assert!(onward.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && onward.ends_with("-01"), "{onward}");
        assert_ne!(onward, GOOD);
        assert_eq!(TraceContext::parse(&onward), Some(context));
        assert!(TraceContext::parse(&GOOD.replacen("00", "cc", 1)).is_some());
        assert!(TraceContext::parse(&format!("{}-more", GOOD.replacen("00", "cc", 1))).is_some());
    }

    #[test]
    fn a_malformed_header_is_not_taken() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_repeated_header_is_not_trusted() {
        let mut headers = HeaderMap::new();
        headers.append(HEADER, GOOD.parse().expect("valid"));
        assert_eq!(TraceContext::of_request(&headers).to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        headers.append(HEADER, GOOD.parse().expect("valid"));
        assert_ne!(TraceContext::of_request(&headers).to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    }
}
