//! Functions and event source mappings as their files describe them.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::messaging::ACCOUNT;
use crate::resource::{ResourceId, ResourceKind};

/// The name under which the function host runs beside the services.
pub const FUNCTION_HOST: &str = "functions";

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Functions {
    /// The functions in the order of their file names. Each is a service of this name.
    pub functions: Vec<Function>,
    /// The event source mappings in the order of their file names.
    pub mappings: Vec<Mapping>,
    /// The functions that are left out because no profile of their service is enabled, with these profiles.
    pub disabled: BTreeMap<String, Vec<String>>,
}

/// A function file: the `CreateFunction` input without code, role and environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    pub name: String,
    pub file: Utf8PathBuf,
    pub timeout_seconds: u32,
    pub memory_megabytes: u32,
    pub definition: Value,
}

/// An event source mapping file: the `CreateEventSourceMapping` input. Its name is the file's stem.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    pub name: String,
    pub file: Utf8PathBuf,
    pub function: String,
    pub source: EventSource,
    pub definition: Value,
}

/// What feeds a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSource {
    Queue(String),
    /// The stream of this table.
    Stream(String),
}

impl Functions {
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// The name of the host's unit; `None` without functions.
    pub fn host(&self) -> Option<&'static str> {
        (!self.is_empty()).then_some(FUNCTION_HOST)
    }

    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// The functions, then the mappings.
    pub fn resources(&self) -> impl Iterator<Item = ResourceId> {
        let functions = self.functions.iter().map(|one| ResourceId::new(ResourceKind::Function, &one.name));
        let named = |mapping: &Mapping| ResourceId::new(ResourceKind::EventSourceMapping, &mapping.name);
        functions.chain(self.mappings.iter().map(named))
    }
}

pub fn function_arn(region: &str, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{name}")
}
