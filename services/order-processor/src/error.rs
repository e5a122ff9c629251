use order_domain::Refusal;
use order_service::dynamodb::StoreError;

/// The reason there is no confirmation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    #[error("refused: {}", .0.detail())]
    Refused(Refusal),
    #[error("the order id was used for another order")]
    OtherOrder,
    #[error("the product is too busy")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}
