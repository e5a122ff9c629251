//! The engine under these tests, asked with its own command line: devenv's view of it is under test.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Any small image that serves HTTP works; `devenv up --runtime docker --shipped` in this repository builds this one.
pub(crate) const IMAGE: &str = "devenv-emulator:local";

/// Panics without an engine. Every ignored test calls this, so that none passes silently without its requirement.
pub(crate) fn required() {
    assert!(answers(&["version"]), "this test needs a container engine, and none answers");
    required_image(IMAGE);
}

/// Panics without an image that this repository builds.
pub(crate) fn required_image(image: &str) {
    let is_there = answers(&["image", "inspect", image]);
    assert!(is_there, "this test needs the image {image} (cargo devenv up --runtime docker --shipped makes it)");
}

/// An image with `python3`, which `PYTHON_IMAGE` may name.
pub(crate) fn python_image() -> String {
    let image = std::env::var("PYTHON_IMAGE").unwrap_or_else(|_| "devenv-recipe/python:3.11".to_owned());
    let is_there = answers(&["image", "inspect", &image]);
    assert!(is_there, "this test needs an image with python3: name it in PYTHON_IMAGE");
    image
}

/// The image that an environment variable names.
pub(crate) fn image_of(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("this test needs {variable} to name an image"))
}

fn answers(arguments: &[&str]) -> bool {
    let status = Command::new("docker").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs `docker` and returns its output.
pub(crate) fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("docker is here");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "docker {}: {complaint}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Everything with the label of a project, by kind and name.
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

/// An image made of this machine's shell and a few programs; removed when dropped.
pub(crate) struct ShellImage(pub(crate) String);

impl ShellImage {
    pub(crate) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let image = format!("devenv-test-shell-{}-{number}:1", std::process::id());
        // The dynamic linker and the libraries of each program, by their paths.
        let files = "for program in sh sleep cat touch; do path=$(command -v $program); echo $path; ldd $path | grep -o '/[^ ]*'; done";
        let pack = format!(
            "cd / && ({files}) | sort -u | sed s,^/,, | tar -c --dereference --files-from=- | docker import - {image}"
        );
        let output = Command::new("sh").args(["-c", &pack]).output().expect("a shell");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(image)
    }
}

impl Drop for ShellImage {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "--force", &self.0]).output();
    }
}
