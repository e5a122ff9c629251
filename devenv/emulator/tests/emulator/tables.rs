use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};

use crate::program::{AT_ONCE, Emulator, answer, call, head, refused, text};

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
    let answered = answer(&mut connection).expect("the emulator still runs");
    assert_eq!(answered, (200, r#"{"TableNames":[]}"#.to_owned()));
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
