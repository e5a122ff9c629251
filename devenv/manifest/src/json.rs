//! JSON as the same tree with places as YAML, and as the plain value. A YAML parser would not do: it refuses tabs and
//! surrogate pairs that JSON has, and lets pass what no JSON reader does.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::decode::too_large;
use crate::problem::Problem;
use crate::source::SourceFile;
use crate::tree::{Data, Entry, Node};

/// Reads a file; `code` is that of a mistake in the syntax.
pub(crate) fn parse(file: &Arc<SourceFile>, code: &'static str) -> Result<(Node, Value), Problem> {
    if let Some(problem) = too_large(file) {
        return Err(problem);
    }
    // Everything that is wrong with the syntax is found here, the depth (128) included.
    let value = serde_json::from_str(&file.text).map_err(|error| {
        let before = file.text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let at = before.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
        // Its columns count bytes, and may end within a character.
        let at = file.text.floor_char_boundary(at.min(file.text.trim_end().len()));
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Problem::new(code, file, at..at, format!("not JSON: {message}"))
    })?;
    let mut scanner = Scanner { file, at: 0 };
    Ok((scanner.value()?, value))
}

/// Walks a text that is known to be JSON.
struct Scanner<'a> {
    file: &'a Arc<SourceFile>,
    /// Bytes of the text.
    at: usize,
}

impl Scanner<'_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.file.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.file.text.as_bytes().get(self.at).copied()
    }

    /// Past the next byte when it is this one.
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
        Ok(Node { span: self.shown(start), data })
    }

    /// A value over several lines is shown by its beginning.
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
                let message = format!("the key {key} stands here a second time");
                return Err(Problem::new("manifest.duplicate_key", self.file, key_span, message)
                    .other(first, "first here")
                    .help("keep one of them"));
            }
            self.take(b':');
            let value = self.value()?;
            entries.push(Entry { key, key_span, value });
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

    /// A number, `true`, `false` or `null`.
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

    /// What the tree says, as JSON.
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
