use aws_config::SdkConfig;
use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::ImageIdentifier;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use devenv_promotion::{
    CloudError, CloudErrorKind, ImageReference, PushedImage, Registry, RegistryImage, RepositoryAddress,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::error::failed;
use crate::repository::{Login, MANIFESTS, Repository};

#[derive(Debug)]
pub(crate) struct Ecr {
    client: Client,
}

impl Ecr {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Of the registry's own protocol, for some hours.
    async fn login(&self) -> Result<Login, CloudError> {
        let action = "log in to the registry";
        let answer = self.client.get_authorization_token().send().await.map_err(failed(action))?;
        let token = answer.authorization_data.unwrap_or_default().into_iter().next();
        let token = token.and_then(|data| data.authorization_token).unwrap_or_default();
        let decoded = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let login = decoded.as_deref().and_then(|text| text.split_once(':'));
        let (user, password) = login.ok_or_else(|| CloudError {
            action: action.to_owned(),
            cause: "the answer is no user and password".to_owned(),
            kind: CloudErrorKind::Other,
        })?;
        Ok(Login { user: user.to_owned(), password: password.to_owned() })
    }
}

impl Registry for Ecr {
    fn image<'a>(
        &'a self,
        repository: &'a str,
        reference: &'a ImageReference,
    ) -> BoxFuture<'a, Result<Option<PushedImage>, CloudError>> {
        async move {
            let wanted = match reference {
                ImageReference::Tag(tag) => ImageIdentifier::builder().image_tag(tag),
                ImageReference::Digest(digest) => ImageIdentifier::builder().image_digest(digest),
            };
            let request = self.client.batch_get_image().repository_name(repository).image_ids(wanted.build());
            let request = MANIFESTS.into_iter().fold(
                request,
                aws_sdk_ecr::operation::batch_get_image::builders::BatchGetImageFluentBuilder::accepted_media_types,
            );
            let answer = request.send().await.map_err(failed(format!("look for an image in {repository}")))?;
            // An absent image is a missing entry, not an error.
            let image = answer.images.unwrap_or_default().into_iter().next();
            Ok(image.and_then(|image| {
                let digest = image.image_id?.image_digest?;
                Some(PushedImage { digest, manifest: image.image_manifest?.into_bytes() })
            }))
        }
        .boxed()
    }

    fn push<'a>(
        &'a self,
        repository: &'a RepositoryAddress,
        tag: &'a str,
        image: &'a RegistryImage,
    ) -> BoxFuture<'a, Result<(), CloudError>> {
        async move { Repository::new(repository, &self.login().await?).push(tag, image).await }.boxed()
    }

    fn pull<'a>(
        &'a self,
        repository: &'a RepositoryAddress,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<RegistryImage, CloudError>> {
        async move { Repository::new(repository, &self.login().await?).pull(digest).await }.boxed()
    }
}
