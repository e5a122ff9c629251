use dynoxide::Database;
use serde_json::{Value, json};

use super::*;

/// The statements of dynoxide that look for records, as its `storage.rs` has them.
const NEXT: &str =
    "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = ?1";
const RANGE: &str = "SELECT MIN(CAST(sequence_number AS INTEGER)), MAX(CAST(sequence_number AS INTEGER)) \
    FROM _stream_records WHERE table_name = ?1 AND shard_id = ?2";
const RECORDS: &str =
    "SELECT event_name, keys_json, new_image, old_image, sequence_number, created_at, user_identity, event_id
    FROM _stream_records
    WHERE table_name = ?1 AND shard_id = ?2 AND CAST(sequence_number AS INTEGER) > ?3
    ORDER BY CAST(sequence_number AS INTEGER) ASC
    LIMIT ?4";

struct File {
    database: Database,
    beside: Connection,
    _folder: tempfile::TempDir,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data.sqlite");
        let database = Database::new(path.to_str().expect("UTF-8")).expect("made");
        let beside = Connection::open(&path).expect("opened");
        Self { database, beside, _folder: folder }
    }

    fn create(&self, table: &str) {
        self.database
            .create_table(request(json!({
                "TableName": table,
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
            })))
            .expect("created");
    }

    fn put(&self, table: &str, id: &str) {
        self.database.put_item(request(json!({ "TableName": table, "Item": { "id": { "S": id } } }))).expect("put");
    }

    /// Sets the times of all records, from the oldest on.
    fn age(&self, times: &[i64]) {
        for (index, time) in times.iter().enumerate() {
            let set = "UPDATE _stream_records SET created_at = ?1 WHERE id = (SELECT id FROM _stream_records ORDER BY id LIMIT 1 OFFSET ?2)";
            self.beside.execute(set, [*time, i64::try_from(index).expect("few")]).expect("set");
        }
    }

    fn records(&self, table: &str) -> usize {
        let count = "SELECT count(*) FROM _stream_records WHERE table_name = ?1";
        self.beside.query_row(count, [table], |row| row.get(0)).expect("counted")
    }

    fn plan(&self, statement: &str) -> String {
        let mut explained = self.beside.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).expect("valid");
        let rows = explained.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
        rows.expect("read").join("\n")
    }
}

fn request<T: serde::de::DeserializeOwned>(input: Value) -> T {
    serde_json::from_value(input).expect("a request")
}

#[test]
fn the_schema_is_that_of_the_linked_dynoxide() {
    // If this fails after an update of dynoxide: compare the statements above with its storage.rs, then raise SCHEMA.
    let file = File::new();
    assert_eq!(schema(&file.beside).expect("read"), Schema::Known);
    assert_eq!(schema(&Connection::open_in_memory().expect("memory")).expect("read"), Schema::Absent);
    file.beside.execute("UPDATE _config SET value = '12' WHERE key = 'schema_version'", []).expect("set");
    assert_eq!(schema(&file.beside).expect("read"), Schema::Other("12".to_owned()));
}

#[test]
fn no_statement_of_dynoxide_reads_every_record() {
    let file = File::new();
    for statement in [NEXT, RANGE, RECORDS] {
        assert!(!file.plan(statement).contains("INDEX"), "{}", file.plan(statement));
    }
    add(&file.beside).expect("added");
    add(&file.beside).expect("there already");
    for (statement, part) in [
        (NEXT, "INDEX devenv stream records (table_name=?)"),
        (RANGE, "INDEX devenv stream records (table_name=?)"),
        (RECORDS, "INDEX devenv stream records (table_name=? AND <expr>>?)"),
    ] {
        let plan = file.plan(statement);
        assert!(plan.contains(part) && !plan.contains("B-TREE"), "{plan}");
    }
}

#[test]
fn a_write_visits_as_many_rows_with_many_records_as_with_few() {
    let file = File::new();
    file.create("stock");
    add(&file.beside).expect("added");
    let mut steps = Vec::new();
    for records in [10, 2_000] {
        while file.records("stock") < records {
            file.put("stock", "a");
        }
        let mut next = file.beside.prepare(NEXT).expect("valid");
        let _: i64 = next.query_row(["stock"], |row| row.get(0)).expect("a number");
        assert_eq!(next.get_status(rusqlite::StatementStatus::FullscanStep), 0);
        steps.push(next.get_status(rusqlite::StatementStatus::VmStep));
    }
    assert_eq!(steps[0], steps[1], "instructions of SQLite for the next number");
}

#[test]
fn records_end_with_their_table_and_with_their_stream() {
    let file = File::new();
    add(&file.beside).expect("added");
    for table in ["stock", "orders"] {
        file.create(table);
        file.put(table, "a");
    }
    file.database.delete_table(request(json!({ "TableName": "stock" }))).expect("deleted");
    assert_eq!((file.records("stock"), file.records("orders")), (0, 1));
    let stream = |specification: Value| {
        let change = json!({ "TableName": "orders", "StreamSpecification": specification });
        file.database.update_table(request(change)).expect("changed");
    };
    stream(json!({ "StreamEnabled": false }));
    assert_eq!(file.records("orders"), 1);
    stream(json!({ "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" }));
    assert_eq!(file.records("orders"), 0, "a new stream has no record");
}

#[test]
fn only_old_records_are_removed_a_step_at_a_time() {
    let file = File::new();
    file.create("stock");
    for _ in 0..STEP + 3 {
        file.put("stock", "a");
    }
    assert!(!trim(&file.beside, 1_000).expect("none is old"));
    file.age(&[[999; STEP].as_slice(), &[999, 1_000, 999]].concat());
    assert!(trim(&file.beside, 1_000).expect("removed"), "one more is old");
    assert_eq!(file.records("stock"), 3);
    assert!(!trim(&file.beside, 1_000).expect("removed"));
    assert_eq!(file.records("stock"), 2, "a clock that was set back keeps a record longer");
}

#[test]
fn a_step_has_few_bytes() {
    let of_bytes = |bytes: &[i64]| -> Vec<Record> {
        bytes.iter().map(|bytes| Record { id: 1, created_at: 0, bytes: *bytes }).collect()
    };
    assert_eq!(of_a_step(&of_bytes(&[STEP_BYTES * 2, 1]), 1), 1, "each step removes something");
    assert_eq!(of_a_step(&of_bytes(&[0, STEP_BYTES, 1]), 1), 1);
    assert_eq!(of_a_step(&of_bytes(&[1, 1, 1]), 1), 3);
    assert_eq!(of_a_step(&of_bytes(&[1, 1, 1]), 0), 0);
    assert_eq!(of_a_step(&[], 1), 0);
}

#[test]
fn a_file_of_another_version_is_dynoxides_own_again() {
    let file = File::new();
    let names = || -> Vec<String> {
        let names = "SELECT name FROM sqlite_schema ORDER BY name";
        let mut names = file.beside.prepare(names).expect("valid");
        let names = names.query_map([], |row| row.get(0)).expect("read");
        names.collect::<Result<_, _>>().expect("text")
    };
    let before = names();
    add(&file.beside).expect("added");
    assert_eq!(names().len(), before.len() + 3);
    withdraw(&file.beside).expect("removed");
    assert_eq!(names(), before);
}
