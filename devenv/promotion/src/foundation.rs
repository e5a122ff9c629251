//! The foundation of an environment, as its Terraform state reports it.

use std::collections::BTreeMap;

use devenv_ledger::Ledger;
use devenv_model::manifest::Manifest;
use devenv_model::messaging::Messaging;
use devenv_model::resource::ResourceKind;
use devenv_resources::applied::{Applied, File, NoOutput};
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
    /// The files of resources as Terraform applied them.
    applied: Applied,
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
            applied: Applied::read(output).map_err(|NoOutput(name)| missing(&format!("the output {name}")))?,
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

    /// A line for each resource that differs from its file.
    pub(crate) fn differences(&self, environment: &str, manifest: &Manifest) -> Result<Vec<String>, Error> {
        self.applied.differences(&files(manifest)).map_err(|NoOutput(name)| Error::FoundationIncomplete {
            environment: environment.to_owned(),
            missing: format!("the output {name}"),
        })
    }
}

/// The project's files of resources.
fn files(manifest: &Manifest) -> Vec<File<'_>> {
    let Messaging { queues, topics, subscriptions, .. } = &manifest.messaging;
    let tables = manifest.tables.iter().map(|file| (ResourceKind::Table, &file.name, &file.definition));
    let queues = queues.iter().map(|file| (ResourceKind::Queue, &file.name, &file.definition));
    let topics = topics.iter().map(|file| (ResourceKind::Topic, &file.name, &file.definition));
    let subscriptions = subscriptions.iter().map(|file| (ResourceKind::Subscription, &file.name, &file.definition));
    let all = tables.chain(queues).chain(topics).chain(subscriptions);
    all.map(|(kind, name, definition)| File { kind, name, definition }).collect()
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
}
