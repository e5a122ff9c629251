//! The foundation of an environment, as its Terraform state reports it.

use std::collections::BTreeMap;

use devenv_ledger::Ledger;
use devenv_model::manifest::Table;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::Error;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foundation {
    /// The cluster's name.
    pub(crate) cluster: String,
    /// The repository of each service's image, by service, host first.
    pub(crate) repositories: BTreeMap<String, String>,
    /// Where the system answers.
    pub(crate) url: String,
    /// Where single services answer, by service: an output that a foundation may lack.
    pub(crate) urls: BTreeMap<String, String>,
    /// What was made for each service of a rehearsal, earlier releases' ones included; empty in AWS.
    pub(crate) services: Map<String, Value>,
    /// The table files as Terraform applied them, by table name.
    tables: BTreeMap<String, Value>,
}

/// The part of the state format (version 4) that devenv reads.
#[derive(Deserialize)]
struct State {
    outputs: BTreeMap<String, Output>,
}

#[derive(Deserialize)]
struct Output {
    value: Value,
}

impl Foundation {
    pub(crate) async fn read(ledger: &Ledger) -> Result<Self, Error> {
        let key = format!("{}/foundation.tfstate", ledger.environment);
        let (environment, bucket) = (ledger.environment.clone(), ledger.bucket.clone());
        match ledger.get(&key).await? {
            Some(object) => Self::parse(&environment, &object.content),
            None => Err(Error::NoFoundation { environment, bucket, key }),
        }
    }

    fn parse(environment: &str, state: &[u8]) -> Result<Self, Error> {
        let missing =
            |what: &str| Error::FoundationIncomplete { environment: environment.to_owned(), missing: what.to_owned() };
        let state: State =
            serde_json::from_slice(state).map_err(|error| missing(&format!("readable outputs: {error}")))?;
        let output = |name: &str| state.outputs.get(name).map(|output| output.value.clone());
        let map = |name: &str| match output(name) {
            Some(Value::Object(map)) => Ok(map),
            _ => Err(missing(&format!("the output {name}"))),
        };
        let text = |value: Option<&Value>, what: &str| {
            value.and_then(Value::as_str).map(str::to_owned).ok_or_else(|| missing(what))
        };
        let release = map("release")?;
        let repositories = map("repository_urls")?.into_iter().map(|(service, url)| {
            let url = text(Some(&url), "the output repository_urls")?;
            Ok((service, url))
        });
        let urls = match output("urls") {
            Some(urls) => {
                serde_json::from_value(urls).map_err(|error| missing(&format!("a readable output urls: {error}")))?
            }
            None => BTreeMap::new(),
        };
        Ok(Self {
            urls,
            services: release.get("services").and_then(Value::as_object).cloned().unwrap_or_default(),
            cluster: text(release.get("cluster").and_then(|cluster| cluster.get("name")), "the name of the cluster")?,
            repositories: repositories.collect::<Result<_, Error>>()?,
            url: text(output("url").as_ref(), "the output url")?.trim_end_matches('/').to_owned(),
            tables: map("tables")?.into_iter().collect(),
        })
    }

    /// The host and the path of a service's repository.
    pub(crate) fn repository(&self, environment: &str, service: &str) -> Result<(&str, &str), Error> {
        let url = self.repositories.get(service).and_then(|url| url.split_once('/'));
        url.ok_or_else(|| Error::FoundationIncomplete {
            environment: environment.to_owned(),
            missing: format!("the repository of {service}"),
        })
    }

    /// A line for each table that differs from its file.
    pub(crate) fn table_differences(&self, files: &[Table]) -> Vec<String> {
        let mut found = Vec::new();
        for table in files {
            match self.tables.get(&table.name) {
                None => found.push(format!("{} does not exist", table.name)),
                Some(applied) => {
                    let keys = different_keys(&table.definition, applied);
                    if !keys.is_empty() {
                        found.push(format!("{} differs in {}", table.name, keys.join(", ")));
                    }
                }
            }
        }
        let gone = self.tables.keys().filter(|name| files.iter().all(|table| table.name != **name));
        found.extend(gone.map(|name| format!("{name} has no file")));
        found
    }
}

