use serde_json::{Value, json};

use super::*;
use crate::settings::tests::{network, settings};

const ID: &str = "abababababababababababababababababababababababababababababababab";

fn decided(method: &str, target: &str, body: &str) -> Result<Order, Refusal> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let asked = Asked { method, path, query, body: body.as_bytes() };
    decide(&settings(), &network(), &asked).map(|(_, order)| order)
}

fn refused(method: &str, target: &str) {
    assert!(decided(method, target, "{}").is_err(), "{method} {target} is let through");
}

fn sent(method: &str, target: &str) -> (String, Vec<(String, String)>) {
    let Ok(Order::Engine(request)) = decided(method, target, "") else { panic!("{method} {target} is refused") };
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    (path.to_owned(), pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
}

fn about(method: &str, target: &str) -> EngineRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let asked = Asked { method, path, query, body: b"" };
    match decide(&settings(), &network(), &asked) {
        Ok((api, Order::Container { ask, .. })) => ask.request(&api, ID),
        other => panic!("{method} {target}: {other:?}"),
    }
}

/// As the client library of the emulator asks, recorded.
#[test]
fn what_a_rehearsal_needs_is_passed_on_as_it_is_written_here() {
    assert_eq!(sent("GET", "/version"), ("/version".to_owned(), Vec::new()));
    assert_eq!(sent("GET", "/v1.41/_ping").0, "/v1.41/_ping");
    let (path, query) = sent(
        "GET",
        "/v1.41/containers/json?limit=-1&all=1&size=0&trunc_cmd=0&filters=%7B%22label%22%3A+%5B%22ministack%3Decs%22%5D%7D",
    );
    assert_eq!(path, "/v1.41/containers/json");
    let filters: Value = serde_json::from_str(&query[1].1).expect("JSON");
    assert_eq!(query[0], ("all".to_owned(), "1".to_owned()));
    assert_eq!(filters, json!({ "label": ["devenv.state=/shop", "devenv.task=/shop", "ministack=ecs"] }));
    let digest = "0".repeat(64);
    let (path, query) =
        sent("POST", &format!("/v1.41/images/create?tag=sha256%3A{digest}&fromImage=127.0.0.1%3A4000%2Fshop%2Fweb"));
    assert_eq!(path, "/v1.41/images/create");
    assert_eq!(query[0].1, "127.0.0.1:4000/shop/web");
    assert_eq!(query[1].1, format!("sha256:{digest}"));
    let image = format!("/v1.41/images/127.0.0.1:4000/shop/web%40sha256:{digest}/json");
    assert_eq!(sent("GET", &image).0, format!("/v1.41/images/127.0.0.1:4000/shop/web@sha256:{digest}/json"));
    for (method, target, path) in [
        ("GET", "/v1.41/containers/x/json", format!("/v1.41/containers/{ID}/json")),
        ("POST", "/v1.41/containers/x/start", format!("/v1.41/containers/{ID}/start")),
        ("POST", "/v1.41/containers/x/stop?t=5", format!("/v1.41/containers/{ID}/stop?t=5")),
        ("POST", "/v1.41/containers/x/wait", format!("/v1.41/containers/{ID}/wait?")),
        (
            "GET",
            "/v1.41/containers/x/logs?stderr=1&stdout=1&timestamps=0&follow=1&tail=all",
            format!("/v1.41/containers/{ID}/logs?follow=1&stderr=1&stdout=1&tail=all&timestamps=0"),
        ),
        (
            "DELETE",
            "/v1.41/containers/x?v=True&link=False&force=False",
            format!("/v1.41/containers/{ID}?force=False&v=True"),
        ),
    ] {
        let request = about(method, target);
        assert_eq!((request.method, request.path), (method, path));
    }
}

#[test]
fn of_its_own_container_the_emulator_learns_the_network_alone() {
    assert_eq!(decided("GET", "/v1.41/containers/shop-rehearsal-guard/json", ""), Ok(Order::Itself));
    let told = itself(&settings(), &network());
    assert_eq!(told["NetworkSettings"]["Networks"]["shop-net"]["IPAddress"], "172.18.0.2");
    assert!(!told.to_string().contains(&settings().key));
    // Its log and its life are not the emulator's: it has no label of a task.
    let inspected = json!({ "Id": ID, "Config": { "Labels": { "devenv.state": "/shop" } } });
    assert_eq!(owned(&settings(), &inspected), None);
}

