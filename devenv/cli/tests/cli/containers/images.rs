//! The images of a project's own packages: development images for `up`, shipped images for everything else.

use std::process::Command;

use super::engine::{IMAGE, docker, required};
use crate::folder::{Folder, TABLE};

const SERVER: &str = r#"
use std::io::{Read, Write};

fn main() {
    let address = std::env::var("BIND_ADDR").unwrap_or_else(|_| "0.0.0.0:8080".to_owned());
    let listener = std::net::TcpListener::bind(address).expect("a free port");
    for connection in listener.incoming() {
        let mut connection = connection.expect("a client");
        let _ = connection.read(&mut [0; 1024]);
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\nedition");
    }
}
"#;

/// A workspace of one package without dependencies, and its image.
struct Workspace {
    folder: Folder,
    shipped: String,
}

impl Workspace {
    fn new() -> Self {
        required();
        let workspace = Self { folder: Folder::new(), shipped: format!("devenv-test/web:{}", std::process::id()) };
        let image = &workspace.shipped;
        for (path, text) in [
            ("Cargo.toml", "[package]\nname = \"web\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace]\n"),
            ("src/main.rs", SERVER),
            (
                "compose.yaml",
                &format!("services:\n  web:\n    image: {image}\n    ports: [\"8080\"]\n    stop_grace_period: 1s\n"),
            ),
            (
                "devenv.toml",
                &format!(
                    "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\n\
                     [emulator.embedded]\nimage = \"{IMAGE}\"\n[services.web]\nhealth = \"/\"\n[services.web.process]\n\
                     package = \"web\"\nenv = {{ BIND_ADDR = \"127.0.0.1:${{port:8080}}\" }}\n"
                ),
            ),
            ("tables/items.json", TABLE),
        ] {
            workspace.folder.write(path, text);
        }
        workspace
    }

    fn up(&self, options: &[&str]) -> String {
        self.folder.done(&[&["up", "-d", "--output", "plain"], options].concat()).err
    }

    fn development(&self) -> String {
        format!("{}-dev", self.shipped)
    }

    /// The image of the running container.
    fn running(&self) -> String {
        let unit = self.folder.unit("web");
        docker(&["inspect", "--format", "{{.Image}}", unit["container"].as_str().expect("a container")])
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = self.folder.command(&["down", "--volumes"]).output();
        let _ = Command::new("docker").args(["rmi", "--force", &self.shipped, &self.development()]).output();
    }
}

/// The engine's id of an image.
fn id(image: &str) -> Option<String> {
    let output = Command::new("docker").args(["image", "inspect", "--format", "{{.Id}}", image]).output();
    let output = output.expect("docker is here");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[test]
#[ignore = "needs a container engine"]
fn up_serves_from_development_images_unless_told_to_take_the_shipped_ones() {
    let workspace = Workspace::new();
    let told = workspace.up(&["--runtime", "docker"]);
    assert!(told.contains("build web (image not built yet)"), "{told}");
    let development = id(&workspace.development()).expect("the development image");
    assert_eq!((workspace.running(), id(&workspace.shipped)), (development.clone(), None));
    assert!(workspace.up(&[]).contains("unchanged"));

    let told = workspace.up(&["--shipped"]);
    assert!(told.contains("build web (image not built yet)"), "{told}");
    let shipped = id(&workspace.shipped).expect("the shipped image");
    assert_ne!(shipped, development);
    assert_eq!(workspace.running(), shipped);

    // Both are remembered: nothing is compiled on the way back.
    let told = workspace.up(&[]);
    assert!(!told.contains("build web"), "{told}");
    assert_eq!(workspace.running(), development);

    workspace.folder.change("src/main.rs", "content-length: 7", "content-length:  7");
    let told = workspace.up(&[]);
    assert!(told.contains("build web (src/main.rs changed)"), "{told}");
    assert_ne!(workspace.running(), development);
    assert_eq!(id(&workspace.shipped), Some(shipped));
}
