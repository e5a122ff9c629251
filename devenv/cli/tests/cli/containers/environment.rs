//! Undisturbed environments.

use devenv_containers::oci::OciImage;
use serde_json::Value;

use super::engine::{docker, image_of};
use super::project::Project;

#[test]
#[ignore = "needs a container engine"]
fn an_unchanged_up_is_a_no_op() {
    let project = Project::new();
    assert!(project.up().err.contains("runtime docker (requested), emulator embedded (devenv-emulator:local)"));
    let before = project.ids();
    // Without `--runtime`, a running environment keeps its runtime.
    let again = project.done(&["up", "-d", "--output", "plain"]);
    assert!(again.err.contains("unchanged"), "{}", again.err);
    assert_eq!(project.ids(), before);
    assert_eq!(project.done(&["up", "--dry-run"]).out.trim(), "nothing to do");
}

#[test]
#[ignore = "needs a container engine"]
fn a_container_is_stopped_started_and_its_log_filtered() {
    let project = Project::new();
    project.up();
    let before = project.ids();
    assert_eq!(project.json(&["stop", "web"])["changed"], serde_json::json!(["web"]));
    assert_eq!(project.unit("web")["state"], "stopped");
    assert_eq!(project.json(&["start"])["changed"], serde_json::json!(["web"]));
    assert_eq!(project.json(&["restart", "web"])["changed"], serde_json::json!(["web"]));
    assert_eq!(project.ids(), before, "no container is made anew");
    let read = |arguments: &[&str]| project.done(&[&["logs", "--output", "plain"], arguments].concat()).out;
    let (all, recent) = (read(&["emulator"]), read(&["emulator", "--since", "10m", "--timestamps"]));
    assert!(!all.is_empty() && recent.lines().count() == all.lines().count(), "{all}\n{recent}");
    assert_eq!(read(&["emulator", "--since", "2099-01-01T00:00:00Z"]), "");
    assert_eq!(read(&["emulator", "--grep", "^no line begins so$", "--tail", "3"]), "");
}

#[test]
#[ignore = "needs a container engine"]
fn a_changed_service_alone_is_replaced() {
    let project = Project::new();
    project.up();
    let before = project.ids();
    project.change("compose.yaml", "    mem_limit: 64m", "    environment: { COLOUR: blue }\n    mem_limit: 64m");
    let plan = project.done(&["up", "--dry-run"]).out;
    assert!(plan.contains("replace web (configuration changed)"), "{plan}");
    project.up();
    let after = project.ids();
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
    assert_ne!(after[1], before[1]);
}

#[test]
#[ignore = "needs a container engine"]
fn a_container_removed_by_hand_comes_back() {
    let project = Project::new();
    project.up();
    let before = project.ids();
    docker(&["rm", "--force", &project.container("back")]);
    assert_eq!(project.unit("back")["state"], "stopped");
    project.up();
    let after = project.ids();
    assert_eq!(after[..2], before[..2]);
    assert_eq!(project.unit("back")["state"], "ready");
}

#[test]
#[ignore = "needs a container engine"]
fn down_leaves_nothing_and_keeps_the_data_until_it_is_told() {
    let project = Project::new();
    project.up();
    assert_eq!(project.things().len(), 5, "{:?}", project.things());
    project.done(&["down"]);
    let left = project.things();
    assert!(left.len() == 1 && left[0].starts_with("volume "), "{left:?}");
    // Without the state directory, the labels lead to the volume.
    std::fs::remove_dir_all(project.path().join(".devenv")).expect("ours");
    project.done(&["down", "--volumes"]);
    assert_eq!(project.things(), Vec::<String>::new());
}

#[test]
#[ignore = "needs a container engine and DYNAMODB_LOCAL_IMAGE"]
fn what_dynamodb_local_holds_survives_its_end() {
    let image = image_of("DYNAMODB_LOCAL_IMAGE");
    let project = Project::new();
    let settings = std::fs::read_to_string(project.path().join("devenv.toml")).expect("written");
    project.write("devenv.toml", &format!("{settings}[emulator.dynamodb-local]\nimage = \"{image}\"\n"));
    let up = ["up", "-d", "--runtime", "docker", "--emulator", "dynamodb-local"];
    project.done(&up);
    project.done(&["down"]);
    let seed = std::fs::read_to_string(project.path().join("seeds/items.json")).expect("written");
    project.write("seeds/items.json", "[]");
    project.done(&up);
    project.write("seeds/items.json", &seed);
    let seeded = project.done(&["seed"]).out;
    assert!(seeded.contains("every seed item is there already"), "{seeded}");
}

