use std::process::Command;

use order_testing::{Emulator, IN_STOCK, Running, send_malformed};
use reqwest::StatusCode;

use crate::order;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the figures of a long run")]
async fn malformed_requests_are_refused_and_nothing_breaks() {
    let emulator = Emulator::start().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_order-processor"));
    command.env_clear().envs([
        ("BIND_ADDR", "127.0.0.1:0"),
        ("METRICS_ADDR", "127.0.0.1:0"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL_DYNAMODB", emulator.url()),
        ("RUST_LOG", "warn,order_service::server=info"),
    ]);
    let running = Running::start(&mut command);
    let report = send_malformed(&running.address, "/process-order").await;
    println!("order-processor: {report}");
    assert!(report.faults.is_empty(), "{:#?}", report.faults);

    emulator.put_product("AFTER", 1, 1).await;
    let url = format!("http://{}/process-order", running.address);
    let processed = reqwest::Client::new().post(url).json(&order("AFTER", 1)).send().await.expect("an answer");
    assert_eq!(processed.status(), StatusCode::OK);
    assert!((0..=100).contains(&emulator.stock(IN_STOCK).await));
    running.terminate();
    let (code, log) = tokio::task::spawn_blocking(move || running.ended()).await.expect("no panic");
    assert_eq!(code, Some(0), "it drains: {log:?}");
    let errors: Vec<_> = log.iter().filter(|line| line["level"] == "ERROR" || line["level"] == "WARN").collect();
    assert!(errors.is_empty(), "expected nothing to be our fault: {errors:?}");
}