fn different_keys(file: &Value, applied: &Value) -> Vec<String> {
    let none = serde_json::Map::new();
    let (file, applied) = (file.as_object().unwrap_or(&none), applied.as_object().unwrap_or(&none));
    let mut keys: Vec<&String> = file.keys().chain(applied.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().filter(|key| file.get(*key) != applied.get(*key)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state() -> Value {
        let output = |value: Value| json!({ "value": value, "type": "string" });
        json!({
            "version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "x", "resources": [],
            "outputs": {
                "release": output(json!({ "cluster": { "name": "orders-dev" }, "name": "orders-dev" })),
                "repository_urls": output(json!({ "order-api": "registry.example/orders/order-api" })),
                "url": output(json!("https://orders.example.com/")),
                "urls": output(json!({ "order-api": "https://api.example.com" })),
                "tables": output(json!({ "orders": { "TableName": "orders", "BillingMode": "PAY_PER_REQUEST" } })),
            },
        })
    }

    fn table(definition: Value) -> Table {
        let name = definition["TableName"].as_str().expect("a name").to_owned();
        Table { file: format!("{name}.json").into(), name, key: Vec::new(), definition }
    }

    #[test]
    fn the_outputs_of_a_state_are_read() {
        let foundation = Foundation::parse("dev", state().to_string().as_bytes()).expect("whole");
        assert_eq!(
            (foundation.cluster.as_str(), foundation.url.as_str()),
            ("orders-dev", "https://orders.example.com")
        );
        assert_eq!(foundation.urls["order-api"], "https://api.example.com");
        let repository = foundation.repository("dev", "order-api").expect("known");
        assert_eq!(repository, ("registry.example", "orders/order-api"));
        assert!(foundation.repository("dev", "mailer").is_err());
    }

    #[test]
    fn missing_outputs_are_named() {
        for (name, missing) in [("release", "output release"), ("url", "output url"), ("tables", "output tables")] {
            let mut state = state();
            state["outputs"].as_object_mut().expect("a map").remove(name);
            let error = Foundation::parse("dev", state.to_string().as_bytes()).expect_err("incomplete");
            assert!(error.to_string().contains(missing), "{error}");
        }
        assert!(Foundation::parse("dev", b"{").is_err());
    }

    #[test]
    fn the_urls_of_services_may_be_absent_but_not_wrong() {
        let parsed = |urls: Option<Value>| {
            let mut state = state();
            let outputs = state["outputs"].as_object_mut().expect("a map");
            outputs.remove("urls");
            outputs.extend(urls.map(|urls| ("urls".to_owned(), json!({ "value": urls }))));
            Foundation::parse("dev", state.to_string().as_bytes())
        };
        assert!(parsed(None).expect("whole").urls.is_empty());
        let error = parsed(Some(json!("https://a"))).expect_err("not by service");
        assert!(error.to_string().contains("output urls"), "{error}");
    }

    #[test]
    fn tables_are_compared_key_by_key() {
        let foundation = Foundation::parse("dev", state().to_string().as_bytes()).expect("whole");
        let same = json!({ "BillingMode": "PAY_PER_REQUEST", "TableName": "orders" });
        assert_eq!(foundation.table_differences(&[table(same)]), Vec::<String>::new());
        let other = json!({ "BillingMode": "PROVISIONED", "TableName": "orders", "KeySchema": [] });
        let new = json!({ "TableName": "refunds" });
        let found = foundation.table_differences(&[table(other), table(new)]);
        assert_eq!(found, ["orders differs in BillingMode, KeySchema", "refunds does not exist"]);
        assert_eq!(foundation.table_differences(&[]), ["orders has no file"]);
    }
}
