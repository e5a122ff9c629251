use std::time::Duration;

use order_domain::{IdempotencyKey, Moment, Order, OrderId, OrderRequest, RequestHash};
use tokio::time::Instant;

use crate::{
    answer::ProcessorError,
    insert::InsertError,
    metrics::ApiMetrics,
    outbox::Outbox,
    place_error::{PlaceError, SettleError},
    processor::ProcessorClient,
    record::{Decision, Record},
    store::Store,
};

/// The limit for a request to place an order, from its head on. It is shorter than the limit of every request, so that the
/// client learns which order to ask for.
pub(crate) const SETTLED_WITHIN: Duration = Duration::from_secs(9);

/// Places orders, and settles pending ones.
#[derive(Clone)]
pub(crate) struct Orders {
    pub(crate) store: Store,
    pub(crate) processor: ProcessorClient,
    pub(crate) metrics: ApiMetrics,
    /// Publishes the events of settled orders, if there is a topic for them.
    pub(crate) outbox: Option<Outbox>,
}

impl Orders {
    /// Writes the order as pending, gets its decision, settles it. A repetition with the same key does only the missing steps.
    pub(crate) async fn place(
        &self,
        request: OrderRequest,
        key: Option<&IdempotencyKey>,
        deadline: Instant,
    ) -> Result<Order, PlaceError> {
        let outcome = self.write_and_settle(request, key, deadline).await;
        self.metrics.created(&outcome);
        match &outcome {
            Ok(order) => tracing::info!(
                order_id = %order.order_id,
                product_id = order.request.product_id,
                quantity = order.request.quantity,
                total_price = order.total_price,
                "order confirmed"
            ),
            Err(PlaceError::Unsettled { order_id, cause }) => {
                tracing::warn!(%order_id, reason = %cause, "order left pending");
            }
            Err(reason) => tracing::info!(%reason, "order not confirmed"),
        }
        outcome
    }

    async fn write_and_settle(
        &self,
        request: OrderRequest,
        key: Option<&IdempotencyKey>,
        deadline: Instant,
    ) -> Result<Order, PlaceError> {
        let order_id = key.map_or_else(OrderId::generate, |key| OrderId::for_key(&request.customer_id, key));
        let hash = RequestHash::of(&request);
        let pending = Record::pending(order_id, request, Moment::now());
        let record = self.store.insert(pending, deadline).await.map_err(|error| match error {
            InsertError::Refused(error) => PlaceError::NotWritten(error),
            InsertError::Unclear(error) => PlaceError::Unsettled { order_id, cause: error.into() },
        })?;
        if record.request_hash.as_ref() != Some(&hash) {
            return Err(PlaceError::KeyOfAnotherOrder);
        }
        let settled = tokio::time::timeout_at(deadline, self.settle(record))
            .await
            .unwrap_or(Err(SettleError::Processor(ProcessorError::Timeout)))
            .map_err(|cause| PlaceError::Unsettled { order_id, cause })?;
        match settled.decision() {
            Some(Decision::Refused(refusal)) => Err(PlaceError::Refused(refusal)),
            Some(Decision::Confirmed { .. }) | None => Ok(settled.into()),
        }
    }

    /// Gets the decision for a pending order and writes it. Returns a settled order unchanged.
    pub(crate) async fn settle(&self, record: Record) -> Result<Record, SettleError> {
        if record.decision().is_some() {
            return Ok(record);
        }
        let decision = self.processor.process(record.order_id, record.request()).await?;
        let settlement = self.store.settle(record, decision).await?;
        if let Some(outbox) = self.outbox.as_ref().filter(|_| settlement.unpublished) {
            outbox.offer(settlement.record.clone());
        }
        Ok(settlement.record)
    }
}
