use std::{sync::Arc, time::Duration};

use axum::{body::Bytes, http::StatusCode};
use order_domain::{OrderId, OrderRequest, ProcessRequest};
use order_service::{HealthFailure, TraceContext, current_trace};
use reqwest::{Client, RequestBuilder, Url, header};
use tokio::time::{Instant, timeout_at};

use crate::{
    answer::{Missed, ProcessorError, decision, of_response},
    budget::Budget,
    discovery::Discovery,
    record::Decision,
};

/// The limit for a decision of order-processor, all attempts together.
pub(crate) const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(5);

/// The limit for one target while there is another. A hanging target then leaves time for two more.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);

const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Shorter than the 75 s after which order-processor closes a silent connection, so that it never closes one during a call.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Calls order-processor.
#[derive(Clone)]
pub(crate) struct ProcessorClient {
    http: Client,
    discovery: Arc<Discovery>,
    budget: Arc<Budget>,
}

impl ProcessorClient {
    pub(crate) fn new(discovery: Discovery) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()?;
        Ok(Self { http, discovery: Arc::new(discovery), budget: Arc::default() })
    }

    /// Gets the decision for an order. The order id makes a repetition safe, so the next target follows a failed one.
    pub(crate) async fn process(&self, order_id: OrderId, order: OrderRequest) -> Result<Decision, ProcessorError> {
        let body: Bytes = serde_json::to_vec(&ProcessRequest { order_id: Some(order_id), order })
            .map_err(|error| ProcessorError::Unexpected(error.to_string()))?
            .into();
        let trace = current_trace().unwrap_or_else(TraceContext::generate).header();
        let request = |url: Url| {
            self.http
                .post(url)
                .header(header::CONTENT_TYPE, "application/json")
                .header("traceparent", &trace)
                .body(body.clone())
        };
        let deadline = Instant::now() + UPSTREAM_TIMEOUT;
        let (status, body) = self.at_any_target("process-order", deadline, request).await?;
        decision(status, &body)
    }

    /// Checks order-processor's health, which includes its tables.
    pub(crate) async fn answers(&self) -> Result<(), HealthFailure> {
        let reason =
            match self.at_any_target("health", Instant::now() + UPSTREAM_TIMEOUT, |url| self.http.get(url)).await {
                Ok((status, _)) if status.is_success() => return Ok(()),
                Ok((status, _)) => format!("its health is {}", status.as_u16()),
                Err(error) => error.to_string(),
            };
        Err(HealthFailure { dependency: "order-processor".to_owned(), reason })
    }

    /// Calls one target after the other until one answers, within the retry budget. If the last target breaks off, calls it
    /// once more: a connection from before its restart breaks off at the first use.
    async fn at_any_target(
        &self,
        path: &str,
        deadline: Instant,
        request: impl Fn(Url) -> RequestBuilder,
    ) -> Result<(StatusCode, Bytes), ProcessorError> {
        let targets = timeout_at(deadline, self.discovery.targets())
            .await
            .map_err(|_| ProcessorError::Timeout)?
            .map_err(|error| ProcessorError::Unavailable(error.to_string()))?;
        self.budget.call();
        let mut targets = targets.into_iter().peekable();
        let mut once_more = true;
        let mut missed = None;
        while let Some(target) = targets.next() {
            let url = target.join(path).map_err(|error| ProcessorError::Unexpected(error.to_string()))?;
            let failure = loop {
                let is_last = targets.peek().is_none();
                // Recently failed targets come last: cutting a call short in their favour gains nothing.
                let has_the_rest = targets.peek().is_none_or(|next| self.discovery.is_shunned(next));
                match self.attempt(request(url.clone()), deadline, has_the_rest).await {
                    Ok(answer) => return Ok(answer),
                    Err(Missed::BrokeOff(_)) if is_last && once_more && self.budget.retry() => once_more = false,
                    Err(failure) => break failure,
                }
            };
            self.discovery.failed(&target);
            tracing::debug!(%target, %failure, "no answer from a target of order-processor");
            let go_on =
                Instant::now() < deadline && (failure.is_free() || (targets.peek().is_some() && self.budget.retry()));
            missed = Some((target, failure));
            if !go_on {
                break;
            }
        }
        match missed {
            Some((target, failure)) => failure.into_answer(&target),
            None => Err(ProcessorError::Unavailable("no targets".to_owned())),
        }
    }

    /// Calls one target within its own limit; within the whole deadline if no better target is left or the budget has no
    /// retry for another.
    async fn attempt(
        &self,
        request: RequestBuilder,
        deadline: Instant,
        has_the_rest: bool,
    ) -> Result<(StatusCode, Bytes), Missed> {
        let mut call = std::pin::pin!(of_response(request));
        let limit = deadline.min(Instant::now() + ATTEMPT_TIMEOUT);
        if !has_the_rest && limit < deadline {
            match timeout_at(limit, &mut call).await {
                Ok(answer) => return answer,
                Err(_) if self.budget.retry() => return Err(Missed::Slow),
                Err(_) => {}
            }
        }
        timeout_at(deadline, call).await.unwrap_or(Err(Missed::Slow))
    }
}
