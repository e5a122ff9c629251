use std::time::{Duration, Instant};

use camino::Utf8Path;
use devenv_model::observed::ObservedUnit;
use devenv_model::unit::UnitSpec;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::protocol::{PROTOCOL, Reply, Request};
use crate::Error;
use crate::lock::is_held;
use crate::state_directory::StateDirectory;

/// Longer than any unit's end may take.
const REACH_LIMIT: Duration = Duration::from_secs(30);

/// One connection to a supervisor that answered `Hello` in our protocol.
#[derive(Debug)]
pub(crate) struct Client {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    pub(crate) pid: u32,
}

impl Client {
    /// A connection to the environment's supervisor; `None` when none runs. One that has just begun, or is ending, is
    /// waited for: its lock tells that it is there.
    pub(crate) async fn reach(state: &StateDirectory) -> Result<Option<Self>, Error> {
        let deadline = Instant::now() + REACH_LIMIT;
        loop {
            match Self::connect(&state.socket()).await {
                Ok(Some(client)) => return Ok(Some(client)),
                Ok(None) | Err(Error::SupervisorLost { .. }) => {}
                Err(error) => return Err(error),
            }
            let lock = state.supervisor_lock();
            if !is_held(&lock).map_err(|source| Error::ReadFile { path: lock, source })? {
                return Ok(None);
            }
            if Instant::now() > deadline {
                let cause = "it holds its lock and does not answer".to_owned();
                return Err(Error::SupervisorLost { cause });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// `None` when nothing listens at `socket`.
    async fn connect(socket: &Utf8Path) -> Result<Option<Self>, Error> {
        let stream = match UnixStream::connect(socket.as_std_path()).await {
            Ok(stream) => stream,
            Err(source) if source.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(Error::Denied { path: socket.to_owned(), source });
            }
            Err(_) => return Ok(None),
        };
        let (reader, writer) = stream.into_split();
        let mut client = Self { reader: BufReader::new(reader), writer, pid: 0 };
        match client.ask(&Request::Hello).await? {
            Reply::Hello { protocol, pid } if protocol == PROTOCOL => {
                client.pid = pid;
                Ok(Some(client))
            }
            Reply::Hello { protocol, .. } => Err(Error::SupervisorVersion { found: protocol, known: PROTOCOL }),
            other => Err(unexpected(&other)),
        }
    }

    pub(crate) async fn observe(&mut self) -> Result<Vec<ObservedUnit>, Error> {
        match self.ask(&Request::Observe).await? {
            Reply::Units { units } => Ok(units),
            other => Err(unexpected(&other)),
        }
    }

    pub(crate) async fn start(&mut self, spec: UnitSpec) -> Result<(), Error> {
        self.done(&Request::Start { spec: Box::new(spec) }).await
    }

    pub(crate) async fn start_again(&mut self, unit: &str) -> Result<(), Error> {
        self.done(&Request::StartAgain { unit: unit.to_owned() }).await
    }

    pub(crate) async fn stop(&mut self, unit: &str) -> Result<(), Error> {
        self.done(&Request::Stop { unit: unit.to_owned() }).await
    }

    pub(crate) async fn remove(&mut self, unit: &str) -> Result<(), Error> {
        self.done(&Request::Remove { unit: unit.to_owned() }).await
    }

    pub(crate) async fn kill(&mut self, unit: &str) -> Result<(), Error> {
        self.done(&Request::Kill { unit: unit.to_owned() }).await
    }

    /// The unit as it is once it is ready or has failed.
    pub(crate) async fn await_ready(&mut self, unit: &str) -> Result<ObservedUnit, Error> {
        let request = Request::AwaitReady { unit: unit.to_owned() };
        match self.ask(&request).await? {
            Reply::Unit { unit } => Ok(*unit),
            other => Err(unexpected(&other)),
        }
    }

    pub(crate) async fn own(&mut self) -> Result<(), Error> {
        self.done(&Request::Own).await
    }

    pub(crate) async fn detach(&mut self) -> Result<(), Error> {
        self.done(&Request::Detach).await
    }

    pub(crate) async fn shutdown(&mut self) -> Result<(), Error> {
        self.done(&Request::Shutdown).await
    }

    /// Resolves when the supervisor has closed the connection.
    pub(crate) async fn closed(&mut self) {
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
            return Err(Error::SupervisorLost { cause: "it closed the connection".to_owned() });
        }
        match serde_json::from_str(&answer) {
            Ok(Reply::Refused { reason }) => Err(Error::Refused { reason }),
            Ok(reply) => Ok(reply),
            Err(error) => Err(Error::SupervisorLost { cause: format!("its answer cannot be read: {error}") }),
        }
    }
}

fn lost(error: &std::io::Error) -> Error {
    Error::SupervisorLost { cause: error.to_string() }
}

fn unexpected(reply: &Reply) -> Error {
    Error::SupervisorLost { cause: format!("unexpected answer {reply:?}") }
}
