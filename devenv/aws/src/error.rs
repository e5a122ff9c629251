//! Maps AWS's many errors to the few kinds that a promotion distinguishes.

use std::error::Error as StdError;

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use devenv_promotion::{CloudError, CloudErrorKind};

const CONFLICT: u16 = 409;
const PRECONDITION_FAILED: u16 = 412;
const NOT_FOUND: u16 = 404;
const TOO_MANY: u16 = 429;
const UNAVAILABLE: u16 = 503;
const SERVER_FAULT: u16 = 500;

/// Turns a failed request into an error that names the attempted action.
pub(crate) fn failed<E>(action: impl Into<String>) -> impl FnOnce(SdkError<E, HttpResponse>) -> CloudError
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let action = action.into();
    move |error| {
        let kind = kind(&error);
        let cause = match error.as_service_error() {
            Some(service) => {
                let code = service.code().unwrap_or("no code");
                service.message().map_or_else(|| code.to_owned(), |message| format!("{code}: {message}"))
            }
            None => DisplayErrorContext(&error).to_string(),
        };
        CloudError { action, cause, kind }
    }
}

/// An error and all that led to it, in one line.
pub(crate) fn causes(error: &dyn StdError) -> String {
    let mut told = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        told.push(error.to_string());
        cause = error.source();
    }
    told.join(": ")
}

/// `None` if the requested object does not exist.
pub(crate) fn unless_absent<T>(outcome: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == CloudErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn kind<E: ProvideErrorMetadata + StdError + 'static>(error: &SdkError<E, HttpResponse>) -> CloudErrorKind {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let Some(service) = error.as_service_error() else {
        // A proxy's page, or a truncated answer. Checked first: an "unexpected token" is not about a login.
        if matches!(error, SdkError::ResponseError(_)) {
            return CloudErrorKind::Unavailable;
        }
        let said = DisplayErrorContext(error).to_string();
        return if said.contains("credential") || said.contains("token") {
            CloudErrorKind::Login
        } else if matches!(error, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_)) {
            CloudErrorKind::Unreachable
        } else {
            CloudErrorKind::Other
        };
    };
    of_code(service.code().unwrap_or_default(), status)
}

fn of_code(code: &str, status: Option<u16>) -> CloudErrorKind {
    match code {
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "AuthFailure"
        | "TokenRefreshRequired"
        | "InvalidToken" => CloudErrorKind::Login,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => CloudErrorKind::Denied,
        "SlowDown"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "TooManyRequestsException"
        | "ServiceUnavailable" => CloudErrorKind::Throttled,
        "RequestTimeout" | "RequestTimeoutException" => CloudErrorKind::Unreachable,
        code if code.starts_with("Throttl") || code.starts_with("RequestThrottled") => CloudErrorKind::Throttled,
        "PreconditionFailed" | "ConditionalRequestConflict" => CloudErrorKind::Conflict,
        code if code.starts_with("NoSuch") || code.contains("NotFound") => CloudErrorKind::NotFound,
        _ => match status {
            Some(PRECONDITION_FAILED | CONFLICT) => CloudErrorKind::Conflict,
            Some(NOT_FOUND) => CloudErrorKind::NotFound,
            Some(TOO_MANY | UNAVAILABLE) => CloudErrorKind::Throttled,
            Some(SERVER_FAULT..) => CloudErrorKind::Unavailable,
            _ => CloudErrorKind::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client of a JSON service parses a proxy's page as JSON and reports an "unexpected token".
    #[test]
    fn an_answer_that_cannot_be_read_is_no_expired_login() {
        use aws_sdk_s3::operation::get_object::GetObjectError;
        use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

        let page = HttpResponse::new(502.try_into().expect("a status"), "<html>".into());
        let error: SdkError<GetObjectError, HttpResponse> =
            SdkError::response_error("malformed JSON error body: unexpected token '<'", page);
        assert_eq!(kind(&error), CloudErrorKind::Unavailable);
    }

    #[test]
    fn codes() {
        for (code, status, kind) in [
            ("ExpiredToken", 403, CloudErrorKind::Login),
            ("AccessDenied", 403, CloudErrorKind::Denied),
            ("PreconditionFailed", 412, CloudErrorKind::Conflict),
            ("", 412, CloudErrorKind::Conflict),
            ("NoSuchKey", 404, CloudErrorKind::NotFound),
            ("RepositoryNotFoundException", 400, CloudErrorKind::NotFound),
            ("SlowDown", 503, CloudErrorKind::Throttled),
            ("ThrottlingException", 400, CloudErrorKind::Throttled),
            ("", 503, CloudErrorKind::Throttled),
            ("InternalError", 500, CloudErrorKind::Unavailable),
            ("ServerException", 500, CloudErrorKind::Unavailable),
            ("RequestThrottledException", 400, CloudErrorKind::Throttled),
            ("InvalidParameterException", 400, CloudErrorKind::Other),
        ] {
            assert_eq!(of_code(code, Some(status)), kind, "{code} {status}");
        }
    }
}
