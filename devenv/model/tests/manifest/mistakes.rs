use proptest::prelude::*;

use crate::sources::{Sources, TABLE};

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
}

#[test]
fn of_the_compose_file() {
    insta::assert_snapshot!("unsupported key", compose("image: web:1", "env_file: .env"));
    insta::assert_snapshot!("misspelt key", compose("image: web:1", "imgae: web:1"));
    insta::assert_snapshot!("duplicate key", compose("image: web:1", "image: web:1\n    image: web:2"));
    insta::assert_snapshot!("not yaml", compose("services:", "services: ["));
    insta::assert_snapshot!("required variable", compose("web:1", "web:${TAG:?say which}"));
    insta::assert_snapshot!("bad port", compose("8080:80", "8080-8090:80"));
    insta::assert_snapshot!("unknown dependency", compose("[back]", "[bakc]"));
    insta::assert_snapshot!("cycle", compose("image: back:1", "image: back:1\n    depends_on: [web]"));
    insta::assert_snapshot!("duplicate port", compose("image: back:1", "image: back:1\n    ports: [\"8080:81\"]"));
    insta::assert_snapshot!("no health check", compose("[back]", "{ back: { condition: service_healthy } }"));
    insta::assert_snapshot!("unknown condition", compose("[back]", "{ back: { condition: service_heathy } }"));
    insta::assert_snapshot!("bad duration", compose("image: back:1", "image: back:1\n    stop_grace_period: soon"));
    insta::assert_snapshot!("reserved name", compose("  back:\n", "  emulator:\n    image: e:1\n  back:\n"));
    insta::assert_snapshot!("wrong kind", compose("[\"8080:80\"]", "\"8080:80\""));
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
fn an_alias_bomb_is_refused() {
    let mut sources = Sources::good();
    let mut text = "x-a: &a [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
    for (name, of) in [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d"), ("f", "e"), ("g", "f")] {
        let aliases = vec![["*", of].concat(); 10].join(",");
        text += &["x-", name, ": &", name, " [", &aliases, "]\n"].concat();
    }
    sources.compose = text + &sources.compose;
    assert!(sources.drawn().contains("too many values"));
}

proptest! {
    #[test]
    fn no_input_panics(settings in "\\PC{0,200}", compose in "\\PC{0,200}", table in "\\PC{0,200}") {
        let mut sources = Sources::good();
        sources.compose = compose;
        sources.tables[0].1 = table;
        let _ = sources.assemble();
        sources.settings = settings;
        let _ = sources.assemble();
    }

    /// A file that is nearly right reaches deeper than noise does.
    #[test]
    fn no_small_change_panics(at in 0_usize..110, with in "[a-z:\\[\\]{}\"'&*|>$ \n#é-]{0,3}") {
        let mut sources = Sources::good();
        let at = at.min(sources.compose.len());
        sources.compose.insert_str(at, &with);
        let _ = sources.assemble();
    }
}
