use std::{sync::Arc, time::Duration};

use reqwest_tls::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use crate::{Answer, eventually, journal::Journal};

/// Time limit of a request: longer than any limit of the services, so that a hanging request is their error and not the test's.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Time for a service to end or to recover, with the supervisor's longest back-off (10 s).
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);

/// A product of every environment that only tests order.
pub const CANARY: &str = "CANARY";

/// The body of an order.
pub fn order(product_id: &str, quantity: u64, customer_id: &str) -> Value {
    json!({ "product_id": product_id, "quantity": quantity, "customer_id": customer_id })
}

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Service {
    url: String,
    http: Client,
    journal: Arc<Journal>,
}

impl Service {
    pub(crate) fn new(url: &str, journal: Arc<Journal>) -> Self {
        let http = Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().expect("a plain HTTP client can be made");
        Self { url: url.to_owned(), http, journal }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Places an order.
    pub async fn place(&self, body: &Value) -> Answer {
        self.post("/orders", body).await
    }

    /// Places an order with an `Idempotency-Key`.
    pub async fn place_with_key(&self, body: &Value, key: &str) -> Answer {
        self.send(self.request(Method::POST, "/orders").header("idempotency-key", key).json(body)).await
    }

    /// Begins a request; the test completes it and passes it to [`send`](Self::send).
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// # Panics
    /// When there is no answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap_or_else(|error| panic!("expected an answer of {}: {error}", self.url))
    }

    /// # Errors
    /// The reason, if there is no complete answer.
    pub async fn try_send(&self, request: RequestBuilder) -> Result<Answer, String> {
        let request = request.build().expect("the test makes valid requests");
        let body = request.body().and_then(reqwest_tls::Body::as_bytes).unwrap_or_default();
        // Enough of the body to recognise the request.
        let body = String::from_utf8_lossy(&body[..body.len().min(300)]);
        let described = format!("{} {} {body}", request.method(), request.url());
        let answer = match self.http.execute(request).await {
            Ok(response) => Answer::read(response).await,
            Err(error) => Err(error),
        };
        let answer = answer.map_err(|error| innermost(&error));
        self.journal.exchange(&described, &answer);
        answer
    }

    /// Waits until any request is answered.
    pub async fn answers(&self) {
        eventually(&format!("{} answers", self.url), RECOVERY_LIMIT, async || {
            self.try_send(self.request(Method::GET, "/")).await.map(drop)
        })
        .await;
    }

    /// Waits until `/health` reports that the service and its dependencies answer.
    pub async fn healthy(&self) {
        eventually(&format!("{}/health is 200", self.url), RECOVERY_LIMIT, async || {
            let answer = self.try_send(self.request(Method::GET, "/health")).await?;
            if answer.status == 200 { Ok(()) } else { Err(format!("{}: {}", answer.status, answer.body)) }
        })
        .await;
    }

    /// Opens a connection that breaks when the listening process is gone.
    pub(crate) async fn witness(&self) -> Witness {
        let address = self.url.trim_start_matches("http://");
        let stream = TcpStream::connect(address)
            .await
            .unwrap_or_else(|error| panic!("expected {} to take connections before it is killed: {error}", self.url));
        Witness { stream, url: self.url.clone() }
    }
}

pub(crate) struct Witness {
    stream: TcpStream,
    url: String,
}

impl Witness {
    pub(crate) async fn broken(mut self) {
        let mut byte = [0];
        // An end of the stream and a reset both mean that the process is gone.
        let ended = timeout(RECOVERY_LIMIT, self.stream.read(&mut byte)).await;
        assert!(ended.is_ok(), "expected the process at {} to be gone within {RECOVERY_LIMIT:?}", self.url);
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
