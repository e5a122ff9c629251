use aws_sdk_dynamodb::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeSerializationInterceptorContextMut},
    error::BoxError,
    operation::transact_write_items::TransactWriteItemsInput,
};

/// Sends a transaction without the SDK's usual client token.
///
/// With the token, DynamoDB remembers the transaction for ten minutes and executes a repetition only once. The conditions of a
/// transaction here make a repetition harmless forever. The embedded emulator searches all remembered
/// tokens at every transaction, which halves the rate of orders within a minute of load.
#[derive(Debug)]
pub struct WithoutToken;

impl Intercept for WithoutToken {
    fn name(&self) -> &'static str {
        "WithoutToken"
    }

    /// The SDK's own interceptor adds the token before the interceptors of a single call run. A test checks that order.
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
