//! The DynamoDB client, and the meaning of its errors for a service.

use std::{fmt, sync::Arc};

use aws_config::{SdkConfig, retry::RetryConfig};
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::AttributeValue,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::{Failure, HealthFailure, causes::innermost};

/// Makes a service's only client.
pub fn client(config: &SdkConfig) -> Client {
    Client::new(config)
}

/// Returns the same client with one attempt per call, over the same connections, for a caller that must know each
/// attempt's outcome.
pub fn without_retries(client: &Client) -> Client {
    Client::from_conf(client.config().to_builder().retry_config(RetryConfig::disabled()).build())
}

/// The reason an operation on a table failed, as far as a service reacts to it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation} on table {table}: {cause}")]
pub struct StoreError {
    pub operation: &'static str,
    pub table: Arc<str>,
    pub cause: Cause,
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum Cause {
    /// No connection, or a broken one: a write may have happened.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// No answer in time: a write may have happened.
    #[error("no answer in time")]
    Timeout,
    /// The database refused for now; it wrote nothing.
    #[error("refused for now: {0}")]
    Busy(String),
    /// The request or the data is at fault.
    #[error("{0}")]
    Broken(String),
    /// One item has a form that this program does not write. Other items may be readable.
    #[error("{0}")]
    Unreadable(String),
}

impl StoreError {
    /// Reads the SDK's error.
    pub fn of<E>(operation: &'static str, table: &Arc<str>, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let cause = match error {
            SdkError::TimeoutError(_) => Cause::Timeout,
            SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => Cause::Unreachable(innermost(error)),
            SdkError::ServiceError(service) => {
                let metadata = service.err().meta();
                let code = metadata.code().unwrap_or("unknown error");
                let text = format!("{code}: {}", metadata.message().unwrap_or("no message"));
                if is_temporary(code) {
                    Cause::Busy(text)
                // Only a 4xx proves a refusal: a gateway's 502 may follow a write.
                } else if is_of_the_server(code) || !service.raw().status().is_client_error() {
                    Cause::Unreachable(text)
                } else {
                    Cause::Broken(text)
                }
            }
            _ => Cause::Broken(innermost(error)),
        };
        Self { operation, table: table.clone(), cause }
    }

    pub fn broken(operation: &'static str, table: &Arc<str>, reason: impl fmt::Display) -> Self {
        Self { operation, table: table.clone(), cause: Cause::Broken(reason.to_string()) }
    }

    pub fn unreadable(operation: &'static str, table: &Arc<str>, reason: impl fmt::Display) -> Self {
        Self { operation, table: table.clone(), cause: Cause::Unreadable(reason.to_string()) }
    }

    pub fn timeout(operation: &'static str, table: &Arc<str>) -> Self {
        Self { operation, table: table.clone(), cause: Cause::Timeout }
    }

    pub fn busy(operation: &'static str, table: &Arc<str>, reason: impl fmt::Display) -> Self {
        Self { operation, table: table.clone(), cause: Cause::Busy(reason.to_string()) }
    }

    /// Whether another attempt may succeed.
    pub fn may_pass(&self) -> bool {
        self.is_silence() || matches!(self.cause, Cause::Busy(_))
    }

    /// Whether the database's own answer is missing: a write may still have happened.
    pub fn is_silence(&self) -> bool {
        matches!(self.cause, Cause::Unreachable(_) | Cause::Timeout)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error.cause {
            Cause::Unreachable(_) | Cause::Busy(_) => {
                tracing::warn!(%error, "the database is not available");
                Self::unavailable("database_unavailable", "The database is not available")
            }
            Cause::Timeout => {
                tracing::warn!(%error, "the database does not answer");
                Self::timeout("database_timeout", "The database did not answer in time")
            }
            Cause::Broken(_) | Cause::Unreadable(_) => {
                tracing::error!(%error, "the database refused a request");
                Self::internal()
            }
        }
    }
}

/// Whether a code of DynamoDB asks for a later retry. A table that is absent or not active yet will appear: releases create
/// tables before services, and a local reset recreates them.
pub fn is_temporary(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingException"
            | "Throttling"
            | "ThrottlingError"
            | "TransactionConflictException"
            | "TransactionInProgressException"
            | "LimitExceededException"
            | "ResourceNotFoundException"
            | "ResourceInUseException"
    )
}

/// Whether a code belongs to a 5xx answer, after which a write may have happened.
fn is_of_the_server(code: &str) -> bool {
    matches!(code, "InternalServerError" | "InternalFailure" | "ServiceUnavailable" | "ServiceUnavailableException")
}

/// Reads one item, which may be absent, to check that a table answers.
pub async fn table_answers(client: &Client, table: &Arc<str>, key: &'static str) -> Result<(), HealthFailure> {
    let read = client
        .get_item()
        .table_name(&**table)
        .key(key, AttributeValue::S("health".to_owned()))
        .customize()
        .config_override(aws_sdk_dynamodb::config::Builder::default().retry_config(RetryConfig::disabled()))
        .send()
        .await;
    read.map(drop).map_err(|error| HealthFailure {
        dependency: format!("table {table}"),
        reason: StoreError::of("GetItem", table, &error).cause.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_written_is_told_from_what_was_not() {
        assert!(is_temporary("ThrottlingException") && !is_of_the_server("ThrottlingException"));
        assert!(is_of_the_server("InternalServerError") && !is_temporary("InternalServerError"));
        assert!(!is_temporary("ValidationException") && !is_of_the_server("ValidationException"));
    }
}
