use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    config::retry::RetryConfig,
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
    types::{AttributeValue, Put, TransactWriteItem, Update},
};
use order_domain::{OrderId, UnitPrice};
use order_service::{
    HealthFailure, WithoutToken,
    dynamodb::{StoreError, is_temporary, table_answers},
};

use crate::{config::Config, ledger::Entry};

const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// The inventory and the ledger.
#[derive(Clone)]
pub(crate) struct Store {
    client: Client,
    inventory: Arc<str>,
    reservations: Arc<str>,
}

/// A product at the time of its read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) price: UnitPrice,
    pub(crate) stock: u64,
}

/// The outcome of an attempt to take stock, errors aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Done,
    /// The ledger already has an answer for this order id.
    Answered,
    /// Price or stock have changed since the read.
    Changed,
}

impl Store {
    pub(crate) fn new(client: Client, config: &Config) -> Self {
        Self {
            client,
            inventory: config.inventory_table.as_str().into(),
            reservations: config.reservations_table.as_str().into(),
        }
    }

    pub(crate) async fn answers(&self) -> Result<(), HealthFailure> {
        tokio::try_join!(
            table_answers(&self.client, &self.inventory, "product_id"),
            table_answers(&self.client, &self.reservations, "order_id"),
        )
        .map(drop)
    }

    /// Reads a product. Strongly consistent, because a recorded refusal depends on it.
    pub(crate) async fn product(&self, product_id: &str) -> Result<Option<Product>, StoreError> {
        let read = self
            .client
            .get_item()
            .table_name(&*self.inventory)
            .key("product_id", AttributeValue::S(product_id.to_owned()))
            .consistent_read(true)
            .projection_expression("price, stock")
            .send()
            .await
            .map_err(|error| StoreError::of("GetItem", &self.inventory, &error))?;
        read.item
            .map(|item| {
                product(&item).map_err(|reason| {
                    StoreError::broken("GetItem", &self.inventory, format_args!("product {product_id:?}: {reason}"))
                })
            })
            .transpose()
    }

    pub(crate) async fn entry(&self, order_id: OrderId) -> Result<Option<Entry>, StoreError> {
        let read = self
            .client
            .get_item()
            .table_name(&*self.reservations)
            .key("order_id", AttributeValue::S(order_id.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::of("GetItem", &self.reservations, &error))?;
        read.item
            .map(|item| {
                serde_dynamo::from_item(item).map_err(|error| {
                    StoreError::broken("GetItem", &self.reservations, format_args!("entry {order_id}: {error}"))
                })
            })
            .transpose()
    }

    /// Writes a refusal. Returns `false` if the ledger already has an answer.
    pub(crate) async fn refuse(&self, entry: &Entry) -> Result<bool, StoreError> {
        let written = self
            .client
            .put_item()
            .table_name(&*self.reservations)
            .set_item(Some(self.item("PutItem", entry)?))
            .condition_expression("attribute_not_exists(order_id)")
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(StoreError::of("PutItem", &self.reservations, &error)),
        }
    }

