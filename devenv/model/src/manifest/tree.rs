//! YAML and JSON as a tree in which every node knows its place.

use std::collections::BTreeMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

use super::source::SIZE_LIMIT;
use super::{Problem, SourceFile};

/// Deeper nesting and more nodes than any real file has are refused; aliases count each time they are used.
const DEPTH_LIMIT: usize = 32;
const NODE_LIMIT: usize = 50_000;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Bytes of the file.
    pub(super) span: Range<usize>,
    pub(super) data: Data,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    /// `plain` when it was written without quotes, so that it may be a number, a boolean or nothing.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<Node>),
    /// In the file's order; merge keys are already merged in.
    Mapping(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Node,
}

impl Node {
    pub(super) fn entries(&self) -> Option<&[Entry]> {
        match &self.data {
            Data::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> Option<&[Node]> {
        match &self.data {
            Data::Sequence(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match &self.data {
            Data::Scalar { text, plain: true } => match text.as_str() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a person would call it.
    pub(super) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Scalar { .. } if self.is_null() => "nothing",
            Data::Scalar { .. } => "a single value",
            Data::Sequence(_) => "a list",
            Data::Mapping(_) => "a mapping",
        }
    }

    /// The plain value, as JSON types it.
    pub(super) fn value(&self) -> Value {
        match &self.data {
            Data::Scalar { .. } if self.is_null() => Value::Null,
            Data::Scalar { text, plain } => {
                let number = plain.then(|| text.parse::<Number>().ok()).flatten();
                let boolean = self.boolean().map(Value::Bool);
                boolean.or(number.map(Value::Number)).unwrap_or_else(|| Value::String(text.clone()))
            }
            Data::Sequence(items) => items.iter().map(Node::value).collect(),
            Data::Mapping(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.value())).collect::<Map<_, _>>(),
            ),
        }
    }
}

/// Parses the one document of a file.
pub(super) fn parse(file: &SourceFile) -> Result<Node, Problem> {
    if file.text.len() > SIZE_LIMIT {
        let message = format!("the file has {} bytes; {SIZE_LIMIT} are read at most", file.text.len());
        return Err(Problem::new("manifest.too_large", file, 0..0, message));
    }
    let mut builder = Builder { file, offsets: byte_offsets(&file.text), anchors: BTreeMap::new(), nodes: 0 };
    let mut events = Parser::new_from_str(&file.text);
    let mut document = None;
    while let Some(event) = events.next() {
        let (event, span) = event.map_err(|error| builder.syntax(&error))?;
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart(_) if document.is_some() => {
                let span = builder.bytes(span);
                return Err(Problem::new("manifest.syntax", file, span, "a second document begins here")
                    .help("keep one document in the file"));
            }
            Event::DocumentStart(_) => {
                let (event, span) = match events.next() {
                    Some(event) => event.map_err(|error| builder.syntax(&error))?,
                    None => break,
                };
                document = Some(builder.node(event, span, &mut events, 0)?);
            }
            _ => break,
        }
    }
    document.ok_or_else(|| Problem::new("manifest.syntax", file, 0..0, "the file is empty"))
}

struct Builder<'a> {
    file: &'a SourceFile,
    /// Where each character begins; markers count characters.
    offsets: Vec<usize>,
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
}

fn byte_offsets(text: &str) -> Vec<usize> {
    text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect()
}

type Events<'a> = Parser<'a, saphyr_parser::StrInput<'a>>;

impl<'a> Builder<'a> {
    fn byte(&self, character: usize) -> usize {
        self.offsets.get(character).copied().unwrap_or(self.file.text.len())
    }

    fn bytes(&self, span: Span) -> Range<usize> {
        let (start, end) = (self.byte(span.start.index()), self.byte(span.end.index()));
        start..end.max(start)
    }

    fn syntax(&self, error: &saphyr_parser::ScanError) -> Problem {
        let at = self.byte(error.marker().index());
        Problem::new("manifest.syntax", self.file, at..at, error.info().to_owned())
    }

    fn node(&mut self, event: Event<'a>, span: Span, events: &mut Events<'a>, depth: usize) -> Result<Node, Problem> {
        let span = self.bytes(span);
        self.nodes += 1;
        if depth > DEPTH_LIMIT || self.nodes > NODE_LIMIT {
            return Err(Problem::new("manifest.too_large", self.file, span, "nested too deep, or too many values"));
        }
        let before = self.nodes;
        let (data, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                (Data::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.sequence(events, depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping(events, depth)?, anchor),
            Event::Alias(id) => {
                let (node, size) = self.anchors.get(&id).cloned().ok_or_else(|| {
                    Problem::new(
                        "manifest.syntax",
                        self.file,
                        span.clone(),
                        "this alias refers to a value that holds it",
                    )
                })?;
                self.nodes += size;
                return Ok(node);
            }
            _ => return Err(Problem::new("manifest.syntax", self.file, span, "a value is expected here")),
        };
        let node = Node { span, data };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before + 1));
        }
        Ok(node)
    }

    fn next(&self, events: &mut Events<'a>) -> Result<(Event<'a>, Span), Problem> {
        match events.next() {
            Some(event) => event.map_err(|error| self.syntax(&error)),
            None => Err(Problem::new("manifest.syntax", self.file, 0..0, "the file ends too early")),
        }
    }

    fn sequence(&mut self, events: &mut Events<'a>, depth: usize) -> Result<Data, Problem> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next(events)?;
            if event == Event::SequenceEnd {
                return Ok(Data::Sequence(items));
            }
            items.push(self.node(event, span, events, depth + 1)?);
        }
    }

    fn mapping(&mut self, events: &mut Events<'a>, depth: usize) -> Result<Data, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged: Vec<Node> = Vec::new();
        loop {
            let (event, span) = self.next(events)?;
            if event == Event::MappingEnd {
                break;
            }
            let key_node = self.node(event, span, events, depth + 1)?;
            let (event, span) = self.next(events)?;
            let value = self.node(event, span, events, depth + 1)?;
            let Data::Scalar { text: key, .. } = key_node.data else {
                return Err(Problem::new("manifest.syntax", self.file, key_node.span, "a key must be a single word"));
            };
            if key == "<<" {
                merged.push(value);
                continue;
            }
            if entries.iter().any(|entry| entry.key == key) {
                let message = format!("the key {key} stands here a second time");
                return Err(Problem::new("manifest.duplicate_key", self.file, key_node.span, message));
            }
            entries.push(Entry { key, key_span: key_node.span, value });
        }
        for source in merged {
            self.merge(&source, &mut entries)?;
        }
        Ok(Data::Mapping(entries))
    }

    /// `<<`: the keys of another mapping, or of several, that are not given here.
    fn merge(&self, source: &Node, entries: &mut Vec<Entry>) -> Result<(), Problem> {
        match &source.data {
            Data::Mapping(others) => {
                for other in others {
                    if entries.iter().all(|entry| entry.key != other.key) {
                        entries.push(other.clone());
                    }
                }
                Ok(())
            }
            Data::Sequence(items) => items.iter().try_for_each(|item| self.merge(item, entries)),
            Data::Scalar { .. } => {
                Err(Problem::new("manifest.syntax", self.file, source.span.clone(), "only a mapping can be merged"))
            }
        }
    }
}
