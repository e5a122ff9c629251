//! A mapping as `ListEventSourceMappings` shows it.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct MappingState {
    pub(crate) name: String,
    function_arn: String,
    source_arn: String,
    is_enabled: bool,
    definition: Value,
    result: Mutex<String>,
}

impl MappingState {
    pub(crate) fn new(
        name: &str,
        function_arn: String,
        source_arn: String,
        is_enabled: bool,
        definition: Value,
    ) -> Self {
        let result = Mutex::new("No records processed".to_owned());
        Self { name: name.to_owned(), function_arn, source_arn, is_enabled, definition, result }
    }

    /// Keeps the result of the last batch. Returns whether it is another one than before.
    pub(crate) fn note(&self, result: &str) -> bool {
        let mut last = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *last != result;
        if is_new {
            result.clone_into(&mut last);
        }
        is_new
    }

    /// Keeps a problem, and prints it if it is not the last one again.
    pub(crate) fn problem(&self, text: &str) {
        if self.note(&format!("PROBLEM: {text}")) {
            crate::say(&format!("mapping {}: {text}", self.name));
        }
    }

    pub(crate) fn described(&self) -> Value {
        let mut described = self.definition.clone();
        described["UUID"] = Uuid::new_v5(&Uuid::NAMESPACE_URL, self.name.as_bytes()).to_string().into();
        described["FunctionArn"] = self.function_arn.clone().into();
        described["EventSourceArn"] = self.source_arn.clone().into();
        described["State"] = if self.is_enabled { "Enabled" } else { "Disabled" }.into();
        described["LastProcessingResult"] = self.result.lock().unwrap_or_else(PoisonError::into_inner).clone().into();
        // Not of AWS: the file's name, by which devenv knows the mapping.
        described["Name"] = json!(self.name);
        described
    }
}
