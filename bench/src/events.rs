//! What events cost: orders a second with and without the topic, the age of the oldest event that waits, and the time from an order to
//! its figures in a report.

use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use reqwest::Client;
use serde_json::Value;

use crate::environment::Environment;
use crate::figures::{Figure, Target};
use crate::load::{Kind, authority, product, run};
use crate::{Failure, interrupt, machine, say};

const CONNECTIONS: usize = 8;
/// Measurements with events, and as many without, in turns: the machine's speed changes meanwhile.
const TURNS: u64 = 3;
/// Seconds after the last order in which every event is to be published.
const DRAINED_WITHIN: Duration = Duration::from_secs(5);
/// Milliseconds.
const OLDEST: f64 = 1000.0;
const REPORTED_ORDERS: usize = 50;
const REPORTED_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn run_all(program: &Utf8Path, seconds: u64, reports: bool) -> Result<(), Failure> {
    say(&format!("machine: {}", machine::describe()));
    let choice: &[&str] = &["--runtime", "process", "--profile", "reporting"];
    let environment = Environment::new(program, if reports { choice } else { &choice[..2] })?;
    environment.up()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut figures = runtime.block_on(throughput(program, &environment, Duration::from_secs(seconds)))?;
    if reports {
        figures.push(runtime.block_on(reported(&environment))?);
    }
    for figure in &figures {
        say(&figure.line());
    }
    Ok(())
}

/// The same program with the same variables, but without a topic, at an address of its own.
struct WithoutEvents {
    child: Child,
    authority: String,
}

impl WithoutEvents {
    fn start(program: &Utf8Path, environment: &Environment) -> Result<Self, Failure> {
        let api = program.with_file_name("order-api");
        let [address, metrics] = [free_address()?, free_address()?];
        let variables =
            [format!("BIND_ADDR={address}"), format!("METRICS_ADDR={metrics}"), "ORDER_EVENTS_TOPIC_ARN=".to_owned()];
        let words = ["exec", "order-api", "--", "env"].into_iter().chain(variables.iter().map(String::as_str));
        let arguments: Vec<&str> = words.chain([api.as_str()]).collect();
        let child = environment.command(&arguments).stdout(Stdio::null()).spawn()?;
        Ok(Self { child, authority: address })
    }
}

impl Drop for WithoutEvents {
    fn drop(&mut self) {
        // `exec` passes the signal on.
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

fn free_address() -> Result<String, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

async fn throughput(program: &Utf8Path, environment: &Environment, length: Duration) -> Result<Vec<Figure>, Failure> {
    let with = authority(&environment.url("order-api")?);
    let metrics = metrics_address(&environment.status()?)?;
    let without = WithoutEvents::start(program, environment)?;
    let client = Client::builder().no_proxy().build()?;
    answers(&client, &without.authority).await?;
    let place = Kind::Place { product: product(&environment.url("emulator")?).await? };
    let turn = length / u32::try_from(TURNS)?;
    let (mut on, mut off, mut p99, mut shares, mut oldest) = (vec![], vec![], vec![], vec![], 0.0_f64);
    for _ in 0..TURNS {
        let silent = run(&without.authority, &place, CONNECTIONS, turn).await?;
        let watched = tokio::spawn(oldest_while(client.clone(), metrics.clone(), turn));
        let events = run(&with, &place, CONNECTIONS, turn).await?;
        oldest = oldest.max(watched.await??);
        if silent.errors + events.errors > 0 {
            return Err(format!("{} orders failed", silent.errors + events.errors).into());
        }
        shares.push(events.throughput / silent.throughput * 100.0);
        on.push(events.throughput);
        off.push(silent.throughput);
        p99.push(events.p99_ms);
    }
    let drained = drained(&client, &metrics).await?;
    let at_most = |limit: f64| Some(Target::AtMost(limit));
    Ok(vec![
        Figure::new("POST /orders without events", "1/s", off, None),
        Figure::new("POST /orders with events", "1/s", on, None),
        Figure::new("POST /orders with events: p99", "ms", p99, None),
        Figure::new("with events, percent of without", "%", shares, Some(Target::AtLeast(85.0))),
        Figure::new("oldest unpublished event, at most", "ms", vec![oldest * 1000.0], at_most(OLDEST)),
        Figure::new("until no event waits", "ms", vec![drained], at_most(5000.0)),
    ])
}

async fn answers(client: &Client, authority: &str) -> Result<(), Failure> {
    let deadline = Instant::now() + DRAINED_WITHIN;
    while get(client, &format!("http://{authority}/health")).await.is_err() {
        if Instant::now() > deadline {
            return Err(format!("{authority} does not answer").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn metrics_address(status: &Value) -> Result<String, Failure> {
    let units = status["units"].as_array().cloned().unwrap_or_default();
    let api = units.iter().find(|unit| unit["name"] == "order-api").ok_or("order-api does not run")?;
    let bindings = api["bindings"].as_array().cloned().unwrap_or_default();
    let metrics = bindings.iter().find(|binding| binding["container"] == 9000).ok_or("order-api has no metrics")?;
    Ok(metrics["host"].as_str().ok_or("a binding without an address")?.to_owned())
}

/// The largest age in seconds that the gauge had meanwhile.
async fn oldest_while(client: Client, metrics: String, length: Duration) -> Result<f64, Failure> {
    let (began, mut oldest) = (Instant::now(), 0.0_f64);
    while began.elapsed() < length {
        interrupt::check()?;
        oldest = oldest.max(gauge(&client, &metrics, "orders_unpublished_oldest_seconds").await?);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(oldest)
}

/// Milliseconds until no event waits.
async fn drained(client: &Client, metrics: &str) -> Result<f64, Failure> {
    let began = Instant::now();
    loop {
        interrupt::check()?;
        let waiting = gauge(client, metrics, "orders_unpublished").await?;
        if waiting == 0.0 || began.elapsed() > DRAINED_WITHIN * 4 {
            return Ok(began.elapsed().as_secs_f64() * 1000.0);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn gauge(client: &Client, metrics: &str, name: &str) -> Result<f64, Failure> {
    let text = get(client, &format!("http://{metrics}/metrics")).await?;
    let line = text.lines().find(|line| line.split([' ', '{']).next() == Some(name));
    let value = line.and_then(|line| line.rsplit(' ').next()).ok_or_else(|| format!("no metric {name}"))?;
    Ok(value.parse()?)
}

async fn get(client: &Client, url: &str) -> Result<String, Failure> {
    Ok(client.get(url).send().await?.error_for_status()?.text().await?)
}

/// Orders of customers of their own, one after the other, each until its customer's report has it.
async fn reported(environment: &Environment) -> Result<Figure, Failure> {
    let (api, reports) = (environment.url("order-api")?, environment.url("order-reporting")?);
    let product = product(&environment.url("emulator")?).await?;
    let client = Client::builder().no_proxy().build()?;
    let mut times = Vec::new();
    for number in 0..REPORTED_ORDERS {
        interrupt::check()?;
        let customer = format!("report-{number}");
        let body = serde_json::json!({ "product_id": product, "quantity": 1, "customer_id": customer });
        let began = Instant::now();
        client.post(format!("{api}/orders")).json(&body).send().await?.error_for_status()?;
        let url = format!("{reports}/reports/customers/{customer}");
        while !client.get(&url).send().await?.status().is_success() {
            if began.elapsed() > REPORTED_WITHIN {
                return Err(format!("{customer} has no report").into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(Figure::new("from an order to its report", "ms", times, Some(Target::AtMost(100.0))))
}
