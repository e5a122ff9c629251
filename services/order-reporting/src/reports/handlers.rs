use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::StatusCode,
};
use order_service::Failure;
use serde::Serialize;

use super::{
    rows,
    wanted::{Wanted, cursor_of_text, day_of_cursor, invalid, text_of_cursor},
};
use crate::{database::Store, day::Day, figures::Tally};

type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

#[derive(Serialize)]
pub(crate) struct Products {
    products: Vec<Product>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct Product {
    product_id: String,
    #[serde(flatten)]
    figures: Tally,
}

#[derive(Serialize)]
pub(crate) struct CustomerReport {
    customer_id: String,
    #[serde(flatten)]
    figures: Tally,
    #[serde(flatten)]
    days: Days,
}

#[derive(Serialize)]
pub(crate) struct Days {
    days: Vec<OneDay>,
    next_cursor: Option<Day>,
}

#[derive(Serialize)]
struct OneDay {
    day: Day,
    #[serde(flatten)]
    figures: Tally,
}

pub(crate) async fn products(State(store): State<Store>, query: Parameters) -> Result<Json<Products>, Failure> {
    let wanted = wanted(query, text_of_cursor)?;
    let page = rows::products(&store, &wanted).await?;
    let next_cursor = page.rows.last().filter(|_| page.more).map(|(id, _)| cursor_of_text(id));
    let products = page.rows.into_iter().map(|(product_id, figures)| Product { product_id, figures }).collect();
    Ok(Json(Products { products, next_cursor }))
}

pub(crate) async fn customer(
    State(store): State<Store>,
    id: Result<Path<String>, PathRejection>,
    query: Parameters,
) -> Result<Json<CustomerReport>, Failure> {
    let wanted = wanted(query, day_of_cursor)?;
    let not_found = || Failure::new(StatusCode::NOT_FOUND, "customer_not_found", "Customer not found");
    // A segment that is not text names no customer either.
    let Path(customer_id) = id.map_err(|_| not_found())?;
    let (figures, page) = tokio::try_join!(
        rows::customer(&store, &customer_id, &wanted),
        rows::customer_days(&store, &customer_id, &wanted)
    )?;
    let figures = figures.ok_or_else(not_found)?;
    Ok(Json(CustomerReport { customer_id, figures, days: page.into() }))
}

pub(crate) async fn daily(State(store): State<Store>, query: Parameters) -> Result<Json<Days>, Failure> {
    let wanted = wanted(query, day_of_cursor)?;
    Ok(Json(rows::all_days(&store, &wanted).await?.into()))
}

impl From<rows::Page<(Day, Tally)>> for Days {
    fn from(page: rows::Page<(Day, Tally)>) -> Self {
        let next_cursor = page.rows.last().filter(|_| page.more).map(|(day, _)| *day);
        Self { days: page.rows.into_iter().map(|(day, figures)| OneDay { day, figures }).collect(), next_cursor }
    }
}

fn wanted<C>(query: Parameters, cursor: impl FnOnce(&str) -> Option<C>) -> Result<Wanted<C>, Failure> {
    let unreadable = |_| Failure::invalid(&[invalid("limit", "string_type", "Query is not readable")]);
    let Query(query) = query.map_err(unreadable)?;
    Wanted::of(&query, cursor).map_err(|reasons| Failure::invalid(&reasons))
}
