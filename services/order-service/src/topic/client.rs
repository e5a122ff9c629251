use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_runtime::{
    auth::{
        SigV4OperationSigningConfig,
        sigv4::{SCHEME_ID, SigV4AuthScheme},
    },
    user_agent::{ApiMetadata, UserAgentInterceptor},
};
use aws_smithy_runtime::client::{identity::IdentityCache, orchestrator::operation::Operation};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        auth::{
            AuthSchemeOptionResolverParams, SharedAuthSchemeOptionResolver,
            static_resolver::StaticAuthSchemeOptionResolver,
        },
        identity::{SharedIdentityCache, SharedIdentityResolver},
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
        result::SdkError,
        runtime_components::RuntimeComponentsBuilder,
        runtime_plugin::StaticRuntimePlugin,
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::Layer};
use aws_types::{SigningName, region::SigningRegion};

use super::{
    answer::{Outcomes, outcomes, refusal},
    arn::{TopicAddress, TopicArn},
    error::{TopicCause, TopicError},
    message::{Message, form},
};
use crate::{
    aws::{ATTEMPT_TIMEOUT, CONNECT_TIMEOUT},
    causes::innermost,
};

/// A topic of SNS. A call makes one attempt: the caller knows what to do with messages whose fate is unknown.
#[derive(Debug, Clone)]
pub struct Topic {
    arn: TopicArn,
    publish: Operation<Form, Outcomes, Refused>,
}

/// The body of a request.
#[derive(Debug)]
struct Form(String);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(TopicCause);

impl Topic {
    pub fn new(config: &SdkConfig, address: &TopicAddress) -> Self {
        let publish = Operation::builder()
            .service_name("sns")
            .operation_name("PublishBatch")
            .behavior_version(BehaviorVersion::latest())
            .http_client(config.http_client().unwrap_or_else(crate::aws::http_client))
            .endpoint_url(&address.endpoint)
            .no_retry()
            .timeout_config(
                TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(ATTEMPT_TIMEOUT).build(),
            )
            .interceptor(UserAgentInterceptor::new())
            .runtime_plugin(signature(config, address.arn.region()))
            .serializer(request)
            .deserializer(response)
            .build();
        Self { arn: address.arn.clone(), publish }
    }

    /// Publishes at most [`super::MOST_MESSAGES`] messages. Returns an outcome for each, in their order: nothing, or the reason
    /// the topic did not take it.
    pub async fn publish(&self, messages: &[&Message]) -> Result<Vec<Result<(), String>>, TopicError> {
        let form = Form(form(&self.arn.to_string(), messages));
        let mut outcomes = self
            .publish
            .invoke(form)
            .await
            .map_err(|error| TopicError { topic: self.arn.clone(), cause: cause(error) })?;
        let of = |index: usize| {
            outcomes.remove(&index.to_string()).unwrap_or_else(|| Err("the answer does not mention it".to_owned()))
        };
        Ok((0..messages.len()).map(of).collect())
    }
}

/// Signs every request for SNS in the topic's region, and names this program to the service.
fn signature(config: &SdkConfig, region: &str) -> StaticRuntimePlugin {
    let mut layer = Layer::new("topic");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(Region::new(region.to_owned()))),
        name: Some(SigningName::from_static("sns")),
        ..SigV4OperationSigningConfig::default()
    });
    layer.store_put(ApiMetadata::new("sns", env!("CARGO_PKG_VERSION")));
    if let Some(name) = config.app_name() {
        layer.store_put(name.clone());
    }
    let cache = config.identity_cache().unwrap_or_else(|| SharedIdentityCache::new(IdentityCache::lazy().build()));
    let mut components = RuntimeComponentsBuilder::new("topic")
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
            StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
        )))
        .with_identity_cache(Some(cache));
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

fn request(form: Form) -> Result<HttpRequest, BoxError> {
    let length = form.0.len().to_string();
    let mut request = HttpRequest::new(SdkBody::from(form.0));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
    request.headers_mut().insert("content-length", length);
    Ok(request)
}

fn response(response: &HttpResponse) -> Result<Outcomes, OrchestratorError<Refused>> {
    let body = response.body().bytes().unwrap_or_default();
    let status = response.status();
    if !status.is_success() {
        return Err(OrchestratorError::operation(Refused(refusal(status.as_u16(), body))));
    }
    outcomes(body).map_err(|reason| {
        OrchestratorError::operation(Refused(TopicCause::Unreachable(format!("unreadable answer: {reason}"))))
    })
}

fn cause(error: SdkError<Refused, HttpResponse>) -> TopicCause {
    match error {
        SdkError::ServiceError(refused) => refused.into_err().0,
        SdkError::TimeoutError(_) => TopicCause::Timeout,
        other => TopicCause::Unreachable(innermost(&other)),
    }
}
