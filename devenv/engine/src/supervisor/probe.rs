use std::time::Duration;

use devenv_model::unit::Probe;
use tokio::net::TcpStream;

/// One answer must come within this.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Between two probes of a unit that starts: quick at first, because most units are ready within milliseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Clone)]
pub(super) struct Prober(reqwest::Client);

impl Prober {
    pub(super) fn new() -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_LIMIT)
            // A probe must meet the process that runs now, not a connection to the one before.
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client without TLS needs nothing from the machine");
        Self(client)
    }

    pub(super) async fn passes(&self, probe: &Probe) -> bool {
        match probe {
            Probe::Http { url } => {
                self.0.get(url).send().await.is_ok_and(|response| response.status() == reqwest::StatusCode::OK)
            }
            Probe::Tcp { port } => {
                let connection = TcpStream::connect(("127.0.0.1", *port));
                matches!(tokio::time::timeout(ANSWER_LIMIT, connection).await, Ok(Ok(_)))
            }
            Probe::Started => true,
        }
    }

    pub(super) async fn until_passes(&self, probe: &Probe) {
        let mut pause = FIRST_PAUSE;
        while !self.passes(probe).await {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
