use crate::sources::{Sources, TABLE};

const INDEXES: &str = r#""GlobalSecondaryIndexes": [
    { "IndexName": "one", "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }], "Projection": { "ProjectionType": "INCLUDE" } },
    { "IndexName": "one", "KeySchema": [{ "AttributeName": "id", "KeyType": "RANGE" }], "Projection": { "ProjectionType": "SOME" } }
  ],
  "LocalSecondaryIndexes": [
    { "IndexName": "two", "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }], "Projection": { "ProjectionType": "ALL" } }
  ],
  "BillingMode""#;

fn settings(from: &str, to: &str) -> String {
    let mut sources = Sources::good();
    assert!(sources.settings.contains(from), "{from}");
    sources.settings = sources.settings.replacen(from, to, 1);
    sources.drawn()
}

fn compose(from: &str, to: &str) -> String {
    let mut sources = Sources::good();
    assert!(sources.compose.contains(from), "{from}");
    sources.compose = sources.compose.replacen(from, to, 1);
    sources.drawn()
}

fn table(from: &str, to: &str) -> String {
    let mut sources = Sources::good();
    assert!(TABLE.contains(from), "{from}");
    sources.tables[0].1 = TABLE.replacen(from, to, 1);
    sources.drawn()
}

fn seed(text: &str) -> String {
    let mut sources = Sources::good();
    text.clone_into(&mut sources.seeds[0].1);
    sources.drawn()
}

#[test]
fn a_project_without_a_mistake() {
    Sources::good().assemble().expect("no mistake");
}

#[test]
fn of_devenv_toml() {
    insta::assert_snapshot!("unknown key", settings("health =", "helth ="));
    insta::assert_snapshot!("other version", settings("version = 1", "version = 2"));
    insta::assert_snapshot!("bad name", settings("\"shop\"", "\"My Shop\""));
    insta::assert_snapshot!("not toml", settings("name = \"shop\"", "name = shop"));
    insta::assert_snapshot!("unknown service", settings("[services.web]", "[services.wep]"));
    insta::assert_snapshot!("two ways to run", settings("package = \"web\"", "package = \"web\"\ncommand = [\"web\"]"));
    insta::assert_snapshot!(
        "build of a package",
        settings("package = \"web\"", "package = \"web\"\nbuild = [\"make\"]")
    );
    insta::assert_snapshot!(
        "inputs elsewhere",
        settings("package = \"web\"", "command = [\"web\"]\ninputs = [\"src/**\", \"../lib/**\"]\nworkdir = \"/web\"")
    );
    insta::assert_snapshot!("no way to run", settings("package = \"web\"\n", ""));
    insta::assert_snapshot!("unknown port", settings("${port:80}", "${port:81}"));
    insta::assert_snapshot!("unknown reference", settings("${port:80}", "${prot:80}"));
    insta::assert_snapshot!(
        "endpoint elsewhere",
        settings("BIND = \"127.0.0.1:${port:80}\"", "AWS_ENDPOINT_URL = \"https://dynamodb.eu-west-1.amazonaws.com\"")
    );
    insta::assert_snapshot!(
        "image without version",
        settings("[services.web]", "[emulator.localstack]\nimage = \"localstack/localstack:latest\"\n[services.web]")
    );
    insta::assert_snapshot!(
        "image that no engine accepts",
        settings("[services.web]", "[emulator.localstack]\nimage = \"localstack/LocalStack:4.14.0\"\n[services.web]")
    );
    insta::assert_snapshot!("missing key", settings("name = \"shop\"\n", ""));
    insta::assert_snapshot!("several unknown keys", {
        let mut sources = Sources::good();
        sources.settings = sources.settings.replace("compose =", "compsoe = 1\ncompose =").replace("package", "pakage");
        sources.drawn()
    });
    insta::assert_snapshot!(
        "emulator without image",
        settings("[services.web]", "[emulator]\ndefault = \"localstack\"\n[services.web]")
    );
    insta::assert_snapshot!(
        "unknown emulator",
        settings("[services.web]", "[emulator]\ndefault = \"embeded\"\n[services.web]")
    );
    insta::assert_snapshot!("absolute path", settings("\"compose.yaml\"", "\"/shop/compose.yaml\""));
    insta::assert_snapshot!("health on no port", settings("\"/health\"", "{ path = \"/health\", port = 81 }"));
    insta::assert_snapshot!("unknown health key", settings("\"/health\"", "{ path = \"/health\", prot = 80 }"));
    insta::assert_snapshot!("health of wrong type", settings("\"/health\"", "80"));
    insta::assert_snapshot!("health without slash", settings("\"/health\"", "\"health\""));
    insta::assert_snapshot!(
        "reference in a command",
        settings("package = \"web\"", "command = [\"web\", \"--port=${port:back:90}\"]")
    );
    insta::assert_snapshot!("aws profile", settings("BIND = \"127.0.0.1:${port:80}\"", "AWS_PROFILE = \"work\""));
    insta::assert_snapshot!(
        "unknown promotion",
        settings("[services.web]", "[promote.dev]\n[promote.prod]\nrequires = [\"dve\"]\n[services.web]")
    );
}

#[test]
fn of_the_compose_file() {
    insta::assert_snapshot!("build from elsewhere", compose("image: web:1", "build: https://example.com/web.git"));
    insta::assert_snapshot!(
        "build beyond the builder",
        compose(
            "image: web:1",
            "build: { context: ., ssh: [default], additional_contexts: { a: b }, platforms: [linux/amd64, linux/arm64], \
             ulimits: { nofile: 1 }, extra_hosts: [\"a:1.1.1.1\", \"b:1.1.1.1\"], shm_size: 4g }"
        )
    );
    insta::assert_snapshot!("unsupported key", compose("image: web:1", "image: web:1\n    use_api_socket: true"));
    insta::assert_snapshot!("image name", compose("image: web:1", "image: ${REGISTRY}/Web:1"));
    insta::assert_snapshot!("misspelt key", compose("image: web:1", "imgae: web:1"));
    insta::assert_snapshot!("duplicate key", compose("image: web:1", "image: web:1\n    image: web:2"));
    insta::assert_snapshot!("not yaml", compose("services:", "services: ["));
    insta::assert_snapshot!("required variable", compose("web:1", "web:${TAG:?say which}"));
    insta::assert_snapshot!("bad port", compose("8080:80", "8090-8080:80"));
    insta::assert_snapshot!("too many replicas", compose("image: web:1", "image: web:1\n    scale: 1000"));
    insta::assert_snapshot!(
        "name of a replica",
        compose("image: web:1", "image: web:1\n    deploy: { replicas: 2 }\n  web-2:\n    image: web:2")
    );
    insta::assert_snapshot!("unknown dependency", compose("[back]", "[bakc]"));
    insta::assert_snapshot!("cycle", compose("image: back:1", "image: back:1\n    depends_on: [web]"));
    insta::assert_snapshot!("duplicate port", compose("image: back:1", "image: back:1\n    ports: [\"8080:81\"]"));
    insta::assert_snapshot!("no health check", compose("[back]", "{ back: { condition: service_healthy } }"));
    insta::assert_snapshot!("unknown condition", compose("[back]", "{ back: { condition: service_heathy } }"));
    insta::assert_snapshot!("bad duration", compose("image: back:1", "image: back:1\n    stop_grace_period: soon"));
    insta::assert_snapshot!("reserved name", compose("  back:\n", "  emulator:\n    image: e:1\n  back:\n"));
    insta::assert_snapshot!("wrong kind", compose("[\"8080:80\"]", "\"8080:80\""));
    insta::assert_snapshot!(
        "aws in compose",
        compose("image: web:1", "image: web:1\n    environment: [AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true]")
    );
    insta::assert_snapshot!("waits for itself", compose("[back]", "[web]"));
    insta::assert_snapshot!(
        "long cycle",
        compose(
            "image: back:1",
            "image: back:1\n    depends_on: [far, web]\n  far:\n    image: far:1\n    depends_on: [web, back]"
        )
    );
    insta::assert_snapshot!("service name", compose("  back:\n", "  ../back:\n    image: b:1\n  back:\n"));
    insta::assert_snapshot!("tag", compose("[back]", "!other []"));
    insta::assert_snapshot!("merged twice", compose("image: web:1", "<<: { image: web:1 }\n    <<: { init: true }"));
    insta::assert_snapshot!("restart policy", compose("image: web:1", "image: web:1\n    restart: on-failur"));
    insta::assert_snapshot!("open quote", compose("image: web:1", "image: web:1\n    command: serve 'it"));
    insta::assert_snapshot!("two documents", compose("services:", "name: shop\n---\nservices:"));
    insta::assert_snapshot!("version 1", compose("services:", "cache: { image: redis }\nservices:"));
    insta::assert_snapshot!("top level", compose("services:", "models: { llm: { model: small } }\nservices:"));
    insta::assert_snapshot!("long port", compose("\"8080:80\"", "{ target: 80, published: 8080, mode: host }"));
}

/// A file cannot steer the terminal it is shown on.
#[test]
fn of_a_terminal() {
    let mut sources = Sources::good();
    sources.seeds[0].1 = "[{ \"id\": { \"S\": \"a\" }, \"\\u001b[31mred\": \"\u{9b}31m\" }]".to_owned();
    let error = sources.assemble().expect_err("spoilt");
    let shown = error.to_string();
    assert!(shown.contains("\u{fffd}[31mred is not in DynamoDB JSON"), "{shown}");
    assert!(!shown.contains(['\u{1b}', '\u{9b}']), "{shown}");
}

/// An anchor's mistake is one mistake, however often it is used.
#[test]
fn of_an_anchor() {
    let mut sources = Sources::good();
    sources.compose = "x-env: &env { A: \"${A:?say it}\" }\n".to_owned()
        + &sources.compose.replace("image", "environment: *env\n    image");
    let problems = sources.assemble().expect_err("spoilt").problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn of_a_table_file() {
    insta::assert_snapshot!("table not json", table("\"items\",", "\"items\""));
    insta::assert_snapshot!("table unknown key", table("\"KeySchema\"", "\"KeySchem\""));
    insta::assert_snapshot!(
        "undefined key attribute",
        table("{ \"AttributeName\": \"id\", \"KeyType\"", "{ \"AttributeName\": \"sku\", \"KeyType\"")
    );
    insta::assert_snapshot!("no billing", table(",\n  \"BillingMode\": \"PAY_PER_REQUEST\"", ""));
    insta::assert_snapshot!("not a table", table(TABLE, "[]"));
    insta::assert_snapshot!("unknown inner key", table("\"KeyType\"", "\"KeyTyp\""));
    insta::assert_snapshot!("table key twice", table("\"BillingMode\"", "\"TableName\": \"b\", \"BillingMode\""));
    insta::assert_snapshot!("number as name", table("\"items\"", "5"));
    insta::assert_snapshot!(
        "both billings",
        table(
            "\"PAY_PER_REQUEST\"",
            "\"PAY_PER_REQUEST\", \"ProvisionedThroughput\": { \"ReadCapacityUnits\": 1, \"WriteCapacityUnits\": 1 }"
        )
    );
    insta::assert_snapshot!(
        "no capacity",
        table("\"PAY_PER_REQUEST\"", "\"PROVISIONED\", \"ProvisionedThroughput\": { \"ReadCapacityUnits\": 0 }")
    );
    insta::assert_snapshot!("bad indexes", table("\"BillingMode\"", INDEXES));
    let streams = [
        "true",
        "{}",
        "{ \"StreamEnabled\": \"true\" }",
        "{ \"StreamEnabled\": true }",
        "{ \"StreamEnabled\": true, \"StreamViewType\": \"NEW_AND_OLD_IMAGE\" }",
        "{ \"StreamEnabled\": true, \"StreamViewType\": 1 }",
        "{ \"StreamEnabled\": false, \"StreamViewType\": \"KEYS_ONLY\" }",
        "{ \"StreamEnabld\": false }",
    ];
    let streams =
        streams.map(|stream| table("\"BillingMode\"", &format!("\"StreamSpecification\": {stream}, \"BillingMode\"")));
    insta::assert_snapshot!("bad streams", streams.join("\n"));
    let mut sources = Sources::good();
    sources.tables.push(("more".to_owned(), TABLE.to_owned()));
    insta::assert_snapshot!("table twice", sources.drawn());
}

#[test]
fn of_a_seed() {
    insta::assert_snapshot!("seed without key", seed(r#"[{ "name": { "S": "a" } }]"#));
    insta::assert_snapshot!("seed of wrong type", seed(r#"[{ "id": { "N": "1" } }]"#));
    insta::assert_snapshot!("seed plain json", seed(r#"[{ "id": "a" }]"#));
    insta::assert_snapshot!("seed key twice", seed(r#"[{ "id": { "S": "a" } }, { "id": { "S": "a" } }]"#));
    insta::assert_snapshot!("seed number", seed(r#"[{ "id": { "S": "a" }, "price": { "N": 5 } }]"#));
    insta::assert_snapshot!("seed item of wrong kind", seed("[1]"));
    insta::assert_snapshot!("seed not a list", seed("{}"));
    insta::assert_snapshot!("seed empty key", seed(r#"[{ "id": { "S": "" } }]"#));
    insta::assert_snapshot!(
        "seed deep within",
        seed(r#"[{ "id": { "S": "a" }, "sizes": { "L": [{ "M": { "eu": { "N": "large" } } }] } }]"#)
    );
    let mut sources = Sources::good();
    sources.tables[0].1 = TABLE.replace(
        "\"AttributeDefinitions\": [",
        "\"AttributeDefinitions\": [{ \"AttributeName\": \"at\", \"AttributeType\": \"N\" }, ",
    ).replace("\"BillingMode\"", r#""GlobalSecondaryIndexes": [{ "IndexName": "by_at", "KeySchema": [{ "AttributeName": "at", "KeyType": "HASH" }], "Projection": { "ProjectionType": "ALL" } }], "BillingMode""#);
    sources.seeds[0].1 = r#"[{ "id": { "S": "a" }, "at": { "S": "5" } }]"#.to_owned();
    insta::assert_snapshot!("seed index key of wrong type", sources.drawn());
    let mut sources = Sources::good();
    sources.seeds[0].0 = "itmes".to_owned();
    insta::assert_snapshot!("seed unknown table", sources.drawn());
}

#[test]
fn several_are_shown_together() {
    let mut sources = Sources::good();
    sources.compose = sources.compose.replace("image", "imgae");
    sources.seeds[0].1 = "[{}]".to_owned();
    let problems = sources.assemble().expect_err("spoilt").problems;
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[test]
fn a_project_whose_profiles_are_all_disabled_names_them() {
    let mut sources = Sources::good();
    "services: { web: { image: web, profiles: [tools, all] } }".clone_into(&mut sources.compose);
    let drawn = sources.drawn();
    assert!(drawn.contains("none of these is enabled"), "{drawn}");
    assert!(drawn.contains("--profile NAME: all, tools"), "{drawn}");
}
