//! Every error has its cause, its remedy and its exit code, and leaves nothing half-done.

use crate::folder::{DEVENV, Ran};
use crate::project::Project;

fn up(project: &Project) -> Ran {
    project.run(&["up", "-d", "--output", "plain"])
}

#[test]
fn a_mistake_in_a_file_is_shown_in_its_place() {
    let project = Project::new();
    project.change("devenv.toml", "health", "helth");
    let failed = up(&project);
    assert_eq!(failed.code, 3);
    insta::assert_snapshot!(failed.err);
    let json = project.json(&["up", "-d"]);
    let problem = &json["error"]["problems"][0];
    assert_eq!((&problem["line"], &problem["column"]), (&7.into(), &1.into()), "{json}");
    assert_eq!(json["error"]["code"], "manifest");
    assert!(!project.path().join(".devenv").exists(), "nothing is written for a project that cannot be read");
}

#[test]
fn a_folder_without_a_project() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let output = std::process::Command::new(DEVENV).arg("up").current_dir(folder.path()).output().expect("starts");
    let ran = Ran::from(output);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("no devenv.toml") && ran.err.contains("hint:"), "{}", ran.err);
}

#[test]
fn a_service_that_dies_at_its_start_is_shown_with_its_last_words() {
    let project = Project::new();
    let dying = "command = [\"sh\", \"-c\", \"echo the database is on fire; exit 7\", \"";
    project.change("devenv.toml", "command = [\"", dying);
    let failed = up(&project);
    assert_eq!(failed.code, 1);
    for part in ["web failed", "exit code 7", "the database is on fire", "hint: devenv logs web"] {
        assert!(failed.err.contains(part), "{part} is not in: {}", failed.err);
    }
    project.nothing_is_left();
}

#[test]
fn a_service_that_never_becomes_ready() {
    let project = Project::new();
    project.change("devenv.toml", "health = \"/\"", "health = \"/never\"");
    let failed = project.run(&["up", "-d", "--timeout", "5s", "--output", "plain"]);
    assert_eq!(failed.code, 5);
    assert!(failed.err.contains("wait for web: not done within 5.0 s"), "{}", failed.err);
    project.nothing_is_left();
}

#[test]
fn a_program_that_is_not_there() {
    let project = Project::new();
    project.change("devenv.toml", &format!("command = [\"{DEVENV}\""), "command = [\"/no/such/program\"");
    let failed = up(&project);
    assert_eq!(failed.code, 1);
    assert!(failed.err.contains("cannot start /no/such/program"), "{}", failed.err);
    project.nothing_is_left();
}

#[test]
fn a_state_directory_that_cannot_be_written() {
    let project = Project::new();
    project.write(".devenv", "a file in the place of the folder");
    let failed = up(&project);
    assert_eq!(failed.code, 1);
    assert!(failed.err.contains("cannot write") && failed.err.contains("hint:"), "{}", failed.err);
    let doctor = project.run(&["doctor"]);
    assert_eq!(doctor.code, 4);
    assert!(doctor.out.contains("cannot write ") && doctor.out.contains("fix: "), "{}", doctor.out);
    std::fs::remove_file(project.path().join(".devenv")).expect("ours");
}

#[test]
fn a_container_without_an_engine_names_what_was_tried_and_the_remedy() {
    let project = Project::new();
    for (arguments, code, part) in [
        (&["--runtime", "docker"][..], 4, "/nonexistent/docker.sock"),
        (&["--emulator", "localstack"], 4, "/nonexistent/docker.sock"),
        (&["--emulator", "dynamodb-local", "--runtime", "process"], 2, "is a container image"),
        (&["--runtime", "docker", "--emulator-url", "http://127.0.0.1:1"], 2, "containers cannot reach"),
    ] {
        let failed = project.run(&[&["up", "-d"][..], arguments].concat());
        assert_eq!(failed.code, code, "{arguments:?}: {}", failed.err);
        assert!(failed.err.contains(part) && failed.err.contains("hint: "), "{arguments:?}: {}", failed.err);
    }
}

#[test]
fn an_emulator_that_somebody_else_runs_must_be_on_this_machine() {
    let project = Project::new();
    let failed = project.run(&["up", "-d", "--emulator-url", "https://dynamodb.eu-west-1.amazonaws.com"]);
    assert_eq!(failed.code, 3);
    assert!(failed.err.contains("amazonaws.com"), "{}", failed.err);
    project.nothing_is_left();
}

#[test]
fn an_endpoint_elsewhere_is_refused() {
    let project = Project::new();
    let elsewhere = "image: web:1\n    environment: { AWS_ENDPOINT_URL_S3: \"https://s3.eu-west-1.amazonaws.com\" }";
    project.change("compose.yaml", "image: web:1", elsewhere);
    let failed = up(&project);
    assert_eq!(failed.code, 3);
    assert!(failed.err.contains("AWS_ENDPOINT_URL_S3"), "{}", failed.err);
    project.nothing_is_left();
}

#[test]
fn a_damaged_data_file_is_named() {
    let project = Project::new();
    project.write(".devenv/data/dynamodb.sqlite", &"this is not a database. ".repeat(100));
    let failed = up(&project);
    assert_eq!(failed.code, 1);
    assert!(failed.err.contains("dynamodb.sqlite"), "{}", failed.err);
    project.nothing_is_left();
}

#[test]
fn a_pipe_or_a_device_in_the_place_of_a_file_is_refused_in_its_place() {
    let project = Project::new();
    let pipe = project.path().join("pipe.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there").success());
    project.change("devenv.toml", "compose.yaml", "pipe.yaml");
    let failed = up(&project);
    assert_eq!(failed.code, 3);
    assert!(failed.err.contains("devenv.toml:3:") && failed.err.contains("a pipe or a device"), "{}", failed.err);
    project.change("devenv.toml", "pipe.yaml", "compose.yaml");
    std::os::unix::fs::symlink("/dev/zero", project.path().join("tables/endless.json")).expect("a link");
    let failed = up(&project);
    assert_eq!(failed.code, 3);
    assert!(failed.err.contains("cannot read tables/endless.json"), "{}", failed.err);
}

#[test]
fn a_file_that_is_no_text_is_shown_in_its_place() {
    let project = Project::new();
    std::fs::write(project.path().join("compose.yaml"), b"services:\n  abc\xe9: {}\n").expect("writable");
    let problem = &project.json(&["up", "-d"])["error"]["problems"][0];
    assert_eq!((&problem["file"], &problem["line"]), (&"compose.yaml".into(), &2.into()), "{problem}");
}

#[test]
fn too_many_open_files_are_no_mistake_of_the_configuration() {
    let project = Project::new();
    // Some of these limits let devenv start, but not read a folder while other files are open.
    for limit in 3..40 {
        let script = format!("ulimit -n {limit}; exec \"$0\" status --output plain");
        let output = std::process::Command::new("sh")
            .args(["-c", &script, DEVENV])
            .current_dir(project.path())
            .stdin(std::process::Stdio::null())
            .output()
            .expect("a shell is there");
        assert_ne!(output.status.code(), Some(3), "{limit}: {}", Ran::from(output).err);
    }
}
