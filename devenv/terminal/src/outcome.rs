use serde_json::{Map, Value};

use crate::exit::Exit;

/// The result of a command, for people and for programs.
pub struct Outcome {
    /// For standard output; may be empty.
    pub text: String,
    /// The fields of the JSON result.
    pub fields: Map<String, Value>,
    pub exit: Exit,
    /// The exit code of another program, which this command passes on in place of `exit`.
    pub passed: Option<u8>,
}

impl Outcome {
    pub fn done(text: impl Into<String>, fields: &impl serde::Serialize) -> Self {
        let fields = match serde_json::to_value(fields) {
            Ok(Value::Object(fields)) => fields,
            Ok(other) => Map::from_iter([("value".to_owned(), other)]),
            Err(_) => Map::new(),
        };
        Self { text: text.into(), fields, exit: Exit::Done, passed: None }
    }

    /// The outcome of a command that has run another program, with that program's exit code.
    pub fn of_command(code: i32, fields: &impl serde::Serialize) -> Self {
        let exit = if code == 0 { Exit::Done } else { Exit::Failed };
        Self { exit, passed: Some(u8::try_from(code & 0xff).unwrap_or(u8::MAX)), ..Self::done("", fields) }
    }
}
