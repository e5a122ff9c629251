//! The differences between an existing table and its file, in the file's own terms.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The differences of a table from its file, a line for each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    /// Those that only a new table ends.
    pub(super) lasting: Vec<String>,
    pub(super) stream: Option<StreamDifference>,
}

/// A difference that the existing table loses without losing an item.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StreamDifference {
    pub(super) line: String,
    /// The inputs of `UpdateTable` that end it, without the table's name.
    pub(super) updates: Vec<Value>,
}

impl Differences {
    pub(super) fn lines(self) -> Vec<String> {
        self.lasting.into_iter().chain(self.stream.map(|stream| stream.line)).collect()
    }
}

/// Compares `file` with `described`, the `Table` of `DescribeTable`. Ignores the fields that AWS adds, such as counts, times and
/// ARNs.
pub(super) fn differences(file: &Value, described: &Value) -> Differences {
    let mut found = Vec::new();
    keys("", &file["KeySchema"], &described["KeySchema"], &mut found);
    attributes(file, described, &mut found);
    billing(file, described, &mut found);
    for (list, word) in [("GlobalSecondaryIndexes", "index"), ("LocalSecondaryIndexes", "local index")] {
        indexes(word, &file[list], &described[list], &mut found);
    }
    Differences { lasting: found, stream: stream(file, described) }
}

fn keys(of: &str, file: &Value, table: &Value, found: &mut Vec<String>) {
    for (kind, word) in [("HASH", "partition key"), ("RANGE", "sort key")] {
        let (wanted, there) = (key(file, kind), key(table, kind));
        if wanted != there {
            found.push(differs(&format!("{of}{word}"), wanted, there));
        }
    }
}

fn key<'a>(schema: &'a Value, kind: &str) -> Option<&'a str> {
    let element = list(schema).find(|element| element["KeyType"] == kind)?;
    element["AttributeName"].as_str()
}

fn attributes(file: &Value, table: &Value, found: &mut Vec<String>) {
    let of = |side: &Value| -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        list(&side["AttributeDefinitions"])
            .map(|attribute| (text(&attribute["AttributeName"]), text(&attribute["AttributeType"])))
            .collect()
    };
    let (wanted, there) = (of(file), of(table));
    for (name, kind) in &wanted {
        // An attribute that only one side has belongs to a key or an index that is reported by itself.
        if let Some(other) = there.get(name).filter(|other| *other != kind) {
            found.push(differs(&format!("type of {name}"), Some(kind), Some(other)));
        }
    }
}

fn billing(file: &Value, table: &Value, found: &mut Vec<String>) {
    let on_demand = |mode: &Value| mode == "PAY_PER_REQUEST";
    // A described table without a summary was created with capacities; emulators may leave both out.
    let there = on_demand(&table["BillingModeSummary"]["BillingMode"]);
    let wanted = on_demand(&file["BillingMode"]);
    let word = |on_demand| Some(if on_demand { "PAY_PER_REQUEST" } else { "PROVISIONED" });
    if wanted != there {
        found.push(differs("billing mode", word(wanted), word(there)));
        return;
    }
    if !wanted {
        for unit in ["ReadCapacityUnits", "WriteCapacityUnits"] {
            let (wanted, there) = (&file["ProvisionedThroughput"][unit], &table["ProvisionedThroughput"][unit]);
            if wanted.as_f64() != there.as_f64() {
                found.push(differs(unit, Some(&wanted.to_string()), Some(&there.to_string())));
            }
        }
    }
}

fn indexes(word: &str, file: &Value, table: &Value, found: &mut Vec<String>) {
    let by_name = |side: &Value| -> BTreeMap<String, Value> {
        list(side).filter_map(|index| Some((index["IndexName"].as_str()?.to_owned(), index.clone()))).collect()
    };
    let (wanted, there) = (by_name(file), by_name(table));
    for (name, index) in &wanted {
        let Some(other) = there.get(name) else {
            found.push(format!("{word} {name} is in the file, not in the table"));
            continue;
        };
        keys(&format!("{word} {name}: "), &index["KeySchema"], &other["KeySchema"], found);
        let (kind, other_kind) = (projection(index), projection(other));
        if kind != other_kind {
            found.push(differs(&format!("{word} {name}: projection"), Some(&kind), Some(&other_kind)));
        }
    }
    for name in there.keys().filter(|name| !wanted.contains_key(*name)) {
        found.push(format!("{word} {name} is in the table, not in the file"));
    }
}

