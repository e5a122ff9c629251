//! The cost of a stream on the table `inventory` in the embedded emulator, and whether it stays with many records.

use std::time::{Duration, Instant};

use camino::Utf8Path;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::environment::Environment;
use crate::figures::{Figure, Target};
use crate::load::{self, Kind, authority, connect, product};
use crate::queues::emulator::Emulator;
use crate::queues::requests::call;
use crate::{Failure, interrupt, machine, say};

const CONNECTIONS: usize = 8;
/// Writes between two changes of the table, so that both meet the same machine.
const BLOCK: usize = 5_000;
const PRODUCTS: usize = 1_000;
/// The least number of orders a second with a stream on the inventory, in percent of those without.
const LEFT: f64 = 85.0;
/// Loads with a stream, and as many without, in turns.
const TURNS: usize = 3;
const TURN: Duration = Duration::from_secs(10);
/// The largest time of the last writes, in percent of that of the first ones.
const GROWTH: f64 = 110.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    Put,
    Update,
}

/// The times of the blocks of one kind of write to one table.
#[derive(Debug, Default)]
struct Blocks {
    /// Microseconds of a write.
    wall: Vec<f64>,
    processor: Vec<f64>,
}

pub(crate) fn run(program: &Utf8Path, writes: usize) -> Result<(), Failure> {
    say(&format!("machine: {}", machine::describe()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut figures = orders(program, &runtime)?;
    figures.extend(runtime.block_on(measure(program, writes))?);
    for figure in figures {
        say(&figure.line());
    }
    Ok(())
}

/// What the stream costs an order, which writes the inventory once.
fn orders(program: &Utf8Path, runtime: &tokio::runtime::Runtime) -> Result<Vec<Figure>, Failure> {
    let environment = Environment::new(program, &["--runtime", "process"])?;
    environment.up()?;
    runtime.block_on(orders_in_turns(&environment.url("emulator")?, &environment.url("order-api")?))
}

async fn orders_in_turns(emulator: &str, api: &str) -> Result<Vec<Figure>, Failure> {
    let place = Kind::Place { product: product(emulator).await? };
    let (tables, api) = (authority(emulator), authority(api));
    let (mut plain, mut streamed, mut shares) = (vec![], vec![], vec![]);
    for _ in 0..TURNS {
        for (rates, has_stream) in [(&mut plain, false), (&mut streamed, true)] {
            set_stream(&tables, has_stream).await?;
            let load = load::run(&api, &place, CONNECTIONS, TURN).await?;
            if load.errors > 0 {
                return Err(format!("{} orders failed", load.errors).into());
            }
            rates.push(load.throughput);
        }
        shares.push(streamed[streamed.len() - 1] / plain[plain.len() - 1] * 100.0);
    }
    Ok(vec![
        figure("POST /orders without a stream", "1/s", plain, None),
        figure("POST /orders with one on the inventory", "1/s", streamed, None),
        figure("with a stream, percent of without", "%", shares, Some(Target::AtLeast(LEFT))),
    ])
}

/// Turns the stream of the inventory on or off.
async fn set_stream(tables: &str, has_stream: bool) -> Result<(), Failure> {
    let mut connection = connect(tables).await?;
    let described =
        call(&mut connection, "DynamoDB_20120810.DescribeTable", &json!({ "TableName": "inventory" })).await?;
    let described: Value = serde_json::from_slice(&described)?;
    if described["Table"]["StreamSpecification"]["StreamEnabled"].as_bool().unwrap_or_default() == has_stream {
        return Ok(());
    }
    let specification = if has_stream {
        json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" })
    } else {
        json!({ "StreamEnabled": false })
    };
    let update = json!({ "TableName": "inventory", "StreamSpecification": specification });
    call(&mut connection, "DynamoDB_20120810.UpdateTable", &update).await.map(drop)
}

async fn measure(program: &Utf8Path, writes: usize) -> Result<Vec<Figure>, Failure> {
    let emulator = Emulator::start(program, false)?;
    for (table, has_stream) in [("plain", false), ("streamed", true)] {
        create(&emulator, table, has_stream).await?;
    }
    let mut figures = Vec::new();
    for write in [Write::Put, Write::Update] {
        let (mut plain, mut streamed) = (Blocks::default(), Blocks::default());
        // The first block of each table warms up its caches.
        for turn in 0..=writes / 2 / BLOCK {
            for (table, blocks) in [("plain", &mut plain), ("streamed", &mut streamed)] {
                let (wall, processor) = block(&emulator, table, write).await?;
                if turn > 0 {
                    blocks.wall.push(wall);
                    blocks.processor.push(processor);
                }
            }
        }
        figures.extend(compared(write, plain, &streamed));
    }
    figures.push(figure("resident, afterwards", "MiB", vec![emulator.resident()?], None));
    Ok(figures)
}

fn compared(write: Write, plain: Blocks, streamed: &Blocks) -> Vec<Figure> {
    let name = match write {
        Write::Put => "PutItem",
        Write::Update => "UpdateItem",
    };
    let cost = |plain: &[f64], streamed: &[f64]| -> Vec<f64> {
        plain.iter().zip(streamed).map(|(plain, streamed)| (streamed / plain - 1.0) * 100.0).collect()
    };
    let wall = cost(&plain.wall, &streamed.wall);
    let processor = cost(&plain.processor, &streamed.processor);
    let part = (streamed.wall.len() / 4).max(1);
    let mean = |blocks: &[f64]| blocks.iter().sum::<f64>() / f64::from(u32::try_from(blocks.len()).unwrap_or(u32::MAX));
    let growth =
        mean(&streamed.processor[streamed.processor.len() - part..]) / mean(&streamed.processor[..part]) * 100.0;
    vec![
        figure(&format!("{name}: time of a write"), "us", plain.wall, None),
        figure(&format!("{name}: the same with a stream"), "us", streamed.wall.clone(), None),
        figure(&format!("{name}: cost of the stream, time"), "%", wall, None),
        figure(&format!("{name}: processor time"), "us", plain.processor, None),
        figure(&format!("{name}: cost of the stream, processor"), "%", processor, None),
        figure(&format!("{name}: last of first quarter"), "%", vec![growth], Some(Target::AtMost(GROWTH))),
    ]
}

/// Microseconds of one write: of the wall clock, and of the emulator's processor time.
async fn block(emulator: &Emulator, table: &'static str, write: Write) -> Result<(f64, f64), Failure> {
    let (before, began) = (emulator.processor_time()?, Instant::now());
    let mut tasks = JoinSet::new();
    for number in 0..CONNECTIONS {
        tasks.spawn(worker(emulator.tables.clone(), table, write, number));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let of_one =
        |time: Duration| time.as_secs_f64() * 1_000_000.0 / f64::from(u32::try_from(BLOCK).unwrap_or(u32::MAX));
    Ok((of_one(began.elapsed()), of_one(emulator.processor_time()?.saturating_sub(before))))
}

async fn worker(authority: String, table: &'static str, write: Write, number: usize) -> Result<(), Failure> {
    let mut connection = connect(&authority).await?;
    for turn in 0..BLOCK / CONNECTIONS {
        interrupt::check()?;
        let product = format!("PROD{:06}", (turn * CONNECTIONS + number) % PRODUCTS);
        let (operation, input) = match write {
            Write::Put => ("PutItem", put(table, &product)),
            Write::Update => ("UpdateItem", take(table, &product)),
        };
        call(&mut connection, &format!("DynamoDB_20120810.{operation}"), &input).await?;
    }
    Ok(())
}

async fn create(emulator: &Emulator, table: &str, has_stream: bool) -> Result<(), Failure> {
    let mut definition: Value = serde_json::from_str(include_str!("../../terraform/tables/inventory.json"))?;
    definition["TableName"] = json!(table);
    if !has_stream {
        definition["StreamSpecification"] = json!({ "StreamEnabled": false });
    }
    let mut connection = connect(&emulator.tables).await?;
    call(&mut connection, "DynamoDB_20120810.CreateTable", &definition).await.map(drop)
}

/// A product as the seed has it.
fn put(table: &str, product: &str) -> Value {
    json!({ "TableName": table, "Item": {
        "product_id": { "S": product }, "name": { "S": "Sample Product" }, "price": { "N": "29" }, "stock": { "N": "1000000" },
    } })
}

/// The write by which the order processor takes stock.
fn take(table: &str, product: &str) -> Value {
    json!({
        "TableName": table, "Key": { "product_id": { "S": product } },
        "UpdateExpression": "SET stock = stock - :quantity", "ConditionExpression": "stock >= :quantity",
        "ExpressionAttributeValues": { ":quantity": { "N": "1" } },
    })
}

fn figure(name: &str, unit: &'static str, samples: Vec<f64>, target: Option<Target>) -> Figure {
    Figure::new(name, unit, samples, target)
}
