//! Callers of the Invoke API.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::host::{Host, folder, function};
use crate::runtime::{Act, Program};

const API: &str = "/2015-03-31/functions/api/invocations";

#[tokio::test]
async fn a_function_answers_or_fails() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 60, 1)], data)).await;
    let _program = Program::start(host.runtime(0, 0), |event| match event["fail"].as_bool() {
        Some(true) => Act::Fail("on purpose"),
        _ => Act::Return(event.to_string()),
    });
    assert_eq!(host.invoked("api", r#"{"a":1}"#).await, json!({ "a": 1 }));
    assert_eq!(host.invoked("api", "").await, json!({}), "no event is an empty one");
    let arn = "arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Aapi";
    assert_eq!(host.invoked(arn, "2").await, 2);
    let failed = host.post(API, &[("x-amz-log-type", "Tail")], r#"{"fail":true}"#).await;
    assert_eq!(
        (failed.status().as_u16(), failed.headers()["x-amz-function-error"].to_str().ok()),
        (200, Some("Unhandled"))
    );
    assert_eq!(failed.headers()["x-amz-executed-version"], "$LATEST");
    let log = STANDARD.decode(failed.headers()["x-amz-log-result"].as_bytes()).expect("Base64");
    let log = String::from_utf8(log).expect("UTF-8");
    let lines: Vec<&str> = log.lines().map(|line| line.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(lines, ["START", "END", "REPORT"], "{log}");
    assert!(log.contains("Status: error"), "{log}");
    assert_eq!(failed.json::<Value>().await.expect("JSON")["errorMessage"], "on purpose");
}

#[tokio::test]
async fn mistakes_of_callers_have_the_errors_of_lambda() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 60, 1)], data)).await;
    // More than a connection holds before somebody reads it.
    let large = "1".repeat(40 * 1024 * 1024);
    let event = [("x-amz-invocation-type", "Event")];
    let other = [("x-amz-invocation-type", "Now")];
    let megabytes = format!("\"{}\"", "x".repeat(2 * 1024 * 1024));
    let long = STANDARD.encode("x".repeat(2688));
    for (path, headers, body, status, kind) in [
        ("/2015-03-31/functions/apj/invocations", &[][..], "{}", 404, "ResourceNotFoundException"),
        ("/2015-03-31/functions/api:prod/invocations", &[], "{}", 404, "ResourceNotFoundException"),
        ("/2015-03-31/functions/api/invocations?Qualifier=prod", &[], "{}", 404, "ResourceNotFoundException"),
        (API, &[("x-amz-client-context", "{}")], "{}", 400, "InvalidParameterValueException"),
        (API, &[("x-amz-client-context", long.as_str())], "{}", 400, "InvalidParameterValueException"),
        (API, &[], "{", 400, "InvalidRequestContentException"),
        (API, &other, "{}", 400, "InvalidParameterValueException"),
        (API, &[], large.as_str(), 413, "RequestTooLargeException"),
        (API, &event, megabytes.as_str(), 413, "RequestTooLargeException"),
        (API, &[("origin", "http://evil.example")], "{}", 403, "AccessDeniedException"),
        (API, &[("host", "evil.example:9000")], "{}", 403, "AccessDeniedException"),
        (API, &[("host", "127.0.0.1.evil.example")], "{}", 403, "AccessDeniedException"),
    ] {
        let answer = host.post(path, headers, body).await;
        let found = answer.headers()["x-amzn-errortype"].to_str().map(str::to_owned);
        assert_eq!((answer.status().as_u16(), found.ok().as_deref()), (status, Some(kind)), "{path} {headers:?}");
    }
    let bytes = host.post(API, &[], b"\"\xff\"").await;
    let found = bytes.headers()["x-amzn-errortype"].to_str().map(str::to_owned);
    assert_eq!((bytes.status().as_u16(), found.ok().as_deref()), (400, Some("InvalidRequestContentException")));
    let dry = host.post(API, &[("x-amz-invocation-type", "DryRun")], "{}").await;
    assert_eq!(dry.status(), 204);
}

#[tokio::test]
async fn functions_are_described() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 60, 1)], data)).await;
    let listed: Value = host.get("/2015-03-31/functions/").await.json().await.expect("JSON");
    assert_eq!(listed["Functions"][0]["FunctionName"], "api");
    let found: Value = host.get("/2015-03-31/functions/api").await.json().await.expect("JSON");
    let configuration = &found["Configuration"];
    assert_eq!((&configuration["Timeout"], &configuration["State"]), (&60.into(), &"Pending".into()), "{found}");
    for (path, status) in [
        ("other", 404),
        ("api?Qualifier=1", 404),
        ("api/configuration?Qualifier=prod", 404),
        ("api?Qualifier=%24LATEST", 200),
        ("api/configuration?Qualifier=$LATEST", 200),
    ] {
        assert_eq!(host.get(&format!("/2015-03-31/functions/{path}")).await.status(), status, "{path}");
    }
    for name in ["localhost:4567", "[::1]", "LOCALHOST"] {
        let dry = [("x-amz-invocation-type", "DryRun"), ("host", name)];
        assert_eq!(host.post(API, &dry, "{}").await.status(), 204, "{name}");
    }
}

#[tokio::test]
async fn an_event_past_its_deadline_fails() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 1, 1)], data)).await;
    let _program = Program::start(host.runtime(0, 0), |_| Act::Hang);
    let begun = Instant::now();
    let late = host.post(API, &[], "{}").await;
    assert!(begun.elapsed() >= Duration::from_secs(1) && begun.elapsed() < Duration::from_secs(5));
    assert_eq!(late.headers()["x-amz-function-error"], "Unhandled");
    let error: Value = late.json().await.expect("JSON");
    let message = error["errorMessage"].as_str().expect("text");
    assert!(message.ends_with("Task timed out after 1.00 seconds"), "{message}");
}

#[tokio::test]
async fn a_program_that_dies_fails_its_event_when_it_is_back() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 60, 1)], data)).await;
    let dying = Program::start(host.runtime(0, 0), |_| Act::Die);
    let restarted = async {
        while dying.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Program::echo(host.runtime(0, 0))
    };
    let (lost, _program) = tokio::join!(host.post(API, &[], "1"), restarted);
    assert_eq!(lost.json::<Value>().await.expect("JSON")["errorType"], "Runtime.ExitError");
    assert_eq!(host.invoked("api", "2").await, 2);
}

#[tokio::test]
async fn as_many_events_are_under_way_as_there_are_units() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 60, 2)], data)).await;
    let host = &host;
    let units: Vec<Program> = (0..2).map(|unit| Program::echo(host.runtime(0, unit))).collect();
    let events: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let answers = futures_util::future::join_all(events.iter().map(|event| host.invoked("api", event))).await;
    let expected: Vec<Value> = (0..50).map(Value::from).collect();
    assert_eq!(answers, expected);
    assert_eq!(units.iter().map(|unit| unit.seen().len()).sum::<usize>(), 50);
}
