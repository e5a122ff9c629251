use std::sync::Arc;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use devenv_promotion::{Cloud, CloudAddress, Clouds, EmulatedLogin};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::emulated::Emulated;
use crate::identity::Sts;
use crate::objects::S3;
use crate::registry::Ecr;
use crate::services::Ecs;

/// Finds logins as the AWS CLI does: variables, profiles, single sign-on, and the role of a build server or an instance.
#[derive(Debug, Default)]
pub struct Aws;

impl Clouds for Aws {
    fn connect<'a>(&'a self, address: &'a CloudAddress) -> BoxFuture<'a, Cloud> {
        async move {
            match address {
                CloudAddress::Account { region } => account(region).await,
                CloudAddress::Emulated { endpoint, region, login } => emulated(&endpoint.to_string(), region, login),
            }
        }
        .boxed()
    }
}

async fn account(region: &str) -> Cloud {
    let tls = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    // Only for comparison: requests go to the target's region.
    let named = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .region()
        .await;
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(tls)
        .region(Region::new(region.to_owned()))
        .load()
        .await;
    cloud(&config, named.map(|region| region.to_string()), false)
}

/// Reads nothing from the caller's environment.
fn emulated(endpoint: &str, region: &str, login: &EmulatedLogin) -> Cloud {
    let credentials = Credentials::new(&login.access_key, &login.secret_key, None, None, "rehearsal");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(Builder::new().build_http())
        .sleep_impl(aws_sdk_s3::config::SharedAsyncSleep::new(aws_smithy_async::rt::sleep::TokioSleep::new()))
        .region(Region::new(region.to_owned()))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    cloud(&config, None, true)
}

fn cloud(config: &SdkConfig, named_region: Option<String>, is_emulated: bool) -> Cloud {
    Cloud {
        identity: Arc::new(Sts::new(config, named_region)),
        objects: Arc::new(S3::new(config, is_emulated)),
        registry: Arc::new(Ecr::new(config)),
        services: Arc::new(Ecs::new(config)),
        emulated: is_emulated.then(|| Arc::new(Emulated::new(config)) as _),
    }
}
