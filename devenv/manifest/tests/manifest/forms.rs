//! Every Compose form of the supported keys, and its result.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use devenv_model::artifact::{CommandArtifact, CommandInputs};
use devenv_model::container::{ContainerSettings, Mount};
use devenv_model::dockerfile::Dockerfile;
use devenv_model::manifest::{Condition, EmulatorKind, Health, HealthTest, Manifest, ProcessRun, Service};

use crate::sources::Sources;

/// The service `web` with these lines, read with the variables `SET=value` and `EMPTY=`.
fn web(lines: &str) -> Service {
    let mut sources = Sources::good();
    sources.settings = sources.settings.lines().take(5).collect::<Vec<_>>().join("\n");
    "x-all: &all { init: true, labels: { a: b } }\nservices:\n  back: { image: back:1 }\n  web:\n"
        .clone_into(&mut sources.compose);
    if !lines.contains("image:") {
        sources.compose += "    image: web\n";
    }
    for line in lines.lines() {
        sources.compose += &["    ", line, "\n"].concat();
    }
    sources.variables = vec![("SET".to_owned(), "value".to_owned()), ("EMPTY".to_owned(), String::new())];
    read(&sources).services["web"].clone()
}

fn read(sources: &Sources) -> Manifest {
    sources.assemble().unwrap_or_else(|error| panic!("{error}"))
}

fn pairs(map: &std::collections::BTreeMap<String, String>) -> Vec<(&str, &str)> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn environments() {
    let map = web(
        "environment:\n  A: 1\n  B: true\n  C: \"${SET}-$$x\"\n  D: ${UNSET}\n  E: ${EMPTY}\n  SET:\n  MISSING:\n  F: ''",
    );
    let expected = [("A", "1"), ("B", "true"), ("C", "value-$x"), ("D", ""), ("E", ""), ("F", ""), ("SET", "value")];
    assert_eq!(pairs(&map.environment), expected);
    let list = web("environment: [A=1, B=, \"C=a=b\", SET, MISSING]");
    assert_eq!(pairs(&list.environment), [("A", "1"), ("B", ""), ("C", "a=b"), ("SET", "value")]);
}

#[test]
fn labels() {
    assert_eq!(pairs(&web("labels: { a: b, c: }").labels), [("a", "b"), ("c", "")]);
    assert_eq!(pairs(&web("labels: [a=b, c]").labels), [("a", "b"), ("c", "")]);
}

#[test]
fn commands() {
    let service = web("command: serve --name 'a b' ${SET}\nentrypoint: [/bin/sh, -c, \"echo $$HOME\"]");
    assert_eq!(service.command.expect("given"), ["serve", "--name", "a b", "value"]);
    assert_eq!(service.entrypoint.expect("given"), ["/bin/sh", "-c", "echo $HOME"]);
    assert_eq!(web("command:").command, None);
}

#[test]
fn ports() {
    let service = web(concat!(
        "ports: [8000, \"8001:8001/tcp\", \"0.0.0.0:8002:8002\", \"[::1]:8003:8003\",",
        " { target: 8004, published: \"8004\", host_ip: 127.0.0.2, protocol: tcp }, { target: 8005 }]\n",
        "expose: [9000, \"9001/tcp\"]",
    ));
    let ports: Vec<_> =
        service.ports.iter().map(|port| (port.host_ip.to_string(), port.published, port.container)).collect();
    let local = Ipv4Addr::LOCALHOST.to_string();
    let expected = [
        (local.clone(), None, 8000),
        (local.clone(), Some(8001), 8001),
        ("0.0.0.0".to_owned(), Some(8002), 8002),
        ("::1".to_owned(), Some(8003), 8003),
        ("127.0.0.2".to_owned(), Some(8004), 8004),
        (local, None, 8005),
    ];
    assert_eq!(ports, expected);
    assert_eq!(service.expose, [9000, 9001]);
}

#[test]
fn replicas() {
    let units = |lines: &str| web(lines).units().collect::<Vec<_>>();
    assert_eq!(units("user: a"), ["web"]);
    assert_eq!(units("scale: 3"), ["web", "web-2", "web-3"]);
    assert_eq!(units("deploy: { replicas: 2 }"), ["web", "web-2"]);
    assert_eq!(units("scale: 0"), [""; 0]);
    let port = web("ports: [\"8001-8003:80\"]").ports[0];
    assert_eq!((port.published, port.published_to, port.container), (Some(8001), Some(8003), 80));
}

