//! From the tables of a running emulator to table files.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::json_wire::{DYNAMODB, Wire};

/// The limit on tables: of a region of an AWS account, by default.
const TABLES_LIMIT: usize = 2_500;
/// DynamoDB's own limit for the length of a name.
const NAME_LIMIT: usize = 255;

/// A table as its file describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedTable {
    pub name: String,
    /// The input of `CreateTable`.
    pub definition: Value,
    /// The settings of the table that a table file cannot have.
    pub left_out: Vec<String>,
}

/// Reads every table of the emulator, sorted by name.
pub async fn tables(endpoint: &Endpoint, region: &str, access_key: &str) -> Result<Vec<ImportedTable>, Error> {
    let wire = Wire::new(&DYNAMODB, endpoint.clone(), region, access_key);
    let mut imported = Vec::new();
    for name in names(&wire).await? {
        let answer = wire.call("DescribeTable", &json!({ "TableName": name })).await?;
        // An emulator may not know this operation.
        let expiry = wire.call("DescribeTimeToLive", &json!({ "TableName": name })).await.unwrap_or_default();
        let left_out = expiry_of(&expiry).into_iter().collect();
        imported.push(ImportedTable { definition: definition(&answer["Table"]), name, left_out });
    }
    imported.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(imported)
}

async fn names(wire: &Wire) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::new();
    let mut input = json!({});
    loop {
        let answer = wire.call("ListTables", &input).await?;
        let page = answer["TableNames"].as_array().into_iter().flatten().filter_map(Value::as_str);
        // Names become those of files.
        names.extend(page.filter(|name| is_valid(name)).map(str::to_owned));
        match answer["LastEvaluatedTableName"].as_str() {
            Some(last) if names.len() < TABLES_LIMIT && input["ExclusiveStartTableName"] != last => {
                input = json!({ "ExclusiveStartTableName": last });
            }
            _ => break,
        }
    }
    names.truncate(TABLES_LIMIT);
    Ok(names)
}

fn is_valid(name: &str) -> bool {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    (3..=NAME_LIMIT).contains(&name.len()) && name.chars().all(allowed)
}

fn expiry_of(answer: &Value) -> Option<String> {
    let expiry = &answer["TimeToLiveDescription"];
    let is_on = matches!(expiry["TimeToLiveStatus"].as_str(), Some("ENABLED" | "ENABLING"));
    let attribute = expiry["AttributeName"].as_str().filter(|_| is_on)?;
    Some(format!("the expiry of items by {attribute}: CreateTable does not set it"))
}

/// The input of `CreateTable` that gives a table with this description.
fn definition(table: &Value) -> Value {
    let throughput = provisioned(&table["ProvisionedThroughput"]);
    let on_demand = table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST" || throughput.is_none();
    let mut definition = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        definition.extend(value.map(|value| (key.to_owned(), value)));
    };
    for key in ["TableName", "AttributeDefinitions", "KeySchema"] {
        put(key, present(&table[key]));
    }
    put("BillingMode", Some(json!(if on_demand { "PAY_PER_REQUEST" } else { "PROVISIONED" })));
    put("ProvisionedThroughput", throughput.filter(|_| !on_demand));
    put("GlobalSecondaryIndexes", indexes(&table["GlobalSecondaryIndexes"], !on_demand));
    put("LocalSecondaryIndexes", indexes(&table["LocalSecondaryIndexes"], false));
    let streams = table["StreamSpecification"]["StreamEnabled"] == true;
    put("StreamSpecification", present(&table["StreamSpecification"]).filter(|_| streams));
    Value::Object(definition)
}

fn present(value: &Value) -> Option<Value> {
    (!value.is_null()).then(|| value.clone())
}

