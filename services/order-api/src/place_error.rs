use order_domain::{OrderId, Refusal};
use order_service::{Failure, code, dynamodb::StoreError};

use crate::answer::ProcessorError;

/// The reason an order was not confirmed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error("refused: {}", .0.detail())]
    Refused(Refusal),
    #[error("the idempotency key was used for another order")]
    KeyOfAnotherOrder,
    /// Nothing was written.
    #[error("the order was not written: {0}")]
    NotWritten(StoreError),
    /// The order is or may be pending: the reconciler continues with it.
    #[error("the order is not settled yet: {cause}")]
    Unsettled { order_id: OrderId, cause: SettleError },
}

/// The reason a pending order could not be settled for now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettleError {
    #[error(transparent)]
    Processor(#[from] ProcessorError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ProcessorError> for Failure {
    fn from(error: ProcessorError) -> Self {
        let unavailable =
            |code| Self::unavailable(code, "The order processor is not available; the order may still be confirmed");
        match error {
            ProcessorError::Timeout => Self::timeout(
                "processor_timeout",
                "The order processor did not answer in time; the order may still be confirmed",
            ),
            ProcessorError::Unavailable(_) => unavailable("processor_unavailable"),
            ProcessorError::Busy(_) => unavailable(code::PRODUCT_BUSY),
            ProcessorError::Unexpected(_) => Self::internal(),
        }
    }
}

impl From<PlaceError> for Failure {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Refused(refusal) => Self::refusal(refusal),
            PlaceError::KeyOfAnotherOrder => {
                let detail = "Idempotency-Key was used before with another body";
                Self::new(axum::http::StatusCode::CONFLICT, "idempotency_key_reused", detail)
            }
            PlaceError::NotWritten(error) => error.into(),
            PlaceError::Unsettled { order_id, cause } => match cause {
                SettleError::Store(error) => Self::from(error),
                SettleError::Processor(error) => error.into(),
            }
            .about_order(order_id),
        }
    }
}
