//! Repeats a question to AWS for as long as a rollout may take, if the error may pass: for minutes and visibly, unlike `retry`,
//! which repeats a single request.

use std::time::Duration;

use devenv_runtime::Cancel;
use futures_util::future::BoxFuture;

use crate::cloud::{CloudError, CloudErrorKind};
use crate::error::Error;

/// The limit for one answer. AWS's own client tries three times within it.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// One answer, or an error if none arrives in time.
pub(crate) async fn answer<T>(asked: BoxFuture<'_, Result<T, CloudError>>) -> Result<T, CloudError> {
    tokio::time::timeout(ANSWERS_WITHIN, asked).await.unwrap_or_else(|_| {
        let cause = format!("no answer within {} s", ANSWERS_WITHIN.as_secs());
        Err(CloudError { action: "ask AWS".to_owned(), cause, kind: CloudErrorKind::Unreachable })
    })
}

/// Asks until AWS answers, for at most `patience` and only while its errors may pass. Reports each new error.
pub(crate) async fn patiently<'a, T>(
    patience: Duration,
    tell: &(dyn Fn(String) + Send + Sync),
    cancel: &Cancel,
    ask: impl Fn() -> BoxFuture<'a, Result<T, CloudError>>,
) -> Result<T, Error> {
    let deadline = tokio::time::Instant::now() + patience;
    let mut told = String::new();
    loop {
        let error = match answer(ask()).await {
            Ok(answer) => return Ok(answer),
            Err(error) if error.may_pass() && tokio::time::Instant::now() < deadline => error,
            Err(error) => return Err(Error::from(error)),
        };
        let said = error.to_string();
        if said != told {
            tell(format!("{said}; asking again"));
            told = said;
        }
        tokio::select! {
            () = cancel.cancelled() => return Err(devenv_engine::Error::Cancelled.into()),
            () = tokio::time::sleep(AGAIN_AFTER) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Asks while the first `failures` answers are errors of this kind. Returns the answer and the reported lines.
    async fn asked(failures: usize, kind: CloudErrorKind) -> (Result<usize, Error>, Vec<String>) {
        let (calls, told) = (Mutex::new(0), Mutex::new(Vec::new()));
        let tell = |line| told.lock().expect("not poisoned").push(line);
        let ask = || -> BoxFuture<'_, _> {
            Box::pin(async {
                let mut calls = calls.lock().expect("not poisoned");
                *calls += 1;
                let error = || CloudError { action: "look".to_owned(), cause: "Rate exceeded".to_owned(), kind };
                if *calls > failures { Ok(*calls) } else { Err(error()) }
            })
        };
        let came = patiently(Duration::from_mins(5), &tell, &Cancel::never(), ask).await;
        (came, told.into_inner().expect("not poisoned"))
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_asked_again_until_it_has() {
        use CloudErrorKind::{Denied, Login, NotFound, Throttled, Unavailable, Unreachable};
        for kind in [Throttled, Unavailable, Unreachable] {
            let (came, told) = asked(5, kind).await;
            assert_eq!(came.expect("it passed"), 6);
            assert_eq!(told, ["cannot look: Rate exceeded; asking again"], "a repeated error is reported once");
        }
        for kind in [Denied, Login, NotFound] {
            assert!(asked(1, kind).await.0.is_err(), "{kind:?} is returned at once");
        }
        assert!(asked(usize::MAX, Throttled).await.0.is_err(), "it ends");
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_is_an_error_that_may_pass() {
        let error = answer::<()>(Box::pin(std::future::pending())).await.expect_err("nothing comes");
        assert!(error.may_pass(), "{error}");
    }
}
