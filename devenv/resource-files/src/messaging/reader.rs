//! What the readers of resource files share: known keys, texts, attributes, and JSON within a text.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use devenv_document::closest::closest;
use devenv_document::json;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::Node;
use serde_json::Value;

use super::arn::declared;
use super::rules::Rules;

/// The words and codes for the mistakes in one kind of file.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) noun: &'static str,
    pub(crate) syntax: &'static str,
    pub(crate) unknown_key: &'static str,
    pub(crate) value: &'static str,
    /// Where a person finds the keys.
    pub(crate) reference: &'static str,
}

/// The name of something that this project declares, and its place.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
}

pub(crate) struct Reader<'a> {
    pub(crate) file: &'a Arc<SourceFile>,
    pub(crate) problems: Vec<Problem>,
    kind: &'static Kind,
}

/// Reads a file of a kind by `reading`, which may report several mistakes.
pub(crate) fn read<T>(
    file: &Arc<SourceFile>,
    kind: &'static Kind,
    problems: &mut Vec<Problem>,
    reading: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Option<T> {
    let mut reader = Reader { file, problems: Vec::new(), kind };
    let read = reading(&mut reader);
    problems.append(&mut reader.problems);
    read
}

impl Reader<'_> {
    pub(crate) fn report(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(self.kind.value, self.file, span, message).help(help));
    }

    /// The file's mapping, if each of its keys is known: a misspelt key would be reported as missing too.
    pub(crate) fn document(&mut self, keys: &[&str]) -> Option<(Node, Value)> {
        let parsed = json::parse(self.file, self.kind.syntax);
        let (document, definition) = parsed.map_err(|problem| self.problems.push(problem)).ok()?;
        if document.entries().is_none() {
            let message = format!("a {} file holds a mapping, not {}", self.kind.noun, document.kind());
            self.report(document.span.clone(), message, self.kind.reference);
            return None;
        }
        self.known_keys(&document, keys);
        self.problems.is_empty().then_some((document, definition))
    }

    pub(crate) fn known_keys(&mut self, node: &Node, known: &[&str]) {
        for entry in node.entries().unwrap_or_default() {
            if !known.contains(&entry.key.as_str()) {
                self.unknown_key(&entry.key, entry.key_span.clone(), known);
            }
        }
    }

    fn unknown_key(&mut self, key: &str, span: Range<usize>, known: &[&str]) {
        let help = closest(key, known.iter().copied()).map_or_else(
            || format!("the keys here are {}", known.join(", ")),
            |meant| format!("did you mean {meant}?"),
        );
        let message = format!("unknown key {key}");
        self.problems.push(Problem::new(self.kind.unknown_key, self.file, span, message).help(help));
    }

    /// The whole number of an optional key, if it is in the range; another value is a mistake.
    pub(crate) fn number(&mut self, node: &Node, key: &str, range: &RangeInclusive<i64>) -> Option<i64> {
        let value = node.get(key)?;
        let number = value.text().filter(|_| value.string().is_none()).and_then(|text| text.parse::<i64>().ok());
        let fits = number.filter(|number| range.contains(number));
        if fits.is_none() {
            let help = format!("write a whole number from {} to {}", range.start(), range.end());
            let written = match value.string() {
                Some(text) => format!("\"{text}\""),
                None => value.text().map_or_else(|| value.kind().to_owned(), str::to_owned),
            };
            self.report(value.span.clone(), format!("{key} cannot be {written}"), help);
        }
        fits
    }

    /// Reports each key that no file has, with the reason.
    pub(crate) fn left_out(&mut self, node: &Node, keys: &[(&str, &str)]) {
        for entry in node.entries().unwrap_or_default() {
            if let Some((key, why)) = keys.iter().find(|(key, _)| *key == entry.key) {
                self.report(entry.key_span.clone(), format!("{key} is not for a file"), format!("remove it: {why}"));
            }
        }
    }

    pub(crate) fn required_text(&mut self, node: &Node, key: &str) -> Option<Named> {
        let value = node.get(key);
        let text = value.and_then(|value| Some(Named { name: value.string()?.to_owned(), span: value.span.clone() }));
        if text.is_none() {
            let span = value.unwrap_or(node).span.clone();
            self.report(span, format!("{key} is missing or not a string"), self.kind.reference);
        }
        text
    }

    /// Checks a name; a FIFO name ends with `.fifo`. `is_fifo` is what the attributes say, and `limit` counts characters.
    pub(crate) fn check_name(&mut self, named: &Named, limit: usize, is_fifo: bool, attribute: &str) {
        let Named { name, span } = named;
        let noun = self.kind.noun;
        let base = name.strip_suffix(".fifo").unwrap_or(name);
        let allowed = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        if base.is_empty() || name.len() > limit || !base.chars().all(allowed) {
            let help = format!("use 1 to {limit} letters, digits, `-` and `_`; a FIFO {noun} also ends with .fifo");
            self.report(span.clone(), format!("{name} is not a valid {noun} name"), help);
        } else if base.len() != name.len() && !is_fifo {
            let help = format!("add \"{attribute}\": \"true\" to Attributes, or drop the suffix");
            self.report(span.clone(), format!("{name} has the suffix of a FIFO {noun}, and is none"), help);
        } else if base.len() == name.len() && is_fifo {
            let message = format!("{name} is a FIFO {noun}, whose name must end with .fifo");
            self.report(span.clone(), message, format!("write {name}.fifo, or remove {attribute}"));
        }
    }

    /// Checks the attributes by their rules; every value is a string.
    pub(crate) fn attributes(&mut self, document: &Node, rules: Rules) {
        let Some(attributes) = document.get("Attributes") else { return };
        let Some(entries) = attributes.entries() else {
            let message = format!("Attributes must be a mapping, not {}", attributes.kind());
            self.report(attributes.span.clone(), message, self.kind.reference);
            return;
        };
        let names: Vec<&str> = rules.iter().map(|(name, _)| *name).collect();
        for entry in entries {
            let Some((name, rule)) = rules.iter().find(|(name, _)| *name == entry.key) else {
                self.unknown_key(&entry.key, entry.key_span.clone(), &names);
                continue;
            };
            let Some(value) = entry.value.string() else {
                let help = match entry.value.text() {
                    Some(text) => format!("AWS takes strings: write \"{text}\""),
                    None => "AWS takes strings: write JSON in a string, with \\\" for its quotes".to_owned(),
                };
                self.report(entry.value.span.clone(), format!("{name} is not a string"), help);
                continue;
            };
            if let Some((message, help)) = rule.broken_by(name, value) {
                self.report(entry.value.span.clone(), message, help);
            }
        }
    }

    /// Reports the attributes in `of_fifo`, which only a FIFO resource has, where `attribute` does not make it one.
    pub(crate) fn of_fifo_only(&mut self, document: &Node, of_fifo: &[&str], attribute: &str) {
        for entry in document.get("Attributes").and_then(Node::entries).unwrap_or_default() {
            if of_fifo.contains(&entry.key.as_str()) {
                let message = format!("only a FIFO {} has {}", self.kind.noun, entry.key);
                self.report(entry.key_span.clone(), message, format!("remove it, or add \"{attribute}\": \"true\""));
            }
        }
    }

    /// The JSON mapping in the text of an attribute, with only these keys.
    pub(crate) fn embedded(&mut self, document: &Node, attribute: &str, keys: &[&str]) -> Option<(Node, Value)> {
        let node = document.get("Attributes")?.get(attribute)?;
        let text = node.string()?;
        let value = match serde_json::from_str::<Value>(text) {
            Ok(value @ Value::Object(_)) => value,
            Ok(_) => {
                self.report(node.span.clone(), format!("{attribute} is not a mapping"), self.kind.reference);
                return None;
            }
            Err(error) => {
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                let help = "write JSON in a string, with \\\" for its quotes";
                self.report(node.span.clone(), format!("{attribute} is not JSON: {message}"), help);
                return None;
            }
        };
        let before = self.problems.len();
        for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
            if !keys.is_empty() && !keys.contains(&key.as_str()) {
                self.unknown_key(key, self.part(node, key), keys);
            }
        }
        (self.problems.len() == before).then(|| (node.clone(), value))
    }

    /// The place of a part of a text in the file; the whole text if the file spells the part differently.
    pub(crate) fn part(&self, node: &Node, part: &str) -> Range<usize> {
        let written = self.file.text.get(node.span.clone()).unwrap_or_default();
        match written.find(part) {
            Some(offset) if !part.is_empty() => node.span.start + offset..node.span.start + offset + part.len(),
            _ => node.span.clone(),
        }
    }

    /// The name in an ARN that leaves region and account empty; any other ARN is a mistake.
    pub(crate) fn declared(&mut self, arn: &str, service: &str, span: Range<usize>) -> Option<Named> {
        match declared(arn, service) {
            Ok(name) => Some(Named { name: name.to_owned(), span }),
            Err((message, help)) => {
                self.report(span, message, help);
                None
            }
        }
    }

    /// The dead-letter queue of a `RedrivePolicy`, with the policy's node and value.
    pub(crate) fn dead_letter(&mut self, document: &Node, keys: &[&str]) -> Option<(Named, Node, Value)> {
        let (node, policy) = self.embedded(document, "RedrivePolicy", keys)?;
        let Some(arn) = policy["deadLetterTargetArn"].as_str().map(str::to_owned) else {
            let help = "write \"deadLetterTargetArn\": \"arn:aws:sqs:::NAME\"";
            self.report(node.span.clone(), "the redrive policy names no dead-letter queue", help);
            return None;
        };
        let span = self.part(&node, &arn);
        let named = self.declared(&arn, "sqs", span)?;
        Some((named, node, policy))
    }
}

/// The value of an attribute.
pub(crate) fn attribute<'v>(definition: &'v Value, name: &str) -> Option<&'v str> {
    definition["Attributes"][name].as_str()
}
