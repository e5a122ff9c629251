use aws_config::SdkConfig;
use aws_sdk_sts::Client;
use devenv_promotion::{Caller, CloudError, Identity};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::error::failed;

#[derive(Debug)]
pub(crate) struct Sts {
    client: Client,
    named_region: Option<String>,
}

impl Sts {
    pub(crate) fn new(config: &SdkConfig, named_region: Option<String>) -> Self {
        Self { client: Client::new(config), named_region }
    }
}

impl Identity for Sts {
    fn caller(&self) -> BoxFuture<'_, Result<Caller, CloudError>> {
        async move {
            let answer = self.client.get_caller_identity().send().await.map_err(failed("ask who is calling"))?;
            Ok(Caller { account: answer.account.unwrap_or_default(), arn: answer.arn.unwrap_or_default() })
        }
        .boxed()
    }

    fn region(&self) -> Option<&str> {
        self.named_region.as_deref()
    }
}
