//! Table files: the `CreateTable` input as the AWS CLI takes it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::tree::{Entry, Node, parse};
use super::types::{KeyAttribute, Seed, Table};
use super::{Problem, SourceFile};
use crate::names::closest;

const KEYS: [&str; 13] = [
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "StreamSpecification",
    "SSESpecification",
    "TableClass",
    "Tags",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
];
const INDEX_KEYS: [&str; 5] = ["IndexName", "KeySchema", "Projection", "ProvisionedThroughput", "OnDemandThroughput"];
/// The ten kinds of a value in DynamoDB JSON.
const KINDS: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"];

/// A table and where its name stands.
pub(super) struct ReadTable {
    pub(super) table: Table,
    pub(super) name_span: Range<usize>,
}

pub(super) struct TableReader<'a> {
    file: &'a SourceFile,
    pub(super) problems: Vec<Problem>,
}

impl<'a> TableReader<'a> {
    pub(super) fn new(file: &'a SourceFile) -> Self {
        Self { file, problems: Vec::new() }
    }

    fn report(&mut self, span: Range<usize>, message: impl Into<String>, help: &str) {
        self.problems.push(Problem::new("table.value", self.file, span, message).help(help));
    }

    pub(super) fn table(&mut self) -> Option<ReadTable> {
        let document = self.document()?;
        let entries = document.entries().map(<[Entry]>::to_vec).unwrap_or_default();
        self.known_keys(&entries, &KEYS);
        let name = self.required_text(&document, "TableName")?;
        if !(3..=255).contains(&name.0.len()) || !name.0.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        {
            self.report(name.1.clone(), format!("{} is not a table name", name.0), "3 to 255 letters, digits, _ . -");
        }
        let definitions = self.definitions(&document);
        let mut used = BTreeSet::new();
        let key = self.key_schema(&document, &definitions, &mut used);
        for list in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            for index in document.get(list).and_then(Node::items).unwrap_or_default() {
                self.index(index, &definitions, &mut used);
            }
        }
        for (attribute, (_, span)) in &definitions {
            if !used.contains(attribute) {
                let message = format!("attribute {attribute} is defined and no key or index uses it");
                self.report(span.clone(), message, "remove it: only key attributes are defined");
            }
        }
        self.billing(&document);
        let table = Table { name: name.0, file: self.file.path.clone(), key, definition: document.value() };
        Some(ReadTable { table, name_span: name.1 })
    }

    fn document(&mut self) -> Option<Node> {
        // JSON first: the tree's parser is a YAML one and would let things pass that no JSON reader does.
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&self.file.text) {
            let start: usize =
                self.file.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            let at = start + error.column().saturating_sub(1);
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            self.problems.push(Problem::new("table.syntax", self.file, at..at, format!("not JSON: {message}")));
            return None;
        }
        match parse(self.file) {
            Ok(document) => Some(document),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn known_keys(&mut self, entries: &[Entry], known: &[&str]) {
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let help = closest(&entry.key, known.iter().copied()).map_or_else(
                || format!("the keys here are {}", known.join(", ")),
                |meant| format!("did you mean {meant}?"),
            );
            let message = format!("unknown key {}", entry.key);
            self.problems
                .push(Problem::new("table.unknown_key", self.file, entry.key_span.clone(), message).help(help));
        }
    }

    fn required_text(&mut self, node: &Node, key: &str) -> Option<(String, Range<usize>)> {
        let value = node.get(key);
        let text = value.and_then(|value| Some((value.text()?.to_owned(), value.span.clone())));
        if text.is_none() {
            let span = value.map_or_else(|| node.span.start..node.span.start + 1, |value| value.span.clone());
            self.report(span, format!("{key} is missing or no text"), "see the CreateTable input of the AWS CLI");
        }
        text
    }

    fn definitions(&mut self, document: &Node) -> BTreeMap<String, (String, Range<usize>)> {
        let mut definitions = BTreeMap::new();
        for node in document.get("AttributeDefinitions").and_then(Node::items).unwrap_or_default() {
            let name = self.required_text(node, "AttributeName");
            let kind = self.required_text(node, "AttributeType");
            let (Some((name, span)), Some((kind, kind_span))) = (name, kind) else { continue };
            if !["S", "N", "B"].contains(&kind.as_str()) {
                self.report(
                    kind_span,
                    format!("{kind} is not a key's type"),
                    "S for text, N for a number, B for bytes",
                );
            }
            if definitions.insert(name.clone(), (kind, span.clone())).is_some() {
                self.report(span, format!("attribute {name} is defined twice"), "keep one of them");
            }
        }
        definitions
    }

    fn key_schema(
        &mut self,
        node: &Node,
        definitions: &BTreeMap<String, (String, Range<usize>)>,
        used: &mut BTreeSet<String>,
    ) -> Vec<KeyAttribute> {
        let mut key = Vec::new();
        let mut kinds = Vec::new();
        for element in node.get("KeySchema").and_then(Node::items).unwrap_or_default() {
            let name = self.required_text(element, "AttributeName");
            let kind = self.required_text(element, "KeyType");
            let (Some((name, span)), Some((kind, _))) = (name, kind) else { continue };
            kinds.push(kind);
            used.insert(name.clone());
            match definitions.get(&name) {
                Some((kind, _)) => key.push(KeyAttribute { name, kind: kind.clone() }),
                None => {
                    self.report(span, format!("key attribute {name} is not defined"), "add it to AttributeDefinitions");
                }
            }
        }
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        if !matches!(kinds[..], ["HASH"] | ["HASH", "RANGE"]) {
            let span = node
                .get("KeySchema")
                .map_or_else(|| node.span.start..node.span.start + 1, |schema| schema.span.clone());
            self.report(
                span,
                "a key schema is one HASH, then at most one RANGE",
                "see the CreateTable input of the AWS CLI",
            );
        }
        key
    }

    fn index(
        &mut self,
        index: &Node,
        definitions: &BTreeMap<String, (String, Range<usize>)>,
        used: &mut BTreeSet<String>,
    ) {
        let entries = index.entries().map(<[Entry]>::to_vec).unwrap_or_default();
        self.known_keys(&entries, &INDEX_KEYS);
        self.required_text(index, "IndexName");
        self.key_schema(index, definitions, used);
        let projection = index.get("Projection").cloned();
        let Some(projection) = projection else {
            self.report(
                index.span.start..index.span.start + 1,
                "the index has no Projection",
                "ALL, KEYS_ONLY or INCLUDE",
            );
            return;
        };
        if let Some((kind, span)) = self.required_text(&projection, "ProjectionType")
            && !["ALL", "KEYS_ONLY", "INCLUDE"].contains(&kind.as_str())
        {
            self.report(span, format!("{kind} is not a projection"), "ALL, KEYS_ONLY or INCLUDE");
        }
    }

    fn billing(&mut self, document: &Node) {
        let throughput = document.get("ProvisionedThroughput");
        match document.get("BillingMode").and_then(|mode| Some((mode.text()?, mode.span.clone()))) {
            Some(("PAY_PER_REQUEST", span)) if throughput.is_some() => {
                self.report(span, "an on-demand table has no ProvisionedThroughput", "remove one of the two");
            }
            Some(("PAY_PER_REQUEST", _)) => {}
            Some(("PROVISIONED", span)) if throughput.is_none() => {
                self.report(
                    span,
                    "a provisioned table needs its ProvisionedThroughput",
                    "add it, or use PAY_PER_REQUEST",
                );
            }
            Some(("PROVISIONED", _)) => {}
            Some((other, span)) => {
                self.report(span, format!("{other} is not a billing mode"), "PAY_PER_REQUEST or PROVISIONED");
            }
            None if throughput.is_none() => {
                let span = document.span.start..document.span.start + 1;
                self.report(span, "the table has no BillingMode", "add \"BillingMode\": \"PAY_PER_REQUEST\"");
            }
            None => {}
        }
    }

    /// A seed file: the items of the table that its name names.
    pub(super) fn seed(&mut self, tables: &[Table]) -> Option<Seed> {
        let document = self.document()?;
        let name = self.file.path.file_stem().unwrap_or_default().to_owned();
        let Some(table) = tables.iter().find(|table| table.name == name) else {
            let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
            let help = closest(&name, names.iter().copied()).map_or_else(
                || format!("the tables are {}", names.join(", ")),
                |meant| format!("did you mean {meant}.json?"),
            );
            let message = format!("this seeds a table {name}, which does not exist");
            self.problems.push(Problem::new("seed.table", self.file, 0..1, message).help(help));
            return None;
        };
        let Some(items) = document.items() else {
            self.report(document.span.start..document.span.start + 1, "a seed is a list of items", "write [ { ... } ]");
            return None;
        };
        let mut keys = BTreeSet::new();
        for item in items {
            self.item(table, item);
            let key: Vec<String> = table
                .key
                .iter()
                .map(|key| item.get(&key.name).map(|value| value.value().to_string()).unwrap_or_default())
                .collect();
            if !keys.insert(key.clone()) {
                let message = format!("a second item with the key {}", key.join(", "));
                self.report(item.span.start..item.span.start + 1, message, "keep one of them");
            }
        }
        Some(Seed { table: name, file: self.file.path.clone(), items: items.iter().map(Node::value).collect() })
    }

    fn item(&mut self, table: &Table, item: &Node) {
        for entry in item.entries().unwrap_or_default() {
            let kind = match entry.value.entries() {
                Some([single]) => Some(single),
                _ => None,
            };
            let Some(kind) = kind.filter(|kind| KINDS.contains(&kind.key.as_str())) else {
                let message = format!("{} is not in DynamoDB JSON", entry.key);
                self.report(entry.value.span.clone(), message, "write { \"S\": \"text\" } or { \"N\": \"42\" }");
                continue;
            };
            let number = kind.value.text().unwrap_or_default();
            if kind.key == "N" && (number.parse::<f64>().is_err() || kind.value.value().is_number()) {
                let message = format!("{} is not a number in quotes", entry.key);
                self.report(kind.value.span.clone(), message, "write { \"N\": \"42\" }");
            }
        }
        for key in &table.key {
            let value = item.get(&key.name);
            if value.and_then(|value| value.get(&key.kind)).is_none() {
                let span = value.map_or_else(|| item.span.start..item.span.start + 1, |value| value.span.clone());
                let message =
                    format!("the key {} of table {} is missing or not of type {}", key.name, table.name, key.kind);
                self.report(span, message, &format!("add \"{}\": {{ \"{}\": \"...\" }}", key.name, key.kind));
            }
        }
    }
}
