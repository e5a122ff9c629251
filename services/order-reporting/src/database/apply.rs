//! Adds a batch of events to the stored figures, each event once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use deadpool_postgres::{Client, Transaction};
use order_domain::Moment;
use tokio_postgres::Error;
use uuid::Uuid;

use crate::{
    day::Day,
    event::Settlement,
    figures::{Figures, Tally},
    stored::stored,
};

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// The events that the figures have now and did not have before.
    pub counted: usize,
    /// The events that the figures had already, or that the batch contained before.
    pub duplicates: usize,
}

/// Inserts ids in their sequence, so that two batches with the same events never wait for each other in a circle. The second
/// batch waits for the end of the first one's transaction, and then finds its ids.
const NEW: &str = "INSERT INTO processed_events (event_id, occurred_at) \
                   SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) \
                   ON CONFLICT DO NOTHING RETURNING event_id";

/// Adds a batch in one transaction. An error changes nothing, unless the answer to the commit was lost; a repetition is harmless
/// in either case.
pub(super) async fn apply(client: &mut Client, batch: &[Settlement]) -> Result<Applied, Error> {
    let distinct: BTreeMap<Uuid, &Settlement> = batch.iter().map(|event| (event.event_id, event)).collect();
    let ids: Vec<Uuid> = distinct.keys().copied().collect();
    let times: Vec<SystemTime> = distinct.values().map(|event| system_time(event.occurred_at)).collect();

    let transaction = client.transaction().await?;
    let statement = transaction.prepare_cached(NEW).await?;
    let rows = transaction.query(&statement, &[&ids, &times]).await?;
    let new: BTreeSet<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    let figures = Figures::of(new.iter().filter_map(|id| distinct.get(id).copied()));
    // The row of a day is the one that every batch changes: last, so that the others wait for it as briefly as possible. All three
    // are on their way at once, in this sequence.
    let days = figures.days.into_iter().map(|(day, tally)| ((String::new(), day), tally)).collect();
    tokio::try_join!(
        biased;
        add(&transaction, "product_days", figures.products),
        add(&transaction, "customer_days", figures.customers),
        add(&transaction, "days", days),
    )?;
    transaction.commit().await?;
    Ok(Applied { counted: new.len(), duplicates: batch.len() - new.len() })
}

async fn add(
    transaction: &Transaction<'_>,
    table: &'static str,
    rows: BTreeMap<(String, Day), Tally>,
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = transaction.prepare_cached(&addition(table)).await?;
    let keys: Vec<_> = rows.keys().map(|(key, _)| stored(key)).collect();
    let days: Vec<String> = rows.keys().map(|(_, day)| day.to_string()).collect();
    let column = |value: fn(&Tally) -> u64| -> Vec<i64> {
        rows.values().map(|tally| i64::try_from(value(tally)).unwrap_or(i64::MAX)).collect()
    };
    let revenue: Vec<String> = rows.values().map(|tally| tally.revenue.to_string()).collect();
    let (confirmed, rejected) = (column(|tally| tally.confirmed_orders), column(|tally| tally.rejected_orders));
    let (sold, refused) = (column(|tally| tally.confirmed_quantity), column(|tally| tally.rejected_quantity));
    transaction.execute(&statement, &[&keys, &days, &confirmed, &rejected, &sold, &refused, &revenue]).await?;
    Ok(())
}

fn addition(table: &str) -> String {
    let columns = ["confirmed_orders", "rejected_orders", "confirmed_quantity", "rejected_quantity", "revenue"];
    let sums: Vec<String> =
        columns.iter().map(|column| format!("{column} = {table}.{column} + excluded.{column}")).collect();
    format!(
        "INSERT INTO {table} (key, day, {}) \
         SELECT key, day::date, confirmed, rejected, sold, refused, revenue::numeric \
         FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]) \
         AS added (key, day, confirmed, rejected, sold, refused, revenue) \
         ON CONFLICT (key, day) DO UPDATE SET {}",
        columns.join(", "),
        sums.join(", ")
    )
}

fn system_time(moment: Moment) -> SystemTime {
    let microseconds = moment.as_microseconds();
    let distance = Duration::from_micros(microseconds.unsigned_abs());
    if microseconds < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance }
}
