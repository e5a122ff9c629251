use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
    error::DisplayErrorContext,
    types::{AttributeValue, KeysAndAttributes},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Settings;

const ORDERS: &str = "orders";
const INVENTORY: &str = "inventory";
const RESERVATIONS: &str = "reservations";

/// Limit of keys in one BatchGetItem.
const MOST_KEYS: usize = 100;

type Item = HashMap<String, AttributeValue>;

/// The tables behind the services, with data that the services' clients cannot see.
#[derive(Debug, Clone)]
pub struct Tables {
    client: Client,
}

/// An item of `orders` or of `reservations`, with the attributes that tests read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOrder {
    pub order_id: Uuid,
    pub quantity: u64,
    pub status: String,
}

impl Tables {
    pub(crate) fn new(settings: &Settings) -> Self {
        let credentials =
            Credentials::new(&settings.access_key, &settings.secret_key, None, None, "the tests' environment");
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .endpoint_url(&settings.dynamodb)
            .credentials_provider(credentials)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Self { client: Client::from_conf(config) }
    }

    pub(crate) async fn put_product(&self, product_id: &str, price: u64, stock: u64, threshold: Option<u64>) {
        let put = self
            .client
            .put_item()
            .table_name(INVENTORY)
            .item("product_id", text(product_id))
            .item("name", text("Made by a test"))
            .item("price", number(price))
            .item("stock", number(stock));
        let put = match threshold {
            Some(threshold) => put.item("low_stock_threshold", number(threshold)),
            None => put,
        };
        put.send()
            .await
            .unwrap_or_else(|error| panic!("cannot put product {product_id}: {}", DisplayErrorContext(&error)));
    }

    /// The stock of a product, from a strongly consistent read.
    ///
    /// # Panics
    /// When the product is unknown or the database does not answer.
    pub async fn stock(&self, product_id: &str) -> u64 {
        self.find_stock(product_id).await.unwrap_or_else(|reason| panic!("{reason}"))
    }

    /// # Errors
    /// When the product is unknown or the database does not answer.
    pub async fn find_stock(&self, product_id: &str) -> Result<u64, String> {
        let item = self.item(INVENTORY, "product_id", product_id).await?;
        item.as_ref()
            .and_then(|item| whole(item, "stock"))
            .ok_or_else(|| format!("product {product_id} has no stock: {item:?}"))
    }

    /// Adds to the stock of a product.
    pub async fn restock(&self, product_id: &str, by: u64) {
        let update = self
            .client
            .update_item()
            .table_name(INVENTORY)
            .key("product_id", text(product_id))
            .update_expression("ADD stock :by")
            .expression_attribute_values(":by", number(by));
        update
            .send()
            .await
            .unwrap_or_else(|error| panic!("cannot restock {product_id}: {}", DisplayErrorContext(&error)));
    }

    /// Raises the stock of a product from a known number to another, once: a repetition after a lost answer changes nothing.
    ///
    /// # Errors
    /// When the product has another stock, or the database does not answer.
    pub(crate) async fn raise_stock(&self, product_id: &str, from: u64, to: u64) -> Result<(), String> {
        let update = self
            .client
            .update_item()
            .table_name(INVENTORY)
            .key("product_id", text(product_id))
            .update_expression("SET stock = :to")
            .condition_expression("stock = :from")
            .expression_attribute_values(":from", number(from))
            .expression_attribute_values(":to", number(to));
        if let Err(error) = update.send().await {
            let stock = self.find_stock(product_id).await?;
            if stock != to {
                return Err(format!("cannot raise the stock {stock} of {product_id}: {}", DisplayErrorContext(&error)));
            }
        }
        Ok(())
    }

