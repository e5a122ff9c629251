use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};

use super::{
    request::{Malformed, Wants, malformed},
    response::Responses,
};

/// The number of concurrent requests.
const AT_ONCE: usize = 16;

/// Longer than every limit of a service for a request: a slower answer counts as a hang.
const HANGS: Duration = Duration::from_secs(20);

/// The wait for an optional answer before the client closes its side.
const GLANCE: Duration = Duration::from_millis(50);

/// The results of malformed requests.
#[derive(Debug, Default)]
pub struct Report {
    /// Requests by kind.
    pub kinds: BTreeMap<&'static str, usize>,
    /// Answers by status; a pipeline may have several.
    pub statuses: BTreeMap<u16, usize>,
    /// Connections closed without an answer.
    pub closed: usize,
    /// Violations, with the seed and the index of the request.
    pub faults: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests: usize = self.kinds.values().sum();
        write!(
            formatter,
            "{requests} requests {:?}; answers {:?}; closed without one {}; faults {}",
            self.kinds,
            self.statuses,
            self.closed,
            self.faults.len()
        )
    }
}

/// Sends malformed requests to the service at `address` that takes orders at `path`: `MALFORMED_REQUESTS` of them (500 by
/// default), from the seed `MALFORMED_SEED` (1 by default).
///
/// # Panics
/// If a variable is not a number.
pub async fn send_malformed(address: &str, path: &'static str) -> Report {
    let (count, seed) = (number("MALFORMED_REQUESTS", 500), number("MALFORMED_SEED", 1));
    let next = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (next, address) = (next.clone(), address.to_owned());
            tokio::spawn(async move {
                let mut report = Report::default();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return report;
                    }
                    let request = malformed(seed, index, path);
                    let outcome = exchange(&address, &request).await.and_then(|answer| judge(&request, &answer));
                    report.note(&request, outcome, format_args!("seed {seed}, request {index}"));
                }
            })
        })
        .collect();
    let mut whole = Report::default();
    for client in clients {
        whole.add(client.await.expect("no panic"));
    }
    whole
}

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => {
            text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a whole number"))
        }
        _ => default,
    }
}

/// Writes a request and reads the reply, to the end of the connection or of the first answer.
async fn exchange(address: &str, request: &Malformed) -> Result<Vec<u8>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| format!("cannot connect: {error}"))?;
    let (mut reader, mut writer) = stream.into_split();
    let mut answer = Vec::new();
    let deadline = Instant::now() + HANGS;
    let write = async {
        // The service may answer and close before it has read everything.
        let _ = writer.write_all(&request.bytes).await;
    };
    let first = async {
        let glance = if request.wants == Wants::Anything { GLANCE } else { HANGS };
        let until = Instant::now() + glance;
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match timeout_at(until, reader.read(&mut buffer)).await {
                Ok(Ok(0) | Err(_)) => return true,
                Ok(Ok(read)) => answer.extend_from_slice(&buffer[..read]),
                Err(_) => return false,
            }
            let whole = Responses::read(&answer, request.head_only);
            if request.wants != Wants::Anything && whole.is_ok_and(|whole| has_answer(&whole)) {
                return false;
            }
        }
    };
    let both = async { tokio::join!(write, first).1 };
    let ended = timeout(HANGS, both).await.map_err(|_| "the request is not taken".to_owned())?;
    if !ended {
        // With the client's side closed, the service has nothing more to wait for.
        let _ = writer.shutdown().await;
        let rest = timeout_at(deadline.max(Instant::now() + HANGS / 2), reader.read_to_end(&mut answer)).await;
        // A reset also ends the connection.
        let _ = rest.map_err(|_| "the connection stays open".to_owned())?;
    }
    Ok(answer)
}

fn has_answer(responses: &Responses) -> bool {
    !responses.unfinished && responses.statuses.iter().any(|status| *status >= 200)
}

fn judge(request: &Malformed, answer: &[u8]) -> Result<Vec<u16>, String> {
    let responses = Responses::read(answer, request.head_only)?;
    if let Some(status) = responses.statuses.iter().find(|status| **status >= 500) {
        return Err(format!("answered {status}"));
    }
    match request.wants {
        Wants::Anything => {}
        Wants::Answer if responses.statuses.is_empty() => return Err("not answered".to_owned()),
        Wants::Patience if responses.statuses != [408] => {
            return Err(format!("a stalled client is answered {:?}, not 408", responses.statuses));
        }
        Wants::Answer | Wants::Patience => {}
    }
    Ok(responses.statuses)
}

impl Report {
    fn note(&mut self, request: &Malformed, outcome: Result<Vec<u16>, String>, which: fmt::Arguments) {
        *self.kinds.entry(request.kind).or_default() += 1;
        match outcome {
            Ok(statuses) if statuses.is_empty() => self.closed += 1,
            Ok(statuses) => statuses.into_iter().for_each(|status| *self.statuses.entry(status).or_default() += 1),
            Err(fault) => {
                let begin = String::from_utf8_lossy(&request.bytes[..request.bytes.len().min(200)]);
                self.faults.push(format!("{which} ({}): {fault}: {begin:?}", request.kind));
            }
        }
    }

    fn add(&mut self, other: Self) {
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.closed += other.closed;
        self.faults.extend(other.faults);
    }
}
