use std::fmt::Display;

/// An error as both protocols can render it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    /// The name of the error's shape, the `__type` of the JSON protocol.
    pub(crate) code: &'static str,
    /// The code of the Query protocol, which `x-amzn-query-error` repeats in the JSON protocol.
    pub(crate) query_code: &'static str,
    pub(crate) message: String,
    pub(crate) status: u16,
    pub(crate) fault: Fault,
}

/// The side whose mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Sender,
    Receiver,
}

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sender => "Sender",
            Self::Receiver => "Receiver",
        }
    }
}

impl ApiError {
    /// A mistake of the caller whose code is the same in both protocols.
    pub(crate) fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self::queried(code, code, message)
    }

    /// A mistake of the caller whose code differs between the protocols.
    pub(crate) fn queried(code: &'static str, query_code: &'static str, message: impl Into<String>) -> Self {
        Self { code, query_code, message: message.into(), status: 400, fault: Fault::Sender }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::sender("InvalidParameterValue", message)
    }

    /// In the words of SQS for a value out of range.
    pub(crate) fn invalid_value(parameter: &str, value: impl Display, reason: &str) -> Self {
        Self::invalid_parameter(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
    }

    pub(crate) fn missing_parameter(name: &str) -> Self {
        Self::sender("MissingParameter", format!("The request must contain the parameter {name}."))
    }

    /// A request whose bytes are not what its protocol prescribes.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::queried("SerializationException", "MalformedInput", message)
    }

    pub(crate) fn unknown_operation(operation: &str) -> Self {
        Self::queried(
            "UnknownOperationException",
            "InvalidAction",
            format!("The operation {operation} is not known, or not supported by this emulator."),
        )
    }

    pub(crate) fn internal(cause: impl Display) -> Self {
        Self {
            code: "InternalFailure",
            query_code: "InternalFailure",
            message: format!("The messages could not be read or written: {cause}"),
            status: 500,
            fault: Fault::Receiver,
        }
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(error)
    }
}
