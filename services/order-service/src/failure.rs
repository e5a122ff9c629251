use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use order_domain::{Invalid, OrderId, Refusal};
use serde_json::{Value, json};

/// How long a client should wait before it tries again (seconds).
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// An error answer: a status, `{"detail": ...}`, and what a client needs to go on.
#[derive(Debug, Clone)]
pub struct Failure {
    pub status: StatusCode,
    detail: Value,
    order: Option<(String, String)>,
}

impl Failure {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: Value::String(detail.into()), order: None }
    }

    pub fn invalid(reasons: &[Invalid]) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, detail: json!(reasons), order: None }
    }

    /// The answer to an order that was refused for good.
    pub fn refusal(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
        Self::new(status, refusal.detail())
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    pub fn timeout(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, detail)
    }

    /// A fault of ours. Its cause belongs in the log, not in the answer.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }

    /// Names the order that may still be settled after this answer, and where to ask for it.
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
        let mut body = json!({ "detail": self.detail });
        let mut location = None;
        if let Some((order_id, path)) = self.order {
            body["order_id"] = Value::String(order_id);
            location = HeaderValue::from_str(&path).ok();
        }
        let mut response = (self.status, Json(body)).into_response();
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        if matches!(self.status, StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}
