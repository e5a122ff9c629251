use serde_json::Value;

/// The responses of one connection.
#[derive(Debug, Default)]
pub(super) struct Responses {
    pub(super) statuses: Vec<u16>,
    /// The last response is incomplete.
    pub(super) unfinished: bool,
}

impl Responses {
    /// Parses a connection's bytes, one response after the other. With `head_only`, no response has a body.
    ///
    /// # Errors
    /// A reply that is not HTTP, or an error answer that is not `{"detail": ..., "code": ...}`.
    pub(super) fn read(mut bytes: &[u8], head_only: bool) -> Result<Self, String> {
        let mut responses = Self::default();
        while !bytes.is_empty() {
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
                responses.unfinished = true;
                break;
            };
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            bytes = &bytes[end + 4..];
            let status = status(&head).ok_or_else(|| format!("no status line: {head:?}"))?;
            responses.statuses.push(status);
            let length = if head_only || status < 200 { 0 } else { length(&head) };
            let Some(body) = bytes.get(..length) else {
                responses.unfinished = true;
                break;
            };
            if status >= 400 && !body.is_empty() {
                check(status, body)?;
            }
            bytes = &bytes[length..];
        }
        Ok(responses)
    }
}

fn status(head: &str) -> Option<u16> {
    head.lines().next()?.strip_prefix("http/1.")?.split(' ').nth(1)?.parse().ok()
}

fn length(head: &str) -> usize {
    head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or_default()
}

fn check(status: u16, body: &[u8]) -> Result<(), String> {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    if problem["code"].is_string() && (problem["detail"].is_string() || problem["detail"].is_array()) {
        return Ok(());
    }
    Err(format!("{status} with the body {:?}", String::from_utf8_lossy(body)))
}
