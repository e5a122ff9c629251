use devenv_model::names::short_digest;
use devenv_promotion::{CloudErrorKind, ImageReference, RegistryImage, RepositoryAddress};
use serde_json::json;

use crate::{Account, REPOSITORY};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn digest(blob: &[u8]) -> String {
    format!("sha256:{}", short_digest(blob, 32))
}

fn image(layer: &str) -> RegistryImage {
    let blobs = ["{}", layer].map(|blob| (digest(blob.as_bytes()), blob.to_owned().into()));
    let descriptor = |kind: &str, blob: &str| {
        let media_type = format!("application/vnd.oci.image.{kind}");
        json!({ "mediaType": media_type, "digest": digest(blob.as_bytes()), "size": blob.len() })
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor("config.v1+json", "{}"),
        "layers": [descriptor("layer.v1.tar", layer)],
    });
    let manifest = manifest.to_string();
    RegistryImage {
        digest: digest(manifest.as_bytes()),
        media_type: MANIFEST.to_owned(),
        manifest: manifest.into(),
        blobs: blobs.into(),
    }
}

pub(crate) async fn an_image_comes_back_as_it_was_pushed(account: &dyn Account) {
    let registry = account.registry();
    let place = |name: &str| RepositoryAddress { host: account.host().to_owned(), repository: name.to_owned() };
    let (here, nowhere) = (place(REPOSITORY), place("contract/absent"));
    let (tag, absent) = (ImageReference::Tag("one".to_owned()), format!("sha256:{}", "9".repeat(64)));
    assert_eq!(registry.image(REPOSITORY, &tag).await, Ok(None), "what is absent is no error");
    assert_eq!(registry.image(REPOSITORY, &ImageReference::Digest(absent.clone())).await, Ok(None));
    let asked = registry.image(&nowhere.repository, &tag).await;
    assert_eq!(asked.map_err(|error| error.kind), Err(CloudErrorKind::NotFound), "there is no such repository");
    let pulled = registry.pull(&here, &absent).await;
    assert_eq!(pulled.map_err(|error| error.kind), Err(CloudErrorKind::NotFound));

    let one = image("one");
    let pushed = registry.push(&nowhere, "one", &one).await;
    assert_eq!(pushed.map_err(|error| error.kind), Err(CloudErrorKind::NotFound), "a push makes no repository");
    registry.push(&here, "one", &one).await.expect("nothing is there");
    registry.push(&here, "one", &one).await.expect("the same once more");
    let found = registry.image(REPOSITORY, &tag).await.expect("it answers").expect("it was pushed");
    assert_eq!(found.digest, one.digest, "the registry calls it as we do");
    assert_eq!(found.manifest, one.manifest, "byte for byte");
    let by_digest = registry.image(REPOSITORY, &ImageReference::Digest(one.digest.clone())).await;
    assert_eq!(by_digest.expect("it answers"), Some(found));
    assert_eq!(registry.pull(&here, &one.digest).await, Ok(one));
}
