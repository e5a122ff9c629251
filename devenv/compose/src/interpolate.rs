//! `${VARIABLE}` and its forms, as the Compose Specification defines them.

use std::collections::BTreeSet;
use std::ops::Range;

/// Limits defaults within defaults; no real file nests deeper.
const DEPTH_LIMIT: usize = 8;
/// Limits the result, in bytes: a short text may name a long variable many times.
pub(crate) const LENGTH_LIMIT: usize = 1024 * 1024;

/// Finds a variable's value by its name.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The reason why a variable cannot be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The failure's byte range in the input text.
    pub span: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

/// Replaces every variable of `text`. An unset variable without a default becomes the empty string.
pub fn interpolate(text: &str, variables: Lookup) -> Result<String, Failure> {
    interpolate_noting(text, variables, &mut BTreeSet::new())
}

/// Replaces every variable of `text`, and adds the unset ones without a default to `unset`.
pub(crate) fn interpolate_noting(
    text: &str,
    variables: Lookup,
    unset: &mut BTreeSet<String>,
) -> Result<String, Failure> {
    let mut scanner = Scanner { text, at: 0, variables, live: true, unset };
    scanner.until(None, 0)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    variables: Lookup<'a>,
    /// False within an unused argument: a required variable there may be unset.
    live: bool,
    unset: &'a mut BTreeSet<String>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Reads up to the end, or up to and including `close`.
    fn until(&mut self, close: Option<char>, depth: usize) -> Result<String, Failure> {
        let begin = self.at;
        let mut result = String::new();
        while let Some(character) = self.rest().chars().next() {
            if Some(character) == close {
                self.at += 1;
                return Ok(result);
            }
            if character != '$' {
                result.push(character);
                self.at += character.len_utf8();
                continue;
            }
            let start = self.at;
            result.push_str(&self.dollar(depth)?);
            if result.len() > LENGTH_LIMIT {
                let message = format!("the value has more than {LENGTH_LIMIT} bytes with its variables");
                return Err(self.failure(start..self.at, &message, None));
            }
        }
        match close {
            None => Ok(result),
            Some(_) => Err(self.failure(begin..self.text.len(), "a ${ is not closed", Some("write a } after it"))),
        }
    }

    fn dollar(&mut self, depth: usize) -> Result<String, Failure> {
        let begin = self.at;
        self.at += 1;
        match self.rest().chars().next() {
            Some('$') => {
                self.at += 1;
                Ok("$".to_owned())
            }
            Some('{') => {
                self.at += 1;
                self.braced(begin, depth)
            }
            Some(first) if first.is_ascii_alphabetic() || first == '_' => {
                let name = self.name();
                let value = (self.variables)(&name);
                Ok(self.plain(name, value))
            }
            // As Compose has it: before anything else a dollar is a dollar.
            _ => Ok("$".to_owned()),
        }
    }

    fn name(&mut self) -> String {
        let length = self.rest().find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        let end = length.map_or(self.text.len(), |length| self.at + length);
        let name = self.text[self.at..end].to_owned();
        self.at = end;
        name
    }

    /// The value of a variable without an operator.
    fn plain(&mut self, name: String, value: Option<String>) -> String {
        value.unwrap_or_else(|| {
            if self.live {
                self.unset.insert(name);
            }
            String::new()
        })
    }

    fn braced(&mut self, begin: usize, depth: usize) -> Result<String, Failure> {
        if depth >= DEPTH_LIMIT {
            return Err(self.failure(begin..begin + 2, "variables are nested too deep", None));
        }
        let name = self.name();
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(self.failure(begin..self.at, "expected a variable name after ${", None));
        }
        let value = (self.variables)(&name);
        let operator =
            [":-", ":?", ":+", "-", "?", "+", "}"].into_iter().find(|operator| self.rest().starts_with(operator));
        let Some(operator) = operator else {
            if self.rest().is_empty() {
                return Err(self.failure(begin..self.at, "a ${ is not closed", Some("write a } after it")));
            }
            let message = format!("unknown operator after {name}");
            return Err(self.failure(
                begin..self.at,
                &message,
                Some("write ${NAME}, ${NAME:-default} or ${NAME:?message}"),
            ));
        };
        self.at += operator.len();
        if operator == "}" {
            return Ok(self.plain(name, value));
        }
        // With a colon, an empty value counts as unset.
        let set = value.filter(|value| !operator.starts_with(':') || !value.is_empty());
        let live = self.live;
        self.live = live && set.is_some() == operator.ends_with('+');
        let argument = self.until(Some('}'), depth + 1)?;
        self.live = live;
        match (operator.trim_start_matches(':'), set) {
            ("-" | "?", Some(value)) => Ok(value),
            ("-", None) | ("+", Some(_)) => Ok(argument),
            ("+", None) => Ok(String::new()),
            (_, _) if !live => Ok(String::new()),
            (_, _) => {
                let reason = if argument.is_empty() { "it is required".to_owned() } else { argument };
                let help = format!("set it: {name}=... devenv up");
                Err(self.failure(begin..self.at, &format!("the variable {name} is not set: {reason}"), Some(&help)))
            }
        }
    }

    fn failure(&self, span: Range<usize>, message: &str, help: Option<&str>) -> Failure {
        let end = span.end.min(self.text.len());
        Failure { span: span.start..end, message: message.to_owned(), help: help.map(str::to_owned) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn result(text: &str) -> Result<String, String> {
        let variables = [("SET", "value"), ("EMPTY", "")];
        let lookup = |name: &str| Some(variables.iter().find(|(known, _)| *known == name)?.1.to_owned());
        interpolate(text, &lookup).map_err(|failure| failure.message)
    }

    #[test]
    fn an_unset_variable_without_a_default_is_noted() {
        let mut unset = BTreeSet::new();
        let text = "$A ${B} ${C:-c} ${D-} ${SET:-$E} ${F:-${G}} ${H:+x}";
        let set = |name: &str| (name == "SET").then(|| "value".to_owned());
        interpolate_noting(text, &set, &mut unset).expect("no mistake");
        assert_eq!(unset, ["A", "B", "G"].map(str::to_owned).into());
    }

    #[test]
    fn every_form() {
        for (text, expected) in [
            ("plain", "plain"),
            ("$SET/${SET}", "value/value"),
            ("$$SET", "$SET"),
            ("5 $ 6$", "5 $ 6$"),
            ("^($|/)$1", "^($|/)$1"),
            ("${UNSET}", ""),
            ("${UNSET:-a}${UNSET-b}", "ab"),
            ("${EMPTY:-a}${EMPTY-b}", "a"),
            ("${SET:+x}${SET+y}${EMPTY:+x}${EMPTY+z}${UNSET+w}", "xyz"),
            ("${UNSET:-${SET}-${OTHER:-deep}}", "value-deep"),
            ("${SET:?no}", "value"),
            ("${UNSET:-}", ""),
            ("${SET:-${UNSET:?never asked}}", "value"),
            ("${UNSET+${UNSET:?never asked}}", ""),
            ("${SET:-${UNSET:-${UNSET:?never asked}}}", "value"),
        ] {
            assert_eq!(result(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn every_refusal() {
        for (text, part) in [
            ("${UNSET:?say which}", "UNSET is not set: say which"),
            ("${EMPTY:?}", "EMPTY is not set: it is required"),
            ("${SET", "not closed"),
            ("${SET+${UNSET:?asked}}", "UNSET is not set: asked"),
            ("${SET:-a", "not closed"),
            ("${}", "expected a variable name"),
            ("${1A}", "expected a variable name"),
            ("${SET!}", "unknown operator"),
        ] {
            let error = result(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn it_never_panics(text in "[a-z${}:?+\\-é ]{0,40}") {
            let _ = result(&text);
        }

        #[test]
        fn text_without_a_dollar_stays(text in "[^$]{0,40}") {
            prop_assert_eq!(result(&text), Ok(text));
        }
    }
}
