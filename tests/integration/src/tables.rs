use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
    error::DisplayErrorContext,
    types::AttributeValue,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Settings;

type Item = HashMap<String, AttributeValue>;

/// The tables behind the services, for what a client of theirs cannot see.
#[derive(Debug, Clone)]
pub struct Tables {
    client: Client,
}

/// An item of `orders` or of `reservations`, as far as tests look at it.
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

    pub(crate) async fn put_product(&self, product_id: &str, price: u64, stock: u64) {
        let put = self
            .client
            .put_item()
            .table_name("inventory")
            .item("product_id", text(product_id))
            .item("name", text("Made by a test"))
            .item("price", number(price))
            .item("stock", number(stock));
        put.send()
            .await
            .unwrap_or_else(|error| panic!("cannot put product {product_id}: {}", DisplayErrorContext(&error)));
    }

    /// How much of a product there is, read strongly.
    ///
    /// # Panics
    /// When the product is unknown or the database does not answer.
    pub async fn stock(&self, product_id: &str) -> u64 {
        self.find_stock(product_id).await.unwrap_or_else(|reason| panic!("{reason}"))
    }

    /// # Errors
    /// When the product is unknown or the database does not answer.
    pub async fn find_stock(&self, product_id: &str) -> Result<u64, String> {
        let item = self.item("inventory", "product_id", product_id).await?;
        item.as_ref()
            .and_then(|item| whole(item, "stock"))
            .ok_or_else(|| format!("product {product_id} has no stock: {item:?}"))
    }

    /// Puts more of a product on the shelf.
    pub async fn restock(&self, product_id: &str, by: u64) {
        let update = self
            .client
            .update_item()
            .table_name("inventory")
            .key("product_id", text(product_id))
            .update_expression("ADD stock :by")
            .expression_attribute_values(":by", number(by));
        update
            .send()
            .await
            .unwrap_or_else(|error| panic!("cannot restock {product_id}: {}", DisplayErrorContext(&error)));
    }

    /// The status of an order, read strongly; `None` for one that does not exist.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn status(&self, order_id: Uuid) -> Result<Option<String>, String> {
        let item = self.item("orders", "order_id", &order_id.to_string()).await?;
        Ok(item.as_ref().and_then(stored).map(|order| order.status))
    }

    /// # Errors
    /// When the database does not answer.
    pub async fn orders_of(&self, product_id: &str) -> Result<Vec<StoredOrder>, String> {
        self.stored("orders", product_id).await
    }

    /// # Errors
    /// When the database does not answer.
    pub async fn ledger_of(&self, product_id: &str) -> Result<Vec<StoredOrder>, String> {
        self.stored("reservations", product_id).await
    }

    pub(crate) async fn product_item(&self, product_id: &str) -> Result<Value, String> {
        Ok(self.item("inventory", "product_id", product_id).await?.as_ref().map_or(Value::Null, plain))
    }

    pub(crate) async fn items_of_product(&self, table: &str, product_id: &str) -> Result<Vec<Value>, String> {
        Ok(self.of_product(table, product_id).await?.iter().map(plain).collect())
    }

    async fn stored(&self, table: &str, product_id: &str) -> Result<Vec<StoredOrder>, String> {
        let items = self.of_product(table, product_id).await?;
        items
            .iter()
            .map(|item| stored(item).ok_or_else(|| format!("an item of {table} is no order: {item:?}")))
            .collect()
    }

    async fn item(&self, table: &str, key: &str, value: &str) -> Result<Option<Item>, String> {
        let get = self.client.get_item().table_name(table).key(key, text(value)).consistent_read(true);
        let answer =
            get.send().await.map_err(|error| format!("cannot read {table}: {}", DisplayErrorContext(error)))?;
        Ok(answer.item)
    }

    /// Every item about a product. A scan: no index has products, and test data is small.
    async fn of_product(&self, table: &str, product_id: &str) -> Result<Vec<Item>, String> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let scan = self
                .client
                .scan()
                .table_name(table)
                .consistent_read(true)
                .filter_expression("product_id = :product_id")
                .expression_attribute_values(":product_id", text(product_id))
                .set_exclusive_start_key(start);
            let page =
                scan.send().await.map_err(|error| format!("cannot scan {table}: {}", DisplayErrorContext(error)))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }
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
