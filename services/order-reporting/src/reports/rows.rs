//! The queries of the reports. A row more than the page has shows whether another page follows.

use tokio_postgres::Row;

use super::wanted::Wanted;
use crate::{
    database::{Store, StoreError},
    day::Day,
    figures::Tally,
    stored::{original, stored},
};

/// A page of rows, and whether more follow.
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    pub(super) more: bool,
}

const PRODUCTS: &str = "SELECT sum(confirmed_orders)::bigint, sum(rejected_orders)::bigint, \
                        sum(confirmed_quantity)::bigint, sum(rejected_quantity)::bigint, sum(revenue)::text, key \
                        FROM product_days WHERE key > $1 AND day BETWEEN $2::text::date AND $3::text::date \
                        GROUP BY key ORDER BY key LIMIT $4";

const CUSTOMER: &str = "SELECT coalesce(sum(confirmed_orders), 0)::bigint, coalesce(sum(rejected_orders), 0)::bigint, \
                        coalesce(sum(confirmed_quantity), 0)::bigint, coalesce(sum(rejected_quantity), 0)::bigint, \
                        coalesce(sum(revenue), 0)::text \
                        FROM customer_days WHERE key = $1 AND day BETWEEN $2::text::date AND $3::text::date \
                        HAVING EXISTS (SELECT FROM customer_days WHERE key = $1)";

/// The end of the queries for days, newest first.
const DAYS: &str = "WHERE key = $1 AND day BETWEEN $2::text::date AND $3::text::date AND day < $4::text::date \
                    ORDER BY day DESC LIMIT $5";

/// A day after all others.
const NEVER: &str = "10000-01-01";

pub(super) async fn products(store: &Store, wanted: &Wanted<String>) -> Result<Page<(String, Tally)>, StoreError> {
    let after = stored(wanted.after.as_deref().unwrap_or_default());
    let rows = store.rows(PRODUCTS, &[&after, &wanted.from, &wanted.to, &limit(wanted)]).await?;
    page(&rows, wanted, |row| Ok((original(row.get(5)), tally(row)?)))
}

/// Returns a customer's figures of all the wanted days together; `None` for a customer without any order.
pub(super) async fn customer(store: &Store, id: &str, wanted: &Wanted<Day>) -> Result<Option<Tally>, StoreError> {
    let rows = store.rows(CUSTOMER, &[&stored(id), &wanted.from, &wanted.to]).await?;
    rows.first().map(tally).transpose()
}

pub(super) async fn customer_days(
    store: &Store,
    id: &str,
    wanted: &Wanted<Day>,
) -> Result<Page<(Day, Tally)>, StoreError> {
    days(store, "customer_days", &stored(id), wanted).await
}

pub(super) async fn all_days(store: &Store, wanted: &Wanted<Day>) -> Result<Page<(Day, Tally)>, StoreError> {
    days(store, "days", "", wanted).await
}

async fn days(store: &Store, table: &str, key: &str, wanted: &Wanted<Day>) -> Result<Page<(Day, Tally)>, StoreError> {
    let query = format!(
        "SELECT confirmed_orders, rejected_orders, confirmed_quantity, rejected_quantity, revenue::text, day::text \
         FROM {table} {DAYS}"
    );
    let before = wanted.after.map_or_else(|| NEVER.to_owned(), |day| day.to_string());
    let rows = store.rows(&query, &[&key, &wanted.from, &wanted.to, &before, &limit(wanted)]).await?;
    page(&rows, wanted, |row| {
        let day: &str = row.get(5);
        let day = day.parse().map_err(|_| StoreError::Refused(format!("{day} is no day")))?;
        Ok((day, tally(row)?))
    })
}

fn limit<C>(wanted: &Wanted<C>) -> i64 {
    i64::from(wanted.limit) + 1
}

fn page<T, C>(
    rows: &[Row],
    wanted: &Wanted<C>,
    read: impl Fn(&Row) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let limit = usize::from(wanted.limit);
    let read: Result<Vec<T>, StoreError> = rows.iter().take(limit).map(read).collect();
    Ok(Page { rows: read?, more: rows.len() > limit })
}

fn tally(row: &Row) -> Result<Tally, StoreError> {
    let count = |index: usize| {
        let value: i64 = row.get(index);
        u64::try_from(value).map_err(|_| StoreError::Refused(format!("a figure is {value}")))
    };
    let revenue: &str = row.get(4);
    Ok(Tally {
        confirmed_orders: count(0)?,
        rejected_orders: count(1)?,
        confirmed_quantity: count(2)?,
        rejected_quantity: count(3)?,
        revenue: revenue.parse().map_err(|_| StoreError::Refused(format!("a revenue is {revenue}")))?,
    })
}
