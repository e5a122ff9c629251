use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
};
use order_domain::{Order, OrderId};
use order_service::Failure;

use crate::api::Api;

pub(crate) async fn read(
    State(api): State<Api>,
    order_id: Result<Path<String>, PathRejection>,
) -> Result<Json<Order>, Failure> {
    let not_found = || Failure::new(StatusCode::NOT_FOUND, "order_not_found", "Order not found");
    // A segment that is not text names no order either.
    let Path(order_id) = order_id.map_err(|_| not_found())?;
    let order_id = OrderId::parse(&order_id).ok_or_else(not_found)?;
    let record = api.orders.store.order(order_id).await?.ok_or_else(not_found)?;
    Ok(Json(record.into()))
}
