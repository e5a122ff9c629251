use std::{sync::Arc, time::Duration};

use axum::{body::Bytes, http::StatusCode};
use order_domain::{Confirmation, OrderId, OrderRequest, ProcessRequest, Refusal};
use order_service::{HealthFailure, TraceContext, current_trace};
use reqwest::{Client, RequestBuilder, Url, header};
use tokio::time::Instant;

use crate::{discovery::Discovery, record::Decision};

/// What order-processor may take to decide, all attempts together.
pub(crate) const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(5);

const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Shorter than the 75 s after which order-processor closes a silent connection, so that it is never closed under a call.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no decision.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessorError {
    #[error("order-processor is not available: {0}")]
    Unavailable(String),
    #[error("order-processor did not answer within {UPSTREAM_TIMEOUT:?}")]
    Timeout,
    #[error("order-processor answered unexpectedly: {0}")]
    Unexpected(String),
}

/// Calls order-processor.
#[derive(Clone)]
pub(crate) struct ProcessorClient {
    http: Client,
    discovery: Arc<Discovery>,
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
        Ok(Self { http, discovery: Arc::new(discovery) })
    }

    /// Has an order decided. The order id makes it safe to ask again, so a target that fails is followed by the next.
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

    /// Asks for its health, which reaches through to its tables.
    pub(crate) async fn answers(&self) -> Result<(), HealthFailure> {
        let reason =
            match self.at_any_target("health", Instant::now() + UPSTREAM_TIMEOUT, |url| self.http.get(url)).await {
                Ok((status, _)) if status.is_success() => return Ok(()),
                Ok((status, _)) => format!("its health is {}", status.as_u16()),
                Err(error) => error.to_string(),
            };
        Err(HealthFailure { dependency: "order-processor".to_owned(), reason })
    }

    /// Calls one target after the other until one answers. The last is called once more if it broke off, since a
    /// connection kept from before a restart breaks off at its first use.
    async fn at_any_target(
        &self,
        path: &str,
        deadline: Instant,
        request: impl Fn(Url) -> RequestBuilder,
    ) -> Result<(StatusCode, Bytes), ProcessorError> {
        let targets = self.discovery.targets().await.map_err(|error| ProcessorError::Unavailable(error.to_string()))?;
        let mut again = true;
        let mut targets = targets.into_iter().peekable();
        let mut failure = "no targets".to_owned();
        while let Some(target) = targets.next() {
            let url = target.join(path).map_err(|error| ProcessorError::Unexpected(error.to_string()))?;
            loop {
                let error = match tokio::time::timeout_at(deadline, answer(request(url.clone()))).await {
                    Ok(Ok(answer)) => return Ok(answer),
                    Ok(Err(error)) => error,
                    Err(_) => {
                        self.discovery.failed(&target);
                        return Err(ProcessorError::Timeout);
                    }
                };
                failure = format!("{target}: {}", innermost(&error));
                let broke_off = !error.is_connect();
                if broke_off && again && targets.peek().is_none() {
                    again = false;
                    continue;
                }
                self.discovery.failed(&target);
                break;
            }
        }
        Err(ProcessorError::Unavailable(failure))
    }
}

async fn answer(request: RequestBuilder) -> Result<(StatusCode, Bytes), reqwest::Error> {
    let response = request.send().await?;
    Ok((response.status(), response.bytes().await?))
}

fn decision(status: StatusCode, body: &[u8]) -> Result<Decision, ProcessorError> {
    let text = || String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
    match status {
        StatusCode::OK => serde_json::from_slice::<Confirmation>(body)
            .map(|confirmation| Decision::Confirmed {
                total_price: confirmation.total_price,
                processed_at: confirmation.processed_at,
            })
            .map_err(|error| ProcessorError::Unexpected(format!("{error} in {}", text()))),
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => refusal(body)
            .map(Decision::Refused)
            .ok_or_else(|| ProcessorError::Unexpected(format!("{status}: {}", text()))),
        StatusCode::GATEWAY_TIMEOUT => Err(ProcessorError::Timeout),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::TOO_MANY_REQUESTS => {
            Err(ProcessorError::Unavailable(format!("{status}: {}", text())))
        }
        _ => Err(ProcessorError::Unexpected(format!("{status}: {}", text()))),
    }
}

/// The refusal that the answer names. A 404 from something else on that address is none: an order is not given up for
/// a wrong URL.
fn refusal(body: &[u8]) -> Option<Refusal> {
    #[derive(serde::Deserialize)]
    struct Answer {
        detail: String,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    [Refusal::InsufficientInventory, Refusal::UnknownProduct]
        .into_iter()
        .find(|refusal| refusal.detail() == answer.detail)
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
