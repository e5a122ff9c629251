//! An image made of a few files, as an archive that every engine loads: no engine, no clock and no compiler is asked, so
//! that the same files give the same image.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

/// Numeric, because an image without `/etc/passwd` knows no names.
pub(crate) const USER: &str = "65532:65532";
const USER_ID: u64 = 65532;
/// When everything in an image was made.
const EPOCH: &str = "1970-01-01T00:00:00Z";
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";
/// Where a volume may be mounted: a new volume takes over the owner of what it covers.
const DATA: &str = "data/";

/// One static program and what it needs of a file system.
#[derive(Debug)]
pub(crate) struct ImageSource<'a> {
    /// Also the name of the program in the image.
    pub(crate) name: &'a str,
    pub(crate) program: &'a [u8],
    /// Such as `amd64`.
    pub(crate) architecture: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
    pub(crate) environment: &'a [String],
    /// The name under which the engine is to know it, such as `order-api:local`.
    pub(crate) reference: Option<&'a str>,
}

/// An archive in the form that `docker load` takes.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) bytes: Vec<u8>,
    /// `sha256:` and the digest of the image's configuration.
    pub(crate) config_digest: String,
}

pub(crate) fn assemble(source: &ImageSource<'_>) -> std::io::Result<Archive> {
    let base = base_layer()?;
    let program = program_layer(source)?;
    let layers = [digest(&base), digest(&program)];
    let config = json!({
        "architecture": source.architecture,
        "os": "linux",
        "created": EPOCH,
        "config": {
            "User": USER,
            "WorkingDir": "/",
            "Entrypoint": [format!("/{}", source.name)],
            "StopSignal": "SIGTERM",
            "Env": source.environment,
            "Labels": source.labels,
        },
        "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|layer| format!("sha256:{layer}")).collect::<Vec<_>>() },
        "history": [
            { "created": EPOCH, "created_by": "devenv: certificate authorities, /data, /tmp" },
            { "created": EPOCH, "created_by": format!("devenv: /{}", source.name) },
        ],
    });
    let config = serde_json::to_vec(&config)?;
    let config_digest = digest(&config);
    let manifest = json!([{
        "Config": format!("{config_digest}.json"),
        "RepoTags": source.reference.into_iter().collect::<Vec<_>>(),
        "Layers": layers.iter().map(|layer| format!("{layer}/layer.tar")).collect::<Vec<_>>(),
    }]);
    let mut archive = tar::Builder::new(Vec::with_capacity(base.len() + program.len() + 16 * 1024));
    for (path, content) in [
        (format!("{config_digest}.json"), config.as_slice()),
        (format!("{}/layer.tar", layers[0]), &base),
        (format!("{}/layer.tar", layers[1]), &program),
        ("manifest.json".to_owned(), &serde_json::to_vec(&manifest)?),
    ] {
        file(&mut archive, &path, 0o644, content)?;
    }
    Ok(Archive { bytes: archive.into_inner()?, config_digest: format!("sha256:{config_digest}") })
}

/// The same for every image, so that engines and registries keep it once.
fn base_layer() -> std::io::Result<Vec<u8>> {
    let mut layer = tar::Builder::new(Vec::new());
    for (path, mode, owner) in
        [(DATA, 0o755, USER_ID), ("etc/", 0o755, 0), ("etc/ssl/", 0o755, 0), ("etc/ssl/certs/", 0o755, 0)]
    {
        folder(&mut layer, path, mode, owner)?;
    }
    file(&mut layer, CERTIFICATES, 0o644, certificates().as_bytes())?;
    folder(&mut layer, "tmp/", 0o1777, 0)?;
    layer.into_inner()
}

fn program_layer(source: &ImageSource<'_>) -> std::io::Result<Vec<u8>> {
    let mut layer = tar::Builder::new(Vec::with_capacity(source.program.len() + 2048));
    file(&mut layer, source.name, 0o755, source.program)?;
    layer.into_inner()
}