/// The projection's type, and the attributes it names in any order.
fn projection(index: &Value) -> String {
    let projection = &index["Projection"];
    let kind = projection["ProjectionType"].as_str().unwrap_or("ALL");
    let names: BTreeSet<&str> = list(&projection["NonKeyAttributes"]).filter_map(Value::as_str).collect();
    if names.is_empty() {
        return kind.to_owned();
    }
    format!("{kind} {}", names.into_iter().collect::<Vec<_>>().join(", "))
}

fn stream(file: &Value, table: &Value) -> Option<StreamDifference> {
    let view = |side: &Value| -> Option<String> {
        let stream = &side["StreamSpecification"];
        let is_on = stream["StreamEnabled"].as_bool() == Some(true);
        is_on.then(|| stream["StreamViewType"].as_str().unwrap_or("enabled").to_owned())
    };
    let (wanted, there) = (view(file), view(table));
    if wanted == there {
        return None;
    }
    let word = |view: &Option<String>| view.clone().unwrap_or_else(|| "off".to_owned());
    let line = differs("stream", Some(&word(&wanted)), Some(&word(&there)));
    // AWS changes no view of a stream: the old stream ends, and the table gets a new one.
    let off = there.map(|_| json!({ "StreamSpecification": { "StreamEnabled": false } }));
    let on = wanted.map(|_| json!({ "StreamSpecification": file["StreamSpecification"] }));
    Some(StreamDifference { line, updates: off.into_iter().chain(on).collect() })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn differs(what: &str, file: Option<&str>, table: Option<&str>) -> String {
    format!("{what} is {} in the file, {} in the table", file.unwrap_or("absent"), table.unwrap_or("absent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> Value {
        serde_json::from_str(include_str!("../../../../terraform/tables/orders.json")).expect("JSON")
    }

    fn described(file: &Value) -> Value {
        let mut table = file.clone();
        table["BillingModeSummary"] = json!({ "BillingMode": file["BillingMode"] });
        table["ItemCount"] = json!(7);
        table
    }

    #[test]
    fn a_table_made_from_its_file_does_not_differ() {
        assert_eq!(differences(&orders(), &described(&orders())), Differences::default());
    }

    #[test]
    fn each_difference_has_its_line() {
        let mut table = described(&orders());
        table["KeySchema"][0]["AttributeName"] = json!("id");
        table["AttributeDefinitions"][1]["AttributeType"] = json!("N");
        table["BillingModeSummary"] = Value::Null;
        table["GlobalSecondaryIndexes"][0]["KeySchema"][1]["AttributeName"] = json!("updated_at");
        table["GlobalSecondaryIndexes"][1]["IndexName"] = json!("waiting");
        table["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" });
        insta::assert_snapshot!(differences(&orders(), &table).lines().join("\n"));
    }

    #[test]
    fn a_stream_changes_in_place_and_its_view_by_a_new_stream() {
        let table = |view: Option<&str>| match view {
            Some(view) => json!({ "StreamSpecification": { "StreamEnabled": true, "StreamViewType": view } }),
            None => json!({}),
        };
        let updates = |file: Option<&str>, there: Option<&str>| -> Vec<String> {
            let found = stream(&table(file), &table(there)).map(|found| found.updates).unwrap_or_default();
            let view = |update: &Value| match &update["StreamSpecification"]["StreamViewType"] {
                Value::String(view) => view.clone(),
                _ => "off".to_owned(),
            };
            found.iter().map(view).collect()
        };
        assert_eq!(updates(Some("NEW_IMAGE"), None), ["NEW_IMAGE"]);
        assert_eq!(updates(None, Some("NEW_IMAGE")), ["off"]);
        assert_eq!(updates(Some("KEYS_ONLY"), Some("NEW_IMAGE")), ["off", "KEYS_ONLY"]);
        assert_eq!(updates(Some("KEYS_ONLY"), Some("KEYS_ONLY")), [""; 0]);
        assert_eq!(stream(&json!({ "StreamSpecification": { "StreamEnabled": false } }), &json!({})), None);
    }

    #[test]
    fn projections_compare_their_attributes_in_any_order() {
        let index = |names: Value| json!({ "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": names } });
        assert_eq!(projection(&index(json!(["a", "b"]))), projection(&index(json!(["b", "a"]))));
        assert_ne!(projection(&index(json!(["a"]))), projection(&index(json!(["b"]))));
    }
}
