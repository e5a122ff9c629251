//! Interprets order-processor's answers, and missing answers.

use axum::{body::Bytes, http::StatusCode};
use order_domain::{Confirmation, Refusal};
use order_service::{causes::innermost, code};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;

use crate::record::Decision;

/// The reason there is no decision.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessorError {
    #[error("order-processor is not available: {0}")]
    Unavailable(String),
    #[error("too many orders of the product: {0}")]
    Busy(String),
    #[error("order-processor did not answer in time")]
    Timeout,
    #[error("order-processor answered unexpectedly: {0}")]
    Unexpected(String),
}

/// The reason a call to one target gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Missed {
    #[error("not reached: {0}")]
    NotReached(String),
    #[error("broke off: {0}")]
    BrokeOff(String),
    /// The target did not answer in time. The budget has already paid for another attempt, if there is one.
    #[error("no answer in time")]
    Slow,
    /// The target answered but does not serve: 502, 503 or 429.
    #[error("turned away with {0}")]
    TurnedAway(StatusCode, Bytes),
}

impl Missed {
    /// Whether a retry at another target is free: this target did no work, or the budget has already paid.
    pub(crate) fn is_free(&self) -> bool {
        match self {
            Self::NotReached(_) | Self::Slow => true,
            Self::BrokeOff(_) => false,
            Self::TurnedAway(_, body) => Problem::read(body).has_code(code::DRAINING),
        }
    }

    /// Converts the miss into the final answer, if no other target remains.
    pub(crate) fn into_answer(self, target: &Url) -> Result<(StatusCode, Bytes), ProcessorError> {
        match self {
            Self::TurnedAway(status, body) => Ok((status, body)),
            Self::Slow => Err(ProcessorError::Timeout),
            Self::NotReached(reason) | Self::BrokeOff(reason) => {
                Err(ProcessorError::Unavailable(format!("{target}: {reason}")))
            }
        }
    }
}

/// Sends a request. Returns its answer, or `Missed` if another target should answer.
pub(crate) async fn of_response(request: RequestBuilder) -> Result<(StatusCode, Bytes), Missed> {
    let answer = async {
        let response = request.send().await?;
        Ok((response.status(), response.bytes().await?))
    };
    match answer.await {
        Ok((status, body)) if turns_away(status, &body) => Err(Missed::TurnedAway(status, body)),
        Ok(answer) => Ok(answer),
        Err(error) => Err(missed(&error)),
    }
}

fn missed(error: &reqwest::Error) -> Missed {
    let reason = innermost(error);
    if error.is_connect() { Missed::NotReached(reason) } else { Missed::BrokeOff(reason) }
}

fn turns_away(status: StatusCode, body: &[u8]) -> bool {
    is_unavailable(status) && !Problem::read(body).has_code(code::PRODUCT_BUSY)
}

fn is_unavailable(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
}

/// Reads order-processor's decision from an answer.
pub(crate) fn decision(status: StatusCode, body: &[u8]) -> Result<Decision, ProcessorError> {
    let text = || format!("{status}: {}", String::from_utf8_lossy(&body[..body.len().min(300)]));
    match status {
        StatusCode::OK => serde_json::from_slice::<Confirmation>(body)
            .map(|confirmation| Decision::Confirmed {
                total_price: confirmation.total_price,
                processed_at: confirmation.processed_at,
            })
            .map_err(|error| ProcessorError::Unexpected(format!("{error} in {}", text()))),
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => {
            Problem::read(body).refusal().map(Decision::Refused).ok_or_else(|| ProcessorError::Unexpected(text()))
        }
        StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => Err(ProcessorError::Timeout),
        status if is_unavailable(status) => {
            let busy = Problem::read(body).has_code(code::PRODUCT_BUSY);
            Err(if busy { ProcessorError::Busy(text()) } else { ProcessorError::Unavailable(text()) })
        }
        _ => Err(ProcessorError::Unexpected(text())),
    }
}

/// An error answer, of any program.
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    detail: serde_json::Value,
}

impl Problem {
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Returns the answer's refusal. Another program's 404 at that address is not a refusal: a wrong URL must not reject an
    /// order. An order-processor of the previous release sends no code, only its detail.
    fn refusal(&self) -> Option<Refusal> {
        match &self.code {
            Some(code) => Refusal::of_code(code),
            None => Refusal::of_detail(self.detail.as_str()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> Option<Refusal> {
        match decision(StatusCode::from_u16(status).expect("a status"), body.as_bytes()) {
            Ok(Decision::Refused(refusal)) => Some(refusal),
            Ok(Decision::Confirmed { .. }) => panic!("confirmed"),
            Err(_) => None,
        }
    }

    #[test]
    fn a_refusal_is_known_by_its_code_and_of_an_old_processor_by_its_words() {
        let refusal = Some(Refusal::InsufficientInventory);
        assert_eq!(refused(400, r#"{"detail": "Out of stock", "code": "insufficient_inventory"}"#), refusal);
        assert_eq!(refused(400, r#"{"detail": "Insufficient inventory"}"#), refusal);
        assert_eq!(refused(404, r#"{"detail": "Product not found"}"#), Some(Refusal::UnknownProduct));
        for other in [
            r#"{"detail": "Not Found"}"#,
            r#"{"detail": "Not Found", "code": "not_found"}"#,
            r#"{"detail": "Product not found", "code": "route_not_found"}"#,
            r#"{"detail": ["Product not found"]}"#,
            r#"{"code": 404}"#,
            "Product not found",
        ] {
            assert_eq!(refused(404, other), None, "{other}");
        }
    }

    #[test]
    fn another_target_is_asked_unless_it_would_say_the_same() {
        for (status, body, elsewhere, free) in [
            (503, r#"{"detail": "The service is shutting down", "code": "draining"}"#, true, true),
            (503, r#"{"detail": "The service is shutting down"}"#, true, false),
            (503, r#"{"detail": "The database is not available", "code": "database_unavailable"}"#, true, false),
            (503, r#"{"detail": "try again", "code": "product_busy"}"#, false, false),
            (502, "<html>", true, false),
            (429, "", true, false),
            (500, "", false, false),
            (504, "", false, false),
            (200, "", false, false),
        ] {
            let code = StatusCode::from_u16(status).expect("a status");
            assert_eq!(turns_away(code, body.as_bytes()), elsewhere, "{status} {body}");
            let missed = Missed::TurnedAway(code, Bytes::from_static(body.as_bytes()));
            assert_eq!(missed.is_free(), free, "{status} {body}");
        }
    }
}
