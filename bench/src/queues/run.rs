//! Queues of the embedded emulator beside its tables: rates, latencies, and whether they stay with many messages.

use camino::Utf8Path;

use super::emulator::Emulator;
use super::requests;
use super::worker::{self, Load, Measured};
use crate::figures::{Figure, Target};
use crate::load::connect;
use crate::{Failure, machine, say};

const CONNECTIONS: usize = 8;
/// Messages in the queue while its flow is measured.
const DEPTH: usize = 100_000;
/// Two runs of the same load differ by less than a tenth.
const SPREAD: f64 = 0.9;
/// Milliseconds.
const SLOWEST: f64 = 20.0;

pub(crate) fn run(program: &Utf8Path, seconds: u64, flow: u64) -> Result<(), Failure> {
    say(&format!("machine: {}", machine::describe()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = runtime.block_on(measure(program, seconds, flow))?;
    for figure in &figures {
        say(&figure.line());
    }
    Ok(())
}

async fn measure(program: &Utf8Path, seconds: u64, flow: u64) -> Result<Vec<Figure>, Failure> {
    let directly = tables_alone(program, seconds).await?;
    let emulator = Emulator::start(program, true)?;
    let authority = emulator.messages.clone();
    let mut connection = connect(&authority).await?;
    requests::create_table(&mut connection).await?;
    let idle = emulator.resident()?;
    let url = requests::create(&mut connection, "bench").await?;
    let with_queue = emulator.resident()?;
    let load_at = async |authority: &str, load, seconds| -> Result<Measured, Failure> {
        let before = emulator.processor_time()?;
        let mut measured = worker::run(authority, &url, load, CONNECTIONS, seconds).await?;
        measured.processor = emulator.processor_time()?.saturating_sub(before);
        Ok(measured)
    };
    let load = async |load, seconds| load_at(&authority, load, seconds).await;

    let puts = load_at(&emulator.tables, Load::Put, seconds).await?;
    let passed_on = load(Load::Put, seconds).await?;
    let sends = load(Load::Send, seconds).await?;
    let batches = load(Load::SendTen, seconds).await?;
    fill(&authority, &url).await?;
    let receives = load(Load::ReceiveDelete, seconds).await?;
    fill(&authority, &url).await?;
    let batches_received = load(Load::ReceiveDeleteTen, seconds.min(3)).await?;
    fill(&authority, &url).await?;
    let flowing = load(Load::Flow, flow).await?;

    let all = |measured: &Measured| measured.rate(0..measured.by_second.len());
    let (put, send) = (all(&puts), all(&sends));
    let tenth = (flowing.by_second.len() / 6).max(1);
    let first = flowing.rate(0..tenth);
    let last = flowing.rate(flowing.by_second.len() - tenth..flowing.by_second.len());
    Ok(vec![
        figure("PutItem, no queues", "1/s", all(&directly), None),
        figure("PutItem", "1/s", put, Some(Target::AtLeast(all(&directly) * SPREAD))),
        figure("PutItem, through the port of queues", "1/s", all(&passed_on), None),
        figure("PutItem: p99", "ms", puts.p99(), None),
        figure("SendMessage", "1/s", send, Some(Target::AtLeast(put))),
        figure("SendMessage: p99", "ms", sends.p99(), Some(Target::AtMost(SLOWEST))),
        figure("SendMessageBatch of ten, messages", "1/s", all(&batches) * 10.0, Some(Target::AtLeast(put * 5.0))),
        figure("the same, times the messages of SendMessage", "", all(&batches) * 10.0 / send, None),
        figure(
            "ReceiveMessage and DeleteMessage, pairs",
            "1/s",
            all(&receives),
            Some(Target::AtLeast(put * 2.0 / 3.0)),
        ),
        figure("ReceiveMessage and DeleteMessage: p99", "ms", receives.p99(), Some(Target::AtMost(SLOWEST))),
        figure("the same by batches of ten, messages", "1/s", all(&batches_received) * 10.0, None),
        figure("100,000 messages: send, receive, delete", "1/s", all(&flowing), None),
        figure("100,000 messages: p99", "ms", flowing.p99(), Some(Target::AtMost(SLOWEST))),
        figure("100,000 messages: last rate of first, percent", "%", last / first * 100.0, Some(Target::AtLeast(90.0))),
        figure("processor time of a PutItem, no queues", "us", directly.processor_us(), None),
        figure("processor time of a PutItem", "us", puts.processor_us(), None),
        figure("processor time of a PutItem, through the port of queues", "us", passed_on.processor_us(), None),
        figure("processor time of a SendMessage", "us", sends.processor_us(), None),
        figure("processor time of ten in a batch", "us", batches.processor_us(), None),
        figure("processor time of a receive and delete", "us", receives.processor_us(), None),
        figure("resident, idle", "MiB", idle, None),
        figure("resident, idle with a queue", "MiB", with_queue, Some(Target::AtMost(idle + 2.0))),
        figure("resident, afterwards", "MiB", emulator.resident()?, None),
    ])
}

/// The rate of an emulator that serves tables alone.
async fn tables_alone(program: &Utf8Path, seconds: u64) -> Result<Measured, Failure> {
    let emulator = Emulator::start(program, false)?;
    requests::create_table(&mut connect(&emulator.tables).await?).await?;
    let mut measured = worker::run(&emulator.tables, "", Load::Put, CONNECTIONS, seconds).await?;
    measured.processor = emulator.processor_time()?;
    Ok(measured)
}

/// Brings the queue to at least its depth.
async fn fill(authority: &str, url: &str) -> Result<(), Failure> {
    let mut connection = connect(authority).await?;
    while requests::depth(&mut connection, url).await? < DEPTH {
        for _ in 0..1_000 {
            requests::send_ten(&mut connection, url).await?;
        }
    }
    Ok(())
}

fn figure(name: &str, unit: &'static str, value: f64, target: Option<Target>) -> Figure {
    Figure::new(name, unit, vec![value], target)
}
