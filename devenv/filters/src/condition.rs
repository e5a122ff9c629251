use serde_json::{Map, Value};

use super::error::{FilterError, Path};
use super::network::Network;
use super::numeric::{Decimal, Range};
use super::wildcard::Wildcard;

pub(super) const OPERATORS: [&str; 8] =
    ["anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"];

/// One element of a key's array.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Exists(bool),
    Is(Test),
    AnythingBut(Vec<Test>),
}

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Null,
    Bool(bool),
    Number(Decimal),
    Text(String),
    Prefix(String),
    Suffix(String),
    /// Lower case.
    EqualsIgnoreCase(String),
    Wildcard(Wildcard),
    Numeric(Range),
    Cidr(Network),
}

impl Condition {
    pub(super) fn wildcard(&self) -> Option<&Wildcard> {
        match self {
            Self::Is(Test::Wildcard(wildcard)) => Some(wildcard),
            Self::AnythingBut(tests) => match tests.as_slice() {
                [Test::Wildcard(wildcard)] => Some(wildcard),
                _ => None,
            },
            _ => None,
        }
    }
}

pub(super) fn read(rule: &Value, at: &Path) -> Result<Condition, FilterError> {
    match rule {
        Value::Null => Ok(Condition::Is(Test::Null)),
        Value::Bool(value) => Ok(Condition::Is(Test::Bool(*value))),
        Value::String(value) => Ok(Condition::Is(Test::Text(value.clone()))),
        Value::Number(_) => Ok(Condition::Is(number(rule, at)?)),
        Value::Object(members) => operator(members, at),
        Value::Array(_) => Err(at.error("Match value must be String, number, true, false, or null")),
    }
}

fn operator(members: &Map<String, Value>, at: &Path) -> Result<Condition, FilterError> {
    let (name, value) = only(members, at)?;
    let at = at.key(name);
    match name {
        "exists" => {
            let wanted = value.as_bool();
            let wanted = wanted.ok_or_else(|| at.error("exists match pattern must be either true or false."))?;
            Ok(Condition::Exists(wanted))
        }
        "anything-but" => anything_but(value, &at),
        "numeric" => Range::read(value, &at).map(|range| Condition::Is(Test::Numeric(range))),
        "cidr" => {
            let network = Network::read(text(name, value, &at)?).map_err(|reason| at.error(reason))?;
            Ok(Condition::Is(Test::Cidr(network)))
        }
        "prefix" | "suffix" | "equals-ignore-case" | "wildcard" => of_text(name, value, &at).map(Condition::Is),
        other => Err(at.error(format!("Unrecognized match type {other}"))),
    }
}

fn only<'a>(members: &'a Map<String, Value>, at: &Path) -> Result<(&'a str, &'a Value), FilterError> {
    let mut all = members.iter();
    match (all.next(), all.next()) {
        (Some((name, value)), None) => Ok((name.as_str(), value)),
        (None, _) => Err(at.error("Empty objects are not allowed")),
        (Some(_), Some((second, _))) => {
            Err(at.key(second).error("Only one key allowed in match expression; write one object for each"))
        }
    }
}

fn of_text(name: &str, value: &Value, at: &Path) -> Result<Test, FilterError> {
    let value = text(name, value, at)?.to_owned();
    Ok(match name {
        "prefix" => Test::Prefix(value),
        "suffix" => Test::Suffix(value),
        "equals-ignore-case" => Test::EqualsIgnoreCase(value.to_lowercase()),
        _ => Test::Wildcard(Wildcard::read(&value).map_err(|reason| at.error(reason))?),
    })
}

fn text<'a>(name: &str, value: &'a Value, at: &Path) -> Result<&'a str, FilterError> {
    let value = value.as_str().ok_or_else(|| at.error(format!("{name} match pattern must be a string")))?;
    if value.is_empty() && name != "equals-ignore-case" {
        return Err(at.error(format!("Empty {name} pattern is not allowed")));
    }
    Ok(value)
}

fn number(value: &Value, at: &Path) -> Result<Test, FilterError> {
    let number = Decimal::read(value, at)?.ok_or_else(|| at.error("Match value must be a number"))?;
    Ok(Test::Number(number))
}

/// Takes a text, a number, a list of one of them, or one of the operators on texts.
fn anything_but(value: &Value, at: &Path) -> Result<Condition, FilterError> {
    let tests: Vec<Test> = match value {
        Value::Array(values) if values.is_empty() => return Err(at.error("Empty arrays are not allowed")),
        Value::Array(values) => {
            if values.iter().any(Value::is_string) && values.iter().any(Value::is_number) {
                return Err(at.error("Inside anything but list, either all values are number or string"));
            }
            values
                .iter()
                .enumerate()
                .map(|(index, value)| excluded(value, &at.index(index)))
                .collect::<Result<_, _>>()?
        }
        Value::Object(members) => {
            let (name, value) = only(members, at)?;
            let at = at.key(name);
            match name {
                "prefix" | "suffix" | "equals-ignore-case" | "wildcard" => vec![of_text(name, value, &at)?],
                other => return Err(at.error(format!("Unsupported anything-but pattern: {other}"))),
            }
        }
        scalar => vec![excluded(scalar, at)?],
    };
    Ok(Condition::AnythingBut(tests))
}

fn excluded(value: &Value, at: &Path) -> Result<Test, FilterError> {
    match value {
        Value::String(value) => Ok(Test::Text(value.clone())),
        Value::Number(_) => number(value, at),
        _ => Err(at.error("Value within anything-but must be a string or a number")),
    }
}
