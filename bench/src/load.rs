//! A closed loop of requests over kept-alive connections, cheap enough to share two cores with the measured services.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::{Failure, interrupt};

/// Time before the measurement, in which connections open and caches fill.
const WARM_UP: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// `POST /orders` for one product with plenty of stock.
    Place { product: String },
    /// `GET /orders/{id}` over these ids.
    Read { ids: Vec<String> },
}

/// The measurements of one load.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Requests per second, over the whole length.
    pub(crate) throughput: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) errors: usize,
    /// Requests answered in each second.
    pub(crate) by_second: Vec<usize>,
    /// Ids of the placed orders.
    pub(crate) ids: Vec<String>,
}

pub(crate) type Connection = SendRequest<Full<Bytes>>;

/// HOST:PORT of a URL.
pub(crate) fn authority(url: &str) -> String {
    url.trim_start_matches("http://").trim_end_matches('/').to_owned()
}

/// Creates a product with more stock than any load orders.
pub(crate) async fn product(emulator: &str) -> Result<String, Failure> {
    let product = format!("BENCH-{}", std::process::id());
    let item = json!({
        "TableName": "inventory",
        "Item": { "product_id": { "S": product }, "name": { "S": "Bench" }, "price": { "N": "1" }, "stock": { "N": "1000000000" } },
    });
    let response = reqwest::Client::builder()
        .no_proxy()
        .build()?
        .post(emulator)
        .header("x-amz-target", "DynamoDB_20120810.PutItem")
        .header("x-amz-date", "20260101T000000Z")
        .header("content-type", "application/x-amz-json-1.0")
        .header("authorization", "AWS4-HMAC-SHA256 Credential=devenv/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
        .body(item.to_string())
        .send()
        .await?;
    if response.status().is_success() { Ok(product) } else { Err(response.text().await?.into()) }
}

pub(crate) async fn run(
    authority: &str,
    kind: &Kind,
    connections: usize,
    length: Duration,
) -> Result<Measured, Failure> {
    let mut tasks = JoinSet::new();
    let begin = Instant::now() + WARM_UP;
    for number in 0..connections {
        tasks.spawn(worker(authority.to_owned(), kind.clone(), number, begin, length));
    }
    let mut latencies: Vec<(Duration, Duration)> = Vec::new();
    let mut measured = Measured::default();
    while let Some(done) = tasks.join_next().await {
        let (own, errors, ids) = done??;
        latencies.extend(own);
        measured.errors += errors;
        measured.ids.extend(ids);
    }
    let seconds = usize::try_from(length.as_secs())?.max(1);
    measured.by_second = vec![0; seconds];
    for (at, _) in &latencies {
        let second = usize::try_from(at.as_secs())?;
        measured.by_second[second.min(seconds - 1)] += 1;
    }
    let mut times: Vec<f64> = latencies.iter().map(|(_, latency)| latency.as_secs_f64() * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    let at = |hundredths: usize| times.get(times.len() * hundredths / 100).copied().unwrap_or(f64::NAN);
    (measured.p50_ms, measured.p99_ms) = (at(50), at(99));
    #[expect(clippy::cast_precision_loss, reason = "no load has that many requests")]
    {
        measured.throughput = times.len() as f64 / length.as_secs_f64();
    }
    Ok(measured)
}

type Worked = (Vec<(Duration, Duration)>, usize, Vec<String>);

async fn worker(
    authority: String,
    kind: Kind,
    number: usize,
    begin: Instant,
    length: Duration,
) -> Result<Worked, Failure> {
    let mut connection = connect(&authority).await?;
    let (mut latencies, mut errors, mut ids) = (Vec::new(), 0, Vec::new());
    let body = match &kind {
        Kind::Place { product } => Bytes::from(
            json!({ "product_id": product, "quantity": 1, "customer_id": format!("bench-{number}") }).to_string(),
        ),
        Kind::Read { .. } => Bytes::new(),
    };
    let mut turn = number;
    while begin.elapsed() < length {
        interrupt::check()?;
        let request = Request::builder().header("host", &authority);
        let (request, expected) = match &kind {
            Kind::Place { .. } => {
                (request.method(Method::POST).uri("/orders").header("content-type", "application/json"), 201)
            }
            Kind::Read { ids } => {
                turn = (turn + 7919) % ids.len();
                (request.method(Method::GET).uri(format!("/orders/{}", ids[turn])), 200)
            }
        };
        let sent = Instant::now();
        let Ok(answer) = connection.send_request(request.body(Full::new(body.clone()))?).await else {
            errors += 1;
            connection = connect(&authority).await?;
            continue;
        };
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
        answer.into_body().collect().await?;
        let latency = sent.elapsed();
        if status != expected {
            errors += 1;
        }
        if let Some(id) = location.as_deref().and_then(|location| location.rsplit('/').next()) {
            ids.push(id.to_owned());
        }
        if let Some(at) = sent.checked_duration_since(begin) {
            latencies.push((at, latency));
        }
    }
    Ok((latencies, errors, ids))
}

pub(crate) async fn connect(authority: &str) -> Result<Connection, Failure> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}
