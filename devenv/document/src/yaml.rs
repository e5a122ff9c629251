//! YAML as a tree with places; anchors, aliases and merge keys are resolved within limits.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use crate::decode::too_large;
use crate::problem::Problem;
use crate::source::SourceFile;
use crate::tree::{Data, Entry, MergeTag, Node};

/// No real file nests deeper or has more nodes; each use of an alias counts.
const DEPTH_LIMIT: usize = 32;
const NODE_LIMIT: usize = 50_000;

/// Parses the one document of a file.
pub fn parse(file: &Arc<SourceFile>) -> Result<Node, Problem> {
    parse_optional(file)?.ok_or_else(|| Problem::new("manifest.syntax", file, 0..0, "the file is empty"))
}

/// Parses the one document of a file, which may be empty.
pub fn parse_optional(file: &Arc<SourceFile>) -> Result<Option<Node>, Problem> {
    if let Some(problem) = too_large(file) {
        return Err(problem);
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
                document = Some(builder.node(event, span, &mut events, 0)?.node);
            }
            _ => break,
        }
    }
    Ok(document)
}

struct Builder<'a> {
    file: &'a Arc<SourceFile>,
    /// The byte offset of each character; the parser's markers count characters.
    offsets: Vec<usize>,
    anchors: BTreeMap<usize, Built>,
    nodes: usize,
}

/// A node with the cost of an alias to it.
#[derive(Clone)]
struct Built {
    node: Node,
    size: usize,
    height: usize,
}

/// The meaning of a value's tag.
struct Meaning {
    /// The value is a string, whatever it looks like.
    text: bool,
    merge: MergeTag,
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

    fn node(&mut self, event: Event<'a>, span: Span, events: &mut Events<'a>, depth: usize) -> Result<Built, Problem> {
        let span = self.bytes(span);
        let before = self.nodes;
        self.nodes += 1;
        self.check_size(depth, &span)?;
        let (data, height, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let meaning = self.meaning(tag.as_deref(), &span)?;
                let plain = style == ScalarStyle::Plain && !meaning.text;
                (Data::Scalar { text: text.into_owned(), plain }, 0, anchor, meaning.merge)
            }
            Event::SequenceStart(anchor, tag) => {
                let meaning = self.meaning(tag.as_deref(), &span)?;
                let (data, height) = self.sequence(events, depth)?;
                (data, height, anchor, meaning.merge)
            }
            Event::MappingStart(anchor, tag) => {
                let meaning = self.meaning(tag.as_deref(), &span)?;
                let (data, height) = self.mapping(events, depth)?;
                (data, height, anchor, meaning.merge)
            }
            Event::Alias(id) => {
                let Some(built) = self.anchors.get(&id).cloned() else {
                    let message = "this alias refers to a value that contains it";
                    return Err(Problem::new("manifest.syntax", self.file, span, message));
                };
                self.nodes += built.size;
                self.check_size(depth + built.height, &span)?;
                return Ok(built);
            }
            _ => return Err(Problem::new("manifest.syntax", self.file, span, "expected a value")),
        };
        let built = Built { node: Node { tag, ..Node::new(self.file, span, data) }, size: self.nodes - before, height };
        if anchor > 0 {
            self.anchors.insert(anchor, built.clone());
        }
        Ok(built)
    }

    fn check_size(&self, depth: usize, span: &Range<usize>) -> Result<(), Problem> {
        if depth <= DEPTH_LIMIT && self.nodes <= NODE_LIMIT {
            return Ok(());
        }
        let message =
            format!("the file has more than {DEPTH_LIMIT} levels or {NODE_LIMIT} values; each use of an alias counts");
        Err(Problem::new("manifest.too_large", self.file, span.clone(), message).help("split or shorten it"))
    }

    fn meaning(&self, tag: Option<&Tag>, span: &Range<usize>) -> Result<Meaning, Problem> {
        let merge = |merge| Ok(Meaning { text: false, merge });
        match tag {
            None => merge(MergeTag::Join),
            Some(tag) if tag.is_yaml_core_schema() => Ok(Meaning { text: tag.suffix == "str", merge: MergeTag::Join }),
            Some(tag) if tag.handle == "!" && tag.suffix == "reset" => merge(MergeTag::Reset),
            Some(tag) if tag.handle == "!" && tag.suffix == "override" => merge(MergeTag::Override),
            Some(tag) => {
                let message = format!("the tag {tag} is not supported");
                Err(Problem::new("manifest.tag", self.file, span.clone(), message).help("remove it"))
            }
        }
    }

    fn next(&self, events: &mut Events<'a>) -> Result<(Event<'a>, Span), Problem> {
        match events.next() {
            Some(event) => event.map_err(|error| self.syntax(&error)),
            None => Err(Problem::new("manifest.syntax", self.file, 0..0, "unexpected end of the file")),
        }
    }

    /// Returns the items and their height in levels.
    fn sequence(&mut self, events: &mut Events<'a>, depth: usize) -> Result<(Data, usize), Problem> {
        let mut items = Vec::new();
        let mut height = 0;
        loop {
            let (event, span) = self.next(events)?;
            if event == Event::SequenceEnd {
                return Ok((Data::Sequence(items), height));
            }
            let built = self.node(event, span, events, depth + 1)?;
            height = height.max(built.height + 1);
            items.push(built.node);
        }
    }

    fn mapping(&mut self, events: &mut Events<'a>, depth: usize) -> Result<(Data, usize), Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged: Option<Node> = None;
        let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
        let mut height = 0;
        loop {
            let (event, span) = self.next(events)?;
            if event == Event::MappingEnd {
                break;
            }
            let Node { span: key_span, data, .. } = self.node(event, span, events, depth + 1)?.node;
            let (event, span) = self.next(events)?;
            let built = self.node(event, span, events, depth + 1)?;
            height = height.max(built.height + 1);
            let Data::Scalar { text: key, plain } = data else {
                return Err(Problem::new("manifest.syntax", self.file, key_span, "a key must be a single value"));
            };
            if let Some(first) = seen.insert(key.clone(), key_span.clone()) {
                let message = format!("duplicate key {key}");
                let help = if key == "<<" { "write one <<: [*first, *second]" } else { "keep one of them" };
                return Err(Problem::new("manifest.duplicate_key", self.file, key_span, message)
                    .other(first, "first here")
                    .help(help));
            }
            if key == "<<" && plain {
                merged = Some(built.node);
            } else {
                entries.push(Entry::new(key, key_span, built.node));
            }
        }
        if let Some(source) = merged {
            self.merge(&source, &mut entries, &mut seen)?;
        }
        Ok((Data::Mapping(entries), height))
    }

    /// Merges `<<`: adds the missing keys from another mapping, or from several.
    fn merge(
        &self,
        source: &Node,
        entries: &mut Vec<Entry>,
        seen: &mut BTreeMap<String, Range<usize>>,
    ) -> Result<(), Problem> {
        match &source.data {
            Data::Mapping(others) => {
                for other in others {
                    if !seen.contains_key(&other.key) {
                        seen.insert(other.key.clone(), other.key_span.clone());
                        entries.push(other.clone());
                    }
                }
                Ok(())
            }
            Data::Sequence(items) => items.iter().try_for_each(|item| self.merge(item, entries, seen)),
            Data::Scalar { .. } => {
                Err(Problem::new("manifest.syntax", self.file, source.span.clone(), "only a mapping can be merged"))
            }
        }
    }
}
