use std::collections::BTreeMap;
use std::path::Path;

use camino::Utf8Path;
use devenv_compose::files::Disk;
use devenv_compose::load::{FileChoice, Request, load};
use devenv_document::source::SourceFile;
use devenv_manifest::assemble::assemble;
use devenv_manifest::settings::{Settings, schema};
use devenv_model::manifest::{Condition, ProcessRun};
use devenv_resource_files::ResourceFiles;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace's root")
}

fn read(path: &str) -> SourceFile {
    let text = std::fs::read_to_string(root().join(path)).expect(path);
    SourceFile { path: path.into(), text }
}

fn folder(path: &str) -> Vec<SourceFile> {
    let mut names: Vec<String> = std::fs::read_dir(root().join(path))
        .expect(path)
        .map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"))
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "json"))
        .collect();
    names.sort();
    names.iter().map(|name| read(&format!("{path}/{name}"))).collect()
}

#[test]
fn the_order_system_is_read() {
    let settings = Settings::parse(read("devenv.toml")).expect("no mistake");
    let root = Utf8Path::from_path(root()).expect("UTF-8");
    let compose = Request {
        folder: root,
        root,
        files: FileChoice::WithOverride(settings.compose().expect("named").to_owned()),
        profiles: Vec::new(),
        env_files: Vec::new(),
        variables: &BTreeMap::new(),
    };
    let compose = load(&compose, &Disk).expect("no mistake");
    let tables = folder(settings.tables().expect("named").as_str());
    let seeds = folder(settings.seeds().expect("named").as_str());
    let [queues, topics, subscriptions] = [settings.queues(), settings.topics(), settings.subscriptions()]
        .map(|path| folder(path.expect("named").as_str()));
    let sources = ResourceFiles { tables, seeds, queues, topics, subscriptions, ..ResourceFiles::default() };
    let manifest = assemble("/orders".into(), settings, Ok(compose), &sources, &BTreeMap::new());
    let manifest = manifest.expect("no mistake");
    let api = &manifest.services["order-api"];
    assert_eq!(api.ports[0].published, Some(8001));
    assert_eq!(api.expose, [9000]);
    assert_eq!(api.environment["ORDERS_TABLE"], "orders");
    assert_eq!(api.environment["LOG_FORMAT"], "json");
    assert_eq!(api.container.resources.memory, Some(128 << 20));
    assert!(api.container.security.read_only);
    assert_eq!(api.depends_on["order-processor"].condition, Condition::ServiceStarted);
    let process = api.process.as_ref().expect("it runs without Docker");
    assert_eq!(process.run, ProcessRun::Package("order-api".to_owned()));
    let names: Vec<&str> = manifest.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["inventory", "orders", "reservations"]);
    assert_eq!(manifest.seeds[0].items.len(), 3);
    let queues: Vec<&str> = manifest.messaging.queues.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(queues, ["reporting-dead", "reporting"], "a dead-letter queue comes first");
    assert_eq!(manifest.messaging.subscriptions[0].topic, "order-events");
    assert_eq!(api.environment["ORDER_EVENTS_TOPIC_ARN"], "${topic:order-events}");
    // The table files reach the emulator unchanged.
    let orders: serde_json::Value = serde_json::from_str(&read("terraform/tables/orders.json").text).expect("JSON");
    assert_eq!(manifest.tables[1].definition, orders);
}

#[test]
fn the_published_schema_is_up_to_date() {
    assert!(
        read("devenv.schema.json").text == schema(),
        "devenv.schema.json is out of date: cargo run -q -p devenv-manifest --example schema > devenv.schema.json"
    );
}
