use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use url::Url;

use super::courier::Parcel;

/// As SNS: an endpoint that takes longer has not answered.
const DEADLINE: Duration = Duration::from_secs(15);
/// Bytes of an answer's first line.
const LINE: u64 = 1024;

/// The answer of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// 2xx.
    Taken,
    /// The endpoint did not answer, or answered with a temporary error: 5xx or 429.
    Passing,
    /// Any other answer: SNS does not repeat the request.
    Refused,
}

pub(super) async fn post(parcel: &Parcel) -> Outcome {
    match tokio::time::timeout(DEADLINE, status(parcel)).await {
        Ok(Ok(200..=299)) => Outcome::Taken,
        Ok(Ok(429 | 500..=599) | Err(_)) | Err(_) => Outcome::Passing,
        Ok(Ok(_)) => Outcome::Refused,
    }
}

/// One request on a connection of its own. The endpoint is on this machine, and only the status of its answer counts.
async fn status(parcel: &Parcel) -> std::io::Result<u16> {
    let url = Url::parse(&parcel.endpoint).map_err(std::io::Error::other)?;
    let host = url.host_str().ok_or_else(|| std::io::Error::other("the endpoint has no host"))?;
    let port = url.port_or_known_default().unwrap_or(80);
    let mut connection = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    connection.write_all(head(parcel, &url, host, port).as_bytes()).await?;
    connection.write_all(parcel.body.as_bytes()).await?;
    let mut line = String::new();
    BufReader::new(connection).take(LINE).read_line(&mut line).await?;
    parsed(&line).ok_or_else(|| std::io::Error::other("the answer is not HTTP"))
}

fn head(parcel: &Parcel, url: &Url, host: &str, port: u16) -> String {
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let raw = if parcel.is_raw { "x-amz-sns-rawdelivery: true\r\n" } else { "" };
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\ncontent-type: text/plain; charset=UTF-8\r\n\
         content-length: {length}\r\nuser-agent: Amazon Simple Notification Service Agent\r\n\
         x-amz-sns-message-type: {kind}\r\nx-amz-sns-message-id: {id}\r\nx-amz-sns-topic-arn: {topic}\r\n\
         x-amz-sns-subscription-arn: {subscription}\r\n{raw}\r\n",
        length = parcel.body.len(),
        kind = parcel.kind,
        id = parcel.message_id,
        topic = parcel.topic,
        subscription = parcel.subscription,
    )
}

/// The status in `HTTP/1.1 200 OK`.
fn parsed(line: &str) -> Option<u16> {
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_in_the_first_line() {
        assert_eq!(parsed("HTTP/1.1 204 No Content\r\n"), Some(204));
        assert_eq!(parsed("HTTP/1.0 200\r\n"), Some(200));
        for other in ["", "SSH-2.0", "HTTP/1.1", "HTTP/1.1 ok"] {
            assert_eq!(parsed(other), None);
        }
    }
}
