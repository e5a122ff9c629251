//! What an emulator may ask of the container engine: nothing but what a rehearsal needs, and that of its own containers.
//!
//! A request becomes an [`Order`], or it is refused; the engine is sent a request made from the order alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::create_policy;
use crate::image_policy::image;
use crate::query::{Kind, Query, is_on, written};
use crate::refusal::Refusal;
use crate::settings::{Network, Settings};

/// A request as the emulator made it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Order {
    /// Answered by the guard: which network the emulator is on.
    Itself,
    /// Passed on as it is written here.
    Engine(EngineRequest),
    /// About one container, which must be a task's; its id is not known yet.
    Container { name: String, ask: Ask },
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct EngineRequest {
    pub(crate) method: &'static str,
    /// With its query.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// The engine needs the registry's password for it.
    pub(crate) login: bool,
}

/// What may be asked about a task's container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    Inspect,
    Start,
    Stop { query: String },
    Wait { query: String },
    Logs { query: String },
    Remove { query: String },
}

impl Ask {
    /// The request for a container with this id, in this version of the API (`/v1.41`, or nothing).
    pub(crate) fn request(&self, api: &str, id: &str) -> EngineRequest {
        let (method, path) = match self {
            Self::Inspect => ("GET", format!("{id}/json")),
            Self::Start => ("POST", format!("{id}/start")),
            Self::Stop { query } => ("POST", format!("{id}/stop?{query}")),
            Self::Wait { query } => ("POST", format!("{id}/wait?{query}")),
            Self::Logs { query } => ("GET", format!("{id}/logs?{query}")),
            Self::Remove { query } => ("DELETE", format!("{id}?{query}")),
        };
        EngineRequest { method, path: format!("{api}/containers/{path}"), ..EngineRequest::default() }
    }

    /// Whether the engine makes, changes or removes something.
    pub(crate) fn changes(&self) -> bool {
        matches!(self, Self::Start | Self::Stop { .. } | Self::Remove { .. })
    }
}

/// The order in a request, and the version of the API that it names.
pub(crate) fn decide(settings: &Settings, network: &Network, asked: &Asked<'_>) -> Result<(String, Order), Refusal> {
    let path = plain(asked.path)?;
    let mut parts: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
    if parts.iter().any(|part| part.is_empty() || *part == "." || *part == "..") {
        return Err(Refusal::new(format!("{} is no path of the engine", asked.path)));
    }
    let api = if is_version(parts[0]) { format!("/{}", parts.remove(0)) } else { String::new() };
    let query = Query::read(asked.query)?;
    let get = |path: String| Order::Engine(EngineRequest { method: "GET", path, ..EngineRequest::default() });
    let order = match (asked.method, &parts[..]) {
        ("GET", ["_ping" | "version"]) => get(format!("{api}/{}", parts[0])),
        ("GET", ["containers", "json"]) => get(format!("{api}/containers/json?{}", list(settings, &query)?)),
        ("POST", ["containers", "create"]) => {
            let body = create_policy::body(settings, network, asked.body)?;
            let path = format!("{api}/containers/create?{}", create(settings, &query)?);
            Order::Engine(EngineRequest { method: "POST", path, body: Some(body), login: false })
        }
        ("GET", ["containers", name, "json"]) if *name == settings.container => Order::Itself,
        ("GET", ["containers", name, "json"]) => about(name, Ask::Inspect, &query, &["size"])?,
        ("POST", ["containers", name, "start"]) => about(name, Ask::Start, &query, &[])?,
        ("POST", ["containers", name, "stop"]) => {
            let query = query.only(&[("t", Kind::Number)])?;
            Order::Container { name: container(name)?, ask: Ask::Stop { query } }
        }
        ("POST", ["containers", name, "wait"]) => {
            let query = query.only(&[("condition", Kind::Word)])?;
            Order::Container { name: container(name)?, ask: Ask::Wait { query } }
        }
        ("GET", ["containers", name, "logs"]) => {
            let flags = ["follow", "stdout", "stderr", "timestamps"].map(|name| (name, Kind::Flag));
            let query =
                query.only(&[&flags[..], &["since", "until", "tail"].map(|name| (name, Kind::Word))].concat())?;
            Order::Container { name: container(name)?, ask: Ask::Logs { query } }
        }
        ("DELETE", ["containers", name]) => {
            let query = query.only(&[("v", Kind::Flag), ("force", Kind::Flag), ("link", Kind::Off)])?;
            Order::Container { name: container(name)?, ask: Ask::Remove { query } }
        }
        ("GET", ["images", name @ .., "json"]) if !name.is_empty() => {
            query.only(&[])?;
            get(format!("{api}/images/{}/json", image(settings, &name.join("/"))?))
        }
        ("POST", ["images", "create"]) => {
            let path = format!("{api}/images/create?{}", pull(settings, &query)?);
            Order::Engine(EngineRequest { method: "POST", path, body: None, login: true })
        }
        (method, _) => return Err(Refusal::new(format!("a rehearsal has no need of {method} {path}"))),
    };
    Ok((api, order))
}

