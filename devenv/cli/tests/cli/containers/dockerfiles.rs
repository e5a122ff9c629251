//! Services that Dockerfiles make, in a project that does not use AWS.

use std::process::Stdio;
use std::time::Instant;

use super::engine::{docker, python_image};
use crate::folder::{Folder, eventually, signal};
use crate::served::app;
use crate::taken_down::{Kind, TakenDown};

const ADDRESS: &str = r#"("0.0.0.0", 8000)"#;
const SERVICE: &str = "ports: [\"8000\"], init: true, stop_grace_period: 1s";

/// Two services, each with a Dockerfile of its own.
type Built = TakenDown<Dockerfiles>;

struct Dockerfiles;

impl Kind for Dockerfiles {
    const DOWN: &'static [&'static str] = &["down", "--volumes"];

    fn clear(&self, folder: &Folder) {
        for image in images(folder) {
            let _ = std::process::Command::new("docker").args(["rmi", "--force", &image]).output();
        }
    }
}

/// The ids of the images of the project in a folder, also of those without a name.
fn images(folder: &Folder) -> Vec<String> {
    let root = folder.path().canonicalize().expect("it exists").display().to_string();
    let listed = docker(&["images", "--quiet", "--no-trunc", "--filter", &format!("label=devenv.root={root}")]);
    listed.lines().map(str::to_owned).collect()
}

impl Built {
    fn new() -> Self {
        let built = Self { folder: Folder::new(), kind: Dockerfiles };
        built.write("devenv.toml", "version = 1\nname = \"built\"\ncompose = \"compose.yaml\"\n");
        let services = ["web", "other"].map(|name| format!("  {name}: {{ build: ./{name}, {SERVICE} }}\n"));
        built.write("compose.yaml", &format!("services:\n{}", services.concat()));
        for name in ["web", "other"] {
            built.write(&format!("{name}/app.py"), &app(ADDRESS));
            built.write(&format!("{name}/Dockerfile"), &Self::dockerfile(""));
        }
        built
    }

    fn dockerfile(more: &str) -> String {
        format!("FROM {}\nCOPY app.py /app.py\n{more}CMD [\"python3\", \"-u\", \"/app.py\"]\n", python_image())
    }

    fn id(&self, service: &str) -> String {
        docker(&["inspect", "--format", "{{.Id}}", self.unit(service)["container"].as_str().expect("it has one")])
    }
}

#[test]
#[ignore = "needs a container engine with an image of Python"]
fn a_changed_source_is_served_after_up_and_only_its_service_is_built_and_replaced() {
    let built = Built::new();
    let first = built.up();
    assert!(first.err.contains("runtime docker (other, web have no process settings;"), "{}", first.err);
    assert!(first.err.contains("emulator none"), "{}", first.err);
    assert!(first.err.contains("web             | Step 1"), "the builder's lines have their service: {}", first.err);
    assert_eq!(built.answers(), ["one", "one"]);
    let before = ["web", "other"].map(|name| built.id(name));

    let began = Instant::now();
    assert!(built.up().err.contains("unchanged"));
    let took = began.elapsed();
    // The same content at another time.
    built.write("web/app.py", &app(ADDRESS));
    assert_eq!(built.done(&["up", "--dry-run"]).out.trim(), "nothing to do", "{took:?}");

    built.change("web/app.py", "\"one\"", "\"two\"");
    let plan = built.done(&["up", "--dry-run"]).out;
    assert!(plan.contains("build web (web/app.py changed)"), "{plan}");
    assert!(plan.contains("replace web (web/app.py changed)") && !plan.contains("other"), "{plan}");
    built.up();
    assert_eq!(built.answers(), ["two", "one"]);
    let after = ["web", "other"].map(|name| built.id(name));
    assert_ne!(after[0], before[0]);
    assert_eq!(after[1], before[1]);
    built.write("web/app.py", &app(ADDRESS).replace("one", "three"));
    built.up();
    assert_eq!(built.answer("web"), "three");
    assert_eq!(images(&built).len(), 2, "replaced images are removed");
}

