//! From a folder to its `devenv.toml`.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_init::error::Error;
use devenv_init::found::Found;
use devenv_init::look::look;
use devenv_init::proposal::{Answers, Proposal, propose};
use devenv_init::write::write;
use devenv_manifest::compose_model::ComposeOptions;
use devenv_manifest::load::load;

const PAIR: &str = "services:
  dynamodb-local:
    image: amazon/dynamodb-local:2.6.1
    command: -jar DynamoDBLocal.jar -sharedDb -dbPath ./data
    working_dir: /home/dynamodblocal
    ports: [\"8000:8000\"]
    volumes: [\"./data:/home/dynamodblocal/data\"]
  api:
    image: api:1
    ports: [\"8080:80\"]
    environment: { DYNAMODB_ENDPOINT: \"http://dynamodb-local:8000\" }
    depends_on: [dynamodb-local]
";

struct Folder {
    _place: tempfile::TempDir,
    root: Utf8PathBuf,
}

fn folder(files: &[(&str, &str)]) -> Folder {
    let place = tempfile::Builder::new().prefix("shop").tempdir().expect("a temporary directory");
    let root =
        Utf8Path::from_path(place.path()).expect("UTF-8").canonicalize_utf8().expect("it exists").join("My_Shop");
    std::fs::create_dir(&root).expect("writable");
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("below the root")).expect("writable");
        std::fs::write(path, text).expect("writable");
    }
    Folder { _place: place, root }
}

fn looked(folder: &Folder) -> Result<(Found, Proposal), Error> {
    let nothing = BTreeMap::new();
    let (found, project) = look(&folder.root, &ComposeOptions::default(), &nothing)?;
    let proposal = propose(&found, &project, &Answers::suggested(&found), &nothing)?;
    Ok((found, proposal))
}

fn paths(proposal: &Proposal) -> Vec<&str> {
    proposal.files.iter().map(|(path, _)| path.as_str()).collect()
}

#[test]
fn a_pair_with_dynamodb_local_becomes_a_project_with_devenvs_own_emulator() {
    let folder = folder(&[("docker-compose.yml", PAIR), ("test.sh", "#!/bin/bash\n"), ("pytest.ini", "")]);
    let (found, proposal) = looked(&folder).expect("no mistake");
    insta::assert_snapshot!("the findings of a pair", found.lines().join("\n"));
    insta::assert_snapshot!("devenv.toml of a pair", proposal.files[0].1);
    assert!(proposal.left_out.is_empty(), "the replaced service does not matter: {:?}", proposal.left_out);
    assert_eq!(write(&proposal).expect("writable"), [folder.root.join("devenv.toml")]);
    let manifest = load(&folder.root, &ComposeOptions::default(), &BTreeMap::new()).expect("it is valid");
    assert_eq!(manifest.services.keys().collect::<Vec<_>>(), ["api"]);
    let replaced = manifest.emulator.replaces.expect("it is replaced");
    let port = replaced.port.expect("it publishes one");
    assert_eq!((replaced.service.as_str(), port.container, port.published), ("dynamodb-local", 8000, Some(8000)));
}

#[test]
fn a_project_without_aws_has_no_emulator_and_no_tables() {
    let folder = folder(&[("compose.yaml", "services: { web: { image: web, container_name: w } }")]);
    let (_, proposal) = looked(&folder).expect("no mistake");
    insta::assert_snapshot!("devenv.toml without AWS", proposal.files[0].1);
    assert_eq!(paths(&proposal), ["devenv.toml"]);
}

#[test]
fn services_that_talk_to_aws_get_a_folder_for_tables() {
    let text = "services: { web: { image: web, environment: { AWS_REGION: eu-west-1 } } }";
    let folder = folder(&[("compose.yaml", text)]);
    let (_, proposal) = looked(&folder).expect("no mistake");
    assert_eq!(paths(&proposal), ["devenv.toml", "tables/README.md"]);
    write(&proposal).expect("writable");
    load(&folder.root, &ComposeOptions::default(), &BTreeMap::new()).expect("it is valid");
}

#[test]
fn tables_that_are_there_are_named() {
    let text = "services: { web: { image: web, environment: { AWS_REGION: eu-west-1 } } }";
    let folder = folder(&[("compose.yaml", text), ("tables/orders.json", "{}")]);
    let (_, proposal) = looked(&folder).expect("no mistake");
    assert!(proposal.files[0].1.contains("\ntables = \"tables\"\n"));
    assert_eq!(paths(&proposal), ["devenv.toml"]);
}

#[test]
fn what_up_refuses_is_listed_with_its_place() {
    let text = "services:\n  web:\n    image: web\n    network_mode: host\n";
    let (_, proposal) = looked(&folder(&[("compose.yaml", text)])).expect("no mistake");
    let places: Vec<String> = proposal.left_out.iter().map(ToString::to_string).collect();
    assert!(places[0].starts_with("compose.yaml:4:19: "), "{places:?}");
}

#[test]
fn a_dockerfile_alone_gets_a_small_compose_file() {
    let folder = folder(&[("Dockerfile", "FROM python\nEXPOSE 8000\n")]);
    let (found, proposal) = looked(&folder).expect("no mistake");
    assert!(found.lines()[0].contains("a Dockerfile, but no Compose file"));
    assert_eq!(paths(&proposal), ["devenv.toml", "compose.yaml"]);
    assert!(proposal.files[1].1.contains("ports: [\"8000:8000\"]"));
}

#[test]
fn nothing_is_replaced() {
    let folder = folder(&[("compose.yaml", PAIR)]);
    let (_, proposal) = looked(&folder).expect("no mistake");
    write(&proposal).expect("writable");
    let before = std::fs::read_to_string(folder.root.join("devenv.toml")).expect("readable");
    assert!(matches!(write(&proposal), Err(Error::Exists { .. })));
    assert!(matches!(looked(&folder), Err(Error::Exists { path }) if path == folder.root.join("devenv.toml")));
    assert_eq!(std::fs::read_to_string(folder.root.join("devenv.toml")).expect("readable"), before);
}

#[test]
fn a_folder_with_nothing_to_start_is_an_error_and_so_are_mistakes() {
    assert!(matches!(looked(&folder(&[])), Err(Error::NothingToStart { .. })));
    assert!(matches!(looked(&folder(&[("compose.yaml", "services: [")])), Err(Error::Mistakes(_))));
}
