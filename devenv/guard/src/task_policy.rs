//! Which calls of AWS a task may make: reads and writes of items, messages of queues, events for topics, its own metadata. It makes,
//! changes and lists nothing.

use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use hyper::{Method, Uri};

use crate::header::one;
use crate::refusal::Refusal;

const TABLES: &str = "DynamoDB_20120810.";
pub(crate) const OF_TABLES: [&str; 11] = [
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "DescribeTable",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];
const QUEUES: &str = "AmazonSQS.";
pub(crate) const OF_QUEUES: [&str; 9] = [
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "DeleteMessage",
    "DeleteMessageBatch",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ReceiveMessage",
    "SendMessage",
    "SendMessageBatch",
];
const OF_TOPICS: [&str; 2] = ["Publish", "PublishBatch"];
const FORM: &str = "application/x-www-form-urlencoded";
const TARGET: &str = "x-amz-target";
/// The emulator would read another body than this one.
const OTHER_BODY: &str = "x-amz-decoded-content-length";
/// Digits of an account.
const ACCOUNT: usize = 12;

/// A service whose calls are forms: the body names the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormService {
    Queues,
    Topics,
}

/// Whether the request's head alone shows a call that a task may make.
pub(crate) fn is_open(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    is_metadata(method, uri.path()) || is_of_tables(method, uri, headers) || is_of_queues(method, uri, headers)
}

fn is_of_tables(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    is_call(method, uri) && uri.path() == "/" && names(headers, TABLES, &OF_TABLES)
}

/// The queue is in the body. Some SDKs send to its URL all the same.
fn is_of_queues(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    is_call(method, uri) && is_root_or_queue(uri.path()) && names(headers, QUEUES, &OF_QUEUES)
}

/// Whether the request is a form, and of which service. The emulator chooses the service by the signature's scope; without one it
/// would search the body.
pub(crate) fn form_service(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<FormService> {
    let is_form = one(headers, CONTENT_TYPE.as_str()).is_some_and(|value| {
        let kind = value.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case(FORM)
    });
    let is_plain = !headers.contains_key(CONTENT_ENCODING) && !headers.contains_key(OTHER_BODY);
    if !(is_call(method, uri) && is_form && is_plain) || headers.contains_key(TARGET) {
        return None;
    }
    match (scope(one(headers, AUTHORIZATION.as_str())?)?, uri.path()) {
        ("sns", "/") => Some(FormService::Topics),
        ("sqs", path) if is_root_or_queue(path) => Some(FormService::Queues),
        _ => None,
    }
}

/// Decides on a form by its operation.
pub(crate) fn decide_form(service: FormService, body: &[u8]) -> Result<(), Refusal> {
    let known: &[&str] = match service {
        FormService::Queues => &OF_QUEUES,
        FormService::Topics => &OF_TOPICS,
    };
    let fields = url::form_urlencoded::parse(body);
    let actions: Vec<_> = fields.filter(|(name, _)| name.eq_ignore_ascii_case("Action")).collect();
    match &actions[..] {
        [(name, action)] if name == "Action" && known.contains(&&**action) => Ok(()),
        [(_, action)] => Err(Refusal::new(format!("a task may not call {action}"))),
        _ => Err(Refusal::new("a form must name one action")),
    }
}

fn is_call(method: &Method, uri: &Uri) -> bool {
    *method == Method::POST && uri.query().is_none()
}

fn names(headers: &HeaderMap, prefix: &str, known: &[&str]) -> bool {
    one(headers, TARGET).and_then(|target| target.strip_prefix(prefix)).is_some_and(|name| known.contains(&name))
}

/// `/`, or `/ACCOUNT/QUEUE`.
fn is_root_or_queue(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let is_queue = |(account, queue): (&str, &str)| {
        account.len() == ACCOUNT
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && queue.starts_with(|first: char| first.is_ascii_alphanumeric())
            && queue.bytes().all(is_plain)
    };
    path == "/" || path.strip_prefix('/').and_then(|path| path.split_once('/')).is_some_and(is_queue)
}

/// The service in the scope of a signature.
fn scope(authorization: &str) -> Option<&str> {
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let mut credentials = rest.split([' ', ',']).filter_map(|word| word.strip_prefix("Credential="));
    let (Some(credential), None) = (credentials.next(), credentials.next()) else { return None };
    match credential.split('/').collect::<Vec<_>>()[..] {
        [_, _, _, service, "aws4_request"] => Some(service),
        _ => None,
    }
}

/// A task's own metadata, whose path contains a secret.
fn is_metadata(method: &Method, path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/v4/") else { return false };
    let (secret, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let is_secret =
        secret.len() >= 20 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    method == Method::GET && is_secret && ["", "task", "stats", "task/stats"].contains(&rest)
}

#[cfg(test)]
#[path = "task_policy_tests.rs"]
mod tests;
