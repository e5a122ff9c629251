//! The emulator as a process: durability after a crash, shutdown, errors on bad input.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);
/// Well under the drain limit of five seconds: a slower end waited for the limit.
const AT_ONCE: Duration = Duration::from_secs(3);

struct Emulator {
    child: Child,
    address: SocketAddr,
}

impl Emulator {
    /// Returns once the emulator has printed its port. The test cannot search a free port itself: a program that another
    /// test starts meanwhile holds a copy of the listener until its exec.
    fn start(data: &[&str]) -> Self {
        let mut child = command(&["--listen", "127.0.0.1:0"])
            .args(data)
            .spawn()
            .expect("the emulator's binary was built with this test");
        let mut messages = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut line = String::new();
        messages.read_line(&mut line).expect("messages are UTF-8");
        let address = line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok());
        Self { address: address.unwrap_or_else(|| panic!("the emulator printed: {line}")), child }
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(self.address).expect("the emulator listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("the timeout is not zero");
        BufReader::new(stream)
    }

    fn terminate(&self) {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(killed.expect("kill is on every Unix").success());
    }

    /// Returns the exit status and the time until the exit.
    fn ended(&mut self) -> (bool, Duration) {
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
    fn stopped_listening(&self) {
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

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devenv-emulator"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn head(operation: &str, length: usize) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\
         x-amz-target: DynamoDB_20120810.{operation}\r\nx-amz-date: 20260101T000000Z\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, \
         SignedHeaders=host, Signature=0\r\n\r\n"
    )
}

fn call(connection: &mut BufReader<TcpStream>, operation: &str, body: &str) -> (u16, String) {
    let request = format!("{}{body}", head(operation, body.len()));
    connection.get_mut().write_all(request.as_bytes()).expect("the connection is open");
    answer(connection)
}

fn answer(connection: &mut BufReader<TcpStream>) -> (u16, String) {
    let mut line = String::new();
    connection.read_line(&mut line).expect("an answer begins");
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
    let mut length = 0;
    loop {
        line.clear();
        connection.read_line(&mut line).expect("a header");
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().expect("a length in bytes");
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).expect("as many bytes as were announced");
    (status, String::from_utf8(body).expect("JSON is UTF-8"))
}

/// All but the last byte of a `ListTables`.
fn half_a_request(emulator: &Emulator) -> BufReader<TcpStream> {
    let mut connection = emulator.connect();
    assert_eq!(call(&mut connection, "ListTables", "{}").0, 200);
    connection.get_mut().write_all(format!("{}{{", head("ListTables", 2)).as_bytes()).expect("open");
    // The emulator must read this half before the signal, or the connection would count as idle.
    let mut other = emulator.connect();
    (0..20).for_each(|_| assert_eq!(call(&mut other, "ListTables", "{}").0, 200));
    connection
}

fn create_table(connection: &mut BufReader<TcpStream>) {
    let table = r#"{"TableName":"items","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}"#;
    assert_eq!(call(connection, "CreateTable", table).0, 200);
}

fn put(connection: &mut BufReader<TcpStream>, id: usize) {
    let item = format!(r#"{{"TableName":"items","Item":{{"id":{{"S":"{id}"}}}}}}"#);
    assert_eq!(call(connection, "PutItem", &item).0, 200);
}

fn count(connection: &mut BufReader<TcpStream>) -> String {
    let (status, body) = call(connection, "Scan", r#"{"TableName":"items","Select":"COUNT"}"#);
    assert_eq!(status, 200, "{body}");
    body
}

fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command(arguments).output().expect("the emulator's binary was built");
    (status.code(), String::from_utf8(stderr).expect("messages are UTF-8"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have UTF-8 names")
}

#[test]
fn a_crash_keeps_what_was_answered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("data.sqlite");
    let data = ["--data", text(&file)];
    let mut emulator = Emulator::start(&data);
    let mut connection = emulator.connect();
    create_table(&mut connection);
    (0..100).for_each(|id| put(&mut connection, id));
    emulator.child.kill().expect("the emulator still runs");
    emulator.child.wait().expect("a killed child can be waited for");

    let again = Emulator::start(&data);
    let counted = count(&mut again.connect());
    assert!(counted.contains(r#""Count":100"#), "{counted}");
}

#[test]
fn idle_connections_do_not_hold_up_a_stop() {
    let mut emulator = Emulator::start(&["--memory"]);
    let mut connections: Vec<_> = (0..8).map(|_| emulator.connect()).collect();
    for connection in &mut connections {
        assert_eq!(call(connection, "ListTables", "{}").0, 200);
    }
    emulator.terminate();
    let (success, took) = emulator.ended();
    assert!(success);
    assert!(took < AT_ONCE, "{took:?}");
}

#[test]
fn a_request_under_way_is_answered_before_the_end() {
    let mut emulator = Emulator::start(&["--memory"]);
    let mut connection = half_a_request(&emulator);
    emulator.terminate();
    emulator.stopped_listening();
    connection.get_mut().write_all(b"}").expect("a request under way keeps its connection");
    assert_eq!(answer(&mut connection), (200, r#"{"TableNames":[]}"#.to_owned()));
    let (success, took) = emulator.ended();
    assert!(success);
    assert!(took < AT_ONCE, "{took:?}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut emulator = Emulator::start(&["--memory"]);
    let _connection = half_a_request(&emulator);
    emulator.terminate();
    emulator.stopped_listening();
    assert!(emulator.child.try_wait().expect("a child can be asked").is_none(), "half a request holds the first stop");
    emulator.terminate();
    let (_, took) = emulator.ended();
    assert!(took < AT_ONCE, "{took:?}");
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let holder = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let taken = holder.local_addr().expect("it is bound").to_string();
    let untouched = folder.path().join("data.sqlite");
    let (code, message) = refused(&["--listen", &taken, "--data", text(&untouched)]);
    assert_eq!(code, Some(1));
    assert!(message.contains(&taken) && message.contains("in use"), "{message}");
    assert!(!untouched.exists(), "a start that failed leaves no file");

    let absent = folder.path().join("absent").join("data.sqlite");
    let (code, message) = refused(&["--listen", "127.0.0.1:0", "--data", text(&absent)]);
    assert_eq!(code, Some(1));
    assert!(message.contains(text(&absent)) && message.contains("does not exist"), "{message}");

    let letter = folder.path().join("letter.txt");
    std::fs::write(&letter, "this is a letter and no database, and it is longer than a header\n".repeat(50))
        .expect("the folder is writable");
    let unusable = [(letter.as_path(), "not a SQLite database"), (folder.path(), "a folder")];
    for (path, why) in unusable {
        let (code, message) = refused(&["--listen", "127.0.0.1:0", "--data", text(path)]);
        assert_eq!(code, Some(1), "{message}");
        assert!(message.contains(text(path)) && message.contains(why), "{message}");
    }

    let (code, message) = refused(&["--listen", "0.0.0.0:0", "--memory"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("--allow-any-address"), "{message}");
}
