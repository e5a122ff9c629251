use aws_sdk_dynamodb::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeSerializationInterceptorContextMut},
    error::BoxError,
    operation::transact_write_items::TransactWriteItemsInput,
};

/// Sends a transaction without the token that the SDK adds to every one.
///
/// The token makes DynamoDB remember the transaction for ten minutes, so that a repeated one is not carried out twice.
/// The ledger's own condition does that for ever, and says more: a repetition finds its answer there. The embedded
/// emulator searches all it remembers at every transaction, which halves the rate of orders within a minute of load.
#[derive(Debug)]
pub(crate) struct WithoutToken;

impl Intercept for WithoutToken {
    fn name(&self) -> &'static str {
        "WithoutToken"
    }

    /// The SDK's own interceptor, which fills the token in, runs before those of a single call. A test watches that.
    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(input) = context.input_mut().downcast_mut::<TransactWriteItemsInput>() {
            input.client_request_token = None;
        }
        Ok(())
    }
}
