use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use devenv_promotion::{CloudError, CloudErrorKind, Condition, Object, Objects};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::error::{failed, unless_absent};

/// More bytes than any object that devenv keeps.
const LIMIT: i64 = 64 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct S3 {
    client: Client,
}

impl S3 {
    /// An emulator has no host name per bucket.
    pub(crate) fn new(config: &SdkConfig, path_style: bool) -> Self {
        let config = aws_sdk_s3::config::Builder::from(config).force_path_style(path_style).build();
        Self { client: Client::from_conf(config) }
    }

    async fn is_listed(&self, bucket: &str, key: &str) -> Result<bool, CloudError> {
        let request = self.client.list_objects_v2().bucket(bucket).prefix(key).max_keys(1);
        let answer = request.send().await.map_err(failed(format!("look for {key} in {bucket}")))?;
        Ok(answer.contents.unwrap_or_default().iter().any(|object| object.key.as_deref() == Some(key)))
    }
}

impl S3 {
    /// The objects and the folders directly below a prefix, each in order.
    async fn list(&self, bucket: &str, prefix: &str) -> Result<(Vec<String>, Vec<String>), CloudError> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        let below = |name: String| name[prefix.len()..].trim_end_matches('/').to_owned();
        let mut next = None;
        loop {
            let request = self.client.list_objects_v2().bucket(bucket).prefix(prefix).delimiter("/");
            let answer = request.set_continuation_token(next).send().await;
            let answer = answer.map_err(failed(format!("list {prefix} in {bucket}")))?;
            let found = answer.contents.unwrap_or_default().into_iter().filter_map(|found| found.key);
            files.extend(found.map(below).filter(|name| !name.is_empty()));
            let found = answer.common_prefixes.unwrap_or_default().into_iter().filter_map(|found| found.prefix);
            folders.extend(found.map(below));
            next = answer.next_continuation_token;
            if next.is_none() {
                files.sort_unstable();
                folders.sort_unstable();
                return Ok((files, folders));
            }
        }
    }
}

impl Objects for S3 {
    fn get<'a>(&'a self, bucket: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<Object>, CloudError>> {
        async move {
            let action = format!("read {key} in {bucket}");
            let answer = self.client.get_object().bucket(bucket).key(key).send().await;
            let answer = match unless_absent(answer.map_err(failed(action.clone()))) {
                Ok(Some(answer)) => answer,
                Ok(None) => return Ok(None),
                // S3 answers "denied" for an absent object if the caller may list only a part of the bucket.
                Err(error) if error.kind == CloudErrorKind::Denied && !self.is_listed(bucket, key).await? => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            let other = |cause: String| CloudError { action: action.clone(), cause, kind: CloudErrorKind::Other };
            if answer.content_length.unwrap_or_default() > LIMIT {
                return Err(other(format!("it is larger than {LIMIT} bytes")));
            }
            let etag = answer.e_tag.unwrap_or_default();
            let content = answer.body.collect().await.map_err(|error| other(error.to_string()))?.to_vec();
            Ok(Some(Object { content, etag }))
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        content: Vec<u8>,
        condition: Condition,
    ) -> BoxFuture<'a, Result<String, CloudError>> {
        async move {
            let request = self.client.put_object().bucket(bucket).key(key).body(ByteStream::from(content));
            let request = match condition {
                Condition::Absent => request.if_none_match("*"),
                Condition::Matches(etag) => request.if_match(etag),
            };
            let answer = request.send().await.map_err(failed(format!("write {key} in {bucket}")))?;
            Ok(answer.e_tag.unwrap_or_default())
        }
        .boxed()
    }

    fn files<'a>(&'a self, bucket: &'a str, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, CloudError>> {
        async move { Ok(self.list(bucket, prefix).await?.0) }.boxed()
    }

    fn folders<'a>(&'a self, bucket: &'a str, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, CloudError>> {
        async move { Ok(self.list(bucket, prefix).await?.1) }.boxed()
    }
}
