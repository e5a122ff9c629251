//! Queues, topics and subscriptions of the emulators that run as containers.

use super::engine::{docker, image_of};
use super::project::Project;
use crate::messaging::{Messaging, add_messaging};

fn works_on(emulator: &str, project: &Project, port: u16, redrives: bool) {
    let up = ["up", "-d", "--runtime", "docker", "--emulator", emulator];
    project.done(&up);
    let inside = docker(&["inspect", "--format", "{{json .Config.Env}}", &project.container("web")]);
    let url = format!("WORK_URL=http://emulator:{port}/000000000000/work");
    assert!(inside.contains(&url) && inside.contains("AWS_ENDPOINT_URL_SNS="), "{inside}");
    let address = project.unit("emulator")["url"].as_str().expect("it has an address").to_owned();
    Messaging { project, up: &up, emulator: address, redrives }.works();
}

#[test]
#[ignore = "needs a container engine"]
fn messages_of_the_embedded_emulator_in_a_container() {
    let project = Project::new();
    add_messaging(&project);
    works_on("embedded", &project, 8000, true);
}

#[test]
#[ignore = "needs a container engine and LOCALSTACK_IMAGE"]
fn messages_of_localstack() {
    let project = Project::new();
    add_messaging(&project);
    let image = image_of("LOCALSTACK_IMAGE");
    project.change(
        "devenv.toml",
        "[emulator.embedded]",
        &format!("[emulator.localstack]\nimage = \"{image}\"\n[emulator.embedded]"),
    );
    // ministack has no StartMessageMoveTask.
    works_on("localstack", &project, 4566, false);
}

#[test]
#[ignore = "needs a container engine"]
fn dynamodb_local_is_refused_with_the_remedy() {
    let project = Project::new();
    add_messaging(&project);
    project.change(
        "devenv.toml",
        "[emulator.embedded]",
        "[emulator.dynamodb-local]\nimage = \"amazon/dynamodb-local:2.6.1\"\n[emulator.embedded]",
    );
    let ran = project.run(&["up", "-d", "--runtime", "docker", "--emulator", "dynamodb-local"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    for part in ["the emulator dynamodb-local has no sqs and no sns", "--emulator embedded"] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
}
