use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use order_domain::{Cursor, Invalid, MAX_TEXT, Order};
use order_service::{
    Failure,
    page::{limit, parameter},
};
use serde::Serialize;

use crate::{api::Api, metrics::Skipped};

#[derive(Serialize)]
pub(crate) struct Page {
    orders: Vec<Order>,
    next_cursor: Option<String>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Page>, Failure> {
    let Query(query) =
        query.map_err(|_| Failure::invalid(&[invalid("customer_id", "string_type", "Query is not readable")]))?;
    let Wanted { customer_id, limit, cursor } = Wanted::of(&query).map_err(|reasons| Failure::invalid(&reasons))?;
    let page = api.orders.store.of_customer(customer_id, limit, cursor.as_ref()).await?;
    api.orders.metrics.skipped(Skipped::Unreadable, page.unreadable);
    let next_cursor = page
        .records
        .last()
        .filter(|_| page.more)
        .map(|last| Cursor::after(customer_id, last.created_at, last.order_id).to_string());
    Ok(Json(Page { orders: page.records.into_iter().map(Order::from).collect(), next_cursor }))
}

struct Wanted<'query> {
    customer_id: &'query str,
    limit: u16,
    cursor: Option<Cursor>,
}

impl<'query> Wanted<'query> {
    fn of(query: &'query [(String, String)]) -> Result<Self, Vec<Invalid>> {
        let value = |name| parameter(query, name);
        let mut reasons = Vec::new();
        let customer_id = customer(value("customer_id")).map_err(|reason| reasons.push(reason)).ok();
        let limit = limit(query).map_err(|reason| reasons.push(reason)).ok();
        let cursor = match (value("cursor"), customer_id) {
            (None, _) | (_, None) => None,
            (Some(text), Some(customer_id)) => Cursor::parse(text, customer_id)
                .map_err(|error| reasons.push(invalid("cursor", "value_error", error.to_string())))
                .ok(),
        };
        match (customer_id, limit) {
            (Some(customer_id), Some(limit)) if reasons.is_empty() => Ok(Self { customer_id, limit, cursor }),
            _ => Err(reasons),
        }
    }
}

fn customer(value: Option<&str>) -> Result<&str, Invalid> {
    let value = value.ok_or_else(|| invalid("customer_id", "missing", "Field required"))?;
    match value.chars().take(MAX_TEXT + 1).count() {
        0 => Err(invalid("customer_id", "string_too_short", "String should have at least 1 character")),
        length if length > MAX_TEXT => {
            Err(invalid("customer_id", "string_too_long", format!("String should have at most {MAX_TEXT} characters")))
        }
        _ => Ok(value),
    }
}

fn invalid(field: &'static str, kind: &'static str, message: impl Into<String>) -> Invalid {
    Invalid::new("query", field, kind, message)
}
