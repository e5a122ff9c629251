//! A push to a real registry that wants a login.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use devenv_containers::engine::ContainerEngines;
use devenv_docker::Docker;

/// Any small image will do; this one is built by `devenv up --runtime docker` in this repository.
const IMAGE: &str = "devenv-emulator:local";
const USER: &str = "ada";
const PASSWORD: &str = "secret";
/// Of the password, as bcrypt.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/// Debian's registry on loopback, with one user.
struct Registry {
    process: Child,
    host: String,
    _folder: tempfile::TempDir,
}

impl Registry {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let host = format!("127.0.0.1:{port}");
        let path = |name: &str| folder.path().join(name).display().to_string();
        write(path("users"), &format!("{USER}:{HASH}\n"));
        let config = format!(
            "version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: {host} }}\n\
             auth: {{ htpasswd: {{ realm: test, path: {} }} }}\n",
            path("data"),
            path("users")
        );
        write(path("config.yml"), &config);
        let mut command = Command::new("docker-registry");
        command.args(["serve", &path("config.yml")]).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("docker-registry starts");
        let registry = Self { process, host, _folder: folder };
        let end = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(&registry.host).is_err() {
            assert!(Instant::now() < end, "the registry listens");
            std::thread::sleep(Duration::from_millis(20));
        }
        registry
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn write(path: impl AsRef<Path>, text: &str) {
    std::fs::write(path, text).expect("writable");
}

/// Whether the command is there and says so.
fn works(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// A test that runs without its requirement fails; it never passes silently.
fn required() {
    let image = works("docker", &["image", "inspect", IMAGE]);
    assert!(image, "no engine answers with the image {IMAGE} (cargo devenv up --runtime docker makes it)");
    let registry = works("docker-registry", &["--version"]);
    assert!(registry, "docker-registry is not installed (sudo apt-get install docker-registry)");
}

#[tokio::test]
#[ignore = "needs a container engine and docker-registry"]
async fn a_refused_login_is_an_error_and_an_accepted_one_pushes_the_very_image() {
    required();
    let registry = Registry::start();
    let engine = Docker::default().connect().await.expect("an engine");
    let id = engine.image(IMAGE).await.expect("it answers").expect("it is there").id;
    let repository = format!("{}/emulator", registry.host);
    let reference = format!("{repository}:1");
    engine.tag(&id, &reference).await.expect("a name");
    let refused = engine.push(&repository, "1", USER, "wrong").await;
    let pushed = engine.push(&repository, "1", USER, PASSWORD).await;
    let absent = engine.push(&repository, "2", USER, PASSWORD).await;
    engine.remove_image(&reference).await.expect("the name goes");
    let refused = refused.expect_err("the password is wrong").to_string();
    assert!(refused.contains("no basic auth credentials") || refused.contains("authorized"), "{refused}");
    pushed.expect("the password is right");
    absent.expect_err("there is no such tag");
    let manifest = Command::new("curl")
        .args(["--fail", "--silent", "--show-error", "--noproxy", "*", "--user", &format!("{USER}:{PASSWORD}")])
        .args(["--header", "accept: application/vnd.docker.distribution.manifest.v2+json"])
        .arg(format!("http://{}/v2/emulator/manifests/1", registry.host))
        .output()
        .expect("curl is here");
    let manifest = String::from_utf8_lossy(&manifest.stdout).into_owned();
    assert!(manifest.contains(&id), "the configuration is the image's own: {manifest}");
}
