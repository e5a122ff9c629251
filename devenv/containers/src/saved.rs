//! Reads an image from a container engine's export (`docker save`).
//!
//! An engine with a classic store identifies an image by its configuration and keeps no manifest, so devenv makes one. An
//! engine with a containerd store identifies it by its manifest, or by an index of several, and devenv keeps that manifest.
//! Only the id tells the two apart: newer engines write a generated manifest into every archive.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::oci::{Blob, OciImage, path};

/// Marks an index entry that is an attestation about an image, not an image.
const ABOUT_ANOTHER: &str = "vnd.docker.reference.type";

/// The reason an archive is not an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoImage(String);

fn no_image<T>(why: impl Into<String>) -> Result<T, NoImage> {
    Err(NoImage(why.into()))
}

/// An image's entry in `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    layers: Vec<String>,
}

impl OciImage {
    /// Reads the engine's image `id` from its archive. Compares every part with its digest.
    pub fn read(archive: &Bytes, id: &str) -> Result<Self, NoImage> {
        let files = Files::of(archive).map_err(|error| NoImage(format!("cannot read its archive: {error}")))?;
        let listed: Vec<Saved> = parse(files.get("manifest.json")?.content(), "manifest.json")?;
        for saved in &listed {
            let config = files.get(&saved.config)?;
            if config.digest() == id {
                return of_config(&files, config, &saved.layers);
            }
        }
        of_manifest(&files, files.blob(id)?)
    }
}

fn of_config(files: &Files, config: Blob, layers: &[String]) -> Result<OciImage, NoImage> {
    let parsed: Value = parse(config.content(), "its configuration")?;
    let layers = layers.iter().map(|layer| files.get(layer)).collect::<Result<Vec<_>, _>>()?;
    let known: Vec<&str> =
        parsed["rootfs"]["diff_ids"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if known.len() != layers.len() || known.iter().zip(&layers).any(|(known, layer)| *known != layer.digest()) {
        return no_image("its layers differ from those in its configuration");
    }
    Ok(OciImage::new(config, layers))
}

fn of_manifest(files: &Files, manifest: Blob) -> Result<OciImage, NoImage> {
    let parsed: Value = parse(manifest.content(), "its manifest")?;
    if let Some(several) = parsed["manifests"].as_array() {
        // The index may list platforms that the engine has not pulled.
        let here = several.iter().filter(|one| one["annotations"][ABOUT_ANOTHER].is_null());
        let here: Vec<Blob> = here.filter_map(|one| files.blob(one["digest"].as_str()?).ok()).collect();
        return match &here[..] {
            [one] => of_manifest(files, one.clone()),
            several => no_image(format!("it is an index of {} images, but devenv needs exactly one", several.len())),
        };
    }
    let named = |descriptor: &Value| files.blob(descriptor["digest"].as_str().unwrap_or_default());
    let config = named(&parsed["config"])?;
    let layers = parsed["layers"].as_array().into_iter().flatten().map(named).collect::<Result<Vec<_>, _>>()?;
    Ok(OciImage::with_manifest(config, layers, manifest))
}

fn parse<T: serde::de::DeserializeOwned>(json: &[u8], what: &str) -> Result<T, NoImage> {
    serde_json::from_slice(json).map_err(|error| NoImage(format!("cannot read {what}: {error}")))
}

/// The place of each file in an archive, without copies.
struct Files {
    archive: Bytes,
    found: BTreeMap<PathBuf, Found>,
}

enum Found {
    Content(Range<usize>),
    /// A link to a layer: an older engine writes a shared layer once.
    Link(PathBuf),
}

impl Files {
    fn of(archive: &Bytes) -> std::io::Result<Self> {
        let mut found = BTreeMap::new();
        let end = |from: u64, size: u64| usize::try_from(from.saturating_add(size)).unwrap_or(usize::MAX);
        for entry in tar::Archive::new(archive.as_ref()).entries()? {
            let entry = entry?;
            let path = plain(&entry.path()?);
            let kind = entry.header().entry_type();
            let target = entry.link_name()?;
            let content = match (kind.is_symlink(), kind.is_hard_link(), target) {
                (true, _, Some(target)) => Found::Link(plain(&path.parent().unwrap_or(Path::new("")).join(target))),
                (_, true, Some(target)) => Found::Link(plain(&target)),
                _ if kind.is_file() => {
                    let from = entry.raw_file_position();
                    let range = end(from, 0)..end(from, entry.size());
                    if range.end > archive.len() {
                        return Err(std::io::ErrorKind::UnexpectedEof.into());
                    }
                    Found::Content(range)
                }
                _ => continue,
            };
            found.insert(path, content);
        }
        Ok(Self { archive: archive.clone(), found })
    }

    fn get(&self, name: &str) -> Result<Blob, NoImage> {
        let mut path = plain(Path::new(name));
        // A link leads to a file: no engine writes a link to a link.
        for _ in 0..2 {
            match self.found.get(&path) {
                Some(Found::Content(range)) => return Ok(Blob::new(self.archive.slice(range.clone()))),
                Some(Found::Link(target)) => path.clone_from(target),
                None => break,
            }
        }
        no_image(format!("its archive has no {name}"))
    }

    fn blob(&self, name: &str) -> Result<Blob, NoImage> {
        let blob = self.get(&path(name))?;
        if blob.digest() == name { Ok(blob) } else { no_image(format!("its part {name} is damaged")) }
    }
}

/// Resolves `.` and `..` in a path.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    plain
}

#[cfg(test)]
#[path = "saved_tests.rs"]
mod tests;
