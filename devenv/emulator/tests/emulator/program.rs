use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// Well under the drain limit of five seconds: a slower end waited for the limit.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(3);

pub(crate) struct Emulator {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    /// The port of queues and topics; the same port unless the emulator has two.
    pub(crate) messages: SocketAddr,
}

impl Emulator {
    /// Returns once the emulator has printed its port. The test cannot search a free port itself: a program that another
    /// test starts meanwhile holds a copy of the listener until its exec.
    pub(crate) fn start(data: &[&str]) -> Self {
        let mut child = command(&["--listen", "127.0.0.1:0"])
            .args(data)
            .spawn()
            .expect("the emulator's binary was built with this test");
        let mut messages = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut read = |prefix: &str| -> SocketAddr {
            let mut line = String::new();
            messages.read_line(&mut line).expect("messages are UTF-8");
            let address = line.trim().strip_prefix(prefix).and_then(|address| address.parse().ok());
            address.unwrap_or_else(|| panic!("the emulator printed: {line}"))
        };
        let address = read("listening on http://");
        let has_two = data.contains(&"--listen-messages");
        Self { address, messages: if has_two { read("queues and topics on http://") } else { address }, child }
    }

    pub(crate) fn connect(&self) -> BufReader<TcpStream> {
        Self::connect_to(self.address)
    }

    pub(crate) fn connect_to(address: SocketAddr) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(address).expect("the emulator listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("the timeout is not zero");
        BufReader::new(stream)
    }

    pub(crate) fn terminate(&self) {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(killed.expect("kill is on every Unix").success());
    }

    /// Returns the exit status and the time until the exit.
    pub(crate) fn ended(&mut self) -> (bool, Duration) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return (status.success(), began.elapsed());
            }
            assert!(began.elapsed() < DEADLINE, "the emulator does not end");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Returns once the port refuses connections: the emulator has seen the signal.
    pub(crate) fn stopped_listening(&self) {
        let end = Instant::now() + DEADLINE;
        while TcpStream::connect(self.address).is_ok() {
            assert!(Instant::now() < end, "the emulator still listens after SIGTERM");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devenv-emulator"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The head of a request for a table's operation (`ListTables`) or, with its service, for any (`AmazonSQS.ListQueues`).
pub(crate) fn head(operation: &str, length: usize) -> String {
    let (service, operation) = operation.split_once('.').unwrap_or(("DynamoDB_20120810", operation));
    format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\
         user-agent: sdk app/tester\r\nx-amz-target: {service}.{operation}\r\nx-amz-date: 20260101T000000Z\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, \
         SignedHeaders=host, Signature=0\r\n\r\n"
    )
}

pub(crate) fn call(connection: &mut BufReader<TcpStream>, operation: &str, body: &str) -> (u16, String) {
    try_call(connection, operation, body).expect("the emulator answers")
}

/// Fails if the emulator ends before it has answered.
pub(crate) fn try_call(
    connection: &mut BufReader<TcpStream>,
    operation: &str,
    body: &str,
) -> std::io::Result<(u16, String)> {
    let request = format!("{}{body}", head(operation, body.len()));
    connection.get_mut().write_all(request.as_bytes())?;
    answer(connection)
}

pub(crate) fn answer(connection: &mut BufReader<TcpStream>) -> std::io::Result<(u16, String)> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
    let mut length = 0;
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().expect("a length in bytes");
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok((status, String::from_utf8(body).expect("JSON is UTF-8")))
}

pub(crate) fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command(arguments).output().expect("the emulator's binary was built");
    (status.code(), String::from_utf8(stderr).expect("messages are UTF-8"))
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have UTF-8 names")
}
