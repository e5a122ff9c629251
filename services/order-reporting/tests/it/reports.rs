use order_domain::Order;
use order_service::{Lifecycle, Metrics};
use order_testing::{Serving, serve, service};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    orders::{order_at, settlements},
    postgres::Postgres,
};

struct Reports {
    postgres: Postgres,
    serving: Serving,
    metrics: Metrics,
    http: reqwest::Client,
}

impl Reports {
    async fn over(postgres: Postgres) -> Self {
        let metrics = Metrics::new();
        let service = service(order_reporting::IDENTITY);
        let router = order_reporting::application(&service, postgres.store(4), metrics.clone(), Lifecycle::default());
        Self { postgres, serving: serve(router).await, metrics, http: reqwest::Client::new() }
    }

    async fn with(orders: &[Order]) -> Self {
        let postgres = Postgres::start().await;
        postgres.store(1).apply(&settlements(orders)).await.expect("applied");
        Self::over(postgres).await
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let answer = self.http.get(format!("{}{path}", self.serving.url)).send().await.expect("an answer");
        let status = answer.status();
        (status, answer.json().await.expect("JSON"))
    }

    async fn good(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }
}

fn orders() -> Vec<Order> {
    vec![
        order_at("PROD001", "CUST001", 2, Some(58), "2026-01-01T23:59:59Z"),
        order_at("PROD001", "CUST002", 1, Some(29), "2026-01-02T00:00:00Z"),
        order_at("PROD002", "CUST001", 500, None, "2026-01-02T10:00:00Z"),
        order_at("a/ü\0 b", "\0", 1, Some(u64::from(u32::MAX)), "2026-01-04T10:00:00Z"),
    ]
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn each_report_has_the_figures_of_the_orders() {
    let reports = Reports::with(&orders()).await;
    insta::assert_json_snapshot!([
        reports.good("/reports/products").await,
        reports.good("/reports/products?from=2026-01-02&to=2026-01-02").await,
        reports.good("/reports/products/?from=2027-01-01").await,
        reports.good("/reports/customers/CUST001").await,
        reports.good("/reports/customers/CUST001?to=2026-01-01").await,
        reports.good("/reports/customers/CUST001?from=2027-01-01").await,
        reports.good("/reports/customers/%00").await,
        reports.good("/reports/daily").await,
        reports.good("/reports/daily?from=2026-01-02&to=2026-01-03").await,
    ]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn pages_contain_everything_once() {
    let all: Vec<Order> = (1..=25)
        .map(|day| {
            let time = format!("2026-01-{day:02}T12:00:00Z");
            order_at(&format!("P{}", day * 7 % 25), "C", 1, Some(1), &time)
        })
        .collect();
    let reports = Reports::with(&all).await;
    for (path, list, key) in [
        ("/reports/products", "products", "product_id"),
        ("/reports/customers/C", "days", "day"),
        ("/reports/daily", "days", "day"),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = reports.good(&format!("{path}?limit=10{cursor}")).await;
            let entries = page[list].as_array().expect("a list");
            seen.extend(entries.iter().map(|entry| entry[key].as_str().expect("text").to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 25, "{path}");
        let newest_first = key == "day";
        let sorted = seen.windows(2).all(|pair| if newest_first { pair[0] > pair[1] } else { pair[0] < pair[1] });
        assert!(sorted, "{path}: {seen:?}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_wrong_request_is_told_so() {
    let reports = Reports::with(&[]).await;
    let mut answers = Vec::new();
    for path in [
        "/reports/products?limit=1000",
        "/reports/products?cursor=!",
        "/reports/daily?from=2026-02-01&to=2026-01-01",
        "/reports/daily?cursor=soon",
        "/reports/customers/nobody",
        "/reports/customers/%ff",
        "/reports/customers",
        "/reports",
    ] {
        let (status, body) = reports.get(path).await;
        answers.push(json!({ "path": path, "status": status.as_u16(), "body": body }));
    }
    insta::assert_json_snapshot!(answers);
    let all = reports.good("/reports/products").await;
    assert_eq!(all, json!({ "products": [], "next_cursor": null }));
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_database_that_is_away_is_503_until_it_is_back() {
    let mut reports = Reports::with(&orders()).await;
    assert_eq!(reports.good("/health").await["status"], "healthy");
    reports.postgres.stop();
    let (status, body) = reports.get("/reports/daily").await;
    assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("database_unavailable")));
    order_testing::eventually("an unhealthy service", crate::consume::MINUTE, || async {
        (reports.get("/health").await.0 == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    assert_eq!(reports.get("/livez").await.0, StatusCode::OK);
    assert_eq!(reports.get("/readyz").await.0, StatusCode::OK);
    reports.postgres.resume().await;
    reports.good("/reports/daily").await;
    // Each connection of the pool is from before the stop.
    reports.postgres.stop();
    reports.postgres.resume().await;
    reports.good("/reports/daily").await;
    let text = reports.metrics.text();
    assert!(text.contains(r#"http_requests_total{method="GET",endpoint="/reports/daily",status="503"} 1"#), "{text}");
    assert!(text.contains("database_connections_limit 4"), "{text}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_database_without_tables_is_unhealthy() {
    let reports = Reports::over(Postgres::empty().await).await;
    let (status, body) = reports.get("/health").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body["detail"].as_str().expect("text").contains("run order-reporting migrate"), "{body}");
}
