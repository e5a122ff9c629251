use camino::Utf8Path;
use devenv_manifest::compose_model::ComposeOptions;
use devenv_manifest::load::load;
use devenv_model::messaging::{Queue, Topic};

use super::*;

/// A project with these services, the lines below `services:`.
pub(crate) fn manifest(services: &str, settings: &str) -> Manifest {
    with_files(services, settings, &[])
}

/// The same with further files.
fn with_files(services: &str, settings: &str, files: &[(&str, &str)]) -> Manifest {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let text = format!("version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\n{settings}");
    std::fs::write(root.join("devenv.toml"), text).expect("writable");
    std::fs::write(root.join("compose.yaml"), format!("services:\n{services}")).expect("writable");
    for (path, content) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(path, content).expect("writable");
    }
    load(root, &ComposeOptions::default(), &BTreeMap::new()).expect("a project without mistakes")
}

fn value<'a>(services: &'a Value, service: &str, variable: &str) -> Option<&'a str> {
    let environment = services[service]["container"]["environment"].as_array().expect("a list");
    environment.iter().find(|entry| entry["name"] == variable).and_then(|entry| entry["value"].as_str())
}

fn refused(services_of: &str, settings: &str) -> String {
    services(&manifest(services_of, settings)).expect_err("a rehearsal cannot run it").to_string()
}

#[test]
fn a_service_is_described_as_its_compose_file_does() {
    let text = r#"
  web:
    build: .
    command: ["serve", "--port", "8000"]
    user: "1000:1000"
    stop_grace_period: 5m
    ports: ["8000"]
    depends_on: [visits]
    environment:
      VISITS_URL: http://visits:9000/v1
      TABLES: visits
      AWS_REGION: us-east-1
      AWS_ACCESS_KEY_ID: AKIA
      AWS_SESSION_TOKEN: theirs
  visits:
    image: visits:1
    expose: ["9000"]
    deploy: { replicas: 2 }
"#;
    let manifest = manifest(text, "");
    let services = services(&manifest).expect("both can be run");
    let web = &services["web"];
    let part = |key: &str| web["container"][key].clone();
    assert_eq!((&web["port"], &web["tasks"]), (&json!(8000), &json!(1)));
    assert_eq!((&services["visits"]["port"], &services["visits"]["tasks"]), (&json!(9000), &json!(2)));
    assert_eq!(part("command"), json!(["serve", "--port", "8000"]));
    assert_eq!(part("user"), json!("1000:1000"));
    assert_eq!(part("stopTimeout"), json!(120), "ECS waits no longer");
    assert_eq!(part("logConfiguration")["options"]["awslogs-group"], "/shop/web");
    assert!(services["visits"]["container"].get("command").is_none(), "the image has its own");
    assert_eq!(value(&services, "web", "VISITS_URL"), Some("http://emulated-aws:4566/_alb/shop-visits/v1"));
    assert_eq!(value(&services, "web", "TABLES"), Some("visits"));
    assert_eq!(value(&services, "web", "AWS_REGION"), Some(REGION), "the tables are there");
    assert_ne!(value(&services, "web", "AWS_ACCESS_KEY_ID"), Some("AKIA"));
    assert_eq!(value(&services, "web", "AWS_SESSION_TOKEN"), None);
    assert_eq!(value(&services, "visits", "AWS_ENDPOINT_URL_DYNAMODB"), Some("http://emulated-aws:4566"));
    assert_eq!(public(&manifest), "web");
}

#[test]
fn another_variable_is_another_configuration_of_its_service_alone() {
    let of = |greeting: &str| {
        let web = format!("  web:\n    image: web:1\n    environment: {{ GREETING: {greeting} }}\n");
        digests(&manifest(&format!("{web}  api:\n    image: api:1\n"), ""))
    };
    let (one, two) = (of("one"), of("two"));
    assert_eq!(one, of("one"));
    assert_ne!(one["web"], two["web"]);
    assert_eq!(one["api"], two["api"]);
    assert_eq!(one["api"].len(), 64);
}

