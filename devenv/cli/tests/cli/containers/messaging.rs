//! Queues, topics and subscriptions of the emulators that run as containers.

use super::engine::docker;
use super::project::Project;
use crate::folder::eventually;
use crate::messaging::{Messaging, add_messaging};

/// `unit` and `port` are those of queues and topics.
fn works_on(emulator: &str, project: &Project, (unit, port): (&str, u16), redrives: bool) {
    let up = ["up", "-d", "--runtime", "docker", "--emulator", emulator];
    project.done(&up);
    let inside = docker(&["inspect", "--format", "{{json .Config.Env}}", &project.container("web")]);
    let url = format!("http://{unit}:{port}");
    for variable in [
        format!("WORK_URL={url}/000000000000/work"),
        format!("AWS_ENDPOINT_URL_SNS={url}"),
        format!("AWS_ENDPOINT_URL={url}"),
    ] {
        assert!(inside.contains(&format!("\"{variable}\"")), "{variable} in {inside}");
    }
    let ports = project.unit(unit)["ports"].clone();
    let port = ports[port.to_string()].as_u64().unwrap_or_else(|| panic!("it is published: {ports}"));
    Messaging { project, up: &up, emulator: format!("http://127.0.0.1:{port}"), redrives }.works();
}

#[test]
#[ignore = "needs a container engine"]
fn messages_of_the_embedded_emulator_in_a_container() {
    let project = Project::new();
    add_messaging(&project);
    works_on("embedded", &project, ("emulator", 9324), true);
}

#[test]
#[ignore = "needs a container engine and LOCALSTACK_IMAGE"]
fn messages_of_localstack() {
    let project = Project::new();
    add_messaging(&project);
    project.offer_emulator("localstack", "LOCALSTACK_IMAGE");
    // ministack has no StartMessageMoveTask.
    works_on("localstack", &project, ("emulator", 4566), false);
}

#[test]
#[ignore = "needs a container engine and DYNAMODB_LOCAL_IMAGE"]
fn messages_beside_dynamodb_local() {
    let project = Project::new();
    add_messaging(&project);
    project.offer_emulator("dynamodb-local", "DYNAMODB_LOCAL_IMAGE");
    works_on("dynamodb-local", &project, ("emulator-messages", 9324), true);
    let before = project.json(&["resources"])["resources"].clone();
    project.done(&["unit", "kill", "emulator-messages"]);
    eventually("its messages survive a kill", || {
        let ran = project.run(&["resources", "--output", "json"]);
        let listed = serde_json::from_str::<serde_json::Value>(ran.out.trim());
        listed.is_ok_and(|listed| listed["resources"] == before)
    });
    let logs = project.done(&["logs", "emulator-messages"]).out;
    assert!(logs.contains("listening on"), "{logs}");
    project.done(&["down", "--volumes"]);
    assert_eq!(project.things(), [""; 0], "its volume goes with the others");
}