/// The certificate authorities that Mozilla trusts, at the version that `Cargo.lock` holds: those of the machine would
/// make two machines build two images.
fn certificates() -> String {
    use base64::Engine as _;
    let mut text = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        let encoded = base64::engine::general_purpose::STANDARD.encode(certificate);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in encoded.as_bytes().chunks(64) {
            text.extend(line.iter().copied().map(char::from));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

fn folder(archive: &mut tar::Builder<Vec<u8>>, path: &str, mode: u32, owner: u64) -> std::io::Result<()> {
    let mut header = header(EntryType::Directory, mode, 0);
    header.set_uid(owner);
    header.set_gid(owner);
    archive.append_data(&mut header, path, std::io::empty())
}

fn file(archive: &mut tar::Builder<Vec<u8>>, path: &str, mode: u32, content: &[u8]) -> std::io::Result<()> {
    let mut header = header(EntryType::Regular, mode, content.len());
    archive.append_data(&mut header, path, content)
}

fn header(kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    devenv_model::names::hexadecimal(&digest)
}

/// Files below `root`, and some that are not there, as a build's context with fixed times and owners.
pub(crate) fn context(root: &Utf8Path, paths: &[String], extra: &[(&str, String)]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for path in paths {
        let Ok(content) = std::fs::read(root.join(path)) else {
            // Deleted and not yet committed, or a link to a folder.
            continue;
        };
        file(&mut archive, path, 0o644, &content)?;
    }
    for (path, content) in extra {
        file(&mut archive, path, 0o644, content.as_bytes())?;
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn source<'a>(labels: &'a BTreeMap<String, String>, program: &'a [u8]) -> ImageSource<'a> {
        ImageSource {
            name: "api",
            program,
            architecture: "amd64",
            labels,
            environment: &[],
            reference: Some("api:local"),
        }
    }

    #[test]
    fn the_same_files_give_the_same_image_and_others_another() {
        let labels = BTreeMap::from([("org.opencontainers.image.version".to_owned(), "1".to_owned())]);
        let first = assemble(&source(&labels, b"program")).expect("memory is writable");
        let again = assemble(&source(&labels, b"program")).expect("memory is writable");
        assert_eq!(first.bytes, again.bytes);
        let other = assemble(&source(&labels, b"Program")).expect("memory is writable");
        let unlabelled = assemble(&source(&BTreeMap::new(), b"program")).expect("memory is writable");
        assert_ne!(first.config_digest, other.config_digest);
        assert_ne!(first.config_digest, unlabelled.config_digest);
    }

    #[test]
    fn two_layers_a_numeric_user_and_certificates() {
        let archive = assemble(&source(&BTreeMap::new(), b"program")).expect("memory is writable");
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(archive.bytes.as_slice()).entries().expect("an archive") {
            let mut entry = entry.expect("an entry");
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("memory is readable");
            files.insert(entry.path().expect("a path").display().to_string(), content);
        }
        let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).expect("JSON");
        let layers = manifest[0]["Layers"].as_array().expect("a list");
        assert_eq!(layers.len(), 2);
        let config = &files[manifest[0]["Config"].as_str().expect("a path")];
        let config: serde_json::Value = serde_json::from_slice(config).expect("JSON");
        assert_eq!(config["config"]["User"], USER);
        let base = &files[layers[0].as_str().expect("a path")];
        let mut seen = BTreeMap::new();
        for entry in tar::Archive::new(base.as_slice()).entries().expect("an archive") {
            let entry = entry.expect("an entry");
            let owner = entry.header().uid().expect("a number");
            seen.insert(entry.path().expect("a path").display().to_string(), (owner, entry.size()));
        }
        assert_eq!(seen[DATA], (USER_ID, 0));
        assert!(seen[CERTIFICATES].1 > 100_000, "{seen:?}");
    }
}
