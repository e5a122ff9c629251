use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::requests;
use crate::load::{Connection, connect};
use crate::{Failure, interrupt};

/// Time before the measurement.
const WARM_UP: Duration = Duration::from_millis(500);

/// What each connection repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    Put,
    Send,
    SendTen,
    ReceiveDelete,
    ReceiveDeleteTen,
    /// Send, receive and delete, so that the queue keeps its depth.
    Flow,
}

/// Steps in each second, and the time of each request.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) by_second: Vec<usize>,
    /// In milliseconds, ascending.
    pub(crate) latencies: Vec<f64>,
    /// Steps of the warm-up too.
    steps: u32,
    /// The emulator's processor time for these steps.
    pub(crate) processor: Duration,
}

impl Measured {
    /// Microseconds of processor time of a step.
    pub(crate) fn processor_us(&self) -> f64 {
        self.processor.as_secs_f64() * 1_000_000.0 / f64::from(self.steps.max(1))
    }

    /// Steps per second.
    pub(crate) fn rate(&self, seconds: std::ops::Range<usize>) -> f64 {
        let counts = &self.by_second[seconds];
        #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are small")]
        let rate = counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64;
        rate
    }

    pub(crate) fn p99(&self) -> f64 {
        self.latencies.get(self.latencies.len() * 99 / 100).copied().unwrap_or(f64::NAN)
    }
}

pub(crate) async fn run(
    authority: &str,
    url: &str,
    load: Load,
    connections: usize,
    seconds: u64,
) -> Result<Measured, Failure> {
    let begin = Instant::now() + WARM_UP;
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        tasks.spawn(work(authority.to_owned(), url.to_owned(), load, number, begin, Duration::from_secs(seconds)));
    }
    let mut measured = Measured { by_second: vec![0; usize::try_from(seconds)?], ..Measured::default() };
    while let Some(done) = tasks.join_next().await {
        let (seconds, latencies, steps) = done??;
        measured.steps += steps;
        for second in seconds {
            if let Some(count) = measured.by_second.get_mut(second) {
                *count += 1;
            }
        }
        measured.latencies.extend(latencies);
    }
    measured.latencies.sort_by(f64::total_cmp);
    Ok(measured)
}

async fn work(
    authority: String,
    url: String,
    load: Load,
    number: usize,
    begin: Instant,
    length: Duration,
) -> Result<(Vec<usize>, Vec<f64>, u32), Failure> {
    let mut worker = Worker { connection: connect(&authority).await?, url, latencies: Vec::new(), begin };
    let mut seconds = Vec::new();
    let mut turn = 0;
    while begin.elapsed() < length {
        interrupt::check()?;
        turn += 1;
        worker.step(load, &format!("{number}-{turn}")).await?;
        if Instant::now() >= begin {
            seconds.push(usize::try_from(begin.elapsed().as_secs())?);
        }
    }
    Ok((seconds, worker.latencies, turn))
}

struct Worker {
    connection: Connection,
    url: String,
    latencies: Vec<f64>,
    begin: Instant,
}

impl Worker {
    async fn step(&mut self, load: Load, id: &str) -> Result<(), Failure> {
        let url = self.url.clone();
        let sent = Instant::now();
        match load {
            Load::Put => requests::put(&mut self.connection, id).await?,
            Load::Send | Load::Flow => requests::send(&mut self.connection, &url).await?,
            Load::SendTen => requests::send_ten(&mut self.connection, &url).await?,
            Load::ReceiveDelete | Load::ReceiveDeleteTen => return self.consume(load).await,
        }
        self.took(sent);
        if load == Load::Flow { self.consume(load).await } else { Ok(()) }
    }

    async fn consume(&mut self, load: Load) -> Result<(), Failure> {
        let url = self.url.clone();
        let most = if load == Load::ReceiveDeleteTen { 10 } else { 1 };
        let sent = Instant::now();
        let handles = requests::receive(&mut self.connection, &url, most).await?;
        self.took(sent);
        let sent = Instant::now();
        match handles.as_slice() {
            [] => return Err("the queue is empty".into()),
            [handle] => requests::delete(&mut self.connection, &url, handle).await?,
            handles => requests::delete_ten(&mut self.connection, &url, handles).await?,
        }
        self.took(sent);
        Ok(())
    }

    fn took(&mut self, sent: Instant) {
        if sent >= self.begin {
            self.latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
        }
    }
}
