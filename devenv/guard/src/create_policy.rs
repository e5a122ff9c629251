//! The container of a task: a few fields of the request, and otherwise only the settings below.

use serde_json::{Map, Value, json};

use crate::image_policy::image;
use crate::refusal::Refusal;
use crate::settings::{Network, Settings};

/// The longest accepted request, in bytes.
pub(crate) const LONGEST: usize = 512 * 1024;
/// Above the thread count of any service, below a number that would exhaust the machine.
const PROCESSES: u32 = 4096;
/// Dropped from the engine's default because they reach beyond the container: raw packets (another task's traffic), device
/// nodes, the audit log, and file capabilities.
const DROPPED: [&str; 4] = ["NET_RAW", "MKNOD", "AUDIT_WRITE", "SETFCAP"];

/// The treatment of a client's field.
enum Field {
    Text,
    /// A list of texts, or one text.
    Words,
    Labels,
    Host,
    Network,
}

fn field(name: &str) -> Option<Field> {
    Some(match name {
        "Image" | "User" | "WorkingDir" => Field::Text,
        "Cmd" | "Entrypoint" | "Env" => Field::Words,
        "Labels" => Field::Labels,
        "HostConfig" => Field::Host,
        "NetworkingConfig" => Field::Network,
        _ => return None,
    })
}

/// The request to the engine. Refuses every unknown field, unless it asks for nothing.
pub(crate) fn body(settings: &Settings, network: &Network, given: &[u8]) -> Result<Value, Refusal> {
    if given.len() > LONGEST {
        return Err(Refusal::new(format!("the description of a container exceeds {LONGEST} bytes")));
    }
    let given: Map<String, Value> = serde_json::from_slice(given)
        .map_err(|error| Refusal::new(format!("not a description of a container: {error}")))?;
    let mut made = Map::new();
    for (name, value) in given {
        if asks_for_nothing(&value) {
            continue;
        }
        let wrong = || Refusal::new(format!("a rehearsal does not need {name}: {}", shortened(&value)));
        match field(&name).ok_or_else(wrong)? {
            Field::Text if value.is_string() => drop(made.insert(name, value)),
            Field::Words if value.is_string() || is_words(&value) => drop(made.insert(name, value)),
            Field::Labels => drop(made.insert(name, labels(value)?)),
            Field::Host => host(network, &value)?,
            Field::Network => joined(network, &value)?,
            Field::Text | Field::Words => return Err(wrong()),
        }
    }
    image(settings, made.get("Image").and_then(Value::as_str).unwrap_or_default())?;
    let labels = made.entry("Labels").or_insert_with(|| json!({}));
    for (name, value) in &settings.labels {
        labels[name] = json!(value);
    }
    made.insert("HostConfig".to_owned(), safe(network));
    Ok(Value::Object(made))
}

/// The host settings of every task container.
fn safe(network: &Network) -> Value {
    json!({
        "NetworkMode": network.id,
        "Privileged": false,
        "CapDrop": DROPPED,
        "SecurityOpt": ["no-new-privileges:true"],
        "PidsLimit": PROCESSES,
        "RestartPolicy": { "Name": "no" },
        "LogConfig": { "Type": "json-file", "Config": { "max-size": "10m", "max-file": "3" } },
    })
}

/// A task gets nothing of the machine: the request may name only the rehearsal's own network.
fn host(network: &Network, asked: &Value) -> Result<(), Refusal> {
    let asked = asked.as_object().ok_or_else(|| Refusal::new("HostConfig is not an object"))?;
    for (name, value) in asked {
        let is_own = name == "NetworkMode" && (*value == *network.name || *value == *network.id);
        if !is_own && !asks_for_nothing(value) {
            return Err(Refusal::new(format!("a rehearsal does not need HostConfig.{name}: {}", shortened(value))));
        }
    }
    Ok(())
}

/// `{"EndpointsConfig": {"NETWORK": {}}}`, or as some clients write it, `{"NETWORK": null}`.
fn joined(network: &Network, asked: &Value) -> Result<(), Refusal> {
    let asked = asked.as_object().ok_or_else(|| Refusal::new("NetworkingConfig is not an object"))?;
    let endpoints = asked.get("EndpointsConfig").and_then(Value::as_object);
    let others = asked.iter().filter(|(name, _)| *name != "EndpointsConfig");
    if asked.get("EndpointsConfig").is_some_and(|value| !value.is_object() && !asks_for_nothing(value)) {
        return Err(Refusal::new("EndpointsConfig is not an object"));
    }
    for (name, value) in endpoints.into_iter().flatten().chain(others) {
        if ![&network.name, &network.id].contains(&name) || !asks_for_nothing(value) {
            return Err(Refusal::new(format!("a task may join only the network {}, not {name}", network.name)));
        }
    }
    Ok(())
}

/// Only devenv may set the labels by which it knows its containers.
fn labels(asked: Value) -> Result<Value, Refusal> {
    let texts = asked.as_object().is_some_and(|labels| labels.values().all(Value::is_string));
    let ours = asked.as_object().and_then(|labels| labels.keys().find(|name| name.starts_with("devenv.")));
    match ours {
        Some(name) => Err(Refusal::new(format!("the emulator may not set the label {name}"))),
        None if !texts => Err(Refusal::new("Labels do not map names to texts")),
        None => Ok(asked),
    }
}

fn is_words(value: &Value) -> bool {
    value.as_array().is_some_and(|words| words.iter().all(Value::is_string))
}

/// Whether a client's value means an unset field.
fn asks_for_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

#[cfg(test)]
#[path = "create_policy_tests.rs"]
mod tests;
