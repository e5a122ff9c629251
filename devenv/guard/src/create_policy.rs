//! The container of a task: a few fields of what was asked for, and beside them only what is laid down here.

use serde_json::{Map, Value, json};

use crate::image_policy::image;
use crate::refusal::Refusal;
use crate::settings::{Network, Settings};

/// Of a longer request nothing is read.
pub(crate) const LONGEST: usize = 512 * 1024;
/// More than a service has threads, and fewer than would bring the machine down.
const PROCESSES: u32 = 4096;
/// An engine's own default, less what reaches beyond the container: raw packets (another task's traffic), device nodes,
/// the audit log, and rights laid on files.
const DROPPED: [&str; 4] = ["NET_RAW", "MKNOD", "AUDIT_WRITE", "SETFCAP"];

/// What becomes of a field that a client sends.
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

/// The request that the engine is sent. Whatever is not known here is refused, unless it asks for nothing.
pub(crate) fn body(settings: &Settings, network: &Network, given: &[u8]) -> Result<Value, Refusal> {
    if given.len() > LONGEST {
        return Err(Refusal::new(format!("a container is described in more than {LONGEST} bytes")));
    }
    let given: Map<String, Value> = serde_json::from_slice(given)
        .map_err(|error| Refusal::new(format!("no description of a container: {error}")))?;
    let mut made = Map::new();
    for (name, value) in given {
        if asks_for_nothing(&value) {
            continue;
        }
        let wrong = || Refusal::new(format!("a rehearsal has no need of {name}: {}", shortened(&value)));
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

/// The only settings that the container of a task has.
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

/// Of the machine a task is given nothing: only the rehearsal's own network may be named.
fn host(network: &Network, asked: &Value) -> Result<(), Refusal> {
    let asked = asked.as_object().ok_or_else(|| Refusal::new("HostConfig is no object"))?;
    for (name, value) in asked {
        let is_own = name == "NetworkMode" && (*value == *network.name || *value == *network.id);
        if !is_own && !asks_for_nothing(value) {
            return Err(Refusal::new(format!("a rehearsal has no need of HostConfig.{name}: {}", shortened(value))));
        }
    }
    Ok(())
}

/// `{"EndpointsConfig": {"NETWORK": {}}}`, or as some clients write it, `{"NETWORK": null}`.
fn joined(network: &Network, asked: &Value) -> Result<(), Refusal> {
    let asked = asked.as_object().ok_or_else(|| Refusal::new("NetworkingConfig is no object"))?;
    let endpoints = asked.get("EndpointsConfig").and_then(Value::as_object);
    let others = asked.iter().filter(|(name, _)| *name != "EndpointsConfig");
    if asked.get("EndpointsConfig").is_some_and(|value| !value.is_object() && !asks_for_nothing(value)) {
        return Err(Refusal::new("EndpointsConfig is no object"));
    }
    for (name, value) in endpoints.into_iter().flatten().chain(others) {
        if ![&network.name, &network.id].contains(&name) || !asks_for_nothing(value) {
            return Err(Refusal::new(format!("a task is on the network {} alone, not on {name}", network.name)));
        }
    }
    Ok(())
}

/// Labels by which devenv knows its own are not for others to lay.
fn labels(asked: Value) -> Result<Value, Refusal> {
    let texts = asked.as_object().is_some_and(|labels| labels.values().all(Value::is_string));
    let ours = asked.as_object().and_then(|labels| labels.keys().find(|name| name.starts_with("devenv.")));
    match ours {
        Some(name) => Err(Refusal::new(format!("the label {name} is not the emulator's to lay"))),
        None if !texts => Err(Refusal::new("Labels are no texts by name")),
        None => Ok(asked),
    }
}

fn is_words(value: &Value) -> bool {
    value.as_array().is_some_and(|words| words.iter().all(Value::is_string))
}

/// What a client sends for a field that nobody has set.
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
