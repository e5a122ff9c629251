//! The errors of SNS, in its words.

use crate::front::error::ApiError;

pub(super) fn invalid(reason: impl AsRef<str>) -> ApiError {
    ApiError::sender("InvalidParameter", format!("Invalid parameter: {}", reason.as_ref()))
}

/// For a value that SNS knows and this emulator does not serve.
pub(super) fn unsupported(parameter: &str, value: &str, instead: &str) -> ApiError {
    invalid(format!("{parameter} Reason: this emulator does not support {value}; {instead}"))
}

pub(super) fn invalid_attribute(reason: impl Into<String>) -> ApiError {
    ApiError::sender("ParameterValueInvalid", reason)
}

pub(super) fn not_found(what: &str) -> ApiError {
    ApiError::sender("NotFound", format!("{what} does not exist")).with_status(404)
}

pub(super) fn no_resource() -> ApiError {
    ApiError::sender("ResourceNotFound", "Resource does not exist").with_status(404)
}

/// An error of the reading of a request, with the code that SNS has for it.
pub(crate) fn in_words(error: ApiError) -> ApiError {
    match error.code {
        "InvalidParameterValue" | "MissingParameter" | "SerializationException" => invalid(error.message),
        _ => error,
    }
}
