//! Small changes of a whole project, as people and their editors make them: each gives a manifest, or mistakes with places, soon.
//! `PROPTEST_CASES` sets their number.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::sources::Sources;

/// Of one file on a busy machine.
const PATIENCE: Duration = Duration::from_secs(1);
/// The characters that have a meaning in either language, and some that have none.
const NEW: &str = "[a-z0-9:,\\[\\]{}\"'&*|>$!<=#. \r\n\té\u{feff}\u{2028}😀-]{0,4}";

const SETTINGS: &str = r#"version = 1
name = "shop"
compose = "compose.yaml"
tables = "tables"
seeds = "seeds"

[emulator]
default = "embedded"
replaces = "dynamo"
[emulator.embedded]
package = "devenv-emulator"
[emulator.dynamodb-local]
image = "${DYNAMODB:-amazon/dynamodb-local:2.6.1}"
[emulator.localstack]
image = "localstack/localstack:4.14.0"

[services.web]
health = { path = "/health", port = 80 }
start = "at-once"
[services.web.process]
workdir = "web"
build = ["npm", "ci"]
inputs = ["web/src/**", "web/package.json"]
command = ["node", "server.js", "${port:80}"]
env = { BIND = "127.0.0.1:${port:80}", BACK = "${port:back:80}", DB = "${emulator}" }
[services.back.process]
package = "back"

[test]
command = ["pytest", "-q"]
junit = "reports/*.xml"
smoke = ["pytest", "-q", "-k", "smoke"]

[promote.rehearsal]
image = "ministackorg/ministack:1.5.33"
[promote.dev]
account = "000000000000"
region = "eu-west-1"
emulators = ["embedded", "dynamodb-local"]
[promote.prod]
account = "000000000000"
region = "eu-west-1"
requires = ["dev"]
"#;

const COMPOSE: &str = r#"name: shop
x-base: &base
  environment: &environment { LEVEL: "${LEVEL:-info}", PRICE: $$5 }
  restart: unless-stopped
services:
  dynamo: { image: amazon/dynamodb-local, ports: ["8000:8000"] }
  web:
    <<: *base
    build: { context: web, dockerfile: Dockerfile, args: { VERSION: "1" }, target: final }
    command: ["node", "server.js"]
    entrypoint: /entry
    ports: ["8080:80", "127.0.0.1:8090-8092:90/udp", { target: 70, published: "7070", mode: ingress }]
    expose: ["9000"]
    depends_on: { back: { condition: service_healthy, restart: true }, migrate: { condition: service_completed_successfully } }
    volumes: ["data:/data:ro", "./src:/src", { type: tmpfs, target: /tmp, tmpfs: { size: 1m } }]
    networks: { front: { aliases: [site], ipv4_address: 10.9.0.2 }, default: }
    secrets: [{ source: key, target: /run/key, mode: 0400 }]
    configs: [settings]
    deploy: { replicas: 2, resources: { limits: { cpus: "0.5", memory: 64m, pids: 10 } } }
    healthcheck: { test: ["CMD", "true"], interval: 5s, timeout: 1s, retries: 2, start_period: 1m, start_interval: 100ms }
    labels: { team: web }
    ulimits: { nofile: { soft: 10, hard: 20 } }
    sysctls: { net.core.somaxconn: 10 }
    extra_hosts: ["other:10.0.0.1"]
    logging: { driver: local, options: { max-size: 1m } }
    tmpfs: [/run]
    cap_drop: [ALL]
    stop_signal: SIGINT
    stop_grace_period: 1m30s
    working_dir: /app
    init: true
  back: { image: "back:1", scale: 1, expose: ["80"], healthcheck: { test: exit 0 } }
  migrate: { image: "back:1", command: migrate, network_mode: "none" }
volumes: { data: { driver: local, labels: [a=b] } }
networks: { front: { internal: true, ipam: { config: [{ subnet: 10.9.0.0/16 }] } } }
secrets: { key: { file: ./key } }
configs: { settings: { content: "level=${LEVEL:-info}" } }
"#;

fn whole() -> Sources {
    Sources { settings: SETTINGS.to_owned(), compose: COMPOSE.to_owned(), ..Sources::good() }
}

fn change(text: &mut String, at: usize, remove: usize, with: &str) {
    let mut at = at % (text.len() + 1);
    let mut end = (at + remove).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    text.replace_range(at..end, with);
}

fn check(sources: &Sources) {
    let begun = Instant::now();
    if let Err(mistakes) = sources.assemble() {
        assert!(!mistakes.problems.is_empty(), "an error without a mistake");
        for problem in &mistakes.problems {
            let (line, column) = problem.file.position(problem.span.start);
            assert!(line > 0 && column > 0 && !problem.report().message.is_empty(), "{problem:?}");
        }
    }
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

#[test]
fn the_whole_project_has_no_mistake() {
    whole().assemble().unwrap_or_else(|error| panic!("{error}"));
}

proptest! {
    #[test]
    fn no_small_change_of_the_compose_file_panics(at in 0_usize..4_000, remove in 0_usize..5, with in NEW) {
        let mut sources = whole();
        change(&mut sources.compose, at, remove, &with);
        check(&sources);
    }

    #[test]
    fn no_small_change_of_the_settings_panics(at in 0_usize..4_000, remove in 0_usize..5, with in NEW) {
        let mut sources = whole();
        change(&mut sources.settings, at, remove, &with);
        check(&sources);
    }
}
