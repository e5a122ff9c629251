use std::time::{Duration, Instant};

/// Repeats `check` until it returns a value.
///
/// # Panics
/// If `deadline` passes.
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
