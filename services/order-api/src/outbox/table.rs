//! The outbox in the table of orders.

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{AttributeValue, KeysAndAttributes, TransactWriteItem, Update},
};
use order_domain::OrderId;
use order_service::{WithoutToken, dynamodb::StoreError};

use crate::{
    record::Record,
    store::{Item, Store, UNPUBLISHED, order_key},
};

/// The largest number of orders of one read.
pub(super) const MOST_ORDERS: usize = 100;

/// The largest number of orders of one transaction: AWS's former limit, which older versions of DynamoDB Local still have.
pub(super) const MOST_REMOVED: usize = 10;

const REMOVAL: &str = "REMOVE unpublished_shard";
/// Without it, the removal would create the item of an order that has gone.
const EXISTS: &str = "attribute_exists(order_id)";

impl Store {
    /// Reads at most [`MOST_ORDERS`] orders and returns those still marked as unpublished; an unreadable one is an `Err` with
    /// its id. Strongly consistent: the index lags, and an event published since must not be published again.
    pub(super) async fn unpublished(&self, orders: &[OrderId]) -> Result<Vec<Result<Record, String>>, StoreError> {
        const OPERATION: &str = "BatchGetItem";
        let keys: Vec<Item> = orders.iter().map(|order_id| order_key(*order_id)).collect();
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .map_err(|error| StoreError::broken(OPERATION, &self.orders, error))?;
        let read = self
            .client
            .batch_get_item()
            .request_items(&*self.orders, wanted)
            .send()
            .await
            .map_err(|error| StoreError::of(OPERATION, &self.orders, &error))?;
        // The database may leave some keys to a later call, which is the next round's.
        let items = read.responses.and_then(|mut tables| tables.remove(&*self.orders)).unwrap_or_default();
        let marked = items.into_iter().filter(|item| item.contains_key(UNPUBLISHED.shard));
        Ok(marked
            .map(|item| {
                let id = item.get("order_id").and_then(|id| id.as_s().ok()).cloned().unwrap_or_default();
                self.record(OPERATION, item).map_err(|_| id)
            })
            .collect())
    }

    /// Removes the marks of at most [`MOST_REMOVED`] orders, in one transaction if possible.
    pub(super) async fn remove_marks(&self, orders: &[OrderId]) -> Result<(), StoreError> {
        const OPERATION: &str = "TransactWriteItems";
        if let [order_id] = orders {
            return self.remove_mark(*order_id).await;
        }
        let updates: Result<Vec<TransactWriteItem>, _> =
            orders.iter().map(|order_id| self.removal(*order_id)).collect();
        let removed = self
            .client
            .transact_write_items()
            .set_transact_items(Some(updates?))
            .customize()
            .interceptor(WithoutToken)
            .send()
            .await;
        let Err(error) = removed else { return Ok(()) };
        let error = StoreError::of(OPERATION, &self.orders, &error);
        if error.may_pass() {
            return Err(error);
        }
        // One order has gone, or is being written by someone else: it must not hold up the others.
        let mut outcome = Ok(());
        for order_id in orders {
            if let Err(error) = self.remove_mark(*order_id).await {
                outcome = Err(error);
            }
        }
        outcome
    }

    fn removal(&self, order_id: OrderId) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&*self.orders)
            .set_key(Some(order_key(order_id)))
            .update_expression(REMOVAL)
            .condition_expression(EXISTS)
            .build()
            .map_err(|error| StoreError::broken("TransactWriteItems", &self.orders, error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    async fn remove_mark(&self, order_id: OrderId) -> Result<(), StoreError> {
        let removed = self
            .client
            .update_item()
            .table_name(&*self.orders)
            .key("order_id", AttributeValue::S(order_id.to_string()))
            .update_expression(REMOVAL)
            .condition_expression(EXISTS)
            .send()
            .await;
        match removed {
            Ok(_) => Ok(()),
            // The order has gone, and its mark with it.
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(StoreError::of("UpdateItem", &self.orders, &error)),
        }
    }
}
