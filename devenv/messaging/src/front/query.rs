//! The reading of a form (`Action=...&Name.1.Key=...`) by the shape of an operation's input.

use std::collections::BTreeMap;

use devenv_shapes::shape::{Member, Shape};
use serde_json::{Map, Value};

use super::error::ApiError;

/// The most parameters of a form: the largest batch has some hundreds.
const PARAMETERS: usize = 10_000;
/// The parts of the longest name, `SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringListValue.1`, and some more.
const PARTS: usize = 12;
/// What every request may have beside the operation's own parameters, signatures in the query included.
const COMMON: [&str; 9] = [
    "Action",
    "Version",
    "AWSAccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "Timestamp",
    "Expires",
    "SecurityToken",
];

/// A form by the dots in its names.
#[derive(Debug, Default)]
pub(crate) struct Form {
    value: Option<String>,
    parts: BTreeMap<String, Form>,
}

impl Form {
    /// Reads the parameters of a URL's query and of a body, in this order.
    pub(crate) fn parse(query: &str, body: &[u8]) -> Result<Self, ApiError> {
        let mut form = Self::default();
        let pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(body));
        for (count, (name, value)) in pairs.enumerate() {
            if count == PARAMETERS {
                return Err(ApiError::malformed(format!("more than {PARAMETERS} parameters")));
            }
            let mut place = &mut form;
            for (depth, part) in name.split('.').enumerate() {
                if depth == PARTS {
                    return Err(ApiError::malformed(format!("the parameter {name} has more than {PARTS} parts")));
                }
                place = place.parts.entry(part.to_owned()).or_default();
            }
            place.value = Some(value.into_owned());
        }
        Ok(form)
    }

    /// The value of a parameter without dots.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parts.get(name)?.value.as_deref()
    }

    /// Sets a parameter that the request does not have.
    pub(crate) fn default_to(&mut self, name: &str, value: String) {
        self.parts.entry(name.to_owned()).or_insert(Self { value: Some(value), parts: BTreeMap::new() });
    }

    /// Returns the operation's parameters; one that no member takes is refused.
    pub(crate) fn read(mut self, members: &[Member]) -> Result<Map<String, Value>, ApiError> {
        self.parts.retain(|name, _| !COMMON.contains(&name.as_str()) && !name.starts_with("X-Amz-"));
        self.structure(members, "")
    }

    fn structure(mut self, members: &[Member], place: &str) -> Result<Map<String, Value>, ApiError> {
        let mut object = Map::new();
        for member in members {
            let name = format!("{place}{}", member.wire);
            match self.parts.remove(member.wire) {
                Some(form) => {
                    object.insert(member.name.to_owned(), form.value(&member.shape, &name)?);
                }
                None if member.required => return Err(ApiError::missing_parameter(&name)),
                None => {}
            }
        }
        match self.parts.keys().next() {
            None => Ok(object),
            Some(unknown) => Err(ApiError::invalid_parameter(format!("Unknown parameter {place}{unknown}."))),
        }
    }

    fn value(mut self, shape: &Shape, place: &str) -> Result<Value, ApiError> {
        match shape {
            Shape::Text | Shape::Blob => self.text(place).map(Value::String),
            Shape::Integer => {
                let text = self.text(place)?;
                let number: i64 = text.parse().map_err(|_| wrong(place, &text, "an integer"))?;
                Ok(Value::from(number))
            }
            Shape::Boolean => match self.text(place)?.as_str() {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                other => Err(wrong(place, other, "true or false")),
            },
            Shape::Structure(members) => self.structure(members, &format!("{place}.")).map(Value::Object),
            Shape::List { item, within } => {
                let mut items = Vec::new();
                for (place, form) in self.numbered(*within, place)? {
                    items.push(form.value(item, &place)?);
                }
                Ok(Value::Array(items))
            }
            Shape::Map { key, value, item, within } => {
                let mut object = Map::new();
                for (place, mut form) in self.numbered(*within, place)? {
                    let name = form.parts.remove(*key).ok_or_else(|| missing(&place, key))?.text(&place)?;
                    let content = form.parts.remove(*value).ok_or_else(|| missing(&place, value))?;
                    if let Some(unknown) = form.parts.keys().next() {
                        return Err(ApiError::invalid_parameter(format!("Unknown parameter {place}.{unknown}.")));
                    }
                    object.insert(name, content.value(item, &format!("{place}.{value}"))?);
                }
                Ok(Value::Object(object))
            }
        }
    }

    fn text(self, place: &str) -> Result<String, ApiError> {
        match (self.value, self.parts.keys().next()) {
            (Some(value), None) => Ok(value),
            (_, Some(part)) => Err(ApiError::invalid_parameter(format!("Unknown parameter {place}.{part}."))),
            (None, None) => Err(ApiError::missing_parameter(place)),
        }
    }

    /// The parts by their numbers, each with its place. An empty list is sent as the bare name.
    fn numbered(&mut self, within: Option<&str>, place: &str) -> Result<Vec<(String, Self)>, ApiError> {
        let mut parts = std::mem::take(&mut self.parts);
        let mut place = place.to_owned();
        if let Some(within) = within.filter(|_| !parts.is_empty()) {
            place = format!("{place}.{within}");
            let inner = parts.remove(within);
            if let Some(unknown) = parts.keys().next() {
                return Err(ApiError::invalid_parameter(format!("Unknown parameter {place}.{unknown}.")));
            }
            parts = inner.map(|form| form.parts).unwrap_or_default();
        }
        let mut numbered = Vec::new();
        for (number, form) in parts {
            let index: u32 = number.parse().map_err(|_| wrong(&place, &number, "a number"))?;
            numbered.push((index, format!("{place}.{index}"), form));
        }
        numbered.sort_by_key(|(index, ..)| *index);
        Ok(numbered.into_iter().map(|(_, place, form)| (place, form)).collect())
    }
}

fn wrong(place: &str, text: &str, expected: &str) -> ApiError {
    ApiError::invalid_value(place, text, &format!("Must be {expected}."))
}

fn missing(place: &str, part: &str) -> ApiError {
    ApiError::missing_parameter(&format!("{place}.{part}"))
}
