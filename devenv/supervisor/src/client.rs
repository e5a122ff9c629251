use std::io::ErrorKind;
use std::time::{Duration, Instant};

use crate::unit_spec::UnitSpec;
use camino::Utf8PathBuf;
use devenv_model::observed::ObservedUnit;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::error::Error;
use crate::leftovers::call_for_files;
use crate::lock::{is_held, last_holder};
use crate::protocol::{PROTOCOL, Reply, Request};
use crate::state_directory::StateDirectory;
use crate::trust::{check_folder, is_own};

/// Longer than any unit's end may take.
const REACH_LIMIT: Duration = Duration::from_secs(30);
/// A supervisor that is busy answers later than one that is not; a stopped one never.
const HELLO_LIMIT: Duration = Duration::from_secs(5);
/// A supervisor that has just begun, or is ending, needs no call; neither is harmed by one.
const CALL_AFTER: Duration = Duration::from_millis(20);
const CALL_EVERY: Duration = Duration::from_secs(1);

/// One connection to a supervisor that answered `Hello` in our protocol.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    pub pid: u32,
}

impl Client {
    /// A connection to the environment's supervisor; `None` when none runs. One that has just begun, or is ending, is
    /// waited for: its lock tells that it is there. One whose socket was removed is told to make another.
    pub async fn reach(state: &StateDirectory) -> Result<Option<Self>, Error> {
        let begin = Instant::now();
        let mut next_call = begin + CALL_AFTER;
        let lock = state.supervisor_lock();
        let failed = |source| Error::Read { path: state.supervisor_lock(), source };
        loop {
            match tokio::time::timeout(HELLO_LIMIT, Self::connect(state)).await {
                Ok(Ok(Some(client))) => return Ok(Some(client)),
                Ok(Ok(None) | Err(Error::Lost { .. })) | Err(_) => {}
                Ok(Err(error)) => return Err(error),
            }
            if !is_held(&lock).map_err(failed)? {
                return Ok(None);
            }
            if begin.elapsed() > REACH_LIMIT {
                return Err(Error::Silent { pid: last_holder(&lock) });
            }
            if Instant::now() > next_call {
                call_for_files(state).map_err(failed)?;
                next_call = Instant::now() + CALL_EVERY;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// `None` when nothing listens at the socket.
    async fn connect(state: &StateDirectory) -> Result<Option<Self>, Error> {
        check_folder(state)?;
        let path = state.socket();
        let stream = match UnixStream::connect(path.as_std_path()).await {
            Ok(stream) if is_own(&stream) => stream,
            Ok(_) => return Err(others(path)),
            Err(source) if source.kind() == ErrorKind::PermissionDenied => return Err(Error::Denied { path, source }),
            Err(_) => return Ok(None),
        };
        let (reader, writer) = stream.into_split();
        let mut client = Self { reader: BufReader::new(reader), writer, pid: 0 };
        match client.ask(&Request::Hello).await? {
            Reply::Hello { protocol, pid } if protocol == PROTOCOL => {
                client.pid = pid;
                Ok(Some(client))
            }
            Reply::Hello { protocol, .. } => Err(Error::Version { found: protocol, known: PROTOCOL }),
            other => Err(unexpected(&other)),
        }
    }

    pub async fn observe(&mut self) -> Result<Vec<ObservedUnit>, Error> {
        match self.ask(&Request::Observe).await? {
            Reply::Units { units } => Ok(units),
            other => Err(unexpected(&other)),
        }
    }

    pub async fn start(&mut self, spec: UnitSpec) -> Result<(), Error> {
        self.done(&Request::Start { spec: Box::new(spec) }).await
    }

    pub async fn start_again(&mut self, unit: &str) -> Result<(), Error> {
        self.done(&Request::StartAgain { unit: unit.to_owned() }).await
    }

    pub async fn stop(&mut self, unit: &str) -> Result<(), Error> {
        self.done(&Request::Stop { unit: unit.to_owned() }).await
    }

    pub async fn remove(&mut self, unit: &str) -> Result<(), Error> {
        self.done(&Request::Remove { unit: unit.to_owned() }).await
    }

    pub async fn kill(&mut self, unit: &str) -> Result<(), Error> {
        self.done(&Request::Kill { unit: unit.to_owned() }).await
    }

    /// The unit as it is once it is ready or has failed.
    pub async fn await_ready(&mut self, unit: &str) -> Result<ObservedUnit, Error> {
        let request = Request::AwaitReady { unit: unit.to_owned() };
        match self.ask(&request).await? {
            Reply::Unit { unit } => Ok(*unit),
            other => Err(unexpected(&other)),
        }
    }

    pub async fn own(&mut self) -> Result<(), Error> {
        self.done(&Request::Own).await
    }

    pub async fn detach(&mut self) -> Result<(), Error> {
        self.done(&Request::Detach).await
    }

    /// Ends the supervisor with all that it keeps. One that ends for another reason meanwhile has done as asked.
    pub async fn shutdown(&mut self) -> Result<(), Error> {
        match self.done(&Request::Shutdown).await {
            Err(Error::Lost { .. }) => Ok(()),
            other => other,
        }
    }

    /// Resolves when the supervisor has closed the connection.
    pub async fn closed(&mut self) {
        let mut line = String::new();
        while matches!(self.reader.read_line(&mut line).await, Ok(read) if read > 0) {
            line.clear();
        }
    }

    async fn done(&mut self, request: &Request) -> Result<(), Error> {
        match self.ask(request).await? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    async fn ask(&mut self, request: &Request) -> Result<Reply, Error> {
        let mut line = serde_json::to_vec(request).expect("a request is plain data");
        line.push(b'\n');
        self.writer.write_all(&line).await.map_err(|error| lost(&error))?;
        let mut answer = String::new();
        let read = self.reader.read_line(&mut answer).await;
        if read.map_err(|error| lost(&error))? == 0 {
            return Err(Error::Lost { cause: "it closed the connection".to_owned() });
        }
        match serde_json::from_str(&answer) {
            Ok(Reply::Refused { reason }) => Err(Error::Refused { reason }),
            Ok(reply) => Ok(reply),
            Err(error) => Err(Error::Lost { cause: format!("its answer cannot be read: {error}") }),
        }
    }
}

fn others(path: Utf8PathBuf) -> Error {
    Error::Untrusted {
        path,
        why: "the supervisor behind it is another user's".to_owned(),
        remedy: "run devenv as that user, or in a checkout of your own".to_owned(),
    }
}

fn lost(error: &std::io::Error) -> Error {
    Error::Lost { cause: error.to_string() }
}

fn unexpected(reply: &Reply) -> Error {
    Error::Lost { cause: format!("unexpected answer {reply:?}") }
}