#[test]
fn only_a_container_with_every_label_is_a_task() {
    let inspected = |labels: Value, id: &str| json!({ "Id": id, "Config": { "Labels": labels } });
    let ours = json!({ "devenv.state": "/shop", "devenv.task": "/shop", "other": "x" });
    assert_eq!(owned(&settings(), &inspected(ours.clone(), ID)).as_deref(), Some(ID));
    for labels in [
        json!({}),
        Value::Null,
        json!({ "devenv.state": "/shop" }),
        json!({ "devenv.state": "/shop", "devenv.task": "/other" }),
        json!({ "devenv.state": "/shop", "devenv.task": 1 }),
    ] {
        assert_eq!(owned(&settings(), &inspected(labels.clone(), ID)), None, "{labels}");
    }
    for id in ["", "abc", "../../../../images/json", &"g".repeat(64)] {
        assert_eq!(owned(&settings(), &inspected(ours.clone(), id)), None, "{id}");
    }
}

#[test]
fn everything_else_of_the_engine_is_refused() {
    for (method, path) in [
        ("GET", "/info"),
        ("GET", "/events"),
        ("GET", "/system/df"),
        ("POST", "/auth"),
        ("POST", "/build"),
        ("POST", "/build/prune"),
        ("POST", "/commit?container=x"),
        ("POST", "/session"),
        ("POST", "/grpc"),
        ("GET", "/images/json"),
        ("GET", "/images/get?names=x"),
        ("POST", "/images/load"),
        ("POST", "/images/prune"),
        ("GET", "/images/search?term=x"),
        ("POST", "/images/127.0.0.1:4000/shop/web/push"),
        ("POST", "/images/127.0.0.1:4000/shop/web/tag?repo=x"),
        ("GET", "/images/127.0.0.1:4000/shop/web/get"),
        ("GET", "/images/127.0.0.1:4000/shop/web/history"),
        ("DELETE", "/images/127.0.0.1:4000/shop/web"),
        ("GET", "/distribution/127.0.0.1:4000/shop/web/json"),
        ("POST", "/containers/x/attach?stream=1"),
        ("GET", "/containers/x/attach/ws"),
        ("GET", "/containers/x/archive?path=/"),
        ("HEAD", "/containers/x/archive?path=/"),
        ("PUT", "/containers/x/archive?path=/"),
        ("GET", "/containers/x/changes"),
        ("POST", "/containers/x/exec"),
        ("GET", "/containers/x/export"),
        ("POST", "/containers/x/kill"),
        ("POST", "/containers/x/pause"),
        ("POST", "/containers/x/rename?name=y"),
        ("POST", "/containers/x/resize"),
        ("POST", "/containers/x/restart"),
        ("GET", "/containers/x/stats"),
        ("GET", "/containers/x/top"),
        ("POST", "/containers/x/unpause"),
        ("POST", "/containers/x/update"),
        ("POST", "/containers/prune"),
        ("POST", "/exec/x/start"),
        ("GET", "/exec/x/json"),
        ("GET", "/volumes"),
        ("POST", "/volumes/create"),
        ("DELETE", "/volumes/x"),
        ("GET", "/networks"),
        ("POST", "/networks/create"),
        ("POST", "/networks/x/connect"),
        ("POST", "/networks/x/disconnect"),
        ("DELETE", "/networks/x"),
        ("GET", "/plugins"),
        ("POST", "/plugins/pull?remote=x"),
        ("POST", "/swarm/init"),
        ("GET", "/swarm"),
        ("GET", "/nodes"),
        ("GET", "/services"),
        ("POST", "/services/create"),
        ("GET", "/tasks"),
        ("GET", "/secrets"),
        ("POST", "/secrets/create"),
        ("GET", "/configs"),
        ("OPTIONS", "/containers/json"),
        ("HEAD", "/containers/x/json"),
        ("PUT", "/containers/create"),
        ("POST", "/containers/json"),
        ("get", "/version"),
        ("CONNECT", "/version"),
    ] {
        refused(method, path);
        refused(method, &format!("/v1.41{path}"));
    }
}

