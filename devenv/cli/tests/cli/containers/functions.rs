//! Functions in containers: their images stay as they are, and an init ends programs that hang.

use serde_json::{Value, json};

use super::engine::{docker, python_image};
use super::project::Project;
use crate::folder::{eventually, post};
use crate::functions::{FOLDERS, FUNCTION, OF_QUEUE};

/// A program on Lambda's Runtime API, by Python's standard library alone. What it does is in the event. It ignores SIGTERM.
const PROGRAM: &str = r#"import http.client, json, os, signal, subprocess, sys, time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("program started", flush=True)
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
RUNTIME = "/2018-06-01/runtime/invocation/"
while True:
    connection.request("GET", RUNTIME + "next")
    answer = connection.getresponse()
    invocation = answer.getheader("Lambda-Runtime-Aws-Request-Id")
    event = json.loads(answer.read())
    print("handling", json.dumps(event)[:200], flush=True)
    kind, response = "response", {"event": event, "name": os.environ["AWS_LAMBDA_FUNCTION_NAME"]}
    failed = []
    for record in event.get("Records", []):
        if "body" in record:
            text = record["body"]
            if "poison" in text:
                failed.append(record["messageId"])
                continue
        else:
            text = record["dynamodb"]["Keys"]["id"]["S"]
        print("handled", text, flush=True)
    if "Records" in event:
        response = {"batchItemFailures": [{"itemIdentifier": item} for item in failed]}
    elif "sleep" in event:
        subprocess.Popen(["sleep", "600"], start_new_session=True)
        time.sleep(event["sleep"])
    elif "fail" in event:
        kind, response = "error", {"errorType": "Test", "errorMessage": event["fail"]}
    elif "exit" in event:
        sys.exit(event["exit"])
    elif "processes" in event:
        response = len([name for name in os.listdir("/proc") if name.isdigit()])
    connection.request("POST", RUNTIME + invocation + "/" + kind, json.dumps(response))
    connection.getresponse().read()
"#;
const OF_STREAM: &str = r#"{
  "FunctionName": "worker",
  "EventSourceArn": "arn:aws:dynamodb:::table/items/stream",
  "StartingPosition": "TRIM_HORIZON"
}"#;
const WORK: &str = r#"{
  "QueueName": "work",
  "Attributes": {
    "VisibilityTimeout": "6",
    "RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:aws:sqs:::work-dead\",\"maxReceiveCount\":1}"
  }
}
"#;
const STREAM: &str = r#""BillingMode": "PAY_PER_REQUEST",
  "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" }"#;

