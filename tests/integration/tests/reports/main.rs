//! The reports of settled orders: from order-api through topic, queue, consumer and database to an answer of order-reporting.
//!
//! They are a program of their own: they need the profile `reporting`, whose consumer takes the messages that the tests of events look
//! for, and a test of `end_to_end` that did not run would leave its evidence without effect. Against a running environment:
//! `cargo devenv up -d --profile reporting`, `eval "$(cargo devenv env)"`, then `DEVENV_BIN=target/debug/devenv cargo test --test reports`.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use integration::{
    EMULATOR, Effort, Environment, Load, ORDER_API, ORDER_PROCESSOR, PRICE, Patience, Queue, REPORTING_CONSUMER,
    REPORTING_DATABASE, Service, StoredOrder, alone, eventually, nothing_is_lost, order, undisturbed,
};
use reqwest_tls::Method;
use serde_json::Value;

/// Time for an order to be in its report while nothing is disturbed.
const REPORTED: Duration = Duration::from_secs(5);

/// Time for all orders to be in their reports after a disturbance: a message that a killed consumer had is visible again after 60 s.
const ALL_REPORTED: Duration = Duration::from_mins(3);

/// After 10 s of life the supervisor resets a unit's back-off: its next death counts as the first.
const WELL_AGAIN: Duration = Duration::from_millis(10_500);

/// The figures of a product or a customer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    confirmed_orders: u64,
    rejected_orders: u64,
    confirmed_quantity: u64,
    rejected_quantity: u64,
    revenue: u64,
}

impl Figures {
    fn of_orders(orders: &[StoredOrder]) -> Self {
        let mut figures = Self::default();
        for order in orders {
            match order.status.as_str() {
                "confirmed" => {
                    figures.confirmed_orders += 1;
                    figures.confirmed_quantity += order.quantity;
                    figures.revenue += order.quantity * PRICE;
                }
                "rejected" => {
                    figures.rejected_orders += 1;
                    figures.rejected_quantity += order.quantity;
                }
                _ => {}
            }
        }
        figures
    }

    fn of_report(report: &Value) -> Self {
        let number = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("expected {key} in {report}"));
        Self {
            confirmed_orders: number("confirmed_orders"),
            rejected_orders: number("rejected_orders"),
            confirmed_quantity: number("confirmed_quantity"),
            rejected_quantity: number("rejected_quantity"),
            revenue: number("revenue"),
        }
    }
}

/// The figures of a product, from the pages of all products.
async fn of_product(reports: &Service, product: &str) -> Result<Figures, String> {
    let mut cursor = String::new();
    loop {
        let request = reports.request(Method::GET, &format!("/reports/products?limit=100{cursor}"));
        let page = reports.try_send(request).await?;
        if page.status != 200 {
            return Err(format!("{}: {}", page.status, page.body));
        }
        let products = page.body["products"].as_array().cloned().unwrap_or_default();
        if let Some(report) = products.iter().find(|report| report["product_id"] == product) {
            return Ok(Figures::of_report(report));
        }
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(Figures::default()),
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "a figure")]
fn a_settled_order_is_in_its_reports_at_once() {
    undisturbed(async |environment| {
        let reports = environment.reports();
        let (product, customer) = (environment.product(3).await, environment.customer());
        let path = format!("/reports/customers/{customer}");
        assert_eq!(reports.get(&path).await.status, 404, "expected no figures before the first order");
        let mut expected = Figures::default();
        for quantity in [1, 2, 5] {
            let placed = environment.api.place(&order(&product, quantity, &customer)).await;
            let settled = Instant::now();
            if quantity == 5 {
                assert_eq!(placed.status, 400, "{placed:?}");
                (expected.rejected_orders, expected.rejected_quantity) = (1, 5);
            } else {
                assert_eq!(placed.status, 201, "{placed:?}");
                expected.confirmed_orders += 1;
                expected.confirmed_quantity += quantity;
                expected.revenue += quantity * PRICE;
            }
            eventually("the order is in its customer's report", REPORTED, async || {
                let report = reports.get(&path).await;
                let is_there = report.status == 200 && Figures::of_report(&report.body) == expected;
                if is_there { Ok(()) } else { Err(format!("{}: {}", report.status, report.body)) }
            })
            .await;
            println!("an order of {quantity} was in its report after {} ms", settled.elapsed().as_millis());
        }
        assert_eq!(of_product(&reports, &product).await, Ok(expected));
        let daily = reports.get("/reports/daily").await;
        assert!(daily.body["days"].as_array().is_some_and(|days| !days.is_empty()), "{daily:?}");
    });
}

/// The messages would be hidden from the next consumer for a minute.
#[test]
fn a_consumer_that_ends_in_an_outage_of_the_database_gives_its_messages_back() {
    alone(async |environment| {
        let (reports, queue) = (environment.reports(), Queue::new(&environment.settings, "reporting"));
        let (product, customer) = (environment.product(1).await, environment.customer());
        environment.units.stop(REPORTING_DATABASE).await;
        let placed = environment.api.place(&order(&product, 1, &customer)).await;
        assert_eq!(placed.status, 201, "{placed:?}");
        eventually("the consumer has the message", REPORTED, async || match queue.in_flight().await? {
            0 => Err("nobody has it".to_owned()),
            _ => Ok(()),
        })
        .await;
        environment.units.stop(REPORTING_CONSUMER).await;
        assert_eq!(queue.in_flight().await, Ok(0));
        environment.units.start(REPORTING_DATABASE).await;
        environment.units.start(REPORTING_CONSUMER).await;
        eventually("the order is in its customer's report", REPORTED, async || {
            let report = reports.get(&format!("/reports/customers/{customer}")).await;
            if report.status == 200 { Ok(()) } else { Err(format!("{}: {}", report.status, report.body)) }
        })
        .await;
    });
}

/// The units whose kill loses nothing: another emulator than the embedded one keeps its queues in memory.
async fn killed(environment: &Environment) -> Vec<&'static str> {
    let embedded = (environment.units.emulator().await == "embedded").then_some(EMULATOR);
    [ORDER_API, ORDER_PROCESSOR, REPORTING_CONSUMER, REPORTING_DATABASE].into_iter().chain(embedded).collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures of a long run")]
fn the_reports_equal_the_orders_whatever_is_killed() {
    alone(async |environment| {
        let units = killed(environment).await;
        let reports = environment.reports();
        let products = [(environment.product(10_000_000).await, 10_000_000), (environment.product(150).await, 150)];
        let mut effort = Effort::read();
        let load = Load::start(environment, &products, effort, Patience::GivesUp);
        let mut well_again: HashMap<&str, tokio::time::Instant> = HashMap::new();
        loop {
            for unit in &units {
                if let Some(well_again) = well_again.get(unit) {
                    tokio::time::sleep_until(*well_again).await;
                }
                load.headway(effort.headway()).await;
                environment.crash(unit).await;
                well_again.insert(unit, tokio::time::Instant::now() + WELL_AGAIN);
                load.headway(effort.headway()).await;
            }
            if !effort.again() {
                break;
            }
        }
        let tally = load.stop().await;
        nothing_is_lost(environment, &products, &tally).await;
        for (product, _) in &products {
            let orders = environment.orders_of(product).await.expect("the table answers");
            let expected = Figures::of_orders(&orders);
            eventually("the reports equal the orders", ALL_REPORTED, async || {
                let reported = of_product(&reports, product).await?;
                if reported == expected { Ok(()) } else { Err(format!("{reported:?}, not {expected:?}")) }
            })
            .await;
        }
        println!("kills of {units:?}: {tally}");
    });
}
