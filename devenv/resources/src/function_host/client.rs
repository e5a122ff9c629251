//! The function host, as commands call it.

use std::time::Duration;

use devenv_model::functions::{EventSource, Functions, Mapping};
use devenv_model::resource::{ResourceId, ResourceKind};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::Error;

/// Longer than a function's longest timeout, and the wait for a unit before it.
const ANSWER_LIMIT: Duration = Duration::from_secs(1000);

#[derive(Debug, Clone)]
pub struct FunctionHost {
    client: reqwest::Client,
    endpoint: Endpoint,
}

/// The answer of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoked {
    pub response: String,
    /// Whether the response is an error of the function.
    pub is_error: bool,
    /// The invocation's log, in Base64.
    pub log: Option<String>,
}

/// A function or a mapping of the files, as the host has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedState {
    pub resource: ResourceId,
    /// A word; `None` if the host does not have it.
    pub state: Option<String>,
    /// A mapping's last result.
    pub detail: Option<String>,
}

impl FunctionHost {
    pub fn at(endpoint: &Endpoint) -> Self {
        let client = reqwest::Client::builder()
            // A proxy from the environment variables must not see loopback requests.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_LIMIT)
            .tcp_nodelay(true)
            .build()
            .expect("a client without TLS needs nothing from the machine");
        Self { client, endpoint: endpoint.clone() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.endpoint))
    }

    fn unreachable(&self, operation: &'static str, cause: &reqwest::Error) -> Error {
        Error::Unreachable { operation, endpoint: self.endpoint.to_string(), cause: cause.to_string() }
    }

    /// Has a function handle an event, and waits.
    pub async fn invoke(&self, function: &str, event: Vec<u8>) -> Result<Invoked, Error> {
        let failed = |error: reqwest::Error| self.unreachable("Invoke", &error);
        let request = self.request(Method::POST, &format!("/2015-03-31/functions/{function}/invocations"));
        let answer = request.header("x-amz-log-type", "Tail").body(event).send().await.map_err(failed)?;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (is_error, log, kind) =
            (header("x-amz-function-error").is_some(), header("x-amz-log-result"), header("x-amzn-errortype"));
        let is_success = answer.status().is_success();
        let response = answer.text().await.map_err(failed)?;
        if is_success {
            return Ok(Invoked { response, is_error, log });
        }
        let message =
            serde_json::from_str::<Value>(&response).ok().and_then(|body| Some(body["message"].as_str()?.to_owned()));
        let (kind, message) = (kind.unwrap_or_else(|| "unknown error".to_owned()), message.unwrap_or(response));
        Err(Error::Refused { operation: "Invoke", kind, message })
    }

    /// Every function and mapping of the files, with its state.
    pub async fn list(&self, files: &Functions) -> Result<Vec<HostedState>, Error> {
        let functions = self.get("ListFunctions", "/2015-03-31/functions/").await?;
        let mappings = self.get("ListEventSourceMappings", "/2015-03-31/event-source-mappings/").await?;
        let of_function = |name: &str| {
            let found = listed(&functions["Functions"], "FunctionName", name)?;
            Some(if found["State"] == "Active" { "ready" } else { "starting" }.to_owned())
        };
        let functions = files.functions.iter().map(|function| HostedState {
            resource: ResourceId::new(ResourceKind::Function, &function.name),
            state: of_function(&function.name),
            detail: None,
        });
        let mappings = files.mappings.iter().map(|mapping| {
            let found = listed(&mappings["EventSourceMappings"], "Name", &mapping.name);
            let text = |key: &str| found.and_then(|found| found[key].as_str());
            HostedState {
                resource: ResourceId::new(ResourceKind::EventSourceMapping, &mapping.name),
                state: text("State").map(str::to_lowercase),
                detail: Some(format!(
                    "{} to {}; {}",
                    source(mapping),
                    mapping.function,
                    text("LastProcessingResult").unwrap_or("no result")
                )),
            }
        });
        Ok(functions.chain(mappings).collect())
    }

    async fn get(&self, operation: &'static str, path: &str) -> Result<Value, Error> {
        let failed = |error: reqwest::Error| self.unreachable(operation, &error);
        let answer = self.request(Method::GET, path).send().await.and_then(reqwest::Response::error_for_status);
        answer.map_err(failed)?.json().await.map_err(failed)
    }
}

fn listed<'v>(list: &'v Value, key: &str, name: &str) -> Option<&'v Value> {
    list.as_array()?.iter().find(|one| one[key] == name)
}

fn source(mapping: &Mapping) -> String {
    match &mapping.source {
        EventSource::Queue(queue) => format!("queue {queue}"),
        EventSource::Stream(table) => format!("stream of {table}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{body_string, header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    async fn host(answer: ResponseTemplate) -> (MockServer, FunctionHost) {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/2015-03-31/functions/low-stock/invocations"))
            .and(header("x-amz-log-type", "Tail"))
            .and(body_string("{}"))
            .respond_with(answer)
            .mount(&server)
            .await;
        let host = FunctionHost::at(&Endpoint::parse(&server.uri()).expect("loopback"));
        (server, host)
    }

    #[tokio::test]
    async fn a_function_error_is_told_from_an_error_of_the_host() {
        let invoked = async |answer: ResponseTemplate| {
            let (_server, host) = host(answer).await;
            host.invoke("low-stock", b"{}".to_vec()).await
        };
        let done = invoked(ResponseTemplate::new(200).set_body_string("1")).await.expect("it answers");
        assert_eq!(done, Invoked { response: "1".to_owned(), is_error: false, log: None });
        let failed =
            ResponseTemplate::new(200).set_body_string("{}").insert_header("x-amz-function-error", "Unhandled");
        assert!(invoked(failed).await.expect("it answers").is_error);
        let refused = ResponseTemplate::new(404)
            .set_body_json(json!({ "message": "Function not found: low-stock" }))
            .insert_header("x-amzn-errortype", "ResourceNotFoundException");
        assert!(invoked(refused).await.expect_err("refused").is("ResourceNotFoundException"));
    }
}
