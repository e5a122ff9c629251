use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

/// The lifetime of a healthy answer: several probes together cost one check a second.
const HEALTHY_FOR: Duration = Duration::from_secs(1);

/// The lifetime of an unhealthy answer: short, so that a caller waiting for the service does not wait for the cache.
const UNHEALTHY_FOR: Duration = Duration::from_millis(50);

/// The time limit for a check of all dependencies.
const LIMIT: Duration = Duration::from_secs(2);

/// A dependency that does not answer, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{dependency}: {reason}")]
pub struct HealthFailure {
    pub dependency: String,
    pub reason: String,
}

type Answer = (Instant, Result<(), HealthFailure>);
type Look = Pin<Box<dyn Future<Output = Result<(), HealthFailure>> + Send>>;

/// The dependencies of a service: one caller at a time checks them, at most once a second if healthy.
#[derive(Clone)]
pub struct Dependencies {
    look: Arc<dyn Fn() -> Look + Send + Sync>,
    last: Arc<Mutex<Option<Answer>>>,
}

impl Dependencies {
    pub fn new<F>(look: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), HealthFailure>> + Send + 'static,
    {
        Self { look: Arc::new(move || Box::pin(look())), last: Arc::default() }
    }

    pub(crate) async fn check(&self) -> Result<(), HealthFailure> {
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = &*last {
            let holds = if answer.is_ok() { HEALTHY_FOR } else { UNHEALTHY_FOR };
            if at.elapsed() < holds {
                return answer.clone();
            }
        }
        let answer = tokio::time::timeout(LIMIT, (self.look)()).await.unwrap_or_else(|_| {
            Err(HealthFailure { dependency: "dependencies".into(), reason: format!("no answer within {LIMIT:?}") })
        });
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn many_callers_cost_one_look() {
        let looks = Arc::new(AtomicUsize::new(0));
        let counted = looks.clone();
        let dependencies = Dependencies::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async {
                tokio::task::yield_now().await;
                Ok(())
            }
        });
        let callers: Vec<_> = (0..50)
            .map(|_| {
                tokio::spawn({
                    let dependencies = dependencies.clone();
                    async move { dependencies.check().await }
                })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.expect("no panic"), Ok(()));
        }
        assert_eq!(looks.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_recovery_is_seen_soon() {
        let looks = Arc::new(AtomicUsize::new(0));
        let counted = looks.clone();
        let dependencies = Dependencies::new(move || {
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                if first { Err(HealthFailure { dependency: "table".into(), reason: "gone".into() }) } else { Ok(()) }
            }
        });
        let start = Instant::now();
        assert!(dependencies.check().await.is_err());
        while dependencies.check().await.is_err() {
            assert!(start.elapsed() < HEALTHY_FOR, "a failure is held as long as a success");
            tokio::task::yield_now().await;
        }
        assert!(looks.load(Ordering::SeqCst) <= 2, "failures are cached too");
    }
}