fn indexes(indexes: &Value, provisioned_too: bool) -> Option<Value> {
    let one = |index: &Value| {
        let kept = ["IndexName", "KeySchema", "Projection"];
        let mut kept: Map<String, Value> =
            kept.into_iter().filter_map(|key| Some((key.to_owned(), present(&index[key])?))).collect();
        let throughput = provisioned(&index["ProvisionedThroughput"]).filter(|_| provisioned_too);
        kept.extend(throughput.map(|throughput| ("ProvisionedThroughput".to_owned(), throughput)));
        Value::Object(kept)
    };
    let mut indexes: Vec<Value> = indexes.as_array()?.iter().map(one).collect();
    indexes.sort_by_key(|index| index["IndexName"].as_str().map(str::to_owned));
    (!indexes.is_empty()).then_some(Value::Array(indexes))
}

/// The throughput of a table that has one: an on-demand table has zeros.
fn provisioned(throughput: &Value) -> Option<Value> {
    let units: BTreeMap<&str, u64> = ["ReadCapacityUnits", "WriteCapacityUnits"]
        .into_iter()
        .filter_map(|key| Some((key, throughput[key].as_u64().filter(|units| *units > 0)?)))
        .collect();
    (units.len() == 2).then(|| json!(units))
}

impl ImportedTable {
    /// The text of the table's file, in the order in which people write it.
    pub fn text(&self) -> String {
        const ORDER: [&str; 8] = [
            "TableName",
            "AttributeDefinitions",
            "KeySchema",
            "BillingMode",
            "ProvisionedThroughput",
            "GlobalSecondaryIndexes",
            "LocalSecondaryIndexes",
            "StreamSpecification",
        ];
        let lines: Vec<String> = ORDER
            .into_iter()
            .filter(|key| self.definition.get(key).is_some())
            .map(|key| {
                let value = serde_json::to_string_pretty(&self.definition[key]).expect("a value is plain data");
                format!("  \"{key}\": {}", value.replace('\n', "\n  "))
            })
            .collect();
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::DUMMY;

    async fn emulator() -> (Endpoint, Wire) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().expect("memory")));
        let endpoint = Endpoint::parse(&format!("http://{address}")).expect("loopback");
        let wire = Wire::new(&DYNAMODB, endpoint.clone(), "eu-west-1", DUMMY);
        (endpoint, wire)
    }

    fn orders() -> Value {
        json!({
            "TableName": "orders",
            "AttributeDefinitions": [
                { "AttributeName": "id", "AttributeType": "S" },
                { "AttributeName": "customer", "AttributeType": "S" },
            ],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-customer",
                "KeySchema": [{ "AttributeName": "customer", "KeyType": "HASH" }],
                "Projection": { "ProjectionType": "ALL" },
            }],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" },
        })
    }

    #[tokio::test]
    async fn what_was_created_is_read_back_as_it_was_written() {
        let (endpoint, wire) = emulator().await;
        let stock = json!({
            "TableName": "stock",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 6 },
        });
        for table in [&stock, &orders()] {
            wire.call("CreateTable", table).await.expect("made");
        }
        let expiry =
            json!({ "TableName": "stock", "TimeToLiveSpecification": { "Enabled": true, "AttributeName": "until" } });
        wire.call("UpdateTimeToLive", &expiry).await.expect("set");
        let read = tables(&endpoint, "eu-west-1", DUMMY).await.expect("it answers");
        assert_eq!(read.len(), 2);
        assert_eq!((&read[0].definition, &read[1].definition), (&orders(), &stock));
        assert_eq!(read[1].left_out, ["the expiry of items by until: CreateTable does not set it"]);
        let text: Value = serde_json::from_str(&read[0].text()).expect("JSON");
        assert_eq!(text, orders());
        assert!(read[0].text().starts_with("{\n  \"TableName\": \"orders\",\n  \"AttributeDefinitions\": [\n    {"));
    }

    #[test]
    fn a_name_that_is_no_file_name_is_left_out() {
        for (name, valid) in [("orders", true), ("a.b-c_1", true), ("../orders", false), ("ab", false), ("a/b", false)]
        {
            assert_eq!(is_valid(name), valid, "{name}");
        }
    }
}
