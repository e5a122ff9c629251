//! An OCI image: a configuration, layers, and the manifest that names both by digest. The manifest's digest is the image's
//! name in every engine and registry.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::tar_file;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const GZIPPED_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const GZIP: &[u8] = &[0x1f, 0x8b];
/// The annotation with an image's name in an index.
const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// An image. Its parts share the memory of their archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciImage {
    config: Blob,
    layers: Vec<Blob>,
    manifest: Blob,
}

/// Content with its digest: hashing a layer of hundreds of megabytes twice is slow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    digest: String,
    content: Bytes,
}

impl Blob {
    pub fn new(content: impl Into<Bytes>) -> Self {
        let content = content.into();
        Self { digest: digest(&content), content }
    }

    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub fn content(&self) -> &Bytes {
        &self.content
    }
}

/// A manifest. The fields are in alphabetical order, as in canonical JSON.
#[derive(Serialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(rename = "mediaType")]
    media_type: &'static str,
    #[serde(rename = "schemaVersion")]
    schema_version: u32,
}

#[derive(Serialize)]
struct Descriptor {
    digest: String,
    #[serde(rename = "mediaType")]
    media_type: &'static str,
    size: usize,
}

impl OciImage {
    /// Makes an image; its manifest depends on these bytes alone.
    pub fn new(config: Blob, layers: Vec<Blob>) -> Self {
        let descriptor =
            |media_type, blob: &Blob| Descriptor { digest: blob.digest.clone(), media_type, size: blob.content.len() };
        let layer = |blob: &Blob| descriptor(if blob.content.starts_with(GZIP) { GZIPPED_LAYER } else { LAYER }, blob);
        let manifest = Manifest {
            config: descriptor(CONFIG, &config),
            layers: layers.iter().map(layer).collect(),
            media_type: MANIFEST,
            schema_version: 2,
        };
        let manifest = Blob::new(serde_json::to_vec(&manifest).expect("a manifest is plain data"));
        Self { config, layers, manifest }
    }

    /// Makes an image with an existing manifest of these bytes.
    pub(crate) fn with_manifest(config: Blob, layers: Vec<Blob>, manifest: Blob) -> Self {
        Self { config, layers, manifest }
    }

    pub fn manifest(&self) -> &Bytes {
        &self.manifest.content
    }

    pub fn media_type(&self) -> String {
        let manifest: Value = serde_json::from_slice(self.manifest()).unwrap_or_default();
        manifest["mediaType"].as_str().unwrap_or(MANIFEST).to_owned()
    }

    /// Returns the manifest's digest: `sha256:` and 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        self.manifest.digest.clone()
    }

    /// Returns the configuration's digest, which is the image's id in an engine with a classic store.
    pub fn config_digest(&self) -> String {
        self.config.digest.clone()
    }

    /// Returns configuration and layers by digest: every blob that the manifest names.
    pub fn blobs(&self) -> BTreeMap<String, Bytes> {
        let blobs = std::iter::once(&self.config).chain(&self.layers);
        blobs.map(|blob| (blob.digest.clone(), blob.content.clone())).collect()
    }

    /// Returns an OCI layout in a tar archive. Engines before Docker 25 do not know that layout; they load the
    /// `manifest.json` beside it, which points at the same blobs.
    pub fn archive(&self, reference: Option<&str>) -> std::io::Result<Vec<u8>> {
        let blobs = self.blobs();
        let mut archive = tar::Builder::new(Vec::with_capacity(blobs.values().map(|blob| blob.len() + 1024).sum()));
        let mut add = |path: &str, content: &[u8]| tar_file::add(&mut archive, path, 0o644, content);
        add("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        add("index.json", &serde_json::to_vec(&self.index(reference))?)?;
        for (digest, blob) in &blobs {
            add(&path(digest), blob)?;
        }
        add(&path(&self.digest()), self.manifest())?;
        let manifest = json!([{
            "Config": path(&self.config_digest()),
            "RepoTags": reference.into_iter().collect::<Vec<_>>(),
            "Layers": self.layers.iter().map(|layer| path(&layer.digest)).collect::<Vec<_>>(),
        }]);
        add("manifest.json", &serde_json::to_vec(&manifest)?)?;
        archive.into_inner()
    }

    fn index(&self, reference: Option<&str>) -> Value {
        let mut manifest =
            json!({ "mediaType": self.media_type(), "digest": self.digest(), "size": self.manifest().len() });
        if let Some(reference) = reference {
            manifest["annotations"] = json!({ REFERENCE: reference });
        }
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [manifest],
        })
    }
}

/// Returns a blob's path within a layout.
pub(crate) fn path(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

pub(crate) fn digest(blob: &[u8]) -> String {
    format!("sha256:{}", devenv_model::names::hexadecimal(&Sha256::digest(blob)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> OciImage {
        OciImage::new(Blob::new("{}"), vec![Blob::new("one"), Blob::new(&b"\x1f\x8btwo"[..])])
    }

    /// A change here changes the digest of every image, so that existing evidence no longer applies.
    #[test]
    fn the_manifest() {
        insta::assert_snapshot!(std::str::from_utf8(image().manifest()).expect("text"));
        assert_eq!(image().digest(), digest(image().manifest()));
    }

    #[test]
    fn another_part_or_order_is_another_image() {
        let other = |config: &'static str, layers: &[&'static str]| {
            OciImage::new(Blob::new(config), layers.iter().map(|layer| Blob::new(*layer)).collect())
        };
        let one = other("{}", &["1", "2"]).digest();
        for another in [other("{ }", &["1", "2"]), other("{}", &["2", "1"]), other("{}", &["1"])] {
            assert_ne!(one, another.digest());
        }
        assert_eq!(other("{}", &["1", "1"]).blobs().len(), 2, "a layer that comes twice is one blob");
    }

    #[test]
    fn the_archive_is_a_layout_with_a_manifest_for_older_engines() {
        let image = image();
        let files = tar_file::contents(&image.archive(Some("api:local")).expect("memory is writable"));
        let read = |path: &str| serde_json::from_slice::<Value>(&files[path]).expect("JSON");
        assert_eq!(read("oci-layout")["imageLayoutVersion"], "1.0.0");
        let named = &read("index.json")["manifests"][0];
        assert_eq!(named["annotations"][REFERENCE], "api:local");
        assert_eq!(named["digest"], image.digest().as_str());
        assert_eq!(files[&path(&image.digest())], image.manifest().to_vec());
        let old = &read("manifest.json")[0];
        assert_eq!(old["RepoTags"], json!(["api:local"]));
        assert_eq!(files[old["Config"].as_str().expect("a path")], b"{}");
        let layers = old["Layers"].as_array().expect("a list").iter();
        let layers: Vec<_> = layers.map(|layer| files[layer.as_str().expect("a path")].as_slice()).collect();
        assert_eq!(layers, [&b"one"[..], b"\x1f\x8btwo"]);
        let unnamed = tar_file::contents(&image.archive(None).expect("memory is writable"));
        assert!(!String::from_utf8_lossy(&unnamed["index.json"]).contains("annotations"));
    }
}
