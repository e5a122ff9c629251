use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use devenv_model::unit::Probe;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// One answer must come within this.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Between two probes of a unit that starts: a part of the time it has taken, because most are ready within milliseconds.
const PART: u32 = 32;
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// A container engine's proxy accepts for a program that does not listen yet, and closes within this.
const STAYS_OPEN: Duration = Duration::from_millis(20);

/// What LocalStack says of a service that answers, or that will be loaded by its first call.
const UP: [&str; 2] = ["available", "running"];

#[derive(serde::Deserialize)]
struct Health {
    services: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub struct Prober(reqwest::Client);

impl Default for Prober {
    fn default() -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_LIMIT)
            // A probe must meet the process that runs now, not a connection to the one before.
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client without TLS needs nothing from the machine");
        Self(client)
    }
}

impl Prober {
    pub async fn passes(&self, probe: &Probe) -> bool {
        match probe {
            Probe::Http { url } => {
                self.0.get(url).send().await.is_ok_and(|response| response.status() == reqwest::StatusCode::OK)
            }
            Probe::Answer { url } => self.0.get(url).send().await.is_ok(),
            Probe::Tcp { address } => listens(*address).await,
            Probe::Services { url, services } => self.serves(url, services).await.unwrap_or(false),
            // The engine's to say; who asks it does not come here.
            Probe::Healthcheck => false,
            Probe::Started => true,
        }
    }

    async fn serves(&self, url: &str, services: &[String]) -> reqwest::Result<bool> {
        let health: Health = self.0.get(url).send().await?.error_for_status()?.json().await?;
        let up = |service: &String| health.services.get(service).is_some_and(|state| UP.contains(&state.as_str()));
        Ok(services.iter().all(up))
    }

    pub async fn until_passes(&self, probe: &Probe) {
        let begin = Instant::now();
        while !self.passes(probe).await {
            tokio::time::sleep(pause_after(begin.elapsed())).await;
        }
    }
}

/// Before the next probe of a unit that has been probed for so long.
pub fn pause_after(elapsed: Duration) -> Duration {
    (elapsed / PART).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

async fn listens(address: SocketAddr) -> bool {
    let connection = TcpStream::connect(address);
    let Ok(Ok(mut connection)) = tokio::time::timeout(ANSWER_LIMIT, connection).await else {
        return false;
    };
    let mut first = [0];
    match tokio::time::timeout(STAYS_OPEN, connection.read(&mut first)).await {
        Ok(read) => read.is_ok_and(|read| read > 0),
        Err(_) => true,
    }
}
