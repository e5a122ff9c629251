//! Reads our images with an independent implementation of the OCI specification.

use oci_spec::image::{ImageIndex, ImageManifest, MediaType, OciLayout};

use crate::oci::{Blob, OciImage};
use crate::tar_file::contents;

#[test]
fn an_image_is_what_the_specification_says() {
    let image = OciImage::new(Blob::new(&b"{}"[..]), vec![Blob::new(&b"edition 1"[..])]);
    let files = contents(&image.archive(Some("web:1")).expect("memory is writable"));
    let blob = |digest: &oci_spec::image::Digest| &files[&format!("blobs/{}/{}", digest.algorithm(), digest.digest())];

    let layout = OciLayout::from_reader(files["oci-layout"].as_slice()).expect("a layout");
    assert_eq!(layout.image_layout_version(), "1.0.0");
    let index = ImageIndex::from_reader(files["index.json"].as_slice()).expect("an index");
    let [named] = &index.manifests()[..] else { panic!("one image: {index:?}") };
    assert_eq!(named.media_type(), &MediaType::ImageManifest);
    assert_eq!(named.digest().to_string(), image.digest());
    assert_eq!(usize::try_from(named.size()).expect("small"), blob(named.digest()).len());
    let name = named.annotations().as_ref().and_then(|all| all.get(oci_spec::image::ANNOTATION_REF_NAME).cloned());
    assert_eq!(name.as_deref(), Some("web:1"));

    let manifest = ImageManifest::from_reader(blob(named.digest()).as_slice()).expect("a manifest");
    assert_eq!(manifest.media_type().as_ref(), Some(&MediaType::ImageManifest));
    assert_eq!(manifest.config().media_type(), &MediaType::ImageConfig);
    assert_eq!(manifest.config().digest().to_string(), image.config_digest());
    let [layer] = &manifest.layers()[..] else { panic!("one layer: {manifest:?}") };
    assert_eq!(layer.media_type(), &MediaType::ImageLayer);
    assert_eq!(blob(layer.digest()), b"edition 1");
}
