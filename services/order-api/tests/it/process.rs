//! The binary: its start, its exit codes, its shutdown.

use std::{
    io::Read,
    net::TcpListener,
    process::{Command, Output},
    sync::Arc,
    time::{Duration, Instant},
};

use order_testing::{Emulator, Fault, IN_STOCK, Running};
use reqwest::StatusCode;
use tokio::sync::Semaphore;

use crate::{answer, order, processor};

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_order-api"));
    command.env_clear().envs([
        ("BIND_ADDR", "127.0.0.1:0"),
        ("METRICS_ADDR", "127.0.0.1:0"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
        ("ORDER_PROCESSOR_URL", "http://127.0.0.1:9"),
    ]);
    command
}

fn failed(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().expect("the binary runs");
    (status.code(), String::from_utf8(stderr).expect("UTF-8"))
}

#[test]
fn a_bad_environment_is_exit_64_and_one_line() {
    let bad = [
        failed(command().env("BIND_ADDR", "everywhere")),
        failed(command().env_remove("AWS_REGION")),
        failed(command().env_remove("ORDER_PROCESSOR_URL")),
        failed(command().env("ORDER_PROCESSOR_SRV", "order-processor.orders.internal")),
        failed(command().arg("serve")),
    ];
    for (code, message) in &bad {
        assert_eq!(*code, Some(64), "{message}");
    }
    let first_lines: Vec<&str> = bad.iter().filter_map(|(_, message)| message.lines().next()).collect();
    insta::assert_snapshot!(first_lines.join("\n"));
}

#[test]
fn a_port_in_use_is_exit_1_and_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    for variable in ["BIND_ADDR", "METRICS_ADDR"] {
        let (code, message) = failed(command().env(variable, &address));
        assert_eq!(code, Some(1));
        assert!(message.contains(&address) && message.contains(variable), "{message}");
    }
}

#[test]
fn idle_it_ends_at_once_whatever_is_connected() {
    let running = Running::start(&mut command());
    let fresh = std::net::TcpStream::connect(&running.address).expect("it listens");
    let mut used = std::net::TcpStream::connect(&running.address).expect("it listens");
    std::io::Write::write_all(&mut used, b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").expect("it reads");
    assert!(used.read(&mut [0; 512]).expect("an answer") > 0);
    let start = Instant::now();
    running.terminate();
    let (code, log) = running.ended();
    assert_eq!(code, Some(0));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?} with nothing to do", start.elapsed());
    assert!(log.iter().any(|line| line["message"] == "drained"), "{log:?}");
    drop(fresh);
}

#[test]
fn healthcheck_asks_the_service_that_runs() {
    let running = Running::start(&mut command());
    let address = running.address.clone();
    let healthcheck =
        || command().arg("healthcheck").env("BIND_ADDR", &address).output().expect("it runs").status.code();
    assert_eq!(healthcheck(), Some(0));
    drop(running);
    assert_eq!(healthcheck(), Some(1));
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_says_it_is_not_ready() {
    let emulator = Emulator::start().await;
    let processor = processor(&emulator).await;
    let running = Running::start(
        command().env("AWS_ENDPOINT_URL_DYNAMODB", emulator.url()).env("ORDER_PROCESSOR_URL", &processor.url),
    );
    let url = format!("http://{}", running.address);
    let http = reqwest::Client::new();
    let held = Arc::new(Semaphore::new(0));
    emulator.fail_next("TransactWriteItems", Fault::Hold(held.clone()));
    let placing = tokio::spawn({
        let request = http.post(format!("{url}/orders")).json(&order(IN_STOCK, 2));
        async move { answer(request.send().await.expect("an answer")).await }
    });
    order_testing::eventually("the order to be in flight", Duration::from_secs(5), async || {
        (emulator.faults_left() == 0).then_some(())
    })
    .await;
    running.terminate();
    order_testing::eventually("readiness to go", Duration::from_secs(5), async || {
        // A new client each time, like a real probe.
        let ready = reqwest::get(format!("{url}/readyz")).await.ok()?;
        (ready.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    let refused = reqwest::Client::new().post(format!("{url}/orders")).json(&order(IN_STOCK, 1)).send().await;
    assert_eq!(refused.expect("an answer").status(), StatusCode::SERVICE_UNAVAILABLE);
    held.add_permits(1);
    let (status, body) = placing.await.expect("no panic");
    assert_eq!((status, &body["status"]), (StatusCode::CREATED, &"confirmed".into()));
    let (code, log) = tokio::task::spawn_blocking(move || running.ended()).await.expect("no panic");
    assert_eq!(code, Some(0));
    let order_id = &body["order_id"];
    let line = log.iter().find(|line| line["order_id"] == *order_id).expect("a line about the order");
    assert_eq!(line["trace_id"].as_str().map(str::len), Some(32));
}

#[tokio::test]
async fn metrics_have_a_port_of_their_own() {
    let running = Running::start(&mut command());
    let text = reqwest::get(format!("http://{}/metrics", running.metrics_address)).await.expect("an answer");
    assert_eq!(text.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let missing = reqwest::get(format!("http://{}/metrics", running.address)).await.expect("an answer");
    assert_eq!(missing.status(), StatusCode::NOT_FOUND, "not on the port that is published");
}
