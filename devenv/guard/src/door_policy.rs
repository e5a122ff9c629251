//! Decides which requests reach the emulated AWS.
//!
//! From outside, a request needs the rehearsal's access key or the registry's password. A task reaches tables, queues and topics, and
//! no other part of AWS (`task_policy`). A load balancer is open to both, as in AWS. A web page reaches nothing: its browser sends the page's own host,
//! or an origin.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue, ORIGIN, UPGRADE};
use hyper::{Method, Uri};

use crate::header::one;
use crate::refusal::Refusal;
use crate::registry_policy;
use crate::settings::{Settings, is_same};
use crate::task_policy::{FormService, form_service, is_open};

/// The port of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The port published on this machine's loopback.
    Outside,
    /// The port for tasks.
    Task,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) side: Side,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

/// The keys and load balancers that the rehearsal's own login has admitted since the guard started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Admitted {
    /// Access keys besides the rehearsal's own.
    pub(crate) keys: BTreeSet<String>,
    /// Names of load balancers.
    pub(crate) balancers: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Passage {
    Emulator,
    /// To the emulator, if its body names an operation that a task may use.
    Form(FormService),
    /// To the emulator, without the password: only the guard needs it.
    Registry,
    /// To the emulator; the guard puts the registry's password into its answer.
    Password,
    AdmitKey(String),
    AdmitBalancer(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Closed {
    Refused(Refusal),
    /// A registry client sends its password only after this request for it.
    AskPassword,
}

const LOGIN_TO_REGISTRY: &str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
const HEALTH: &str = "/_localstack/health";
const BALANCERS: &str = "/_alb/";
const GUARD: &str = "/_guard/";
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Decides on a request.
pub(crate) fn decide(settings: &Settings, admitted: &Admitted, caller: &Caller<'_>) -> Result<Passage, Closed> {
    let Caller { side, method, uri, headers } = *caller;
    is_meant_for_us(settings, side, uri, headers)?;
    let path = uri.path();
    if let Some(rest) = path.strip_prefix(BALANCERS) {
        if is_signed(uri, headers) {
            return closed("a request to a load balancer must not carry an access key");
        }
        let name = rest.split('/').next().unwrap_or_default();
        // The emulator treats a path to an unknown load balancer as any other request.
        let known = admitted.balancers.contains(name);
        return if known { Ok(Passage::Emulator) } else { closed(format!("there is no load balancer {name}")) };
    }
    match side {
        Side::Task if is_open(method, uri, headers) => Ok(Passage::Emulator),
        Side::Task => match form_service(method, uri, headers) {
            Some(service) => Ok(Passage::Form(service)),
            None => {
                closed(format!("a task may reach its tables, queues, topics and load balancers, not {method} {path}"))
            }
        },
        Side::Outside if [Method::GET, Method::HEAD].contains(method) && path == HEALTH => Ok(Passage::Emulator),
        Side::Outside => from_outside(settings, admitted, caller),
    }
}

/// The emulator looks for a load balancer in the account and region of the request's credential. If none has that name, it
/// treats the request as an API call there.
fn is_signed(uri: &Uri, headers: &HeaderMap) -> bool {
    let of_aws = |value: &HeaderValue| value.as_bytes().starts_with(b"AWS");
    let names = ["x-amz-credential", "x-amz-algorithm", "awsaccesskeyid"];
    headers.get_all(AUTHORIZATION).iter().any(of_aws)
        || url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .any(|(name, _)| names.contains(&name.to_ascii_lowercase().as_str()))
}

/// A page that resolves its own host name to this address sends that host; every other page sends its origin.
fn is_meant_for_us(settings: &Settings, side: Side, uri: &Uri, headers: &HeaderMap) -> Result<(), Closed> {
    if uri.authority().is_some() || headers.contains_key(UPGRADE) {
        return closed("only plain requests are allowed");
    }
    let host = one(headers, HOST.as_str()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let ours = match side {
        Side::Outside => ["127.0.0.1", "localhost", "[::1]"].contains(&name),
        Side::Task => name == settings.host || name.parse::<std::net::Ipv4Addr>().is_ok(),
    };
    if !ours {
        return closed(format!("unknown host {host:?}"));
    }
    if headers.contains_key(ORIGIN) && one(headers, ORIGIN.as_str()) != Some(&format!("http://{host}")) {
        return closed("a web page may not ask this");
    }
    // A browser requests a page's images and links without an origin.
    let from = one(headers, SEC_FETCH_SITE);
    if headers.contains_key(SEC_FETCH_SITE) && !matches!(from, Some("same-origin" | "none")) {
        return closed("a web page may not ask this");
    }
    Ok(())
}

fn from_outside(settings: &Settings, admitted: &Admitted, caller: &Caller<'_>) -> Result<Passage, Closed> {
    let Caller { method, uri, headers, .. } = *caller;
    let path = uri.path();
    let authorization = one(headers, AUTHORIZATION.as_str()).unwrap_or_default();
    if let Some(asked) = path.strip_prefix(GUARD) {
        let has_key = authorization.strip_prefix("Bearer ").is_some_and(|key| is_same(key, &settings.key));
        return match (method, asked.split_once('/')) {
            _ if !has_key => closed("only the rehearsal's own login may do this"),
            (&Method::PUT, Some(("keys", name))) if is_name(name) => Ok(Passage::AdmitKey(name.to_owned())),
            (&Method::PUT, Some(("balancers", name))) if is_name(name) => Ok(Passage::AdmitBalancer(name.to_owned())),
            _ => closed(format!("the guard knows no {method} {path}")),
        };
    }
    if let Some(key) = access_key(authorization) {
        let known = is_same(key, &settings.key) || admitted.keys.iter().any(|known| is_same(key, known));
        return match one(headers, "x-amz-target") {
            _ if !known => closed("the access key does not belong to this rehearsal"),
            Some(LOGIN_TO_REGISTRY) => Ok(Passage::Password),
            _ => Ok(Passage::Emulator),
        };
    }
    if path == "/v2" || path.starts_with("/v2/") {
        let given = password(authorization);
        return if !given.is_some_and(|password| is_same(&password, &settings.key)) {
            Err(Closed::AskPassword)
        } else if registry_policy::is_known(method, uri) {
            Ok(Passage::Registry)
        } else {
            closed(format!("a rehearsal has no need of {method} {path}"))
        };
    }
    closed("the request carries no access key of this rehearsal")
}

fn closed<T>(why: impl Into<String>) -> Result<T, Closed> {
    Err(Closed::Refused(Refusal::new(why)))
}

/// The access key of a signature. Like a bearer token it suffices by itself: it is random, and travels over loopback only.
fn access_key(authorization: &str) -> Option<&str> {
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let scope = rest.split([' ', ',']).find_map(|word| word.strip_prefix("Credential="))?;
    scope.split('/').next().filter(|key| !key.is_empty())
}

fn password(authorization: &str) -> Option<String> {
    let decoded = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
    let login = String::from_utf8(decoded).ok()?;
    login.split_once(':').map(|(_, password)| password.to_owned())
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=128).contains(&name.len()) && name.bytes().all(is_plain)
}

#[cfg(test)]
#[path = "door_policy_tests.rs"]
mod tests;
