//! Reads a JSON body like the services' predecessors: a missing content type counts as JSON, another one makes the body
//! invalid.

use std::time::Duration;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::BodyExt;
use order_domain::Invalid;
use serde_json::Value;

use crate::Failure;

/// The size limit of a body in bytes.
pub const LIMIT: usize = 64 * 1024;

/// The time limit for receiving a request's body. It is shorter than the time limit of the whole request, so that a stalled
/// client and a slow service get different answers.
const ARRIVES_WITHIN: Duration = Duration::from_secs(4);

/// The bytes of an oversized body that are still read: a client that reads only after sending everything then receives
/// the answer, not a reset connection.
const DISCARDED: usize = 1024 * 1024;

/// Reads a request's body as JSON.
pub async fn json(request: Request) -> Result<Value, Failure> {
    let is_json = is_json(request.headers());
    let bytes = tokio::time::timeout(ARRIVES_WITHIN, read(request.into_body())).await.unwrap_or_else(|_| {
        let detail = format!("The body did not arrive within {ARRIVES_WITHIN:?}");
        Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", detail))
    })?;
    if bytes.is_empty() {
        return Err(Failure::invalid(&[Invalid::body("missing", "Field required")]));
    }
    if !is_json {
        return Err(Failure::invalid(&[Invalid::body(
            "model_attributes_type",
            "Input should be a valid dictionary or object to extract fields from",
        )]));
    }
    serde_json::from_slice(&bytes).map_err(|error| Failure::invalid(&[Invalid::json(position(&bytes, &error))]))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else { return true };
    let essence =
        content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.strip_prefix("application/").is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

async fn read(mut body: Body) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Failure::new(StatusCode::BAD_REQUEST, "body_unreadable", "There was an error reading the body")
        })?;
        let Some(data) = frame.data_ref() else { continue };
        length += data.len();
        if length <= LIMIT {
            bytes.extend_from_slice(data);
        } else if length > LIMIT + DISCARDED {
            break;
        }
    }
    if length > LIMIT {
        let detail = format!("Request body is larger than {LIMIT} bytes");
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail));
    }
    Ok(bytes)
}

/// Returns the error's offset in the body, in bytes. serde_json counts lines from 1.
fn position(bytes: &[u8], error: &serde_json::Error) -> usize {
    let line_start: usize =
        bytes.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1)).map(<[u8]>::len).sum();
    line_start + error.column().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        pin::Pin,
        task::{Context, Poll},
    };

    use axum::{body::Bytes, response::IntoResponse};

    use super::*;

    async fn answer(content_type: Option<&str>, body: impl Into<Body>) -> Result<Value, StatusCode> {
        let mut request = Request::builder();
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        json(request.body(body.into()).expect("valid request"))
            .await
            .map_err(|failure| failure.into_response().status())
    }

    #[tokio::test]
    async fn content_types_are_taken_leniently() {
        for content_type in
            [None, Some("application/json"), Some("Application/JSON; charset=utf-8"), Some("application/vnd.api+json")]
        {
            assert_eq!(answer(content_type, "{}").await, Ok(serde_json::json!({})), "{content_type:?}");
        }
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "json"] {
            assert_eq!(answer(Some(content_type), "{}").await, Err(StatusCode::UNPROCESSABLE_ENTITY), "{content_type}");
        }
    }

    #[tokio::test]
    async fn the_limit_is_exact() {
        let fits = format!("\"{}\"", "x".repeat(LIMIT - 2));
        assert!(answer(None, fits).await.is_ok());
        let too_large = format!("\"{}\"", "x".repeat(LIMIT - 1));
        assert_eq!(answer(None, too_large).await, Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(answer(None, vec![b' '; LIMIT + DISCARDED + 2]).await, Err(StatusCode::PAYLOAD_TOO_LARGE));
    }

    /// A body that starts and never continues.
    struct Stalled(Option<&'static [u8]>);

    impl axum::body::HttpBody for Stalled {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
            self.0.take().map_or(Poll::Pending, |begun| {
                Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(begun)))))
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stalls_in_its_body_is_408_and_its_own_fault() {
        let stalled = tokio::time::timeout(Duration::from_secs(30), answer(None, Body::new(Stalled(Some(b"{")))));
        assert_eq!(stalled.await.expect("a limit"), Err(StatusCode::REQUEST_TIMEOUT));
    }

    #[tokio::test]
    async fn broken_json_is_located() {
        let bytes = b"{\n  \"a\": x}";
        let error = serde_json::from_slice::<Value>(bytes).expect_err("broken");
        assert_eq!(bytes[position(bytes, &error)], b'x');
        assert_eq!(answer(None, "").await, Err(StatusCode::UNPROCESSABLE_ENTITY));
    }
}
