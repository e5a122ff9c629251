//! A client of PostgreSQL for the few statements of devenv itself: the probe of a server, and a new database. It reads no rows.

use std::net::SocketAddr;

use devenv_model::database::Login;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::scram::{MECHANISM, Scram};

/// Version 3.0 of the protocol.
const PROTOCOL: i32 = 3 << 16;
/// Bytes; an error of a server is shorter.
const MESSAGE_LIMIT: usize = 64 * 1024;
/// More than a server sends for a login or a statement without rows.
const MESSAGES: usize = 200;
/// The codes of a database that is not there.
const NO_DATABASE: &str = "3D000";

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Protocol(&'static str),
    /// The server's own words.
    #[error("{message}")]
    Refused { code: String, message: String },
}

impl Failure {
    /// Whether the server answers, and has no such database.
    pub fn is_of_absence(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == NO_DATABASE)
    }
}

/// Logs in and runs statements, each in a transaction of its own. The caller limits the time.
pub async fn run(address: SocketAddr, login: &Login, statements: &[&str]) -> Result<(), Failure> {
    let mut connection = Connection { stream: TcpStream::connect(address).await?, left: MESSAGES };
    connection.begin(login).await?;
    for statement in statements {
        connection.left = MESSAGES;
        connection.send(b'Q', &terminated(statement)).await?;
        while connection.receive().await?.0 != b'Z' {}
    }
    connection.send(b'X', &[]).await
}

struct Connection {
    stream: TcpStream,
    /// How many messages are still read.
    left: usize,
}

impl Connection {
    /// Logs in; the server is ready for statements then.
    async fn begin(&mut self, login: &Login) -> Result<(), Failure> {
        let mut start = PROTOCOL.to_be_bytes().to_vec();
        for (name, value) in
            [("user", login.user.as_str()), ("database", &login.database), ("application_name", "devenv")]
        {
            start.extend([terminated(name), terminated(value)].concat());
        }
        start.push(0);
        self.write(&[], &start).await?;
        let mut scram = None;
        loop {
            let (kind, body) = self.receive().await?;
            match kind {
                b'R' => self.authenticate(login, &body, &mut scram).await?,
                b'Z' => return Ok(()),
                // Settings, the key for a cancellation, notices.
                _ => {}
            }
        }
    }

    async fn authenticate(&mut self, login: &Login, body: &[u8], scram: &mut Option<Scram>) -> Result<(), Failure> {
        const BROKEN: Failure = Failure::Protocol("the server does not prove that it knows the password");
        let (code, data) = body.split_first_chunk::<4>().ok_or(BROKEN)?;
        match i32::from_be_bytes(*code) {
            0 => Ok(()),
            3 => self.send(b'p', &terminated(&login.password)).await,
            10 => {
                let new = Scram::new()?;
                let first = new.first();
                let length = i32::try_from(first.len()).unwrap_or_default().to_be_bytes();
                *scram = Some(new);
                self.send(b'p', &[&terminated(MECHANISM)[..], &length, first.as_bytes()].concat()).await
            }
            11 => {
                let reply = scram.as_mut().and_then(|scram| scram.reply(&login.password, data)).ok_or(BROKEN)?;
                self.send(b'p', reply.as_bytes()).await
            }
            12 => scram.as_ref().filter(|scram| scram.is_proved_by(data)).map(|_| ()).ok_or(BROKEN),
            _ => Err(Failure::Protocol("the server asks for a login that devenv does not know")),
        }
    }

    async fn send(&mut self, kind: u8, body: &[u8]) -> Result<(), Failure> {
        self.write(&[kind], body).await
    }

    async fn write(&mut self, kind: &[u8], body: &[u8]) -> Result<(), Failure> {
        let length = i32::try_from(body.len() + 4).unwrap_or(i32::MAX).to_be_bytes();
        Ok(self.stream.write_all(&[kind, &length, body].concat()).await?)
    }

    /// The next message, its kind and its body. The server's refusal is an error.
    async fn receive(&mut self) -> Result<(u8, Vec<u8>), Failure> {
        const WRONG: Failure = Failure::Protocol("the answer is not that of a PostgreSQL server");
        self.left = self.left.checked_sub(1).ok_or(WRONG)?;
        let kind = self.stream.read_u8().await?;
        let length = usize::try_from(self.stream.read_i32().await?).map_err(|_| WRONG)?;
        let mut body = vec![0; length.checked_sub(4).filter(|length| *length <= MESSAGE_LIMIT).ok_or(WRONG)?];
        self.stream.read_exact(&mut body).await?;
        if kind == b'E' { Err(refusal(&body)) } else { Ok((kind, body)) }
    }
}

/// The fields of an error: a letter and a text each.
fn refusal(body: &[u8]) -> Failure {
    let field = |letter: u8| {
        let found = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&letter));
        found.map(|field| String::from_utf8_lossy(&field[1..]).into_owned()).unwrap_or_default()
    };
    Failure::Refused { code: field(b'C'), message: field(b'M') }
}

fn terminated(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0]].concat()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn login() -> Login {
        Login { user: "u".to_owned(), password: "p".to_owned(), database: "d".to_owned() }
    }

    /// Sends these bytes to every client and reads what it sends.
    async fn server(bytes: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(bytes).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn a_server_that_trusts_answers_every_statement() {
        let trusts = server(b"R\0\0\0\x08\0\0\0\0S\0\0\0\x08a\0b\0Z\0\0\0\x05IC\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I").await;
        run(trusts, &login(), &["SELECT 1"]).await.expect("it answers");
    }

    #[tokio::test]
    async fn a_refusal_has_the_servers_words() {
        let refuses = server(b"E\0\0\0\x1eSFATAL\0C3D000\0Mno such d\0\0").await;
        let failure = run(refuses, &login(), &[]).await.expect_err("it refuses");
        assert!(failure.is_of_absence(), "{failure:?}");
        assert_eq!(failure.to_string(), "no such d");
    }

    #[tokio::test]
    async fn what_is_no_server_of_postgresql_is_left() {
        let answers: [&[u8]; 4] =
            [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"R\0\0\0\x01", b"R\0\0\0\x08\0\0\0\x05", b"R\0\0\0\x05\0"];
        for bytes in answers {
            let address = server(bytes).await;
            let failure = run(address, &login(), &[]).await.expect_err("it is another program");
            assert!(matches!(failure, Failure::Protocol(_)), "{failure:?}");
        }
    }
}
