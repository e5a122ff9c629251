//! The files of resources as Terraform applied them, and their differences from the project's.

use std::collections::BTreeMap;

use devenv_model::resource::ResourceKind;
use serde_json::{Map, Value};

/// A file of the project.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    pub kind: ResourceKind,
    pub name: &'a str,
    pub definition: &'a Value,
}

/// By kind: the files by name. A kind without an output is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied(BTreeMap<ResourceKind, BTreeMap<String, Value>>);

/// An output that the foundation lacks, or that is no map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoOutput(pub &'static str);

/// Every foundation has the first output; the others, if its project has such resources.
const OUTPUTS: [(ResourceKind, &str); 4] = [
    (ResourceKind::Table, "tables"),
    (ResourceKind::Queue, "queues"),
    (ResourceKind::Topic, "topics"),
    (ResourceKind::Subscription, "subscriptions"),
];

impl Applied {
    /// Reads the outputs of a foundation.
    pub fn read(output: impl Fn(&str) -> Option<Value>) -> Result<Self, NoOutput> {
        let mut applied = BTreeMap::new();
        for (kind, name) in OUTPUTS {
            match output(name) {
                Some(Value::Object(files)) => drop(applied.insert(kind, files.into_iter().collect())),
                None if kind != ResourceKind::Table => {}
                None | Some(_) => return Err(NoOutput(name)),
            }
        }
        Ok(Self(applied))
    }

    /// A line for each resource that differs from its file. An error if the foundation does not report a kind that the project has.
    pub fn differences(&self, files: &[File<'_>]) -> Result<Vec<String>, NoOutput> {
        let mut found = Vec::new();
        let none = BTreeMap::new();
        for (kind, output) in OUTPUTS {
            let files: Vec<_> = files.iter().filter(|file| file.kind == kind).collect();
            let applied = match self.0.get(&kind) {
                Some(applied) => applied,
                None if files.is_empty() => &none,
                None => return Err(NoOutput(output)),
            };
            for File { name, definition, .. } in &files {
                match applied.get(*name) {
                    None => found.push(format!("{kind} {name} does not exist")),
                    Some(applied) => {
                        let keys = different_keys(definition, applied, "");
                        if !keys.is_empty() {
                            found.push(format!("{kind} {name} differs in {}", keys.join(", ")));
                        }
                    }
                }
            }
            let gone = applied.keys().filter(|name| files.iter().all(|file| file.name != *name));
            found.extend(gone.map(|name| format!("{kind} {name} has no file")));
        }
        Ok(found)
    }
}

/// The keys whose values differ, those within objects by their path.
fn different_keys(file: &Value, applied: &Value, path: &str) -> Vec<String> {
    let none = Map::new();
    let (file, applied) = (file.as_object().unwrap_or(&none), applied.as_object().unwrap_or(&none));
    let mut keys: Vec<&String> = file.keys().chain(applied.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let differ = keys.into_iter().filter(|key| file.get(*key) != applied.get(*key));
    differ
        .flat_map(|key| {
            let path = format!("{path}{key}");
            match (file.get(key), applied.get(key)) {
                (Some(file @ Value::Object(_)), Some(applied @ Value::Object(_))) => {
                    different_keys(file, applied, &format!("{path}."))
                }
                _ => vec![path],
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn project() -> Vec<(ResourceKind, &'static str, Value)> {
        vec![
            (ResourceKind::Table, "orders", json!({ "TableName": "orders", "BillingMode": "PAY_PER_REQUEST" })),
            (ResourceKind::Queue, "dead", json!({ "QueueName": "dead" })),
            (ResourceKind::Queue, "work", json!({ "QueueName": "work", "Attributes": { "VisibilityTimeout": "60" } })),
            (ResourceKind::Topic, "events", json!({ "Name": "events" })),
        ]
    }

    fn outputs() -> Value {
        json!({
            "tables": { "orders": { "BillingMode": "PAY_PER_REQUEST", "TableName": "orders" } },
            "queues": {
                "dead": { "QueueName": "dead" },
                "work": { "Attributes": { "VisibilityTimeout": "60" }, "QueueName": "work" },
            },
            "topics": { "events": { "Name": "events" } },
        })
    }

    fn compared(outputs: &Value) -> Result<Vec<String>, NoOutput> {
        let project = project();
        let files: Vec<_> =
            project.iter().map(|(kind, name, definition)| File { kind: *kind, name, definition }).collect();
        Applied::read(|name| outputs.get(name).cloned())?.differences(&files)
    }

    #[test]
    fn what_is_applied_as_in_the_files_has_no_difference() {
        assert_eq!(compared(&outputs()), Ok(Vec::new()), "a kind that the project lacks needs no output");
    }

    #[test]
    fn each_kind_is_compared_key_by_key() {
        let mut outputs = outputs();
        outputs["tables"]["orders"]["BillingMode"] = json!("PROVISIONED");
        outputs["tables"]["orders"]["KeySchema"] = json!([]);
        outputs["queues"] = json!({
            "work": { "Attributes": { "VisibilityTimeout": "30", "DelaySeconds": "1" }, "QueueName": "work" },
            "old": { "QueueName": "old" },
        });
        outputs["subscriptions"] = json!({ "old-events": {} });
        let expected = [
            "table orders differs in BillingMode, KeySchema",
            "queue dead does not exist",
            "queue work differs in Attributes.DelaySeconds, Attributes.VisibilityTimeout",
            "queue old has no file",
            "subscription old-events has no file",
        ];
        assert_eq!(compared(&outputs), Ok(expected.map(str::to_owned).into()));
    }

    #[test]
    fn an_output_that_the_project_needs_is_named() {
        for name in ["tables", "queues", "topics"] {
            let mut outputs = outputs();
            outputs.as_object_mut().expect("a map").remove(name);
            assert_eq!(compared(&outputs), Err(NoOutput(name)));
            outputs[name] = json!("no map");
            assert_eq!(compared(&outputs), Err(NoOutput(name)));
        }
    }
}
