//! The check of a JSON input against its shape.

use std::fmt::{Display, Formatter};

use devenv_shapes::shape::{Member, Shape};
use serde_json::{Map, Value};

use super::error::ApiError;

/// Where a value is, written out only in errors.
#[derive(Clone, Copy)]
enum Place<'a> {
    Top,
    Member(&'a Place<'a>, &'a str),
    /// From 1, as in forms.
    Item(&'a Place<'a>, usize),
}

impl Display for Place<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Member(Self::Top, name) => formatter.write_str(name),
            Self::Member(within, name) => write!(formatter, "{within}.{name}"),
            Self::Item(within, number) => write!(formatter, "{within}.{number}"),
        }
    }
}

/// serde_json refuses what nests deeper than 128; nothing in SQS or SNS does.
pub(crate) fn parse(body: &[u8], members: &[Member]) -> Result<Map<String, Value>, ApiError> {
    let value = if body.is_empty() { Ok(Value::Object(Map::new())) } else { serde_json::from_slice(body) };
    let value = value.map_err(|error| ApiError::malformed(format!("the body is not JSON: {error}")))?;
    let Value::Object(mut object) = value else {
        return Err(ApiError::malformed("the body is not a JSON object"));
    };
    check(&mut object, members, &Place::Top)?;
    Ok(object)
}

/// Drops nulls; refuses unknown members, other types and the absence of required members.
fn check(object: &mut Map<String, Value>, members: &[Member], place: &Place<'_>) -> Result<(), ApiError> {
    object.retain(|_, value| !value.is_null());
    for (name, value) in object.iter_mut() {
        let place = Place::Member(place, name);
        let Some(member) = members.iter().find(|member| member.name == name) else {
            return Err(ApiError::invalid_parameter(format!("Unknown parameter {place}.")));
        };
        check_value(value, &member.shape, &place)?;
    }
    match members.iter().find(|member| member.required && !object.contains_key(member.name)) {
        None => Ok(()),
        Some(member) => Err(ApiError::missing_parameter(&Place::Member(place, member.name).to_string())),
    }
}

fn check_value(value: &mut Value, shape: &Shape, place: &Place<'_>) -> Result<(), ApiError> {
    let matches = match (shape, &mut *value) {
        (Shape::Text | Shape::Blob, Value::String(_)) | (Shape::Boolean, Value::Bool(_)) => true,
        (Shape::Integer, Value::Number(number)) => number.is_i64(),
        (Shape::Structure(members), Value::Object(object)) => {
            check(object, members, place)?;
            true
        }
        (Shape::List { item, .. }, Value::Array(items)) => {
            for (index, value) in items.iter_mut().enumerate() {
                check_value(value, item, &Place::Item(place, index + 1))?;
            }
            true
        }
        (Shape::Map { item, .. }, Value::Object(object)) => {
            object.retain(|_, value| !value.is_null());
            for (name, value) in object.iter_mut() {
                check_value(value, item, &Place::Member(place, name))?;
            }
            true
        }
        _ => false,
    };
    if matches { Ok(()) } else { Err(ApiError::malformed(format!("{place} has the wrong type"))) }
}
