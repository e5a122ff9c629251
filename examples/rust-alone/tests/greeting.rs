//! The end-to-end test, against the running service: `devenv test`.

use std::io::{Read, Write};
use std::net::TcpStream;

fn get(path: &str) -> String {
    let url = std::env::var("GREETER_URL").expect("devenv test sets GREETER_URL");
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("the service accepts connections");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n").expect("the service reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the service answers");
    answer
}

#[test]
#[ignore = "it needs the running service: devenv test"]
fn the_service_greets_in_the_words_of_the_compose_file() {
    assert!(get("/Ada").ends_with("Good morning, Ada!\n"));
}

#[test]
#[ignore = "it needs the running service: devenv test"]
fn the_service_is_healthy() {
    assert!(get("/health").starts_with("HTTP/1.1 200 OK"));
}
