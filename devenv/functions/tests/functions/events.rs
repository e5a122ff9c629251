//! Events of callers that do not wait.

use serde_json::json;

use crate::host::{Host, eventually, function};
use crate::runtime::{Act, Program};

const API: &str = "/2015-03-31/functions/api/invocations";
const EVENT: &[(&str, &str)] = &[("x-amz-invocation-type", "Event")];

#[tokio::test]
async fn an_event_outlives_the_host_until_it_is_handled() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = camino::Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
    let settings = Host::settings(vec![function("api", 60, 1)], data.clone());
    let host = Host::start(settings.clone()).await;
    for number in 0..3 {
        assert_eq!(host.post(API, EVENT, &number.to_string()).await.status(), 202);
    }
    let kept = || std::fs::read_dir(data.join("events")).expect("a folder").count();
    assert_eq!(kept(), 3);
    // As after a kill: nothing but the files is left.
    drop(host);
    let host = Host::start(Host::settings(
        settings.functions.clone().into_iter().map(|one| function(&one.name, 60, 1)).collect(),
        data.clone(),
    ))
    .await;
    let program = Program::echo(host.runtime(0, 0));
    eventually("every event is handled", async || kept() == 0).await;
    let mut seen = program.seen();
    seen.sort_by_key(serde_json::Value::as_i64);
    assert_eq!(seen, [json!(0), json!(1), json!(2)]);
}

#[tokio::test]
async fn what_a_kill_left_half_written_is_removed_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = camino::Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
    for part in ["events", "checkpoints"] {
        std::fs::create_dir_all(data.join(part)).expect("writable");
        for name in [".draft-Ab12Cd", "other.json"] {
            std::fs::write(data.join(part).join(name), "{").expect("writable");
        }
    }
    let _host = Host::start(Host::settings(vec![function("api", 60, 1)], data.clone())).await;
    for part in ["events", "checkpoints"] {
        let left = std::fs::read_dir(data.join(part)).expect("a folder");
        let left: Vec<_> = left.map(|entry| entry.expect("readable").file_name()).collect();
        assert_eq!(left, ["other.json"], "{part}");
    }
}

#[tokio::test]
async fn an_event_is_tried_three_times() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = camino::Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
    let host = Host::start(Host::settings(vec![function("api", 60, 1)], data.clone())).await;
    let program = Program::start(host.runtime(0, 0), |_| Act::Fail("always"));
    assert_eq!(host.post(API, EVENT, "1").await.status(), 202);
    eventually("it is given up", async || std::fs::read_dir(data.join("events")).expect("a folder").count() == 0).await;
    assert_eq!(program.seen().len(), 3);
}
