use crate::front::is_from_page;
use devenv_messaging::{Head, belongs_here};
use httparse::{EMPTY_HEADER, Status};

/// A longer head, or one with more headers, is left to the full server and its limits.
pub(crate) const HEAD_LIMIT: usize = 16 * 1024;
const HEADERS: usize = 64;
/// A larger body may be refused before it has been sent in full, which the full server can pass on.
const BODY_LIMIT: usize = 1024 * 1024;

/// The next request of a connection.
pub(crate) enum Request {
    Partial,
    /// One that needs a full server.
    Other,
    Plain(Plain),
}

/// A request whose body has a known length and which asks for nothing but an answer.
pub(crate) struct Plain {
    /// Bytes of the head.
    pub(crate) head: usize,
    /// Bytes of head and body.
    pub(crate) length: usize,
    /// The name of the caller's program.
    pub(crate) caller: Option<String>,
    pub(crate) to: To,
}

pub(crate) enum To {
    /// With the `x-amz-target`.
    Tables(Option<String>),
    Messages(Head),
}

impl Request {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut headers = [EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let head = match request.parse(bytes) {
            Ok(Status::Complete(head)) => head,
            Ok(Status::Partial) if bytes.len() < HEAD_LIMIT => return Self::Partial,
            _ => return Self::Other,
        };
        let header = |name: &str| header(request.headers, name);
        let length = header("content-length").map_or(Some(0), |text| text.parse::<usize>().ok());
        let is_plain = request.method == Some("POST")
            && request.version == Some(1)
            && ["transfer-encoding", "expect", "upgrade"].iter().all(|name| header(name).is_none())
            && header("connection").is_none_or(|value| value.eq_ignore_ascii_case("keep-alive"));
        let Some(body) = length.filter(|length| is_plain && *length <= BODY_LIMIT) else { return Self::Other };
        let path = request.path.unwrap_or_default();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let own = |name: &str| header(name).map(str::to_owned);
        let to = if belongs_here(header("x-amz-target"), header("content-type"), query) {
            if is_from_page(header) {
                return Self::Other;
            }
            To::Messages(Head {
                target: own("x-amz-target"),
                host: own("host"),
                authorization: own("authorization"),
                path: path.to_owned(),
                query: query.unwrap_or_default().to_owned(),
            })
        } else {
            To::Tables(own("x-amz-target"))
        };
        let caller = crate::calls::caller(header).map(str::to_owned);
        Self::Plain(Plain { head, length: head + body, caller, to })
    }
}

fn header<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(found.value).ok()
}

/// Where an answer ends, as far as its first bytes show.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AnswerEnd {
    /// Its head is not whole yet.
    Unknown,
    /// After that many bytes.
    After(usize),
    /// With the connection.
    WithConnection,
}

impl AnswerEnd {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut headers = [EMPTY_HEADER; HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let head = match response.parse(bytes) {
            Ok(Status::Complete(head)) => head,
            Ok(Status::Partial) if bytes.len() < HEAD_LIMIT => return Self::Unknown,
            _ => return Self::WithConnection,
        };
        let length = header(response.headers, "content-length").and_then(|text| text.parse::<usize>().ok());
        match (length, header(response.headers, "connection")) {
            (Some(length), None) => Self::After(head + length),
            _ => Self::WithConnection,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(head: &str) -> &'static str {
        match Request::read(head.as_bytes()) {
            Request::Partial => "partial",
            Request::Other => "other",
            Request::Plain(Plain { to: To::Tables(_), .. }) => "tables",
            Request::Plain(Plain { to: To::Messages(_), .. }) => "messages",
        }
    }

    #[test]
    fn only_plain_requests_take_the_short_way() {
        let tables = "x-amz-target: DynamoDB_20120810.GetItem\r\n";
        for (head, expected) in [
            ("", "partial"),
            ("POST / HTTP/1.1\r\nhost: a\r\n", "partial"),
            (&format!("POST / HTTP/1.1\r\n{tables}content-length: 2\r\n\r\n"), "tables"),
            (&format!("POST / HTTP/1.1\r\n{tables}connection: Keep-Alive\r\n\r\n"), "tables"),
            (&format!("POST / HTTP/1.1\r\n{tables}connection: close\r\n\r\n"), "other"),
            (&format!("POST / HTTP/1.1\r\n{tables}transfer-encoding: chunked\r\n\r\n"), "other"),
            (&format!("POST / HTTP/1.1\r\n{tables}expect: 100-continue\r\n\r\n"), "other"),
            (&format!("POST / HTTP/1.1\r\n{tables}content-length: 9999999\r\n\r\n"), "other"),
            (&format!("POST / HTTP/1.0\r\n{tables}\r\n"), "other"),
            ("GET / HTTP/1.1\r\n\r\n", "other"),
            ("POST / HTTP/1.1\r\nx-amz-target: AmazonSQS.SendMessage\r\n\r\n", "messages"),
            ("POST / HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\n", "messages"),
            ("POST /?Action=ListQueues HTTP/1.1\r\n\r\n", "messages"),
            ("POST /?Action=ListQueues HTTP/1.1\r\norigin: http://a\r\n\r\n", "other"),
            ("nonsense\r\n\r\n", "other"),
            (&"a".repeat(HEAD_LIMIT), "other"),
        ] {
            assert_eq!(kind(head), expected, "{head}");
        }
    }

    #[test]
    fn an_answer_has_a_length_or_ends_with_its_connection() {
        for (head, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-le", AnswerEnd::Unknown),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", AnswerEnd::After(43)),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", AnswerEnd::WithConnection),
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", AnswerEnd::WithConnection),
        ] {
            assert_eq!(AnswerEnd::of(head.as_bytes()), expected, "{head}");
        }
    }
}