#[test]
#[ignore = "needs a container engine"]
fn a_container_may_do_as_little_as_the_compose_file_says() {
    let project = Project::new();
    project.up();
    for unit in ["emulator", "web"] {
        let facts: Value = serde_json::from_str(&docker(&["inspect", &project.container(unit)])).expect("JSON");
        let host = &facts[0]["HostConfig"];
        assert_eq!(host["ReadonlyRootfs"], true, "{unit}");
        assert_eq!(host["CapDrop"][0], "ALL", "{unit}");
        assert_eq!(host["SecurityOpt"][0], "no-new-privileges:true", "{unit}");
        assert!(host["Memory"].as_u64().is_some_and(|bytes| bytes > 0), "{unit}");
        assert!(host["PidsLimit"].as_u64().is_some_and(|pids| pids > 0), "{unit}");
        assert_eq!(facts[0]["Config"]["User"], "65532:65532", "{unit}");
        let bindings = host["PortBindings"].as_object().expect("a map");
        let addresses = bindings.values().flat_map(|list| list.as_array().expect("a list"));
        assert!(addresses.clone().count() > 0 && addresses.clone().all(|binding| binding["HostIp"] == "127.0.0.1"));
    }
    let web: Value = serde_json::from_str(&docker(&["inspect", &project.container("web")])).expect("JSON");
    assert_eq!(web[0]["HostConfig"]["Memory"], 64 << 20);
    let environment = web[0]["Config"]["Env"].to_string();
    assert!(environment.contains("AWS_ENDPOINT_URL=http://emulator:8000"), "{environment}");
    assert!(environment.contains("AWS_ACCESS_KEY_ID=devenv"), "{environment}");
}

#[test]
#[ignore = "needs a container engine"]
fn two_checkouts_run_side_by_side_and_a_port_of_a_container_is_named() {
    let (one, two) = (Project::new(), Project::new());
    for project in [&one, &two] {
        project.change("compose.yaml", "[\"8080\"]", "[\"127.0.0.1:19481:8080\"]");
    }
    one.up();
    assert_eq!(one.unit("web")["url"], "http://127.0.0.1:19481");
    let second = two.up();
    let holder = format!("port 19481 is held by the container {}", one.container("web"));
    assert!(second.err.contains(&holder), "{}", second.err);
    one.done(&["down"]);
    assert_eq!(two.unit("web")["state"], "ready");
}

#[test]
#[ignore = "needs a container engine"]
fn tests_have_an_environment_of_their_own_that_goes_with_them() {
    let project = Project::new();
    project.up();
    let before = project.things();
    let ran = project.done(&["test", "--runtime", "docker", "--output", "plain"]);
    assert!(ran.out.contains("green: 1 passed"), "{}", ran.out);
    assert_eq!(project.things(), before);
}

#[test]
#[ignore = "needs a container engine"]
fn a_test_run_leaves_evidence_of_what_it_was_of() {
    let project = Project::new();
    project.write("terraform/main.tf", "");
    project.write(".gitignore", ".devenv/\n");
    for arguments in ["init --quiet", "add .", "-c user.name=a -c user.email=a@example.com commit --quiet -m all"] {
        let mut git = std::process::Command::new("git");
        let status = git.arg("-C").arg(project.path()).args(arguments.split(' ')).status().expect("git is here");
        assert!(status.success(), "git {arguments}");
    }
    let run = || project.done(&["test", "--runtime", "docker", "--output", "plain"]).out;
    let clean = run();
    assert!(clean.contains("evidence: ") && !clean.contains("does not count"), "{clean}");
    let folder = project.path().join(".devenv/evidence");
    let file = std::fs::read_dir(folder).expect("made").next().expect("a file").expect("readable").path();
    let statement: Value = serde_json::from_slice(&std::fs::read(file).expect("readable")).expect("JSON");
    let id = docker(&["image", "inspect", "--format", "{{.Id}}", super::engine::IMAGE]);
    let subjects = statement["subject"].as_array().expect("a list");
    let names: Vec<&Value> = subjects.iter().map(|subject| &subject["name"]).collect();
    assert_eq!(names, ["back", "web", "terraform"]);
    let archive = project.path().join(".devenv/image.tar");
    docker(&["image", "save", "--output", archive.to_str().expect("UTF-8"), super::engine::IMAGE]);
    let archive = std::fs::read(archive).expect("saved").into();
    let image = OciImage::read(&archive, &id).expect("the engine's own archive");
    assert_eq!(format!("sha256:{}", subjects[0]["digest"]["sha256"].as_str().expect("a digest")), image.digest());
    project.write("terraform/main.tf", "# changed");
    assert!(run().contains("does not count for a promotion: files differed from the commit"));
}

