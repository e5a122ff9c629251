//! Queues and topics in a rehearsal without Terraform of its own.

use serde_json::{Value, json};

use super::project::{Project, ask};

/// Publishes a text, receives it from the queue, and tries what only the owner of the account may do. `/work` answers at once.
const SERVER: &str = r#"import json, os, urllib.error, urllib.parse, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

def send(service, path, headers, body):
    scope = f"devenv/20260101/eu-west-1/{service}/aws4_request"
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    endpoint = os.environ[f"AWS_ENDPOINT_URL_{service.upper()}"] + path
    try:
        with urllib.request.urlopen(urllib.request.Request(endpoint, body, headers), timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b"{}"

def sns(action, **fields):
    form = urllib.parse.urlencode({"Action": action, "Version": "2010-03-31", **fields})
    return send("sns", "/", {"Content-Type": "application/x-www-form-urlencoded"}, form.encode())

def sqs(action, path="/", **fields):
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"}
    return send("sqs", path, headers, json.dumps(fields).encode())

def messages():
    queue, topic, text = os.environ["QUEUE_URL"], os.environ["TOPIC_ARN"], str(uuid.uuid4())
    published = sns("Publish", TopicArn=topic, Message=text)[0]
    received = json.loads(sqs("ReceiveMessage", QueueUrl=queue, WaitTimeSeconds=10)[1]).get("Messages", [])
    path = urllib.parse.urlparse(queue).path
    deleted = [sqs("DeleteMessage", path, QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])[0] for one in received]
    refused = [
        sns("CreateTopic", Name="x")[0],
        sns("Subscribe", TopicArn=topic, Protocol="sqs", Endpoint="x")[0],
        sqs("CreateQueue", QueueName="x")[0],
        sqs("PurgeQueue", QueueUrl=queue)[0],
    ]
    is_here = [one["Body"] for one in received] == [text]
    return {"published": published, "received": is_here, "deleted": deleted, "refused": refused}

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(messages() if self.path.endswith("/messages") else {}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"#;

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn a_service_publishes_and_receives_and_makes_no_queue() {
    let project = Project::new();
    std::fs::remove_dir_all(project.path().join("terraform")).expect("it is there");
    project.write("queues/dead.json", r#"{ "QueueName": "dead" }"#);
    let redrive = r#"{"deadLetterTargetArn":"arn:aws:sqs:::dead","maxReceiveCount":5}"#;
    let queue = json!({ "QueueName": "work", "Attributes": { "RedrivePolicy": redrive } });
    project.write("queues/work.json", &queue.to_string());
    project.write("topics/events.json", r#"{ "Name": "events" }"#);
    let subscription = json!({
        "TopicArn": "arn:aws:sns:::events", "Protocol": "sqs", "Endpoint": "arn:aws:sqs:::work",
        "Attributes": { "RawMessageDelivery": "true" },
    });
    project.write("subscriptions/work-events.json", &subscription.to_string());
    let replace = |file: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(project.path().join(file)).expect("readable");
        assert!(text.contains(from), "{text}");
        project.write(file, &text.replace(from, to));
    };
    let folders = "tables = \"tables\"\nqueues = \"queues\"\ntopics = \"topics\"\nsubscriptions = \"subscriptions\"\n";
    replace("devenv.toml", "tables = \"tables\"\n", folders);
    let variables = "AWS_REGION: eu-west-1, QUEUE_URL: \"$${queue:work}\", TOPIC_ARN: \"$${topic:events}\"";
    replace("compose.yaml", "AWS_REGION: eu-west-1", variables);
    project.write("server.py", SERVER);
    let base = Project::emulated_aws();
    let program = "COPY server.py /server.py\nENTRYPOINT [\"python3\", \"/server.py\"]";
    project.build(&format!("FROM {base}\nLABEL project={}\n{program}\n", project.image()));
    project.commit("A service of messages");
    project.test();

    let url = project.released();
    let found: Value = serde_json::from_str(&ask(&url, "messages").expect("it answers")).expect("JSON");
    let expected = json!({ "published": 200, "received": true, "deleted": [200], "refused": [403, 403, 403, 403] });
    assert_eq!(found, expected);
    project.nothing_is_apart();
}
