use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use order_domain::{Order, OrderId};
use order_service::Failure;

use crate::Api;

pub(crate) async fn read(State(api): State<Api>, Path(order_id): Path<String>) -> Result<Json<Order>, Failure> {
    let not_found = || Failure::new(StatusCode::NOT_FOUND, "Order not found");
    let order_id = OrderId::parse(&order_id).ok_or_else(not_found)?;
    let record = api.orders.store.order(order_id).await?.ok_or_else(not_found)?;
    Ok(Json(record.into()))
}