/// What the guard's own container is said to be: on this network, at this address, and nothing else of it.
pub(crate) fn itself(settings: &Settings, network: &Network) -> Value {
    let address = json!({ "NetworkID": network.id, "IPAddress": network.address.to_string() });
    json!({
        "Id": settings.container,
        "Name": format!("/{}", settings.container),
        "State": { "Status": "running", "Running": true },
        "Config": { "Labels": {} },
        "NetworkSettings": { "Networks": { network.name.clone(): address } },
    })
}

/// The full id of a container that the engine has inspected, if it is a task's.
pub(crate) fn owned(settings: &Settings, inspected: &Value) -> Option<String> {
    let labels = inspected["Config"]["Labels"].as_object()?;
    let ours = settings.labels.iter().all(|(name, value)| labels.get(name).is_some_and(|label| *label == **value));
    let id = inspected["Id"].as_str().filter(|id| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    ours.then(|| id.to_owned())
}

/// A path in which nothing is written in a second way. Clients encode `@` and `:` of an image's name.
fn plain(path: &str) -> Result<String, Refusal> {
    let plain = path.replace("%40", "@").replace("%3A", ":").replace("%3a", ":");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:@".contains(&byte);
    if plain.starts_with('/') && plain.bytes().all(is_plain) {
        return Ok(plain);
    }
    Err(Refusal::new(format!("{path} is no path of the engine")))
}

fn is_version(part: &str) -> bool {
    let digits = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let version = part.strip_prefix('v').and_then(|version| version.split_once('.'));
    version.is_some_and(|(major, minor)| digits(major) && digits(minor))
}

fn about(name: &str, ask: Ask, query: &Query, flags: &[&'static str]) -> Result<Order, Refusal> {
    query.only(&flags.iter().map(|flag| (*flag, Kind::Off)).collect::<Vec<_>>())?;
    Ok(Order::Container { name: container(name)?, ask })
}

fn container(name: &str) -> Result<String, Refusal> {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if first && rest { Ok(name.to_owned()) } else { Err(Refusal::new(format!("{name} is no name of a container"))) }
}

/// Only tasks are listed, whatever else is asked for.
fn list(settings: &Settings, query: &Query) -> Result<String, Refusal> {
    let known = [("all", Kind::Flag), ("limit", Kind::Number), ("size", Kind::Off), ("trunc_cmd", Kind::Off)];
    query.only(&[&known[..], &[("filters", Kind::Text)]].concat())?;
    let mut labels: Vec<String> = settings.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let filters = query.get("filters");
    if !filters.is_empty() {
        let filters: BTreeMap<String, Value> =
            serde_json::from_str(filters).map_err(|_| Refusal::new("the filters are no JSON object"))?;
        for (name, wanted) in filters {
            let wanted = match (name.as_str(), &wanted) {
                ("label", Value::Array(wanted)) => wanted.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                ("label", Value::Object(wanted)) => wanted.keys().cloned().collect::<Vec<_>>(),
                _ => return Err(Refusal::new(format!("containers are listed by label, not by {name}"))),
            };
            labels.extend(wanted);
        }
    }
    let all = is_on(query.get("all"));
    Ok(written(&[("all", if all { "1" } else { "0" }), ("filters", &json!({ "label": labels }).to_string())]))
}

fn create(settings: &Settings, query: &Query) -> Result<String, Refusal> {
    query.only(&[("name", Kind::Text), ("platform", Kind::Text)])?;
    let mut pairs = Vec::new();
    // Nobody else's name can be taken.
    let name = match query.get("name") {
        "" => None,
        name => Some(format!("{}-{}", settings.prefix, container(name)?)),
    };
    pairs.extend(name.as_deref().map(|name| ("name", name)));
    pairs.extend(platform(query)?.map(|platform| ("platform", platform)));
    Ok(written(&pairs))
}

fn pull(settings: &Settings, query: &Query) -> Result<String, Refusal> {
    query.only(&[("fromImage", Kind::Text), ("tag", Kind::Text), ("platform", Kind::Text)])?;
    let repository = query.get("fromImage");
    let tag = query.get("tag");
    let between = if tag.is_empty() { "" } else { ":" };
    // A digest goes in the tag's place; the two together must be one image of the registry.
    let whole = if tag.contains(':') { format!("{repository}@{tag}") } else { format!("{repository}{between}{tag}") };
    image(settings, repository)?;
    image(settings, &whole)?;
    let mut pairs = vec![("fromImage", repository)];
    if !tag.is_empty() {
        pairs.push(("tag", tag));
    }
    pairs.extend(platform(query)?.map(|platform| ("platform", platform)));
    Ok(written(&pairs))
}

fn platform(query: &Query) -> Result<Option<&str>, Refusal> {
    match query.get("platform") {
        "" => Ok(None),
        platform if platform.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/') => Ok(Some(platform)),
        platform => Err(Refusal::new(format!("{platform} is no platform"))),
    }
}

#[cfg(test)]
#[path = "engine_policy_tests.rs"]
mod tests;
