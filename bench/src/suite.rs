use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::figures::{Figure, Target};
use crate::load::{Kind, Measured, authority, product, run};
use crate::{Failure, interrupt, machine, memory, say};

const HISTORY: &str = "bench/history.jsonl";
const PROCESSES: [&str; 2] = ["--runtime", "process"];
const CONNECTIONS: [usize; 3] = [1, 8, 64];
/// Measurements of each load.
const LOADS: usize = 3;

/// Measures everything, prints the table and appends it to the history.
pub(crate) fn all(program: &Utf8Path, runs: usize, seconds: u64) -> Result<(), Failure> {
    let machine = machine::describe();
    say(&format!("machine: {machine}"));
    let mut figures = commands(program, runs)?;
    for container in CONTAINERS {
        figures.extend(containers(program, runs, &container)?);
    }
    figures.extend(promotions(program));
    figures.extend(loads(program, Duration::from_secs(seconds))?);
    say(&format!("\n{:<44} {:>10} {:<5} {:<20} target", "what", "median", "unit", "spread"));
    for figure in &figures {
        say(&figure.line());
    }
    let figures: Vec<Value> = figures.iter().map(Figure::json).collect();
    let line = json!({ "version": 1, "machine": machine, "runs": runs, "seconds": seconds, "figures": figures });
    let mut history = std::fs::File::options().create(true).append(true).open(HISTORY)?;
    writeln!(history, "{line}")?;
    say(&format!("\nappended to {HISTORY}"));
    Ok(())
}

/// An emulator of the container runtime, and its limit in milliseconds from `up` to the first accepted order.
struct Container {
    emulator: &'static str,
    first_order: f64,
}

const CONTAINERS: [Container; 3] = [
    Container { emulator: "embedded", first_order: 1200.0 },
    Container { emulator: "dynamodb-local", first_order: 2000.0 },
    Container { emulator: "localstack", first_order: 2500.0 },
];

