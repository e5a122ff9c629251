//! The engine that these tests run on, asked with its own command line: what devenv says of it is what is tested.

use std::process::{Command, Stdio};

/// Any small image that serves HTTP will do; this one is built by `devenv up --runtime docker` in this repository.
pub(crate) const IMAGE: &str = "devenv-emulator:local";

/// Whether these tests can run here. Without an engine they say so and pass; in CI that is a failure.
pub(crate) fn is_there() -> bool {
    let why = if !answers(&["version"]) {
        "no container engine answers"
    } else if !answers(&["image", "inspect", IMAGE]) {
        "the image devenv-emulator:local is not there (cargo devenv up --runtime docker makes it)"
    } else {
        return true;
    };
    assert!(std::env::var_os("CI").is_none(), "in CI these tests must run: {why}");
    skipped(why);
    false
}

/// Whether an image that this repository builds is there. Without it a test says so and passes; in CI that is a failure.
pub(crate) fn is_image(image: &str) -> bool {
    let is_there = answers(&["image", "inspect", image]);
    if !is_there {
        assert!(std::env::var_os("CI").is_none(), "in CI these tests must run: there is no image {image}");
        skipped(&format!("the image {image} is not there (cargo devenv up --runtime docker makes it)"));
    }
    is_there
}

/// The image of DynamoDB Local where one is named. Without one these tests say so and pass; in CI that is a failure.
pub(crate) fn dynamodb_local() -> Option<String> {
    if !is_there() {
        return None;
    }
    let image = std::env::var("DYNAMODB_LOCAL_IMAGE").ok();
    if image.is_none() {
        assert!(std::env::var_os("CI").is_none(), "in CI these tests must run: DYNAMODB_LOCAL_IMAGE is not set");
        skipped("DYNAMODB_LOCAL_IMAGE does not name an image of DynamoDB Local");
    }
    image
}

#[expect(clippy::print_stderr, reason = "a test that did not take place must be seen")]
pub(crate) fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

fn answers(arguments: &[&str]) -> bool {
    let status = Command::new("docker").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// What `docker` prints.
pub(crate) fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("docker is here");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "docker {}: {complaint}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Everything that bears the label of a project, by kind and name.
pub(crate) fn labelled(root: &str) -> Vec<String> {
    let filter = format!("label=devenv.root={root}");
    let mut found = Vec::new();
    for (kind, arguments) in [
        ("container", &["ps", "--all", "--format", "{{.Names}}"][..]),
        ("network", &["network", "ls", "--format", "{{.Name}}"]),
        ("volume", &["volume", "ls", "--format", "{{.Name}}"]),
    ] {
        let names = docker(&[arguments, &["--filter", &filter]].concat());
        found.extend(names.lines().map(|name| format!("{kind} {name}")));
    }
    found
}
