use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use devenv_model::unit::{PROCESS_STARTED, Probe};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::postgres;

/// The limit for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// The pause between two probes of a starting unit is the elapsed time divided by this: most units are ready within
/// milliseconds.
const PART: u32 = 32;
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// The proxy of a container engine accepts a connection before the program listens, and closes it within this time.
const STAYS_OPEN: Duration = Duration::from_millis(20);

/// LocalStack's states of a service that is loaded, or that its first call will load.
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
            // A probe must reach the current process, not a connection to the previous one.
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client without TLS needs nothing from the machine");
        Self(client)
    }
}

impl Prober {
    pub async fn passes(&self, probe: &Probe) -> bool {
        match probe {
            Probe::Http { url } | Probe::Elsewhere { url } => is_ok(self.0.get(url)).await,
            Probe::Answer { url } => self.0.get(url).send().await.is_ok(),
            Probe::Tcp { address } => listens(*address).await,
            Probe::Postgres { address, login } => {
                let answer = postgres::run(*address, login, &["SELECT 1"]);
                tokio::time::timeout(ANSWER_LIMIT, answer).await.is_ok_and(|answer| answer.is_ok())
            }
            Probe::Services { url, services } => self.serves(url, services).await.unwrap_or(false),
            // Whoever runs the health check has the answer: the container engine, or the unit's task.
            Probe::Healthcheck => false,
            Probe::Started => true,
            // The unit's end shows it.
            Probe::Completed => false,
        }
    }

    /// Like [`Self::passes`], about a process that was started at this time of [`crate::clock::monotonic`]: a program that answers for
    /// its unit may still know the process before it alone.
    pub(crate) async fn passes_since(&self, probe: &Probe, started: u64) -> bool {
        match probe {
            Probe::Elsewhere { url } => is_ok(self.0.get(url).header(PROCESS_STARTED, started)).await,
            _ => self.passes(probe).await,
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

/// The pause before the next probe of a unit that has been probed for `elapsed`.
pub fn pause_after(elapsed: Duration) -> Duration {
    (elapsed / PART).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

async fn is_ok(request: reqwest::RequestBuilder) -> bool {
    request.send().await.is_ok_and(|response| response.status() == reqwest::StatusCode::OK)
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    /// Answers every request with `answer`.
    async fn server(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 1024]).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        address
    }

    async fn nobody() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a free port")
    }

    #[tokio::test]
    async fn a_path_is_well_with_200_and_an_answer_with_anything() {
        let prober = Prober::default();
        let well = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let ill = server("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await;
        let nobody = nobody().await;
        for (address, is_well, answers) in [(well, true, true), (ill, false, true), (nobody, false, false)] {
            let url = format!("http://{address}/health");
            assert_eq!(prober.passes(&Probe::Http { url: url.clone() }).await, is_well, "{address}");
            assert_eq!(prober.passes(&Probe::Answer { url }).await, answers, "{address}");
        }
    }

    #[tokio::test]
    async fn every_wanted_service_is_up() {
        let body = "HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n\
                    {\"services\":{\"s3\":\"available\",\"sqs\":\"running\",\"x\":\"error\"}}  ";
        let url = format!("http://{}/_localstack/health", server(body).await);
        let of = |services: &[&str]| Probe::Services {
            url: url.clone(),
            services: services.iter().map(|service| (*service).to_owned()).collect(),
        };
        let prober = Prober::default();
        assert!(prober.passes(&of(&["s3", "sqs"])).await);
        assert!(!prober.passes(&of(&["s3", "x"])).await, "one has failed");
        assert!(!prober.passes(&of(&["dynamodb"])).await, "one is not there");
    }

    #[tokio::test]
    async fn a_proxy_that_accepts_and_closes_is_nobody() {
        let prober = Prober::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        assert!(prober.passes(&Probe::Tcp { address }).await, "it stays open");
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        // A busy machine may close a connection too late; a later probe then fails.
        let closed = async { while prober.passes(&Probe::Tcp { address }).await {} };
        tokio::time::timeout(Duration::from_secs(10), closed).await.expect("it is closed at once");
        assert!(!prober.passes(&Probe::Tcp { address: nobody().await }).await);
    }

    #[test]
    fn a_unit_is_asked_less_often_the_longer_it_takes() {
        let pauses = [0, 320, 60_000].map(|elapsed| pause_after(Duration::from_millis(elapsed)));
        assert_eq!(pauses, [1, 10, 100].map(Duration::from_millis));
    }
}
