use std::{collections::HashMap, fmt, sync::Arc};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use order_domain::{Cursor, Moment, OrderId, Status, shard, shard_name};
use order_service::{
    HealthFailure,
    dynamodb::{StoreError, table_answers, without_retries},
};

use crate::record::{Decision, Record};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The number of items per query, unless the caller needs fewer.
const FULL_PAGE: i32 = 100;

/// The table of orders.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) client: Client,
    /// A client that makes only one attempt.
    pub(crate) single: Client,
    pub(crate) orders: Arc<str>,
    /// Whether a settled order's event is to be published.
    has_events: bool,
}

/// A sparse index: the shards of the orders that wait for a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    index: &'static str,
    /// The index's key. An order without this attribute is not in the index.
    pub(crate) shard: &'static str,
}

/// The orders that wait for their settlement.
pub(crate) const PENDING: Waiting = Waiting { index: "pending", shard: "pending_shard" };

/// The settled orders whose events wait for their publication.
pub(crate) const UNPUBLISHED: Waiting = Waiting { index: "unpublished", shard: "unpublished_shard" };

/// A settled order.
pub(crate) struct Settlement {
    pub(crate) record: Record,
    /// Whether its event still waits for its publication.
    pub(crate) unpublished: bool,
}

/// A page of a customer's orders.
pub(crate) struct CustomerPage {
    pub(crate) records: Vec<Record>,
    /// Whether there are more orders.
    pub(crate) more: bool,
    /// The number of unreadable orders left out.
    pub(crate) unreadable: u64,
}

/// An entry of a sparse index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) order_id: OrderId,
    /// The order's time; `None` if unreadable.
    pub(crate) created_at: Option<Moment>,
}

impl Store {
    pub(crate) fn new(client: Client, orders_table: &str, has_events: bool) -> Self {
        Self { single: without_retries(&client), client, orders: orders_table.into(), has_events }
    }

    pub(crate) async fn answers(&self) -> Result<(), HealthFailure> {
        table_answers(&self.client, &self.orders, "order_id").await
    }

    /// Reads an order. Strongly consistent, because a client with a new `Location` must find the order there in the answer's
    /// status; this costs one read unit instead of a half.
    pub(crate) async fn order(&self, order_id: OrderId) -> Result<Option<Record>, StoreError> {
        self.item(order_id).await?.map(|item| self.record("GetItem", item)).transpose()
    }

