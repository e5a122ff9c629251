use serde_json::{Value, json};

use super::call::{Call, Protocol, Service};
use super::error::ApiError;
use super::xml::{self, element, escape};

/// An answer, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    /// `x-amzn-requestid`.
    pub request_id: String,
    /// `x-amzn-query-error`, in errors of the JSON protocol alone.
    pub query_error: Option<String>,
    /// What was called, such as `sqs:SendMessage`; `None` for a request that names no known operation.
    pub operation: Option<String>,
    pub body: Vec<u8>,
}

const JSON: &str = "application/x-amz-json-1.0";
const XML: &str = "text/xml";

impl Service {
    /// The service's name in policies.
    fn prefix(self) -> &'static str {
        match self {
            Self::Queues => "sqs",
            Self::Topics => "sns",
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Queues => "http://queue.amazonaws.com/doc/2012-11-05/",
            Self::Topics => "http://sns.amazonaws.com/doc/2010-03-31/",
        }
    }
}

impl Reply {
    pub(crate) fn result(call: &Call, value: &Value, request_id: String) -> Self {
        let (content_type, body) = match call.protocol {
            Protocol::Json => (JSON, value.to_string()),
            Protocol::Query => (XML, result_in_xml(call, value, &request_id)),
        };
        Self { status: 200, content_type, request_id, query_error: None, operation: None, body: body.into_bytes() }
    }

    pub(crate) fn refusal(error: &ApiError, service: Service, protocol: Protocol, request_id: String) -> Self {
        let query_error = format!("{};{}", error.query_code, error.fault.name());
        let (content_type, body, query_error) = match protocol {
            Protocol::Json => {
                let code = format!("com.amazonaws.sqs#{}", error.code);
                (JSON, json!({ "__type": code, "message": error.message }).to_string(), Some(query_error))
            }
            Protocol::Query => (XML, error_in_xml(error, service, &request_id), None),
        };
        Self { status: error.status, content_type, request_id, query_error, operation: None, body: body.into_bytes() }
    }
}

impl Call {
    pub(crate) fn permission(&self) -> String {
        format!("{}:{}", self.service.prefix(), self.operation.name)
    }
}

fn result_in_xml(call: &Call, value: &Value, request_id: &str) -> String {
    let name = call.operation.name;
    let mut out = format!("<?xml version=\"1.0\"?><{name}Response xmlns=\"{}\">", call.service.namespace());
    if !call.operation.output.is_empty() {
        element(&mut out, &format!("{name}Result"), |out| xml::members(out, call.operation.output, value));
    }
    element(&mut out, "ResponseMetadata", |out| element(out, "RequestId", |out| out.push_str(request_id)));
    out.push_str("</");
    out.push_str(name);
    out.push_str("Response>");
    out
}

fn error_in_xml(error: &ApiError, service: Service, request_id: &str) -> String {
    let mut out = format!("<?xml version=\"1.0\"?><ErrorResponse xmlns=\"{}\">", service.namespace());
    element(&mut out, "Error", |out| {
        element(out, "Type", |out| out.push_str(error.fault.name()));
        element(out, "Code", |out| out.push_str(error.query_code));
        element(out, "Message", |out| escape(out, &error.message));
        if service == Service::Queues {
            element(out, "Detail", |_| {});
        }
    });
    element(&mut out, "RequestId", |out| out.push_str(request_id));
    out.push_str("</ErrorResponse>");
    out
}
