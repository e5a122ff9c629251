use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use order_domain::{IdempotencyKey, Invalid, Location, OrderRequest};
use order_service::{Failure, TraceContext, body, current_trace, with_trace};
use tokio::time::Instant;
use tracing::Instrument;

use crate::{api::Api, place::SETTLED_WITHIN};

pub(crate) async fn create(State(api): State<Api>, request: Request) -> Result<Response, Failure> {
    let deadline = Instant::now() + SETTLED_WITHIN;
    let key = idempotency_key(request.headers());
    let body = body::json(request).await?;
    let (key, order) = match (key, OrderRequest::from_json(&body)) {
        (Ok(key), Ok(order)) => (key, order),
        (key, order) => {
            let mut reasons: Vec<Invalid> = key.err().into_iter().collect();
            reasons.extend(order.err().unwrap_or_default());
            return Err(Failure::invalid(&reasons));
        }
    };
    // Run in a separate task: a client that hangs up cancels its request, but must not cancel its order half way. A drain
    // waits for the task.
    let work = api.lifecycle.work();
    let placing = async move {
        let _work = work;
        api.orders.place(order, key.as_ref(), deadline).await
    };
    let trace = current_trace().unwrap_or_else(TraceContext::generate);
    let placed = tokio::spawn(with_trace(trace, placing).instrument(tracing::Span::current()));
    let order = placed.await.map_err(|error| {
        tracing::error!(%error, "placing an order panicked");
        Failure::internal()
    })??;
    let location = format!("/orders/{}", order.order_id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(order)).into_response())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Invalid> {
    let mut values = headers.get_all("idempotency-key").iter();
    let invalid = |message: String| Invalid {
        kind: "value_error",
        loc: vec![Location::Name("header"), Location::Name("idempotency-key")],
        msg: message,
    };
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            IdempotencyKey::new(value.as_bytes()).map(Some).map_err(|error| invalid(error.to_string()))
        }
        (Some(_), Some(_)) => Err(invalid("Idempotency-Key should be given once".to_owned())),
    }
}
