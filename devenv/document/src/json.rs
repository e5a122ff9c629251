//! JSON as the same tree with places as YAML, and as a plain value. A YAML parser is no substitute: it refuses JSON's tabs
//! and surrogate pairs, and accepts texts that no JSON reader accepts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::decode::too_large;
use crate::problem::Problem;
use crate::source::SourceFile;
use crate::tree::{Data, Entry, Node};

/// Parses a file; `code` is the problem code of a syntax error.
pub fn parse(file: &Arc<SourceFile>, code: &'static str) -> Result<(Node, Value), Problem> {
    if let Some(problem) = too_large(file) {
        return Err(problem);
    }
    // serde_json finds every syntax error, including nesting beyond 128 levels.
    let value = serde_json::from_str(&file.text).map_err(|error| {
        let before = file.text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let at = before.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
        // serde_json's columns count bytes and may fall within a character.
        let at = file.text.floor_char_boundary(at.min(file.text.trim_end().len()));
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Problem::new(code, file, at..at, format!("not JSON: {message}"))
    })?;
    let mut scanner = Scanner { file, at: 0 };
    Ok((scanner.value()?, value))
}

/// Walks a text that is already known to be valid JSON.
struct Scanner<'a> {
    file: &'a Arc<SourceFile>,
    /// The byte offset in the text.
    at: usize,
}

impl Scanner<'_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.file.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.file.text.as_bytes().get(self.at).copied()
    }

    /// Skips blanks, then skips `byte` if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    fn value(&mut self) -> Result<Node, Problem> {
        let first = self.peek();
        let start = self.at;
        let data = match first {
            Some(b'{') => self.object()?,
            Some(b'[') => self.array()?,
            Some(b'"') => Data::Scalar { text: self.string(), plain: false },
            _ => Data::Scalar { text: self.word(), plain: true },
        };
        Ok(Node::new(self.file, self.shown(start), data))
    }

    /// The span to mark; of a value over several lines, only its first byte.
    fn shown(&self, start: usize) -> Range<usize> {
        if self.file.text[start..self.at].contains('\n') { start..start + 1 } else { start..self.at }
    }

    fn object(&mut self) -> Result<Data, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
        self.take(b'{');
        while self.peek() == Some(b'"') {
            let start = self.at;
            let key = self.string();
            let key_span = start..self.at;
            if let Some(first) = seen.insert(key.clone(), key_span.clone()) {
                let message = format!("duplicate key {key}");
                return Err(Problem::new("manifest.duplicate_key", self.file, key_span, message)
                    .other(first, "first here")
                    .help("keep one of them"));
            }
            self.take(b':');
            let value = self.value()?;
            entries.push(Entry::new(key, key_span, value));
            self.take(b',');
        }
        self.take(b'}');
        Ok(Data::Mapping(entries))
    }

    fn array(&mut self) -> Result<Data, Problem> {
        let mut items = Vec::new();
        self.take(b'[');
        while self.peek().is_some_and(|byte| byte != b']') {
            items.push(self.value()?);
            self.take(b',');
        }
        self.take(b']');
        Ok(Data::Sequence(items))
    }

    fn string(&mut self) -> String {
        let start = self.at;
        let mut escaped = true;
        let rest = &self.file.text.as_bytes()[start..];
        // The opening quote counts as escaped, so that it does not end the text.
        let end = rest.iter().position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        self.at = end.map_or(self.file.text.len(), |end| start + end + 1);
        serde_json::from_str(&self.file.text[start..self.at]).unwrap_or_default()
    }

    /// Reads a number, `true`, `false` or `null`.
    fn word(&mut self) -> String {
        let start = self.at;
        let rest = &self.file.text.as_bytes()[start..];
        let length = rest.iter().take_while(|byte| !b",]} \t\r\n".contains(byte)).count();
        self.at += length;
        self.file.text[start..self.at].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile { path: "file.json".into(), text: text.to_owned() })
    }

    /// Converts the tree to JSON.
    fn value(node: &Node) -> Value {
        match &node.data {
            Data::Scalar { text, plain: true } => serde_json::from_str(text).expect("a word of JSON"),
            Data::Scalar { text, .. } => Value::String(text.clone()),
            Data::Sequence(items) => items.iter().map(value).collect(),
            Data::Mapping(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), value(&entry.value))).collect())
            }
        }
    }

    #[test]
    fn a_mistake_after_a_character_of_several_bytes_has_a_place() {
        let text = "{\"a\": \"\u{e9}";
        let problem = parse(&file(text), "test").expect_err("it ends within a text");
        assert_eq!(problem.span, 7..7);
    }

    #[test]
    fn what_yaml_would_refuse_is_read() {
        let text =
            "{\n\t\"a\\n\\u00e9\": [\"\\ud83d\\ude00\", 1e3, -2, true, null, {}, [], \"\\\\\"],\n\t\"b\": \"\\\"}\"}";
        let (node, plain) = parse(&file(text), "test").expect("JSON");
        assert_eq!(value(&node), plain);
    }

    #[test]
    fn a_key_twice_is_found() {
        let problem = parse(&file("{\"a\": 1, \"b\": {\"c\": 1, \"c\": 2}}"), "test").expect_err("twice");
        assert_eq!((problem.code, problem.span), ("manifest.duplicate_key", 23..26));
    }

    proptest! {
        /// The tree and the value agree on every text that is JSON, and nothing panics on any other.
        #[test]
        fn both_readings_agree(text in "[\\[\\]{}\":,\\\\ \n\ta1é]{0,30}") {
            if let Ok((node, plain)) = parse(&file(&text), "test") {
                prop_assert_eq!(value(&node), plain);
            }
        }
    }
}
