//! `devenv config`, with and without a `devenv.toml`.

use crate::folder::Folder;
use crate::project::Project;

const COMPOSE: &str = "services:\n  web: { image: \"web:${TAG:-1}\", ports: [\"8080:80\"], environment: [PRICE=$$5] }\n  \
    debug: { image: debug, profiles: [debug] }\n";

fn with(files: &[(&str, &str)]) -> Folder {
    let mut folder = Folder::new();
    folder.variables.push(("TAG", "2".to_owned()));
    for (path, text) in files {
        folder.write(path, text);
    }
    folder
}

#[test]
fn a_folder_with_nothing_but_a_compose_file_is_read() {
    let folder = with(&[
        ("compose.yaml", COMPOSE),
        ("compose.override.yaml", "version: \"3\"\nname: shop\nservices: { web: { user: \"5\" } }"),
    ]);
    let ran = folder.run(&["config"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("compose.override.yaml:1: `version` is obsolete"), "{}", ran.err);
    insta::assert_snapshot!("config", ran.out);
    let json: serde_json::Value = serde_json::from_str(&folder.run(&["config", "--format", "json"]).out).expect("JSON");
    assert_eq!(json["services"]["web"]["image"], "web:2");
    let with_debug: serde_json::Value =
        serde_json::from_str(&folder.run(&["config", "--format", "json", "--profile", "debug"]).out).expect("JSON");
    assert_eq!(with_debug["services"].as_object().map(serde_json::Map::len), Some(2));
}

#[test]
fn files_and_their_variables_are_those_of_the_options() {
    let folder = with(&[
        ("one.yaml", COMPOSE),
        ("two.yaml", "services: { web: { hostname: \"${HOST}\" } }"),
        ("some.env", "HOST=here\nTAG=3\n"),
    ]);
    let ran =
        folder.run(&["config", "-f", "one.yaml", "--file", "two.yaml", "--env-file", "some.env", "--output", "json"]);
    let result: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let web = &result["model"]["services"]["web"];
    assert_eq!((&web["hostname"], &web["image"]), (&"here".into(), &"web:2".into()), "the caller's variables win");
}

#[test]
fn mistakes_are_drawn_in_the_file_that_has_them() {
    let folder = with(&[
        ("compose.yaml", "include: [more.yaml]\n"),
        ("more.yaml", "services:\n  web:\n    imgae: web\n    depends_on: [bd]\n"),
    ]);
    let ran = folder.run(&["config"]);
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!("config of a mistake", ran.err);
    let absent = with(&[]).run(&["config"]);
    assert_eq!(absent.code, 3);
    assert!(absent.err.contains("no Compose file") && absent.err.contains("devenv config -f FILE"), "{}", absent.err);
    let unread = folder.run(&["config", "-f", "absent.yaml"]);
    assert_eq!(unread.code, 3);
    assert!(unread.err.contains("absent.yaml"), "{}", unread.err);
}

#[test]
fn the_file_of_devenv_toml_is_read() {
    let project = Project::new();
    let json = project.json(&["config"]);
    assert!(json["model"]["services"].get("web").is_some(), "{json}");
    assert!(!project.path().join(".devenv").exists(), "nothing is written");
}
