//! A stranger's project: an emulator of its own in the Compose file, and commands beside containers.

use super::engine::docker;
use super::project::Project;

const COMPOSE: &str = "services:
  dynamodb-local:
    image: amazon/dynamodb-local:2.6.1
    working_dir: /home/dynamodblocal
    ports: [\"8000\"]
  web:
    image: devenv-emulator:local
    command: [\"--memory\", \"--allow-any-address\", \"--listen\", \"0.0.0.0:8080\"]
    ports: [\"8080\"]
    environment: { AWS_ENDPOINT_URL: \"http://dynamodb-local:8000\" }
    depends_on: { dynamodb-local: { condition: service_started } }
";

#[test]
#[ignore = "needs a container engine"]
fn devenvs_own_emulator_takes_the_place_of_a_service() {
    let project = Project::new();
    project.write("compose.yaml", COMPOSE);
    std::fs::remove_file(project.path().join("devenv.toml")).expect("removable");
    project.done(&["init", "--yes"]);
    project.up();
    assert!(!project.things().iter().any(|thing| thing.ends_with("-dynamodb-local")), "{:?}", project.things());
    let aliases = "{{range .NetworkSettings.Networks}}{{json .Aliases}}{{end}}";
    let aliases = docker(&["inspect", "--format", aliases, &project.container("emulator")]);
    assert!(aliases.contains("\"dynamodb-local\""), "{aliases}");
    let environment = docker(&["inspect", "--format", "{{json .Config.Env}}", &project.container("web")]);
    assert!(environment.contains("AWS_ENDPOINT_URL=http://dynamodb-local:8000"), "{environment}");
    let url = project.unit("emulator")["url"].as_str().expect("it has an address").to_owned();
    assert_eq!(project.json(&["resources", "import", "--from", &url])["ok"], true, "it answers");
    let unchanged = project.up();
    assert!(unchanged.err.contains("unchanged"), "its image is made once: {}", unchanged.err);
}

#[test]
#[ignore = "needs a container engine"]
fn a_command_runs_in_a_container_and_its_streams_and_exit_code_are_passed_on() {
    let project = Project::new();
    project.up();
    let ran = project.run(&["exec", "web", "/devenv-emulator", "--no-such-option"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("no-such-option") && ran.out.is_empty(), "{}{}", ran.out, ran.err);
    let absent = project.run(&["exec", "web", "sh"]);
    assert!([126, 127].contains(&absent.code), "{}: {}{}", absent.code, absent.out, absent.err);
    let result = project.json(&["ps"]);
    let web = result["units"].as_array().expect("a list").iter().find(|unit| unit["name"] == "web").expect("it runs");
    assert!(web["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 100_000), "{web}");
    assert_eq!(web["container"].as_str(), Some(project.container("web").as_str()));
}
