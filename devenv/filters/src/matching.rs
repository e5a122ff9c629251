use serde_json::{Map, Number, Value};

use super::condition::{Condition, Test};
use super::numeric::Decimal;
use super::policy::{Clause, FilterPolicy, Group};

impl FilterPolicy {
    /// Decides about the object that the policy's scope names: the message's attributes, each through [`attribute_value`], or
    /// its body. An object without keys matches no policy but the empty one, whatever the conditions.
    pub fn accepts(&self, object: &Map<String, Value>) -> bool {
        self.is_empty() || !object.is_empty() && self.root.accepts(object)
    }
}

/// The value of a message attribute as policies see it, or nothing for a type they do not look at (`Binary`). A
/// `String.Array` is its JSON array.
pub fn attribute_value(data_type: &str, text: &str) -> Option<Value> {
    if data_type == "String.Array" {
        return serde_json::from_str(text).ok().filter(Value::is_array);
    }
    match data_type.split('.').next() {
        Some("String") => Some(Value::String(text.to_owned())),
        Some("Number") => text.trim().parse().ok().and_then(Number::from_f64).map(Value::Number),
        _ => None,
    }
}

impl Group {
    fn accepts(&self, object: &Map<String, Value>) -> bool {
        self.0.iter().all(|clause| clause.accepts(object))
    }
}

impl Clause {
    fn accepts(&self, object: &Map<String, Value>) -> bool {
        match self {
            Self::Leaf { key, conditions } => {
                let mut values = Vec::new();
                object.get(key).into_iter().for_each(|value| leaves(value, &mut values));
                conditions.iter().any(|condition| condition.holds(&values))
            }
            Self::Nested { key, group } => {
                let mut inner = Vec::new();
                object.get(key).into_iter().for_each(|value| objects(value, &mut inner));
                // Without an object, all keys below are absent, for which a condition may ask.
                inner.iter().any(|object| group.accepts(object)) || inner.is_empty() && group.accepts(&Map::new())
            }
            Self::Or(groups) => groups.iter().any(|group| group.accepts(object)),
        }
    }
}

/// The scalars of a value: itself, or those of an array. An object is none.
fn leaves<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| leaves(value, found)),
        Value::Object(_) => {}
        scalar => found.push(scalar),
    }
}

/// One element of an array has to satisfy a whole group, so that keys of different elements are not mixed.
fn objects<'a>(value: &'a Value, found: &mut Vec<&'a Map<String, Value>>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| objects(value, found)),
        Value::Object(object) => found.push(object),
        _ => {}
    }
}

impl Condition {
    fn holds(&self, values: &[&Value]) -> bool {
        match self {
            // SNS counts neither null nor an empty text as a value.
            Self::Exists(wanted) => values.iter().any(|value| !value.is_null() && **value != "") == *wanted,
            Self::Is(test) => values.iter().any(|value| test.holds(value)),
            // One value that is not excluded suffices: SNS's guide has the list ["rugby", "baseball"] match anything but rugby.
            Self::AnythingBut(tests) => values.iter().any(|value| !tests.iter().any(|test| test.holds(value))),
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        let text = || value.as_str().unwrap_or_default();
        let number = || value.as_f64().and_then(Decimal::of);
        match self {
            Self::Null => value.is_null(),
            Self::Bool(wanted) => value.as_bool() == Some(*wanted),
            Self::Number(wanted) => number() == Some(*wanted),
            Self::Numeric(range) => number().is_some_and(|number| range.contains(number)),
            _ if !value.is_string() => false,
            Self::Text(wanted) => text() == wanted,
            Self::Prefix(prefix) => text().starts_with(prefix),
            Self::Suffix(suffix) => text().ends_with(suffix),
            Self::EqualsIgnoreCase(wanted) => text().to_lowercase() == *wanted,
            Self::Wildcard(wildcard) => wildcard.matches(text()),
            Self::Cidr(network) => network.contains(text()),
        }
    }
}
