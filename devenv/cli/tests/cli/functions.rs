//! Functions through the real command: `up`, `invoke`, `resources`, deadlines and kills.

use serde_json::{Value, json};

use crate::folder::{Folder, eventually, post, signal};
use crate::project::Project;

/// A program on Lambda's Runtime API, by Python's standard library alone. What it does is in the event.
const PROGRAM: &str = r#"import http.client, json, os, sys, time

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
    if "Records" in event:
        failed = [record["messageId"] for record in event["Records"] if "poison" in record["body"]]
        with open("handled", "a") as file:
            file.writelines(record["body"] + "\n" for record in event["Records"] if "poison" not in record["body"])
        response = {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
    elif "sleep" in event:
        time.sleep(event["sleep"])
    elif "fail" in event:
        kind, response = "error", {"errorType": "Test", "errorMessage": event["fail"]}
    elif "exit" in event:
        sys.exit(3)
    connection.request("POST", RUNTIME + invocation + "/" + kind, json.dumps(response))
    connection.getresponse().read()
"#;
pub(crate) const FUNCTION: &str =
    r#"{ "FunctionName": "worker", "PackageType": "Image", "Timeout": 1, "MemorySize": 256 }"#;
pub(crate) const OF_QUEUE: &str = r#"{
  "FunctionName": "worker",
  "EventSourceArn": "arn:aws:sqs:::work",
  "FunctionResponseTypes": ["ReportBatchItemFailures"]
}"#;
const WORK: &str = r#"{
  "QueueName": "work",
  "Attributes": {
    "VisibilityTimeout": "6",
    "RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:aws:sqs:::work-dead\",\"maxReceiveCount\":2}"
  }
}
"#;

/// In place of the seeds' folder in `devenv.toml`.
pub(crate) const FOLDERS: &str =
    "seeds = \"seeds\"\nqueues = \"queues\"\nfunctions = \"functions\"\nevent-source-mappings = \"mappings\"\n";