#[test]
#[ignore = "needs a container engine with an image of Python"]
fn a_failed_build_leaves_what_runs_alone_and_shows_the_builders_words() {
    let built = Built::new();
    built.up();
    let before = ["web", "other"].map(|name| built.id(name));
    built.write("web/Dockerfile", &Built::dockerfile("RUN echo these are my last words && exit 3\n"));
    built.change("other/app.py", "\"one\"", "\"two\"");
    let failed = built.run(&["up", "-d", "--output", "plain"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.err.contains("web could not be built") && failed.err.contains("code: 3"), "{}", failed.err);
    assert!(failed.err.contains("| these are my last words"), "{}", failed.err);
    assert_eq!(["web", "other"].map(|name| built.id(name)), before, "the old containers serve on");
    assert_eq!(built.answers(), ["one", "one"]);
    built.write("web/Dockerfile", &Built::dockerfile(""));
    built.up();
    assert_eq!(built.answers(), ["one", "two"]);
}

#[test]
#[ignore = "needs a container engine with an image of Python"]
fn a_build_ends_with_its_command_and_after_a_kill_the_next_up_works() {
    let built = Built::new();
    let mark = format!("sleep 600.{}", std::process::id());
    let running = || docker(&["ps", "--all", "--no-trunc", "--format", "{{.Command}}"]).contains(&mark);
    built.write("web/Dockerfile", &Built::dockerfile(&format!("RUN {mark}\n")));
    let start = || {
        let mut command = built.command(&["up", "-d"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
        eventually("the build's step runs", running);
        child
    };
    let mut interrupted = start();
    signal(u64::from(interrupted.id()), "INT");
    assert_eq!(interrupted.wait().expect("it ends").code(), Some(130));
    eventually("the builder has removed its container", || !running());
    let mut killed = start();
    killed.kill().expect("it runs");
    killed.wait().expect("it ends");
    eventually("the builder has removed its container", || !running());
    built.write("web/Dockerfile", &Built::dockerfile(""));
    built.up();
    assert_eq!(built.answer("web"), "one");
}

#[test]
#[ignore = "needs a container engine with an image of Python"]
fn a_build_sees_what_dockerignore_leaves_and_gets_its_settings() {
    let built = Built::new();
    built.write("web/.dockerignore", "# secrets stay here\n*.secret\n!keep.secret\nDockerfile\n");
    for file in ["a.secret", "keep.secret", "b"] {
        built.write(&format!("web/{file}"), "content");
    }
    std::os::unix::fs::symlink("b", built.path().join("web/link")).expect("writable");
    let image = python_image();
    built.write(
        "compose.yaml",
        &format!(
            "services:\n  web:\n    {}\n    image: built-by-devenv-{}:1\n    build:\n      context: web\n      target: one\n      \
             args: {{ GREETING: hello }}\n      labels: {{ colour: blue }}\n      extra_hosts: [\"registry:10.0.0.1\"]\n      \
             dockerfile_inline: |\n        FROM {image} AS one\n        ARG GREETING\n        COPY . /all\n        \
             RUN echo $$GREETING > /greeting; grep registry /etc/hosts > /hosts\n        \
             CMD [\"python3\", \"-u\", \"/all/app.py\"]\n        FROM one AS two\n        RUN false\n",
            SERVICE.replace(", ", "\n    "),
            std::process::id(),
        ),
    );
    built.up();
    let container = built.unit("web")["container"].as_str().expect("it has one").to_owned();
    let files = docker(&["exec", &container, "sh", "-c", "ls -A /all; readlink /all/link; cat /greeting /hosts"]);
    let expected = ["app.py", "b", "keep.secret", "link", ".dockerignore"];
    for file in expected.into_iter().filter(|file| *file != ".dockerignore") {
        assert!(files.lines().any(|line| line == file), "{file} is not among {files}");
    }
    for file in ["a.secret", "Dockerfile", ".devenv.Dockerfile"] {
        assert!(files.lines().all(|line| line != file), "{file} is among {files}");
    }
    assert!(files.contains("hello") && files.contains("10.0.0.1"), "{files}");
    let labels = docker(&[
        "inspect",
        "--format",
        "{{json .Config.Labels}}",
        &format!("built-by-devenv-{}:1", std::process::id()),
    ]);
    assert!(labels.contains("\"colour\":\"blue\"") && labels.contains("devenv.root"), "{labels}");
}

#[test]
#[ignore = "needs a container engine with an image of Python"]
fn a_dockerfile_that_needs_buildkit_is_told_so() {
    let built = Built::new();
    let platform = Built::dockerfile("").replace("FROM ", "FROM --platform=$BUILDPLATFORM ");
    for dockerfile in [Built::dockerfile("RUN --mount=type=cache,target=/x true\n"), platform] {
        built.write("web/Dockerfile", &dockerfile);
        let failed = built.run(&["up", "-d", "--output", "plain"]);
        assert_eq!(failed.code, 1);
        let told = failed.err.contains("BuildKit") && failed.err.contains("DOCKER_BUILDKIT=1 docker build");
        assert!(told, "{}", failed.err);
    }
}

#[test]
#[ignore = "needs a container engine with an image of Python"]
fn a_project_without_aws_has_every_command() {
    let built = Built::new();
    let settings = "version = 1\nname = \"built\"\ncompose = \"compose.yaml\"\n[test]\ncommand = [\"sh\", \"-c\", \
                    \"test -n \\\"$WEB_URL\\\" && test \\\"$AWS_ENDPOINT_URL\\\" = http://127.0.0.1:9\"]\n";
    built.write("devenv.toml", settings);
    built.up();
    let status = built.done(&["status"]).out;
    assert!(status.contains("emulator none") && status.contains("does not use AWS"), "{status}");
    assert_eq!(built.json(&["status"])["units"].as_array().map(Vec::len), Some(2));
    assert!(built.done(&["seed"]).out.contains("nothing to seed"));
    assert!(built.done(&["reset"]).out.contains("nothing to reset"));
    let inside = docker(&["exec", built.unit("web")["container"].as_str().expect("it has one"), "env"]);
    assert!(inside.contains("AWS_ENDPOINT_URL=http://127.0.0.1:9") && inside.contains("AWS_ACCESS_KEY_ID"), "{inside}");
    assert!(built.done(&["env"]).out.contains("WEB_URL"));
    assert!(built.done(&["doctor"]).out.contains("0 tables"));
    let tested = built.done(&["test", "--output", "plain"]);
    assert!(!tested.err.contains("build web"), "the image is there already: {}", tested.err);
    let before = built.id("web");
    assert!(built.up().err.contains("unchanged"));
    assert_eq!(built.id("web"), before);
}
