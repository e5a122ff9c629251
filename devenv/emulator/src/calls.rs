//! Records each caller's operations: a relay between callers and database writes one line for each new pair.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Error;

/// Bytes to keep of a line; a longer line is a body or not HTTP.
const LINE_LIMIT: usize = 1024;
const BUFFER: usize = 16 * 1024;
/// The name for callers that do not give their own.
const NAMELESS: &str = "-";

/// The pairs so far, and the file to append new ones to: `CALLER OPERATION`, such as `order-api GetItem`.
pub(crate) struct Calls {
    file: File,
    seen: Mutex<BTreeSet<String>>,
}

impl Calls {
    pub(crate) fn append_to(path: &Path) -> Result<Self, Error> {
        let opened = File::options().append(true).create(true).open(path);
        let file = opened.map_err(|source| Error::Calls { path: path.to_owned(), source })?;
        Ok(Self { file, seen: Mutex::default() })
    }

    fn note(&self, pair: String) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.contains(&pair) {
            // Write each line at once: several emulators may append to one file.
            let _ = (&self.file).write_all(format!("{pair}\n").as_bytes());
            seen.insert(pair);
        }
    }
}

/// Forwards every connection to `database` while it is polled.
pub(crate) async fn relay(listener: TcpListener, database: SocketAddr, calls: Arc<Calls>) {
    loop {
        if let Ok((caller, _)) = listener.accept().await {
            let calls = calls.clone();
            tokio::spawn(async move {
                // A closed side ends the connection; that is no error of the relay.
                let _ = pass_on(caller, database, &calls).await;
            });
        }
    }
}

async fn pass_on(caller: TcpStream, database: SocketAddr, calls: &Calls) -> std::io::Result<()> {
    caller.set_nodelay(true)?;
    let database = TcpStream::connect(database).await?;
    database.set_nodelay(true)?;
    let (mut questions, mut answers_to) = caller.into_split();
    let (mut answers, mut questions_to) = database.into_split();
    let there = async {
        let mut head = Head::default();
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = questions.read(&mut buffer).await?;
            if count == 0 {
                return questions_to.shutdown().await;
            }
            head.read(&buffer[..count], calls);
            questions_to.write_all(&buffer[..count]).await?;
        }
    };
    let back = async { tokio::io::copy(&mut answers, &mut answers_to).await.map(drop) };
    tokio::try_join!(there, back).map(drop)
}

/// The state of the incoming request's head.
#[derive(Default)]
struct Head {
    line: Vec<u8>,
    caller: Option<String>,
    operation: Option<String>,
}

impl Head {
    /// Reads a part of the stream. A body is at most one line of JSON, which matches no header.
    fn read(&mut self, bytes: &[u8], calls: &Calls) {
        for byte in bytes {
            if *byte != b'\n' {
                if self.line.len() < LINE_LIMIT {
                    self.line.push(*byte);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&self.line).trim().to_owned();
            self.line.clear();
            if !line.is_empty() {
                self.header(&line);
            } else if let Some(operation) = self.operation.take() {
                let caller = self.caller.take();
                calls.note(format!("{} {operation}", caller.as_deref().unwrap_or(NAMELESS)));
            }
        }
    }

    fn header(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else { return };
        if name.eq_ignore_ascii_case("x-amz-target") {
            self.operation = value.rsplit('.').next().map(|operation| operation.trim().to_owned());
        } else if name.eq_ignore_ascii_case("user-agent") || name.eq_ignore_ascii_case("x-amz-user-agent") {
            let named = value.split_whitespace().find_map(|word| word.strip_prefix("app/"));
            self.caller = named.map(str::to_owned).or(self.caller.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_one_connection_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls");
        let calls = Calls::append_to(&path).expect("opened");
        let mut head = Head::default();
        let request = |more: &str, body: &str| format!("POST / HTTP/1.1\r\n{more}\r\n{body}");
        let stream = [
            request(
                "X-Amz-Target: DynamoDB_20120810.GetItem\r\nUser-Agent: sdk app/api lang/rust\r\n",
                "{\"a\": \"b\"}",
            ),
            request("x-amz-target: DynamoDB_20120810.PutItem\r\n", "{}"),
            request("x-amz-user-agent: app/api\r\nx-amz-target: DynamoDB_20120810.GetItem\r\n", "{}"),
            request("host: here\r\n", ""),
        ]
        .concat();
        for part in stream.as_bytes().chunks(7) {
            head.read(part, &calls);
        }
        assert_eq!(std::fs::read_to_string(path).expect("written"), "api GetItem\n- PutItem\n");
    }
}
