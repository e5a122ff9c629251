use super::{
    body::{fit, mutate, unfit},
    chance::Chance,
};

/// A request in its wire format.
pub(super) struct Malformed {
    pub(super) kind: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) wants: Wants,
    /// The answer has no body, regardless of its content length.
    pub(super) head_only: bool,
}

/// The expected reaction of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// The request is complete: the service must answer.
    Answer,
    /// The service may answer or close the connection.
    Anything,
    /// The client stalls in its body: the service must answer and blame the client.
    Patience,
}

/// Makes request `index` of a seed, for a service that takes orders at `path`.
pub(super) fn malformed(seed: u64, index: u64, path: &str) -> Malformed {
    let chance = &mut Chance::of(seed, index);
    // A stalling client costs seconds, so it is rare.
    if chance.once_in(100) {
        return stalled(chance, path);
    }
    match chance.below(9) {
        0 => anything("request line", request_line(chance, path)),
        1 => anything("headers", headers(chance, path)),
        2 => anything("chunks", chunks(chance, path)),
        3 => anything("cut off", cut_off(chance, path)),
        4 => answered("body", post(path, &content_type(chance), &unfit(chance))),
        5 => answered("query", get(&query(chance, path))),
        6 => anything("pipeline", pipeline(chance, path)),
        7 => method(chance, path),
        _ => {
            let mut bytes = post(path, "application/json", fit(chance).to_string().as_bytes());
            mutate(chance, &mut bytes);
            anything("mutated", bytes)
        }
    }
}

fn anything(kind: &'static str, bytes: Vec<u8>) -> Malformed {
    Malformed { kind, bytes, wants: Wants::Anything, head_only: false }
}

fn answered(kind: &'static str, bytes: Vec<u8>) -> Malformed {
    Malformed { kind, bytes, wants: Wants::Answer, head_only: false }
}

fn post(path: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes()
}

fn content_type(chance: &mut Chance) -> String {
    chance.of_these(&["application/json", "application/json; charset=utf-16", "text/plain", "a/b+json", ";", ""]).into()
}

fn stalled(chance: &mut Chance, path: &str) -> Malformed {
    let begun = &b"{\"product_id\": \"PROD001\""[..chance.below(24)];
    let framing = chance.of_these(&["content-length: 64", "transfer-encoding: chunked"]);
    let mut bytes = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n").into_bytes();
    if framing.starts_with('t') {
        bytes.extend(format!("{:x}\r\n", begun.len() + 1).bytes());
    }
    bytes.extend(begun);
    Malformed { kind: "stalled", bytes, wants: Wants::Patience, head_only: false }
}

fn request_line(chance: &mut Chance, path: &str) -> Vec<u8> {
    let line: Vec<u8> = match chance.below(12) {
        0 => chance.bytes(200),
        1 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        2 => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        3 => format!("GET {path}").into_bytes(),
        4 => format!("GET  {path} HTTP/1.1").into_bytes(),
        5 => format!("GET {path} HTTP/9.9").into_bytes(),
        6 => format!("get {path} http/1.1").into_bytes(),
        7 => format!("GET {path}{} HTTP/1.1", "/x".repeat(chance.of_these(&[10, 5_000, 40_000, 200_000]))).into_bytes(),
        8 => format!("GET http://user:secret@[::1]:99999{path} HTTP/1.1").into_bytes(),
        9 => b"GET /\x00\x01\xff HTTP/1.1".to_vec(),
        10 => b"CONNECT example.org:443 HTTP/1.1".to_vec(),
        _ => b"OPTIONS * HTTP/1.1".to_vec(),
    };
    [&line[..], b"\r\nhost: x\r\n\r\n"].concat()
}