    /// Takes stock and writes the ledger in one transaction.
    pub(crate) async fn reserve(
        &self,
        entry: &Entry,
        product_id: &str,
        quantity: u64,
        price: UnitPrice,
    ) -> Result<Taken, StoreError> {
        const OPERATION: &str = "TransactWriteItems";
        let broken =
            |error: aws_sdk_dynamodb::error::BuildError| StoreError::broken(OPERATION, &self.reservations, error);
        let put = Put::builder()
            .table_name(&*self.reservations)
            .set_item(Some(self.item(OPERATION, entry)?))
            .condition_expression("attribute_not_exists(order_id)")
            .build()
            .map_err(broken)?;
        let take = Update::builder()
            .table_name(&*self.inventory)
            .key("product_id", AttributeValue::S(product_id.to_owned()))
            .update_expression(TAKE)
            .condition_expression(UNCHANGED)
            .set_expression_attribute_values(Some(take_values(quantity, price)))
            .build()
            .map_err(broken)?;
        let written = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(put).build())
            .transact_items(TransactWriteItem::builder().update(take).build())
            .customize()
            .interceptor(WithoutToken)
            .send()
            .await;
        let Err(error) = written else { return Ok(Taken::Done) };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let reasons: Vec<&str> =
                    cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect();
                self.cancelled(&reasons)
            }
            _ => Err(StoreError::of(OPERATION, &self.reservations, &error)),
        }
    }

    /// Takes stock for an order without an order id, which has no ledger entry.
    pub(crate) async fn take(&self, product_id: &str, quantity: u64, price: UnitPrice) -> Result<Taken, StoreError> {
        let written = self
            .client
            .update_item()
            .table_name(&*self.inventory)
            .key("product_id", AttributeValue::S(product_id.to_owned()))
            .update_expression(TAKE)
            .condition_expression(UNCHANGED)
            .set_expression_attribute_values(Some(take_values(quantity, price)))
            .customize()
            // Without an order id, nothing shows whether an attempt with a lost answer took the stock: another attempt
            // could take it twice.
            .config_override(aws_sdk_dynamodb::config::Builder::default().retry_config(RetryConfig::disabled()))
            .send()
            .await;
        match written {
            Ok(_) => Ok(Taken::Done),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(Taken::Changed)
            }
            Err(error) => Err(StoreError::of("UpdateItem", &self.inventory, &error)),
        }
    }

    fn cancelled(&self, reasons: &[&str]) -> Result<Taken, StoreError> {
        let operation = "TransactWriteItems";
        match reasons {
            // Check the ledger first: an earlier answer holds, whatever the stock is now.
            [ledger, ..] if *ledger == CONDITION_FAILED => Ok(Taken::Answered),
            [_, inventory] if *inventory == CONDITION_FAILED => Ok(Taken::Changed),
            _ if reasons.iter().any(|code| {
                *code == "TransactionConflict" || is_temporary(&format!("{code}Exception")) || is_temporary(code)
            }) =>
            {
                Err(StoreError::busy(operation, &self.inventory, format_args!("cancelled: {reasons:?}")))
            }
            _ => Err(StoreError::broken(operation, &self.reservations, format_args!("cancelled: {reasons:?}"))),
        }
    }

    fn item(&self, operation: &'static str, entry: &Entry) -> Result<HashMap<String, AttributeValue>, StoreError> {
        serde_dynamo::to_item(entry).map_err(|error| StoreError::broken(operation, &self.reservations, error))
    }
}

const TAKE: &str = "SET stock = stock - :quantity";
const UNCHANGED: &str = "stock >= :quantity AND price = :price";

fn take_values(quantity: u64, price: UnitPrice) -> HashMap<String, AttributeValue> {
    HashMap::from([
        (":quantity".to_owned(), AttributeValue::N(quantity.to_string())),
        (":price".to_owned(), AttributeValue::N(price.get().to_string())),
    ])
}

fn product(item: &HashMap<String, AttributeValue>) -> Result<Product, String> {
    let number = |name: &str| -> Result<i128, String> {
        let value = item.get(name).ok_or_else(|| format!("no {name}"))?;
        let text = value.as_n().map_err(|_| format!("{name} is not a number"))?;
        text.parse().map_err(|_| format!("{name} {text} is not an integer"))
    };
    let price = UnitPrice::new(number("price")?).map_err(|error| error.to_string())?;
    let stock = number("stock")?;
    let stock = u64::try_from(stock).map_err(|_| format!("stock {stock} is negative"))?;
    Ok(Product { price, stock })
}

/// Whether the database refused for now without a write, so that another attempt is safe.
pub(crate) fn is_refused_for_now(error: &StoreError) -> bool {
    matches!(error.cause, order_service::dynamodb::Cause::Busy(_))
}