#[test]
#[ignore = "needs a container engine"]
fn logs_are_shown_and_kept_of_what_failed() {
    let project = Project::new();
    project.up();
    let shown = project.done(&["logs", "web"]).out;
    assert!(shown.contains("listening on http://0.0.0.0:8080"), "{shown}");
    project.done(&["down"]);
    project.change("compose.yaml", "\"--memory\"", "\"--nonsense\"");
    let failed = project.run(&["up", "-d", "--runtime", "docker"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.err.contains("web failed") && failed.err.contains("--nonsense"), "{}", failed.err);
    // The hint names this command.
    assert!(project.done(&["logs", "web"]).out.contains("--nonsense"));
}

#[test]
#[ignore = "needs a container engine"]
fn changing_the_runtime_stops_the_other_one() {
    let project = Project::new();
    let devenv = env!("CARGO_BIN_EXE_devenv");
    let process = |name: &str| {
        format!(
            "[services.{name}]\nhealth = \"/\"\n[services.{name}.process]\ncommand = [\"{devenv}\", \"emulator\", \"--memory\", \
             \"--listen\", \"127.0.0.1:${{port:8080}}\"]\n"
        )
    };
    project.change("devenv.toml", "[services.web]\nhealth = \"/\"\n", &process("web"));
    project.change("devenv.toml", "[services.back]\nhealth = \"/\"\n", &process("back"));
    project.up();
    let processes = project.done(&["up", "-d", "--runtime", "process", "--output", "plain"]);
    assert!(processes.err.contains("stopped the environment that ran as containers"), "{}", processes.err);
    assert!(project.things().iter().all(|thing| thing.starts_with("volume ")), "{:?}", project.things());
    assert!(project.unit("web")["pid"].is_u64());
    let containers = project.up();
    assert!(containers.err.contains("stopped the environment that ran as processes"), "{}", containers.err);
    assert_eq!(project.unit("web")["state"], "ready");
    project.container("web");
}

#[test]
#[ignore = "needs a container engine"]
fn a_container_port_is_published_as_often_as_the_compose_file_says() {
    let project = Project::new();
    let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
    project
        .write("compose.yaml", &compose.replace("[\"8080\"]", "[\"8080\", \"127.0.0.2::8080\", \"127.0.0.3::8080\"]"));
    project.up();
    let bindings = project.unit("web")["bindings"].as_array().expect("a list").clone();
    assert_eq!(bindings.len(), 3, "{bindings:?}");
    for binding in &bindings {
        let host = binding["host"].as_str().expect("an address");
        std::net::TcpStream::connect(host).unwrap_or_else(|error| panic!("{host}: {error}"));
    }
    project.up();
    assert_eq!(project.unit("web")["bindings"].as_array(), Some(&bindings), "they are kept");
}

#[test]
#[ignore = "needs a container engine"]
fn a_port_at_another_address_is_probed_and_shown_there() {
    let project = Project::new();
    // Without a health path, so that the probe only connects.
    project.change("devenv.toml", "[services.back]\nhealth = \"/\"\n", "");
    project.change("compose.yaml", "    depends_on: { back: { condition: service_healthy } }\n", "");
    let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
    project.write("compose.yaml", &compose.replace("[\"8080\"]", "[\"127.0.0.2::8080\"]"));
    project.up();
    for unit in ["web", "back"] {
        let url = project.unit(unit)["url"].as_str().expect("it runs").to_owned();
        assert!(url.starts_with("http://127.0.0.2:"), "{url}");
    }
    let environment = project.done(&["env", "--format", "dotenv"]).out;
    assert!(environment.contains("WEB_URL='http://127.0.0.2:"), "{environment}");
}
