use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use integration::{
    Depth, EMULATOR, Effort, Environment, FUNCTION_HOST, Fallen, Falls, LOW_STOCK, Load, ORDER_API, ORDER_PROCESSOR,
    Patience, Queue, REPORTING_CONSUMER, REPORTING_DATABASE, StockEvents, Tally, alone, eventually, nothing_is_lost,
};
use tokio::time::Instant;

use crate::figures::{Figures, of_product};

/// Time for all orders to be in their reports after a disturbance: a message that a killed consumer had is visible again after 60 s.
const ALL_REPORTED: Duration = Duration::from_mins(3);

/// Time for the events of low stocks after a disturbance.
const ALL_ARRIVE: Duration = Duration::from_mins(1);

/// After 10 s of life the supervisor resets a unit's back-off: its next death counts as the first.
const WELL_AGAIN: Duration = Duration::from_millis(10_500);

/// The rounds whose reports may still lack messages of killed consumers while later rounds run: to wait for these messages after each
/// round would take most of the time.
const OPEN_ROUNDS: usize = 8;

/// The units to kill, and the events of low stocks if the environment has their function.
struct Kills<'a> {
    environment: &'a Environment,
    units: Vec<&'static str>,
    low_stock: Option<StockEvents>,
    well_again: HashMap<&'static str, Instant>,
}

/// The orders of a round.
struct Round {
    number: usize,
    products: Vec<(String, u64)>,
    tally: Tally,
    fallen: Vec<Fallen>,
    took: Duration,
}

impl<'a> Kills<'a> {
    async fn new(environment: &'a Environment) -> Self {
        let functions = environment.units.functions().await;
        let mut units = vec![ORDER_API, ORDER_PROCESSOR, REPORTING_CONSUMER, REPORTING_DATABASE];
        // Another emulator than the embedded one keeps its queues in memory: a kill loses them.
        units.extend((environment.units.emulator().await == "embedded").then_some(EMULATOR));
        units.extend((!functions.is_empty()).then_some(FUNCTION_HOST));
        let mut low_stock = None;
        if functions.contains(LOW_STOCK) {
            units.push(LOW_STOCK);
            low_stock = Some(StockEvents::subscribe(environment).await);
        }
        Self { environment, units, low_stock, well_again: HashMap::new() }
    }

    /// Kills every unit under load: one after the other, each while others recover, or in every second round all at once.
    async fn round(&mut self, number: usize, effort: Effort) -> Round {
        let environment = self.environment;
        let began = Instant::now();
        let products = vec![
            (environment.product(10_000_000).await, 10_000_000),
            // Too few for all orders.
            (environment.product(150).await, 150),
        ];
        let load = Load::start(environment, &products, effort, Patience::GivesUp);
        let falls = if self.low_stock.is_some() { Some(Falls::start(environment).await) } else { None };
        if number.is_multiple_of(2) {
            for unit in &self.units {
                self.wait_until_well(unit).await;
            }
            load.headway(effort.headway()).await;
            environment.crash_together(&self.units).await;
            self.well_again = self.units.iter().map(|unit| (*unit, Instant::now() + WELL_AGAIN)).collect();
        } else {
            for unit in self.units.clone() {
                self.wait_until_well(unit).await;
                load.headway(effort.headway()).await;
                environment.crash(unit).await;
                self.well_again.insert(unit, Instant::now() + WELL_AGAIN);
            }
        }
        load.headway(effort.headway()).await;
        let fallen = match falls {
            Some(falls) => falls.stop().await,
            None => Vec::new(),
        };
        Round { number, products, tally: load.stop().await, fallen, took: began.elapsed() }
    }

    async fn wait_until_well(&self, unit: &str) {
        if let Some(well_again) = self.well_again.get(unit) {
            tokio::time::sleep_until(*well_again).await;
        }
    }

    /// Asserts that no order of a round is lost, that its reports equal its orders, and that each fall of a stock has an event.
    #[expect(clippy::print_stdout, reason = "the figures of a long run")]
    async fn prove(&mut self, round: Round) {
        let Round { number, products, tally, fallen, took } = round;
        nothing_is_lost(self.environment, &products, &tally).await;
        let reports = self.environment.reports();
        let of_falls = fallen.iter().map(|fallen| &fallen.product_id);
        for product_id in products.iter().map(|(product_id, _)| product_id).chain(of_falls) {
            let orders = self.environment.orders_of(product_id).await.expect("the table answers");
            let expected = Figures::of_orders(&orders);
            eventually(&format!("the reports of round {number} equal its orders"), ALL_REPORTED, async || {
                let reported = of_product(&reports, product_id).await?;
                if reported == expected { Ok(()) } else { Err(format!("{reported:?}, not {expected:?}")) }
            })
            .await;
        }
        let times: usize = fallen.iter().map(|fallen| fallen.times).sum();
        if let Some(events) = &mut self.low_stock {
            events.arrive(&fallen, ALL_ARRIVE).await;
        }
        println!("round {number}, {took:.1?}: {tally}; {times} falls below a threshold");
    }
}

/// `SOAK_ROUNDS=100` runs a hundred rounds.
#[test]
#[expect(clippy::print_stdout, reason = "the figures of a long run")]
fn the_reports_equal_the_orders_whatever_is_killed() {
    alone(async |environment| {
        let mut kills = Kills::new(environment).await;
        let mut effort = Effort::read();
        let mut open = VecDeque::new();
        let began = Instant::now();
        let mut rounds = 0;
        loop {
            rounds += 1;
            open.push_back(kills.round(rounds, effort).await);
            if open.len() > OPEN_ROUNDS {
                kills.prove(open.pop_front().expect("it has some")).await;
            }
            if !effort.again() {
                break;
            }
        }
        let killed = began.elapsed();
        for round in open {
            kills.prove(round).await;
        }
        nothing_is_left_over(environment).await;
        if let Some(events) = kills.low_stock.take() {
            println!("{} events of low stocks came more than once", events.repeated);
            events.unsubscribe().await;
        }
        println!("{rounds} rounds of kills of {:?} in {killed:.1?}, proven after {:.1?}", kills.units, began.elapsed());
    });
}

/// No message is delivered for ever, and none has been given up.
async fn nothing_is_left_over(environment: &Environment) {
    let queue = Queue::new(&environment.settings, "reporting");
    eventually("the queue is empty", ALL_REPORTED, async || {
        let depth = queue.depth().await?;
        if depth == Depth::NONE { Ok(()) } else { Err(format!("{depth:?}")) }
    })
    .await;
    let dead = Queue::new(&environment.settings, "reporting-dead").depth().await;
    assert_eq!(dead, Ok(Depth::NONE), "expected no dead letter");
}