/// Adds a function that a queue feeds to a project.
fn add_function(project: &Folder) {
    project.change("devenv.toml", "seeds = \"seeds\"\n", FOLDERS);
    let command = "[services.worker.process]\ncommand = [\"python3\", \"worker.py\"]\ninputs = [\"worker.py\"]\n[test]";
    project.change("devenv.toml", "[test]", command);
    project.change("compose.yaml", "  back:\n", "  worker:\n    image: worker:1\n    stop_grace_period: 1s\n  back:\n");
    project.write("worker.py", PROGRAM);
    project.write("queues/work.json", WORK);
    project.write("queues/work-dead.json", r#"{ "QueueName": "work-dead" }"#);
    project.write("functions/worker.json", FUNCTION);
    project.write("mappings/worker-work.json", OF_QUEUE);
}

fn up() -> Project {
    let project = Project::new();
    add_function(&project);
    project.done(&["up", "-d"]);
    project
}

fn handled(project: &Folder) -> Vec<String> {
    let text = std::fs::read_to_string(project.path().join("handled")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn resource(project: &Folder, name: &str) -> Value {
    let listed = project.json(&["resources"]);
    let all = listed["resources"].as_array().unwrap_or_else(|| panic!("{listed}")).clone();
    all.into_iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {listed}"))
}

fn send(project: &Folder, bodies: &[String]) {
    let emulator = project.unit("emulator");
    let bindings = emulator["bindings"].as_array().expect("a list");
    let of_queues = bindings.iter().find(|binding| binding["container"] == 9324).expect("a port of queues");
    let url = format!("http://{}", of_queues["host"].as_str().expect("an address"));
    for body in bodies {
        let input = json!({ "QueueUrl": format!("{url}/000000000000/work"), "MessageBody": body });
        let headers = "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n\
                       X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 \
                       Credential=devenv/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=0\r\n";
        post(&url, headers, &input.to_string());
    }
}

#[test]
#[ignore = "needs python3"]
fn a_function_is_started_invoked_listed_and_fed_by_its_queue() {
    let project = up();
    assert!(project.done(&["up", "-d"]).err.contains("unchanged"), "a second up changes nothing");
    assert_eq!(project.unit("worker")["state"], "ready");
    let done = project.run(&["invoke", "worker", "--event", "queues/work-dead.json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let response: Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!(response, json!({ "event": { "QueueName": "work-dead" }, "name": "worker" }));
    for part in ["START RequestId", "handling", "REPORT RequestId", "Memory Size: 256 MB"] {
        assert!(done.err.contains(part), "no {part} in {}", done.err);
    }
    assert!(done.err.starts_with("START RequestId") && !done.err.contains("note:"), "{}", done.err);
    project.write("fail.json", r#"{ "fail": "on purpose" }"#);
    let failed = project.run(&["invoke", "worker", "--event", "fail.json"]);
    assert!(failed.code == 1 && failed.out.contains("on purpose"), "{failed:?}");
    let unknown = project.run(&["invoke", "workr"]);
    assert!(unknown.code == 2 && unknown.err.contains("did you mean worker?"), "{}", unknown.err);
    send(&project, &["one".to_owned(), "poison".to_owned(), "two".to_owned()]);
    eventually("the good messages are handled", || {
        let mut all = handled(&project);
        all.sort();
        all == ["one", "two"]
    });
    eventually("the poison is dead", || resource(&project, "work-dead")["messages"]["visible"] == 1);
    assert_eq!(resource(&project, "worker")["state"], "ready");
    assert_eq!(resource(&project, "worker-work")["state"], "enabled");
    let table = project.done(&["resources"]).out;
    assert!(table.contains("mapping   worker-work") && table.contains("queue work to worker"), "{table}");
    let told = project.done(&["exec", "web", "--", "sh", "-c", "echo $AWS_ENDPOINT_URL_LAMBDA"]).out;
    assert_eq!(told.trim(), project.unit("functions")["url"].as_str().expect("it has an address"));
    project.done(&["down"]);
    project.nothing_is_left();
}

#[test]
#[ignore = "needs python3"]
fn a_program_past_its_deadline_is_killed_and_started_again() {
    let project = up();
    let before = project.unit("worker")["pid"].clone();
    project.write("sleep.json", r#"{ "sleep": 60 }"#);
    let late = project.run(&["invoke", "worker", "--event", "sleep.json"]);
    assert!(late.code == 1 && late.out.contains("Task timed out after 1.00 seconds"), "{late:?}");
    assert!(late.err.contains("Status: timeout"), "{}", late.err);
    let done = project.run(&["invoke", "worker"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_ne!(project.unit("worker")["pid"], before, "another program");
    // Enough for the program to be back before the deadline.
    project.change("functions/worker.json", "\"Timeout\": 1", "\"Timeout\": 60");
    project.change("queues/work.json", "\"6\"", "\"360\"");
    project.done(&["up", "-d"]);
    project.write("exit.json", r#"{ "exit": true }"#);
    let ended = project.run(&["invoke", "worker", "--event", "exit.json"]);
    assert!(ended.code == 1 && ended.out.contains("Runtime.ExitError"), "{ended:?}");
}

#[test]
#[ignore = "needs python3"]
fn kills_of_host_and_function_lose_no_message() {
    let project = up();
    let bodies: Vec<String> = (0..60).map(|number| format!("message-{number}")).collect();
    for (round, some) in bodies.chunks(20).enumerate() {
        send(&project, some);
        let unit = if round % 2 == 0 { "functions" } else { "worker" };
        if let Some(pid) = project.unit(unit)["pid"].as_u64() {
            signal(pid, "KILL");
        }
    }
    eventually("every message is handled", || {
        let all = handled(&project);
        bodies.iter().all(|body| all.contains(body))
    });
    eventually("both units are back", || {
        ["functions", "worker"].iter().all(|unit| project.unit(unit)["state"] == "ready")
    });
    assert_eq!(resource(&project, "work-dead")["messages"]["visible"], 0);
}

#[test]
fn a_function_of_a_profile_that_is_not_enabled_is_named_with_the_profile() {
    let project = Project::new();
    add_function(&project);
    project.change("compose.yaml", "    image: worker:1\n", "    image: worker:1\n    profiles: [work]\n");
    let refused = project.run(&["invoke", "worker"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    for part in ["belongs to the profile work, which is not enabled", "devenv up -d --profile work"] {
        assert!(refused.err.contains(part), "no {part} in {}", refused.err);
    }
    let other = project.run(&["invoke", "--profile", "more", "worker"]);
    assert!(other.err.contains("devenv up -d --profile more --profile work"), "{}", other.err);
}

#[test]
fn a_plan_has_the_host_before_its_functions_and_a_mistake_its_place() {
    let project = Project::new();
    add_function(&project);
    let plan = project.done(&["up", "--dry-run"]);
    let at = |step: &str| plan.out.find(step).unwrap_or_else(|| panic!("no {step} in {}", plan.out));
    assert!(at("ensure queue work (") < at("start functions"), "{}", plan.out);
    assert!(at("start functions") < at("start worker"), "{}", plan.out);
    project.change("mappings/worker-work.json", "\"worker\"", "\"workr\"");
    let mistake = project.run(&["up", "--dry-run"]);
    assert_eq!(mistake.code, 3, "{}", mistake.err);
    assert!(mistake.err.contains("no file declares the function workr"), "{}", mistake.err);
}
