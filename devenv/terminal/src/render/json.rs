use std::io::{self, Write};

use devenv_model::event::Event;
use serde_json::{Value, json};

use super::Render;
use crate::outcome::Outcome;
use crate::report::Failure;

/// Raised when the shape of an object changes for its readers.
const VERSION: u32 = 1;

/// One object a line; the last one is the result.
pub(super) struct Json;

impl Render for Json {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        write(serde_json::to_value(event).unwrap_or_default())
    }

    fn outcome(&mut self, command: &str, outcome: &Outcome) -> io::Result<()> {
        let ok = outcome.exit == crate::exit::Exit::Done;
        let mut result = json!({ "event": "result", "command": command, "ok": ok });
        if let Value::Object(fields) = &mut result {
            fields.extend(outcome.fields.clone());
        }
        write(result)
    }

    fn error(&mut self, command: &str, failure: &Failure) {
        let _ = write(json!({ "event": "result", "command": command, "ok": false, "error": failure.report }));
    }
}

fn write(mut object: Value) -> io::Result<()> {
    object["version"] = json!(VERSION);
    let mut out = io::stdout().lock();
    writeln!(out, "{object}").and_then(|()| out.flush())
}
