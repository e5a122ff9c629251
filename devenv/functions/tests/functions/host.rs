use std::net::SocketAddr;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use devenv_functions::Error;
use devenv_resources::function_host::settings::{
    HOST_FORMAT, HostSettings, HostedFunction, HostedMapping, HostedUnit, UnitRunner,
};
use reqwest::Response;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A port that was free a moment ago.
pub(crate) fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound")
}

pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let end = Instant::now() + LIMIT;
    while !check().await {
        assert!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = camino::Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
    (folder, path)
}

/// A function named like this, with a timeout in seconds and units of its own.
pub(crate) fn function(name: &str, timeout_seconds: u32, units: usize) -> HostedFunction {
    let unit = |number: usize| HostedUnit { name: format!("{name}-{number}"), runtime: free() };
    let units = (1..=units).map(unit).collect();
    HostedFunction { name: name.to_owned(), timeout_seconds, memory_megabytes: 128, units }
}

/// A host in this process, which a drop ends at once, as a kill would.
pub(crate) struct Host {
    pub(crate) settings: HostSettings,
    client: reqwest::Client,
    task: JoinHandle<Result<(), Error>>,
    shutdown: Option<oneshot::Sender<()>>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Host {
    pub(crate) fn settings(functions: Vec<HostedFunction>, data: Utf8PathBuf) -> HostSettings {
        HostSettings {
            format: HOST_FORMAT,
            region: "eu-west-1".to_owned(),
            invoke: free(),
            queues: "http://127.0.0.1:9".to_owned(),
            streams: "http://127.0.0.1:9".to_owned(),
            data,
            runner: UnitRunner::Nobody,
            functions,
            mappings: Vec::<HostedMapping>::new(),
        }
    }

    /// Starts a host; at other ports, if another program has taken one of these since they were free.
    pub(crate) async fn start(mut settings: HostSettings) -> Self {
        loop {
            if let Some(host) = Self::started(&settings).await {
                return host;
            }
            settings.invoke = free();
            settings.functions.iter_mut().flat_map(|one| &mut one.units).for_each(|unit| unit.runtime = free());
        }
    }

    /// `None` if a port is taken.
    async fn started(settings: &HostSettings) -> Option<Self> {
        let (listening, ready) = oneshot::channel();
        let (shutdown, asked) = oneshot::channel::<()>();
        let own = settings.clone();
        let task = tokio::spawn(async move {
            let told = |address| {
                let _ = listening.send(address);
            };
            let asked = async {
                let _ = asked.await;
            };
            devenv_functions::run(&own, told, asked).await
        });
        if tokio::time::timeout(LIMIT, ready).await.expect("in time").is_err() {
            let error = task.await.expect("no panic").expect_err("it serves until it is asked to end");
            assert!(matches!(error, Error::Listen { .. }), "{error}");
            return None;
        }
        let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
        Some(Self { settings: settings.clone(), client, task, shutdown: Some(shutdown) })
    }

    /// Ends the host as SIGTERM does.
    pub(crate) async fn stop(mut self) {
        drop(self.shutdown.take());
        let ended = tokio::time::timeout(LIMIT, &mut self.task).await.expect("in time");
        ended.expect("no panic").expect("it ends in order");
    }

    pub(crate) fn runtime(&self, function: usize, unit: usize) -> SocketAddr {
        self.settings.functions[function].units[unit].runtime
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(format!("http://{}{path}", self.settings.invoke)).send().await.expect("it answers")
    }

    /// Whether a unit's process, started at this time of the monotonic clock, is ready.
    pub(crate) async fn ready(&self, unit: &str, started: u64) -> bool {
        let asked = self.client.get(format!("http://{}/devenv/units/{unit}", self.settings.invoke));
        let answer = asked.header("devenv-process-started", started).send().await;
        answer.expect("it answers").status() == 200
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Response {
        let mut request = self.client.post(format!("http://{}{path}", self.settings.invoke));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body.as_ref().to_owned()).send().await.expect("it answers")
    }

    /// The response of a function that must be no error.
    pub(crate) async fn invoked(&self, function: &str, event: &str) -> Value {
        let answer = self.post(&format!("/2015-03-31/functions/{function}/invocations"), &[], event).await;
        assert_eq!(answer.status(), 200);
        assert!(!answer.headers().contains_key("x-amz-function-error"), "{}", answer.text().await.expect("a body"));
        answer.json().await.expect("JSON")
    }
}
