//! Writes a model as `docker compose config` does.

use std::fmt::Write;

use devenv_document::tree::{Data, Entry, Node};
use serde_json::{Map, Number, Value};

use crate::load::Project;
use crate::node::{entries_mut, get_mut, mapping, null, set_default};
use crate::values::{float, integer};

/// Returns the model as JSON, which any reader of `docker compose config --format json` understands.
pub fn json(project: &Project) -> Value {
    let mut model = project.model.clone();
    // In JSON alone, Compose writes some values that are absent.
    if let Some(services) = get_mut(&mut model, "services") {
        for entry in entries_mut(services) {
            set_default(&mut entry.value, "command", null);
            set_default(&mut entry.value, "entrypoint", null);
            if let Some(deploy) = get_mut(&mut entry.value, "deploy") {
                set_default(deploy, "placement", nothing);
                set_default(deploy, "resources", nothing);
            }
        }
    }
    if let Some(networks) = get_mut(&mut model, "networks") {
        for entry in entries_mut(networks) {
            set_default(&mut entry.value, "ipam", nothing);
        }
    }
    value(&model)
}

fn nothing(place: &Node) -> Node {
    mapping(place, Vec::<(&str, Node)>::new())
}

/// Returns a node as JSON. A dollar is doubled, so that the result is a Compose file with the same meaning.
fn value(node: &Node) -> Value {
    match &node.data {
        Data::Scalar { text, plain: true } => plain(text),
        Data::Scalar { text, plain: false } => Value::String(doubled(text)),
        Data::Sequence(items) => items.iter().map(value).collect(),
        Data::Mapping(entries) => {
            Value::Object(entries.iter().map(|entry| (doubled(&entry.key), value(&entry.value))).collect::<Map<_, _>>())
        }
    }
}

fn doubled(text: &str) -> String {
    text.replace('$', "$$")
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => {
            let whole = integer(text).and_then(Number::from_i128);
            whole.or_else(|| float(text).map(number)).map_or_else(|| Value::String(doubled(text)), Value::Number)
        }
    }
}

fn number(float: f64) -> Number {
    #[expect(clippy::cast_possible_truncation, reason = "only whole numbers of a small size are taken")]
    let whole = float as i64;
    if float.fract() == 0.0 && float.abs() < 1e15 {
        return Number::from(whole);
    }
    Number::from_f64(float).unwrap_or_else(|| Number::from(0))
}

/// Returns the model as YAML: the name first, then the sections in the order of their usual reading, each with sorted keys.
pub fn yaml(project: &Project) -> String {
    const FIRST: [&str; 6] = ["name", "services", "networks", "volumes", "secrets", "configs"];
    let mut written = String::new();
    let rank = |entry: &&Entry| {
        let place = FIRST.iter().position(|key| *key == entry.key).unwrap_or(FIRST.len());
        (place, entry.key.clone())
    };
    let mut entries: Vec<&Entry> = project.model.entries().unwrap_or_default().iter().collect();
    entries.sort_by_cached_key(rank);
    for entry in entries {
        write_entry(&mut written, entry, 0);
    }
    written
}

fn write_entry(written: &mut String, entry: &Entry, depth: usize) {
    let _ = write!(written, "{:indent$}{}:", "", scalar(&doubled(&entry.key)), indent = depth * 2);
    write_value(written, &entry.value, depth, false);
}

/// Writes a value after its key or after the dash of its list.
fn write_value(written: &mut String, node: &Node, depth: usize, in_list: bool) {
    match &node.data {
        Data::Scalar { text, plain: true } => {
            let text = match plain(text) {
                Value::String(text) => scalar(&text),
                other => other.to_string(),
            };
            let _ = writeln!(written, " {text}");
        }
        Data::Scalar { text, plain: false } => {
            let _ = writeln!(written, " {}", scalar(&doubled(text)));
        }
        Data::Sequence(items) if items.is_empty() => written.push_str(" []\n"),
        Data::Mapping(entries) if entries.is_empty() => written.push_str(" {}\n"),
        Data::Sequence(items) => {
            written.push('\n');
            for item in items {
                let _ = write!(written, "{:indent$}-", "", indent = depth * 2 + 2);
                write_value(written, item, depth + 1, true);
            }
        }
        Data::Mapping(entries) => {
            let mut entries: Vec<&Entry> = entries.iter().collect();
            entries.sort_by(|one, other| one.key.cmp(&other.key));
            for (place, entry) in entries.into_iter().enumerate() {
                if in_list && place == 0 {
                    // The first entry stands beside the dash.
                    let _ = write!(written, " {}:", scalar(&doubled(&entry.key)));
                    write_value(written, &entry.value, depth + 1, false);
                } else {
                    if place == 0 {
                        written.push('\n');
                    }
                    write_entry(written, entry, depth + 1);
                }
            }
        }
    }
}

/// Writes a text so that every reader of YAML takes it for the same text.
fn scalar(text: &str) -> String {
    const MEAN_MORE: [&str; 11] = ["yes", "no", "on", "off", "true", "false", "null", "y", "n", ".inf", ".nan"];
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_./-+@=$ :,()%&|".contains(character);
    let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric() || "_/.$".contains(first));
    let stands = begins
        && text.chars().all(allowed)
        // Digits alone may be a number, a time or a date to some reader.
        && text.contains(|character: char| character.is_ascii_alphabetic())
        && !text.contains(": ")
        && !text.ends_with([' ', ':'])
        && !MEAN_MORE.contains(&text.to_ascii_lowercase().as_str())
        && integer(text).is_none()
        && float(text).is_none();
    if stands { text.to_owned() } else { Value::String(text.to_owned()).to_string() }
}
