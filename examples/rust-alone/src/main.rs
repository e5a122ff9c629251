//! Answers each request with a greeting. Environment: `BIND_ADDR`, `GREETING`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const HEAD_LIMIT: u64 = 8_192;

fn main() -> std::io::Result<()> {
    let address = std::env::var("BIND_ADDR").unwrap_or_else(|_| "0.0.0.0:8000".to_owned());
    let greeting = std::env::var("GREETING").unwrap_or_else(|_| "Hello".to_owned());
    let listener = TcpListener::bind(&address)?;
    println!("listening on {address}");
    for stream in listener.incoming() {
        if let Err(error) = stream.and_then(|stream| answer(stream, &greeting)) {
            eprintln!("a connection failed: {error}");
        }
    }
    Ok(())
}

fn answer(mut stream: TcpStream, greeting: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new(stream.try_clone()?.take(HEAD_LIMIT)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let (status, body) = response(&request, greeting);
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn response(request: &str, greeting: &str) -> (&'static str, String) {
    match request.split(' ').collect::<Vec<_>>()[..] {
        ["GET", "/health", _] => ("200 OK", "ok".to_owned()),
        ["GET", path, _] => ("200 OK", format!("{greeting}, {}!\n", path.trim_matches('/'))),
        _ => ("405 Method Not Allowed", "only GET\n".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::response;

    #[test]
    fn the_path_names_who_is_greeted() {
        assert_eq!(response("GET /Ada HTTP/1.1", "Hello"), ("200 OK", "Hello, Ada!\n".to_owned()));
        assert_eq!(response("POST / HTTP/1.1", "Hello").0, "405 Method Not Allowed");
    }
}
