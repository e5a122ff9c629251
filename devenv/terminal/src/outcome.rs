use serde_json::{Map, Value};

use crate::exit::Exit;

/// The result of a command, for people and for programs.
pub struct Outcome {
    /// For standard output; may be empty.
    pub text: String,
    /// The fields of the JSON result.
    pub fields: Map<String, Value>,
    pub exit: Exit,
}

impl Outcome {
    pub fn done(text: impl Into<String>, fields: &impl serde::Serialize) -> Self {
        let fields = match serde_json::to_value(fields) {
            Ok(Value::Object(fields)) => fields,
            Ok(other) => Map::from_iter([("value".to_owned(), other)]),
            Err(_) => Map::new(),
        };
        Self { text: text.into(), fields, exit: Exit::Done }
    }
}
