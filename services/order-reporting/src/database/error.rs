use std::time::Duration;

use order_service::{Failure, causes::with_causes};
use tokio_postgres::error::SqlState;

/// The reason for which the database did not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The data is at fault: a repetition changes nothing.
    #[error("{0}")]
    Refused(String),
    /// Another attempt may succeed. A transaction may have been committed before its answer was lost.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    #[error("the database did not answer within {0:?}")]
    Timeout(Duration),
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = describe(&error);
        if error.code().is_some_and(is_of_the_data) { Self::Refused(text) } else { Self::Unavailable(text) }
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            // A connection has no data yet that could be at fault.
            deadpool_postgres::PoolError::Backend(error) => Self::Unavailable(describe(&error)),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "the database is not available");
                Self::unavailable("database_unavailable", "The database is not available")
            }
            StoreError::Timeout(_) => {
                tracing::warn!(%error, "the database does not answer");
                Self::timeout("database_timeout", "The database did not answer in time")
            }
            StoreError::Refused(_) => {
                tracing::error!(%error, "the database refused a request");
                Self::internal()
            }
        }
    }
}

/// Whether an error is in the class of data exceptions or of violated constraints.
fn is_of_the_data(code: &SqlState) -> bool {
    code.code().starts_with("22") || code.code().starts_with("23")
}

/// Returns an error with its causes, and the name of PostgreSQL for it.
fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(database) = error.as_db_error() {
        let hint = match *database.code() {
            SqlState::UNDEFINED_TABLE => "; run order-reporting migrate",
            _ => "",
        };
        return format!("{} ({}){hint}", database.message(), database.code().code());
    }
    with_causes(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_told_from_an_outage() {
        for code in [SqlState::NUMERIC_VALUE_OUT_OF_RANGE, SqlState::CHECK_VIOLATION, SqlState::NOT_NULL_VIOLATION] {
            assert!(is_of_the_data(&code), "{code:?}");
        }
        for code in [
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::QUERY_CANCELED,
            SqlState::UNDEFINED_TABLE,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::DISK_FULL,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::INVALID_PASSWORD,
        ] {
            assert!(!is_of_the_data(&code), "{code:?}");
        }
    }
}
