//! Assembles an image from a few files without engine, clock or compiler: the same files give the same image.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::json;

use crate::oci::{Blob, OciImage};
use crate::tar_file;

/// The user is numeric, because an image without `/etc/passwd` has no user names.
pub(crate) const USER: &str = "65532:65532";
const USER_ID: u64 = 65532;
/// The fixed creation time of everything in an image.
const EPOCH: &str = "1970-01-01T00:00:00Z";
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";
/// The mount point for a volume: a new volume inherits the owner of the folder it covers.
const DATA: &str = "data/";

/// The contents of an image: one program, its labels and its environment.
#[derive(Debug)]
pub(crate) struct ImageSource<'a> {
    /// The image's name, and the program's file name in the image.
    pub(crate) name: &'a str,
    pub(crate) program: &'a [u8],
    /// The shared libraries of a program that is not static, by their file names: they go to `/lib`.
    pub(crate) libraries: &'a [(String, Vec<u8>)],
    pub(crate) entrypoint: &'a [String],
    /// The architecture as images name it, such as `amd64`.
    pub(crate) architecture: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
    pub(crate) environment: &'a [String],
}

/// Assembles the image. Its layers stay uncompressed, so that their digests are also the configuration's `diff_ids`.
pub(crate) fn assemble(source: &ImageSource<'_>) -> std::io::Result<OciImage> {
    let layers = [base_layer()?, program_layer(source.name, source.program, source.libraries)?].map(Blob::new);
    let config = json!({
        "architecture": source.architecture,
        "os": "linux",
        "created": EPOCH,
        "config": {
            "User": USER,
            "WorkingDir": "/",
            "Entrypoint": source.entrypoint,
            "StopSignal": "SIGTERM",
            "Env": source.environment,
            "Labels": source.labels,
        },
        "rootfs": { "type": "layers", "diff_ids": layers.iter().map(Blob::digest).collect::<Vec<_>>() },
        "history": [
            { "created": EPOCH, "created_by": "devenv: certificate authorities, /data, /tmp" },
            { "created": EPOCH, "created_by": format!("devenv: /{}", source.name) },
        ],
    });
    Ok(OciImage::new(Blob::new(serde_json::to_vec(&config)?), layers.into()))
}

/// Returns the layer that all images share: engines and registries store it once.
fn base_layer() -> std::io::Result<Vec<u8>> {
    let mut layer = tar::Builder::new(Vec::new());
    for (path, mode, owner) in
        [(DATA, 0o755, USER_ID), ("etc/", 0o755, 0), ("etc/ssl/", 0o755, 0), ("etc/ssl/certs/", 0o755, 0)]
    {
        tar_file::add_folder(&mut layer, path, mode, owner)?;
    }
    tar_file::add(&mut layer, CERTIFICATES, 0o644, certificates().as_bytes())?;
    tar_file::add_folder(&mut layer, "tmp/", 0o1777, 0)?;
    layer.into_inner()
}

/// Returns an archive of a program and, in `lib`, its shared libraries.
pub(crate) fn program_layer(name: &str, program: &[u8], libraries: &[(String, Vec<u8>)]) -> std::io::Result<Vec<u8>> {
    let mut layer = tar::Builder::new(Vec::with_capacity(program.len() + 2048));
    tar_file::add(&mut layer, name, 0o755, program)?;
    if !libraries.is_empty() {
        tar_file::add_folder(&mut layer, "lib/", 0o755, 0)?;
    }
    for (name, content) in libraries {
        tar_file::add(&mut layer, &format!("lib/{name}"), 0o755, content)?;
    }
    layer.into_inner()
}

/// Returns the certificate authorities that Mozilla trusts, at the version in `Cargo.lock`: with the machine's own, two
/// machines would build two images.
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

/// Archives files below `root` and `extra` ones as a build context with fixed times and owners.
pub(crate) fn context(root: &Utf8Path, paths: &[String], extra: &[(&str, String)]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for path in paths {
        let Ok(content) = std::fs::read(root.join(path)) else {
            // The file is deleted but not committed yet, or is a link to a folder.
            continue;
        };
        tar_file::add(&mut archive, path, 0o644, &content)?;
    }
    for (path, content) in extra {
        tar_file::add(&mut archive, path, 0o644, content.as_bytes())?;
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source<'a>(labels: &'a BTreeMap<String, String>, program: &'a [u8]) -> ImageSource<'a> {
        ImageSource {
            name: "api",
            program,
            libraries: &[],
            entrypoint: &[],
            architecture: "amd64",
            labels,
            environment: &[],
        }
    }

    #[test]
    fn the_same_files_give_the_same_image_and_others_another() {
        let labels = BTreeMap::from([("org.opencontainers.image.version".to_owned(), "1".to_owned())]);
        let first = assemble(&source(&labels, b"program")).expect("memory is writable");
        let again = assemble(&source(&labels, b"program")).expect("memory is writable");
        assert_eq!((first.digest(), &first), (again.digest(), &again));
        let other = assemble(&source(&labels, b"Program")).expect("memory is writable");
        let unlabelled = assemble(&source(&BTreeMap::new(), b"program")).expect("memory is writable");
        assert_ne!(first.digest(), other.digest());
        assert_ne!(first.digest(), unlabelled.digest());
    }

    #[test]
    fn two_layers_a_numeric_user_and_certificates() {
        let image = assemble(&source(&BTreeMap::new(), b"program")).expect("memory is writable");
        let (blobs, config) = (image.blobs(), image.config_digest());
        let config: serde_json::Value = serde_json::from_slice(&blobs[&config]).expect("JSON");
        assert_eq!(config["config"]["User"], USER);
        let layers = config["rootfs"]["diff_ids"].as_array().expect("a list");
        assert_eq!(layers.len(), 2);
        let base = &blobs[layers[0].as_str().expect("a digest")];
        let mut seen = BTreeMap::new();
        for entry in tar::Archive::new(base.as_ref()).entries().expect("an archive") {
            let entry = entry.expect("an entry");
            let owner = entry.header().uid().expect("a number");
            seen.insert(entry.path().expect("a path").display().to_string(), (owner, entry.size()));
        }
        assert_eq!(seen[DATA], (USER_ID, 0));
        assert!(seen[CERTIFICATES].1 > 100_000, "{seen:?}");
    }
}
