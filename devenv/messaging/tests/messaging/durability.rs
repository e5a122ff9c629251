use std::path::Path;

use devenv_messaging::{Messaging, Place};
use serde_json::json;

use crate::client::{Client, bodies};

fn refused(path: &Path) -> String {
    match Messaging::open(&Place::File(path.to_owned())) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn everything_is_there_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("messages.sqlite");
    let client = Client::reopened(&file);
    let url = client.queue("orders", json!({ "VisibilityTimeout": "600" })).await;
    for body in ["in flight", "waiting"] {
        client.send(&url, body).await;
    }
    let held = client.receive(&url, json!({ "MaxNumberOfMessages": 1 })).await;
    drop(client);

    let client = Client::reopened(&file);
    assert_eq!(client.attribute(&url, "VisibilityTimeout").await, "600");
    assert_eq!(bodies(&client.receive(&url, json!({})).await), ["waiting"]);
    client.delete(&url, &held[0]).await;
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessagesNotVisible").await, "1");
}

#[tokio::test]
async fn what_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("messages.sqlite");
    let holder = Client::reopened(&file);
    assert!(refused(&file).contains("another process has it open"));
    drop(holder);
    drop(Client::reopened(&file));

    let newer = folder.path().join("newer.sqlite");
    let connection = rusqlite::Connection::open(&newer).expect("opened");
    connection.pragma_update(None, "user_version", 99).expect("written");
    drop(connection);
    let message = refused(&newer);
    assert!(message.contains("format 99") && message.contains("down --volumes"), "{message}");

    let letter = folder.path().join("letter");
    std::fs::write(&letter, "this is a letter and no database").expect("written");
    assert!(refused(&letter).contains("not a SQLite database"));
    assert!(refused(folder.path()).contains("a folder"));
}
