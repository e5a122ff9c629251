use std::io::ErrorKind;
use std::time::{Duration, Instant};

use crate::unit_spec::UnitSpec;
use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::observed::ObservedUnit;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::error::Error;
use crate::leftovers::{call_for_files, supervisor};
use crate::protocol::{PROTOCOL, Reply, Request};
use crate::runtime_directory::RuntimeDirectory;
use crate::state_directory::StateDirectory;
use crate::trust::is_own;

/// Longer than the end of any unit takes.
const REACH_LIMIT: Duration = Duration::from_secs(30);
/// A busy supervisor answers late; a supervisor stopped by SIGSTOP never answers.
const HELLO_LIMIT: Duration = Duration::from_secs(5);
/// A supervisor that has just begun, or is ending, needs no call; a call does no harm.
const CALL_AFTER: Duration = Duration::from_millis(20);
const CALL_EVERY: Duration = Duration::from_secs(1);

/// A connection to a supervisor that answered `Hello` with this protocol's version, or an older one.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    protocol: u32,
    program: Option<Utf8PathBuf>,
    pub pid: u32,
    /// The supervisor's start in milliseconds since the Unix epoch, if it reports it.
    pub since: Option<u64>,
}

impl Client {
    /// Connects to the environment's supervisor; `None` if none runs. While a process holds the supervisor's lock, it waits
    /// for the socket: the supervisor may have just begun, or may be ending. If the socket was removed, it asks for another.
    pub async fn reach(state: &StateDirectory) -> Result<Option<Self>, Error> {
        let begin = Instant::now();
        let mut next_call = begin + CALL_AFTER;
        let failed = |source| Error::Read { path: state.supervisor_lock(), source };
        state.runtime().check()?;
        loop {
            match tokio::time::timeout(HELLO_LIMIT, Self::connect(state)).await {
                Ok(Ok(Some(client))) => return Ok(Some(client)),
                Ok(Ok(None) | Err(Error::Lost { .. })) | Err(_) => {}
                Ok(Err(error)) => return Err(error),
            }
            if !state.is_supervised().map_err(failed)? {
                return Ok(None);
            }
            if begin.elapsed() > REACH_LIMIT {
                return Err(Error::Silent { pid: supervisor(state) });
            }
            if Instant::now() > next_call {
                call_for_files(state).map_err(failed)?;
                next_call = Instant::now() + CALL_EVERY;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The supervisor of this runtime directory, if it answers soon, whichever environment it belongs to.
    pub async fn at(runtime: &RuntimeDirectory) -> Result<Option<Self>, Error> {
        runtime.check()?;
        let socket = runtime.socket();
        match tokio::time::timeout(HELLO_LIMIT, Self::connect_to(&socket)).await {
            Ok(Err(Error::Lost { .. })) | Err(_) => Ok(None),
            Ok(reached) => reached,
        }
    }

    /// `None` if nothing listens on any socket of this environment.
    async fn connect(state: &StateDirectory) -> Result<Option<Self>, Error> {
        let (usual, anchored) = (state.socket(), state.anchored_socket());
        match Self::connect_to(&usual).await? {
            None if anchored != usual => Self::connect_to(&anchored).await,
            reached => Ok(reached),
        }
    }

    /// `None` if nothing listens on the socket.
    async fn connect_to(path: &Utf8Path) -> Result<Option<Self>, Error> {
        let stream = match UnixStream::connect(path.as_std_path()).await {
            Ok(stream) if is_own(&stream) => stream,
            Ok(_) => return Err(others(path.to_owned())),
            Err(source) if source.kind() == ErrorKind::PermissionDenied => {
                return Err(Error::Denied { path: path.to_owned(), source });
            }
            Err(_) => return Ok(None),
        };
        let (reader, writer) = stream.into_split();
        let (protocol, program) = (PROTOCOL, None);
        let mut client = Self { reader: BufReader::new(reader), writer, protocol, program, pid: 0, since: None };
        match client.ask(&Request::Hello).await? {
            Reply::Hello { protocol, program, .. } if protocol > PROTOCOL => {
                Err(Error::Version { found: protocol, known: PROTOCOL, program })
            }
            Reply::Hello { protocol, program, pid, since } => {
                Ok(Some(Self { protocol, program, pid, since, ..client }))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Whether an older devenv started this supervisor. It can be observed and ended; other requests are refused here.
    pub fn is_older(&self) -> bool {
        self.protocol < PROTOCOL
    }

    fn version(&self) -> Error {
        Error::Version { found: self.protocol, known: PROTOCOL, program: self.program.clone() }
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

    /// Waits until the unit is ready, has completed or has failed, and returns it.
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

    /// Ends the supervisor and all its units. A lost connection counts as success: the supervisor has ended.
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
        if self.is_older() && !matches!(request, Request::Hello | Request::Observe | Request::Shutdown) {
            return Err(self.version());
        }
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
            Err(_) if self.is_older() => Err(self.version()),
            Err(error) => Err(Error::Lost { cause: format!("its answer cannot be read: {error}") }),
        }
    }
}

fn others(path: Utf8PathBuf) -> Error {
    Error::Untrusted {
        path,
        why: "the supervisor behind it belongs to another user".to_owned(),
        remedy: "run devenv as that user, or in a checkout of your own".to_owned(),
    }
}

fn lost(error: &std::io::Error) -> Error {
    Error::Lost { cause: error.to_string() }
}

fn unexpected(reply: &Reply) -> Error {
    Error::Lost { cause: format!("unexpected answer {reply:?}") }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use tokio::net::UnixListener;

    use super::*;
    use crate::lock::{HeldLock, LockAttempt, try_hold};

    /// Listens in the place of a supervisor.
    struct Stand {
        _folder: TempDir,
        state: StateDirectory,
        listener: UnixListener,
        lock: HeldLock,
    }

    impl Stand {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a temporary directory");
            let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
            let state = StateDirectory::within(&path.join(".devenv"), &[path.join("run")]);
            state.prepare().expect("writable");
            let Ok(LockAttempt::Held(lock)) = try_hold(&state.supervisor_lock()) else { panic!("nobody has it") };
            let listener = UnixListener::bind(state.socket().as_std_path()).expect("nobody listens");
            Self { _folder: folder, state, listener, lock }
        }

        /// Answers one connection's requests with these lines, then closes it.
        async fn answer(&self, lines: &[&str]) {
            let (stream, _) = self.listener.accept().await.expect("somebody comes");
            let (reader, mut writer) = stream.into_split();
            let mut reader = BufReader::new(reader);
            for line in lines {
                reader.read_line(&mut String::new()).await.expect("a request");
                writer.write_all(format!("{line}\n").as_bytes()).await.expect("somebody reads");
            }
        }
    }

    fn hello(protocol: u32) -> String {
        serde_json::to_string(&Reply::Hello { protocol, pid: 7, program: None, since: None }).expect("plain data")
    }

    async fn reached(stand: &Stand, lines: &[&str]) -> Result<Option<Client>, Error> {
        let (reached, ()) = tokio::join!(Client::reach(&stand.state), stand.answer(lines));
        reached
    }

    #[tokio::test]
    async fn a_newer_supervisor_is_named_and_not_waited_for() {
        let stand = Stand::new();
        let newer =
            serde_json::json!({"hello": {"protocol": PROTOCOL + 1, "pid": 7, "program": "/new/devenv", "more": 1}});
        let Err(Error::Version { found, known, program }) = reached(&stand, &[&newer.to_string()]).await else {
            panic!("this devenv does not know its requests")
        };
        assert_eq!((found, known, program.as_deref()), (PROTOCOL + 1, PROTOCOL, Some(Utf8Path::new("/new/devenv"))));
        let own = reached(&stand, &[&hello(PROTOCOL)]).await.expect("ours").expect("it answers");
        assert!(own.pid == 7 && !own.is_older());
    }

    /// As version 0.1.0 answers: only the requests that never change are sent to it.
    #[tokio::test]
    async fn an_older_supervisor_is_observed_and_ended_and_asked_nothing_else() {
        let stand = Stand::new();
        let asking = async {
            let mut client = Client::reach(&stand.state).await.expect("ours").expect("it answers");
            assert!(client.is_older());
            assert!(matches!(client.own().await, Err(Error::Version { found: 2, .. })));
            assert!(matches!(client.stop("api").await, Err(Error::Version { found: 2, .. })));
            assert!(client.observe().await.expect("it knows this").is_empty());
            assert!(matches!(client.observe().await, Err(Error::Version { found: 2, .. })), "unreadable");
            client.shutdown().await.expect("it ends");
        };
        let answers =
            [r#"{"hello":{"protocol":2,"pid":7}}"#, r#"{"units":{"units":[]}}"#, r#"{"units":{"old":1}}"#, r#""done""#];
        tokio::join!(asking, stand.answer(&answers));
    }

    /// The supervisor is just ending or beginning: the next connection shows which.
    #[tokio::test]
    async fn a_connection_that_is_closed_is_tried_again_while_somebody_holds_the_lock() {
        let stand = Stand::new();
        let answers = async {
            stand.answer(&[]).await;
            stand.answer(&["nonsense"]).await;
            stand.answer(&[&hello(PROTOCOL)]).await;
        };
        let both = async { tokio::join!(Client::reach(&stand.state), answers).0 };
        let reached = tokio::time::timeout(REACH_LIMIT, both).await.expect("it comes three times");
        assert!(reached.expect("ours").is_some());
        // A killed supervisor leaves its socket, on which nothing listens.
        let Stand { _folder, state, listener, lock } = stand;
        drop((listener, lock));
        assert!(Client::reach(&state).await.expect("nothing to refuse").is_none());
    }

    #[tokio::test]
    async fn an_answer_to_another_question_is_no_answer() {
        let stand = Stand::new();
        let done = serde_json::to_string(&Reply::Done).expect("plain data");
        let refused = serde_json::to_string(&Reply::Refused { reason: "why".to_owned() }).expect("plain data");
        let answers = [hello(PROTOCOL), done.clone(), done, hello(PROTOCOL), refused];
        let asking = async {
            let mut client = Client::reach(&stand.state).await.expect("ours").expect("it answers");
            assert!(matches!(client.observe().await, Err(Error::Lost { cause }) if cause.contains("Done")));
            assert!(matches!(client.await_ready("api").await, Err(Error::Lost { cause }) if cause.contains("Done")));
            assert!(matches!(client.stop("api").await, Err(Error::Lost { cause }) if cause.contains("Hello")));
            assert!(matches!(client.own().await, Err(Error::Refused { reason }) if reason == "why"));
            client.shutdown().await.expect("it has ended, as was asked");
            client.closed().await;
        };
        let answers = answers.each_ref().map(String::as_str);
        tokio::join!(asking, stand.answer(&answers));
    }
}
