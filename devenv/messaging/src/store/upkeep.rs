//! The work that no call asks for.

use std::time::Duration;

use super::transaction::{Cache, Transaction};
use crate::front::error::ApiError;
use crate::queues::{expiry, move_task};

/// The pause between two steps.
const PAUSE: Duration = Duration::from_secs(10);
/// The pause while a task moves messages.
const MOVING: Duration = Duration::from_millis(5);

pub(crate) fn interval(cache: &Cache) -> Duration {
    if cache.is_moving { MOVING } else { PAUSE }
}

pub(crate) fn step(transaction: &mut Transaction<'_>) -> Result<(), ApiError> {
    if transaction.cache.is_moving {
        move_task::step(transaction)?;
    }
    if transaction.now >= transaction.cache.expiry_due {
        expiry::step(transaction)?;
        transaction.cache.expiry_due = transaction.now + i64::try_from(PAUSE.as_millis()).unwrap_or(i64::MAX);
    }
    Ok(())
}
