//! An emulated AWS as seen from outside: the door of its guard, the load balancers, and its tables.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use devenv_containers::engine::JoinedNetwork;
use devenv_containers::oci::{Blob, OciImage};
use devenv_fakes::{FakeEngine, Faults};

pub(crate) const IMAGE: &str = "emulated-aws:1";
pub(crate) const GUARD_IMAGE: &str = "devenv-emulator:local";

#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// Such as `PUT /_guard/balancers/shop-web`, or `POST / DynamoDB_20120810.CreateTable`.
    pub(crate) call: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

/// The program of the emulator's container. Clones share its memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeEmulator {
    requests: Arc<Mutex<Vec<Request>>>,
    balancers: Arc<Mutex<Balancers>>,
}

/// What the guard does when it is asked to open one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Balancers {
    #[default]
    Open,
    Shut,
    /// It never answers.
    Silent,
}

/// An image that no other name has.
pub(crate) fn image_of(name: &str) -> OciImage {
    OciImage::new(Blob::new(format!("configuration of {name}")), vec![Blob::new(format!("files of {name}"))])
}

impl FakeEmulator {
    /// An engine whose registry offers the images of a rehearsal; the emulator answers at its guard's port.
    pub(crate) fn engine(&self, edition: u32) -> (FakeEngine, Faults) {
        let faults = Faults::default();
        let engine = FakeEngine::new(faults.clone()).with_image("web:1", &crate::world::image(edition));
        for name in [IMAGE, GUARD_IMAGE] {
            engine.offer(name, &image_of(name));
        }
        let (emulator, whole) = (self.clone(), engine.clone());
        engine.run(IMAGE, move |started| {
            let JoinedNetwork::Of(guard) = &started.network else { panic!("the emulator is on a network of its own") };
            let guard = whole.ordered(guard).expect("its guard was made first");
            emulator.serve(guard.spec.ports[0].host);
        });
        (engine, faults)
    }

    pub(crate) fn balancers(&self, are: Balancers) {
        *self.balancers.lock().expect("no test panicked") = are;
    }

    /// The requests so far that begin with this.
    pub(crate) fn requests(&self, call: &str) -> Vec<Request> {
        self.lock().iter().filter(|request| request.call.starts_with(call)).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().expect("no test panicked")
    }

    fn serve(&self, port: u16) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("nobody took the port meanwhile");
        let emulator = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is its own affair.
                let _ = emulator.answer(stream);
            }
        });
    }

    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let call = line.rsplit_once(' ').map_or("", |(call, _)| call).to_owned();
        let mut headers = BTreeMap::new();
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.split_once(':') else { break };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
        let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let call = format!("{call} {}", header("x-amz-target")).trim_end().to_owned();
        let balancers = *self.balancers.lock().expect("no test panicked");
        if call.starts_with("PUT /_guard/") && balancers == Balancers::Silent {
            // Until the client hangs up.
            return reader.read_to_end(&mut Vec::new()).map(drop);
        }
        let (status, answer) = match call.as_str() {
            put if put.starts_with("PUT /_guard/") && balancers == Balancers::Shut => ("403 Forbidden", "{}"),
            "POST / DynamoDB_20120810.CreateTable" => ("200 OK", r#"{"TableDescription":{"TableStatus":"ACTIVE"}}"#),
            _ => ("200 OK", "{}"),
        };
        let body = String::from_utf8_lossy(&body).into_owned();
        self.lock().push(Request { call, authorization: header("authorization"), body });
        write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{answer}", answer.len())
    }
}
