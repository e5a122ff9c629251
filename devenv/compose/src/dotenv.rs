//! Files of variables (`.env`, `env_file`) in Compose's dialect.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;

use crate::interpolate::{LENGTH_LIMIT, interpolate};

/// A variable of a file, with the place of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) span: Range<usize>,
}

/// Parses a file: comments, `export`, quotes over several lines, escapes and variables.
///
/// Values may refer to the variables of `outer` and to earlier variables of the file. A name alone takes its value from `outer`.
pub(crate) fn parse(file: &Arc<SourceFile>, outer: &BTreeMap<String, String>) -> Result<Vec<Variable>, Problem> {
    let mut parser = Parser { file, at: 0, known: BTreeMap::new(), outer, total: 0 };
    let mut variables = Vec::new();
    while let Some(variable) = parser.next()? {
        parser.total += variable.value.len();
        if parser.total > LENGTH_LIMIT {
            return Err(parser.problem(variable.span, format!("its variables have more than {LENGTH_LIMIT} bytes")));
        }
        parser.known.insert(variable.name.clone(), variable.value.clone());
        variables.push(variable);
    }
    Ok(variables)
}

/// Parses a file of the format `raw`: each line is a name and a value as it stands.
pub(crate) fn parse_raw(file: &Arc<SourceFile>) -> Vec<Variable> {
    let mut start = 0;
    let mut variables = Vec::new();
    for line in file.text.split_inclusive('\n') {
        let written = line.trim_end_matches(['\n', '\r']);
        let span = start..start + written.len();
        start += line.len();
        if written.trim_start().is_empty() || written.trim_start().starts_with('#') {
            continue;
        }
        if let Some((name, value)) = written.split_once('=') {
            variables.push(Variable { name: name.trim().to_owned(), value: value.to_owned(), span });
        }
    }
    variables
}

struct Parser<'a> {
    file: &'a Arc<SourceFile>,
    at: usize,
    known: BTreeMap<String, String>,
    outer: &'a BTreeMap<String, String>,
    total: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.file.text[self.at..]
    }

    fn problem(&self, span: Range<usize>, message: impl Into<String>) -> Problem {
        Problem::new("compose.env_file", self.file, span, message)
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.at += self.rest().find(|character| !skipped(character)).unwrap_or(self.rest().len());
    }

    fn skip_blanks(&mut self) {
        self.skip(|character| character.is_whitespace() && character != '\n');
    }

    fn skip_line(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    fn next(&mut self) -> Result<Option<Variable>, Problem> {
        loop {
            self.skip(|character| character.is_whitespace() || character == '\u{feff}');
            match self.rest().chars().next() {
                None => return Ok(None),
                Some('#') => self.skip_line(),
                Some(_) => {
                    if let Some(variable) = self.statement()? {
                        return Ok(Some(variable));
                    }
                }
            }
        }
    }

    /// Reads one variable; `None` for a name alone that the caller does not have.
    fn statement(&mut self) -> Result<Option<Variable>, Problem> {
        let start = self.at;
        if let Some(rest) = self.rest().strip_prefix("export")
            && rest.starts_with([' ', '\t'])
        {
            self.at += "export".len();
            self.skip_blanks();
        }
        let line = self.rest().find('\n').unwrap_or(self.rest().len());
        let separator = self.rest()[..line].find(['=', ':']);
        let name = self.rest()[..separator.unwrap_or(line)].trim().to_owned();
        let named = |character: char| character.is_alphanumeric() || "_.-[]".contains(character);
        if name.is_empty() || !name.chars().all(named) {
            let message = format!("{name} is not the name of a variable");
            return Err(self.problem(start..self.at + line, message).help("write NAME=value"));
        }
        let Some(separator) = separator else {
            self.at += line;
            let value = self.outer.get(&name).cloned();
            return Ok(value.map(|value| Variable { name, value, span: start..self.at }));
        };
        self.at += separator + 1;
        self.skip_blanks();
        let value = match self.rest().chars().next() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote)?,
            _ => self.unquoted()?,
        };
        Ok(Some(Variable { name, value, span: start..self.at }))
    }

    fn unquoted(&mut self) -> Result<String, Problem> {
        let start = self.at;
        self.skip_line();
        let line = &self.file.text[start..self.at];
        // A comment begins after a blank; within a word `#` is a character.
        let comment = line
            .char_indices()
            .zip(std::iter::once(' ').chain(line.chars()))
            .find(|((_, character), before)| *character == '#' && before.is_whitespace());
        let value = line[..comment.map_or(line.len(), |((at, _), _)| at)].trim_end().to_owned();
        self.expanded(&value, start)
    }

    fn quoted(&mut self, quote: char) -> Result<String, Problem> {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        let length = self.rest().find(|character| {
            let ends = character == quote && !escaped;
            escaped = character == '\\' && !escaped;
            ends
        });
        let Some(length) = length else {
            return Err(self.problem(start..start + 1, "this quote is not closed"));
        };
        let inner = self.rest()[..length].to_owned();
        self.at += length + 1;
        self.skip_blanks();
        match self.rest().chars().next() {
            None | Some('\n') => {}
            Some('#') => self.skip_line(),
            Some(_) => {
                let message = "only a comment may follow the closing quote";
                let end = self.at + self.rest().chars().next().map_or(0, char::len_utf8);
                return Err(self.problem(self.at..end, message).help("write one variable on a line"));
            }
        }
        if quote == '\'' {
            return Ok(inner.replace("\\'", "'"));
        }
        self.expanded(&unescaped(&inner), start)
    }

    fn expanded(&self, value: &str, start: usize) -> Result<String, Problem> {
        if !value.contains('$') {
            return Ok(value.to_owned());
        }
        let lookup = |name: &str| self.outer.get(name).or_else(|| self.known.get(name)).cloned();
        interpolate(value, &lookup)
            .map_err(|failure| self.problem(start..self.at, failure.message).maybe_help(failure.help))
    }
}

