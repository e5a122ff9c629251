//! The common tree of YAML and JSON, in which every node has its place.

use std::ops::Range;
use std::sync::Arc;

use crate::source::SourceFile;

/// Compose's merge tags, which say how a value joins that of an earlier file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MergeTag {
    /// No tag: the values are joined by the rules of their key.
    #[default]
    Join,
    /// `!reset`: the earlier value is removed.
    Reset,
    /// `!override`: the value replaces the earlier one whole.
    Override,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub file: Arc<SourceFile>,
    /// The node's byte range in the file.
    pub span: Range<usize>,
    pub data: Data,
    pub tag: MergeTag,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// `plain` means written without quotes: it may be a number, a boolean or null.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<Node>),
    /// Entries in the file's order; merge keys are already resolved.
    Mapping(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_file: Arc<SourceFile>,
    pub key_span: Range<usize>,
    pub value: Node,
}

impl Node {
    /// Makes a node without a tag.
    pub fn new(file: &Arc<SourceFile>, span: Range<usize>, data: Data) -> Self {
        Self { file: Arc::clone(file), span, data, tag: MergeTag::Join }
    }

    /// Makes another value with this node's place and tag.
    #[must_use]
    pub fn with(&self, data: Data) -> Self {
        Self { file: Arc::clone(&self.file), span: self.span.clone(), data, tag: self.tag }
    }

    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.data {
            Data::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn items(&self) -> Option<&[Node]> {
        match &self.data {
            Data::Sequence(items) => Some(items),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Returns the text of a quoted value: the only strings in JSON.
    pub fn string(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, plain: false } => Some(text),
            _ => None,
        }
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    pub fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar { text, plain: true } if is_nothing(text))
    }

    pub fn boolean(&self) -> Option<bool> {
        match &self.data {
            Data::Scalar { text, plain: true } => match text.as_str() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The node's kind, as messages name it.
    pub fn kind(&self) -> &'static str {
        match &self.data {
            Data::Scalar { .. } if self.is_null() => "nothing",
            Data::Scalar { text, .. } if text.is_empty() => "an empty value",
            Data::Scalar { .. } => "a single value",
            Data::Sequence(_) => "a list",
            Data::Mapping(_) => "a mapping",
        }
    }
}

/// Whether an unquoted text means null.
pub fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

impl Entry {
    /// Makes an entry whose key stands in the same file as `value`.
    pub fn new(key: impl Into<String>, key_span: Range<usize>, value: Node) -> Self {
        Self { key: key.into(), key_file: Arc::clone(&value.file), key_span, value }
    }
}