#[test]
fn the_emulator_has_every_name_that_services_know() {
    let text = r#"
  web:
    image: web:1
    environment: { DYNAMODB: "http://dynamodb:8000", OTHER: "http://emulator:8000" }
  dynamodb:
    image: amazon/dynamodb-local
    ports: ["8000"]
"#;
    let services = services(&manifest(text, "[emulator]\nreplaces = \"dynamodb\"\n")).expect("it can be run");
    for variable in ["DYNAMODB", "OTHER"] {
        assert_eq!(value(&services, "web", variable), Some("http://emulated-aws:4566"), "{variable}");
    }
    assert!(services.get("dynamodb").is_none());
}

#[test]
fn a_service_has_no_variable_that_leads_past_the_endpoint() {
    let mut manifest = manifest("  web:\n    image: web:1\n", "");
    let environment = &mut manifest.services.get_mut("web").expect("it is there").environment;
    let past = ["AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"];
    environment.extend(past.map(|variable| (variable.to_owned(), "true".to_owned())));
    let services = services(&manifest).expect("it can be run");
    for variable in past {
        assert_eq!(value(&services, "web", variable), None, "{variable}");
    }
}

#[test]
fn an_endpoint_that_leads_elsewhere_is_refused() {
    let of = |url: &str| {
        let text = format!("  web:\n    image: web:1\n    environment: {{ AWS_ENDPOINT_URL_S3: \"{url}\" }}\n");
        services(&manifest(&text, "")).map_err(|error| error.to_string())
    };
    for url in ["http://emulator:8000", "http://emulator:8000/", "http://emulated-aws:4566"] {
        assert!(of(url).is_ok(), "{url}");
    }
    for url in [
        "https://s3.eu-west-1.amazonaws.com",
        "http://emulated-aws:4566@s3.example.com",
        "http://emulated-aws:45660",
        "http://localhost:9000",
        "",
    ] {
        let text = of(url).expect_err(url);
        assert!(text.contains("web: AWS_ENDPOINT_URL_S3 leads elsewhere") && text.contains("emulator"), "{text}");
    }
}

#[test]
fn a_database_and_a_migration_are_refused_and_no_secret_is_named() {
    let database = r#"
  web:
    build: .
    environment: { DATABASE_URL: "postgres://me:secret@db:5432/shop" }
  db:
    image: postgres:15
    expose: ["5432"]
"#;
    let text = refused(database, "");
    let words = "web: DATABASE_URL names db:5432, but its tasks reach db only as http://db:5432";
    assert!(text.contains(words) && !text.contains("secret"), "{text}");
    let by_name = database.replace("DATABASE_URL: \"postgres://me:secret@db:5432/shop\"", "DB_HOST: db, DB_NAME: db");
    let text = refused(&by_name, "");
    assert!(text.contains("web: DB_HOST names db, but its tasks reach db only as http://db:5432"), "{text}");
    let migration = r"
  web:
    build: .
    depends_on: { migrate: { condition: service_completed_successfully } }
  migrate:
    build: .
";
    assert!(refused(migration, "").contains("migrate: it runs once"));
}

#[test]
fn a_declared_database_is_refused_and_so_is_its_user() {
    let database = r#"{ "DBInstanceIdentifier": "db", "Engine": "postgres", "EngineVersion": "15", "DBName": "shop",
        "MasterUsername": "shop" }"#;
    let refused = |text: &str| {
        let manifest = with_files(text, "databases = \"databases\"\n", &[("databases/db.json", database)]);
        services(&manifest).expect_err("a rehearsal cannot run it").to_string()
    };
    let db = "  db: { image: \"postgres:15\" }\n";
    let web = "  web: { build: ., ports: [\"80\"], environment: { URL: \"$${database:db}\" } }\n";
    let all = refused(&[db, web].concat());
    assert!(all.contains("db: it is a database"), "{all}");
    let of_web = refused(&[&db.replace("postgres:15\"", "postgres:15\", scale: 0"), web].concat());
    assert!(of_web.contains("web: URL names db:5432"), "{of_web}");
}

