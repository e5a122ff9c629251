use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use order_domain::{Invalid, OrderId, Refusal};
use serde_json::{Value, json};

/// A client's delay before a retry, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// The answer codes that our own programs evaluate.
pub mod code {
    /// The service is shutting down and has not started the request.
    pub const DRAINING: &str = "draining";
    /// Too many orders of one product: another target would answer the same.
    pub const PRODUCT_BUSY: &str = "product_busy";
}

/// An error answer: a status, `{"detail": ..., "code": ...}`, and the order to ask for later, if any. The code is stable; the
/// detail is for people.
#[derive(Debug, Clone)]
pub struct Failure {
    pub status: StatusCode,
    code: &'static str,
    detail: Value,
    order: Option<(String, String)>,
}

impl Failure {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: Value::String(detail.into()), order: None }
    }

    pub fn invalid(reasons: &[Invalid]) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self { status, code: "invalid_request", detail: json!(reasons), order: None }
    }

    /// Returns the answer to a permanently refused order.
    pub fn refusal(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
        Self::new(status, refusal.code(), refusal.detail())
    }

    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
    }

    pub fn timeout(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, code, detail)
    }

    /// Returns the answer to new work during the shutdown.
    pub fn draining() -> Self {
        Self::unavailable(code::DRAINING, "The service is shutting down")
    }

    /// Returns the answer for an internal fault. Its cause belongs in the log, not in the answer.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal Server Error")
    }

    /// Adds the id and location of the order that may still be settled after this answer.
    #[must_use]
    pub fn about_order(mut self, order_id: OrderId) -> Self {
        let order_id = order_id.to_string();
        let location = format!("/orders/{order_id}");
        self.order = Some((order_id, location));
        self
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut body = json!({ "detail": self.detail, "code": self.code });
        let mut location = None;
        if let Some((order_id, path)) = self.order {
            body["order_id"] = Value::String(order_id);
            location = HeaderValue::from_str(&path).ok();
        }
        let mut response = (self.status, Json(body)).into_response();
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER),
            // The server would mistake the rest of the body for the next request.
            StatusCode::REQUEST_TIMEOUT => {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"))
            }
            _ => None,
        };
        response
    }
}