/// Figures of the container runtime. If no engine answers or the emulator's image is absent, prints that and returns none.
fn containers(program: &Utf8Path, runs: usize, container: &Container) -> Result<Vec<Figure>, Failure> {
    let choice = ["--runtime", "docker", "--shipped", "--emulator", container.emulator];
    let (mut first_order, mut unchanged, mut down) = (vec![], vec![], vec![]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for run in 0..=runs {
        let environment = Environment::new(program, &choice)?;
        let began = Instant::now();
        if let Err(error) = environment.up() {
            say(&format!("docker, {}: SKIPPED: {error}", container.emulator));
            return Ok(Vec::new());
        }
        let api = environment.url("order-api")?;
        runtime.block_on(order(&api))?;
        let took = ms(began.elapsed());
        // The first run builds the images.
        if run > 0 {
            first_order.push(took);
            unchanged.push(ms(environment.up()?));
            down.push(ms(environment.run(&["down"])?.1));
        }
    }
    let name = |what: &str| format!("docker, {}: {what}", container.emulator);
    Ok(vec![
        Figure::new(name("up to the first order"), "ms", first_order, Some(Target::AtMost(container.first_order))),
        Figure::new(name("up, unchanged"), "ms", unchanged, Some(Target::AtMost(300.0))),
        Figure::new(name("down"), "ms", down, Some(Target::AtMost(1000.0))),
    ])
}

/// Figures of a rehearsal of this checkout's commit. If it fails, prints the error and returns none.
fn promotions(program: &Utf8Path) -> Vec<Figure> {
    let (mut whole, mut release, mut unchanged) = (vec![], vec![], vec![]);
    let devenv = |arguments: &[&str]| -> Result<Duration, Failure> {
        let began = Instant::now();
        let mut command = Command::new(program);
        interrupt::shield(&mut command, arguments);
        let output = command.args(arguments).args(["--output", "plain"]).output()?;
        if output.status.success() {
            return Ok(began.elapsed());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(said.lines().find(|line| line.starts_with("error")).unwrap_or("it failed").to_owned().into())
    };
    let test = ["test", "--runtime", "docker"];
    let promote = ["promote", "rehearsal", "--yes"];
    let mut once = |is_measured: bool| -> Result<(), Failure> {
        interrupt::check()?;
        let mut rehearse = || -> Result<(Duration, Duration), Failure> {
            let (tested, released) = (devenv(&test)?, devenv(&promote)?);
            for _ in 0..LOADS {
                interrupt::check()?;
                unchanged.push(ms(devenv(&promote)?));
            }
            Ok((tested, released))
        };
        let rehearsed = rehearse();
        // Even after a failure: the emulated AWS belongs to this checkout.
        devenv(&["down"])?;
        let (tested, released) = rehearsed?;
        // The first round builds the images.
        if is_measured {
            whole.push(ms(tested + released));
            release.push(ms(released));
        }
        Ok(())
    };
    for round in 0..=LOADS {
        if let Err(error) = once(round > 0) {
            say(&format!("promotion: SKIPPED: {error}"));
            return Vec::new();
        }
    }
    let at_most = |limit| Some(Target::AtMost(limit));
    vec![
        Figure::new("tests, then a rehearsed release, images built", "ms", whole, at_most(40_000.0)),
        Figure::new("a rehearsed release, from an empty account", "ms", release, None),
        Figure::new("a promotion with nothing to change, in all", "ms", unchanged, at_most(2000.0)),
    ]
}

fn commands(program: &Utf8Path, runs: usize) -> Result<Vec<Figure>, Failure> {
    let (mut first_order, mut unchanged, mut down, mut reset, mut help) = (vec![], vec![], vec![], vec![], vec![]);
    let mut resident = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for _ in 0..runs {
        // A new environment each time: no state directory, no data, no remembered ports.
        let environment = Environment::new(program, &PROCESSES)?;
        let began = Instant::now();
        environment.up()?;
        let api = environment.url("order-api")?;
        runtime.block_on(order(&api))?;
        first_order.push(ms(began.elapsed()));
        unchanged.push(ms(environment.up()?));
        reset.push(ms(environment.run(&["reset"])?.1));
        help.push(ms(environment.run(&["--help"])?.1));
        // The first sample is the whole idle environment; the others show its variation.
        resident.push(memory::resident(&environment.status()?)?);
        down.push(ms(environment.run(&["down"])?.1));
    }
    let mut figures = vec![
        Figure::new("up -d from nothing to the first accepted order", "ms", first_order, Some(Target::AtMost(400.0))),
        Figure::new("up -d, unchanged", "ms", unchanged, Some(Target::AtMost(150.0))),
        Figure::new("down", "ms", down, Some(Target::AtMost(500.0))),
        Figure::new("reset", "ms", reset, Some(Target::AtMost(50.0))),
        Figure::new("--help", "ms", help, Some(Target::AtMost(10.0))),
    ];
    let total = resident.iter().map(|run| run.iter().map(|(_, rss, _)| rss).sum()).collect();
    figures.push(Figure::new("resident, whole idle environment", "MiB", total, Some(Target::AtMost(60.0))));
    for (index, (name, _, _)) in resident.first().cloned().unwrap_or_default().iter().enumerate() {
        let rss = resident.iter().map(|run| run[index].1).collect();
        let pss = resident.iter().map(|run| run[index].2).collect();
        figures.push(Figure::new(format!("  {name}, resident"), "MiB", rss, None));
        figures.push(Figure::new(format!("  {name}, proportional"), "MiB", pss, None));
    }
    Ok(figures)
}

async fn order(api: &str) -> Result<(), Failure> {
    let body = json!({ "product_id": "PROD001", "quantity": 1, "customer_id": "bench" });
    let response =
        reqwest::Client::builder().no_proxy().build()?.post(format!("{api}/orders")).json(&body).send().await?;
    if response.status().as_u16() == 201 { Ok(()) } else { Err(response.text().await?.into()) }
}

fn loads(program: &Utf8Path, length: Duration) -> Result<Vec<Figure>, Failure> {
    let environment = Environment::new(program, &PROCESSES)?;
    environment.up()?;
    let authority = authority(&environment.url("order-api")?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let product = runtime.block_on(product(&environment.url("emulator")?))?;
    let place = Kind::Place { product };
    let mut figures = Vec::new();
    let mut ids = Vec::new();
    let repeated = |kind: &Kind, connections| {
        let once = |_| runtime.block_on(run(&authority, kind, connections, length));
        (0..LOADS).map(once).collect::<Result<Vec<Measured>, Failure>>()
    };
    for connections in CONNECTIONS {
        let measured = repeated(&place, connections)?;
        figures.extend(of_loads("POST /orders", connections, &measured, 500.0));
        ids.extend(measured.into_iter().flat_map(|measured| measured.ids));
    }
    let read = Kind::Read { ids };
    for connections in CONNECTIONS {
        figures.extend(of_loads("GET /orders/{id}", connections, &repeated(&read, connections)?, 6000.0));
    }
    Ok(figures)
}

fn of_loads(what: &str, connections: usize, measured: &[Measured], floor: f64) -> Vec<Figure> {
    // One connection measures latency: the floor does not apply to it.
    let floor = (connections > 1).then_some(Target::AtLeast(floor));
    let figure = |part: &str, unit, value: &dyn Fn(&Measured) -> f64, target| {
        let samples = measured.iter().map(value).collect();
        Figure::new(format!("{what} at {connections}: {part}"), unit, samples, target)
    };
    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are small")]
    let errors = |measured: &Measured| measured.errors as f64;
    vec![
        figure("throughput", "1/s", &|measured| measured.throughput, floor),
        figure("p50", "ms", &|measured| measured.p50_ms, None),
        figure("p99", "ms", &|measured| measured.p99_ms, None),
        figure("errors", "", &errors, Some(Target::AtMost(0.0))),
    ]
}

/// Places, then reads orders for a long time, and prints the rates at the beginning and the end.
pub(crate) fn sustain(program: &Utf8Path, seconds: u64, connections: usize) -> Result<(), Failure> {
    say(&format!("machine: {}", machine::describe()));
    let environment = Environment::new(program, &PROCESSES)?;
    environment.up()?;
    let authority = authority(&environment.url("order-api")?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let length = Duration::from_secs(seconds);
    let place = Kind::Place { product: runtime.block_on(product(&environment.url("emulator")?))? };
    let placed = runtime.block_on(run(&authority, &place, connections, length))?;
    report("POST /orders", &placed);
    let read = runtime.block_on(run(&authority, &Kind::Read { ids: placed.ids }, connections, length))?;
    report("GET /orders/{id}", &read);
    Ok(())
}

fn report(what: &str, measured: &Measured) {
    let tenth = (measured.by_second.len() / 6).max(1);
    let rate = |seconds: &[usize]| seconds.iter().sum::<usize>() / seconds.len().max(1);
    let first = rate(&measured.by_second[..tenth]);
    let last = rate(&measured.by_second[measured.by_second.len() - tenth..]);
    say(&format!(
        "{what}: {:.0}/s (first {tenth} s {first}/s, last {tenth} s {last}/s), p50 {:.2} ms, p99 {:.2} ms, {} errors",
        measured.throughput, measured.p50_ms, measured.p99_ms, measured.errors
    ));
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
