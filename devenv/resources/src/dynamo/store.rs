use std::time::{Duration, Instant};

use devenv_model::manifest::{Seed, Table};
use devenv_model::observed::ObservedResource;
use devenv_model::resource::ResourceId;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Map, Value, json};

use super::difference::differences;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::json_wire::{DYNAMODB, Wire};

/// The time limit for an emulator to activate or delete a table.
const SETTLE_LIMIT: Duration = Duration::from_secs(10);
/// The number of concurrent puts of seed items.
const PUTS: usize = 8;
/// The largest number of keys for `BatchGetItem`.
const BATCH: usize = 100;

/// The tables of one emulator.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    wire: Wire,
}

impl Store {
    pub(crate) fn new(endpoint: Endpoint, region: &str, access_key: &str) -> Self {
        Self { wire: Wire::new(&DYNAMODB, endpoint, region, access_key) }
    }

    /// Compares the table and its seeds with the files. Returns `None` if the table does not exist.
    pub(crate) async fn observe(&self, table: &Table, seeds: &[&Seed]) -> Result<Option<ObservedResource>, Error> {
        let Some(described) = self.describe(&table.name).await? else {
            return Ok(None);
        };
        let found = differences(&table.definition, &described);
        if !found.lasting.is_empty() {
            return Ok(Some(ObservedResource::Different { differences: found.lines() }));
        }
        let mut absent_seeds = 0;
        for seed in seeds {
            absent_seeds += self.absent(table, seed).await?;
        }
        Ok(Some(ObservedResource::changeable(found.lines(), absent_seeds)))
    }

    /// Returns the number of the seed's items that are absent from the table.
    async fn absent(&self, table: &Table, seed: &Seed) -> Result<usize, Error> {
        let mut present = 0;
        for items in seed.items.chunks(BATCH) {
            let mut keys: Vec<Value> = items.iter().map(|item| key_of(table, item)).collect();
            while !keys.is_empty() {
                let request = json!({ "RequestItems": { &table.name: {
                    "Keys": keys,
                    "ConsistentRead": true,
                    "ProjectionExpression": "#key",
                    "ExpressionAttributeNames": { "#key": table.key[0].name },
                } } });
                let answer = self.wire.call("BatchGetItem", &request).await?;
                present += answer["Responses"][&table.name].as_array().map_or(0, Vec::len);
                keys = answer["UnprocessedKeys"][&table.name]["Keys"].as_array().cloned().unwrap_or_default();
            }
        }
        Ok(seed.items.len() - present)
    }

    /// Creates the table and waits until it is active, or changes the stream of the existing one to match its file. Returns an
    /// error if another difference is left.
    pub(crate) async fn ensure(&self, table: &Table) -> Result<(), Error> {
        match self.wire.call("CreateTable", &table.definition).await {
            Ok(answer) if answer["TableDescription"]["TableStatus"] == "ACTIVE" => return Ok(()),
            Err(error) if !error.is("ResourceInUseException") => return Err(error),
            _ => {}
        }
        let described = self.active(&table.name).await?;
        let found = differences(&table.definition, &described);
        if !found.lasting.is_empty() {
            let (resource, file) = (ResourceId::table(&table.name), table.file.clone());
            return Err(Error::Differs { resource, file, differences: found.lines() });
        }
        for mut update in found.stream.into_iter().flat_map(|stream| stream.updates) {
            update["TableName"] = json!(table.name);
            self.wire.call("UpdateTable", &update).await?;
            self.active(&table.name).await?;
        }
        Ok(())
    }

