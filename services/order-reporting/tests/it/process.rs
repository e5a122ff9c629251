//! The binary: its arguments, its ends, its kills.

use std::{
    process::{Command, Output},
    time::{Duration, Instant},
};

use order_reporting::Figures;
use order_testing::{Queues, Running, eventually};

use crate::{
    consume::MINUTE,
    function::Hosting,
    orders::{messages, order},
    postgres::Postgres,
};

const ABSENT: &str = "postgres://reporting@127.0.0.1:9/reporting";

fn command(subcommand: &str, database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_order-reporting"));
    command.env_clear().arg(subcommand).envs([
        ("BIND_ADDR", "127.0.0.1:0"),
        ("METRICS_ADDR", "127.0.0.1:0"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9"),
        ("DATABASE_URL", database),
        ("REPORTING_QUEUE_URL", "http://127.0.0.1:9/000000000000/reporting"),
    ]);
    command
}

fn consumer(queues: &Queues, postgres: &Postgres) -> Command {
    let mut command = command("consume", &postgres.url());
    command.env("AWS_ENDPOINT_URL_SQS", queues.url()).env("REPORTING_QUEUE_URL", queues.queue_url());
    command
}

fn failed(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().expect("the binary runs");
    (status.code(), String::from_utf8(stderr).expect("UTF-8"))
}

#[test]
fn a_bad_environment_is_exit_64_and_one_line() {
    let bad = [
        failed(&mut command("report", ABSENT)),
        failed(command("serve", ABSENT).arg("now")),
        failed(command("serve", ABSENT).env_remove("DATABASE_URL")),
        failed(command("serve", ABSENT).env("AWS_REGION", "Frankfurt am Main")),
        failed(command("consume", ABSENT).env_remove("REPORTING_QUEUE_URL")),
        failed(command("migrate", ABSENT).env("DATABASE_URL", "mysql://u:secret-word@h/d")),
    ];
    for (code, message) in &bad {
        assert_eq!(*code, Some(64), "{message}");
        assert!(!message.contains("secret-word"), "{message}");
    }
    let first_lines: Vec<&str> = bad.iter().filter_map(|(_, message)| message.lines().next()).collect();
    insta::assert_snapshot!(first_lines.join("\n"));
    let help = command("--help", ABSENT).output().expect("the binary runs");
    insta::assert_snapshot!(String::from_utf8(help.stdout).expect("UTF-8"));
}

#[test]
fn without_a_database_both_programs_run_and_end_at_once() {
    for subcommand in ["serve", "consume"] {
        let running = Running::start(&mut command(subcommand, ABSENT));
        let start = Instant::now();
        running.terminate();
        let (code, log) = running.ended();
        assert_eq!(code, Some(0), "{log:?}");
        assert!(start.elapsed() < Duration::from_secs(2), "{subcommand}: {:?}", start.elapsed());
        assert!(log.iter().any(|line| line["message"] == "drained"), "{log:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_without_settings_reports_that_it_cannot_start() {
    let mut hosting = Hosting::start(MINUTE).await;
    let mut function = command("consume", ABSENT);
    function.env("AWS_LAMBDA_RUNTIME_API", hosting.address()).env_remove("DATABASE_URL");
    let (code, message) = tokio::task::spawn_blocking(move || failed(&mut function)).await.expect("no panic");
    assert_eq!(code, Some(1), "{message}");
    let (kind, body) = hosting.answer().await;
    assert_eq!(kind, "init");
    assert!(body["errorMessage"].as_str().expect("text").starts_with("DATABASE_URL is not set"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_function_counts_and_ends_on_sigterm() {
    let (mut hosting, postgres) = (Hosting::start(MINUTE).await, Postgres::start().await);
    let mut child = command("consume", &postgres.url())
        .env("AWS_LAMBDA_RUNTIME_API", hosting.address())
        .env_remove("REPORTING_QUEUE_URL")
        .spawn()
        .expect("the binary runs");
    let orders = [order("P1", "C1", 1, Some(29)), order("P1", "C2", 3, None)];
    let mut bodies = messages(&orders);
    bodies.insert(1, "no event".to_owned());
    assert_eq!(hosting.batch(&bodies).await, [1]);
    assert_eq!(postgres.figures().await, Figures::of_orders(&orders));
    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
    assert!(ended.success());
    let status = tokio::task::spawn_blocking(move || child.wait()).await.expect("no panic").expect("a child");
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_killed_consumer_loses_nothing() {
    let (queues, postgres) = (Queues::start(100).await, Postgres::empty().await);
    for _ in 0..2 {
        let migrated = command("migrate", &postgres.url()).output().expect("the binary runs");
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    }
    let orders: Vec<_> = (0..300).map(|number| order("P1", &format!("C{}", number % 5), 1, Some(number))).collect();
    queues.send(&messages(&orders)).await;
    let figures = async || postgres.figures().await.days.values().map(|tally| tally.confirmed_orders).sum::<u64>();
    // Dropping it is SIGKILL: at the beginning, and amid the batches.
    drop(Running::start(&mut consumer(&queues, &postgres)));
    for count in [1, 50, 120] {
        let running = Running::start(&mut consumer(&queues, &postgres));
        eventually("counted events", MINUTE, || async { (figures().await >= count).then_some(()) }).await;
        drop(running);
    }
    let last = Running::start(&mut consumer(&queues, &postgres));
    // What a killed consumer held is invisible for a minute.
    let long = Duration::from_mins(2);
    eventually("an empty queue", long, || async { (queues.left().await == 0).then_some(()) }).await;
    assert_eq!(postgres.figures().await, Figures::of_orders(&orders));
    last.terminate();
    assert_eq!(last.ended().0, Some(0));
}
