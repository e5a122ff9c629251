//! `devenv init`, from a folder with a Compose file to a project.

use crate::folder::Folder;

const COMPOSE: &str = "services:
  dynamodb-local: { image: \"amazon/dynamodb-local:2.6.1\", ports: [\"8000\"] }
  web: { image: web, environment: { AWS_ENDPOINT_URL: \"http://dynamodb-local:8000\" } }
";

fn with(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    for (path, text) in files {
        folder.write(path, text);
    }
    folder
}

fn settings(folder: &Folder) -> Option<String> {
    std::fs::read_to_string(folder.path().join("devenv.toml")).ok()
}

#[test]
fn a_look_is_printed_and_nothing_is_written() {
    let folder = with(&[("compose.yaml", COMPOSE), ("pytest.ini", "")]);
    let ran = folder.done(&["init", "--dry-run"]);
    assert!(
        ran.out.contains("replaces = \"dynamodb-local\"") && ran.out.contains("command = [\"pytest\"]"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("found dynamodb-local (amazon/dynamodb-local:2.6.1)"), "{}", ran.err);
    assert_eq!(settings(&folder), None);
}

#[test]
fn yes_takes_what_is_found_once() {
    let folder = with(&[("compose.yaml", COMPOSE)]);
    let ran = folder.done(&["init", "--yes"]);
    assert!(ran.out.contains("wrote ") && ran.out.contains(".gitignore: .devenv/"), "{}", ran.out);
    let written = settings(&folder).expect("it is written");
    assert!(written.contains("replaces = \"dynamodb-local\""), "{written}");
    let again = folder.run(&["init", "--yes"]);
    assert_eq!(again.code, 3);
    assert!(again.err.contains("is there already"), "{}", again.err);
    assert_eq!(settings(&folder), Some(written));
    assert!(!folder.path().join(".devenv").exists() && !folder.path().join(".gitignore").exists());
}

#[test]
fn json_has_the_findings_and_what_up_refuses() {
    let folder = with(&[("compose.yaml", &COMPOSE.replace("image: web,", "image: web, network_mode: host,"))]);
    let result = folder.json(&["init", "--yes"]);
    assert_eq!((&result["version"], &result["ok"]), (&1.into(), &true.into()));
    assert_eq!(result["found"]["emulators"][0]["service"], "dynamodb-local");
    assert_eq!(result["left_out"][0]["line"], 3);
    assert!(result["written"][0].as_str().is_some_and(|path| path.ends_with("/devenv.toml")), "{result}");
}

#[test]
fn without_a_terminal_an_answer_is_required() {
    let folder = with(&[("compose.yaml", COMPOSE)]);
    let ran = folder.run(&["init"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("stdin is not a terminal") && ran.err.contains("--yes"), "{}", ran.err);
    assert_eq!(settings(&folder), None);
}

#[test]
fn a_folder_with_nothing_to_start_and_a_file_with_mistakes_are_explained() {
    let empty = with(&[]).run(&["init", "--yes"]);
    assert_eq!(empty.code, 3);
    assert!(empty.err.contains("no Compose file") && empty.err.contains("write a compose.yaml"), "{}", empty.err);
    let wrong = with(&[("compose.yaml", "services:\n  web: { imgae: web }\n")]).run(&["init", "--yes"]);
    assert_eq!(wrong.code, 3);
    assert!(wrong.err.contains("compose.yaml:2") && wrong.err.contains("then: devenv init"), "{}", wrong.err);
}