    /// The status of an order, from a strongly consistent read; `None` if the order does not exist.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn status(&self, order_id: Uuid) -> Result<Option<String>, String> {
        let item = self.item(ORDERS, "order_id", &order_id.to_string()).await?;
        Ok(item.as_ref().and_then(stored).map(|order| order.status))
    }

    /// The orders of these customers for a product, from the customers' index: eventually consistent.
    pub(crate) async fn orders_of(&self, product_id: &str, customers: &[String]) -> Result<Vec<StoredOrder>, String> {
        let items = self.order_items(product_id, customers).await?;
        items.iter().map(|item| stored(item).ok_or_else(|| format!("this is no order: {item:?}"))).collect()
    }

    /// The ledger's entries for these orders.
    pub(crate) async fn ledger_of(&self, orders: &[StoredOrder]) -> Result<Vec<StoredOrder>, String> {
        let mut entries = Vec::new();
        for some in orders.chunks(MOST_KEYS) {
            let keys =
                some.iter().map(|order| Item::from([("order_id".to_owned(), text(&order.order_id.to_string()))]));
            let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true).build();
            let mut open = Some(HashMap::from([(RESERVATIONS.to_owned(), keys.map_err(|error| error.to_string())?)]));
            // DynamoDB returns a large answer in parts.
            while let Some(request) = open.filter(|request| !request.is_empty()) {
                let answer = self.client.batch_get_item().set_request_items(Some(request)).send().await;
                let answer = answer.map_err(|error| unread(RESERVATIONS, error))?;
                let items = answer.responses.unwrap_or_default().remove(RESERVATIONS).unwrap_or_default();
                for item in items {
                    entries.push(stored(&item).ok_or_else(|| format!("this is no ledger entry: {item:?}"))?);
                }
                open = answer.unprocessed_keys;
            }
        }
        Ok(entries)
    }

    /// The number of ledger entries for a product. Reads the whole ledger, which has no index.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_ledger_entries(&self, product_id: &str) -> Result<usize, String> {
        let mut count = 0;
        let mut start = None;
        loop {
            let scan = self
                .client
                .scan()
                .table_name(RESERVATIONS)
                .consistent_read(true)
                .filter_expression("product_id = :product_id")
                .expression_attribute_values(":product_id", text(product_id))
                .set_exclusive_start_key(start);
            let page = scan.send().await.map_err(|error| unread(RESERVATIONS, error))?;
            count += page.items().len();
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(count);
            }
        }
    }

    pub(crate) async fn product_item(&self, product_id: &str) -> Result<Value, String> {
        Ok(self.item(INVENTORY, "product_id", product_id).await?.as_ref().map_or(Value::Null, plain))
    }

    pub(crate) async fn plain_orders(&self, product_id: &str, customers: &[String]) -> Result<Vec<Value>, String> {
        Ok(self.order_items(product_id, customers).await?.iter().map(plain).collect())
    }

    pub(crate) async fn ledger_item(&self, order_id: &str) -> Result<Value, String> {
        Ok(self.item(RESERVATIONS, "order_id", order_id).await?.as_ref().map_or(Value::Null, plain))
    }

    async fn item(&self, table: &str, key: &str, value: &str) -> Result<Option<Item>, String> {
        let get = self.client.get_item().table_name(table).key(key, text(value)).consistent_read(true);
        Ok(get.send().await.map_err(|error| unread(table, error))?.item)
    }

    async fn order_items(&self, product_id: &str, customers: &[String]) -> Result<Vec<Item>, String> {
        let mut items = Vec::new();
        for customer_id in customers {
            let mut start = None;
            loop {
                let query = self
                    .client
                    .query()
                    .table_name(ORDERS)
                    .index_name("by_customer")
                    .key_condition_expression("customer_id = :customer_id")
                    .filter_expression("product_id = :product_id")
                    .expression_attribute_values(":customer_id", text(customer_id))
                    .expression_attribute_values(":product_id", text(product_id))
                    .set_exclusive_start_key(start);
                let page = query.send().await.map_err(|error| unread(ORDERS, error))?;
                items.extend(page.items.unwrap_or_default());
                start = page.last_evaluated_key;
                if start.is_none() {
                    break;
                }
            }
        }
        Ok(items)
    }
}

fn unread<E: std::error::Error>(table: &str, error: E) -> String {
    format!("cannot read {table}: {}", DisplayErrorContext(error))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn whole(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn stored(item: &Item) -> Option<StoredOrder> {
    Some(StoredOrder {
        order_id: item.get("order_id")?.as_s().ok()?.parse().ok()?,
        quantity: whole(item, "quantity")?,
        status: item.get("status")?.as_s().ok()?.clone(),
    })
}

fn plain(item: &Item) -> Value {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => json!(text),
        AttributeValue::Null(_) => Value::Null,
        other => json!(format!("{other:?}")),
    };
    item.iter().map(|(name, attribute)| (name.clone(), value(attribute))).collect::<serde_json::Map<_, _>>().into()
}
