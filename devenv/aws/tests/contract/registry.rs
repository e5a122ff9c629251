use devenv_model::names::short_digest;
use devenv_promotion::{CloudErrorKind, ImageReference};
use serde_json::Value;

use crate::{Account, REPOSITORY};

pub(crate) async fn an_image_is_found_by_tag_and_digest(account: &dyn Account) {
    let registry = account.registry();
    let login = registry.login().await.expect("a login");
    assert!(!login.user.is_empty() && !login.password.is_empty());

    let (tag, absent) = (ImageReference::Tag("one".to_owned()), format!("sha256:{}", "9".repeat(64)));
    assert_eq!(registry.image(REPOSITORY, &tag).await, Ok(None), "what is absent is no error");
    assert_eq!(registry.image(REPOSITORY, &ImageReference::Digest(absent)).await, Ok(None));
    let nowhere = registry.image("contract/absent", &tag).await;
    assert_eq!(nowhere.map_err(|error| error.kind), Err(CloudErrorKind::NotFound), "there is no such repository");

    let id = account.push("one").await;
    let pushed = registry.image(REPOSITORY, &tag).await.expect("it answers").expect("it was pushed");
    assert_eq!(pushed.digest, format!("sha256:{}", short_digest(&pushed.manifest, 32)), "the digest of its manifest");
    let manifest: Value = serde_json::from_slice(&pushed.manifest).expect("JSON");
    assert!(manifest["config"]["digest"] == id.as_str() || pushed.digest == id, "{id}: {manifest:#}");
    let by_digest = registry.image(REPOSITORY, &ImageReference::Digest(pushed.digest.clone())).await;
    assert_eq!(by_digest.expect("it answers"), Some(pushed));
}
