//! The HTTP client for an emulator on this machine.

use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::error::Error;

/// A healthy emulator on this machine answers within milliseconds. One in Python loads a service at its first request, which took more
/// than 10 s on a busy machine; after this limit no answer will come.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    endpoint: Endpoint,
    authorization: String,
}

pub(crate) struct Answer {
    pub(crate) is_success: bool,
    pub(crate) status: String,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// `scope` is the service's name in the scope of a signature.
    pub(crate) fn new(endpoint: Endpoint, region: &str, access_key: &str, scope: &str) -> Self {
        let client = reqwest::Client::builder()
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
            "AWS4-HMAC-SHA256 Credential={access_key}/20260101/{region}/{scope}/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-target, Signature=0"
        );
        Self { client, endpoint, authorization }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) async fn post(
        &self,
        operation: &'static str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Answer, Error> {
        let unreachable = |error: reqwest::Error| self.unreachable(operation, root_cause(&error));
        let mut request = self.client.post(self.endpoint.url());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", &self.authorization)
            .body(body)
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?.to_vec();
        Ok(Answer { is_success: status.is_success(), status: status.to_string(), body })
    }

    /// The error for an answer that is not of the service.
    pub(crate) fn stranger(&self, operation: &'static str, answer: &Answer, service: &str) -> Error {
        let status = &answer.status;
        let cause =
            format!("HTTP status {status} and a body that is not {service}'s: another program may listen there");
        self.unreachable(operation, cause)
    }

    fn unreachable(&self, operation: &'static str, cause: String) -> Error {
        Error::Unreachable { operation, endpoint: self.endpoint.to_string(), cause }
    }
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
