use devenv_shapes::shape::{Member, Operation};
use serde_json::{Map, Value};

use super::error::ApiError;
use super::json;
use super::query::Form;
use super::request::Head;
use crate::topics;

pub(crate) const QUEUES_TARGET: &str = "AmazonSQS.";
const QUEUES_VERSION: &str = "2012-11-05";
const TOPICS_VERSION: &str = "2010-03-31";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Queues,
    Topics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// AWS JSON 1.0.
    Json,
    /// Forms and XML.
    Query,
}

/// A request, free of its protocol. The parameters match the operation's input shape.
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) protocol: Protocol,
    pub(crate) operation: &'static Operation,
    pub(crate) parameters: Map<String, Value>,
    /// `http://HOST:PORT` as the caller reaches this emulator.
    pub(crate) base: String,
    pub(crate) region: String,
}

/// A refusal, and the protocol to render it in.
pub(crate) struct Refused {
    pub(crate) error: ApiError,
    pub(crate) service: Service,
    pub(crate) protocol: Protocol,
}

impl Call {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).and_then(Value::as_str)
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.parameters.get(name).and_then(Value::as_i64)
    }

    /// The texts of a list, none if it is absent.
    pub(crate) fn texts<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let list = self.parameters.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_str)
    }
}

/// Reads a request: its operation, and its parameters by the shape of the operation's input.
pub(crate) fn read(head: &Head, body: &[u8]) -> Result<Call, Refused> {
    match head.target.as_deref().and_then(|target| target.strip_prefix(QUEUES_TARGET)) {
        Some(name) => {
            let refused = |error| Refused { error, service: Service::Queues, protocol: Protocol::Json };
            let operation = find(Service::Queues, name).map_err(refused)?;
            let parameters = json::parse(body, operation.input).map_err(refused)?;
            Ok(call(head, Service::Queues, Protocol::Json, operation, parameters))
        }
        None => read_form(head, body),
    }
}

fn read_form(head: &Head, body: &[u8]) -> Result<Call, Refused> {
    let mut service = Service::Queues;
    let refused = |service, error| Refused { error, service, protocol: Protocol::Query };
    let mut form = Form::parse(&head.query, body).map_err(|error| refused(service, error))?;
    service = service_of(head, &form);
    let missing = || ApiError::sender("MissingAction", "The request must contain the parameter Action.");
    let name = form.get("Action").ok_or_else(missing).map_err(|error| refused(service, error))?.to_owned();
    let operation = find(service, &name).map_err(|error| refused(service, error))?;
    // A queue's URL may take the place of the parameter.
    let has_url = |members: &[Member]| members.iter().any(|member| member.name == "QueueUrl");
    if service == Service::Queues && has_url(operation.input) && head.path.len() > 1 {
        form.default_to("QueueUrl", format!("{}{}", head.base(), head.path));
    }
    let in_words = |error| if service == Service::Topics { topics::errors::in_words(error) } else { error };
    let parameters = form.read(operation.input).map_err(|error| refused(service, in_words(error)))?;
    Ok(call(head, service, Protocol::Query, operation, parameters))
}

fn call(
    head: &Head,
    service: Service,
    protocol: Protocol,
    operation: &'static Operation,
    parameters: Map<String, Value>,
) -> Call {
    Call { service, protocol, operation, parameters, base: head.base(), region: head.region() }
}

/// The version of the API names the service; without it, the signature does.
fn service_of(head: &Head, form: &Form) -> Service {
    match (form.get("Version"), head.signed_service().as_deref()) {
        (Some(TOPICS_VERSION), _) => Service::Topics,
        (Some(QUEUES_VERSION), _) => Service::Queues,
        (_, Some("sns")) => Service::Topics,
        (_, Some(_)) => Service::Queues,
        (_, None) => match form.get("Action") {
            Some(action) if devenv_shapes::topics::OPERATIONS.iter().any(|known| known.name == action) => {
                Service::Topics
            }
            _ => Service::Queues,
        },
    }
}

fn find(service: Service, name: &str) -> Result<&'static Operation, ApiError> {
    let operations = match service {
        Service::Queues => devenv_shapes::queues::OPERATIONS,
        Service::Topics => devenv_shapes::topics::OPERATIONS,
    };
    let found = operations.iter().find(|operation| operation.name == name);
    found.ok_or_else(|| ApiError::unknown_operation(name))
}