    /// Inserts the seed's absent items and returns their number. Leaves existing items unchanged.
    pub(crate) async fn seed(&self, table: &Table, seed: &Seed) -> Result<usize, Error> {
        let put = |item: Value| async move {
            let request = json!({
                "TableName": table.name,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(#key)",
                "ExpressionAttributeNames": { "#key": table.key[0].name },
            });
            match self.wire.call("PutItem", &request).await {
                Ok(_) => Ok(1),
                Err(error) if error.is("ConditionalCheckFailedException") => Ok(0),
                Err(error) => Err(error),
            }
        };
        let puts = stream::iter(seed.items.iter().cloned()).map(put).buffer_unordered(PUTS);
        puts.try_fold(0, |count, one| async move { Ok(count + one) }).await
    }

    /// Deletes the table and waits until it is gone.
    pub(crate) async fn remove(&self, table: &str) -> Result<(), Error> {
        match self.wire.call("DeleteTable", &json!({ "TableName": table })).await {
            Ok(_) => self.gone(table).await,
            Err(error) if error.is("ResourceNotFoundException") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Returns up to `limit` items of a table, in no order.
    pub(crate) async fn dump(&self, table: &str, limit: usize) -> Result<Vec<Value>, Error> {
        let mut items = Vec::new();
        let mut start = Value::Null;
        loop {
            let mut request = json!({ "TableName": table, "ConsistentRead": true, "Limit": limit - items.len() });
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let mut answer = self.wire.call("Scan", &request).await?;
            if let Value::Array(page) = answer["Items"].take() {
                items.extend(page);
            }
            start = answer["LastEvaluatedKey"].take();
            if start.is_null() || items.len() >= limit {
                return Ok(items);
            }
        }
    }

    async fn describe(&self, table: &str) -> Result<Option<Value>, Error> {
        match self.wire.call("DescribeTable", &json!({ "TableName": table })).await {
            Ok(mut answer) => Ok(Some(answer["Table"].take())),
            Err(error) if error.is("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn active(&self, table: &str) -> Result<Value, Error> {
        let is_active =
            |described: &Option<Value>| described.as_ref().is_some_and(|table| table["TableStatus"] == "ACTIVE");
        self.settled(table, is_active).await.map(Option::unwrap_or_default)
    }

    async fn gone(&self, table: &str) -> Result<(), Error> {
        self.settled(table, Option::is_none).await.map(drop)
    }

    async fn settled(&self, table: &str, is_settled: impl Fn(&Option<Value>) -> bool) -> Result<Option<Value>, Error> {
        let deadline = Instant::now() + SETTLE_LIMIT;
        let mut pause = Duration::from_millis(2);
        loop {
            let described = self.describe(table).await?;
            if is_settled(&described) {
                return Ok(described);
            }
            if Instant::now() > deadline {
                return Err(Error::NotActive { resource: ResourceId::table(table), after: SETTLE_LIMIT });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }
}

fn key_of(table: &Table, item: &Value) -> Value {
    let attributes = table.key.iter().map(|attribute| (attribute.name.clone(), item[&attribute.name].clone()));
    Value::Object(attributes.collect::<Map<String, Value>>())
}

#[cfg(test)]
mod tests {
    use devenv_model::manifest::KeyAttribute;

    use super::*;

    async fn emulator() -> Store {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let database = dynoxide::Database::memory().expect("memory");
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        Store::new(Endpoint::parse(&format!("http://{address}")).expect("loopback"), "eu-west-1", "devenv")
    }

    fn table(text: &str, key: &str) -> Table {
        let definition: Value = serde_json::from_str(text).expect("JSON");
        Table {
            name: definition["TableName"].as_str().expect("a name").to_owned(),
            file: "terraform/tables/a.json".into(),
            key: vec![KeyAttribute { name: key.to_owned(), kind: "S".to_owned() }],
            definition,
        }
    }

    fn inventory() -> (Table, Seed) {
        let seed = include_str!("../../../../dynamodb-local/seed/inventory.json");
        let seed = Seed {
            table: "inventory".to_owned(),
            file: "seed/inventory.json".into(),
            items: serde_json::from_str(seed).expect("JSON"),
        };
        (table(include_str!("../../../../terraform/tables/inventory.json"), "product_id"), seed)
    }

    #[tokio::test]
    async fn a_table_is_created_once_and_then_matches() {
        let store = emulator().await;
        let orders = table(include_str!("../../../../terraform/tables/orders.json"), "order_id");
        assert_eq!(store.observe(&orders, &[]).await.expect("answers"), None);
        store.ensure(&orders).await.expect("created");
        store.ensure(&orders).await.expect("matches");
        let observed = store.observe(&orders, &[]).await.expect("answers");
        assert_eq!(observed, Some(ObservedResource::Matching { absent_seeds: 0 }));
    }

    #[tokio::test]
    async fn a_table_that_differs_is_refused_until_it_is_removed() {
        let store = emulator().await;
        let (mut changed, seed) = inventory();
        store.ensure(&changed).await.expect("created");
        changed.definition["KeySchema"][0]["AttributeName"] = json!("sku");
        changed.definition["AttributeDefinitions"][0]["AttributeName"] = json!("sku");
        let error = store.ensure(&changed).await.expect_err("it differs");
        insta::assert_snapshot!(error);
        let (original, _) = inventory();
        store.remove("inventory").await.expect("gone");
        store.remove("inventory").await.expect("there is none");
        store.ensure(&original).await.expect("created");
        assert_eq!(store.seed(&original, &seed).await.expect("put"), 3);
    }

    #[tokio::test]
    async fn a_stream_changes_in_place_and_the_items_stay() {
        let store = emulator().await;
        let (mut file, seed) = inventory();
        file.definition["StreamSpecification"] = Value::Null;
        store.ensure(&file).await.expect("created");
        store.seed(&file, &seed).await.expect("put");
        for view in ["NEW_AND_OLD_IMAGES", "KEYS_ONLY"] {
            file.definition["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": view });
            let observed = store.observe(&file, &[&seed]).await.expect("answers");
            assert!(
                matches!(&observed, Some(ObservedResource::Changeable { differences, absent_seeds: 0 }) if differences.len() == 1),
                "{observed:?}"
            );
            store.ensure(&file).await.expect("changed");
            let observed = store.observe(&file, &[&seed]).await.expect("answers");
            assert_eq!(observed, Some(ObservedResource::Matching { absent_seeds: 0 }));
        }
        file.definition["StreamSpecification"] = Value::Null;
        store.ensure(&file).await.expect("changed");
        let described = store.describe("inventory").await.expect("answers").expect("there");
        assert_ne!(described["StreamSpecification"]["StreamEnabled"], true);
        assert_eq!(store.dump("inventory", 10).await.expect("scanned").len(), 3);
    }

    #[tokio::test]
    async fn a_seed_puts_what_is_absent_and_restores_nothing() {
        let store = emulator().await;
        let (table, seed) = inventory();
        store.ensure(&table).await.expect("created");
        assert_eq!(store.seed(&table, &seed).await.expect("put"), 3);
        let sold =
            json!({ "TableName": "inventory", "Item": { "product_id": { "S": "PROD001" }, "stock": { "N": "1" } } });
        store.wire.call("PutItem", &sold).await.expect("put");
        let gone = json!({ "TableName": "inventory", "Key": { "product_id": { "S": "PROD002" } } });
        store.wire.call("DeleteItem", &gone).await.expect("deleted");
        let observed = store.observe(&table, &[&seed]).await.expect("answers");
        assert_eq!(observed, Some(ObservedResource::Matching { absent_seeds: 1 }));
        assert_eq!(store.seed(&table, &seed).await.expect("put"), 1);
        let items = store.dump("inventory", 10).await.expect("scanned");
        let stocks: Vec<&Value> = items.iter().map(|item| &item["stock"]["N"]).collect();
        assert!(stocks.contains(&&json!("1")), "{stocks:?}");
    }

    #[tokio::test]
    async fn an_emulator_that_does_not_answer_is_named() {
        let store = Store::new(Endpoint::parse("http://127.0.0.1:9").expect("loopback"), "eu-west-1", "devenv");
        let error = store.dump("orders", 1).await.expect_err("nothing listens there");
        assert!(error.to_string().contains("http://127.0.0.1:9"), "{error}");
    }
}
