use reqwest_tls::RequestBuilder;

/// Sends a call of an AWS service other than DynamoDB and returns the body of its answer. Emulators read the region from the signature and
/// check nothing else of it.
pub(crate) async fn send(
    request: RequestBuilder,
    service: &str,
    region: &str,
    operation: &str,
) -> Result<String, String> {
    let scope = format!("devenv/20260101/{region}/{service}/aws4_request");
    let answer = request
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"))
        .send()
        .await
        .map_err(|error| format!("{operation}: {error}"))?;
    let status = answer.status();
    let body = answer.text().await.map_err(|error| format!("{operation}: {error}"))?;
    if status.is_success() { Ok(body) } else { Err(format!("{operation}: {status} {body}")) }
}
