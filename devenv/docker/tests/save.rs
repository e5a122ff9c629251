//! Loads an image into a real engine and saves the same image from it.

use devenv_containers::engine::ContainerEngines;
use devenv_containers::image_digest::saved_image;
use devenv_containers::oci::{Blob, OciImage};
use devenv_docker::Docker;
use serde_json::json;

const NAME: &str = "devenv-test/save:1";

/// Returns a layer with its own file: an engine accepts only real layers.
fn layer(text: &str) -> Blob {
    let mut layer = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    layer.append_data(&mut header, format!("{text}.txt"), text.as_bytes()).expect("memory is writable");
    Blob::new(layer.into_inner().expect("memory is writable"))
}

/// Repeats the first layer: an engine with a classic store writes a link for the repetition.
fn image() -> OciImage {
    let layers = vec![layer("one"), layer("two"), layer("one")];
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": { "Entrypoint": ["/none"] },
        "rootfs": { "type": "layers", "diff_ids": layers.iter().map(Blob::digest).collect::<Vec<_>>() },
    });
    OciImage::new(Blob::new(config.to_string()), layers)
}

#[tokio::test]
#[ignore = "needs a container engine"]
async fn what_was_loaded_is_saved_with_the_same_digest() {
    let engine = Docker::default().connect().await.expect("an engine");
    let image = image();
    engine.load(image.archive(Some(NAME)).expect("memory is writable")).await.expect("it takes an OCI layout");
    let id = engine.image(NAME).await.expect("it answers").expect("it is there under its name").id;
    let saved = saved_image(engine.as_ref(), &id).await;
    engine.remove_image(NAME).await.expect("the name goes");
    assert!([image.config_digest(), image.digest()].contains(&id), "{id}");
    let saved = saved.expect("an image");
    assert_eq!(saved.digest(), image.digest());
    assert_eq!(saved, image);
    let absent = engine.save("devenv-test/absent:1").await.expect_err("there is none");
    assert!(absent.to_string().contains("devenv-test/absent:1"), "{absent}");
}
