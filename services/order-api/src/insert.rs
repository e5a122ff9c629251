//! Writes a pending order so that an answer never denies an existing order.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use backon::{BackoffBuilder, ExponentialBuilder};
use order_service::{aws::OPERATION_TIMEOUT, dynamodb::StoreError};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{record::Record, store::Store};

const OPERATION: &str = "PutItem";

/// The reason an order was not written, or may not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InsertError {
    /// The database refused every attempt: it wrote nothing.
    #[error("{0}")]
    Refused(StoreError),
    /// The order is or may be written.
    #[error("{0}")]
    Unclear(StoreError),
}

/// The outcome of one attempt, errors aside.
enum Put {
    Done,
    /// The id is taken by this order, if the database returned it.
    Taken(Option<HashMap<String, AttributeValue>>),
}

impl Store {
    /// Writes an order if its id is free; else returns the order with that id, which may be the same one, written by an
    /// attempt with a lost answer.
    pub(crate) async fn insert(&self, record: Record, deadline: Instant) -> Result<Record, InsertError> {
        let deadline = deadline.min(Instant::now() + OPERATION_TIMEOUT);
        timeout_at(deadline, self.attempts(record))
            .await
            .unwrap_or_else(|_| Err(InsertError::Unclear(StoreError::timeout(OPERATION, &self.orders))))
    }

    /// Makes the attempts itself, because the SDK reports only its last one: a refusal after an attempt with a lost answer
    /// would then look as if nothing were written.
    async fn attempts(&self, record: Record) -> Result<Record, InsertError> {
        let mut pauses = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(25))
            .with_max_delay(Duration::from_millis(250))
            .with_max_times(2)
            .build();
        let mut unclear = None;
        loop {
            let error = match self.put(&record).await {
                Ok(Put::Done) => return Ok(record),
                Ok(Put::Taken(item)) => return self.taken(&record, item).await.map_err(InsertError::Unclear),
                Err(error) => error,
            };
            let pause = if error.may_pass() { pauses.next() } else { None };
            match (pause, unclear.is_some() || error.is_silence()) {
                (Some(pause), _) => {
                    if error.is_silence() {
                        unclear = Some(error);
                    }
                    sleep(pause).await;
                }
                (None, true) => return Err(InsertError::Unclear(unclear.unwrap_or(error))),
                (None, false) => return Err(InsertError::Refused(error)),
            }
        }
    }

    async fn put(&self, record: &Record) -> Result<Put, StoreError> {
        let item = serde_dynamo::to_item(record).map_err(|error| StoreError::broken(OPERATION, &self.orders, error))?;
        let written = self
            .single
            .put_item()
            .table_name(&*self.orders)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(order_id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = written else { return Ok(Put::Done) };
        let failure = StoreError::of(OPERATION, &self.orders, &error);
        match error.into_service_error() {
            PutItemError::ConditionalCheckFailedException(taken) => Ok(Put::Taken(taken.item)),
            _ => Err(failure),
        }
    }

    /// Returns the order with the id: the failed condition proves that it exists.
    async fn taken(
        &self,
        record: &Record,
        item: Option<HashMap<String, AttributeValue>>,
    ) -> Result<Record, StoreError> {
        match item.filter(|item| !item.is_empty()) {
            Some(item) => self.record(OPERATION, item),
            None => self
                .order(record.order_id)
                .await?
                .ok_or_else(|| StoreError::busy(OPERATION, &self.orders, "the order with this id has just gone")),
        }
    }
}