/// Replaces the escapes of a double-quoted value. An escaped dollar becomes two, which later stand for one.
fn unescaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            result.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => result.push('\n'),
            Some('r') => result.push('\r'),
            Some('t') => result.push('\t'),
            Some('$') => result.push_str("$$"),
            Some(other @ ('"' | '\\' | '\'')) => result.push(other),
            Some(other) => result.extend(['\\', other]),
            None => result.push('\\'),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        let file = Arc::new(SourceFile { path: ".env".into(), text: text.to_owned() });
        let outer = BTreeMap::from([("OUTER".to_owned(), "outer".to_owned())]);
        let variables = parse(&file, &outer).map_err(|problem| problem.to_string())?;
        for variable in &variables {
            assert!(file.text.get(variable.span.clone()).is_some());
        }
        Ok(variables.into_iter().map(|variable| (variable.name, variable.value)).collect())
    }

    #[test]
    fn forms() {
        let pair = |name: &str, value: &str| Ok(vec![(name.to_owned(), value.to_owned())]);
        assert_eq!(read("A=b"), pair("A", "b"));
        assert_eq!(read("# c\n\n export A = b # c"), pair("A", "b"));
        assert_eq!(read("A: b#c"), pair("A", "b#c"));
        assert_eq!(read("A=\"x\ny\" # c"), pair("A", "x\ny"));
        assert_eq!(read("A='$B\\n'"), pair("A", "$B\\n"));
        assert_eq!(read("A=\"\\$B $$ \\\"\""), pair("A", "$B $ \""));
        assert_eq!(read("A=${OUTER}-${NONE:-x}"), pair("A", "outer-x"));
        assert_eq!(read("OUTER\nNONE\n"), pair("OUTER", "outer"));
        assert_eq!(read("export=1"), pair("export", "1"));
    }

    #[test]
    fn mistakes_have_their_places() {
        assert_eq!(read("A=1\nB='x"), Err(".env:2:3: this quote is not closed".to_owned()));
        assert_eq!(read("A=1\nB C"), Err(".env:2:1: B C is not the name of a variable".to_owned()));
        assert_eq!(read("A=${B:?say it}"), Err(".env:1:3: the variable B is not set: say it".to_owned()));
    }

    /// Each line doubles the one before: thirty lines would make a gigabyte.
    #[test]
    fn a_value_cannot_grow_without_end() {
        let mut text = "A0=xxxxxxxxxx\n".to_owned();
        for line in 1..40 {
            text +=
                &["A", &line.to_string(), "=$A", &(line - 1).to_string(), "$A", &(line - 1).to_string(), "\n"].concat();
        }
        assert!(read(&text).expect_err("too long").contains("more than"));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[A-C=:#'\"\\\\$ {}\n é]{0,40}") {
            let _ = read(&text);
        }
    }
}
