use std::io::BufReader;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::program::{DEADLINE, Emulator, call, text};

const HOUR: i64 = 60 * 60;

fn ask(connection: &mut BufReader<TcpStream>, operation: &str, input: &Value) -> Value {
    let (status, body) = call(connection, operation, &input.to_string());
    assert_eq!(status, 200, "{operation}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

fn create(connection: &mut BufReader<TcpStream>) {
    let table = json!({
        "TableName": "stock", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
    });
    ask(connection, "CreateTable", &table);
}

fn put(connection: &mut BufReader<TcpStream>, id: &str) {
    ask(connection, "PutItem", &json!({ "TableName": "stock", "Item": { "id": { "S": id } } }));
}

/// The ids of the records that the stream has from its beginning on.
fn records(connection: &mut BufReader<TcpStream>) -> Vec<String> {
    let mut streams =
        |operation: &str, input: Value| ask(connection, &format!("DynamoDBStreams_20120810.{operation}"), &input);
    let arn = streams("ListStreams", json!({ "TableName": "stock" }))["Streams"][0]["StreamArn"].clone();
    let shard =
        streams("DescribeStream", json!({ "StreamArn": arn }))["StreamDescription"]["Shards"][0]["ShardId"].clone();
    let from = json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
    let iterator = streams("GetShardIterator", from)["ShardIterator"].clone();
    let read = streams("GetRecords", json!({ "ShardIterator": iterator }));
    let of = |record: &Value| record["dynamodb"]["Keys"]["id"]["S"].as_str().unwrap_or_default().to_owned();
    read["Records"].as_array().expect("a list").iter().map(of).collect()
}

/// Copies the file's one record, with its images, until there are `count` of this age.
fn multiply(file: &Path, count: usize, age: i64, image: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let created = i64::try_from(now).expect("seconds") - age;
    let mut connection = Connection::open(file).expect("opened");
    let transaction = connection.transaction().expect("begun");
    let copy = "INSERT INTO _stream_records
        (table_name, event_name, keys_json, new_image, old_image, sequence_number, shard_id, created_at, event_id)
        SELECT table_name, 'MODIFY', keys_json, ?1, ?1, CAST(sequence_number AS INTEGER) + ?2, shard_id, ?3, ?2
        FROM _stream_records WHERE id = (SELECT min(id) FROM _stream_records)";
    for number in 1..=count {
        transaction.execute(copy, (image, i64::try_from(number).expect("few"), created)).expect("copied");
    }
    transaction.commit().expect("written");
}

/// The bytes that a process has read so far, from files and sockets.
#[cfg(target_os = "linux")]
fn bytes_read(emulator: &Emulator) -> u64 {
    let counts = std::fs::read_to_string(format!("/proc/{}/io", emulator.child.id())).expect("a child's counts");
    let read = counts.lines().find_map(|line| line.strip_prefix("rchar: ")).expect("the first line");
    read.trim().parse().expect("a number")
}

#[test]
#[cfg(target_os = "linux")]
fn a_write_reads_as_little_behind_many_records_as_behind_few() {
    const WRITES: u64 = 20;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("data.sqlite");
    let data = ["--data", text(&file)];
    let first = Emulator::start(&data);
    create(&mut first.connect());
    put(&mut first.connect(), "a");
    drop(first);
    // Far more than dynoxide's cache of 2 MB.
    multiply(&file, 20_000, 0, &"i".repeat(400));

    let emulator = Emulator::start(&data);
    let mut connection = emulator.connect();
    put(&mut connection, "a");
    let before = bytes_read(&emulator);
    for _ in 0..WRITES {
        put(&mut connection, "a");
    }
    let of_a_write = (bytes_read(&emulator) - before) / WRITES;
    assert!(of_a_write < 100_000, "{of_a_write} bytes");
}

/// The connections of a process to a file with a write-ahead log.
#[cfg(target_os = "linux")]
fn connections(emulator: &Emulator, file: &Path) -> usize {
    let log = format!("{}-wal", text(file));
    let open = std::fs::read_dir(format!("/proc/{}/fd", emulator.child.id())).expect("a child's files");
    let targets = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target == Path::new(&log)).count()
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_without_streams_has_no_connection_for_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("data.sqlite");
    let data = ["--data", text(&file)];
    let first = Emulator::start(&data);
    ask(&mut first.connect(), "ListTables", &json!({}));
    let of_tables = connections(&first, &file);
    create(&mut first.connect());
    put(&mut first.connect(), "a");
    assert_eq!(of_tables, connections(&first, &file), "none is needed before records are old");
    drop(first);
    let second = Emulator::start(&data);
    ask(&mut second.connect(), "ListTables", &json!({}));
    assert_eq!(connections(&second, &file), of_tables + 1);
}

#[test]
fn records_are_removed_after_a_day() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("data.sqlite");
    let data = ["--data", text(&file)];
    let first = Emulator::start(&data);
    create(&mut first.connect());
    put(&mut first.connect(), "a");
    drop(first);
    multiply(&file, 1_000, 25 * HOUR, "{}");
    multiply(&file, 1, 23 * HOUR, "{}");
    // The record that the copies were made of.
    let beside = Connection::open(&file).expect("opened");
    beside
        .execute("UPDATE _stream_records SET created_at = 0 WHERE id = (SELECT min(id) FROM _stream_records)", [])
        .expect("set");

    let emulator = Emulator::start(&data);
    let mut connection = emulator.connect();
    put(&mut connection, "b");
    let end = Instant::now() + DEADLINE;
    while records(&mut connection) != ["a", "b"] {
        assert!(Instant::now() < end, "{:?}", records(&mut connection).len());
        std::thread::sleep(Duration::from_millis(10));
    }
    put(&mut connection, "c");
    assert_eq!(records(&mut connection), ["a", "b", "c"]);
}

#[test]
fn a_table_made_again_has_a_new_stream() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("data.sqlite");
    let mut emulator = Emulator::start(&["--data", text(&file)]);
    let mut connection = emulator.connect();
    create(&mut connection);
    put(&mut connection, "a");
    ask(&mut connection, "DeleteTable", &json!({ "TableName": "stock" }));
    create(&mut connection);
    put(&mut connection, "b");
    assert_eq!(records(&mut connection), ["b"]);
    drop(connection);
    emulator.terminate();
    assert!(emulator.ended().0);
}
