use std::time::Duration;

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::Error;

/// A healthy emulator on this machine answers within milliseconds; after this limit no answer will come.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// A client that sends each operation as one POST, with the operation's name in a header.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    http: reqwest::Client,
    endpoint: Endpoint,
    authorization: String,
}

impl Wire {
    pub(super) fn new(endpoint: Endpoint, region: &str, access_key: &str) -> Self {
        let http = reqwest::Client::builder()
            // A proxy from the environment variables must not see loopback requests.
            .no_proxy()
            // A redirect could lead off this machine, past the check of the endpoint.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .timeout(ANSWER_LIMIT)
            .tcp_nodelay(true)
            .build()
            .expect("a client without TLS needs nothing from the machine");
        // Emulators read the key and the region from this and check no signature. By default, DynamoDB Local keeps a
        // separate database for each pair, so both are the same as the services'.
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={access_key}/20260101/{region}/dynamodb/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-target, Signature=0"
        );
        Self { http, endpoint, authorization }
    }

    pub(super) async fn call(&self, operation: &'static str, input: &Value) -> Result<Value, Error> {
        let unreachable = |error: reqwest::Error| Error::Unreachable {
            operation,
            endpoint: self.endpoint.to_string(),
            cause: root_cause(&error),
        };
        let response = self
            .http
            .post(self.endpoint.url())
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", &self.authorization)
            .body(input.to_string())
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(unreachable)?;
        let Ok(body) = serde_json::from_slice::<Value>(&bytes) else {
            return Err(Error::Unreachable {
                operation,
                endpoint: self.endpoint.to_string(),
                cause: format!(
                    "HTTP status {status} and a body that is not DynamoDB's: another program may listen there"
                ),
            });
        };
        if status.is_success() {
            return Ok(body);
        }
        let kind = body["__type"].as_str().unwrap_or("unknown error");
        Err(Error::Refused {
            operation,
            kind: kind.rsplit('#').next().unwrap_or(kind).to_owned(),
            // The key has either spelling, depending on the service.
            message: body["message"].as_str().or(body["Message"].as_str()).unwrap_or_default().to_owned(),
        })
    }
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    async fn answering(template: ResponseTemplate) -> (MockServer, Wire) {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/"))
            .and(header("x-amz-target", "DynamoDB_20120810.DescribeTable"))
            .respond_with(template)
            .mount(&server)
            .await;
        let endpoint = Endpoint::parse(&server.uri()).expect("loopback");
        (server, Wire::new(endpoint, "eu-west-1", "devenv"))
    }

    #[tokio::test]
    async fn an_exception_is_known_with_and_without_its_namespace() {
        let bodies = [
            json!({ "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no orders" }),
            json!({ "__type": "ResourceNotFoundException", "Message": "no orders" }),
        ];
        for body in bodies {
            let (_server, wire) = answering(ResponseTemplate::new(400).set_body_json(&body)).await;
            let error = wire.call("DescribeTable", &json!({})).await.expect_err("it is refused");
            assert!(error.is("ResourceNotFoundException"), "{error}");
            assert!(error.to_string().contains("no orders"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let elsewhere = MockServer::start().await;
        let redirect = ResponseTemplate::new(307).insert_header("location", elsewhere.uri());
        let (_server, wire) = answering(redirect).await;
        let error = wire.call("DescribeTable", &json!({})).await.expect_err("it is no answer");
        assert!(error.to_string().contains("307"), "{error}");
        assert!(elsewhere.received_requests().await.expect("recorded").is_empty());
    }

    #[tokio::test]
    async fn another_program_on_the_port_is_told_apart() {
        let (_server, wire) = answering(ResponseTemplate::new(200).set_body_string("<html>")).await;
        let error = wire.call("DescribeTable", &json!({})).await.expect_err("it is no answer");
        assert!(error.to_string().contains("another program"), "{error}");
    }
}