/// One host port on two addresses counts as two ports.
#[test]
fn ports_of_several_addresses() {
    let service = web("ports: [\"127.0.0.1:8001:80\", \"127.0.0.2:8001:81\"]");
    assert_eq!(service.ports[1].host_ip, IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)));
}

#[test]
fn dependencies() {
    let back = |lines: &str| web(lines).depends_on["back"];
    assert_eq!(back("depends_on: [back]"), Condition::ServiceStarted.into());
    assert_eq!(back("depends_on: { back: { condition: service_started } }"), Condition::ServiceStarted.into());
    let completed = back("depends_on: { back: { condition: service_completed_successfully, required: false } }");
    assert_eq!(completed, Condition::ServiceCompletedSuccessfully.into());
    let restarted = back("depends_on: { back: { condition: service_started, restart: true } }");
    assert!(restarted.restart);
}

#[test]
fn a_service_that_another_waits_for_runs_once() {
    let mut sources = Sources::good();
    assert!(!read(&sources).is_one_shot("back"));
    sources.compose = sources.compose.replace("[back]", "{ back: { condition: service_completed_successfully } }");
    let manifest = read(&sources);
    assert!(manifest.is_one_shot("back") && !manifest.is_one_shot("web"));
}

#[test]
fn health_checks() {
    let check = |lines: &str| web(lines).healthcheck.expect("given");
    let check_of =
        check("healthcheck: { test: [CMD, a, b], interval: 1m30s, timeout: 500ms, retries: 5, start_period: 0 }");
    assert_eq!(check_of.test, HealthTest::Command(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!((check_of.interval, check_of.timeout), (Duration::from_secs(90), Duration::from_millis(500)));
    assert_eq!((check_of.retries, check_of.start_period), (5, Duration::ZERO));
    assert_eq!(check_of.start_interval, Duration::from_secs(5));
    assert_eq!(check("healthcheck: { test: curl it }").test, HealthTest::Shell("curl it".to_owned()));
    assert_eq!(check("healthcheck: { test: [CMD-SHELL, it] }").test, HealthTest::Shell("it".to_owned()));
    assert_eq!(check("healthcheck: { test: [NONE] }").test, HealthTest::Disabled);
    assert_eq!(check("healthcheck: { disable: true }").test, HealthTest::Disabled);
}

#[test]
fn limits_and_the_rest() {
    let service = web(concat!(
        "<<: *all\nimage: ${IMAGE:-${NAME:-web}:1}\nmem_limit: 1gb\npids_limit: -1\nread_only: ${RO:-true}\n",
        "cap_drop: [ALL]\ncap_add: [CHOWN]\nsecurity_opt: [\"no-new-privileges:true\"]\ntmpfs: /tmp\nuser: 1000\n",
        "restart: on-failure:3\nstop_grace_period: 1m\nx-anything: [\"kept\", \"out\"]",
    ));
    assert_eq!(service.image.as_deref(), Some("web:1"));
    let ContainerSettings { resources, security, execution, mounts, .. } = &service.container;
    assert_eq!((resources.memory, resources.pids), (Some(1 << 30), Some(-1)));
    assert!(security.read_only && execution.init);
    assert_eq!(security.cap_drop, ["ALL"]);
    assert_eq!(security.cap_add, ["CHOWN"]);
    assert_eq!(mounts[..], [Mount::memory("/tmp")]);
    assert_eq!(service.user.as_deref(), Some("1000"));
    assert_eq!(service.restart.as_deref(), Some("on-failure:3"));
    assert_eq!(service.stop_grace_period, Duration::from_mins(1));
    assert_eq!(pairs(&service.labels), [("a", "b")]);
    assert_eq!(web("restart: unless-stopped").restart.as_deref(), Some("unless-stopped"));
    assert_eq!(web("restart: \"no\"").restart.as_deref(), Some("no"));
    assert_eq!(web("tmpfs: [/tmp, /run]").container.mounts, ["/tmp", "/run"].map(Mount::memory));
}

/// A mapping's own keys win over merged ones; of several merged mappings, the first wins.
#[test]
fn merges() {
    let service = web("<<: [{ user: a, image: x }, { user: b, restart: always }]\nimage: y");
    assert_eq!((service.user.as_deref(), service.image.as_deref()), (Some("a"), Some("y")));
    assert_eq!(service.restart.as_deref(), Some("always"));
}

#[test]
fn an_old_version_and_a_name() {
    let mut sources = Sources::good();
    sources.compose = "version: \"3.8\"\nname: shop\nx-more: { any: thing }\n".to_owned() + &sources.compose;
    read(&sources);
}

#[test]
fn lines_that_end_as_on_windows() {
    let mut sources = Sources::good();
    sources.compose = sources.compose.replace('\n', "\r\n");
    sources.settings = sources.settings.replace('\n', "\r\n");
    sources.tables[0].1 = sources.tables[0].1.replace('\n', "\r\n");
    assert_eq!(read(&sources).services["web"].image.as_deref(), Some("web:1"));
}

#[test]
fn health_in_both_forms() {
    let mut sources = Sources::good();
    let expected = |port| Some(Health { path: "/health".to_owned(), port });
    assert_eq!(read(&sources).services["web"].health, expected(80));
    sources.compose = sources.compose.replace("[\"8080:80\"]", "[\"8080:80\", \"8081:81\"]");
    sources.settings = sources.settings.replace("\"/health\"", "{ path = \"/health\", port = 81 }");
    assert_eq!(read(&sources).services["web"].health, expected(81));
    sources.settings = sources.settings.replace(", port = 81", "");
    assert_eq!(read(&sources).services["web"].health, expected(80));
}

/// The reader accepts every key of `devenv.toml`.
#[test]
fn the_whole_of_devenv_toml() {
    let mut sources = Sources::good();
    sources.settings =
        sources.settings.replace("package = \"web\"", "command = [\"./web\", \"${port:80}\", \"${emulator}\"]")
            + r#"
[emulator]
default = "dynamodb-local"
[emulator.dynamodb-local]
image = "amazon/dynamodb-local:2.6.1"
[emulator.localstack]
image = "registry:5000/localstack@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
[test]
command = ["cargo", "test"]
[promote.dev]
account = "123456789012"
region = "eu-west-1"
terraform = "terraform/envs/dev"
platform = "linux/amd64"
emulators = ["embedded", "dynamodb-local"]
[promote.prod]
requires = ["dev"]
"#;
    let manifest = read(&sources);
    assert_eq!(manifest.emulator.dynamodb_local_image.as_deref(), Some("amazon/dynamodb-local:2.6.1"));
    let process = manifest.services["web"].process.as_ref().expect("given");
    let run = ["./web", "${port:80}", "${emulator}"].map(str::to_owned).to_vec();
    assert_eq!(process.run, ProcessRun::Command(CommandArtifact { run, ..CommandArtifact::default() }));
}

#[test]
fn a_command_with_a_build() {
    let mut sources = Sources::good();
    let command = "command = [\"node\", \"web.js\"]\nbuild = [\"npm\", \"ci\"]\ninputs = [\"src/**\", \"package.json\"]\n\
                   workdir = \"web\"";
    sources.settings = sources.settings.replace("package = \"web\"", command);
    let manifest = read(&sources);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let expected = CommandArtifact {
        run: words(&["node", "web.js"]),
        workdir: "web".into(),
        build: Some(words(&["npm", "ci"])),
        inputs: CommandInputs::Patterns(words(&["src/**", "package.json"])),
    };
    assert_eq!(manifest.services["web"].process.as_ref().expect("given").run, ProcessRun::Command(expected));
}

#[test]
fn a_project_uses_aws_if_it_has_tables_or_names_an_emulator() {
    let mut sources = Sources::good();
    assert!(read(&sources).uses_aws);
    sources.settings = sources.settings.replace("tables = \"tables\"\nseeds = \"seeds\"\n", "");
    sources.tables.clear();
    sources.seeds.clear();
    assert!(!read(&sources).uses_aws);
    sources.settings += "[emulator]\n";
    assert!(read(&sources).uses_aws);
}

#[test]
fn a_build_in_both_forms() {
    let mut sources = Sources::good();
    sources.compose = sources.compose.replace("image: web:1", "image: web:1\n    build: ./web");
    let web = &read(&sources).services["web"];
    let build = web.build.as_ref().expect("given");
    assert_eq!((build.context.file_name(), build.image.as_deref()), (Some("web"), Some("web:1")));
    assert_eq!(build.dockerfile, Dockerfile::File(build.context.join("Dockerfile")));
    assert_eq!(web.package(), None, "the Dockerfile makes the image");
    let long = "build:\n      context: .\n      dockerfile: docker/Dockerfile\n      args: { A: 1 }\n      target: one\n      \
                labels: [b=2]\n      platforms: [linux/amd64]\n      cache_from: [web:cache]\n      network: none\n      \
                extra_hosts: [\"db:10.0.0.1\"]\n      shm_size: 64m\n      no_cache: true\n      pull: true\n      tags: [web:2]";
    sources.compose = sources.compose.replace("build: ./web", long);
    let manifest = read(&sources);
    let build = manifest.services["web"].build.as_ref().expect("given");
    assert_eq!(build.dockerfile, Dockerfile::File(build.context.join("docker/Dockerfile")));
    assert_eq!((build.args["A"].as_str(), build.labels["b"].as_str()), ("1", "2"));
    assert_eq!((build.target.as_deref(), build.platform.as_deref()), (Some("one"), Some("linux/amd64")));
    assert_eq!((build.network.as_deref(), build.shm_size), (Some("none"), Some(64 << 20)));
    assert_eq!((&build.cache_from[..], &build.tags[..]), (&["web:cache".to_owned()][..], &["web:2".to_owned()][..]));
    assert!(build.no_cache && build.pull && build.extra_hosts == ["db=10.0.0.1"], "{build:?}");
    sources.compose = sources.compose.replace("dockerfile: docker/Dockerfile", "dockerfile_inline: FROM x");
    let inline = read(&sources).services["web"].build.clone().expect("given").dockerfile;
    assert_eq!(inline, Dockerfile::Inline("FROM x".to_owned()));
}

const REPLACED: &str = "services:
  dynamo:
    image: amazon/dynamodb-local
    working_dir: /home/dynamodblocal
    network_mode: host
    ports: [\"127.0.0.1:8001:8000\"]
  web: { image: web, depends_on: { dynamo: { condition: service_healthy } } }
";

fn replacing(compose: &str, emulator: &str) -> Sources {
    let mut sources = Sources::good();
    sources.settings = sources.settings.lines().take(5).collect::<Vec<_>>().join("\n") + emulator;
    compose.clone_into(&mut sources.compose);
    sources
}

#[test]
fn a_replaced_service_leaves_its_port_and_nothing_else() {
    let manifest = read(&replacing(REPLACED, "\n[emulator]\nreplaces = \"dynamo\"\n"));
    assert_eq!(manifest.services.keys().collect::<Vec<_>>(), ["web"]);
    assert!(manifest.services["web"].depends_on.is_empty());
    let replaced = manifest.emulator.replaces.clone().expect("it is replaced");
    let port = replaced.port.expect("it publishes one");
    assert_eq!((replaced.service.as_str(), port.container, port.published), ("dynamo", 8000, Some(8001)));
    let exposed = REPLACED.replace("ports: [\"127.0.0.1:8001:8000\"]", "expose: [\"9000\"]");
    let manifest = read(&replacing(&exposed, "\n[emulator]\nreplaces = \"dynamo\"\n"));
    assert_eq!(manifest.emulator.port(EmulatorKind::Embedded), 9000);
    let without = REPLACED.replace("    ports: [\"127.0.0.1:8001:8000\"]\n", "");
    let manifest = read(&replacing(&without, "\n[emulator]\nreplaces = \"dynamo\"\n"));
    assert_eq!(manifest.emulator.port(EmulatorKind::Localstack), 4566);
}

#[test]
fn a_replaced_service_is_one_of_the_compose_file_and_has_no_settings() {
    let error = |emulator: &str| replacing(REPLACED, emulator).assemble().expect_err("a mistake").to_string();
    let unknown = error("\n[emulator]\nreplaces = \"dynamodb\"\n");
    assert!(unknown.contains("devenv.toml:7:12: the Compose file has no service dynamodb"), "{unknown}");
    let settings = error("\n[emulator]\nreplaces = \"dynamo\"\n[services.dynamo]\nhealth = \"/\"\n");
    assert!(settings.contains("devenv.toml:8:11: dynamo is replaced by the emulator"), "{settings}");
    let disabled = REPLACED.replace("    image: amazon", "    profiles: [local]\n    image: amazon");
    let disabled = disabled.replace(", depends_on: { dynamo: { condition: service_healthy } }", "");
    let manifest = read(&replacing(&disabled, "\n[emulator]\nreplaces = \"dynamo\"\n"));
    assert_eq!(manifest.emulator.replaces, None, "no enabled profile has it");
}
