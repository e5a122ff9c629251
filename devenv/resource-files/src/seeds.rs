//! Seed files: items in DynamoDB JSON. A file's name is its table's name.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use devenv_model::manifest::{KeyAttribute, Seed, Table};
use serde_json::Value;

use crate::attribute_value::{canonical, check, kind};
use devenv_document::closest::closest;
use devenv_document::json;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::Node;

pub(crate) struct SeedReader<'a> {
    file: &'a Arc<SourceFile>,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> SeedReader<'a> {
    pub(crate) fn new(file: &'a Arc<SourceFile>) -> Self {
        Self { file, problems: Vec::new() }
    }

    fn report(&mut self, code: &'static str, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(code, self.file, span, message).help(help));
    }

    /// Reads the items of the table with the file's name. `queues` are the other names that a seed may have.
    pub(crate) fn seed(&mut self, tables: &[Table], queues: &[&str]) -> Option<Seed> {
        let parsed = json::parse(self.file, "seed.syntax");
        let (document, value) = parsed.map_err(|problem| self.problems.push(problem)).ok()?;
        let name = self.file.path.file_stem().unwrap_or_default().to_owned();
        let Some(table) = tables.iter().find(|table| table.name == name) else {
            let names = tables.iter().map(|table| table.name.as_str()).chain(queues.iter().copied());
            let names: Vec<&str> = names.collect();
            let (noun, plural) =
                if queues.is_empty() { ("table", "tables") } else { ("table or queue", "tables and queues") };
            let help = match closest(&name, names.iter().copied()) {
                Some(meant) => format!("did you mean {meant}.json?"),
                None if names.is_empty() => "there is no table file".to_owned(),
                None => format!("the {plural} are {}", names.join(", ")),
            };
            self.report("seed.table", 0..1, format!("there is no {noun} {name} for this seed"), help);
            return None;
        };
        let Some(nodes) = document.items() else {
            self.report("seed.value", document.span.clone(), "a seed file holds a list of items", "write [{ ... }]");
            return None;
        };
        let indexed = indexed_attributes(table);
        let mut seen: BTreeMap<Vec<String>, Range<usize>> = BTreeMap::new();
        for node in nodes {
            let Some(key) = self.item(table, &indexed, node) else { continue };
            if let Some(first) = seen.insert(key.clone(), node.span.clone()) {
                let names: Vec<&str> = table.key.iter().map(|key| key.name.as_str()).collect();
                let message = format!("a second item with the same {}", names.join(" and "));
                let problem = Problem::new("seed.duplicate", self.file, node.span.clone(), message);
                self.problems.push(problem.other(first, "first here").help("keep one of them"));
            }
        }
        let Value::Array(items) = value else { return None };
        Some(Seed { table: name, file: self.file.path.clone(), items })
    }

    /// Checks an item and returns its key, or `None` if the item is invalid.
    fn item(&mut self, table: &Table, indexed: &[KeyAttribute], item: &Node) -> Option<Vec<String>> {
        let Some(entries) = item.entries() else {
            self.report(
                "seed.value",
                item.span.clone(),
                format!("expected an item, found {}", item.kind()),
                "write { \"id\": { \"S\": \"...\" } }",
            );
            return None;
        };
        let before = self.problems.len();
        for entry in entries {
            if let Err(wrong) = check(&entry.key, &entry.value) {
                self.report("seed.value", wrong.span, wrong.message, wrong.help);
            }
        }
        // A malformed value has no type to check, and is reported already.
        if self.problems.len() > before {
            return None;
        }
        for attribute in indexed {
            if let Some(value) = item.get(&attribute.name)
                && kind(value).is_some_and(|entry| entry.key != attribute.kind)
            {
                let message =
                    format!("key {} of table {} must be of type {}", attribute.name, table.name, attribute.kind);
                self.report("seed.key", value.span.clone(), message, write_key(attribute));
            }
        }
        let missing: Vec<&KeyAttribute> = table.key.iter().filter(|key| item.get(&key.name).is_none()).collect();
        for attribute in missing {
            let message = format!("the item has no {}, a key of table {}", attribute.name, table.name);
            self.report("seed.key", item.span.clone(), message, write_key(attribute));
        }
        for attribute in &table.key {
            let value = item.get(&attribute.name);
            if value.and_then(|value| kind(value)?.value.text()).is_some_and(str::is_empty) {
                let span = value.map(|value| value.span.clone()).unwrap_or_default();
                self.report("seed.key", span, format!("the key {} is empty", attribute.name), write_key(attribute));
            }
        }
        let key = |attribute: &KeyAttribute| {
            let text = kind(item.get(&attribute.name)?)?.value.text()?;
            if attribute.kind == "N" { canonical(text) } else { Some(text.to_owned()) }
        };
        if self.problems.len() > before { None } else { table.key.iter().map(key).collect() }
    }
}

fn write_key(attribute: &KeyAttribute) -> String {
    format!("write \"{}\": {{ \"{}\": \"...\" }}", attribute.name, attribute.kind)
}

/// The key attributes of the table and its indexes: exactly the defined attributes.
fn indexed_attributes(table: &Table) -> Vec<KeyAttribute> {
    let definitions = table.definition["AttributeDefinitions"].as_array();
    let attribute = |definition: &Value| {
        let name = definition["AttributeName"].as_str()?.to_owned();
        Some(KeyAttribute { name, kind: definition["AttributeType"].as_str()?.to_owned() })
    };
    definitions.into_iter().flatten().filter_map(attribute).collect()
}
