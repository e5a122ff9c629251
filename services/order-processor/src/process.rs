use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use order_domain::{Confirmation, Moment, OrderId, OrderRequest, ProcessRequest, Refusal};
use order_service::{Lifecycle, dynamodb::StoreError};

use crate::{
    error::ProcessError,
    ledger::Entry,
    metrics::{Operation, ProcessorMetrics},
    store::{Product, Store, Taken, is_refused_for_now},
};

/// The number of attempts at a decision while price or stock change concurrently. Every such change is another order's
/// success or a price change, so the bound matters only for a product with very many orders.
const DECISIONS: u32 = 8;

/// Takes stock for orders.
#[derive(Clone)]
pub(crate) struct Processor {
    store: Store,
    metrics: ProcessorMetrics,
    lifecycle: Lifecycle,
}

impl Processor {
    pub(crate) fn new(store: Store, metrics: ProcessorMetrics, lifecycle: Lifecycle) -> Self {
        Self { store, metrics, lifecycle }
    }

    /// Answers a request. A caller that hangs up cancels it at no harm: it writes everything in one write or one
    /// transaction, and a repetition with the same order id finds the result.
    pub(crate) async fn process(&self, request: ProcessRequest) -> Result<Confirmation, ProcessError> {
        let outcome = {
            let _work = self.lifecycle.work();
            self.decide(&request).await
        };
        self.metrics.processed(&outcome);
        let order = &request.order;
        match &outcome {
            Ok(confirmation) => tracing::info!(
                order_id = request.order_id.map(tracing::field::display),
                product_id = order.product_id,
                quantity = order.quantity,
                total_price = confirmation.total_price,
                "order confirmed"
            ),
            Err(error) => tracing::info!(
                order_id = request.order_id.map(tracing::field::display),
                product_id = order.product_id,
                quantity = order.quantity,
                reason = %error,
                "order not confirmed"
            ),
        }
        outcome
    }

    async fn decide(&self, request: &ProcessRequest) -> Result<Confirmation, ProcessError> {
        let order = &request.order;
        for _ in 0..DECISIONS {
            let product = retried(|| self.store.product(&order.product_id)).await;
            self.metrics.operation(Operation::Read, if product.is_ok() { "success" } else { "error" });
            let product = product?;
            if let Some(product) = product {
                self.metrics.stock(&order.product_id, product.stock);
            }
            let Some(product) = product.filter(|product| product.stock >= order.quantity) else {
                return self.refuse(request, product).await;
            };
            let now = Moment::now();
            let taken = self.take(request.order_id, order, product, now).await;
            self.metrics.operation(Operation::Take, take_status(&taken));
            match (taken?, request.order_id) {
                (Taken::Done, _) => {
                    self.metrics.stock(&order.product_id, product.stock - order.quantity);
                    return Ok(Confirmation::new(product.price.times(order.quantity), now));
                }
                (Taken::Answered, Some(order_id)) => return self.first_answer(order_id, request).await,
                (Taken::Changed | Taken::Answered, _) => {}
            }
        }
        Err(ProcessError::Busy)
    }

    async fn take(
        &self,
        order_id: Option<OrderId>,
        order: &OrderRequest,
        product: Product,
        now: Moment,
    ) -> Result<Taken, ProcessError> {
        match order_id {
            Some(order_id) => {
                let entry = Entry::confirmed(order_id, order, product.price, now);
                retried(|| self.store.reserve(&entry, &order.product_id, order.quantity, product.price)).await
            }
            None => retried(|| self.store.take(&order.product_id, order.quantity, product.price)).await,
        }
    }

    /// Refuses permanently. The refusal holds for the moment of this call's read of the product. It needs no condition on
    /// the stock, because the ledger accepts only one answer: after a restock in between, the first written answer, this
    /// one or a concurrent call's for the same order id, is the answer of both calls.
    async fn refuse(&self, request: &ProcessRequest, product: Option<Product>) -> Result<Confirmation, ProcessError> {
        let refusal = if product.is_some() { Refusal::InsufficientInventory } else { Refusal::UnknownProduct };
        let Some(order_id) = request.order_id else { return Err(ProcessError::Refused(refusal)) };
        let price = product.map(|product| product.price);
        let entry = Entry::refused(order_id, &request.order, refusal, price, Moment::now());
        if retried(|| self.store.refuse(&entry)).await? {
            Err(ProcessError::Refused(refusal))
        } else {
            self.first_answer(order_id, request).await
        }
    }

    async fn first_answer(&self, order_id: OrderId, request: &ProcessRequest) -> Result<Confirmation, ProcessError> {
        match retried(|| self.store.entry(order_id)).await? {
            Some(entry) => entry.answer(request),
            // Only a reset of the tables removes a ledger entry, and then the caller can retry.
            None => Err(ProcessError::Busy),
        }
    }
}

/// Repeats an operation that the database refused for now. Never repeats an operation that may have happened: only the
/// caller, which knows the order id, can decide that.
async fn retried<T, F>(operation: impl FnMut() -> F) -> Result<T, ProcessError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let pauses = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(5))
        .with_max_delay(Duration::from_millis(200))
        .with_max_times(7);
    let done = operation.retry(pauses).sleep(tokio::time::sleep).when(is_refused_for_now).await;
    done.map_err(|error| {
        if is_refused_for_now(&error) {
            tracing::warn!(%error, "gave up after several attempts");
            ProcessError::Busy
        } else {
            error.into()
        }
    })
}

fn take_status(taken: &Result<Taken, ProcessError>) -> &'static str {
    match taken {
        Ok(Taken::Done) => "success",
        Ok(Taken::Answered) => "answered_before",
        Ok(Taken::Changed) => "changed",
        Err(ProcessError::Busy) => "busy",
        Err(_) => "error",
    }
}