    async fn item(&self, order_id: OrderId) -> Result<Option<Item>, StoreError> {
        let read = self
            .client
            .get_item()
            .table_name(&*self.orders)
            .set_key(Some(order_key(order_id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::of("GetItem", &self.orders, &error))?;
        Ok(read.item)
    }

    /// Settles an order if it is still pending. Returns the settled order, also if another call settled it.
    ///
    /// The same write puts the order into the index of unpublished ones: without this, a kill between two writes would lose the
    /// event.
    pub(crate) async fn settle(&self, record: Record, decision: Decision) -> Result<Settlement, StoreError> {
        const OPERATION: &str = "UpdateItem";
        let order_id = record.order_id;
        let settled = record.settled(decision, Moment::now());
        let mut values = vec![
            (":pending", AttributeValue::S(Status::Pending.as_str().to_owned())),
            (":status", AttributeValue::S(settled.status.as_str().to_owned())),
            (":at", AttributeValue::S(settled.processed_at.unwrap_or(settled.created_at).to_string())),
        ];
        let outcome = match decision {
            Decision::Confirmed { total_price, .. } => {
                values.push((":outcome", AttributeValue::N(total_price.to_string())));
                "total_price"
            }
            Decision::Refused(refusal) => {
                let refusal = serde_dynamo::to_attribute_value(refusal)
                    .map_err(|error| StoreError::broken(OPERATION, &self.orders, error))?;
                values.push((":outcome", refusal));
                "refusal"
            }
        };
        let mark = if self.has_events {
            values.push((":shard", AttributeValue::S(shard(order_id))));
            ", unpublished_shard = :shard"
        } else {
            ""
        };
        let written = self
            .client
            .update_item()
            .table_name(&*self.orders)
            .set_key(Some(order_key(order_id)))
            .update_expression(format!(
                "SET #status = :status, processed_at = :at, {outcome} = :outcome{mark} REMOVE pending_shard"
            ))
            .condition_expression("#status = :pending")
            .expression_attribute_names("#status", "status")
            .set_expression_attribute_values(Some(
                values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            ))
            .send()
            .await;
        let Err(error) = written else { return Ok(Settlement { record: settled, unpublished: self.has_events }) };
        match error.as_service_error() {
            // Another call settled it first, or an own attempt whose answer was lost.
            Some(failure) if failure.is_conditional_check_failed_exception() => {
                let item = self.item(order_id).await?.ok_or_else(|| {
                    StoreError::busy(OPERATION, &self.orders, format_args!("order {order_id} has gone"))
                })?;
                let unpublished = self.has_events && item.contains_key(UNPUBLISHED.shard);
                Ok(Settlement { record: self.record(OPERATION, item)?, unpublished })
            }
            _ => Err(StoreError::of(OPERATION, &self.orders, &error)),
        }
    }

    /// Returns a customer's orders, newest first. Eventually consistent, like every index. Leaves out unreadable orders, so
    /// that they do not hide the others.
    pub(crate) async fn of_customer(
        &self,
        customer_id: &str,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<CustomerPage, StoreError> {
        const OPERATION: &str = "Query";
        let wanted = usize::from(limit);
        let mut records = Vec::with_capacity(wanted + 1);
        let mut unreadable = 0;
        let mut start = after.map(|cursor| customer_key(customer_id, cursor));
        // One order beyond the limit shows that a next page exists. A query may stop early, at its own size limit.
        while records.len() <= wanted {
            let read = self
                .client
                .query()
                .table_name(&*self.orders)
                .index_name("by_customer")
                .key_condition_expression("customer_id = :customer")
                .expression_attribute_values(":customer", AttributeValue::S(customer_id.to_owned()))
                .scan_index_forward(false)
                // Read full pages after an unreadable order: a small limit would need very many queries.
                .limit(if unreadable == 0 { i32::from(limit) + 1 } else { FULL_PAGE })
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| StoreError::of(OPERATION, &self.orders, &error))?;
            for item in read.items.unwrap_or_default() {
                match self.record(OPERATION, item) {
                    Ok(record) => records.push(record),
                    Err(error) => {
                        tracing::error!(%error, "an order is left out of its customer's list");
                        unreadable += 1;
                    }
                }
            }
            start = read.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        let more = records.len() > wanted;
        records.truncate(wanted);
        Ok(CustomerPage { records, more, unreadable })
    }

    /// Returns a page of one shard's waiting orders, oldest first; an unreadable order id is an `Err` with its text. The
    /// index may lag: callers must read the order itself before acting on an entry.
    ///
    /// The query has no condition on the age: after a clock jumped ahead, an order's time may be in the future.
    pub(crate) async fn waiting(
        &self,
        waiting: Waiting,
        shard: u8,
        start: Option<Item>,
    ) -> Result<(Vec<Result<Entry, String>>, Option<Item>), StoreError> {
        let read = self
            .client
            .query()
            .table_name(&*self.orders)
            .index_name(waiting.index)
            .key_condition_expression(format!("{} = :shard", waiting.shard))
            .expression_attribute_values(":shard", AttributeValue::S(shard_name(shard)))
            .limit(FULL_PAGE)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| StoreError::of("Query", &self.orders, &error))?;
        Ok((read.items.unwrap_or_default().iter().map(entry).collect(), read.last_evaluated_key))
    }

    pub(crate) fn record(&self, operation: &'static str, item: Item) -> Result<Record, StoreError> {
        let order_id = item.get("order_id").cloned();
        // Serde also accepts other spellings of a UUID: the client would receive an id that finds nothing.
        let is_key = order_id.as_ref().and_then(|id| id.as_s().ok()).is_some_and(|id| OrderId::parse(id).is_some());
        if !is_key {
            return Err(unreadable(operation, &self.orders, order_id.as_ref(), &"its id is no lower-case UUID"));
        }
        serde_dynamo::from_item(item).map_err(|error| unreadable(operation, &self.orders, order_id.as_ref(), &error))
    }
}

fn entry(item: &Item) -> Result<Entry, String> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let order_id = text("order_id").ok_or_else(|| format!("{:?}", item.get("order_id")))?;
    Ok(Entry {
        order_id: OrderId::parse(order_id).ok_or_else(|| order_id.clone())?,
        created_at: text("created_at").and_then(|text| text.parse().ok()),
    })
}

fn unreadable(
    operation: &'static str,
    table: &Arc<str>,
    order_id: Option<&AttributeValue>,
    error: &dyn fmt::Display,
) -> StoreError {
    StoreError::unreadable(operation, table, format_args!("order {order_id:?} cannot be read: {error}"))
}

pub(crate) fn order_key(order_id: OrderId) -> Item {
    HashMap::from([("order_id".to_owned(), AttributeValue::S(order_id.to_string()))])
}

fn customer_key(customer_id: &str, cursor: &Cursor) -> Item {
    HashMap::from([
        ("customer_id".to_owned(), AttributeValue::S(customer_id.to_owned())),
        ("created_at".to_owned(), AttributeValue::S(cursor.created_at.to_string())),
        ("order_id".to_owned(), AttributeValue::S(cursor.order_id.to_string())),
    ])
}