fn headers(chance: &mut Chance, path: &str) -> Vec<u8> {
    let header: Vec<u8> = match chance.below(20) {
        0 => b"no colon".to_vec(),
        1 => b"space : before".to_vec(),
        2 => b"folded: a\r\n b".to_vec(),
        3 => format!("large: {}", "x".repeat(chance.of_these(&[8_000, 100_000, 600_000]))).into_bytes(),
        4 => (0..chance.of_these(&[90, 101, 5_000])).flat_map(|n| format!("h{n}: x\r\n").into_bytes()).collect(),
        5 => b"content-length: 5\r\ncontent-length: 6".to_vec(),
        6 => b"content-length: -1".to_vec(),
        7 => b"content-length: 99999999999999999999999".to_vec(),
        8 => b"content-length: 5\r\ntransfer-encoding: chunked".to_vec(),
        9 => b"transfer-encoding: gzip, chunked, identity".to_vec(),
        10 => b"nul: a\x00b".to_vec(),
        11 => b"high: \xff\xfe".to_vec(),
        12 => b"host: y\r\nhost: z".to_vec(),
        13 => b"idempotency-key: a\r\nidempotency-key: b".to_vec(),
        14 => [b"idempotency-key: ", &chance.bytes(400)[..]].concat(),
        15 => [b"traceparent: 00-", &chance.bytes(60)[..]].concat(),
        16 => b"expect: 100-continue\r\ncontent-length: 3".to_vec(),
        17 => b"connection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__".to_vec(),
        18 => b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x".to_vec(),
        _ => chance.bytes(300),
    };
    [format!("POST {path} HTTP/1.1\r\nhost: x\r\n").as_bytes(), &header, b"\r\n\r\n{}"].concat()
}

fn chunks(chance: &mut Chance, path: &str) -> Vec<u8> {
    let chunks: Vec<u8> = match chance.below(10) {
        0 => b"zz\r\n{}\r\n0\r\n\r\n".to_vec(),
        1 => b"-1\r\n{}\r\n0\r\n\r\n".to_vec(),
        2 => b"fffffffffffffffff\r\n{}".to_vec(),
        3 => b"ffffffffffffffff\r\n{}".to_vec(),
        4 => b"2\r\n{}0\r\n\r\n".to_vec(),
        5 => format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(chance.of_these(&[10, 20_000]))).into_bytes(),
        6 => b"2\r\n{}\r\n0\r\ntrailer: x\r\ncontent-length: 9\r\n\r\n".to_vec(),
        7 => {
            let body = unfit(chance);
            let one_by_one = body.iter().take(2_000).flat_map(|byte| [b"1\r\n", &[*byte][..], b"\r\n"].concat());
            one_by_one.chain(*b"0\r\n\r\n").collect()
        }
        8 => b"2\r\n{}\r\n".to_vec(),
        _ => chance.bytes(100),
    };
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    [head.as_bytes(), &chunks].concat()
}

fn cut_off(chance: &mut Chance, path: &str) -> Vec<u8> {
    let mut bytes = post(path, "application/json", fit(chance).to_string().as_bytes());
    bytes.truncate(chance.below(bytes.len()));
    bytes
}

fn query(chance: &mut Chance, path: &str) -> String {
    const VALUES: [&str; 16] = [
        "",
        "%",
        "%zz",
        "%00",
        "%ff%fe",
        "%F0%9F%98%80",
        "-1",
        "0",
        "101",
        "99999999999999999999",
        "1e3",
        "NaN",
        "+1",
        "1-2-3",
        "9999999999999999999-00000000000000000000000000000000-0000000000000000",
        "a=b=c",
    ];
    match chance.below(5) {
        0 => format!("{path}?customer_id={}", "x".repeat(chance.of_these(&[255, 256, 5_000, 60_000]))),
        1 => format!("{path}?{}", "customer_id=C&limit=2&".repeat(chance.of_these(&[2, 500, 2_000]))),
        2 => format!("{path}/{}", chance.of_these(&VALUES)),
        3 => {
            format!("{path}/{}", chance.of_these(&["../../etc/passwd", "%2e%2e%2f", "//", "a/b/c", "%00", ".", "..."]))
        }
        _ => {
            let (customer, limit, cursor) =
                (chance.of_these(&VALUES), chance.of_these(&VALUES), chance.of_these(&VALUES));
            format!("{path}?customer_id={customer}&limit={limit}&cursor={cursor}")
        }
    }
}

fn pipeline(chance: &mut Chance, path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..2 + chance.below(8) {
        match chance.below(4) {
            0 => bytes.extend(get("/livez")),
            1 => bytes.extend(post(path, "application/json", &unfit(chance))),
            2 => bytes.extend(get(&query(chance, path))),
            _ => bytes.extend(chance.bytes(20)),
        }
    }
    bytes
}

fn method(chance: &mut Chance, path: &str) -> Malformed {
    let method = chance.of_these(&["HEAD", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "BREW", "M-SEARCH", "GET"]);
    let path = chance.of_these(&[path, "/", "/health", "/livez", "/metrics", "/orders/x", "/no/such", "/version/"]);
    let bytes = format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}").into_bytes();
    Malformed { head_only: method == "HEAD", ..answered("method", bytes) }
}