/// A function of a read-only image without any right, fed by a queue and a stream.
fn add_function(project: &Project) {
    project.change("devenv.toml", "seeds = \"seeds\"\n", FOLDERS);
    let image = python_image();
    let service = format!(
        "  worker:\n    image: {image}\n    entrypoint: [\"python3\"]\n    command: [\"/worker.py\"]\n    \
         volumes: [\"./worker.py:/worker.py:ro\"]\n    user: \"65532:65532\"\n    read_only: true\n    cap_drop: [ALL]\n    \
         security_opt: [\"no-new-privileges:true\"]\n    mem_limit: 128m\n    pids_limit: 32\n    stop_grace_period: 1s\n  back:\n"
    );
    project.change("compose.yaml", "  back:\n", &service);
    project.change("tables/items.json", "\"BillingMode\": \"PAY_PER_REQUEST\"", STREAM);
    for (file, text) in [
        ("worker.py", PROGRAM),
        ("queues/work.json", WORK),
        ("queues/work-dead.json", r#"{ "QueueName": "work-dead" }"#),
        ("functions/worker.json", FUNCTION),
        ("mappings/worker-work.json", OF_QUEUE),
        ("mappings/worker-items.json", OF_STREAM),
        ("sleep.json", r#"{ "sleep": 60 }"#),
        ("fail.json", r#"{ "fail": "on purpose" }"#),
        ("exit.json", r#"{ "exit": 0 }"#),
        ("processes.json", r#"{ "processes": true }"#),
    ] {
        project.write(file, text);
    }
}

fn project() -> Project {
    let project = Project::new();
    add_function(&project);
    project
}

/// Calls the emulator, `service` at the port of `unit`.
fn call(project: &Project, (unit, port): (&str, u16), target: &str, input: &Value) {
    let port = project.unit(unit)["ports"][port.to_string()].as_u64().expect("it is published");
    let service = if target.starts_with("AmazonSQS") { "sqs" } else { "dynamodb" };
    let headers = format!(
        "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: {target}\r\nX-Amz-Date: 20260101T000000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=devenv/20260101/eu-west-1/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0\r\n"
    );
    post(&format!("http://127.0.0.1:{port}"), &headers, &input.to_string());
}

fn handled(project: &Project, text: &str) -> bool {
    let logs = project.done(&["logs", "worker", "--output", "plain"]).out;
    logs.lines().any(|line| line.ends_with(&format!("handled {text}")))
}

fn resource(project: &Project, name: &str) -> Value {
    let listed = project.json(&["resources"]);
    let all = listed["resources"].as_array().unwrap_or_else(|| panic!("{listed}")).clone();
    all.into_iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {listed}"))
}

/// A message and a record reach the function on this emulator; `queues` is the unit and the port of SQS, `tables` those of DynamoDB.
fn is_fed(project: &Project, emulator: &str, queues: (&str, u16), tables: (&str, u16)) {
    project.done(&["up", "-d", "--runtime", "docker", "--emulator", emulator, "--output", "plain"]);
    // The host's own URL of a queue: an emulator in a container knows its name on the network.
    let url = format!("http://{}:{}/000000000000/work", queues.0, queues.1);
    for body in ["one", "poison"] {
        call(project, queues, "AmazonSQS.SendMessage", &json!({ "QueueUrl": url, "MessageBody": body }));
    }
    let item = json!({ "TableName": "items", "Item": { "id": { "S": "new" } } });
    call(project, tables, "DynamoDB_20120810.PutItem", &item);
    eventually("the message is handled", || handled(project, "one"));
    eventually("the record is handled", || handled(project, "new"));
    eventually("the poison is dead", || resource(project, "work-dead")["messages"]["visible"] == 1);
    assert_eq!(resource(project, "worker")["state"], "ready");
    assert_eq!(resource(project, "worker-items")["state"], "enabled");
}

#[test]
#[ignore = "needs a container engine and PYTHON_IMAGE"]
fn a_function_in_a_container_is_invoked_listed_and_leaves_nothing() {
    let project = project();
    project.up();
    assert!(project.up().err.contains("unchanged"), "a second up changes nothing");
    let container = project.container("worker");
    let inspected = |format: &str| docker(&["inspect", "--format", format, &container]);
    assert_eq!(inspected("{{.Image}}"), docker(&["image", "inspect", "--format", "{{.Id}}", &python_image()]));
    assert_eq!(inspected("{{.Config.Cmd}}"), "[python3 /worker.py]");
    let done = project.run(&["invoke", "worker", "--event", "queues/work-dead.json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let response: Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!(response, json!({ "event": { "QueueName": "work-dead" }, "name": "worker" }));
    for part in ["START RequestId", "handling", "REPORT RequestId", "Memory Size: 256 MB"] {
        assert!(done.err.contains(part), "no {part} in {}", done.err);
    }
    let failed = project.run(&["invoke", "worker", "--event", "fail.json"]);
    assert!(failed.code == 1 && failed.out.contains("on purpose"), "{failed:?}");
    assert!(project.done(&["logs", "functions"]).out.contains("REPORT RequestId"));
    let told = project.done(&["exec", "worker", "--", "sh", "-c", "echo $AWS_ENDPOINT_URL_LAMBDA"]).out;
    assert_eq!(told.trim(), "http://functions:9001");
    let url = project.json(&["env"])["variables"]["AWS_ENDPOINT_URL_LAMBDA"].clone();
    assert_eq!(url, project.unit("functions")["url"], "a program of this machine has the published port");
    project.done(&["down", "--volumes"]);
    assert_eq!(project.things(), [""; 0]);
}

#[test]
#[ignore = "needs a container engine and PYTHON_IMAGE"]
fn a_program_that_hangs_is_killed_with_all_it_started_and_one_that_ends_comes_back() {
    let project = project();
    project.up();
    let before = project.unit("worker")["pid"].clone();
    // More often than an engine restarts a container that fails.
    for round in 0..7 {
        let late = project.run(&["invoke", "worker", "--event", "sleep.json"]);
        assert!(late.code == 1 && late.out.contains("Task timed out after 1.00 seconds"), "{round}: {late:?}");
    }
    let processes = project.done(&["invoke", "worker", "--event", "processes.json"]);
    assert_eq!(processes.out.trim(), "2", "the init and the program");
    assert_eq!(project.unit("worker")["pid"], before, "the container runs on");
    // An end without an answer; the program is back before the deadline, or after it.
    let ended = project.run(&["invoke", "worker", "--event", "exit.json"]);
    assert!(
        ended.code == 1 && (ended.out.contains("Runtime.ExitError") || ended.out.contains("timed out")),
        "{ended:?}"
    );
    for unit in ["worker", "functions"] {
        project.done(&["unit", "kill", unit]);
        eventually("the function is back", || project.run(&["invoke", "worker"]).code == 0);
    }
    eventually("both are ready", || ["worker", "functions"].iter().all(|unit| project.unit(unit)["state"] == "ready"));
}

#[test]
#[ignore = "needs a container engine and PYTHON_IMAGE"]
fn a_program_that_cannot_start_is_shown_with_its_last_lines() {
    let project = project();
    project.write("worker.py", "import sys\nprint('no settings', flush=True)\nsys.exit(3)\n");
    let failed = project.run(&["up", "-d", "--runtime", "docker", "--output", "plain"]);
    assert_ne!(failed.code, 0);
    let told = [failed.out, failed.err].concat();
    assert!(told.contains("worker") && told.contains("exit code 3") && told.contains("no settings"), "{told}");
}

#[test]
#[ignore = "needs a container engine and PYTHON_IMAGE"]
fn a_function_is_fed_by_the_embedded_emulator_in_a_container() {
    is_fed(&project(), "embedded", ("emulator", 9324), ("emulator", 8000));
}

#[test]
#[ignore = "needs a container engine, PYTHON_IMAGE and LOCALSTACK_IMAGE"]
fn a_function_is_fed_by_localstack() {
    let project = project();
    project.offer_emulator("localstack", "LOCALSTACK_IMAGE");
    is_fed(&project, "localstack", ("emulator", 4566), ("emulator", 4566));
}

#[test]
#[ignore = "needs a container engine, PYTHON_IMAGE and DYNAMODB_LOCAL_IMAGE"]
fn a_function_is_fed_by_dynamodb_local_and_the_queues_beside_it() {
    let project = project();
    project.offer_emulator("dynamodb-local", "DYNAMODB_LOCAL_IMAGE");
    is_fed(&project, "dynamodb-local", ("emulator-messages", 9324), ("emulator", 8000));
}
