use std::time::{Duration, Instant};

/// Asks `check` again until it gives a value.
///
/// # Panics
/// When `deadline` has passed.
pub async fn eventually<T, F>(what: &str, deadline: Duration, mut check: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let start = Instant::now();
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(start.elapsed() < deadline, "{what} did not come within {deadline:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
