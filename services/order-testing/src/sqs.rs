//! SQS and SNS over HTTP: the answers of the embedded ones, and the tests' calls.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use devenv_messaging::{Head, Messaging};
use reqwest::Client;
use serde_json::Value;

pub(crate) async fn answer(State(messaging): State<Messaging>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let head = Head {
        target: text("x-amz-target"),
        host: text("host"),
        authorization: text("authorization"),
        path: "/".to_owned(),
        query: String::new(),
    };
    let reply = messaging.answer(&head, &body).await;
    let status = StatusCode::from_u16(reply.status).expect("a status");
    (status, [(header::CONTENT_TYPE, reply.content_type)], reply.body).into_response()
}

/// Calls an operation of SQS that must succeed.
pub(crate) async fn call(http: &Client, url: &str, operation: &str, request: &Value) -> Value {
    let answer = http
        .post(format!("{url}/"))
        .header("x-amz-target", format!("AmazonSQS.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .body(request.to_string())
        .send()
        .await
        .expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("text");
    assert!(status.is_success(), "{operation}: {status} {text}");
    if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") }
}
