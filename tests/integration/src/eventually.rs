use std::time::{Duration, Instant};

/// Pause between two checks: short at first, when success is near.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Repeats `check` until it returns a value.
///
/// # Panics
/// When `deadline` has passed: the message names `what` and the last check's reason. The deadline also cuts off a check that
/// hangs.
pub async fn eventually<T, F>(what: &str, deadline: Duration, mut check: F) -> T
where
    F: AsyncFnMut() -> Result<T, String>,
{
    let end = Instant::now() + deadline;
    let mut pause = FIRST_PAUSE;
    let mut last = "the check did not end".to_owned();
    loop {
        match tokio::time::timeout_at(end.into(), check()).await {
            Ok(Ok(value)) => return value,
            Ok(Err(reason)) => last = reason,
            // The deadline cut the check off; the assertion below fails.
            Err(_elapsed) => {}
        }
        assert!(Instant::now() + pause < end, "expected within {deadline:?}: {what}; at last: {last}");
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_value_ends_the_wait() {
        let mut left = 5;
        let value = eventually("five checks", Duration::from_secs(10), async || {
            left -= 1;
            if left == 0 { Ok("done") } else { Err(format!("{left} left")) }
        });
        assert_eq!(value.await, "done");
    }

    #[tokio::test]
    #[should_panic(expected = "the order is settled; at last: it is pending")]
    async fn a_deadline_names_what_was_expected_and_what_was_seen() {
        eventually("the order is settled", Duration::from_millis(20), async || {
            Err::<(), _>("it is pending".to_owned())
        })
        .await;
    }

    #[tokio::test]
    #[should_panic(expected = "an answer")]
    async fn a_check_that_hangs_is_cut_off() {
        eventually("an answer", Duration::from_millis(20), async || {
            std::future::pending::<()>().await;
            Ok(())
        })
        .await;
    }
}
