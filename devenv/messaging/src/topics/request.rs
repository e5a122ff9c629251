use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::errors::invalid;
use crate::front::call::Call;
use crate::front::error::ApiError;

/// A call that goes to the thread of the store.
pub(super) struct Request(pub(super) Arc<Call>);

impl Deref for Request {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.0
    }
}

impl Request {
    /// A parameter that the shape requires, or that another one makes necessary.
    pub(super) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| invalid(name))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.parameters.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A map of texts, empty if it was not given.
    pub(super) fn map(&self, name: &str) -> Map<String, Value> {
        self.parameters.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    pub(super) fn list(&self, name: &str) -> &[Value] {
        self.parameters.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }
}

pub(super) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}
