use serde_json::json;
use tar::{EntryType, Header};

use super::*;
use crate::oci::digest;
use crate::tar_file;

/// Returns a configuration that names its layers, and the layers.
fn parts(layers: &[&'static str]) -> (Bytes, Vec<Bytes>) {
    let layers: Vec<Bytes> = layers.iter().map(|layer| Bytes::from_static(layer.as_bytes())).collect();
    let known: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
    let config = json!({ "rootfs": { "type": "layers", "diff_ids": known } }).to_string();
    (config.into(), layers)
}

fn image(layers: &[&'static str]) -> OciImage {
    let (config, layers) = parts(layers);
    OciImage::new(Blob::new(config), layers.into_iter().map(Blob::new).collect())
}

fn archive(files: &[(&str, &[u8])]) -> Bytes {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        tar_file::add(&mut archive, path, 0o644, content).expect("memory is writable");
    }
    archive.into_inner().expect("memory is writable").into()
}

#[test]
fn what_was_archived_is_read_by_either_id() {
    let image = image(&["one", "two", "one"]);
    let archive = Bytes::from(image.archive(Some("api:local")).expect("memory is writable"));
    for id in [image.config_digest(), image.digest()] {
        assert_eq!(OciImage::read(&archive, &id), Ok(image.clone()), "{id}");
    }
    let other = OciImage::read(&archive, &format!("sha256:{}", "0".repeat(64)));
    other.expect_err("it is of another image");
    for end in [0, 100, archive.len() / 2] {
        OciImage::read(&archive.slice(..end), &image.digest()).expect_err("it was cut off");
    }
}

/// The format of Docker before 25: a folder for each layer, and a link for a repeated layer.
#[test]
fn an_older_engine_links_to_a_layer_that_comes_again() {
    let (config, layers) = parts(&["one", "two", "one"]);
    let name = format!("{}.json", &digest(&config)["sha256:".len()..]);
    let manifest =
        json!([{ "Config": name, "RepoTags": null, "Layers": ["a/layer.tar", "b/layer.tar", "c/layer.tar"] }]);
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in [
        ("a/layer.tar", &layers[0][..]),
        ("b/layer.tar", &layers[1]),
        (&name, &config),
        ("manifest.json", manifest.to_string().as_bytes()),
    ] {
        tar_file::add(&mut archive, path, 0o644, content).expect("memory is writable");
    }
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Symlink);
    header.set_size(0);
    archive.append_link(&mut header, "c/layer.tar", "../a/layer.tar").expect("memory is writable");
    let archive = Bytes::from(archive.into_inner().expect("memory is writable"));
    let read = OciImage::read(&archive, &digest(&config)).expect("an image");
    assert_eq!(read, image(&["one", "two", "one"]));
}

/// The format of an engine with a containerd store: layers and manifest are the registry's originals.
#[test]
fn a_manifest_that_an_engine_keeps_is_the_image_s() {
    let (config, _) = parts(&["one"]);
    let layer: &[u8] = b"\x1f\x8bcompressed";
    let descriptor = |blob: &[u8]| json!({ "digest": digest(blob), "size": blob.len() });
    let manifest = json!({ "schemaVersion": 2, "config": descriptor(&config), "layers": [descriptor(layer)] });
    let manifest = format!("{manifest:#}");
    let about = json!({ "digest": digest(b"{}"), "annotations": { ABOUT_ANOTHER: "attestation-manifest" } });
    let elsewhere = json!({ "digest": digest(b"not fetched") });
    let index = json!({ "manifests": [elsewhere, descriptor(manifest.as_bytes()), about] }).to_string();
    let old = json!([{ "Config": path(&digest(&config)), "Layers": [path(&digest(layer))] }]).to_string();
    let blob = |blob: &[u8]| path(&digest(blob));
    let files: [(&str, &[u8]); 6] = [
        (&blob(&config), &config),
        (&blob(layer), layer),
        (&blob(b"{}"), b"{}"),
        (&blob(manifest.as_bytes()), manifest.as_bytes()),
        (&blob(index.as_bytes()), index.as_bytes()),
        ("manifest.json", old.as_bytes()),
    ];
    for id in [digest(manifest.as_bytes()), digest(index.as_bytes())] {
        let read = OciImage::read(&archive(&files), &id).expect("an image");
        assert_eq!(read.digest(), digest(manifest.as_bytes()));
        assert_eq!(read.blobs().len(), 2);
    }
    let by_config = OciImage::read(&archive(&files), &digest(&config));
    by_config.expect_err("a compressed layer is none that the configuration names");
}

#[test]
fn an_index_of_several_images_is_not_one() {
    let manifests = [&b"{}"[..], b"{ }"];
    let index = json!({ "manifests": manifests.map(|one| json!({ "digest": digest(one) })) }).to_string();
    let files: [(&str, &[u8]); 4] = [
        (&path(&digest(manifests[0])), manifests[0]),
        (&path(&digest(manifests[1])), manifests[1]),
        (&path(&digest(index.as_bytes())), index.as_bytes()),
        ("manifest.json", b"[]"),
    ];
    let read = OciImage::read(&archive(&files), &digest(index.as_bytes())).expect_err("which of them?");
    assert!(read.to_string().contains("2 images"), "{read}");
}

#[test]
fn a_damaged_part_is_found() {
    let (config, layers) = parts(&["one"]);
    let old = json!([{ "Config": "config", "Layers": ["layer"] }]).to_string();
    let of = |layer: &[u8]| {
        let files: [(&str, &[u8]); 3] = [("config", &config), ("layer", layer), ("manifest.json", old.as_bytes())];
        OciImage::read(&archive(&files), &digest(&config))
    };
    of(&layers[0]).expect("it is whole");
    of(b"One").expect_err("another layer");
    let image = image(&["one"]);
    let damaged: [(&str, &[u8]); 4] = [
        (&path(&image.digest()), image.manifest()),
        (&path(&image.config_digest()), b"{}"),
        (&path(&digest(b"one")), b"one"),
        ("manifest.json", b"[]"),
    ];
    OciImage::read(&archive(&damaged), &image.digest()).expect_err("another configuration");
}