#[test]
fn a_function_takes_no_part_and_the_others_are_rehearsed() {
    let function = r#"{ "FunctionName": "resize", "PackageType": "Image", "Timeout": 5, "MemorySize": 128 }"#;
    let text = "  resize: { build: . }\n  web: { build: . }\n";
    let manifest = with_files(text, "functions = \"functions\"\n", &[("functions/resize.json", function)]);
    let services = services(&manifest).expect("the other one can be run");
    assert_eq!(services.as_object().expect("a map").keys().collect::<Vec<_>>(), ["web"]);
    assert_eq!(public(&manifest), "web", "nobody calls a function over HTTP");
    assert!(!digests(&manifest).contains_key("resize"));
}

#[test]
fn a_health_path_is_described_where_the_load_balancer_leads_to_it() {
    let text =
        "  api:\n    image: a:1\n    ports: [\"8000\", \"9000\"]\n  web:\n    image: a:1\n    ports: [\"8000\"]\n";
    let health = |port| format!("[services.api]\nhealth = {{ path = \"/livez\", port = {port} }}\n");
    let of = |port| services(&manifest(text, &health(port))).expect("both can be run");
    assert_eq!(health_paths(&of(8000)), [("api", "/livez")].into());
    assert_eq!(health_paths(&of(9000)), BTreeMap::new());
}

#[test]
fn a_service_without_a_task_takes_no_part() {
    let none = "    entrypoint: /entry.sh\n    ports: [\"80\"]\n    scale: 0\n";
    let manifest = manifest(&format!("  later:\n    image: a:1\n{none}  web:\n    image: a:1\n"), "");
    let services = services(&manifest).expect("the other one can be run");
    assert_eq!(services.as_object().expect("a map").keys().collect::<Vec<_>>(), ["web"]);
    assert_eq!(public(&manifest), "web");
}

#[test]
fn what_the_emulated_aws_would_ignore_is_refused() {
    for (key, words) in [("entrypoint: /entry.sh", "as ENTRYPOINT"), ("working_dir: /srv", "as WORKDIR")] {
        let text = refused(&format!("  web:\n    build: .\n    {key}\n"), "");
        assert!(text.starts_with("a rehearsal cannot run web: ") && text.contains(words), "{text}");
    }
}

#[test]
fn a_service_of_queues_and_topics_has_their_names_and_endpoints() {
    let mut manifest = manifest("  worker:\n    build: .\n", "");
    let (queue, topic, file) = ("work".to_owned(), "events".to_owned(), camino::Utf8PathBuf::from("file.json"));
    manifest.messaging.queues =
        vec![Queue { name: queue, file: file.clone(), dead_letter: None, definition: Value::Null }];
    manifest.messaging.topics = vec![Topic { name: topic, file, definition: Value::Null }];
    let told = [("QUEUE", "${queue:work}"), ("TOPIC", "${topic:events}"), ("OTHER", "${HOME}")];
    let environment = &mut manifest.services.get_mut("worker").expect("it is there").environment;
    environment.extend(told.map(|(variable, value)| (variable.to_owned(), value.to_owned())));
    let services = services(&manifest).expect("it can be run");
    for (variable, expected) in [
        ("QUEUE", "http://emulated-aws:4566/000000000000/work"),
        ("TOPIC", "arn:aws:sns:eu-west-1:000000000000:events"),
        ("OTHER", "${HOME}"),
        ("AWS_ENDPOINT_URL_SQS", "http://emulated-aws:4566"),
        ("AWS_ENDPOINT_URL_SNS", "http://emulated-aws:4566"),
    ] {
        assert_eq!(value(&services, "worker", variable), Some(expected), "{variable}");
    }
}

#[test]
fn the_system_answers_by_a_published_service_that_no_other_one_needs() {
    let of = |text: &str| public(&manifest(text, "")).to_owned();
    let image = |name: &str, more: &str| format!("  {name}:\n    image: a:1\n{more}");
    let (published, needs) = ("    ports: [\"80\"]\n", "    depends_on: [api]\n");
    assert_eq!(of(&(image("api", published) + &image("web", &(published.to_owned() + needs)))), "web");
    assert_eq!(of(&(image("api", published) + &image("worker", needs))), "api", "of those that publish a port");
    assert_eq!(of(&image("worker", "")), "worker");
}
