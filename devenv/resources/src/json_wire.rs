//! AWS's protocol AwsJson 1.0: DynamoDB and SQS.

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::http::Http;

/// The names of a service in its requests.
#[derive(Debug)]
pub struct Service {
    /// In messages.
    pub(crate) name: &'static str,
    /// In the scope of a signature.
    pub(crate) scope: &'static str,
    /// Before the operation in the header that names it.
    pub(crate) target: &'static str,
}

pub const DYNAMODB: Service = Service { name: "DynamoDB", scope: "dynamodb", target: "DynamoDB_20120810" };
pub const DYNAMODB_STREAMS: Service =
    Service { name: "DynamoDB Streams", scope: "dynamodb", target: "DynamoDBStreams_20120810" };
pub const SQS: Service = Service { name: "SQS", scope: "sqs", target: "AmazonSQS" };

/// A client that sends each operation as one POST, with the operation's name in a header.
#[derive(Debug, Clone)]
pub struct Wire {
    http: Http,
    service: &'static Service,
}

impl Wire {
    pub fn new(service: &'static Service, endpoint: Endpoint, region: &str, access_key: &str) -> Self {
        Self { http: Http::new(endpoint, region, access_key, service.scope), service }
    }

    pub async fn call(&self, operation: &'static str, input: &Value) -> Result<Value, Error> {
        let target = format!("{}.{operation}", self.service.target);
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", &target)];
        let answer = self.http.post(operation, &headers, input.to_string()).await?;
        // Some operations of SQS answer with nothing.
        if answer.is_success && answer.body.is_empty() {
            return Ok(Value::Null);
        }
        let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
            return Err(self.http.stranger(operation, &answer, self.service.name));
        };
        if answer.is_success {
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
        (server, Wire::new(&DYNAMODB, endpoint, "eu-west-1", "devenv"))
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
