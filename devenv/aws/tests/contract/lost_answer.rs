//! What AWS's SDK makes of an answer that is lost: `Fault::LostAndRetried` of AWS in memory stands for this.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use devenv_aws::Aws;
use devenv_promotion::{CloudAddress, CloudErrorKind, Clouds, Condition, EmulatedLogin};
use devenv_resources::endpoint::Endpoint;

/// Reads a request to its end. Returns its first line.
fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).expect("a request");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("a number");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).expect("a body");
    first
}

#[tokio::test]
async fn the_client_meets_its_own_success() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = Endpoint::parse(&format!("http://{}", listener.local_addr().expect("bound"))).expect("local");
    let puts = Arc::new(AtomicUsize::new(0));
    let counted = puts.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            assert!(request(&stream).starts_with("PUT /state/dev/releases/lock"));
            // The first one is taken, and its answer is lost.
            if counted.fetch_add(1, Ordering::SeqCst) > 0 {
                let body = "<Error><Code>PreconditionFailed</Code><Message>it is there</Message></Error>";
                let head = "HTTP/1.1 412 Precondition Failed\r\nconnection: close\r\ncontent-type: application/xml";
                write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).expect("it listens");
            }
        }
    });
    let login = EmulatedLogin { access_key: "test".to_owned(), secret_key: "test".to_owned() };
    let address = CloudAddress::Emulated { endpoint, region: "eu-west-1".to_owned(), login };
    let cloud = Aws.connect(&address).await;
    let put = cloud.objects.put("state", "dev/releases/lock", b"mine".to_vec(), Condition::Absent).await;
    assert_eq!(put.expect_err("something is there").kind, CloudErrorKind::Conflict);
    assert_eq!(puts.load(Ordering::SeqCst), 2, "the SDK sent it again by itself");
}
