use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::*;

const USER: &str = "ada";
const PASSWORD: &str = "secret";
/// Of the password, as bcrypt.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/// Debian's registry on loopback, with one user.
struct DebianRegistry {
    process: Child,
    host: String,
    _folder: tempfile::TempDir,
}

impl DebianRegistry {
    fn start() -> Self {
        let known = Command::new("docker-registry").arg("--version").stdout(Stdio::null()).status();
        let known = known.is_ok_and(|status| status.success());
        assert!(known, "docker-registry is not installed (sudo apt-get install docker-registry)");
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

    fn repository(&self, password: &str) -> Repository {
        let address = RepositoryAddress { host: self.host.clone(), repository: "shop/web".to_owned() };
        Repository::new(&address, &Login { user: USER.to_owned(), password: password.to_owned() })
    }
}

impl Drop for DebianRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn write(path: impl AsRef<Path>, text: &str) {
    std::fs::write(path, text).expect("writable");
}

fn digest(blob: &[u8]) -> String {
    format!("sha256:{}", short_digest(blob, 32))
}

fn image(layer: &'static str) -> RegistryImage {
    let (config, layer) = (Bytes::from_static(b"{}"), Bytes::from_static(layer.as_bytes()));
    let descriptor =
        |kind: &str, blob: &Bytes| serde_json::json!({ "mediaType": kind, "digest": digest(blob), "size": blob.len() });
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFESTS[0],
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
    });
    let manifest = Bytes::from(manifest.to_string());
    let blobs = [config, layer].map(|blob| (digest(&blob), blob)).into();
    RegistryImage { digest: digest(&manifest), media_type: MANIFESTS[0].to_owned(), manifest, blobs }
}

#[tokio::test]
#[ignore = "needs docker-registry"]
async fn an_image_comes_back_byte_for_byte() {
    let registry = DebianRegistry::start();
    let (image, repository) = (image("layer"), registry.repository(PASSWORD));
    let refused = registry.repository("wrong").push("1", &image).await.expect_err("the password is wrong");
    assert_eq!(refused.kind, CloudErrorKind::Login, "{refused}");
    assert!(!refused.to_string().contains("wrong"), "{refused}");
    let absent = repository.pull(&image.digest).await.expect_err("nothing is there yet");
    assert_eq!(absent.kind, CloudErrorKind::NotFound, "{absent}");
    repository.push("1", &image).await.expect("the password is right");
    repository.push("1", &image).await.expect("the same once more");
    assert_eq!(repository.pull(&image.digest).await, Ok(image.clone()));

    let mut lacking = self::image("another");
    lacking.blobs.retain(|_, blob| blob != "another");
    let refused = repository.push("2", &lacking).await.expect_err("a layer is missing");
    assert!(!refused.may_pass(), "{refused}");
    let mut damaged = self::image("another");
    *damaged.blobs.get_mut(&digest(b"another")).expect("the layer") = Bytes::from_static(b"changed");
    let refused = repository.push("2", &damaged).await.expect_err("it is another layer");
    assert!(!refused.may_pass(), "{refused}");
}

#[tokio::test]
async fn a_registry_that_cannot_be_reached_is_told_from_one_that_refuses() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let address = RepositoryAddress { host: format!("127.0.0.1:{port}"), repository: "shop/web".to_owned() };
    let login = Login { user: USER.to_owned(), password: PASSWORD.to_owned() };
    let error = Repository::new(&address, &login).push("1", &image("layer")).await.expect_err("nobody listens");
    assert_eq!(error.kind, CloudErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains(&address.host) && !error.to_string().contains(PASSWORD), "{error}");
}

#[test]
fn answers_of_a_registry() {
    for (status, told, expected) in [
        (401, "", CloudErrorKind::Login),
        (403, "", CloudErrorKind::Denied),
        (404, "NAME_UNKNOWN", CloudErrorKind::NotFound),
        (429, "TOOMANYREQUESTS", CloudErrorKind::Throttled),
        (503, "", CloudErrorKind::Throttled),
        (500, "", CloudErrorKind::Unavailable),
        (400, r#"{"errors":[{"code":"TAG_INVALID","message":"the tag is immutable"}]}"#, CloudErrorKind::Conflict),
        (400, "MANIFEST_INVALID", CloudErrorKind::Other),
    ] {
        assert_eq!(kind(status, told), expected, "{status} {told}");
    }
}