#[test]
fn a_path_is_written_in_one_way() {
    for path in [
        "",
        "/",
        "//version",
        "/version/",
        "/v1.41//version",
        "/v1.41/v1.41/version",
        "/v1.41/../version",
        "/./version",
        "/%2e%2e/version",
        "/containers/x%2fjson",
        "/containers/x%2Fexec/json",
        "/containers/..%2f..%2finfo/json",
        "/containers/../info/json",
        "/containers/%78/json",
        "/containers/x;y/json",
        "/containers/x y/json",
        "/containers/x\u{0}/json",
        "/containers/.x/json",
        "/containers/-x/json",
        "/containers/x:y/json",
        "/containers/ä/json",
        "/V1.41/version",
        "/v1/version",
        "/v1.41.2/version",
        "/v1.4100000/version",
        "version",
        "http://127.0.0.1/version",
        "*",
    ] {
        refused("GET", path);
    }
}

#[test]
fn a_parameter_is_known_and_there_once() {
    for (method, target) in [
        ("GET", "/containers/x/json?size=1"),
        ("GET", "/containers/x/json?other="),
        ("POST", "/containers/x/start?detachKeys=a"),
        ("POST", "/containers/x/stop?signal=SIGHUP"),
        ("POST", "/containers/x/stop?t=5&t=6"),
        ("POST", "/containers/x/stop?t=a"),
        ("POST", "/containers/x/wait?condition=a%26b"),
        ("GET", "/containers/x/logs?follow=maybe"),
        ("GET", "/containers/x/logs?details=1"),
        ("GET", "/containers/x/logs?tail=1%20HTTP"),
        ("DELETE", "/containers/x?link=1"),
        ("DELETE", "/containers/x?v=1&all=1"),
        ("GET", "/containers/json?since=x"),
        ("GET", "/containers/json?size=1"),
        ("GET", "/containers/json?filters=%7B%22network%22%3A%5B%22x%22%5D%7D"),
        ("GET", "/containers/json?filters=%7B%22label%22%3A%22x%22%7D"),
        ("GET", "/containers/json?filters=x"),
        ("POST", "/images/create?fromSrc=-"),
        ("POST", "/images/create?fromImage=127.0.0.1:4000/x&repo=y"),
        ("POST", "/images/create?fromImage=127.0.0.1:4000/x&changes=CMD"),
        ("POST", "/images/create?fromImage=127.0.0.1:4000/x&platform=a%26b"),
    ] {
        refused(method, target);
    }
}

#[test]
fn no_image_of_elsewhere_is_fetched_or_looked_at() {
    for reference in [
        "",
        "alpine",
        "alpine:3",
        "docker.io/library/alpine",
        "127.0.0.1:4000",
        "127.0.0.1:4000/",
        "127.0.0.1:4000//web",
        "127.0.0.1:4000/../web",
        "127.0.0.1:40001/web",
        "127.0.0.1:4001/web",
        "localhost:4000/web",
        "127.0.0.1:4000.example.com/web",
        "127.0.0.1:4000/web?x",
        "127.0.0.1:4000/web#x",
        "sha256:0123",
    ] {
        assert!(image(&settings(), reference).is_err(), "{reference}");
        let encoded: String = url::form_urlencoded::byte_serialize(reference.as_bytes()).collect();
        refused("POST", &format!("/images/create?fromImage={encoded}"));
        refused("POST", &format!("/images/create?fromImage={encoded}&tag=1"));
    }
    refused("POST", "/images/create?fromImage=127.0.0.1:4000/web&tag=1%20x");
    refused("POST", "/images/create");
    refused("GET", "/images/alpine/json");
    image(&settings(), "127.0.0.1:4000/shop/web:1").expect("the rehearsal's own");
}

#[test]
fn a_container_has_no_name_but_below_the_rehearsals_own() {
    let body = r#"{"Image": "127.0.0.1:4000/shop/web:1"}"#;
    let Ok(Order::Engine(request)) = decided("POST", "/v1.41/containers/create?name=ministack-ecs-1-web", body) else {
        panic!("refused")
    };
    assert_eq!(request.path, "/v1.41/containers/create?name=shop-rehearsal-ministack-ecs-1-web");
    assert!(decided("POST", "/containers/create?name=a/b", body).is_err());
    assert!(decided("POST", "/containers/create?name=a&name=b", body).is_err());
    assert!(decided("POST", "/containers/create?fromImage=a", body).is_err());
    assert!(decided("POST", "/containers/create", "").is_err(), "without a description");
}
