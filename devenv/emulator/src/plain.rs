//! The short way of plain requests: those for tables are passed on to the database byte by byte, those for queues and topics
//! are answered at once. That costs half as much as a full server, which has to read and write each request anew.

use std::net::SocketAddr;

use devenv_messaging::Head;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::calls;
use crate::front::{Front, Simple};
use crate::plain_request::{AnswerEnd, HEAD_LIMIT, Plain, Request, To};

/// Bytes of a read.
const BUFFER: usize = 8 * 1024;

/// Serves a connection until the caller closes it or `stop` turns true. Returns the bytes that were read and not served if the
/// next request is not a plain one.
pub(crate) async fn serve(
    caller: &mut TcpStream,
    front: &Front,
    stop: &mut watch::Receiver<bool>,
) -> std::io::Result<Option<Vec<u8>>> {
    let mut connection = Connection { caller, front, database: None, buffer: Vec::with_capacity(BUFFER) };
    loop {
        let is_open = match Request::read(&connection.buffer) {
            Request::Other => return Ok(Some(connection.buffer)),
            Request::Partial => connection.read(stop).await?,
            Request::Plain(plain) => connection.serve(plain).await?,
        };
        if !is_open {
            return Ok(None);
        }
    }
}

struct Connection<'a> {
    caller: &'a mut TcpStream,
    front: &'a Front,
    database: Option<TcpStream>,
    /// What was read of the next request.
    buffer: Vec<u8>,
}

impl Connection<'_> {
    /// Reads more of a request. Returns whether the connection stays open: an idle one does not when the server stops.
    async fn read(&mut self, stop: &mut watch::Receiver<bool>) -> std::io::Result<bool> {
        let is_idle = self.buffer.is_empty();
        // Without room, a read would make room for 64 bytes.
        self.buffer.reserve(BUFFER);
        tokio::select! {
            read = self.caller.read_buf(&mut self.buffer) => Ok(read? > 0),
            _ = stop.wait_for(|stop| *stop), if is_idle => Ok(false),
        }
    }

    /// Serves one request. Returns whether another may follow.
    async fn serve(&mut self, plain: Plain) -> std::io::Result<bool> {
        let program = plain.caller.as_deref();
        match &plain.to {
            To::Messages(head) => self.message(head, program, &plain).await,
            To::Tables(target) => {
                if let (Some(calls), Some(target)) = (&self.front.calls, target) {
                    calls.note(program, calls::operation(target));
                }
                self.table(plain.length).await
            }
        }
    }

    async fn message(&mut self, head: &Head, program: Option<&str>, plain: &Plain) -> std::io::Result<bool> {
        while self.buffer.len() < plain.length {
            self.buffer.reserve(BUFFER);
            if self.caller.read_buf(&mut self.buffer).await? == 0 {
                return Ok(false);
            }
        }
        let answer = self.front.reply(head, program, &self.buffer[plain.head..plain.length]);
        let mut ahead = Vec::new();
        let Some(reply) = while_open(self.caller, &mut ahead, answer).await? else { return Ok(false) };
        self.buffer.drain(..plain.length);
        self.buffer.extend(ahead);
        self.caller.write_all(&bytes(&reply)).await?;
        Ok(true)
    }

    async fn table(&mut self, length: usize) -> std::io::Result<bool> {
        let database = match &mut self.database {
            Some(database) => database,
            None => self.database.insert(connect(self.front.database).await?),
        };
        let here = length.min(self.buffer.len());
        database.write_all(&self.buffer[..here]).await?;
        self.buffer.drain(..here);
        copy(self.caller, database, length - here).await?;
        answer(database, self.caller).await
    }
}

/// Waits for an answer and meanwhile reads ahead. Returns `None` if the caller closes the connection: it gives a long poll up.
async fn while_open<T>(
    caller: &mut TcpStream,
    ahead: &mut Vec<u8>,
    answer: impl Future<Output = T>,
) -> std::io::Result<Option<T>> {
    tokio::pin!(answer);
    loop {
        let may_read = ahead.len() < HEAD_LIMIT;
        tokio::select! {
            biased;
            answer = &mut answer => return Ok(Some(answer)),
            read = caller.read_buf(ahead), if may_read => if read? == 0 { return Ok(None) },
        }
    }
}

async fn connect(database: SocketAddr) -> std::io::Result<TcpStream> {
    let connection = TcpStream::connect(database).await?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

/// Copies exactly that many bytes.
async fn copy(from: &mut TcpStream, to: &mut TcpStream, count: usize) -> std::io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let copied = tokio::io::copy(&mut from.take(count as u64), to).await?;
    if copied == count as u64 { Ok(()) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}

/// Passes one answer on. Returns whether another request may follow on the connection.
async fn answer(database: &mut TcpStream, caller: &mut TcpStream) -> std::io::Result<bool> {
    let mut buffer = Vec::with_capacity(BUFFER);
    let mut end = AnswerEnd::Unknown;
    while end == AnswerEnd::Unknown {
        if database.read_buf(&mut buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        end = AnswerEnd::of(&buffer);
    }
    caller.write_all(&buffer).await?;
    match end {
        AnswerEnd::After(length) => copy(database, caller, length.saturating_sub(buffer.len())).await.map(|()| true),
        _ => tokio::io::copy(database, caller).await.map(|_| false),
    }
}

fn bytes(reply: &Simple) -> Vec<u8> {
    let reason = hyper::StatusCode::from_u16(reply.status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {} {}\r\n", reply.status, reason.unwrap_or("Unknown"));
    for (name, value) in &reply.headers {
        head.extend([*name, ": ", value, "\r\n"]);
    }
    head.extend(["content-length: ", &reply.body.len().to_string(), "\r\n\r\n"]);
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&reply.body);
    bytes
}
