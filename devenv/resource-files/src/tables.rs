//! Table files: the `CreateTable` input in the AWS CLI's form.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use devenv_model::manifest::{KeyAttribute, Table};

use crate::table_keys::{ELEMENTS, KEYS};
use devenv_document::closest::closest;
use devenv_document::json;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::Node;

const REFERENCE: &str = "see `aws dynamodb create-table help`";
/// DynamoDB's limits, in characters.
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 3..=255;

/// A table and the place of its name.
pub(crate) struct ReadTable {
    pub(crate) table: Table,
    pub(crate) name_span: Range<usize>,
}

/// The defined attributes with their types and places.
type Definitions = BTreeMap<String, (String, Range<usize>)>;

pub(crate) struct TableReader<'a> {
    file: &'a Arc<SourceFile>,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> TableReader<'a> {
    pub(crate) fn new(file: &'a Arc<SourceFile>) -> Self {
        Self { file, problems: Vec::new() }
    }

    pub(crate) fn report(&mut self, span: Range<usize>, message: impl Into<String>, help: &str) {
        self.problems.push(Problem::new("table.value", self.file, span, message).help(help));
    }

    pub(crate) fn table(&mut self) -> Option<ReadTable> {
        let parsed = json::parse(self.file, "table.syntax");
        let (document, definition) = parsed.map_err(|problem| self.problems.push(problem)).ok()?;
        if document.entries().is_none() {
            self.report(
                document.span.clone(),
                format!("a table file holds a mapping, not {}", document.kind()),
                REFERENCE,
            );
            return None;
        }
        self.known_keys(&document, &KEYS);
        // A misspelt key would be reported as missing too.
        if !self.problems.is_empty() {
            return None;
        }
        let (name, name_span) = self.required_text(&document, "TableName")?;
        self.check_name(&name, &name_span, "a valid table name");
        let definitions = self.definitions(&document);
        let mut used = BTreeSet::new();
        let key = self.key_schema(&document, &definitions, &mut used);
        self.indexes(&document, &key, &definitions, &mut used);
        for (attribute, (_, span)) in definitions.iter().filter(|(attribute, _)| !used.contains(*attribute)) {
            let message = format!("attribute {attribute} is defined, but no key or index uses it");
            self.report(span.clone(), message, "remove it: define key attributes only");
        }
        self.billing(&document);
        self.stream(&document);
        let table = Table { name, file: self.file.path.clone(), key, definition };
        Some(ReadTable { table, name_span })
    }

    fn check_name(&mut self, name: &str, span: &Range<usize>, what: &str) {
        let allowed = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
        if !NAME_LENGTH.contains(&name.len()) || !name.chars().all(allowed) {
            self.report(
                span.clone(),
                format!("{name} is not {what}"),
                "use 3 to 255 letters, digits, `_`, `.` and `-`",
            );
        }
    }

    /// Checks a mapping's keys, and those of the mappings and lists of mappings within it.
    fn known_keys(&mut self, node: &Node, known: &[&str]) {
        for entry in node.entries().unwrap_or_default() {
            if !known.contains(&entry.key.as_str()) {
                let help = closest(&entry.key, known.iter().copied()).map_or_else(
                    || format!("the keys here are {}", known.join(", ")),
                    |meant| format!("did you mean {meant}?"),
                );
                let problem = Problem::new(
                    "table.unknown_key",
                    self.file,
                    entry.key_span.clone(),
                    format!("unknown key {}", entry.key),
                );
                self.problems.push(problem.help(help));
            }
            if let Some((_, inner)) = ELEMENTS.iter().find(|(key, _)| *key == entry.key) {
                self.known_keys(&entry.value, inner);
                for item in entry.value.items().unwrap_or_default() {
                    self.known_keys(item, inner);
                }
            }
        }
    }

    fn required_text(&mut self, node: &Node, key: &str) -> Option<(String, Range<usize>)> {
        let value = node.get(key);
        let text = value.and_then(|value| Some((value.string()?.to_owned(), value.span.clone())));
        if text.is_none() {
            let span = value.unwrap_or(node).span.clone();
            self.report(span, format!("{key} is missing or not a string"), REFERENCE);
        }
        text
    }

    /// Returns the items of an optional list.
    fn list<'n>(&mut self, node: &'n Node, key: &str) -> &'n [Node] {
        let value = node.get(key);
        if let Some(value) = value.filter(|value| value.items().is_none()) {
            self.report(value.span.clone(), format!("{key} must be a list, not {}", value.kind()), REFERENCE);
        }
        value.and_then(Node::items).unwrap_or_default()
    }

    fn definitions(&mut self, document: &Node) -> Definitions {
        let mut definitions = Definitions::new();
        for node in self.list(document, "AttributeDefinitions") {
            let name = self.required_text(node, "AttributeName");
            let kind = self.required_text(node, "AttributeType");
            let (Some((name, span)), Some((kind, kind_span))) = (name, kind) else { continue };
            if !["S", "N", "B"].contains(&kind.as_str()) {
                let message = format!("{kind} is not a key type");
                self.report(kind_span, message, "use S for a string, N for a number, B for binary");
            }
            if definitions.insert(name.clone(), (kind, span.clone())).is_some() {
                self.report(span, format!("attribute {name} is defined twice"), "keep one of them");
            }
        }
        definitions
    }

    fn key_schema(&mut self, node: &Node, definitions: &Definitions, used: &mut BTreeSet<String>) -> Vec<KeyAttribute> {
        let before = self.problems.len();
        let mut key: Vec<KeyAttribute> = Vec::new();
        let mut kinds = Vec::new();
        for element in self.list(node, "KeySchema") {
            let name = self.required_text(element, "AttributeName");
            let kind = self.required_text(element, "KeyType");
            let (Some((name, span)), Some((kind, _))) = (name, kind) else { continue };
            kinds.push(kind);
            used.insert(name.clone());
            if key.iter().any(|other| other.name == name) {
                self.report(span, format!("{name} is in the key twice"), "name two different attributes");
                continue;
            }
            match definitions.get(&name) {
                Some((kind, _)) => key.push(KeyAttribute { name, kind: kind.clone() }),
                None => {
                    self.report(span, format!("key attribute {name} is not defined"), "add it to AttributeDefinitions");
                }
            }
        }
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        if !matches!(kinds[..], ["HASH"] | ["HASH", "RANGE"]) && self.problems.len() == before {
            let span = node.get("KeySchema").unwrap_or(node).span.clone();
            self.report(span, "a key schema has one HASH, then at most one RANGE", REFERENCE);
        }
        key
    }

    fn indexes(
        &mut self,
        document: &Node,
        key: &[KeyAttribute],
        definitions: &Definitions,
        used: &mut BTreeSet<String>,
    ) {
        let mut names = BTreeMap::new();
        let provisioned = document.get("ProvisionedThroughput").is_some();
        for list in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            for index in self.list(document, list) {
                if let Some((name, span)) = self.required_text(index, "IndexName") {
                    self.check_name(&name, &span, "a valid index name");
                    if let Some(first) = names.insert(name.clone(), span.clone()) {
                        let problem =
                            Problem::new("table.value", self.file, span, format!("duplicate index name {name}"));
                        self.problems.push(problem.other(first, "first here").help("choose another name"));
                    }
                }
                let index_key = self.key_schema(index, definitions, used);
                self.projection(index);
                if list == "LocalSecondaryIndexes" {
                    self.local(index, key, &index_key);
                } else if provisioned != index.get("ProvisionedThroughput").is_some() {
                    let message = "the index and its table differ in ProvisionedThroughput";
                    self.report(index.span.clone(), message, "give ProvisionedThroughput to both, or to neither");
                }
            }
        }
    }

    /// A local index shares the table's partition key and has a sort key of its own.
    fn local(&mut self, index: &Node, table: &[KeyAttribute], key: &[KeyAttribute]) {
        if let ([partition, rest @ ..], [own, sort @ ..]) = (table, key)
            && (partition.name != own.name || rest.is_empty() || sort.is_empty())
        {
            let message = "a local index needs the table's HASH, a RANGE of its own, and a table with a RANGE";
            self.report(index.span.clone(), message, "use a global index");
        }
    }

    fn projection(&mut self, index: &Node) {
        let Some(projection) = index.get("Projection") else {
            self.report(index.span.clone(), "the index has no Projection", "use ALL, KEYS_ONLY or INCLUDE");
            return;
        };
        let Some((kind, span)) = self.required_text(projection, "ProjectionType") else { return };
        let attributes = !self.list(projection, "NonKeyAttributes").is_empty();
        match (kind.as_str(), attributes) {
            ("ALL" | "KEYS_ONLY", false) | ("INCLUDE", true) => {}
            ("ALL" | "KEYS_ONLY", true) => {
                self.report(span, format!("{kind} allows no NonKeyAttributes"), "remove them, or write INCLUDE");
            }
            ("INCLUDE", false) => self.report(span, "INCLUDE needs NonKeyAttributes", "add NonKeyAttributes"),
            _ => self.report(span, format!("{kind} is not a projection"), "use ALL, KEYS_ONLY or INCLUDE"),
        }
    }

    fn billing(&mut self, document: &Node) {
        let throughput = document.get("ProvisionedThroughput");
        let mode = match document.get("BillingMode") {
            Some(_) => match self.required_text(document, "BillingMode") {
                Some(mode) => Some(mode),
                None => return,
            },
            None => None,
        };
        match (mode.as_ref().map(|(mode, span)| (mode.as_str(), span.clone())), throughput) {
            (Some(("PAY_PER_REQUEST", span)), Some(_)) => {
                self.report(span, "an on-demand table has no ProvisionedThroughput", "remove one of the two");
            }
            (Some(("PAY_PER_REQUEST", _)), None) => {}
            (Some(("PROVISIONED", span)), None) => {
                let help = "add it, or use PAY_PER_REQUEST";
                self.report(span, "a provisioned table needs ProvisionedThroughput", help);
            }
            (Some(("PROVISIONED", _)) | None, Some(throughput)) => self.throughput(throughput),
            (None, None) => {
                let help = "add \"BillingMode\": \"PAY_PER_REQUEST\"";
                self.report(document.span.clone(), "the table has no BillingMode", help);
            }
            (Some((other, span)), _) => {
                self.report(span, format!("{other} is not a billing mode"), "use PAY_PER_REQUEST or PROVISIONED");
            }
        }
    }

    fn throughput(&mut self, node: &Node) {
        for key in ["ReadCapacityUnits", "WriteCapacityUnits"] {
            let value = node.get(key);
            if value.and_then(Node::text).and_then(|text| text.parse::<u64>().ok()).is_none_or(|units| units == 0) {
                let span = value.unwrap_or(node).span.clone();
                self.report(
                    span,
                    format!("{key} must be a whole number of at least 1"),
                    "set it, or use PAY_PER_REQUEST",
                );
            }
        }
    }
}
