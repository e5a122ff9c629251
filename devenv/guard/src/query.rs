//! The parameters of a request to the engine.

use std::collections::BTreeMap;

use crate::refusal::Refusal;

/// The parameters of a request; none is there twice.
pub(crate) struct Query(BTreeMap<String, String>);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Flag,
    /// A flag that may only be off; it is left away.
    Off,
    Number,
    /// Letters, digits, dots and hyphens.
    Word,
    /// Looked at by whoever asks for it.
    Text,
}

impl Query {
    pub(crate) fn read(text: &str) -> Result<Self, Refusal> {
        let mut query = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            if query.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(Refusal::new(format!("{name} is there twice")));
            }
        }
        Ok(Self(query))
    }

    /// The value of a parameter; empty where it is absent.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// These parameters written anew; any other one, or another value, is refused.
    pub(crate) fn only(&self, known: &[(&'static str, Kind)]) -> Result<String, Refusal> {
        let mut pairs = Vec::new();
        for (name, value) in &self.0 {
            let kind = known.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind);
            let fits = match kind {
                Some(Kind::Flag) => is_on(value) || is_off(value),
                Some(Kind::Off) => is_off(value),
                Some(Kind::Number) => {
                    let digits = value.strip_prefix('-').unwrap_or(value);
                    (1..10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
                }
                Some(Kind::Word) => value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)),
                Some(Kind::Text) => true,
                None => false,
            };
            if !fits {
                return Err(Refusal::new(format!("a rehearsal has no need of {name}={value}")));
            }
            if kind != Some(Kind::Off) {
                pairs.push((name.as_str(), value.as_str()));
            }
        }
        Ok(written(&pairs))
    }
}

pub(crate) fn is_on(value: &str) -> bool {
    ["1", "true", "True"].contains(&value)
}

fn is_off(value: &str) -> bool {
    ["", "0", "false", "False"].contains(&value)
}

pub(crate) fn written(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
